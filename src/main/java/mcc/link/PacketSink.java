package mcc.link;

import mcc.core.Address;

/** Where datagrams go. Two implementations: the node's UDP socket and the simulator's network. */
@FunctionalInterface
public interface PacketSink {
    /** No local end in particular: the host chooses. */
    int ANY = 0;

    /** Returns whether it takes more now; a full socket says so again when it has drained. Without bounds it always does. */
    default boolean ready() {
        return true;
    }

    /**
     * What was taken and what comes travel apart: a probe of length does not ride in a super-packet, which bridges let pass
     * however long its pieces are.
     */
    default void cut() {}

    /** Takes one datagram; the bytes are borrowed until return. */
    void send(Address to, byte[] buf, int offset, int length);

    /**
     * The same with a mark of explicit congestion notification (RFC 3168 section 5), for who can.
     *
     * @param ecn 0 to 3
     */
    default void send(Address to, byte[] buf, int offset, int length, int ecn) {
        send(to, buf, offset, length);
    }

    /**
     * The same from one end of this host's, for who has several.
     *
     * @param local the number that a datagram came with ({@link Links#receive}); {@link #ANY} for any
     */
    default void send(int local, Address to, byte[] buf, int offset, int length, int ecn) {
        send(to, buf, offset, length, ecn);
    }
}
