package mcc.congestion;

import java.util.Arrays;

/**
 * The share of packets that the path loses at random, learnt from rounds that built no queue. Loss up to this share is not
 * congestion.
 *
 * <p>The floor is the median of the last 16 such rounds, at most 20 %; it is unknown before the fourth. A round lost too much
 * if it lost at least 3 packets, and a share that exceeds the floor both by 2 % and by three standard deviations of a binomial
 * distribution. While the floor is unknown, 20 % is assumed, or 0 if there is a standing queue.
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

    /** Forgets, as the path may have changed. */
    void forget() {
        count = 0;
        floor = 0;
    }

    /** Returns whether a round lost more than random loss explains. */
    boolean isExceeded(int lost, int packets, boolean queued) {
        if (lost < 3) return false;
        double share = (double) lost / packets;
        double expected = count >= ROUNDS_NEEDED ? floor : queued ? 0 : MOST;
        double deviation = StrictMath.sqrt(expected * (1 - expected) / packets);
        return share > expected + Math.max(MARGIN, 3 * deviation);
    }
}
