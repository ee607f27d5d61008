package mcc.congestion;

/**
 * The highest delivery rate of this bandwidth-probing cycle and the previous one: max_bw of draft-ietf-ccwg-bbr. Age is
 * counted in cycles, so a long pause does not make it forget.
 */
final class BandwidthFilter {
    private long current;
    private long previous;

    /** Takes a sample; one that was limited by the application counts only if it raises the maximum. */
    void add(long rate, boolean appLimited) {
        if (appLimited && rate < max()) return;
        current = Math.max(current, rate);
    }

    /** Begins a new cycle. */
    void advance() {
        if (current == 0) return;
        previous = current;
        current = 0;
    }

    long max() {
        return Math.max(current, previous);
    }
}
