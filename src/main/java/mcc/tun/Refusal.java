package mcc.tun;

import org.jspecify.annotations.Nullable;

/**
 * An endpoint's answer to a packet for a port that it does not have, as a host would answer: a TCP reset (RFC 9293 section
 * 3.10.7.1), or "port unreachable" for UDP (RFC 4443 section 3.1). IPv6 only, as endpoints have no IPv4 address.
 */
final class Refusal {
    private static final int HEADERS = 60;
    private static final int FIN = 1;
    private static final int SYN = 2;
    private static final int RST = 4;
    private static final int ACK = 16;

    private Refusal() {}

    /** The answer to a packet, addressed to its sender; null if none is due, as to a reset. */
    static byte @Nullable [] of(Ip ip, byte[] b, int offset, int length) {
        if (ip.v4 || !ip.hasPorts) return null;
        return switch (ip.protocol) {
            case Ip.TCP -> reset(ip, b, offset);
            case Ip.UDP -> Icmp.portUnreachable(b, offset, length);
            default -> null;
        };
    }

    private static byte @Nullable [] reset(Ip ip, byte[] b, int offset) {
        int flags = Octets.u8(b, ip.transport + 13);
        if ((flags & RST) != 0) return null;
        byte[] out = new byte[HEADERS];
        out[0] = 0x60;
        Octets.put16(out, 4, 20);
        out[6] = Ip.TCP;
        out[7] = 64;
        System.arraycopy(b, offset + 24, out, 8, 16);
        System.arraycopy(b, offset + 8, out, 24, 16);
        Octets.put16(out, 40, ip.toPort);
        Octets.put16(out, 42, ip.fromPort);
        out[52] = 0x50;
        if ((flags & ACK) != 0) {
            Octets.put32(out, 44, Octets.i32(b, ip.transport + 8));
            out[53] = RST;
        } else {
            int taken = ip.transportLength - ip.tcpHeader(b) + ((flags & SYN) != 0 ? 1 : 0) + (flags & FIN);
            Octets.put32(out, 48, Octets.i32(b, ip.transport + 4) + taken);
            out[53] = RST | ACK;
        }
        long sum = Octets.sum(out, 8, 32) + 20 + Ip.TCP + Octets.sum(out, 40, 20);
        Octets.put16(out, 56, ~Octets.fold(sum));
        return out;
    }
}
