package mcc.congestion;

/**
 * The path's round-trip time without queue, with two windows (draft-ietf-ccwg-bbr): the model uses the least of ten seconds;
 * if the least of five seconds was not met again, the flight must be reduced to measure it.
 */
final class MinRtt {
    private static final long WINDOW_NS = 10_000_000_000L;
    private static final long PROBE_INTERVAL_NS = 5_000_000_000L;

    private long minNs = Long.MAX_VALUE;
    private long stampNs;
    private long recentNs = Long.MAX_VALUE;
    private long recentStampNs;
    private boolean expired;

    /** Takes the round-trip time of the newest acknowledged packet; 0 if there is none. */
    void update(long nowNs, long rttNs) {
        expired = recentNs != Long.MAX_VALUE && nowNs > recentStampNs + PROBE_INTERVAL_NS;
        if (rttNs > 0 && (rttNs < recentNs || expired)) {
            recentNs = rttNs;
            recentStampNs = nowNs;
        } else if (rttNs > 0 && rttNs <= recentNs + recentNs / 64) {
            recentStampNs = nowNs;
        }
        if (recentNs < minNs || nowNs > stampNs + WINDOW_NS) {
            minNs = recentNs;
            stampNs = recentStampNs;
        } else if (recentNs <= minNs + minNs / 64) {
            stampNs = recentStampNs;
        }
    }

    /** The flight was reduced for a measurement: the next one is due after an interval. */
    void onProbed(long nowNs) {
        recentStampNs = nowNs;
    }

    boolean isExpired() {
        return expired;
    }

    boolean isKnown() {
        return minNs != Long.MAX_VALUE;
    }

    /** Returns it in nanoseconds; a huge number while it is unknown. */
    long ns() {
        return minNs;
    }

    /** Returns whether a round with this least round-trip time met a standing queue. */
    boolean isQueue(long rttNs) {
        return isKnown() && rttNs != Long.MAX_VALUE && rttNs > minNs + minNs / 20 + 2_000_000;
    }
}
