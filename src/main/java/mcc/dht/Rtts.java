package mcc.dht;

import java.util.Arrays;

/**
 * How long to wait for a peer never measured: percentiles of the last 128 round trips to any peer. For measured peers see
 * {@link Entry}.
 */
final class Rtts {
    private static final int SAMPLES = 128;
    private static final int FRESH = 8;

    private final long[] ring;
    private final long minNs;
    private final long maxNs;
    private int count;
    private int sinceSort;
    private long p85Ns;
    private long p95Ns;

    Rtts(long minNs, long maxNs) {
        this.minNs = minNs;
        this.maxNs = maxNs;
        ring = new long[SAMPLES];
        p85Ns = Math.max(minNs, maxNs / 3);
        p95Ns = maxNs;
    }

    void add(long rttNs) {
        ring[count++ % SAMPLES] = rttNs;
        if (++sinceSort < FRESH) return;
        sinceSort = 0;
        int n = Math.min(count, SAMPLES);
        long[] sorted = Arrays.copyOf(ring, n);
        Arrays.sort(sorted);
        p85Ns = clamp(sorted[(n - 1) * 85 / 100]);
        p95Ns = clamp(sorted[(n - 1) * 95 / 100] * 5 / 4);
        if (count == Integer.MAX_VALUE) count = SAMPLES;
    }

    /** After this long an unmeasured peer is slow. */
    long slowNs() {
        return p85Ns;
    }

    /** After this long an unmeasured peer has failed. */
    long timeoutNs() {
        return p95Ns;
    }

    long clamp(long ns) {
        return Math.clamp(ns, minNs, maxNs);
    }
}
