package mcc.session;

import java.util.Arrays;

/** Which counters of a key were already accepted: the ring of RFC 6479, with 8,192 bits of which one word is slack. */
public final class ReplayWindow {
    private static final int BITS = 8192;
    private static final int WORDS = BITS / 64;
    /** How far behind the newest one a counter may be. */
    public static final int USABLE = BITS - 64;

    private final long[] ring = new long[WORDS];
    private long newest = -1;

    /** Returns whether this counter could still be accepted; changes nothing, so it may be called before authentication. */
    public boolean isFresh(long counter) {
        if (counter > newest) return true;
        if (newest - counter >= USABLE) return false;
        return (ring[word(counter)] & bit(counter)) == 0;
    }

    /** Accepts a counter once; false if it was seen before or is too old. Must only be called after authentication. */
    public boolean accept(long counter) {
        if (!isFresh(counter)) return false;
        if (counter > newest) {
            long from = (newest >> 6) + 1;
            long to = counter >> 6;
            if (to - from >= WORDS) Arrays.fill(ring, 0);
            else for (long w = from; w <= to; w++) ring[(int) (w % WORDS)] = 0;
            newest = counter;
        }
        ring[word(counter)] |= bit(counter);
        return true;
    }

    /** The highest counter accepted; −1 before the first. */
    public long newest() {
        return newest;
    }

    private static int word(long counter) {
        return (int) ((counter >> 6) % WORDS);
    }

    private static long bit(long counter) {
        return 1L << (counter & 63);
    }
}
