package mcc.link;

import mcc.core.Address;

/** Where datagrams go. Two implementations: the node's UDP socket and the simulator's network. */
public interface PacketSink {
    /** Returns whether it takes more now; a full socket says so again when it has drained. */
    boolean ready();

    /** Takes one datagram; the bytes are borrowed until return. */
    void send(Address to, byte[] buf, int offset, int length);
}
