package mcc.tun;

/**
 * Cuts a TCP or UDP super-packet, as read from the kernel, into packets, in place: each packet's header is written right
 * before its payload, over the previous packet's payload, which is no longer needed by then.
 */
public final class Segmenter {
    /** Takes one packet; the array is lent until it returns. */
    @FunctionalInterface
    public interface Sink {
        /** @param needsCsum whether the transport checksum is not filled in */
        void packet(boolean needsCsum, byte[] buf, int offset, int length);
    }

    private static final int FIN_PSH = 0x09;
    private static final int CWR = 0x80;

    private final byte[] head = new byte[256];
    private final Ip ip = new Ip();

    /**
     * Passes every packet of what was read to {@code out}; the array is overwritten.
     *
     * @param offset of the {@link Vnet} header
     * @param length including that header
     * @return false, without any call of {@code out}, if it is malformed
     */
    public boolean cut(byte[] b, int offset, int length, Sink out) {
        if (length < Vnet.BYTES) return false;
        int at = offset + Vnet.BYTES;
        int n = length - Vnet.BYTES;
        boolean needsCsum = (b[offset] & Vnet.NEEDS_CSUM) != 0;
        int kind = b[offset + 1] & ~Vnet.ECN & 0xff;
        if (!ip.parse(b, at, n)) return false;
        if (kind == Vnet.NONE) {
            if (needsCsum && !canElide()) return false;
            out.packet(needsCsum, b, at, n);
            return true;
        }
        boolean tcp = kind == (ip.v4 ? Vnet.TCP4 : Vnet.TCP6) && ip.protocol == Ip.TCP;
        if (!tcp && !(kind == Vnet.UDP && ip.protocol == Ip.UDP) || !canElide()) return false;
        int size = Octets.u16le(b, offset + 4);
        int headers = ip.transport - at + (tcp ? ip.tcpHeader(b) : 8);
        if (size == 0 || headers > head.length || n <= headers) return false;
        cut(b, at, n, headers, size, out);
        return true;
    }

    /** Whether the receiver can compute the checksum from the packet alone. */
    private boolean canElide() {
        return !ip.fragment && (ip.protocol == Ip.TCP || ip.protocol == Ip.UDP);
    }

    private void cut(byte[] b, int at, int n, int headers, int size, Sink out) {
        System.arraycopy(b, at, head, 0, headers);
        int transport = ip.transport - at;
        boolean v4 = ip.v4;
        boolean tcp = ip.protocol == Ip.TCP;
        int payload = n - headers;
        for (int from = 0, k = 0; from < payload; from += size, k++) {
            int take = Math.min(size, payload - from);
            int p = at + from;
            System.arraycopy(head, 0, b, p, headers);
            length(b, p, v4, headers + take);
            if (v4) {
                Octets.put16(b, p + 4, Octets.u16(head, 4) + k);
                headerSum(b, p, transport);
            }
            if (tcp) {
                Octets.put32(b, p + transport + 4, Octets.i32(head, transport + 4) + from);
                int flags = head[transport + 13];
                if (from + take < payload) flags &= ~FIN_PSH;
                if (k > 0) flags &= ~CWR;
                b[p + transport + 13] = (byte) flags;
            } else Octets.put16(b, p + transport + 4, headers - transport + take);
            out.packet(true, b, p, headers + take);
        }
    }

    static void length(byte[] b, int at, boolean v4, int length) {
        Octets.put16(b, at + (v4 ? 2 : 4), v4 ? length : length - 40);
    }

    static void headerSum(byte[] b, int at, int head) {
        Octets.put16(b, at + 10, 0);
        Octets.put16(b, at + 10, ~Octets.fold(Octets.sum(b, at, head)));
    }
}
