package mcc.stream;

import java.util.ArrayDeque;
import mcc.core.Counters;

/**
 * The memory that all connections of one node share: the credit that they gave, or the bytes that they hold, beyond each
 * one's first window, and the bytes that their writers handed over. Whoever took some gives it back; a connection that is
 * refused goes on with what it has.
 *
 * <p>First windows are not charged: there may be more of them than memory if all were full at once. So the bytes held in them
 * are counted apart, and {@link #isFilled} tells when they are as many as the whole budget.
 */
public final class Budget {
    /** Streams that peers may have open in all connections: with what tunnels hold for each, 48 MiB at most. */
    static final int PLACES_MAX = 24_576;
    /** Chunks that no connection is using. */
    final ArrayDeque<byte[]> spare = new ArrayDeque<>();

    private final long limitBytes;
    private final Counters.Counter refused;
    private long usedBytes;
    private long unchargedBytes;
    private int places;

    /** Makes a budget of {@code limitBytes}. */
    public Budget(long limitBytes, Counters counters) {
        this.limitBytes = limitBytes;
        refused = counters.of("stream.budget.refused");
    }

    /** Takes all these bytes or, counted, none; returns whether it took them. */
    boolean take(long bytes) {
        if (bytes > freeBytes()) {
            refused.add();
            return false;
        }
        usedBytes += bytes;
        return true;
    }

    /** Takes bytes even beyond the limit: a writer always gets a few, and what a reader can read at once is always kept. */
    void use(long bytes) {
        usedBytes += bytes;
    }

    void give(long bytes) {
        usedBytes -= bytes;
    }

    long freeBytes() {
        return Math.max(0, limitBytes - usedBytes);
    }

    /** Returns whether {@link #use} has gone beyond the limit by more than half of it. */
    boolean isOverdrawn() {
        return usedBytes > limitBytes + limitBytes / 2;
    }

    /** Counts bytes held in first windows; negative when they are freed. */
    void hold(long bytes) {
        unchargedBytes += bytes;
    }

    /** Returns the bytes held in first windows. */
    long unchargedBytes() {
        return unchargedBytes;
    }

    /** Returns whether first windows hold more bytes than the limit. */
    boolean isFilled() {
        return unchargedBytes > limitBytes;
    }

    /** A peer's stream began. */
    void takePlace() {
        places++;
    }

    /** Streams of peers ended. */
    void givePlaces(int count) {
        places -= count;
    }

    int freePlaces() {
        return Math.max(0, PLACES_MAX - places);
    }

    /** Returns the bytes in use. */
    public long usedBytes() {
        return usedBytes;
    }
}
