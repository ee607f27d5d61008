package mcc.tun;

import static mcc.tun.PacketsOf.THEM;
import static mcc.tun.PacketsOf.US;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import org.junit.jupiter.api.Test;

/** Packets with any field mutated, on the whole way in and out: nothing throws, and nothing beside the packet is written. */
class FuzzTest {
    private static final Id PEER = Id.random(Rng.seeded(1));
    private static final int MARGIN = 32;

    private final Rng rng = Rng.seeded(71);
    private final Counters counters = new Counters();
    private final Gate gate = new Gate(
            US,
            true,
            (now, _, protocol, port) -> protocol == Ip.TCP && port <= 40_000 ? now + 1_000 : now,
            List.of(new Subnet(new InnerAddress(0x2001_0db8_0000_0000L, 0), 32, PEER)),
            7,
            counters);
    private final Coalescer coalescer = new Coalescer(true, true, (_, _, _) -> {});

    private int below(int n) {
        return (rng.nextInt() & 0x7fffffff) % n;
    }

    /** A packet, half of them errors about another one, mutated in some bytes of its headers, and sometimes cut off. */
    private byte[] packet() {
        byte[] payload = rng.bytes(below(80));
        boolean out = rng.nextInt() < 0;
        byte[] inner = make(out, payload);
        byte[] packet = rng.nextInt() < 0 ? inner : Icmp.unreachable(inner, 0, inner.length);
        for (int k = below(4); k > 0; k--) packet[below(Math.min(packet.length, 90))] = (byte) rng.nextInt();
        return below(8) == 0 ? Arrays.copyOf(packet, below(packet.length)) : packet;
    }

    private byte[] make(boolean out, byte[] payload) {
        int port = below(50_000);
        byte[] transport = switch (below(3)) {
            case 0 -> PacketsOf.tcp(port, 22, rng.nextInt(), 0x10, payload);
            case 1 -> PacketsOf.udp(port, 53, payload);
            default -> PacketsOf.echo(128, port);
        };
        boolean v4 = rng.nextInt() < 0;
        if (v4 && transport[0] == (byte) 128) transport[0] = 8;
        int protocol = transport.length < 20 ? v4 ? Ip.ICMP : Ip.ICMP6 : transport[12] == 0x50 ? Ip.TCP : Ip.UDP;
        if (!v4) return PacketsOf.v6(out ? US : THEM, out ? THEM : US, protocol, transport);
        byte[] packet = PacketsOf.v4(protocol, transport);
        Octets.put32(packet, 12, (out ? US : THEM).v4().bits4());
        Octets.put32(packet, 16, (out ? THEM : US).v4().bits4());
        Segmenter.headerSum(packet, 0, 20);
        return packet;
    }

    @Test
    void nothingThrowsAndNothingBesideThePacketIsWritten() {
        Ip ip = new Ip();
        int parsed = 0;
        int entered = 0;
        int entered4 = 0;
        for (int i = 0; i < 200_000; i++) {
            byte[] packet = packet();
            byte[] b = rng.bytes(MARGIN + packet.length + MARGIN);
            System.arraycopy(packet, 0, b, MARGIN, packet.length);
            byte[] before = b.clone();
            if (ip.parse(b, MARGIN, packet.length)) {
                parsed++;
                gate.leaves(i, ip, b);
            }
            if (Inet4.is(b, MARGIN, packet.length)) {
                Inet4.translate(b, MARGIN, packet.length, THEM.v4(), THEM.v4().next4(), US.v4(), (i & 1) == 0);
            }
            Ecn.combine(b, MARGIN, packet.length, i & 3);
            assertThat(Arrays.equals(b, 0, MARGIN, before, 0, MARGIN)).isTrue();
            int end = MARGIN + packet.length;
            assertThat(Arrays.equals(b, end, b.length, before, end, b.length)).isTrue();
            int at = coalescer.place(packet.length);
            System.arraycopy(b, MARGIN, coalescer.buffer(), at, packet.length);
            long nowNs = i;
            Coalescer.Verdict verdict = coalescer.add(
                    (i & 4) == 0,
                    packet.length,
                    (p, a, _, _) ->
                            gate.enters(nowNs, PEER, p.isV4() ? THEM.v4().next4() : THEM, p, a));
            if (verdict != Coalescer.Verdict.TAKEN) continue;
            if (Inet4.is(b, MARGIN, packet.length)) entered4++;
            else entered++;
        }
        assertThat(parsed).as("not all is refused at once").isGreaterThan(20_000);
        assertThat(entered).isGreaterThan(1_000);
        assertThat(entered4).isGreaterThan(1_000);
        assertThat(counters.value("tun.in.spoofed")).isPositive();
        assertThat(counters.value("tun.in.denied")).isPositive();
    }
}
