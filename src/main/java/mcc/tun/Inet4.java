package mcc.tun;

/**
 * Translates the addresses in IPv4 packets of a peer. A node may have different IPv4 addresses on different hosts; a sender
 * uses those of its own host, and they are replaced by those that the two nodes have here. Checksums are adjusted, not
 * recomputed (RFC 1624 equation 3), and packets quoted in ICMP errors are translated too (RFC 5508 section 4).
 */
public final class Inet4 {
    private static final int HEADER = 20;
    private static final int FRAGMENT_OFFSET = 0x1fff;

    private Inet4() {}

    /** Whether these bytes begin like an IPv4 packet. */
    public static boolean is(byte[] b, int at, int length) {
        return length >= HEADER && Octets.u8(b, at) >>> 4 == 4;
    }

    /**
     * Translates a packet: the peer's and this node's addresses on the peer's host become those on this one. Addresses in
     * networks behind a node stay. A packet whose source is another node's address stays as it is, for the gate to refuse.
     *
     * @param sender the sender's address on its own host
     * @param from its address on this host
     * @param to this node's own address
     * @param needsCsum whether the transport checksum is not filled in
     */
    public static void translate(
            byte[] b, int at, int length, InnerAddress sender, InnerAddress from, InnerAddress to, boolean needsCsum) {
        int head = (b[at] & 15) * 4;
        int oldFrom = Octets.i32(b, at + 12);
        if (head < HEADER || head > length || InnerAddress.isShared4(oldFrom) && oldFrom != sender.bits4()) return;
        int newFrom = oldFrom == sender.bits4() ? from.bits4() : oldFrom;
        int change = put(b, at + 12, newFrom) + put(b, at + 16, here(Octets.i32(b, at + 16), to));
        if (change == 0) return;
        adjust(b, at + 10, change);
        if ((Octets.u16(b, at + 6) & FRAGMENT_OFFSET) != 0) return;
        int transport = at + head;
        int n = length - head;
        switch (b[at + 9]) {
            case Ip.TCP -> {
                if (n >= 18 && !needsCsum) adjust(b, transport + 16, change);
            }
            case Ip.UDP -> {
                if (n >= 8 && !needsCsum && Octets.u16(b, transport + 6) != 0) {
                    adjust(b, transport + 6, change);
                    if (Octets.u16(b, transport + 6) == 0) Octets.put16(b, transport + 6, 0xffff);
                }
            }
            case Ip.ICMP -> {
                if (n >= 8 && Icmp.isError(true, Octets.u8(b, transport)))
                    quoted(b, transport + 8, n - 8, sender, from, to);
            }
            default -> {}
        }
    }

    /** The address by which the sender knows this node becomes this node's own. */
    private static int here(int address, InnerAddress to) {
        return InnerAddress.isShared4(address) ? to.bits4() : address;
    }

    /**
     * The quoted header's own checksum compensates for its new addresses, so the checksum over the quotation stays as it is.
     */
    private static void quoted(byte[] b, int at, int length, InnerAddress sender, InnerAddress from, InnerAddress to) {
        if (!is(b, at, length)) return;
        int oldTo = Octets.i32(b, at + 16);
        int newTo = oldTo == sender.bits4() ? from.bits4() : oldTo;
        adjust(b, at + 10, put(b, at + 12, here(Octets.i32(b, at + 12), to)) + put(b, at + 16, newTo));
    }

    /** Writes an address; returns the change of the checksum. */
    private static int put(byte[] b, int at, int address) {
        int old = Octets.i32(b, at);
        if (old == address) return 0;
        Octets.put32(b, at, address);
        return change(old, address);
    }

    private static int change(int from, int to) {
        return (~from >>> 16) + (~from & 0xffff) + (to >>> 16) + (to & 0xffff);
    }

    /** Updates a checksum field after a change: for each word the inverted old value plus the new one. */
    static void adjust(byte[] b, int field, int change) {
        Octets.put16(b, field, ~Octets.fold((~Octets.u16(b, field) & 0xffff) + change));
    }
}
