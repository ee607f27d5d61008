package mcc.tun;

import static org.assertj.core.api.Assertions.assertThat;

import mcc.core.Rng;
import org.junit.jupiter.api.Test;

class Inet4Test {
    private static final InnerAddress SENDER = InnerAddress.v4(0x64400001);
    private static final InnerAddress FROM = InnerAddress.v4(0x647f12ff);
    private static final InnerAddress TO = InnerAddress.v4(0x6450fffe);

    /** A packet from {@link #SENDER} to what it calls this node, with its checksums filled in. */
    private static byte[] packet(int protocol, byte[] transport, int field) {
        byte[] out = PacketsOf.v4(protocol, transport);
        sum(out, 20, out.length - 20, protocol, field);
        return out;
    }

    private static void sum(byte[] b, int transport, int length, int protocol, int field) {
        if (field < 0) return;
        Octets.put16(b, transport + field, 0);
        long pseudo = protocol == Ip.ICMP ? 0 : Octets.sum(b, 12, 8) + length + protocol;
        Octets.put16(b, transport + field, ~Octets.fold(pseudo + Octets.sum(b, transport, length)));
    }

    private static void translate(byte[] packet, boolean needsCsum) {
        Inet4.translate(packet, 0, packet.length, SENDER, FROM, TO, needsCsum);
    }

    private static void isSound(byte[] b, int protocol) {
        assertThat(Octets.fold(Octets.sum(b, 0, 20))).isEqualTo(0xffff);
        long pseudo = protocol == Ip.ICMP ? 0 : Octets.sum(b, 12, 8) + b.length - 20 + protocol;
        assertThat(Octets.fold(pseudo + Octets.sum(b, 20, b.length - 20))).isEqualTo(0xffff);
        Ip ip = PacketsOf.parsed(b);
        assertThat(ip.isFrom(FROM)).isTrue();
        assertThat(ip.isTo(TO)).isTrue();
    }

    @Test
    void sumsStayRight() {
        Rng rng = Rng.seeded(21);
        for (int i = 0; i < 300; i++) {
            byte[] tcp = packet(Ip.TCP, PacketsOf.tcp(1, 2, i, 0x10, rng.bytes(i)), 16);
            translate(tcp, false);
            isSound(tcp, Ip.TCP);
            byte[] udp = packet(Ip.UDP, PacketsOf.udp(1, 2, rng.bytes(i)), 6);
            translate(udp, false);
            isSound(udp, Ip.UDP);
            byte[] echo = packet(Ip.ICMP, PacketsOf.echo(8, i), 2);
            translate(echo, false);
            isSound(echo, Ip.ICMP);
        }
    }

    @Test
    void whatAnEchoCarriesIsNoQuotation() {
        byte[] body = new byte[8 + 20];
        body[0] = 8;
        body[8] = 0x45;
        Octets.put32(body, 8 + 12, 0x64400005);
        Octets.put32(body, 8 + 16, SENDER.bits4());
        byte[] echo = packet(Ip.ICMP, body, 2);
        byte[] before = echo.clone();
        translate(echo, false);
        isSound(echo, Ip.ICMP);
        assertThat(PacketsOf.part(echo, 20, 28)).isEqualTo(PacketsOf.part(before, 20, 28));
    }

    @Test
    void whatHasNoSumGetsNone() {
        byte[] udp = packet(Ip.UDP, PacketsOf.udp(1, 2, new byte[3]), -1);
        translate(udp, false);
        assertThat(Octets.u16(udp, 26)).isZero();
        byte[] elided = packet(Ip.TCP, PacketsOf.tcp(1, 2, 3, 0x10, new byte[3]), -1);
        Octets.put16(elided, 36, 0x1234);
        translate(elided, true);
        assertThat(Octets.u16(elided, 36)).isEqualTo(0x1234);
    }

    @Test
    void aQuotationIsTranslatedWithItsError() {
        byte[] sent = packet(Ip.UDP, PacketsOf.udp(7, 8, new byte[4]), 6);
        int us = Octets.i32(sent, 16);
        Octets.put32(sent, 12, us);
        Octets.put32(sent, 16, SENDER.bits4());
        Segmenter.headerSum(sent, 0, 20);
        byte[] body = new byte[8 + sent.length];
        body[0] = 3;
        System.arraycopy(sent, 0, body, 8, sent.length);
        byte[] error = packet(Ip.ICMP, body, 2);
        translate(error, false);
        isSound(error, Ip.ICMP);
        Ip quoted = new Ip();
        assertThat(quoted.parseHead(error, 28, error.length - 28)).isTrue();
        assertThat(quoted.isFrom(TO)).isTrue();
        assertThat(quoted.isTo(FROM)).isTrue();
        assertThat(Octets.fold(Octets.sum(error, 28, 20))).isEqualTo(0xffff);
    }

    @Test
    void whatComesFromAnotherAddressStaysForTheGate() {
        byte[] packet = packet(Ip.UDP, PacketsOf.udp(1, 2, new byte[3]), 6);
        byte[] before = packet.clone();
        Inet4.translate(packet, 0, packet.length, FROM, FROM, TO, false);
        assertThat(packet).isEqualTo(before);
    }

    @Test
    void noBytesMakeItThrow() {
        Rng rng = Rng.seeded(22);
        for (int i = 0; i < 20_000; i++) {
            byte[] b = rng.bytes(20 + (int) (rng.nextLong() & 63));
            b[0] = (byte) (0x40 | b[0] & 15);
            Octets.put32(b, 12, SENDER.bits4());
            if ((i & 1) == 0) {
                Octets.put16(b, 6, 0);
                b[9] = new byte[] {Ip.ICMP, Ip.TCP, Ip.UDP}[i % 3];
            }
            translate(b, (i & 2) == 0);
        }
    }
}
