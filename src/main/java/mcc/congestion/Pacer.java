package mcc.congestion;

/**
 * A token bucket that spreads packets over time. Its depth is two milliseconds' worth, so that a host with timers of one
 * millisecond still sends at the full rate.
 */
public final class Pacer {
    private static final long MILLISECOND_NS = 1_000_000;
    private static final double SECOND = 1e9;

    private double creditBytes;
    private long filledNs;
    private boolean started;

    /** Returns whether a packet may be sent now. */
    public boolean allows(long nowNs, CongestionControl control) {
        long rate = control.pacingRateBytesPerSecond();
        double depth = Math.max((double) control.sendQuantumBytes(), rate / 500.0);
        if (!started) {
            started = true;
            creditBytes = Math.max(depth, 10.0 * CongestionControl.PACKET_BYTES);
        } else if (nowNs > filledNs) {
            creditBytes = Math.min(Math.max(depth, creditBytes), creditBytes + rate * ((nowNs - filledNs) / SECOND));
        }
        filledNs = nowNs;
        return creditBytes > 0;
    }

    /** Notes a packet that was sent, whether allowed or not. */
    public void onSent(int bytes) {
        creditBytes -= bytes;
    }

    /** Returns when the next packet may be sent, after a refusal at {@code nowNs}; at least a millisecond later. */
    public long releaseNs(long nowNs, CongestionControl control) {
        double waitNs = Math.ceil(-creditBytes * SECOND / control.pacingRateBytesPerSecond()) + 1;
        return nowNs + Math.max(MILLISECOND_NS, (long) waitNs);
    }
}
