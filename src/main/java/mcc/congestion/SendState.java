package mcc.congestion;

/** What congestion control remembers of a sent packet until it is acknowledged or lost; may then be reused. */
public final class SendState {
    long sentNs;
    int bytes;
    /** Bytes delivered on the link when this packet was sent. */
    long delivered;
    /** When the newest of them was acknowledged. */
    long deliveredNs;
    /** When the first packet of this packet's flight was sent. */
    long firstSentNs;
    /** Bytes in flight, including this packet. */
    long txInFlightBytes;
    /** Bytes lost on the link when this packet was sent. */
    long lost;
    /** Bytes lost between its sending and its own loss, including itself; set when it is declared lost. */
    long lostSinceSentBytes;
    /** Whether the application, not the path, limited the rate. */
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
