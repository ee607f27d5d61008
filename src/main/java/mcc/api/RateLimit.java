package mcc.api;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A token bucket per caller, for what makes this node ask many others: {@value #PER_SECOND} a second, and
 * {@value #BURST} at once. That is more than a node on two cores gets done, so a test of its load is never held back;
 * a program that runs wild no longer fills the queues that others wait in.
 */
final class RateLimit {
    /** What a caller may do each second. */
    static final int PER_SECOND = 1_000;
    /** What it may do at once after a rest. */
    static final int BURST = 5_000;
    /** Callers remembered; the one unheard for longest is forgotten, and has a full bucket when it comes back. */
    static final int CALLERS_MAX = 1_024;

    private static final long SECOND_NS = 1_000_000_000L;
    private static final long FULL = BURST * SECOND_NS;

    private static final class Bucket {
        long left = FULL;
        long atNs;

        Bucket(long nowNs) {
            atNs = nowNs;
        }
    }

    private final Map<String, Bucket> buckets = new LinkedHashMap<>(16, 0.75f, true);

    /** Returns whether a caller may do one thing more now; counts it if so. */
    boolean take(long nowNs, String caller) {
        Bucket bucket = buckets.computeIfAbsent(caller, _ -> new Bucket(nowNs));
        if (buckets.size() > CALLERS_MAX)
            buckets.remove(buckets.keySet().iterator().next());
        long passedNs = Math.min(nowNs - bucket.atNs, BURST * SECOND_NS / PER_SECOND);
        bucket.left = Math.min(FULL, bucket.left + passedNs * PER_SECOND);
        bucket.atNs = nowNs;
        if (bucket.left < SECOND_NS) return false;
        bucket.left -= SECOND_NS;
        return true;
    }

    /** Callers remembered now. */
    int callers() {
        return buckets.size();
    }
}
