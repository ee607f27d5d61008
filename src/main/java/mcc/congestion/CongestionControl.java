package mcc.congestion;

/**
 * The rule that says how much may be in flight, and how fast it may be sent.
 *
 * <p>The order of calls for one acknowledgement: {@link #onLost} for each packet it shows to be lost, {@link #onCe} when
 * it reports new CE marks, then {@link #onAck} once. All bytes count whole packets that ask for an acknowledgement.
 */
public interface CongestionControl {
    /** The size of a packet before {@link #packetBytes} tells that of the path, in bytes. */
    int PACKET_BYTES = 1_200;

    /** Sets the size of a full packet on this path; may change while it is being found out. */
    void packetBytes(int bytes);

    /** A packet was sent; {@code inFlightBytes} is without it. */
    void onSent(long nowNs, SendState packet, long inFlightBytes);

    /** An acknowledgement covered something new; {@code inFlightBytes} is what is left. */
    void onAck(long nowNs, RateSample sample, long inFlightBytes, RttEstimator rtt);

    /**
     * A packet was declared lost.
     *
     * @param first whether it begins an episode of loss: it was sent after the last one began (RFC 9002 section 7.3.2)
     */
    void onLost(long nowNs, SendState packet, boolean first);

    /** All packets of the last episode turned out to have arrived: undo the answer to their loss. */
    void onSpuriousLoss(long nowNs);

    /** The path marked packets instead of dropping them; {@code sentNs} is when the newest acknowledged was sent. */
    void onCe(long nowNs, long sentNs);

    /** Nothing came through for three probe timeouts (RFC 9002 section 7.6). */
    void onPersistentCongestion();

    /** Returns how much may be in flight, in bytes. */
    long windowBytes();

    /** Returns the pace, in bytes per second. */
    long pacingRateBytesPerSecond();

    /** Returns how much may be sent back to back, in bytes. */
    long sendQuantumBytes();

    /** Returns the estimate of what the path delivers, in bytes per second. */
    long bandwidthBytesPerSecond();
}
