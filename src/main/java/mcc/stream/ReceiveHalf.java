package mcc.stream;

import org.jspecify.annotations.Nullable;

/**
 * The receiving direction of one stream: what has arrived and is not yet read, and the credit given for it.
 *
 * <p>Open: end known and all read -> Done; reset from the peer -> Reset; stop -> Stopped. Stopped: end known -> Done,
 * what arrives meanwhile is counted and dropped.
 */
final class ReceiveHalf {
    private static final int MAX_GAPS = 8_192;

    private final ByteWindow.Pool pool;
    private final ByteWindow bytes;
    private final Ranges ahead = new Ranges();
    private final WindowTuner tuner = new WindowTuner();

    /** All below was read. */
    private long read;
    /** All below has arrived. */
    private long ready;
    /** Nothing at or above this has arrived. */
    private long highest;

    private long windowBytes;
    private long creditBytes;
    private long finalSize = -1;
    private boolean stopped;
    private boolean reset;
    private boolean endRead;

    ReceiveHalf(ByteWindow.Pool pool, long windowBytes) {
        this.pool = pool;
        bytes = new ByteWindow(pool);
        this.windowBytes = windowBytes;
        creditBytes = windowBytes;
    }

    boolean isDone() {
        return reset || endRead || (stopped && finalSize >= 0);
    }

    boolean isGone() {
        return reset || stopped;
    }

    long readableBytes() {
        return isGone() ? 0 : ready - read;
    }

    long highestBytes() {
        return highest;
    }

    long readBytes() {
        return read;
    }

    long windowBytes() {
        return windowBytes;
    }

    long creditBytes() {
        return creditBytes;
    }

    boolean isAtEnd() {
        return finalSize >= 0 && read == finalSize;
    }

    /** Returns the rule that a frame would break, or null. */
    Event.@Nullable Reason refusal(long offset, int length, boolean fin) {
        long end = offset + length;
        if (finalSize >= 0 && (end > finalSize || (fin && end != finalSize))) return Event.Reason.FINAL_SIZE;
        if (fin && end < highest) return Event.Reason.FINAL_SIZE;
        return end > creditBytes ? Event.Reason.FLOW_CONTROL : null;
    }

    /** Returns whether a frame would be kept behind a gap. */
    boolean isAhead(long offset, int length) {
        return offset > ready && length > 0 && !isGone();
    }

    /** Returns whether a frame would make a new gap, which takes memory beyond that of its bytes. */
    boolean opensGap(long offset, int length) {
        return isAhead(offset, length) && !ahead.touches(offset, offset + length);
    }

    /** Returns whether there are as many gaps as allowed. */
    boolean isFullOfGaps() {
        return ahead.count() >= MAX_GAPS;
    }

    /** Takes a frame that {@link #refusal} allows; returns whether there is something new to read: bytes or the end. */
    boolean onData(long offset, int length, boolean fin, byte[] src, int off) {
        long end = offset + length;
        highest = Math.max(highest, end);
        boolean ended = fin && finalSize < 0;
        if (fin) finalSize = end;
        if (isGone()) return false;
        long before = ready;
        long start = Math.max(offset, ready);
        if (start < end) {
            bytes.write(start, src, off + (int) (start - offset), (int) (end - start));
            if (start == ready && ahead.isEmpty()) ready = end;
            else arrived(start, end);
        }
        return ready > before || (ended && ready == finalSize);
    }

    private void arrived(long start, long end) {
        long before = ahead.memoryBytes();
        ahead.add(start, end);
        if (ahead.start(0) <= ready) {
            ready = ahead.end(0);
            ahead.removeFirst();
            if (ahead.isEmpty()) ahead.clear();
        }
        pool.note(ahead.memoryBytes() - before);
    }

    /** Reads; returns how many bytes were read. The end is read with the last of them or after it. */
    int read(byte[] dst, int off, int length) {
        int n = (int) Math.min(length, ready - read);
        if (n > 0) {
            bytes.read(read, dst, off, n);
            read += n;
            bytes.release(read, read == ready && ahead.isEmpty());
        }
        return n;
    }

    void onEndRead() {
        endRead = true;
    }

    /** Returns how large the window should be for the speed at which the stream is read. */
    long wantedBytes(long nowNs, long rttNs) {
        return finalSize >= 0 ? windowBytes : tuner.next(nowNs, rttNs, read, windowBytes);
    }

    /**
     * Enlarges the window, and gives more credit once enough of it is read; returns whether it gave any.
     *
     * @param wideBytes how large the window may be
     */
    boolean grant(long wideBytes) {
        if (isGone() || finalSize >= 0) return false;
        windowBytes = Math.max(windowBytes, wideBytes);
        long credit = read + windowBytes;
        if (credit - creditBytes < windowBytes / WindowTuner.STEPS) return false;
        creditBytes = credit;
        return true;
    }

    /** Ends reading; returns the bytes that had arrived and now count as read. */
    long stop() {
        if (isDone()) return 0;
        stopped = true;
        return drop();
    }

    /** The peer reset the stream; returns the bytes that now count as read, arrived or not. */
    long onReset(long size) {
        highest = size;
        finalSize = size;
        reset = true;
        return drop();
    }

    /** After a stop: counts what arrived since as read, and returns how many bytes that is. */
    long drop() {
        long dropped = highest - read;
        read = highest;
        bytes.release(0, true);
        pool.note(-ahead.memoryBytes());
        ahead.clear();
        return dropped;
    }
}
