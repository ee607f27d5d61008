package mcc.sim;

/**
 * What the simulated world is like.
 *
 * @param lossPpm of messages, each way
 * @param minLatencyMs least one-way latency of a link, and {@code maxLatencyMs} most; each pair of nodes keeps its own, give
 *     or take a tenth
 * @param churnMedianMin median life of a node, in minutes; it comes back one to five minutes after; 0 for no churn
 * @param bucketLimit what the checker allows a bucket: k, or less where it is to prove that it can see
 */
public record Options(int lossPpm, int minLatencyMs, int maxLatencyMs, int churnMedianMin, int bucketLimit) {
    /** 1 % loss, 50 to 200 ms, a median life of an hour. */
    public static Options defaults() {
        return new Options(10_000, 50, 200, 60, 16);
    }

    /** Refuses what no world can be. */
    public Options {
        if (lossPpm < 0 || lossPpm > 1_000_000) throw new IllegalArgumentException("lossPpm is 0 to 1000000");
        if (minLatencyMs < 1 || maxLatencyMs < minLatencyMs)
            throw new IllegalArgumentException("no range of latencies");
        if (churnMedianMin < 0) throw new IllegalArgumentException("churnMedianMin is at least 0");
    }

    /** Returns what the command line must say of it, each after a blank: nothing of what is the default. */
    String arguments() {
        Options usual = defaults();
        StringBuilder out = new StringBuilder();
        if (lossPpm != usual.lossPpm) out.append(" --loss-ppm ").append(lossPpm);
        if (minLatencyMs != usual.minLatencyMs)
            out.append(" --latency-min ").append(minLatencyMs).append("ms");
        if (maxLatencyMs != usual.maxLatencyMs)
            out.append(" --latency-max ").append(maxLatencyMs).append("ms");
        if (churnMedianMin != usual.churnMedianMin)
            out.append(" --churn-median-min ").append(churnMedianMin);
        return out.toString();
    }

    Options withBucketLimit(int limit) {
        return new Options(lossPpm, minLatencyMs, maxLatencyMs, churnMedianMin, limit);
    }
}
