package mcc.congestion;

/**
 * How much more is acknowledged at a time than the path's rate explains: extra_acked of draft-ietf-ccwg-bbr. The flight may
 * exceed its target by that much, so that the path does not run dry between two bursts of acknowledgements.
 */
final class AckAggregation {
    private static final int ROUNDS = 10;

    private final long[] most = new long[ROUNDS];
    private long round;
    private long startNs = -1;
    private long deliveredBytes;
    private long extraBytes;

    /** Starts a new interval: one without anything in flight tells nothing. */
    void restart(long nowNs) {
        startNs = nowNs;
        deliveredBytes = 0;
    }

    /**
     * Takes an acknowledgement.
     *
     * @param filled whether the path was ever full; until then only two rounds count and twice the rate is expected, or the
     *     doubling of the rate in Startup would count as a burst
     */
    void onAck(long nowNs, long ackedBytes, long bandwidth, long windowBytes, long roundCount, boolean filled) {
        if (startNs < 0) startNs = nowNs;
        double expected = (filled ? 1 : 2) * bandwidth * ((nowNs - startNs) / 1e9);
        if (deliveredBytes <= expected) {
            restart(nowNs);
            expected = 0;
        }
        deliveredBytes += ackedBytes;
        long extra = Math.min(windowBytes, (long) (deliveredBytes - expected));
        if (roundCount != round) {
            for (long r = Math.max(round + 1, roundCount - ROUNDS + 1); r <= roundCount; r++)
                most[(int) (r % ROUNDS)] = 0;
            round = roundCount;
        }
        int at = (int) (round % ROUNDS);
        most[at] = Math.max(most[at], extra);
        extraBytes = 0;
        if (!filled) extraBytes = Math.max(most[at], round == 0 ? 0 : most[(int) ((round - 1) % ROUNDS)]);
        else for (long m : most) extraBytes = Math.max(extraBytes, m);
    }

    long extraBytes() {
        return extraBytes;
    }
}
