package mcc.congestion;

/**
 * Samples the rate at which the path delivers: the bytes delivered between the sending of a packet and its acknowledgement,
 * divided by the longer of the time in which they were sent and the time in which they were acknowledged.
 *
 * <p>Source: draft-ietf-ccwg-bbr, section "Delivery Rate Sampling Algorithm".
 */
public final class DeliveryRate {
    private static final double SECOND = 1e9;

    private final RateSample sample = new RateSample();
    private long delivered;
    private long deliveredNs;
    private long firstSentNs;
    private long lost;
    /** Samples are limited by the application until this much is delivered; 0 if they are not. */
    private long appLimitedUntil;

    private long newestSentNs = -1;
    private long newestDelivered;
    private long intervalNs;

    /** Notes a packet that is being sent. */
    public void onSent(long nowNs, SendState packet, int bytes, long inFlightBytes) {
        if (inFlightBytes == 0) {
            firstSentNs = nowNs;
            deliveredNs = nowNs;
        }
        packet.sentNs = nowNs;
        packet.bytes = bytes;
        packet.delivered = delivered;
        packet.deliveredNs = deliveredNs;
        packet.firstSentNs = firstSentNs;
        packet.txInFlightBytes = inFlightBytes + bytes;
        packet.lost = lost;
        packet.appLimited = appLimitedUntil != 0;
    }

    /** Starts the sample of one acknowledgement. */
    public void beginAck() {
        newestSentNs = -1;
        sample.rateBytesPerSecond = 0;
        sample.ackedBytes = 0;
        sample.ackedPackets = 0;
        sample.lostBytes = 0;
        sample.lostPackets = 0;
        sample.rttNs = 0;
    }

    /** Adds a packet that the acknowledgement covers for the first time. */
    public void onAcked(long nowNs, SendState packet) {
        delivered += packet.bytes;
        deliveredNs = nowNs;
        sample.ackedBytes += packet.bytes;
        sample.ackedPackets++;
        if (packet.sentNs < newestSentNs || packet.delivered < newestDelivered) return;
        newestSentNs = packet.sentNs;
        newestDelivered = packet.delivered;
        sample.priorDelivered = packet.delivered;
        sample.appLimited = packet.appLimited;
        sample.txInFlightBytes = packet.txInFlightBytes;
        sample.lostSinceSentBytes = lost - packet.lost;
        sample.rttNs = nowNs - packet.sentNs;
        intervalNs = Math.max(packet.sentNs - packet.firstSentNs, deliveredNs - packet.deliveredNs);
        firstSentNs = packet.sentNs;
    }

    /** Adds a packet declared lost. */
    public void onLost(SendState packet) {
        lost += packet.bytes;
        packet.lostSinceSentBytes = lost - packet.lost;
        sample.lostBytes += packet.bytes;
        sample.lostPackets++;
    }

    /** Completes the sample, which is valid until the next {@link #beginAck}. */
    public RateSample finishAck(long minRttNs) {
        if (appLimitedUntil != 0 && delivered > appLimitedUntil) appLimitedUntil = 0;
        sample.delivered = delivered;
        if (newestSentNs >= 0 && intervalNs > 0 && intervalNs >= minRttNs) {
            sample.rateBytesPerSecond = (long) ((delivered - sample.priorDelivered) * SECOND / intervalNs);
        }
        return sample;
    }

    /** Notes that there is nothing to send although the path would take more. */
    public void onAppLimited(long inFlightBytes) {
        appLimitedUntil = Math.max(1, delivered + inFlightBytes);
    }
}
