package mcc.core;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A token bucket per key: a limit of actions per second, and of actions at once after a pause.
 *
 * @param <K> the key, whoever is limited
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
     * @param perSecond actions that a key may take per second
     * @param burst actions at once after a pause
     * @param keysMax buckets kept; the least recently used one is forgotten, and full again when its key returns
     */
    public RateLimit(int perSecond, int burst, int keysMax) {
        this.perSecond = perSecond;
        this.burst = burst;
        this.keysMax = keysMax;
    }

    /** Returns whether a key may take one more action now; if so, counts it. */
    public boolean take(long nowNs, K who) {
        Bucket bucket = bucket(nowNs, who);
        if (bucket.left < SECOND_NS) return false;
        bucket.left -= SECOND_NS;
        return true;
    }

    /** Gives a key more actions, up to the burst. */
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
