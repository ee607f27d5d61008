package mcc.stream;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WindowTunerTest {
    private static final long MS = Pair.MS;

    @Test
    void aWindowGrowsByTheTimeThatHalfOfItTakes() {
        WindowTuner tuner = new WindowTuner();
        assertThat(tuner.next(0, MS, 24, 100)).as("not a quarter of the first").isEqualTo(100);
        assertThat(tuner.next(0, MS, 25, 100)).isEqualTo(400);
        assertThat(tuner.next(MS, MS, 224, 400)).as("not half").isEqualTo(400);
        assertThat(tuner.next(MS, MS, 225, 400)).as("held back").isEqualTo(1_600);
        assertThat(tuner.next(4 * MS, MS, 1_025, 1_600)).as("fast").isEqualTo(3_200);
        assertThat(tuner.next(8 * MS, MS, 2_625, 3_200)).as("slow").isEqualTo(3_200);
    }

    /**
     * Between whole ends of a connection, on a path without loss: a window is at least two bandwidth-delay products of the
     * path. It is at most sixteen times what passes until credit is confirmed, with a full queue and an acknowledgement that
     * waits as long as it may, or 1 MiB.
     */
    @ParameterizedTest
    @CsvSource({"10, 200", "20, 10", "100, 20", "100, 60", "1000, 5", "1000, 1"})
    void aWindowSettlesAtAFewProductsOfThePath(int mbit, int rttMs) {
        long rate = mbit * 125_000L;
        long product = rate * rttMs / 1_000;
        Pair pair = new Pair(StreamConfig.defaults(), mbit).both(l -> {
            l.delayNs = rttMs * MS / 2;
            l.rateBytesPerSecond = rate;
            l.queueBytes = product / 4;
        });
        pair.keepEvents = false;
        Transfer transfer = new Transfer(pair, 0, Long.MAX_VALUE / 4);
        pair.run((40 * rttMs + 100) * MS);
        long window = pair.at(1, transfer.stream).receive.windowBytes();
        pair.run(20 * rttMs * MS);
        assertThat(pair.at(1, transfer.stream).receive.windowBytes())
                .as("it has settled")
                .isEqualTo(window);
        assertThat(window).isGreaterThanOrEqualTo(2 * product);
        long slowestNs = rttMs * MS * 5 / 4;
        long confirmedNs = slowestNs + Math.clamp(slowestNs / 4, MS, Acks.MAX_DELAY_NS);
        assertThat(window).isLessThanOrEqualTo(Math.max(1 << 20, (long) (16 * rate * (confirmedNs / 1e9))));
        assertThat(window)
                .as("not for its limit")
                .isLessThan(StreamConfig.defaults().maxStreamWindowBytes());
    }
}
