package mcc.tun;

/**
 * Explicit congestion notification through the tunnel (RFC 6040): the sender copies a packet's ECN bits to the datagram, the
 * receiver combines those that both arrived with.
 */
public final class Ecn {
    private static final int ECT1 = 1;
    private static final int CE = 3;

    private Ecn() {}

    /**
     * Updates a packet's ECN bits by those of its datagram (section 4.2, figure 4).
     *
     * @param outer the datagram's two bits
     * @return false when the packet must be dropped: it met congestion, and its sender only understands loss
     */
    public static boolean combine(byte[] b, int at, int length, int outer) {
        if (outer != CE && outer != ECT1 || length < 20) return true;
        boolean v4 = b[at] >>> 4 == 4;
        int shift = v4 ? 0 : 4;
        int inner = b[at + 1] >>> shift & 3;
        if (inner == 0) return outer != CE;
        if (inner == CE || inner == outer) return true;
        int old = Octets.u16(b, at);
        b[at + 1] = (byte) (b[at + 1] & ~(3 << shift) | outer << shift);
        if (v4) Inet4.adjust(b, at + 10, (~old & 0xffff) + Octets.u16(b, at));
        return true;
    }
}
