package mcc.tun;

import static mcc.tun.PacketsOf.THEM;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import mcc.core.Id;
import mcc.core.Rng;
import org.junit.jupiter.api.Test;

/** What goes to an endpoint's address reaches the node's listener, with sums that hold, and what that answers goes back. */
class RedirectTest {
    private static final Id NODE = Id.random(Rng.seeded(3));
    private static final InnerAddress SELF = InnerAddress.of("test", NODE);
    private static final InnerAddress DESK = Redirect.listenerAddress("test", NODE);
    private static final InnerAddress WEB = InnerAddress.of("test", Id.random(Rng.seeded(4)));
    private static final InnerAddress DNS = InnerAddress.of("test", Id.random(Rng.seeded(5)));
    private static final byte[] PAYLOAD = Rng.seeded(6).bytes(301);

    private final Redirect redirect = new Redirect("test", NODE, SELF);

    RedirectTest() {
        redirect.ways(List.of(new Redirect.Way(WEB, false, 6_379, 40_001), new Redirect.Way(DNS, true, 53, 40_001)));
    }

    private static byte[] tcp(InnerAddress from, InnerAddress to, int fromPort, int toPort) {
        return summed(PacketsOf.v6(from, to, Ip.TCP, PacketsOf.tcp(fromPort, toPort, 7, 0x18, PAYLOAD)));
    }

    private static byte[] udp(InnerAddress from, InnerAddress to, int fromPort, int toPort) {
        return summed(PacketsOf.v6(from, to, Ip.UDP, PacketsOf.udp(fromPort, toPort, PAYLOAD)));
    }

    private static int field(byte[] packet) {
        return packet[6] == Ip.TCP ? 56 : packet[6] == Ip.UDP ? 46 : 42;
    }

    private static long pseudo(byte[] packet) {
        return Octets.sum(packet, 8, 32) + packet.length - 40 + packet[6];
    }

    private static byte[] summed(byte[] packet) {
        Octets.put16(packet, field(packet), 0);
        long sum = pseudo(packet) + Octets.sum(packet, 40, packet.length - 40);
        Octets.put16(packet, field(packet), ~Octets.fold(sum));
        return packet;
    }

    private static byte[] partial(byte[] packet) {
        byte[] out = packet.clone();
        Octets.put16(out, field(out), Octets.fold(pseudo(out)));
        return out;
    }

    private byte[] enters(byte[] packet, boolean partial) {
        byte[] out = packet.clone();
        assertThat(redirect.enters(out, 0, out.length, partial)).isTrue();
        return out;
    }

    private byte[] leaves(byte[] packet, boolean partial, Redirect.Verdict verdict) {
        byte[] out = packet.clone();
        assertThat(redirect.leaves(out, 0, out.length, partial)).isEqualTo(verdict);
        return out;
    }

    @Test
    void aPacketOfAPeerReachesTheListenerAndTheAnswerComesFromTheEndpoint() {
        assertThat(enters(tcp(THEM, WEB, 5_000, 6_379), false)).isEqualTo(tcp(THEM, DESK, 5_000, 40_001));
        assertThat(enters(udp(THEM, DNS, 5_000, 53), false)).isEqualTo(udp(THEM, DESK, 5_000, 40_001));
        assertThat(leaves(tcp(DESK, THEM, 40_001, 5_000), false, Redirect.Verdict.PEER))
                .isEqualTo(tcp(WEB, THEM, 6_379, 5_000));
        assertThat(leaves(udp(DESK, THEM, 40_001, 5_000), false, Redirect.Verdict.PEER))
                .isEqualTo(udp(DNS, THEM, 53, 5_000));
    }

    @Test
    void thePortsOfOneAddressAreToldApart() {
        redirect.ways(List.of(
                new Redirect.Way(DNS, true, 53, 40_001),
                new Redirect.Way(DNS, false, 53, 40_001),
                new Redirect.Way(DNS, false, 853, 40_002),
                new Redirect.Way(WEB, false, 53, 40_003)));
        assertThat(enters(udp(THEM, DNS, 9, 53), false)).isEqualTo(udp(THEM, DESK, 9, 40_001));
        assertThat(enters(tcp(THEM, DNS, 9, 53), false)).isEqualTo(tcp(THEM, DESK, 9, 40_001));
        assertThat(enters(tcp(THEM, DNS, 9, 853), false)).isEqualTo(tcp(THEM, DESK, 9, 40_002));
        assertThat(enters(tcp(THEM, WEB, 9, 53), false)).isEqualTo(tcp(THEM, DESK, 9, 40_003));
        assertThat(leaves(tcp(DESK, THEM, 40_001, 9), false, Redirect.Verdict.PEER))
                .isEqualTo(tcp(DNS, THEM, 53, 9));
        assertThat(leaves(tcp(DESK, THEM, 40_002, 9), false, Redirect.Verdict.PEER))
                .isEqualTo(tcp(DNS, THEM, 853, 9));
        for (byte[] none : List.of(udp(THEM, DNS, 9, 853), tcp(THEM, DNS, 9, 100), tcp(THEM, WEB, 9, 52))) {
            assertThat(redirect.enters(none, 0, none.length, false)).isFalse();
        }
        byte[] sent = tcp(DNS, THEM, 853, 9);
        assertThat(Octets.u16(enters(Icmp.tooBig(1_300, sent, 0, sent.length), false), 48 + 40))
                .isEqualTo(40_002);
    }

    @Test
    void aSumThatTheKernelFillsInIsOfTheAddressesAlone() {
        assertThat(enters(partial(tcp(THEM, WEB, 5_000, 6_379)), true))
                .isEqualTo(partial(tcp(THEM, DESK, 5_000, 40_001)));
        assertThat(leaves(partial(udp(DESK, THEM, 40_001, 9)), true, Redirect.Verdict.PEER))
                .isEqualTo(partial(udp(DNS, THEM, 53, 9)));
    }

    /** A sum of zero means none in UDP; whatever the ports are, the sum stays right (RFC 1624). */
    @Test
    void everySumHolds() {
        for (int port = 0; port < 65_536; port++) {
            byte[] packet = enters(udp(THEM, DNS, port, 53), false);
            long sum = pseudo(packet) + Octets.sum(packet, 40, packet.length - 40);
            assertThat(Octets.fold(sum)).isEqualTo(0xffff);
            assertThat(Octets.u16(packet, 46)).isNotZero();
        }
    }

    /** Nothing is remembered of it: the port tells the endpoint, and the mirror this node. */
    @Test
    void aProgramOfTheHostItselfReachesAnEndpointOfTheHost() {
        byte[] there = leaves(tcp(SELF, WEB, 5_000, 6_379), false, Redirect.Verdict.HOST);
        assertThat(Arrays.copyOfRange(there, 24, 40)).isEqualTo(DESK.bytes());
        byte[] mirror = Arrays.copyOfRange(there, 8, 24);
        assertThat(mirror).isNotEqualTo(SELF.bytes()).isNotEqualTo(DESK.bytes());
        InnerAddress from = new InnerAddress(Octets.i64(there, 8), Octets.i64(there, 16));
        assertThat(there).isEqualTo(tcp(from, DESK, 5_000, 40_001));
        byte[] back = leaves(tcp(DESK, from, 40_001, 5_000), false, Redirect.Verdict.HOST);
        assertThat(back).isEqualTo(tcp(WEB, SELF, 6_379, 5_000));
    }

    @Test
    void whatIsNobodysIsToldApartFromWhatIsOthers() {
        leaves(tcp(SELF, THEM, 1, 2), false, Redirect.Verdict.OTHER);
        leaves(tcp(SELF, WEB, 1, 6_380), false, Redirect.Verdict.NOBODY);
        leaves(udp(SELF, WEB, 1, 6_379), false, Redirect.Verdict.NOBODY);
        leaves(tcp(THEM, WEB, 1, 6_379), false, Redirect.Verdict.NOBODY);
        leaves(tcp(DESK, THEM, 40_002, 1), false, Redirect.Verdict.NOBODY);
        byte[] other = udp(THEM, WEB, 1, 6_379);
        assertThat(redirect.enters(other, 0, other.length, false)).isFalse();
        assertThat(enters(tcp(THEM, SELF, 1, 2), false)).isEqualTo(tcp(THEM, SELF, 1, 2));
    }

    @Test
    void anErrorQuotesWhatItsReaderSent() {
        byte[] sent = tcp(WEB, THEM, 6_379, 5_000);
        byte[] meant = tcp(DESK, THEM, 40_001, 5_000);
        byte[] in = enters(Icmp.tooBig(1_300, sent, 0, sent.length), false);
        byte[] expected = Icmp.tooBig(1_300, meant, 0, meant.length);
        System.arraycopy(THEM.bytes(), 0, expected, 8, 16);
        assertThat(in[40]).isEqualTo(expected[40]);
        assertThat(Arrays.copyOfRange(in, 24, 88))
                .as("addressed and quoted as the listener's")
                .isEqualTo(withField(expected, Octets.u16(in, 42), 24, 88));
        assertThat(Octets.fold(pseudo(in) + Octets.sum(in, 40, in.length - 40))).isEqualTo(0xffff);

        byte[] refused = tcp(THEM, DESK, 5_000, 40_001);
        byte[] out = leaves(Icmp.unreachable(refused, 0, refused.length), false, Redirect.Verdict.PEER);
        assertThat(Arrays.copyOfRange(out, 8, 24)).isEqualTo(WEB.bytes());
        assertThat(Arrays.copyOfRange(out, 48 + 24, 48 + 40)).isEqualTo(WEB.bytes());
        assertThat(Octets.u16(out, 48 + 42)).isEqualTo(6_379);
        assertThat(Octets.fold(pseudo(out) + Octets.sum(out, 40, out.length - 40)))
                .isEqualTo(0xffff);
    }

    private static byte[] withField(byte[] packet, int sum, int from, int to) {
        Octets.put16(packet, 42, sum);
        return Arrays.copyOfRange(packet, from, to);
    }

    /** A long answer leaves in fragments, of which the first has the port. */
    @Test
    void theFragmentsOfAnAnswerLeaveFromItsEndpoint() {
        List<byte[]> web = PacketsOf.fragments(udp(DESK, THEM, 40_001, 5_000), 128, 77);
        List<byte[]> whole = new ArrayList<>();
        for (byte[] each : web) whole.add(leaves(each, false, Redirect.Verdict.PEER));
        assertThat(PacketsOf.joined(whole)).isEqualTo(udp(DNS, THEM, 53, 5_000));
        leaves(PacketsOf.fragments(udp(DESK, THEM, 40_001, 5_000), 128, 78).get(1), false, Redirect.Verdict.NOBODY);
        List<byte[]> in = new ArrayList<>();
        for (byte[] each : PacketsOf.fragments(udp(THEM, DNS, 5_000, 53), 128, 79)) in.add(enters(each, false));
        assertThat(PacketsOf.joined(in)).isEqualTo(udp(THEM, DESK, 5_000, 40_001));
    }

    @Test
    void nothingThrowsWhateverTheBytesAre() {
        Rng rng = Rng.seeded(11);
        byte[][] seeds = {
            tcp(THEM, WEB, 1, 6_379),
            udp(DESK, THEM, 40_001, 1),
            tcp(SELF, WEB, 1, 6_379),
            Icmp.unreachable(tcp(WEB, THEM, 6_379, 1), 0, 361),
            Icmp.unreachable(udp(THEM, DESK, 1, 40_001), 0, 349)
        };
        for (int i = 0; i < 100_000; i++) {
            byte[] packet = seeds[i % seeds.length].clone();
            for (int k = rng.below(4); k > 0; k--)
                packet[rng.below(Math.min(packet.length, 100))] = (byte) rng.nextInt();
            int length = rng.below(4) == 0 ? rng.below(packet.length + 1) : packet.length;
            byte[] tail = Arrays.copyOfRange(packet, length, packet.length);
            if ((i & 1) == 0) redirect.enters(packet, 0, length, rng.nextInt() < 0);
            else redirect.leaves(packet, 0, length, rng.nextInt() < 0);
            assertThat(Arrays.copyOfRange(packet, length, packet.length)).isEqualTo(tail);
        }
    }
}
