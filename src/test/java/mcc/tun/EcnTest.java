package mcc.tun;

import static org.assertj.core.api.Assertions.assertThat;

import mcc.core.Rng;
import org.junit.jupiter.api.Test;

class EcnTest {
    private static final int DROP = -1;
    /** RFC 6040 figure 4: a row for each inner mark, a column for each outer one, both from Not-ECT over ECT(1), ECT(0) to CE. */
    private static final int[][] FIGURE_4 = {{0, 0, 0, DROP}, {1, 1, 1, 3}, {2, 1, 2, 3}, {3, 3, 3, 3}};

    @Test
    void marksCombineAsTheStandardSays() {
        for (boolean v4 : new boolean[] {true, false}) {
            for (int inner = 0; inner < 4; inner++) {
                for (int outer = 0; outer < 4; outer++) {
                    byte[] udp = PacketsOf.udp(1, 2, new byte[9]);
                    byte[] packet =
                            v4 ? PacketsOf.v4(Ip.UDP, udp) : PacketsOf.v6(PacketsOf.THEM, PacketsOf.US, Ip.UDP, udp);
                    int shift = v4 ? 0 : 4;
                    packet[1] = (byte) ((v4 ? 0xb8 : 0x8b) | inner << shift); // and bits of class and flow beside
                    if (v4) Segmenter.headerSum(packet, 0, 20);
                    byte[] expected = packet.clone();
                    boolean kept = Ecn.combine(packet, 0, packet.length, outer);
                    int mark = FIGURE_4[inner][outer];
                    assertThat(kept).as(inner + " in " + outer).isEqualTo(mark != DROP);
                    if (mark != DROP) expected[1] = (byte) (expected[1] & ~(3 << shift) | mark << shift);
                    if (v4) Segmenter.headerSum(expected, 0, 20);
                    assertThat(packet).as(inner + " in " + outer).isEqualTo(expected);
                }
            }
        }
    }

    @Test
    void noBytesMakeItThrow() {
        Rng rng = Rng.seeded(41);
        for (int i = 0; i < 20_000; i++) {
            byte[] b = rng.bytes((int) (rng.nextLong() & 63));
            Ecn.combine(b, 0, b.length, i & 3);
        }
    }
}
