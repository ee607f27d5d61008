package mcc.link;

import static org.assertj.core.api.Assertions.assertThat;

import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.stream.Budget;
import mcc.stream.Connection;
import mcc.stream.StreamConfig;
import org.junit.jupiter.api.Test;

class LinkTest {
    private static final long MS = 1_000_000;
    private final Counters counters = new Counters();
    private final Rng rng = Rng.seeded(5);
    private final Link link = new Link(
            Id.random(rng),
            rng.bytes(32),
            1,
            new Connection(StreamConfig.defaults(), true, rng.split(), new Budget(0, counters), counters),
            0);

    @Test
    void oneSlowAnswerDoesNotMakeAPeerCountAsFar() {
        link.upNs = 10 * MS;
        link.answered(0, 200 * MS);
        assertThat(link.view(null).leastRttNs()).as("it waited for the keys").isZero();
        assertThat(link.view(null).rttNs()).as("all that is known").isEqualTo(200 * MS);
        link.answered(20 * MS, 35 * MS);
        assertThat(link.view(null).rttNs()).isEqualTo(15 * MS);
        assertThat(link.view(null).leastRttNs()).as("15 ms, by one request").isEqualTo(1);
        link.answered(40 * MS, 240 * MS);
        assertThat(link.view(null).leastRttNs())
                .as("a slower one hardly counts")
                .isLessThan(20 * MS);
    }

    @Test
    void aPeerThatIsFarCountsAsFarAfterAFewRequests() {
        link.answered(0, 200 * MS);
        assertThat(link.view(null).leastRttNs()).isEqualTo(180 * MS);
        for (int i = 1; i < 20; i++) link.answered(0, 200 * MS);
        assertThat(link.view(null).leastRttNs()).isEqualTo(199 * MS);
    }
}
