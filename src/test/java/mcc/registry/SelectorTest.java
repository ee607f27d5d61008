package mcc.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.wire.Ports;
import mcc.wire.Provider;
import org.junit.jupiter.api.Test;

class SelectorTest {
    private final Rng rng = Rng.seeded(2);

    @Test
    void twoEqualOnesShareNewConnections() {
        List<Offer> ranked = Selector.rank(List.of(offer(1, 10, 100, 0), offer(2, 12, 100, 0)));
        assertThat(picksOf(ranked, 1)).isBetween(30, 70);
    }

    @Test
    void weightAndLoadDecideTheShare() {
        assertThat(picksOf(Selector.rank(List.of(offer(1, 10, 900, 0), offer(2, 10, 100, 0))), 1))
                .isGreaterThan(75);
        assertThat(picksOf(Selector.rank(List.of(offer(1, 10, 100, 950), offer(2, 10, 100, 0))), 1))
                .isLessThan(20);
    }

    @Test
    void theNearerClassComesFirstAlways() {
        List<Offer> ranked = Selector.rank(List.of(offer(1, 60, 1_000, 0), offer(2, 10, 1, 900)));
        for (int i = 0; i < 100; i++) {
            assertThat(Selector.pick(ranked, rng).stream().map(o -> o.endpoint().w0()))
                    .containsExactly(2L, 1L);
        }
    }

    @Test
    void timesWithinFiveMillisecondsOrAQuarterAreOneClass() {
        assertThat(classes(offer(1, 1, 1, 0), offer(2, 6, 1, 0), offer(3, 7, 1, 0)))
                .containsExactly(0, 0, 1);
        assertThat(classes(offer(1, 100, 1, 0), offer(2, 125, 1, 0), offer(3, 126, 1, 0)))
                .containsExactly(0, 0, 1);
        assertThat(classes(offer(1, -1, 1, 0), offer(2, 80, 1, 0)))
                .as("unmeasured")
                .containsExactly(0, 0);
    }

    @Test
    void theUnusableRankLastAndAreNeverPicked() {
        Offer failing = new Offer(provider(1, 1_000, 0), Health.FAILING, "", null, 0, true, new Offer.Score(0, 0, 1));
        List<Offer> ranked = Selector.rank(List.of(failing, offer(2, 500, 1, 999)));
        assertThat(ranked.getLast().health()).isEqualTo(Health.FAILING);
        assertThat(Selector.pick(ranked, rng)).hasSize(1);
        assertThat(ranked)
                .isSortedAccordingTo(
                        (a, b) -> Long.compare(a.score().total(), b.score().total()));
    }

    private int picksOf(List<Offer> ranked, long endpoint) {
        int n = 0;
        for (int i = 0; i < 100; i++) {
            if (Selector.pick(ranked, rng).getFirst().endpoint().w0() == endpoint) n++;
        }
        return n;
    }

    private static List<Integer> classes(Offer... offers) {
        return Selector.rank(List.of(offers)).stream()
                .sorted((a, b) -> a.endpoint().compareTo(b.endpoint()))
                .map(o -> o.score().rttClass())
                .toList();
    }

    private static Offer offer(long endpoint, long rttMs, int weight, int load) {
        Offer.Distance distance = rttMs < 0 ? null : new Offer.Distance(1, rttMs * 1_000_000);
        return new Offer(
                provider(endpoint, weight, load), Health.PASS, "", distance, 1_000, false, new Offer.Score(0, 0, 1));
    }

    private static Provider provider(long endpoint, int weight, int load) {
        Id id = new Id(endpoint, 0, 0, 0);
        return new Provider(
                id,
                id,
                id,
                List.of(),
                Provider.Protocol.TCP,
                Ports.UNKNOWN,
                weight,
                load,
                List.of(),
                Map.of(),
                "open",
                "web");
    }
}
