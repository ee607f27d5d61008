package mcc.udp;

import mcc.core.Address;

/** What a socket tells its owner, on the packet loop. */
public interface DatagramHandler {
    /**
     * @param local the address of this host that it came to, by its number in {@link LocalEnds}
     * @param ecn the ECN bits that it arrived with (RFC 3168 section 5); 0 where the socket cannot tell
     */
    void onDatagram(byte[] buf, int offset, int length, Address from, int local, int ecn);

    /** All datagrams of a batch were handed over, or the socket can send again. */
    void onTurn();

    /** An ICMP error said that nobody listens at an address that we sent to; who sent the error is unknown. */
    default void onRefused(Address at) {}

    /** Handling a datagram threw an exception, which must never happen. */
    void onFailure(Throwable cause);
}
