package mcc.tunnel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.Map;
import mcc.core.Rng;
import org.junit.jupiter.api.Test;

class HoldersTest {
    /** A holder that counts how often a collection looks at it. */
    private record Seen(int number, int[] looks) {
        @Override
        public int hashCode() {
            looks[0]++;
            return number;
        }

        @Override
        public boolean equals(Object other) {
            looks[0]++;
            return other instanceof Seen seen && seen.number == number;
        }
    }

    @Test
    void whateverComesAndGoesWhoHasMostIsKnown() {
        Holders<Integer> holders = new Holders<>();
        Map<Integer, Integer> model = new HashMap<>();
        Rng rng = Rng.seeded(11);
        for (int i = 0; i < 20_000; i++) {
            int who = rng.below(9);
            if (rng.below(2) == 0) {
                holders.add(who);
                model.merge(who, 1, Integer::sum);
            } else if (holders.of(who) > 0) {
                holders.remove(who);
                model.merge(who, -1, Integer::sum);
            }
            int most = model.values().stream().mapToInt(n -> n).max().orElse(0);
            int coming = rng.below(9);
            Integer giver = holders.giver(coming);
            assertThat(giver != null).as("step %s", i).isEqualTo(most > holders.of(coming) + 1);
            if (giver != null) assertThat(model.get(giver)).isEqualTo(most);
            assertThat(holders.of(who)).isEqualTo(model.getOrDefault(who, 0));
            assertThat(holders.all())
                    .isEqualTo(model.values().stream().mapToInt(n -> n).sum());
        }
    }

    @Test
    void nobodyGivesUpWhatItDoesNotHave() {
        Holders<String> holders = new Holders<>();
        assertThatThrownBy(() -> holders.remove("a")).isInstanceOf(IllegalStateException.class);
        holders.add("a");
        assertThat(holders.giver("b")).as("b would have as many").isNull();
        holders.add("a");
        assertThat(holders.giver("a")).isNull();
        assertThat(holders.giver("b")).isEqualTo("a");
    }

    @Test
    void whoHasMostIsFoundWithoutLookingAtAll() {
        Holders<Seen> holders = new Holders<>();
        int[] looks = {0};
        for (int i = 0; i < 4_096; i++) {
            holders.add(new Seen(i, looks));
            holders.add(new Seen(i, looks));
        }
        looks[0] = 0;
        Seen giver = holders.giver(new Seen(-1, looks));
        assertThat(giver).isNotNull();
        holders.remove(giver);
        assertThat(looks[0]).as("looks at one of 4,096 holders").isLessThan(30);
    }
}
