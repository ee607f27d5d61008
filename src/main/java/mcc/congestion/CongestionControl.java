package mcc.congestion;

/**
 * Decides how much may be in flight, and how fast it is sent.
 *
 * <p>For one acknowledgement the calls are, in this order: {@link #onLost} for each packet that it shows to be lost,
 * {@link #onCe} if it reports new CE marks, then {@link #onAck} once. Bytes always count whole packets that ask for an
 * acknowledgement.
 */
public interface CongestionControl {
    /** The packet size in bytes until {@link #packetBytes} sets that of the path. */
    int PACKET_BYTES = 1_200;

    /** Sets the size of a full packet on this path; may change while the path is probed. */
    void packetBytes(int bytes);

    /** A packet was sent; {@code inFlightBytes} does not include it. */
    void onSent(long nowNs, SendState packet, long inFlightBytes);

    /** An acknowledgement covered new packets; {@code inFlightBytes} is what is left. */
    void onAck(long nowNs, RateSample sample, long inFlightBytes, RttEstimator rtt);

    /**
     * A packet was declared lost.
     *
     * @param first whether it begins a new episode of loss, because it was sent after the last one began (RFC 9002 section
     *     7.3.2)
     */
    void onLost(long nowNs, SendState packet, boolean first);

    /** All packets of the last episode turned out to have arrived: undoes the response to their loss. */
    void onSpuriousLoss(long nowNs);

    /** The path marked packets instead of dropping them; {@code sentNs} is when the newest acknowledged packet was sent. */
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
