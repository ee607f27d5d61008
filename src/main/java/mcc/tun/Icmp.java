package mcc.tun;

/** Errors that this node sends to its host: ICMPv6 (RFC 4443 sections 3.1 and 3.2) and ICMP (RFC 792, RFC 1191). */
public final class Icmp {
    /** The longest error, in bytes: what every link can carry (RFC 8200 section 5, RFC 1812 section 4.3.2.3). */
    private static final int MAX = 1_280;

    private static final int MAX4 = 576;
    private static final int DONT_FRAGMENT = 0x40;
    private static final int HEADERS = 48;
    private static final int HEADERS4 = 28;

    private Icmp() {}

    /**
     * Whether a message is an error that quotes a packet (RFC 4443 section 2.1, RFC 792); for ICMP, only types that are in
     * use.
     */
    static boolean isError(boolean v4, int type) {
        return v4 ? type == 3 || type == 11 || type == 12 : type < 128;
    }

    /** "Address unreachable" about a packet, addressed to its sender. */
    public static byte[] unreachable(byte[] b, int offset, int length) {
        return b[offset] >>> 4 == 4 ? error4(1, 0, b, offset, length) : error(1, 3, 0, b, offset, length);
    }

    /** "Port unreachable" about an IPv6 packet, addressed to its sender. */
    static byte[] portUnreachable(byte[] b, int offset, int length) {
        return error(1, 4, 0, b, offset, length);
    }

    /**
     * Whether a packet must be delivered even if the path only takes shorter ones: IPv6 up to the size that every link carries
     * (RFC 8200 section 5), IPv4 if its sender allows fragmentation (RFC 791).
     */
    public static boolean mustPass(byte[] b, int offset, int length) {
        return b[offset] >>> 4 == 4 ? (b[offset + 6] & DONT_FRAGMENT) == 0 : length <= MAX;
    }

    /**
     * "Packet too big" or "fragmentation needed" about a packet, addressed to its sender.
     *
     * @param mtu the longest packet of the path; for IPv6 never reported smaller than what every link carries
     */
    public static byte[] tooBig(int mtu, byte[] b, int offset, int length) {
        return b[offset] >>> 4 == 4
                ? error4(4, mtu, b, offset, length)
                : error(2, 0, Math.max(MAX, mtu), b, offset, length);
    }

    /** Makes an error whose source is the packet's destination. */
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

    /** "Destination unreachable"; the code tells the kind. */
    private static byte[] error4(int code, int value, byte[] b, int offset, int length) {
        int quote = Math.min(length, MAX4 - HEADERS4);
        byte[] out = new byte[HEADERS4 + quote];
        out[0] = 0x45;
        Octets.put16(out, 2, out.length);
        out[8] = 64;
        out[9] = Ip.ICMP;
        System.arraycopy(b, offset + 16, out, 12, 4);
        System.arraycopy(b, offset + 12, out, 16, 4);
        Segmenter.headerSum(out, 0, 20);
        out[20] = 3;
        out[21] = (byte) code;
        Octets.put16(out, 26, value);
        System.arraycopy(b, offset, out, HEADERS4, quote);
        Octets.put16(out, 22, ~Octets.fold(Octets.sum(out, 20, 8 + quote)));
        return out;
    }
}
