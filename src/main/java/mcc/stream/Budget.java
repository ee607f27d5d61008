package mcc.stream;

import java.util.ArrayDeque;
import mcc.core.Counters;

/**
 * The memory that all connections of one node share: what they promised to take, or hold, beyond each one's first window,
 * and what their writers handed over. Whoever holds it gives it back; who is refused goes on with what he has.
 *
 * <p>First windows are charged to nobody, and too many to be filled all at once: what they hold is counted apart, and
 * {@link #isFilled} tells when it is as much again as the budget.
 */
public final class Budget {
    /** Streams that peers may have open, of all connections: with what tunnels hold for each, at most 48 MiB. */
    static final int PLACES_MAX = 24_576;
    /** Chunks that no connection uses now. */
    final ArrayDeque<byte[]> spare = new ArrayDeque<>();

    private final long limitBytes;
    private final Counters.Counter refused;
    private long usedBytes;
    private long unchargedBytes;
    private int places;

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

    /** Returns whether more than half as much again is in use: what {@link #use} counted without being asked. */
    boolean isOverdrawn() {
        return usedBytes > limitBytes + limitBytes / 2;
    }

    /** Counts what is held in first windows; negative when it is let go. */
    void hold(long bytes) {
        unchargedBytes += bytes;
    }

    /** Returns what is held in first windows. */
    long unchargedBytes() {
        return unchargedBytes;
    }

    /** Returns whether first windows hold more than the budget. */
    boolean isFilled() {
        return unchargedBytes > limitBytes;
    }

    /** A stream of a peer's begins. */
    void takePlace() {
        places++;
    }

    /** As many streams of peers are over. */
    void givePlaces(int count) {
        places -= count;
    }

    int freePlaces() {
        return Math.max(0, PLACES_MAX - places);
    }

    /** Returns what is in use now. */
    public long usedBytes() {
        return usedBytes;
    }
}
