package mcc.stream;

import static org.assertj.core.api.Assertions.assertThat;

import mcc.congestion.CongestionControl;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A link of 100 Mbit/s and 100 ms with a queue of one bandwidth-delay product, as in the laboratory. */
class GoodputTest {
    private static final long RATE = 12_500_000;

    static Config config(CongestionControl.Kind kind) {
        Config d = Config.defaults();
        return new Config(
                kind,
                d.streams(),
                d.streamWindowBytes(),
                d.maxStreamWindowBytes(),
                d.windowBytes(),
                d.maxWindowBytes(),
                d.sendBufferBytes(),
                d.maxSendBufferBytes(),
                d.maxBufferedBytes());
    }

    private static Pair link(CongestionControl.Kind kind, int lossPpm, long queueBytes, int burst, long seed) {
        Pair pair = new Pair(config(kind), seed);
        pair.keepEvents = false;
        return pair.both(l -> {
            l.delayNs = 50 * Pair.MS;
            l.lossPpm = lossPpm;
            l.burst = burst;
            l.rateBytesPerSecond = RATE;
            l.queueBytes = queueBytes;
        });
    }

    /** Returns goodput in percent of the link's rate over {@code seconds}. */
    private static double goodput(Pair pair, int seconds) {
        Transfer transfer = new Transfer(pair, 0, Long.MAX_VALUE / 4);
        pair.run(seconds * 1_000 * Pair.MS);
        assertThat(transfer.corrupt).isFalse();
        return 100.0 * transfer.read / (RATE * seconds);
    }

    private static double goodput(CongestionControl.Kind kind, int lossPpm, int seconds, int burst, long seed) {
        return goodput(link(kind, lossPpm, 1_250_000, burst, seed), seconds);
    }

    @ParameterizedTest
    @CsvSource({"0, 80", "10000, 75", "50000, 60", "100000, 50", "150000, 40"})
    void bbrKeepsALossyLinkBusy(int lossPpm, double atLeast) {
        assertThat(goodput(CongestionControl.Kind.BBR, lossPpm, 20, 1, 1)).isGreaterThan(atLeast);
    }

    @Test
    void newRenoCollapsesWhereBbrDoesNot() {
        double bbr = goodput(CongestionControl.Kind.BBR, 50_000, 10, 1, 2);
        double reno = goodput(CongestionControl.Kind.NEW_RENO, 50_000, 10, 1, 2);
        assertThat(reno).isLessThan(bbr / 10);
    }

    @Test
    void newRenoFillsACleanLink() {
        assertThat(goodput(CongestionControl.Kind.NEW_RENO, 0, 20, 1, 3)).isGreaterThan(60);
    }

    @ParameterizedTest
    @CsvSource({"125000", "24000"})
    void shortQueuesDoNotOverflowMuch(long queueBytes) {
        Pair pair = link(CongestionControl.Kind.BBR, 0, queueBytes, 1, 4);
        assertThat(goodput(pair, 20)).isGreaterThan(60);
        assertThat(pair.links[0].queueDropped).isLessThan(pair.links[0].packets / 20);
    }

    @Test
    void jitterIsNotTakenForLoss() {
        Pair pair = link(CongestionControl.Kind.BBR, 0, 1_250_000, 1, 6).both(l -> l.jitterNs = 50 * Pair.MS);
        assertThat(goodput(pair, 20)).isGreaterThan(45);
    }

    @Test
    void burstsOfLossAreSurvived() {
        assertThat(goodput(CongestionControl.Kind.BBR, 50_000, 10, 4, 5)).isGreaterThan(50);
    }
}
