package mcc.tun;

import java.nio.charset.StandardCharsets;
import mcc.core.Address;
import mcc.core.Id;
import mcc.crypto.Sha256;

/**
 * The address of a node or an endpoint inside the overlay. IPv6: {@code fd}, 40 bits of SHA-256 of the network's name, 80 bits
 * of SHA-256 of its ID (RFC 4193 section 3.2.2 with hashes instead of random numbers). A node also has an IPv4 address, stored
 * as IPv4-mapped IPv6: 22 bits of the same hash in 100.64.0.0/10, or a later one if this host gave that to another node before
 * ({@link Routes}). So it is valid on one host only, and {@link Inet4} translates.
 */
public record InnerAddress(long high, long low) {
    /** Bits of the prefix that all nodes of a network share. */
    public static final int PREFIX_BITS = 48;
    /** Bits of the prefix of the IPv4 addresses. */
    public static final int PREFIX4_BITS = 10;

    private static final int HOST4_BITS = 22;
    private static final int HOST4_MAX = (1 << HOST4_BITS) - 1;
    private static final long MAPPED = 0xffffL << 32;
    private static final long PREFIX4 = MAPPED | 0x6440_0000L;

    /** The IPv6 address of a node or endpoint, by its ID. */
    public static InnerAddress of(String network, Id id) {
        Id place = Sha256.id(id.toBytes());
        long high = prefix(network) | place.w0() >>> 48;
        return new InnerAddress(high, place.w0() << 16 | place.w1() >>> 48);
    }

    private static long prefix(String network) {
        Id hash = Sha256.id(network.getBytes(StandardCharsets.UTF_8));
        return 0xfdL << 56 | hash.w0() >>> 24 << 16;
    }

    /** An IPv4 address from its 32 bits. */
    static InnerAddress v4(int bits) {
        return new InnerAddress(0, MAPPED | bits & 0xffffffffL);
    }

    /** The IPv4 address of the same node, unless another node has it on this host. */
    public InnerAddress v4() {
        return host4((int) (high << 48 >>> 42 | low >>> 58));
    }

    /** The next IPv4 address; the first one after the last. */
    InnerAddress next4() {
        return host4((int) low + 1 & HOST4_MAX);
    }

    /** Skips the network's own address and its broadcast address. */
    private static InnerAddress host4(int host) {
        return new InnerAddress(0, PREFIX4 | Math.clamp(host, 1, HOST4_MAX - 1));
    }

    /** Returns whether this is an IPv4 address. */
    public boolean isV4() {
        return isV4(high, low);
    }

    static boolean isV4(long high, long low) {
        return high == 0 && low >>> 32 == 0xffff;
    }

    /** Whether an IPv4 address is in 100.64.0.0/10. */
    static boolean isShared4(int bits) {
        return bits >>> HOST4_BITS == (int) PREFIX4 >>> HOST4_BITS;
    }

    /** The 32 bits of an IPv4 address. */
    int bits4() {
        return (int) low;
    }

    /** Whether this address, of either family, belongs to the network in which {@code other} is a node's IPv6 address. */
    public boolean isNeighbourOf(InnerAddress other) {
        return other.isNeighbour(high, low);
    }

    /** The same for an address by its two halves, with this node's IPv6 address as the reference. */
    public boolean isNeighbour(long otherHigh, long otherLow) {
        return isV4(otherHigh, otherLow)
                ? otherLow >>> HOST4_BITS == PREFIX4 >>> HOST4_BITS
                : (otherHigh ^ high) >>> 16 == 0;
    }

    /**
     * The position in the DHT near which its node is found, and the key of its endpoint's records: the 80 or 22 known bits,
     * then zeros.
     */
    public Id position() {
        if (isV4()) return new Id(low << 64 - HOST4_BITS, 0, 0, 0);
        return new Id(high << 48 | low >>> 16, low << 48, 0, 0);
    }

    /** The 4 or 16 bytes. */
    public byte[] bytes() {
        return new Address(high, low, 0).ip();
    }

    @Override
    public String toString() {
        return new Address(high, low, 0).host();
    }
}
