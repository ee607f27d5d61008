package mcc.sim;

import java.util.Locale;

/**
 * What the simulated world is like.
 *
 * @param fidelity how real the links are
 * @param lossPpm how many of a million messages or datagrams are lost, each way
 * @param minLatencyMs least one-way latency of a pair of nodes, and {@code maxLatencyMs} most; give or take a tenth each time
 * @param churnMedianMin median life of a node, in minutes; it comes back one to five minutes later; 0 for no churn
 * @param stallPpm after how many of a million messages within a node the reader stalls for up to 50 ms
 * @param bucketLimit how many contacts the checker allows in a bucket: k, or less to prove that the checker notices
 */
public record Options(
        Fidelity fidelity,
        int lossPpm,
        int minLatencyMs,
        int maxLatencyMs,
        int churnMedianMin,
        int stallPpm,
        Faults faults,
        int bucketLimit) {
    /** How real the links are. */
    public enum Fidelity {
        /** Links are latency and loss; messages are passed as values. */
        MESSAGES,
        /** The shipped links, with real keys and bytes. */
        PACKETS
    }

    /** Contacts in a full bucket. */
    static final int K = 16;

    /** An ordinary network: 1 % loss, 50 to 200 ms, a median life of an hour, few faults. */
    public static Options defaults() {
        return new Options(Fidelity.MESSAGES, 10_000, 50, 200, 60, 1_000, Faults.usual(), K);
    }

    /** Refuses values that are out of range. */
    public Options {
        if (lossPpm < 0 || lossPpm > 1_000_000) throw new IllegalArgumentException("lossPpm is 0 to 1000000");
        if (minLatencyMs < 1 || maxLatencyMs < minLatencyMs)
            throw new IllegalArgumentException("no range of latencies");
        if (churnMedianMin < 0) throw new IllegalArgumentException("churnMedianMin is at least 0");
        if (stallPpm < 0 || stallPpm > 500_000) throw new IllegalArgumentException("stallPpm is 0 to 500000");
    }

    /**
     * Returns the command-line arguments that these options need, each after a blank: only those that differ from
     * {@code usual}.
     */
    String arguments(Options usual) {
        StringBuilder out = new StringBuilder();
        if (fidelity != usual.fidelity) {
            out.append(" --fidelity ").append(fidelity.name().toLowerCase(Locale.ROOT));
        }
        say(out, "loss-ppm", lossPpm, usual.lossPpm, "");
        say(out, "latency-min", minLatencyMs, usual.minLatencyMs, "ms");
        say(out, "latency-max", maxLatencyMs, usual.maxLatencyMs, "ms");
        say(out, "churn-median-min", churnMedianMin, usual.churnMedianMin, "");
        say(out, "stall-ppm", stallPpm, usual.stallPpm, "");
        Faults ours = faults;
        Faults theirs = usual.faults;
        say(out, "liars-permille", ours.liarsPermille(), theirs.liarsPermille(), "");
        say(out, "one-way-permille", ours.oneWayPermille(), theirs.oneWayPermille(), "");
        say(out, "stale-address-permille", ours.staleAddressPermille(), theirs.staleAddressPermille(), "");
        say(out, "dead-bootstraps-permille", ours.deadBootstrapsPermille(), theirs.deadBootstrapsPermille(), "");
        say(out, "cut-off-permille", ours.cutOffPermille(), theirs.cutOffPermille(), "");
        return out.toString();
    }

    private static void say(StringBuilder out, String name, int value, int usual, String unit) {
        if (value != usual)
            out.append(" --").append(name).append(' ').append(value).append(unit);
    }

    Options with(Fidelity other) {
        return new Options(other, lossPpm, minLatencyMs, maxLatencyMs, churnMedianMin, stallPpm, faults, bucketLimit);
    }

    Options with(Faults other) {
        return new Options(fidelity, lossPpm, minLatencyMs, maxLatencyMs, churnMedianMin, stallPpm, other, bucketLimit);
    }

    Options withoutChurn() {
        return new Options(fidelity, lossPpm, minLatencyMs, maxLatencyMs, 0, stallPpm, faults, bucketLimit);
    }

    Options withBucketLimit(int limit) {
        return new Options(fidelity, lossPpm, minLatencyMs, maxLatencyMs, churnMedianMin, stallPpm, faults, limit);
    }
}
