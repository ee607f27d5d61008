package mcc.api;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RateLimitTest {
    private static final long MS = 1_000_000;
    private final RateLimit limit = new RateLimit();

    private int taken(long nowNs, String caller, int times) {
        int taken = 0;
        for (int i = 0; i < times; i++) if (limit.take(nowNs, caller)) taken++;
        return taken;
    }

    @Test
    void aCallerHasABurstAndThenItsShareOfEachSecond() {
        assertThat(taken(7, "a", RateLimit.BURST + 50)).isEqualTo(RateLimit.BURST);
        assertThat(taken(7 + 100 * MS, "a", 1_000)).isEqualTo(RateLimit.PER_SECOND / 10);
        assertThat(taken(7 + 101 * MS, "a", 10)).isEqualTo(RateLimit.PER_SECOND / 1_000);
        assertThat(taken(Long.MAX_VALUE / 2, "a", 2 * RateLimit.BURST))
                .as("a long rest gives no more than a burst")
                .isEqualTo(RateLimit.BURST);
    }

    @Test
    void aCallerTakesNothingFromAnother() {
        taken(7, "a", RateLimit.BURST);
        assertThat(limit.take(7, "a")).isFalse();
        assertThat(limit.take(7, "b")).isTrue();
    }

    @Test
    void callersAreForgottenTheLongestUnheardFirst() {
        taken(7, "busy", RateLimit.BURST);
        for (int i = 0; i < 3 * RateLimit.CALLERS_MAX; i++) {
            limit.take(7, "c" + i);
            assertThat(limit.take(7, "busy")).isFalse();
        }
        assertThat(limit.callers()).isEqualTo(RateLimit.CALLERS_MAX);
    }
}
