package mcc.udp;

import java.nio.ByteBuffer;
import mcc.core.Address;
import mcc.link.PacketSink;
import org.jspecify.annotations.Nullable;

/**
 * Lets a program of this machine play the network: every datagram goes to its address, with where it is meant to go before it,
 * and comes from there, with where it came from before it. For demonstrations and tests. To be used on the packet loop.
 */
public final class Detour {
    /** What is before each datagram: an IPv6 address, or an IPv4 address mapped into one, and a port. */
    public static final int HEADER_BYTES = 18;

    private static final int DATAGRAM_MAX = 65_507;

    private final Address via;
    private final byte[] buffer = new byte[DATAGRAM_MAX];

    /** @param via where the program listens */
    public Detour(Address via) {
        this.via = via;
    }

    /** Writes an address as a header. */
    public static void write(Address address, byte[] into, int offset) {
        ByteBuffer.wrap(into, offset, HEADER_BYTES)
                .putLong(address.high())
                .putLong(address.low())
                .putShort((short) address.port());
    }

    /** Reads the address in a header; null if the datagram is too short to have one. */
    public static @Nullable Address read(byte[] from, int offset, int length) {
        if (length < HEADER_BYTES) return null;
        ByteBuffer header = ByteBuffer.wrap(from, offset, HEADER_BYTES);
        return new Address(header.getLong(), header.getLong(), header.getShort() & 0xffff);
    }

    /** Sends a datagram; one that is too long with its header is dropped, as by any network. */
    public void send(PacketSink sockets, int local, Address to, byte[] buf, int offset, int length, int ecn) {
        if (length > DATAGRAM_MAX - HEADER_BYTES) return;
        write(to, buffer, 0);
        System.arraycopy(buf, offset, buffer, HEADER_BYTES, length);
        sockets.send(local, via, buffer, 0, HEADER_BYTES + length, ecn);
    }

    /** Where a datagram came from that arrived from {@code from}; null if it did not come this way. */
    public @Nullable Address origin(byte[] buf, int offset, int length, Address from) {
        return from.equals(via) ? read(buf, offset, length) : null;
    }
}
