package mcc.core;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A token bucket per key: a limit of actions per second, and of actions at once after a pause. A bucket that is full again is as
 * good as none, so it is forgotten when another key comes and this one was idle for longest.
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
        Bucket bucket = buckets.get(who);
        if (bucket == null) {
            forget(nowNs);
            bucket = new Bucket(full, nowNs);
            buckets.put(who, bucket);
        }
        bucket.left = left(bucket, nowNs);
        bucket.atNs = nowNs;
        return bucket;
    }

    private long left(Bucket bucket, long nowNs) {
        long full = burst * SECOND_NS;
        long passedNs = Math.min(nowNs - bucket.atNs, full / perSecond + 1);
        return Math.min(full, bucket.left + passedNs * perSecond);
    }

    /** Makes room for another bucket. */
    private void forget(long nowNs) {
        long full = burst * SECOND_NS;
        Iterator<Bucket> eldest = buckets.values().iterator();
        while (eldest.hasNext()) {
            boolean isFull = left(eldest.next(), nowNs) == full;
            if (!isFull && buckets.size() < keysMax) return;
            eldest.remove();
        }
    }

    /** Buckets kept now. */
    int size() {
        return buckets.size();
    }
}
