package mcc.tun;

import java.util.Arrays;

/**
 * A hash table of a fixed size, with a time and a mark for each key of five longs, and without objects. Each key may be in one
 * of eight places; if all are taken, the one with the earliest time is evicted.
 */
final class Places {
    private static final int WAYS = 8;
    private static final int KEY = 5;
    /** Distance from one place to the next. */
    static final int LONGS = KEY + 2;

    private final long[] table;
    private final int sets;
    private final long seed;
    private final long[] key = new long[KEY];

    /**
     * @param max a power of two
     * @param seed random, so that nobody outside knows which keys share places
     */
    Places(int max, long seed) {
        table = new long[max * LONGS];
        sets = max / WAYS;
        this.seed = seed;
    }

    /** Selects a key; its last long is never 0. */
    void aim(long a, long b, long c, long d, long last) {
        key[0] = a;
        key[1] = b;
        key[2] = c;
        key[3] = d;
        key[4] = last;
    }

    /** The place of the selected key; negative if it has none. */
    int find() {
        int set = set();
        for (int at = set, end = set + WAYS * LONGS; at < end; at += LONGS) {
            if (table[at + KEY - 1] == key[4] && Arrays.equals(table, at, at + KEY, key, 0, KEY)) return at;
        }
        return -1;
    }

    /** The place that the selected key would get: a free one, else the one with the earliest time. */
    int next() {
        int best = set();
        for (int at = best, end = best + WAYS * LONGS; at < end; at += LONGS) {
            if (isFree(at)) return at;
            if (timeNs(at) - timeNs(best) < 0) best = at;
        }
        return best;
    }

    /** The next place in use, from {@code from} on; negative if there is none. */
    int taken(int from) {
        for (int at = from; at < table.length; at += LONGS) if (!isFree(at)) return at;
        return -1;
    }

    /** One of the five longs of the key at a place. */
    long key(int at, int index) {
        return table[at + index];
    }

    boolean isFree(int at) {
        return table[at + KEY - 1] == 0;
    }

    /** Gives a place to the selected key. */
    void put(int at, long timeNs, boolean mark) {
        System.arraycopy(key, 0, table, at, KEY);
        table[at + KEY] = timeNs;
        table[at + KEY + 1] = mark ? 1 : 0;
    }

    void free(int at) {
        table[at + KEY - 1] = 0;
    }

    long timeNs(int at) {
        return table[at + KEY];
    }

    void time(int at, long timeNs) {
        table[at + KEY] = timeNs;
    }

    boolean isMarked(int at) {
        return table[at + KEY + 1] != 0;
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
