package mcc.dht;

import java.util.Arrays;
import java.util.LinkedHashMap;
import mcc.core.Id;

/**
 * How far our clock is from other nodes' clocks: the last difference of each node, and their median, so that a few nodes cannot
 * decide it. With fewer than three nodes the least difference counts.
 */
final class Clocks {
    /** Nodes remembered. */
    private static final int NODES = 64;
    /** An answer that took longer than this says too little about the clock. */
    private static final long SLOWEST_NS = 5 * DhtConfig.SECOND;
    /** A difference is reported once it reaches the first figure, and is over once it falls below the second. */
    private static final long TELL_MS = 60_000;

    private static final long FORGET_MS = 30_000;

    private final Shared shared;
    private final LinkedHashMap<Id, Long> aheadMs = new LinkedHashMap<>();
    private long toldMs;

    Clocks(Shared shared) {
        this.shared = shared;
    }

    /**
     * A node's clock read {@code epochMs} about half of {@code rttNs} ago. It counts for nothing before our own clock is known.
     *
     * @param epochMs 0 if the node did not say
     */
    void heard(Id node, long epochMs, long rttNs) {
        if (epochMs <= 0 || shared.epochMs() == 0 || rttNs > SLOWEST_NS) return;
        long ahead = shared.epochMs() - rttNs / 2 / DhtConfig.MS - epochMs;
        aheadMs.remove(node);
        if (aheadMs.size() == NODES) aheadMs.pollFirstEntry();
        aheadMs.put(node, ahead);
        // A clock that agrees with ours cannot move the median away from ours.
        if (toldMs != 0 || Math.abs(ahead) >= TELL_MS) judge();
    }

    /** Our clock was set, or this machine slept: earlier differences are void. */
    void forget() {
        aheadMs.clear();
    }

    private void judge() {
        long ahead = ahead();
        boolean told = toldMs != 0;
        if (told && Math.abs(ahead) < FORGET_MS) ahead = 0;
        else if (!told && Math.abs(ahead) < TELL_MS || told && Math.abs(ahead - toldMs) < FORGET_MS) return;
        toldMs = ahead;
        shared.emit(new Dht.Output.ClockOff(ahead, aheadMs.size()));
    }

    private long ahead() {
        long[] sorted = aheadMs.values().stream().mapToLong(Long::longValue).toArray();
        if (sorted.length == 0) return 0;
        Arrays.sort(sorted);
        if (sorted.length > 2) return sorted[sorted.length / 2];
        long first = sorted[0];
        long last = sorted[sorted.length - 1];
        return Math.abs(first) < Math.abs(last) ? first : last;
    }
}
