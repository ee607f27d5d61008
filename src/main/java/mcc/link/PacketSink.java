package mcc.link;

import mcc.core.Address;

/** Where datagrams go. Two implementations: the node's UDP socket and the simulator's network. */
@FunctionalInterface
public interface PacketSink {
    /** No local end in particular: the host chooses one. */
    int ANY = 0;

    /** The numbers of ephemeral ends, which live for a test or for one peer, begin here; smaller ones are of the main ends. */
    int EPHEMERAL = 1 << 16;

    /** Returns whether a number is, or was, that of an ephemeral end. */
    static boolean isEphemeral(int local) {
        return local >= EPHEMERAL;
    }

    /** Returns whether it takes more now; a full socket does again once it has drained. A sink without a limit always does. */
    default boolean ready() {
        return true;
    }

    /**
     * Separates the datagrams before this call from those after it: they are not sent in one super-packet. Called around
     * probes of the path MTU: bridges let a super-packet pass however long its segments are.
     */
    default void cut() {}

    /** Takes one datagram; the bytes are borrowed until return. */
    void send(Address to, byte[] buf, int offset, int length);

    /**
     * Sends one datagram that passes this host's own NAT and ends on the way, as its TTL is small: it makes the NAT let in what
     * comes from there, and takes no effect at the other end. A sink that cannot do that sends nothing.
     */
    default void sendShort(int local, Address to, byte[] buf, int offset, int length) {}

    /**
     * The same with an ECN mark (RFC 3168 section 5), for sinks that can set one.
     *
     * @param ecn 0 to 3
     */
    default void send(Address to, byte[] buf, int offset, int length, int ecn) {
        send(to, buf, offset, length);
    }

    /**
     * The same from a given local end, for sinks with several.
     *
     * @param local the number that a datagram came with ({@link Links#receive}), or {@link #ANY}
     */
    default void send(int local, Address to, byte[] buf, int offset, int length, int ecn) {
        send(to, buf, offset, length, ecn);
    }
}
