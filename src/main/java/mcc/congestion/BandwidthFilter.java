package mcc.congestion;

/**
 * The most that the path delivered during this bandwidth-probing cycle and the one before: draft-ietf-ccwg-bbr's max_bw.
 * Its time is counted in cycles, so that a long pause makes nothing forgotten.
 */
final class BandwidthFilter {
    private long current;
    private long previous;

    /** Takes a sample; one taken while the application set the pace counts only when it raises the maximum. */
    void add(long rate, boolean appLimited) {
        if (appLimited && rate < max()) return;
        current = Math.max(current, rate);
    }

    /** A cycle is over. */
    void advance() {
        if (current == 0) return;
        previous = current;
        current = 0;
    }

    long max() {
        return Math.max(current, previous);
    }
}
