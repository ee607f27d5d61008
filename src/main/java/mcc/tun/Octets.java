package mcc.tun;

/** Numbers in network byte order, read from and written to arrays, and the Internet checksum (RFC 1071). */
final class Octets {
    private Octets() {}

    static int u8(byte[] b, int at) {
        return b[at] & 0xff;
    }

    static int u16(byte[] b, int at) {
        return (b[at] & 0xff) << 8 | b[at + 1] & 0xff;
    }

    static int u16le(byte[] b, int at) {
        return b[at] & 0xff | (b[at + 1] & 0xff) << 8;
    }

    static int i32(byte[] b, int at) {
        return u16(b, at) << 16 | u16(b, at + 2);
    }

    static long i64(byte[] b, int at) {
        return (long) i32(b, at) << 32 | i32(b, at + 4) & 0xffffffffL;
    }

    static void put16(byte[] b, int at, int v) {
        b[at] = (byte) (v >>> 8);
        b[at + 1] = (byte) v;
    }

    static void put16le(byte[] b, int at, int v) {
        b[at] = (byte) v;
        b[at + 1] = (byte) (v >>> 8);
    }

    static void put32(byte[] b, int at, int v) {
        put16(b, at, v >>> 16);
        put16(b, at + 2, v);
    }

    static void put64(byte[] b, int at, long v) {
        put32(b, at, (int) (v >>> 32));
        put32(b, at + 4, (int) v);
    }

    /** The sum of 16-bit words, an odd byte padded with zero; not folded. */
    static long sum(byte[] b, int at, int length) {
        long sum = 0;
        int end = at + (length & ~1);
        for (int i = at; i < end; i += 2) sum += u16(b, i);
        return (length & 1) == 0 ? sum : sum + (u8(b, end) << 8);
    }

    /** Folds a sum to 16 bits. */
    static int fold(long sum) {
        while (sum >>> 16 != 0) sum = (sum & 0xffff) + (sum >>> 16);
        return (int) sum;
    }
}
