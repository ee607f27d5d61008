package mcc.congestion;

/**
 * What one acknowledgement tells about the path (draft-ietf-ccwg-bbr, section on delivery rate samples). A single object is
 * reused: valid only during a call.
 */
public final class RateSample {
    /** Bytes per second; 0 when no sample could be taken. */
    long rateBytesPerSecond;
    /** Whether the application limited the rate when the newest acknowledged packet was sent. */
    boolean appLimited;
    /** Bytes delivered on the link when that packet was sent. */
    long priorDelivered;
    /** Bytes in flight just after that packet was sent. */
    long txInFlightBytes;
    /** Bytes lost since that packet was sent. */
    long lostSinceSentBytes;
    /** Bytes delivered on the link now. */
    long delivered;
    /** Bytes and packets that this acknowledgement covers for the first time. */
    long ackedBytes;

    int ackedPackets;
    /** Bytes and packets declared lost by it. */
    long lostBytes;

    int lostPackets;
    /** The round-trip time of the newest packet, acknowledgement delay included; 0 when unknown. */
    long rttNs;
}
