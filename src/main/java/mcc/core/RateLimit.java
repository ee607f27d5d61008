package mcc.core;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A token bucket for each who asks: so many things a second, and so many at once after a rest.
 *
 * @param <K> tells who asks
 */
public final class RateLimit<K> {
    private static final long SECOND_NS = 1_000_000_000L;

    private static final class Bucket {
        long left;
        long atNs;

        Bucket(long left, long nowNs) {
            this.left = left;
            atNs = nowNs;
        }
    }

    private final int perSecond;
    private final int burst;
    private final int keysMax;
    private final Map<K, Bucket> buckets = new LinkedHashMap<>(16, 0.75f, true);

    /**
     * @param perSecond what each may do in a second
     * @param burst what it may do at once after a rest
     * @param keysMax buckets kept; the one unheard for longest is forgotten, and is full when its owner comes back
     */
    public RateLimit(int perSecond, int burst, int keysMax) {
        this.perSecond = perSecond;
        this.burst = burst;
        this.keysMax = keysMax;
    }

    /** Returns whether one may do one thing more now; counts it if so. */
    public boolean take(long nowNs, K who) {
        Bucket bucket = bucket(nowNs, who);
        if (bucket.left < SECOND_NS) return false;
        bucket.left -= SECOND_NS;
        return true;
    }

    /** Lets one do so many things more, up to what it may do at once. */
    public void give(long nowNs, K who, int things) {
        Bucket bucket = bucket(nowNs, who);
        bucket.left = Math.min(burst * SECOND_NS, bucket.left + things * SECOND_NS);
    }

    private Bucket bucket(long nowNs, K who) {
        long full = burst * SECOND_NS;
        Bucket bucket = buckets.computeIfAbsent(who, _ -> new Bucket(full, nowNs));
        if (buckets.size() > keysMax) buckets.remove(buckets.keySet().iterator().next());
        long passedNs = Math.min(nowNs - bucket.atNs, full / perSecond);
        bucket.left = Math.min(full, bucket.left + passedNs * perSecond);
        bucket.atNs = nowNs;
        return bucket;
    }

    /** Buckets kept now. */
    int size() {
        return buckets.size();
    }
}
