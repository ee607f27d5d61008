package mcc.lab;

import static org.assertj.core.api.Assertions.assertThat;

import mcc.core.Address;
import mcc.core.Rng;
import org.junit.jupiter.api.Test;

/** Packets keep right checksums whatever is rewritten: the kernel drops the others without a word. */
class PacketTest {
    private final Rng rng = Rng.seeded(5);

    /** A packet with these addresses, a payload, and right sums. */
    static byte[] packet(int protocol, Address from, Address to, byte[] payload) {
        int header = protocol == Packet.UDP ? 8 : 20;
        byte[] b = new byte[20 + header + payload.length];
        b[0] = 0x45;
        put16(b, 2, b.length);
        b[8] = 64;
        b[9] = (byte) protocol;
        System.arraycopy(from.ip(), 0, b, 12, 4);
        System.arraycopy(to.ip(), 0, b, 16, 4);
        put16(b, 20, from.port());
        put16(b, 22, to.port());
        if (protocol == Packet.UDP) put16(b, 24, 8 + payload.length);
        System.arraycopy(payload, 0, b, 20 + header, payload.length);
        put16(b, 10, sum(b, 0, 20, 0));
        int transport = transportSum(b);
        put16(b, 20 + (protocol == Packet.UDP ? 6 : 16), protocol == Packet.UDP && transport == 0 ? 0xffff : transport);
        return b;
    }

    private static void put16(byte[] b, int at, int value) {
        b[at] = (byte) (value >> 8);
        b[at + 1] = (byte) value;
    }

    /** RFC 1071; 0 over what has a right sum in it. */
    private static int sum(byte[] b, int from, int to, int more) {
        int sum = more;
        for (int i = from; i < to; i += 2) sum += (b[i] & 0xff) << 8 | (i + 1 < to ? b[i + 1] & 0xff : 0);
        while (sum >>> 16 != 0) sum = (sum & 0xffff) + (sum >>> 16);
        return ~sum & 0xffff;
    }

    private static int transportSum(byte[] b) {
        int pseudo = (b[9] & 0xff) + b.length - 20;
        for (int i = 12; i < 20; i += 2) pseudo += (b[i] & 0xff) << 8 | b[i + 1] & 0xff;
        return sum(b, 20, b.length, pseudo);
    }

    private Address address() {
        return Address.v4(rng.below(Integer.MAX_VALUE), rng.below(0x10000));
    }

    @Test
    void whatIsRewrittenHasRightSums() {
        for (int i = 0; i < 20_000; i++) {
            int protocol = i % 2 == 0 ? Packet.UDP : Packet.TCP;
            byte[] b = packet(protocol, address(), address(), rng.bytes(rng.below(40)));
            Address from = address();
            Address to = address();
            Packet.source(b, from);
            Packet.destination(b, to);
            Packet.age(b, 1 + rng.below(70));
            assertThat(Packet.source(b)).isEqualTo(from);
            assertThat(Packet.destination(b)).isEqualTo(to);
            assertThat(Packet.life(b)).isBetween(1, 63);
            assertThat(sum(b, 0, 20, 0)).as("the header's").isZero();
            assertThat(transportSum(b)).as("the transport's").isZero();
        }
    }

    @Test
    void aSumThatComesOutAsZeroIsSentAsAllOnesAndNoSumStaysNone() {
        Address from = Address.parse("10.0.0.2:1");
        Address to = Address.parse("203.0.113.1:2");
        byte[] b = packet(Packet.UDP, from, to, new byte[0]);
        int port = 1 + ((b[26] & 0xff) << 8 | b[27] & 0xff);
        Packet.source(b, Address.parse("10.0.0.2:" + port));
        assertThat(new byte[] {b[26], b[27]}).containsExactly(0xff, 0xff);
        byte[] none = packet(Packet.UDP, from, to, new byte[9]);
        put16(none, 26, 0);
        Packet.destination(none, from);
        assertThat(new byte[] {none[26], none[27]}).containsExactly(0, 0);
    }

    @Test
    void anIpv6PacketTellsItsAddresses() {
        byte[] b = new byte[48];
        b[0] = 0x60;
        b[5] = 8;
        b[6] = Packet.UDP;
        b[7] = 9;
        System.arraycopy(Address.parse("[3fff::1]:0").ip(), 0, b, 8, 16);
        System.arraycopy(Address.parse("[3fff:1::2]:0").ip(), 0, b, 24, 16);
        put16(b, 40, 1000);
        put16(b, 42, 2000);
        assertThat(Packet.isSound(b, 48)).isTrue();
        Packet.age(b, 4);
        assertThat(Packet.life(b)).isEqualTo(5);
        assertThat(Packet.source(b)).hasToString("[3fff::1]:1000");
        assertThat(Packet.destination(b)).hasToString("[3fff:1::2]:2000");
    }

    @Test
    void aLaterFragmentHasNoPorts() {
        byte[] b = packet(Packet.UDP, Address.parse("10.0.0.2:1"), Address.parse("203.0.113.1:2"), new byte[32]);
        put16(b, 6, 185);
        assertThat(Packet.hasPorts(b)).isFalse();
        assertThat(Packet.source(b)).hasToString("10.0.0.2:0");
    }

    @Test
    void garbageIsNoPacketOrAReadableOne() {
        int sound = 0;
        for (int i = 0; i < 100_000; i++) {
            byte[] b = rng.bytes(rng.below(64));
            boolean v4 = i % 2 == 0;
            if (b.length > 9) {
                b[0] = (byte) (v4 ? 0x44 + rng.below(12) : 0x60);
                b[v4 ? 9 : 6] = (byte) (rng.below(2) == 0 ? Packet.UDP : Packet.TCP);
                put16(b, v4 ? 2 : 4, v4 ? b.length : b.length - 40);
            }
            if (!Packet.isSound(b, b.length)) continue;
            sound++;
            Address from = Packet.source(b);
            Address to = Packet.destination(b);
            Packet.age(b, 3);
            if (!v4 || !Packet.hasPorts(b)) continue;
            Packet.source(b, to);
            Packet.destination(b, from);
        }
        assertThat(sound).isGreaterThan(1_000);
    }
}
