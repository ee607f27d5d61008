package mcc.stream;

/**
 * How large a flow control window should be, by how fast it is read: the time for each half of it, and for a quarter of the
 * first, is compared with the round trip. On a path without loss it settles at 8 to 16 bandwidth-delay products.
 */
final class WindowTuner {
    /**
     * A reader that takes half a window within so many round trips is fast. Two would do on a clean path; each packet that is
     * lost again holds the reader up for one more.
     */
    static final int FAST_ROUNDS = 4;

    /**
     * Credit is given each time one part in this many of the window was read. All behind a gap stays unread for two or three
     * round trips, in which the sender has only the credit granted before: with halves that is half a window at worst.
     */
    static final int STEPS = 8;

    private long sinceNs = -1;
    private long sinceBytes;

    /**
     * Returns the next window after one of {@code windowBytes}, now that {@code readBytes} are read: twice as large for a fast
     * reader; four times as large after the first window, and if half the time was enough, because then the window held the
     * sender up.
     */
    long next(long nowNs, long rttNs, long readBytes, long windowBytes) {
        boolean first = sinceNs < 0;
        if (readBytes - sinceBytes < windowBytes / (first ? 4 : 2)) return windowBytes;
        long tookNs = nowNs - sinceNs;
        sinceNs = nowNs;
        sinceBytes = readBytes;
        if (first || tookNs < FAST_ROUNDS * rttNs / 2) return 4 * windowBytes;
        return tookNs < FAST_ROUNDS * rttNs ? 2 * windowBytes : windowBytes;
    }
}
