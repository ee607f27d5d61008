package mcc.congestion;

/** The round-trip time of a path, estimated as in RFC 9002 section 5. */
public final class RttEstimator {
    /** RFC 9002 section 6.2.2. */
    public static final long INITIAL_NS = 333_000_000;
    /** RFC 9002 section 6.1.2. */
    public static final long GRANULARITY_NS = 1_000_000;

    private long latestNs;
    private long minNs;
    private long smoothedNs;
    private long varianceNs;
    private boolean sampled;

    /** Creates an estimator without samples. */
    public RttEstimator() {
        reset();
    }

    /** Forgets all samples, as the path has changed. */
    public void reset() {
        sampled = false;
        latestNs = 0;
        minNs = 0;
        smoothedNs = INITIAL_NS;
        varianceNs = INITIAL_NS / 2;
    }

    /** Adds a sample; {@code ackDelayNs} is the delay that the peer reported, limited to what it may wait. */
    public void add(long rttNs, long ackDelayNs) {
        latestNs = Math.max(1, rttNs);
        if (!sampled) {
            sampled = true;
            minNs = latestNs;
            smoothedNs = latestNs;
            varianceNs = latestNs / 2;
            return;
        }
        minNs = Math.min(minNs, latestNs);
        long adjustedNs = latestNs >= minNs + ackDelayNs ? latestNs - ackDelayNs : latestNs;
        varianceNs = (3 * varianceNs + Math.abs(smoothedNs - adjustedNs)) / 4;
        smoothedNs = (7 * smoothedNs + adjustedNs) / 8;
    }

    /** Returns whether there is a sample. */
    public boolean isSampled() {
        return sampled;
    }

    /** Returns the least round-trip time seen; 0 before the first sample. */
    public long minNs() {
        return minNs;
    }

    /** Returns the smoothed round-trip time; {@link #INITIAL_NS} before the first sample. */
    public long smoothedNs() {
        return smoothedNs;
    }

    /** Returns the newest sample; 0 before the first. */
    public long latestNs() {
        return latestNs;
    }

    /** Returns the probe timeout without back-off (RFC 9002 section 6.2.1). */
    public long ptoNs(long maxAckDelayNs) {
        return smoothedNs + Math.max(4 * varianceNs, GRANULARITY_NS) + maxAckDelayNs;
    }
}
