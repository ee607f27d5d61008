package mcc.tun;

import org.jspecify.annotations.Nullable;

/**
 * A parsed IP packet: a view that is filled again for each packet, and refers to the array that it was filled from. Malformed
 * packets are refused, without an exception.
 */
public final class Ip {
    static final int ICMP = 1;
    static final int TCP = 6;
    static final int UDP = 17;
    static final int ICMP6 = 58;
    /** Extension headers that are skipped at most; real packets have one or two. */
    private static final int EXTENSIONS_MAX = 6;

    /** The upper bits of IPv4 addresses, which are stored as IPv4-mapped IPv6 (RFC 4291 section 2.5.5.2). */
    private static final long MAPPED = 0xffffL << 32;

    private static final int HOP_BY_HOP = 0;
    private static final int ROUTING = 43;
    private static final int FRAGMENT = 44;
    private static final int DESTINATION = 60;

    private final @Nullable InnerAddress[] recent = new InnerAddress[1 << 10];

    boolean v4;
    /** The protocol above IP, after all extension headers. */
    int protocol;
    /** Where the transport header begins in the array, and the bytes from there on. */
    int transport;

    int transportLength;
    /** Whether this is a fragment. */
    boolean fragment;
    /** The packet that a fragment belongs to, and its offset in bytes. */
    int fragmentId;

    int fragmentOffset;
    /** Whether ports, or an ICMP type, can be read: false for later fragments and other protocols. */
    boolean hasPorts;

    long fromHigh;
    long fromLow;
    long toHigh;
    long toLow;
    int fromPort;
    int toPort;

    /** Parses a packet; false, with the fields undefined, if the bytes are not exactly one valid packet. */
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

    /** Parses the beginning of a packet whose end may be missing; false if the ports cannot be read. */
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

    /** Whether the destination is this address. */
    public boolean isTo(InnerAddress a) {
        return toHigh == a.high() && toLow == a.low();
    }

    /** Whether the source is this address. */
    public boolean isFrom(InnerAddress a) {
        return fromHigh == a.high() && fromLow == a.low();
    }

    /** The destination. */
    public InnerAddress to() {
        return address(toHigh, toLow);
    }

    /** The source. */
    public InnerAddress from() {
        return address(fromHigh, fromLow);
    }

    /** Returns the same object for an address that comes again, unless another one with the same slot came between. */
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

    /** The checksum of the pseudo-header (RFC 8200 section 8.1, RFC 9293 section 3.1) of the packet at {@code at}. */
    long pseudoSum(byte[] b, int at) {
        long addresses = v4 ? Octets.sum(b, at + 12, 8) : Octets.sum(b, at + 8, 32);
        return addresses + transportLength + protocol;
    }
}
