package mcc.tun;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import mcc.core.Rng;
import org.junit.jupiter.api.Test;

/** Cutting and joining are each other's reverse; nothing malformed throws. */
class OffloadTest {
    private static final int ACK = 0x10;
    private static final int PSH = 0x08;

    private static List<byte[]> cut(byte[] read) {
        List<byte[]> out = new ArrayList<>();
        assertThat(new Segmenter().cut(read, 0, read.length, (csum, b, at, n) -> out.add(PacketsOf.part(b, at, n))))
                .isTrue();
        return out;
    }

    private static List<byte[]> join(boolean offloads, List<byte[]> packets) {
        return join(offloads, offloads, packets);
    }

    private static List<byte[]> join(boolean offloads, boolean joinsUdp, List<byte[]> packets) {
        List<byte[]> out = new ArrayList<>();
        Coalescer c = new Coalescer(offloads, joinsUdp, (b, at, n) -> out.add(PacketsOf.part(b, at, n)));
        for (byte[] packet : packets) {
            int at = c.place(packet.length);
            System.arraycopy(packet, 0, c.buffer(), at, packet.length);
            assertThat(c.add(true, packet.length, (_, _, _, _) -> true)).isEqualTo(Coalescer.Verdict.TAKEN);
        }
        c.flush();
        return out;
    }

    private record Shape(boolean v4, boolean tcp) {
        byte[] packet(byte[] payload) {
            byte[] transport = tcp
                    ? PacketsOf.tcp(1000, 2000, 0xfffffff0, ACK | PSH, payload)
                    : PacketsOf.udp(1000, 2000, payload);
            int protocol = tcp ? Ip.TCP : Ip.UDP;
            return v4
                    ? PacketsOf.v4(protocol, transport)
                    : PacketsOf.v6(PacketsOf.US, PacketsOf.THEM, protocol, transport);
        }

        int kind() {
            return tcp ? v4 ? Vnet.TCP4 : Vnet.TCP6 : Vnet.UDP;
        }
    }

    @Test
    void whatIsCutJoinsAgainToTheSameBytes() {
        Rng rng = Rng.seeded(3);
        for (boolean v4 : new boolean[] {false, true}) {
            for (boolean tcp : new boolean[] {false, true}) {
                for (int size : new int[] {60, 100, 1360}) {
                    Shape shape = new Shape(v4, tcp);
                    byte[] packet = shape.packet(rng.bytes(size * 7 + 3));
                    List<byte[]> cut = cut(PacketsOf.read(packet, true, shape.kind(), size));
                    assertThat(cut).hasSize(8);
                    for (byte[] each : cut) PacketsOf.parsed(each);
                    List<byte[]> joined = join(true, cut);
                    assertThat(joined).hasSize(1);
                    byte[] whole = PacketsOf.part(joined.getFirst(), Vnet.BYTES, packet.length);
                    int sum = whole.length - (packet.length - (v4 ? 20 : 40)) + (tcp ? 16 : 6);
                    byte[] expected = packet.clone();
                    System.arraycopy(whole, sum, expected, sum, 2); // the pseudo-header's, checked below
                    assertThat(whole).isEqualTo(expected);
                    assertThat(joined.getFirst()[1]).isEqualTo((byte) shape.kind());
                    assertThat(Octets.u16le(joined.getFirst(), 4)).isEqualTo(size);
                }
            }
        }
    }

    @Test
    void onlyTheLastOfAPushIsAPushAndNumbersGoOn() {
        byte[] packet = new Shape(false, true).packet(new byte[300]);
        List<byte[]> cut = cut(PacketsOf.read(packet, true, Vnet.TCP6, 100));
        assertThat(cut).extracting(p -> p[53] & PSH).containsExactly(0, 0, PSH);
        assertThat(cut).extracting(p -> Octets.i32(p, 44)).containsExactly(-16, 84, 184);
    }

    @Test
    void whereTheKernelTakesSuperPacketsOfTcpAloneThoseOfUdpStaySingle() {
        for (boolean v4 : new boolean[] {false, true}) {
            List<byte[]> udp = cut(PacketsOf.read(new Shape(v4, false).packet(new byte[300]), true, Vnet.UDP, 100));
            assertThat(join(true, false, udp)).hasSize(3).allMatch(p -> p[0] == Vnet.NEEDS_CSUM && p[1] == Vnet.NONE);
            int kind = v4 ? Vnet.TCP4 : Vnet.TCP6;
            List<byte[]> tcp = cut(PacketsOf.read(new Shape(v4, true).packet(new byte[300]), true, kind, 100));
            assertThat(join(true, false, tcp)).hasSize(1);
        }
    }

    @Test
    void withoutOffloadsTheWholeSumIsFilledIn() {
        byte[] packet = new Shape(false, true).packet(Rng.seeded(4).bytes(101));
        byte[] got = join(false, List.of(packet)).getFirst();
        Ip ip = PacketsOf.parsed(got);
        long sum = ip.pseudoSum(got, 0) + Octets.sum(got, 40, got.length - 40);
        assertThat(Octets.fold(sum)).isEqualTo(0xffff);
    }

    @Test
    void otherFlowsGapsAndFlagsAreNotJoined() {
        byte[] first = PacketsOf.v6(PacketsOf.US, PacketsOf.THEM, 6, PacketsOf.tcp(1, 2, 0, ACK, new byte[100]));
        byte[] gap = PacketsOf.v6(PacketsOf.US, PacketsOf.THEM, 6, PacketsOf.tcp(1, 2, 200, ACK, new byte[100]));
        byte[] other = PacketsOf.v6(PacketsOf.US, PacketsOf.THEM, 6, PacketsOf.tcp(1, 3, 100, ACK, new byte[100]));
        byte[] fin = PacketsOf.v6(PacketsOf.US, PacketsOf.THEM, 6, PacketsOf.tcp(1, 2, 100, 0x02, new byte[100]));
        byte[] from = PacketsOf.v6(PacketsOf.THEM, PacketsOf.US, 6, PacketsOf.tcp(1, 2, 100, ACK, new byte[100]));
        for (byte[] second : List.of(gap, other, fin, from)) {
            assertThat(join(true, List.of(first, second))).hasSize(2);
        }
        byte[] next = PacketsOf.v6(PacketsOf.US, PacketsOf.THEM, 6, PacketsOf.tcp(1, 2, 100, ACK, new byte[100]));
        assertThat(join(true, List.of(first, next))).hasSize(1);
    }

    @Test
    void classAndHopLimitAreThoseOfEachPartAndOnlyEqualOnesJoin() {
        for (Shape shape : List.of(
                new Shape(false, false), new Shape(false, true), new Shape(true, false), new Shape(true, true))) {
            byte[] packet = shape.packet(new byte[300]);
            int hops = shape.v4 ? 8 : 7;
            packet[hops] = 37;
            packet[1] = (byte) (shape.v4 ? 0xb8 : packet[1] | 0x80);
            if (!shape.v4) packet[0] |= 0x0b;
            List<byte[]> cut = cut(PacketsOf.read(packet, true, shape.kind(), 100));
            assertThat(cut).hasSize(3).allMatch(p -> p[0] == packet[0] && p[1] == packet[1] && p[hops] == 37);
            List<byte[]> joined = join(true, cut);
            assertThat(joined).hasSize(1);
            assertThat(PacketsOf.part(joined.getFirst(), Vnet.BYTES, 2)).isEqualTo(PacketsOf.part(packet, 0, 2));
            assertThat(joined.getFirst()[Vnet.BYTES + hops]).isEqualTo((byte) 37);
            for (int at : new int[] {1, hops}) {
                byte[] other = cut.get(1).clone();
                other[at] ^= 0x40;
                assertThat(join(true, List.of(cut.getFirst(), other))).hasSize(2);
            }
        }
    }

    @Test
    void payloadsShorterThanTheHeadersPassOneByOneAndWhole() {
        byte[] packet = new Shape(false, true).packet(Rng.seeded(8).bytes(30));
        List<byte[]> joined = join(true, cut(PacketsOf.read(packet, true, Vnet.TCP6, 10)));
        assertThat(joined).hasSize(3);
        for (int i = 0; i < 3; i++) {
            byte[] payload = PacketsOf.part(joined.get(i), Vnet.BYTES + 60, 10);
            assertThat(payload).isEqualTo(PacketsOf.part(packet, 60 + 10 * i, 10));
        }
    }

    @Test
    void aForgedPacketLeavesWhatWasThereUntouched() {
        List<byte[]> out = new ArrayList<>();
        Coalescer c = new Coalescer(true, true, (b, at, n) -> out.add(PacketsOf.part(b, at, n)));
        byte[] packet = new Shape(false, true).packet(Rng.seeded(5).bytes(100));
        packet[53] = ACK;
        System.arraycopy(packet, 0, c.buffer(), c.place(packet.length), packet.length);
        c.add(true, packet.length, (_, _, _, _) -> true);
        Arrays.fill(c.buffer(), c.place(packet.length), c.place(packet.length) + packet.length, (byte) 0x55);
        c.refuse();
        c.flush();
        byte[] payload = PacketsOf.part(out.getFirst(), Vnet.BYTES + 60, 100);
        assertThat(payload).isEqualTo(PacketsOf.part(packet, 60, 100));
    }

    @Test
    void nothingMalformedThrows() {
        Rng rng = Rng.seeded(6);
        Segmenter segmenter = new Segmenter();
        Coalescer coalescer = new Coalescer(true, true, (_, _, _) -> {});
        for (int i = 0; i < 100_000; i++) {
            Shape shape = new Shape(rng.nextInt() < 0, rng.nextInt() < 0);
            byte[] b = PacketsOf.read(shape.packet(new byte[(rng.nextInt() & 0x7f) + 1]), true, shape.kind(), 33);
            for (int k = rng.nextInt() & 3; k >= 0; k--)
                b[(rng.nextInt() & 0x7fff) % Math.min(b.length, 80)] = (byte) rng.nextInt();
            int n = rng.nextInt() < 0 ? b.length : (rng.nextInt() & 0x7fff) % b.length;
            int size = Math.max(0, n - Vnet.BYTES);
            System.arraycopy(b, Math.min(Vnet.BYTES, n), coalescer.buffer(), coalescer.place(size), size);
            coalescer.add(rng.nextInt() < 0, size, (_, _, _, _) -> true);
            segmenter.cut(b, 0, n, (_, _, at, length) -> assertThat(at + length).isLessThanOrEqualTo(b.length));
        }
    }
}
