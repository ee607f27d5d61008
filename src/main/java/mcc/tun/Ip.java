package mcc.tun;

import org.jspecify.annotations.Nullable;

/**
 * One IP packet, parsed: a view that is filled again and again, and borrows the array it was filled from. Refuses whatever
 * is not well formed, and never throws.
 */
public final class Ip {
    static final int ICMP = 1;
    static final int TCP = 6;
    static final int UDP = 17;
    static final int ICMP6 = 58;
    /** Extension headers looked through; real packets have one or two. */
    private static final int EXTENSIONS_MAX = 6;

    /** IPv4 addresses are held as IPv4-mapped IPv6 (RFC 4291 section 2.5.5.2). */
    private static final long MAPPED = 0xffffL << 32;

    private static final int HOP_BY_HOP = 0;
    private static final int ROUTING = 43;
    private static final int FRAGMENT = 44;
    private static final int DESTINATION = 60;

    private final @Nullable InnerAddress[] recent = new InnerAddress[1 << 10];

    boolean v4;
    /** The protocol above IP, past all extension headers. */
    int protocol;
    /** Where that begins, and how long it is; absolute and in bytes. */
    int transport;

    int transportLength;
    /** Whether this is part of a packet. */
    boolean fragment;
    /** Of which packet it is a part, and where that part begins, in bytes. */
    int fragmentId;

    int fragmentOffset;
    /** Whether the ports, or an ICMP type, can be read: false for later fragments and other protocols. */
    boolean hasPorts;

    long fromHigh;
    long fromLow;
    long toHigh;
    long toLow;
    int fromPort;
    int toPort;

    /** Reads a packet; false, with the fields undefined, when these bytes are not exactly one. */
    public boolean parse(byte[] b, int at, int length) {
        fragment = false;
        hasPorts = false;
        fromPort = 0;
        toPort = 0;
        if (length < 20) return false;
        int version = Octets.u8(b, at) >>> 4;
        v4 = version == 4;
        if (v4 ? !parse4(b, at, length) : version != 6 || !parse6(b, at, length)) return false;
        return fragment && !hasPorts || parseTransport(b);
    }

    /** Reads the beginning of a packet whose end may be missing; false without the ports. */
    boolean parseHead(byte[] b, int at, int length) {
        fragment = false;
        v4 = length > 0 && Octets.u8(b, at) >>> 4 == 4;
        int head = v4 ? (b[at] & 15) * 4 : 40;
        if (length < 28 || length < head + 8 || head < 20 || !v4 && Octets.u8(b, at) >>> 4 != 6) return false;
        if (v4) addresses4(b, at);
        else addresses6(b, at);
        protocol = Octets.u8(b, at + (v4 ? 9 : 6));
        transport = at + head;
        transportLength = length - head;
        hasPorts = protocol == TCP || protocol == UDP || protocol == (v4 ? ICMP : ICMP6);
        fromPort = Octets.u16(b, transport);
        toPort = Octets.u16(b, transport + 2);
        return hasPorts;
    }

    /** Whether this is a packet of IPv4. */
    public boolean isV4() {
        return v4;
    }

    /** Whether the packet is sent to the address given. */
    public boolean isTo(InnerAddress a) {
        return toHigh == a.high() && toLow == a.low();
    }

    /** Whether the packet says that it comes from the address given. */
    public boolean isFrom(InnerAddress a) {
        return fromHigh == a.high() && fromLow == a.low();
    }

    /** The address the packet is sent to. */
    public InnerAddress to() {
        return address(toHigh, toLow);
    }

    /** The address the packet says it comes from. */
    public InnerAddress from() {
        return address(fromHigh, fromLow);
    }

    /** One object for an address that comes again, unless another with the same slot came between. */
    private InnerAddress address(long high, long low) {
        int slot = (int) ((high * 31 ^ low) * 0x9e3779b97f4a7c15L >>> 54);
        InnerAddress known = recent[slot];
        if (known != null && known.high() == high && known.low() == low) return known;
        InnerAddress made = new InnerAddress(high, low);
        recent[slot] = made;
        return made;
    }

    private boolean parse4(byte[] b, int at, int length) {
        int head = (b[at] & 15) * 4;
        if (head < 20 || head > length || Octets.u16(b, at + 2) != length) return false;
        protocol = Octets.u8(b, at + 9);
        fragment = (Octets.u16(b, at + 6) & 0x3fff) != 0;
        fragmentOffset = (Octets.u16(b, at + 6) & 0x1fff) * 8;
        fragmentId = Octets.u16(b, at + 4);
        hasPorts = fragmentOffset == 0;
        addresses4(b, at);
        transport = at + head;
        transportLength = length - head;
        return true;
    }

    private void addresses4(byte[] b, int at) {
        fromHigh = 0;
        fromLow = MAPPED | Octets.i32(b, at + 12) & 0xffffffffL;
        toHigh = 0;
        toLow = MAPPED | Octets.i32(b, at + 16) & 0xffffffffL;
    }

    private void addresses6(byte[] b, int at) {
        fromHigh = Octets.i64(b, at + 8);
        fromLow = Octets.i64(b, at + 16);
        toHigh = Octets.i64(b, at + 24);
        toLow = Octets.i64(b, at + 32);
    }

    private boolean parse6(byte[] b, int at, int length) {
        if (length < 40 || Octets.u16(b, at + 4) != length - 40) return false;
        addresses6(b, at);
        hasPorts = true;
        int next = Octets.u8(b, at + 6);
        int end = at + length;
        transport = at + 40;
        for (int i = 0; i < EXTENSIONS_MAX; i++) {
            if (next != HOP_BY_HOP && next != ROUTING && next != FRAGMENT && next != DESTINATION) {
                protocol = next;
                transportLength = end - transport;
                return true;
            }
            if (end - transport < 8) return false;
            int size = next == FRAGMENT ? 8 : 8 + 8 * Octets.u8(b, transport + 1);
            if (next == FRAGMENT) {
                fragment = true;
                fragmentOffset = Octets.u16(b, transport + 2) & 0xfff8;
                fragmentId = Octets.i32(b, transport + 4);
                hasPorts = fragmentOffset == 0;
            }
            next = Octets.u8(b, transport);
            transport += size;
            if (transport > end) return false;
            if (fragment && !hasPorts) {
                protocol = next;
                transportLength = end - transport;
                return true;
            }
        }
        return false;
    }

    private boolean parseTransport(byte[] b) {
        switch (protocol) {
            case TCP -> {
                if (transportLength < 20) return false;
                int head = tcpHeader(b);
                if (head < 20 || head > transportLength) return false;
            }
            case UDP -> {
                if (transportLength < 8) return false;
                if (!fragment && Octets.u16(b, transport + 4) != transportLength) return false;
            }
            case ICMP, ICMP6 -> {
                if (transportLength < 8) return false;
                hasPorts = protocol == (v4 ? ICMP : ICMP6);
                return hasPorts;
            }
            default -> {
                hasPorts = false;
                return true;
            }
        }
        fromPort = Octets.u16(b, transport);
        toPort = Octets.u16(b, transport + 2);
        return true;
    }

    /** The length of the TCP header in bytes. */
    int tcpHeader(byte[] b) {
        return (b[transport + 12] & 0xf0) >>> 2;
    }

    /** The sum of the pseudo-header (RFC 8200 section 8.1, RFC 9293 section 3.1) for the packet at {@code at}. */
    long pseudoSum(byte[] b, int at) {
        long addresses = v4 ? Octets.sum(b, at + 12, 8) : Octets.sum(b, at + 8, 32);
        return addresses + transportLength + protocol;
    }
}
