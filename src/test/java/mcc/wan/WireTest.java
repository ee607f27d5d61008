package mcc.wan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The emulated link does what its numbers say: what is measured over it depends on that. */
class WireTest {
    private static final long MS = 1_000_000;

    private final Wire wire = new Wire(7);
    private long nowNs = 1_000 * MS;

    private record Arrival(long atNs, byte[] bytes) {
        int number() {
            return (bytes[28] & 0xff) << 8 | bytes[29] & 0xff;
        }
    }

    private Wire with(String words) {
        for (String word : words.split(" ")) wire.shape.set(word);
        return wire;
    }

    /** A UDP packet with a number and a checksum that is not 0. */
    private static byte[] packet(int length, int number) {
        byte[] b = new byte[length];
        b[0] = 0x45;
        b[2] = (byte) (length >> 8);
        b[3] = (byte) length;
        b[9] = 17;
        b[26] = 0x12;
        b[28] = (byte) (number >> 8);
        b[29] = (byte) number;
        return b;
    }

    private void send(int length, int number) {
        wire.offer(nowNs, packet(length, number), length);
    }

    /** Everything that arrives, each at its deadline. */
    private List<Arrival> drain() {
        List<Arrival> out = new ArrayList<>();
        while (wire.deadlineNs() != Long.MAX_VALUE) {
            nowNs = Math.max(nowNs, wire.deadlineNs());
            for (Wire.Packet p; (p = wire.poll(nowNs)) != null; ) {
                out.add(new Arrival(nowNs, java.util.Arrays.copyOf(p.bytes, p.length)));
                wire.recycle(p);
            }
        }
        return out;
    }

    @Test
    void packetsLeaveAtTheRateAndArriveAfterTheDelay() {
        with("rate-kbit=100000 delay-us=50000 queue-bytes=1000000");
        long start = nowNs;
        for (int i = 0; i < 100; i++) send(1_250, i);
        List<Arrival> got = drain();
        assertThat(got).hasSize(100);
        for (int i = 0; i < 100; i++) {
            assertThat(got.get(i).atNs - start).isEqualTo(50 * MS + (i + 1) * 100_000L);
        }
        assertThat(wire.tally.waitedNs).isEqualTo(99 * 100 / 2 * 100_000L);
    }

    @Test
    void whoLooksLateFindsWhatWouldHaveHappenedInTime() {
        with("rate-kbit=8000 queue-bytes=100000");
        long start = nowNs;
        for (int i = 0; i < 10; i++) send(1_000, i);
        int arrived = 0;
        for (Wire.Packet p; (p = wire.poll(start + 5 * MS + MS / 2)) != null; arrived++) wire.recycle(p);
        assertThat(arrived).isEqualTo(5);
        assertThat(wire.deadlineNs()).isEqualTo(start + 6 * MS);
    }

    @Test
    void whatDoesNotFitIntoTheQueueIsDroppedAtItsTail() {
        with("rate-kbit=8000 queue-bytes=10000");
        for (int i = 0; i < 15; i++) send(1_000, i);
        assertThat(wire.tally.full).isEqualTo(5);
        assertThat(drain()).extracting(Arrival::number).containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
    }

    @Test
    void aNewRateHoldsForWhatWaits() {
        with("rate-kbit=8000 queue-bytes=100000");
        long start = nowNs;
        for (int i = 0; i < 3; i++) send(1_000, i);
        with("rate-kbit=800");
        List<Arrival> got = drain();
        assertThat(got.getFirst().atNs - start).as("was being sent").isEqualTo(MS);
        assertThat(got.get(2).atNs - got.get(1).atNs).isEqualTo(10 * MS);
    }

    @Test
    void theShareLostIsTheOneAskedForAloneAndInBursts() {
        for (int burst : new int[] {1, 4}) {
            with("loss-ppm=50000 burst=" + burst);
            wire.tally = new Shape.Tally();
            for (int i = 0; i < 60_000; i++) send(100, i);
            assertThat(wire.tally.lost / 60_000.0).as("bursts of " + burst).isBetween(0.044, 0.056);
            List<Arrival> got = drain();
            int gaps = 0;
            for (int i = 1; i < got.size(); i++) {
                if (got.get(i).number() != got.get(i - 1).number() + 1) gaps++;
            }
            assertThat(wire.tally.lost / (double) gaps).as("lost at once").isBetween(burst * 0.95, burst * 1.3);
        }
    }

    @Test
    void jitterReordersUnlessOrderIsKept() {
        with("delay-us=1000 jitter-us=50000");
        for (int i = 0; i < 1_000; i++) send(100, i);
        assertThat(drain().stream().map(Arrival::number).toList()).isNotEqualTo(numbers());
        with("ordered=1");
        for (int i = 0; i < 1_000; i++) send(100, i);
        assertThat(drain().stream().map(Arrival::number).toList()).isEqualTo(numbers());
    }

    private static List<Integer> numbers() {
        return java.util.stream.IntStream.range(0, 1_000).boxed().toList();
    }

    @Test
    void packetsComeTwiceAgainLateWrongAndShort() {
        with("duplicate-ppm=200000 replay-ppm=200000 reorder-ppm=200000 corrupt-ppm=200000 truncate-ppm=200000");
        int count = 10_000;
        for (int i = 0; i < count; i++) send(500, i);
        List<Arrival> got = drain();
        Shape.Tally tally = wire.tally;
        assertThat(got).hasSize((int) (count + tally.duplicated + tally.replayed));
        for (long each : new long[] {tally.duplicated, tally.replayed, tally.corrupted, tally.truncated}) {
            assertThat(each).isBetween(count * 18 / 100L, count * 22 / 100L);
        }
        long cut = got.stream().filter(a -> a.bytes.length < 500).count();
        assertThat(cut).isEqualTo(tally.truncated);
        for (Arrival a : got) {
            assertThat((a.bytes[2] & 0xff) << 8 | a.bytes[3] & 0xff)
                    .as("a cut packet says its length")
                    .isEqualTo(a.bytes.length);
        }
        long unchecked = got.stream().filter(a -> a.bytes[26] == 0).count();
        assertThat(unchecked)
                .as("changed packets pass the kernel")
                .isBetween(tally.truncated, tally.truncated + tally.corrupted);
    }

    @Test
    void aPacketOfTcpIsNeverChanged() {
        with("corrupt-ppm=1000000 truncate-ppm=1000000");
        byte[] tcp = packet(500, 1);
        tcp[9] = 6;
        wire.offer(nowNs, tcp, 500);
        assertThat(drain()).singleElement().satisfies(a -> assertThat(a.bytes).isEqualTo(tcp));
    }

    @Test
    void anUnknownNameIsRefused() {
        assertThatThrownBy(() -> with("los-ppm=1")).hasMessageContaining("los-ppm");
    }
}
