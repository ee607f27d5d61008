package mcc.udp;

import mcc.core.Address;

/** What the socket tells its owner, on the packet loop. */
public interface DatagramHandler {
    /**
     * @param local the end of this host's that it came to, of the socket's numbering
     * @param ecn the mark that it arrived with (RFC 3168 section 5); 0 where the socket cannot tell
     */
    void onDatagram(byte[] buf, int offset, int length, Address from, int local, int ecn);

    /** A batch was handed over, or the socket takes datagrams again. */
    void onTurn();

    /** The system was told that nobody listens at an address that was sent to; by whom, nobody knows. */
    default void onRefused(Address at) {}

    /** Taking a datagram threw, as nothing may. */
    void onFailure(Throwable cause);
}
