package mcc.stream;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.TreeMap;
import mcc.core.Rng;
import mcc.wire.Frames;
import mcc.wire.FramesReader;
import mcc.wire.FramesWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AcksTest {
    private static final long RTT_NS = 100 * Pair.MS;
    private final Acks acks = new Acks();
    private final FramesWriter out = new FramesWriter();
    private final FramesReader in = new FramesReader();
    private final byte[] buf = new byte[1_200];

    private void arrive(long nowNs, long number) {
        acks.onPacket(nowNs, number, true, false, false, RTT_NS);
    }

    private void write(long nowNs) {
        out.begin(buf, 0, buf.length);
        out.packetNumber(1);
        assertThat(acks.write(nowNs, out)).isPositive();
    }

    /** Leaves the phase in which every second packet is acknowledged. */
    private long settle() {
        for (int i = 1; i <= 100; i++) arrive(0, i);
        write(0);
        return 101;
    }

    @Test
    void aGapIsToldAtOnceAtFirstAndLaterOnceAnInterval() {
        arrive(0, 1);
        assertThat(acks.isDue(0)).isFalse();
        arrive(0, 3);
        assertThat(acks.isDue(0)).isTrue();
        long next = settle();
        arrive(Pair.MS / 2, next + 1);
        assertThat(acks.isDue(Pair.MS / 2)).isFalse();
        assertThat(acks.deadlineNs()).isEqualTo(Pair.MS);
        write(Pair.MS);
        arrive(5 * Pair.MS, next + 3);
        assertThat(acks.isDue(5 * Pair.MS))
                .as("long after the last one it need not wait")
                .isTrue();
    }

    @Test
    void anEndIsToldAtOnce() {
        long next = settle();
        acks.onPacket(0, next, true, false, true, RTT_NS);
        assertThat(acks.isDue(0)).isTrue();
    }

    @ParameterizedTest
    @CsvSource({"1, 1000, 100", "100, 5000, 1000", "1000, 1000, 1000"})
    void aFastPathCostsAnAcknowledgementAMillisecond(int packetsPerMs, int ms, int most) {
        long number = settle();
        int written = 0;
        for (long i = 0; i < (long) packetsPerMs * ms; i++) {
            long nowNs = (i + 1) * Pair.MS / packetsPerMs;
            arrive(nowNs, number++);
            if (!acks.isDue(nowNs)) continue;
            write(nowNs);
            written++;
        }
        assertThat(written).isBetween(Math.min(most, ms) / 2, Math.max(most, ms));
    }

    @Test
    void onePacketWaitsForAQuarterOfTheRoundTrip() {
        long next = settle();
        arrive(50 * Pair.MS, next);
        assertThat(acks.deadlineNs()).isEqualTo(75 * Pair.MS);
        assertThat(acks.isDue(75 * Pair.MS)).isTrue();
    }

    @Test
    void onePacketIsToldByWhatGoesOutAnywayOnceNothingWasToldForAMillisecond() {
        long next = settle();
        arrive(Pair.MS / 2, next);
        assertThat(acks.isUseful(Pair.MS - 1)).isFalse();
        assertThat(acks.isUseful(Pair.MS)).isTrue();
        write(Pair.MS);
        assertThat(acks.isUseful(9 * Pair.MS)).as("nothing is untold").isFalse();
    }

    @ParameterizedTest
    @ValueSource(ints = {10_000, 100_000, 300_000, 500_000})
    void eachPacketIsToldAtLeastThreeTimesBeforeItIsLeftOut(int lossPpm) {
        Rng rng = Rng.seeded(lossPpm);
        TreeMap<Long, Integer> told = new TreeMap<>();
        long nowNs = 0;
        for (long number = settle(); number < 20_000; number++) {
            nowNs += Pair.MS / 1_000;
            if (rng.chance(lossPpm)) continue;
            arrive(nowNs, number);
            told.put(number, 0);
            if (acks.isDue(nowNs)) tell(nowNs, told);
        }
        told.tailMap(16_000L).clear();
        assertThat(told.values()).allMatch(times -> times >= 3);
    }

    private void tell(long nowNs, TreeMap<Long, Integer> told) {
        write(nowNs);
        in.begin(buf, 0, out.length());
        while (in.next()) {
            if (in.kind() != Frames.ACK) continue;
            for (int i = 0; i < in.ranges(); i++) {
                told.subMap(in.lowest(i), true, in.highest(i), true).replaceAll((_, times) -> times + 1);
            }
        }
    }
}
