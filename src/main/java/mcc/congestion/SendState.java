package mcc.congestion;

/** What congestion control remembers of one sent packet until it is acknowledged or lost. May be used again after that. */
public final class SendState {
    long sentNs;
    int bytes;
    /** Bytes delivered on the link when this was sent. */
    long delivered;
    /** When the newest of them was acknowledged. */
    long deliveredNs;
    /** When the first packet of the flight that this belongs to was sent. */
    long firstSentNs;
    /** Bytes in flight, this packet included. */
    long txInFlightBytes;
    /** Bytes lost on the link when this was sent. */
    long lost;
    /** Bytes lost between its sending and its own loss, itself included; set when it is declared lost. */
    long lostSinceSentBytes;
    /** Whether the application, not the path, set the pace. */
    boolean appLimited;

    /** Returns when it was sent. */
    public long sentNs() {
        return sentNs;
    }

    /** Returns its size. */
    public int bytes() {
        return bytes;
    }
}
