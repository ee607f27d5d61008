package mcc.tun;

import java.nio.charset.StandardCharsets;
import mcc.core.Address;
import mcc.core.Id;
import mcc.crypto.Sha256;

/**
 * The IPv6 address of a node inside the overlay: {@code fd}, 40 bits of SHA-256 of the network's name, 80 bits of SHA-256 of
 * the node's ID (RFC 4193 section 3.2.2 with hashes for its random numbers).
 *
 * @param high the upper 64 bits
 * @param low the lower 64 bits
 */
public record InnerAddress(long high, long low) {
    /** Length of the prefix that all nodes of a network share, in bits. */
    public static final int PREFIX_BITS = 48;

    /** The address of a node. */
    public static InnerAddress of(String network, Id node) {
        Id place = Sha256.id(node.toBytes());
        long high = prefix(network) | place.w0() >>> 48;
        return new InnerAddress(high, place.w0() << 16 | place.w1() >>> 48);
    }

    private static long prefix(String network) {
        Id hash = Sha256.id(network.getBytes(StandardCharsets.UTF_8));
        return 0xfdL << 56 | hash.w0() >>> 24 << 16;
    }

    /** Returns whether this address has the other's network prefix. */
    public boolean isNeighbourOf(InnerAddress other) {
        return (high ^ other.high) >>> 16 == 0;
    }

    /** The position in the DHT next to which its node is found: the 80 known bits, then zeros. */
    public Id position() {
        return new Id(high << 48 | low >>> 16, low << 48, 0, 0);
    }

    /** The 16 bytes. */
    public byte[] bytes() {
        byte[] out = new byte[16];
        for (int i = 0; i < 8; i++) {
            out[i] = (byte) (high >>> 56 - 8 * i);
            out[8 + i] = (byte) (low >>> 56 - 8 * i);
        }
        return out;
    }

    @Override
    public String toString() {
        return new Address(high, low, 0).host();
    }
}
