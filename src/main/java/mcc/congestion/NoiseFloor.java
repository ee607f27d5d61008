package mcc.congestion;

import java.util.Arrays;

/**
 * The share of packets that the path loses however gently it is used, learnt from rounds that built no queue. Loss up to
 * it is the path's nature, not congestion.
 *
 * <p>The floor is the median of the last 16 such rounds, at most 20 %; it is unknown before the fourth. A round is lossy
 * beyond it when it lost at least 3 packets and its share is above the floor by both 2 % and three standard deviations of
 * a binomial draw. While the floor is unknown, it is taken for 20 %, or for nothing when a queue stands.
 */
final class NoiseFloor {
    private static final int ROUNDS = 16;
    private static final int ROUNDS_NEEDED = 4;
    private static final double MOST = 0.20;
    private static final double MARGIN = 0.02;

    private final double[] shares = new double[ROUNDS];
    private final double[] sorted = new double[ROUNDS];
    private int count;
    private double floor;

    /** Learns from a round without a standing queue. */
    void learn(int lost, int packets) {
        shares[count++ % ROUNDS] = (double) lost / packets;
        int known = Math.min(count, ROUNDS);
        System.arraycopy(shares, 0, sorted, 0, known);
        Arrays.sort(sorted, 0, known);
        floor = Math.min(MOST, sorted[known / 2]);
    }

    /** The path may have become another one. */
    void forget() {
        count = 0;
        floor = 0;
    }

    /** Returns whether a round lost more than the path's nature explains. */
    boolean isExceeded(int lost, int packets, boolean queued) {
        if (lost < 3) return false;
        double share = (double) lost / packets;
        double expected = count >= ROUNDS_NEEDED ? floor : queued ? 0 : MOST;
        double deviation = StrictMath.sqrt(expected * (1 - expected) / packets);
        return share > expected + Math.max(MARGIN, 3 * deviation);
    }
}
