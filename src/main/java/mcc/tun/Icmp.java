package mcc.tun;

/** What this node says of itself to its host: ICMPv6 errors (RFC 4443 sections 3.1 and 3.2). */
public final class Icmp {
    /** The longest error, in bytes: what every IPv6 link carries. */
    private static final int MAX = 1_280;

    private static final int HEADERS = 48;

    private Icmp() {}

    /** "Address unreachable" about an IPv6 packet, as a packet to its sender. */
    public static byte[] unreachable(byte[] b, int offset, int length) {
        return error(1, 3, 0, b, offset, length);
    }

    /** "Packet too big" about an IPv6 packet, as a packet to its sender. */
    public static byte[] tooBig(int mtu, byte[] b, int offset, int length) {
        return error(2, 0, mtu, b, offset, length);
    }

    /** The error seems to come from where the packet was going. */
    private static byte[] error(int type, int code, int value, byte[] b, int offset, int length) {
        int quote = Math.min(length, MAX - HEADERS);
        byte[] out = new byte[HEADERS + quote];
        out[0] = 0x60;
        Octets.put16(out, 4, 8 + quote);
        out[6] = Ip.ICMP6;
        out[7] = 64;
        System.arraycopy(b, offset + 24, out, 8, 16);
        System.arraycopy(b, offset + 8, out, 24, 16);
        out[40] = (byte) type;
        out[41] = (byte) code;
        Octets.put32(out, 44, value);
        System.arraycopy(b, offset, out, HEADERS, quote);
        long sum = Octets.sum(out, 8, 32) + 8 + quote + Ip.ICMP6 + Octets.sum(out, 40, 8 + quote);
        Octets.put16(out, 42, ~Octets.fold(sum));
        return out;
    }
}
