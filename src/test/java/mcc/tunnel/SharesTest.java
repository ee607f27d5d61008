package mcc.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import mcc.core.Rng;
import org.junit.jupiter.api.Test;

/** More holders want places than there are. */
class SharesTest {
    private static final int MAX = 10_000;

    private final Shares<String, Object> shares = new Shares<>(MAX);

    private void fill(String who, int wanted) {
        for (int i = 0; i < wanted && shares.hasRoom(who); i++) shares.add(who, new Object());
    }

    @Test
    void oneAloneMayHaveAll() {
        fill("a", MAX);
        assertThat(shares.of("a")).isEqualTo(MAX);
        assertThat(shares.hasRoom("a")).as("and no more").isFalse();
    }

    @Test
    void elevenThatTakeAllLeaveATwelfthItsShare() {
        for (int i = 0; i < 11; i++) fill("greedy" + i, MAX);
        fill("honest", 100);
        assertThat(shares.of("honest")).isEqualTo(100);
        assertThat(shares.size()).isEqualTo(MAX);
        for (int i = 0; i < 11; i++) assertThat(shares.of("greedy" + i)).isBetween(890, 910);
    }

    @Test
    void theNewestOfWhoeverHasMostGivesWay() {
        Shares<String, String> few = new Shares<>(3);
        few.add("a", "a1");
        few.add("a", "a2");
        few.add("b", "b1");
        assertThat(few.add("c", "c1")).isEqualTo("a2");
        assertThat(few.hasRoom("d")).as("where nobody has more than it would").isFalse();
        assertThat(few.remove("a2")).as("gone already").isFalse();
        assertThat(few.remove("a1")).isTrue();
        assertThat(few.hasRoom("d")).isTrue();
    }

    @Test
    void whateverComesAndGoesTheCountsAgree() {
        Shares<Integer, Object> shares = new Shares<>(50);
        Map<Object, Integer> model = new HashMap<>();
        List<Object> order = new ArrayList<>();
        Rng rng = Rng.seeded(7);
        for (int i = 0; i < 50_000; i++) {
            if (rng.below(3) > 0) {
                int who = rng.below(8);
                if (!shares.hasRoom(who)) continue;
                Object one = new Object();
                Object gone = shares.add(who, one);
                if (gone != null) {
                    assertThat(model.remove(gone)).isNotNull();
                    order.remove(gone);
                }
                model.put(one, who);
                order.add(one);
            } else if (!order.isEmpty()) {
                Object one = order.remove(rng.below(order.size()));
                assertThat(shares.remove(one)).isTrue();
                model.remove(one);
            }
            assertThat(shares.size()).isEqualTo(model.size()).isLessThanOrEqualTo(50);
        }
        for (int who = 0; who < 8; who++) {
            int whose = who;
            assertThat(shares.of(who)).isEqualTo((int)
                    model.values().stream().filter(w -> w == whose).count());
        }
    }
}
