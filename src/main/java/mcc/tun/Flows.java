package mcc.tun;

import java.util.Arrays;

/**
 * The flows that this host began, each with the time of its last packet: a table of a fixed size without an object for each
 * flow. Eight places suit each flow; where all are taken the one unused for longest gives way.
 */
final class Flows {
    private static final int WAYS = 8;
    private static final int LONGS = 6;
    private static final int KEY = 5;

    private final long[] table;
    private final int sets;
    private final long seed;
    /** Of the flow at hand: ours, theirs, then protocol and ports, which are never 0 together. */
    private final long[] key = new long[KEY];

    /**
     * @param max a power of two
     * @param seed so that nobody outside knows which flows share their places
     */
    Flows(int max, long seed) {
        table = new long[max * LONGS];
        sets = max / WAYS;
        this.seed = seed;
    }

    /** Names the flow at hand. */
    void aim(long ourHigh, long ourLow, long theirHigh, long theirLow, int protocol, int ours, int theirs) {
        key[0] = ourHigh;
        key[1] = ourLow;
        key[2] = theirHigh;
        key[3] = theirLow;
        key[4] = (long) protocol << 32 | (long) ours << 16 | theirs;
    }

    /** Notes the flow at hand; true when another one, used since {@code sinceNs}, had to give way. */
    boolean note(long nowNs, long sinceNs) {
        int at = find();
        boolean evicts = false;
        if (at < 0) {
            at = eldest();
            evicts = table[at + KEY - 1] != 0 && table[at + KEY] >= sinceNs;
            System.arraycopy(key, 0, table, at, KEY);
        }
        table[at + KEY] = nowNs;
        return evicts;
    }

    /** Whether the flow at hand was used within {@code lifeNs}; it is used by this. */
    boolean use(long nowNs, long lifeNs) {
        int at = find();
        if (at < 0) return false;
        if (nowNs - table[at + KEY] > lifeNs) {
            table[at + KEY - 1] = 0;
            return false;
        }
        table[at + KEY] = nowNs;
        return true;
    }

    private int find() {
        int set = set();
        for (int at = set, end = set + WAYS * LONGS; at < end; at += LONGS) {
            if (table[at + KEY - 1] == key[4] && Arrays.equals(table, at, at + KEY, key, 0, KEY)) return at;
        }
        return -1;
    }

    /** A free place for the flow at hand, else the one unused for longest. */
    private int eldest() {
        int best = set();
        for (int at = best, end = best + WAYS * LONGS; at < end; at += LONGS) {
            if (table[at + KEY - 1] == 0) return at;
            if (table[at + KEY] < table[best + KEY]) best = at;
        }
        return best;
    }

    private int set() {
        long h = seed;
        for (long word : key) {
            h = (h ^ word) * 0x9e3779b97f4a7c15L;
            h ^= h >>> 32;
        }
        return (int) ((h >>> 8) % sets) * WAYS * LONGS;
    }
}
