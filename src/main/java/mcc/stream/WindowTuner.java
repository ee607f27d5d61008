package mcc.stream;

/**
 * How large a window of flow control should be, told by how fast it is read: each half of it, and a quarter of the first,
 * is timed against the round trip. On a path without loss it settles at 8 to 16 bandwidth-delay products.
 */
final class WindowTuner {
    /**
     * Half a window read within so many round trips makes a fast reader. Two would do on a clean path; each lost packet
     * that is lost again holds the reader back by one more.
     */
    static final int FAST_ROUNDS = 4;

    /**
     * Credit is given for so small a share of the window at a time. A gap holds all behind it unread for two round trips
     * or three, and the sender has only what was granted before: with halves that is half a window in the worst case.
     */
    static final int STEPS = 8;

    private long sinceNs = -1;
    private long sinceBytes;

    /**
     * Returns the window that follows one of {@code windowBytes}, now that {@code readBytes} are read: twice as large for
     * a fast reader, four times after the first and where even half that time was enough, as the window held the sender back.
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
