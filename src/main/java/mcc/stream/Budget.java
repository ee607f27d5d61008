package mcc.stream;

import java.util.ArrayDeque;
import mcc.core.Counters;

/**
 * The memory that all connections of one node share: what they promised to take, or hold, beyond each one's first window,
 * and what their writers handed over. Whoever holds it gives it back; who is refused goes on with what he has.
 */
public final class Budget {
    /** Chunks that no connection uses now. */
    final ArrayDeque<byte[]> spare = new ArrayDeque<>();

    private final long limitBytes;
    private final Counters.Counter refused;
    private long usedBytes;

    /** Makes a budget of that many bytes. */
    public Budget(long limitBytes, Counters counters) {
        this.limitBytes = limitBytes;
        refused = counters.of("stream.budget.refused");
    }

    /** Takes all of it or nothing; returns whether it did. */
    boolean take(long bytes) {
        if (bytes > freeBytes()) {
            refused.add();
            return false;
        }
        usedBytes += bytes;
        return true;
    }

    /** Counts bytes that are there already: a writer is always given a little, and what can be read at once is taken. */
    void use(long bytes) {
        usedBytes += bytes;
    }

    void give(long bytes) {
        usedBytes -= bytes;
    }

    long freeBytes() {
        return Math.max(0, limitBytes - usedBytes);
    }

    /** Returns what is in use now. */
    public long usedBytes() {
        return usedBytes;
    }
}
