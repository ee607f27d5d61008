package mcc.core;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RateLimitTest {
    private static final long MS = 1_000_000;
    private static final int PER_SECOND = 1_000;
    private static final int BURST = 5_000;
    private static final int KEYS_MAX = 100;
    private final RateLimit<String> limit = new RateLimit<>(PER_SECOND, BURST, KEYS_MAX);

    private int taken(long nowNs, String who, int times) {
        int taken = 0;
        for (int i = 0; i < times; i++) if (limit.take(nowNs, who)) taken++;
        return taken;
    }

    @Test
    void eachHasABurstAndThenItsShareOfEachSecond() {
        assertThat(taken(7, "a", BURST + 50)).isEqualTo(BURST);
        assertThat(taken(7 + 100 * MS, "a", 1_000)).isEqualTo(PER_SECOND / 10);
        assertThat(taken(7 + 101 * MS, "a", 10)).isEqualTo(PER_SECOND / 1_000);
        assertThat(taken(Long.MAX_VALUE / 2, "a", 2 * BURST))
                .as("a long rest gives no more than a burst")
                .isEqualTo(BURST);
    }

    @Test
    void noneTakesFromAnother() {
        taken(7, "a", BURST);
        assertThat(limit.take(7, "a")).isFalse();
        assertThat(limit.take(7, "b")).isTrue();
    }

    @Test
    void theLongestUnheardIsForgottenFirst() {
        taken(7, "busy", BURST);
        for (int i = 0; i < 3 * KEYS_MAX; i++) {
            limit.take(7, "c" + i);
            assertThat(limit.take(7, "busy")).isFalse();
        }
        assertThat(limit.size()).isEqualTo(KEYS_MAX);
    }

    @Test
    void whoRestedUntilItsBucketIsFullTakesNoRoom() {
        for (int i = 0; i < KEYS_MAX; i++) limit.take(7 + i * MS, "c" + i);
        assertThat(limit.size()).isEqualTo(1);
        taken(7, "busy", BURST);
        limit.take(8, "other");
        limit.take(9, "third");
        assertThat(limit.size()).as("one that is not full again stays").isGreaterThan(1);
        assertThat(limit.take(9, "busy")).isFalse();
    }
}
