package mcc.stream;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.BitSet;
import mcc.core.Rng;
import org.junit.jupiter.api.Test;

class RangesTest {
    @Test
    void rangesAgreeWithASetOfBits() {
        Rng rng = Rng.seeded(3);
        for (int round = 0; round < 300; round++) {
            Ranges ranges = new Ranges();
            BitSet bits = new BitSet();
            for (int step = 0; step < 60; step++) {
                int start = rng.below(200);
                int end = start + rng.below(30);
                boolean add = rng.below(3) > 0;
                if (add) ranges.add(start, end);
                else ranges.remove(start, end);
                bits.set(start, end, add);
                check(ranges, bits);
            }
        }
    }

    private static void check(Ranges ranges, BitSet bits) {
        BitSet seen = new BitSet();
        for (int i = 0; i < ranges.count(); i++) {
            assertThat(ranges.start(i)).isLessThan(ranges.end(i));
            if (i > 0) assertThat(ranges.start(i)).isGreaterThan(ranges.end(i - 1));
            seen.set((int) ranges.start(i), (int) ranges.end(i));
        }
        assertThat(seen).isEqualTo(bits);
        for (int v = 1; v < 230; v++) {
            boolean near = bits.get(v - 1) || bits.get(v) || bits.get(v + 1);
            assertThat(ranges.touches(v, v + 1)).isEqualTo(near);
        }
        for (int v = 0; v < 230; v++) assertThat(ranges.contains(v)).isEqualTo(bits.get(v));
    }
}
