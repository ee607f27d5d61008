package mcc.stream;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import mcc.congestion.Bbr;
import mcc.congestion.CongestionControl;
import mcc.congestion.NewReno;
import mcc.core.Rng;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A link of 100 Mbit/s and 100 ms with a queue of one bandwidth-delay product, as in the laboratory. */
class GoodputTest {
    private static final long RATE = 12_500_000;

    static StreamConfig config(Function<Rng, CongestionControl> kind) {
        StreamConfig d = StreamConfig.defaults();
        return new StreamConfig(
                kind,
                d.streams(),
                d.maxStreams(),
                d.streamWindowBytes(),
                d.maxStreamWindowBytes(),
                d.windowBytes(),
                d.maxWindowBytes(),
                d.sendBufferBytes(),
                d.maxSendBufferBytes(),
                d.maxBufferedBytes());
    }

    private static Pair link(
            Function<Rng, CongestionControl> kind, int lossPpm, long queueBytes, int burst, long seed) {
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

    private static double goodput(
            Function<Rng, CongestionControl> kind, int lossPpm, int seconds, int burst, long seed) {
        return goodput(link(kind, lossPpm, 1_250_000, burst, seed), seconds);
    }

    /**
     * The goodput that the laboratory demands of real nodes, in Mbit/s of payload; with a short queue, and with few packets
     * dropped by it.
     */
    @ParameterizedTest
    @CsvSource({"0, 90", "50000, 78"})
    void bbrKeepsALossyLinkBusy(int lossPpm, double atLeast) {
        assertBusy(lossPpm, atLeast);
    }

    @ParameterizedTest
    @CsvSource({"10000, 86", "100000, 68", "150000, 58"})
    @Tag("long")
    void bbrKeepsLinksOfOtherLossesBusy(int lossPpm, double atLeast) {
        assertBusy(lossPpm, atLeast);
    }

    private static void assertBusy(int lossPpm, double atLeast) {
        Pair pair = link(Bbr::new, lossPpm, 1_250_000, 1, 1);
        assertThat(goodput(pair, 30)).isGreaterThan(atLeast);
        Pair.Link link = pair.links[0];
        double passed = link.packets - link.dropped - link.queueDropped;
        assertThat(link.queueSumNs / passed)
                .as("mean wait, of which a product is 100 ms")
                .isLessThan(30 * Pair.MS);
        assertThat(link.queueDropped).isLessThan(link.packets / 50);
    }

    @ParameterizedTest
    @CsvSource("4, 50000")
    void flowsShareALinkEvenly(int flows, int lossPpm) {
        assertEven(flows, lossPpm);
    }

    @ParameterizedTest
    @CsvSource({"2, 0", "2, 50000", "4, 0"})
    @Tag("long")
    void fewFlowsAndFlowsWithoutLossShareALinkEvenly(int flows, int lossPpm) {
        assertEven(flows, lossPpm);
    }

    /**
     * Jain's index of whole transfers that begin together: the median of five seeds, because single seeds differ by a tenth.
     */
    private static void assertEven(int flows, int lossPpm) {
        double[] index = new double[5];
        for (int seed = 0; seed < index.length; seed++) index[seed] = share(flows, lossPpm, seed);
        Arrays.sort(index);
        System.out.printf("%d flows, loss %d ppm: %s%n", flows, lossPpm, Arrays.toString(index));
        assertThat(index[2]).isGreaterThan(0.9);
    }

    private static double share(int flows, int lossPpm, int seed) {
        Pair pair = new Pair(config(Bbr::new), seed, flows);
        pair.keepEvents = false;
        pair.both(l -> {
            l.delayNs = 20 * Pair.MS;
            l.lossPpm = lossPpm;
            l.rateBytesPerSecond = RATE / 5;
            l.queueBytes = 100_000;
        });
        List<Transfer> transfers = new ArrayList<>();
        for (int i = 0; i < flows; i++) transfers.add(new Transfer(pair, 2 * i, Long.MAX_VALUE / 4));
        pair.run(30_000 * Pair.MS);
        double sum = 0;
        double squares = 0;
        for (Transfer t : transfers) {
            sum += t.read;
            squares += (double) t.read * t.read;
        }
        assertThat(sum).isGreaterThan(RATE / 5 * 30 * 0.8);
        return sum * sum / (flows * squares);
    }

    @Test
    void aRateThatFallsToATenthAndComesBackIsFollowed() {
        Pair pair = link(Bbr::new, 0, 1_250_000, 1, 10);
        Transfer transfer = new Transfer(pair, 0, Long.MAX_VALUE / 4);
        for (long rate : new long[] {RATE, RATE / 10, RATE}) {
            pair.both(l -> l.rateBytesPerSecond = rate);
            pair.run(5_000 * Pair.MS);
            long before = transfer.read;
            pair.run(5_000 * Pair.MS);
            assertThat((transfer.read - before) / (rate * 5.0)).as("of " + rate).isGreaterThan(0.8);
        }
        assertThat(transfer.read).as("over all, of 70 Mbit/s on average").isGreaterThan(RATE * 30 * 45 / 100);
        assertThat(pair.links[0].queueDropped).isLessThan(pair.links[0].packets / 20);
        assertThat(transfer.corrupt).isFalse();
    }

    @Test
    void aCubicFlowGetsItsShare() {
        Pair pair = link(Bbr::new, 0, 1_250_000, 1, 9);
        CubicFlow cubic = new CubicFlow(pair);
        pair.join(cubic);
        Transfer transfer = new Transfer(pair, 0, Long.MAX_VALUE / 4);
        pair.run(10_000 * Pair.MS);
        long before = transfer.read;
        long cubicBefore = cubic.readBytes();
        pair.run(20_000 * Pair.MS);
        assertThat(100.0 * (transfer.read - before) / (RATE * 20)).isBetween(20.0, 80.0);
        assertThat(100.0 * (cubic.readBytes() - cubicBefore) / (RATE * 20)).isBetween(20.0, 80.0);
    }

    @Test
    void newRenoCollapsesWhereBbrDoesNot() {
        double bbr = goodput(Bbr::new, 50_000, 10, 1, 2);
        double reno = goodput(_ -> new NewReno(), 50_000, 10, 1, 2);
        assertThat(reno).isLessThan(bbr / 10);
    }

    @Test
    void newRenoFillsACleanLink() {
        assertThat(goodput(_ -> new NewReno(), 0, 20, 1, 3)).isGreaterThan(60);
    }

    @ParameterizedTest
    @CsvSource({"125000", "24000"})
    void shortQueuesDoNotOverflowMuch(long queueBytes) {
        Pair pair = link(Bbr::new, 0, queueBytes, 1, 4);
        assertThat(goodput(pair, 20)).isGreaterThan(60);
        assertThat(pair.links[0].queueDropped).isLessThan(pair.links[0].packets / 20);
    }

    @Test
    void jitterIsNotTakenForLoss() {
        Pair pair = link(Bbr::new, 0, 1_250_000, 1, 6).both(l -> l.jitterNs = 50 * Pair.MS);
        assertThat(goodput(pair, 20)).isGreaterThan(55);
    }

    /**
     * A packet that is lost again leaves a gap for two round trips, here 7.5 MB: more than the credit that is left if it is
     * given by halves of a window.
     */
    @Test
    void gapsOfALongPathLeaveTheSenderItsCredit() {
        Pair pair = link(Bbr::new, 50_000, 3_750_000, 1, 1).both(l -> l.delayNs = 150 * Pair.MS);
        assertThat(goodput(pair, 30)).isGreaterThan(70);
    }

    @Test
    void burstsOfLossAreSurvived() {
        assertThat(goodput(Bbr::new, 50_000, 10, 4, 5)).isGreaterThan(50);
    }

    /** The host looks at its socket and its clock only once a millisecond, which is ten times the path's round trip. */
    @ParameterizedTest
    @ValueSource(ints = {1_171, 16_000})
    void aShortFastPathIsNotHeldBackByACoarseHost(int max) {
        long rate = 1_250_000_000;
        Pair pair = new Pair(config(Bbr::new), 7);
        pair.keepEvents = false;
        pair.max = max;
        pair.both(l -> {
            l.delayNs = Pair.MS / 20;
            l.rateBytesPerSecond = rate;
            l.queueBytes = 4_000_000;
            l.mtu = max;
        });
        Transfer transfer = new Transfer(pair, 0, Long.MAX_VALUE / 4);
        pair.run(20 * Pair.MS);
        pair.grainNs = Pair.MS;
        pair.run(100 * Pair.MS);
        long before = transfer.read;
        pair.run(200 * Pair.MS);
        double used = (transfer.read - before) * (max + 57.0) / max / (rate * 0.2);
        assertThat(used).isGreaterThan(0.9);
        assertThat(transfer.corrupt).isFalse();
    }
}
