package mcc.wire;

import mcc.core.Bytes;

/**
 * A cursor over one {@code Frames} message: {@link #next} goes to the next frame, whose values the getters then return.
 *
 * <p>Unknown fields are skipped. Nothing throws; {@link #malformed} distinguishes the end from an error.
 */
public final class FramesReader {
    private byte[] buf = new byte[0];
    private int at;
    private int end;
    private boolean malformed;

    private int kind;
    private long first;
    private long second;
    private long third;
    private boolean fin;
    private int dataAt;
    private int dataLength;
    private long ce;
    private int ranges;
    private final long[] lowest = new long[Frames.MAX_ACK_RANGES];
    private final long[] highest = new long[Frames.MAX_ACK_RANGES];

    /** Starts over; the array is borrowed until the last {@link #next}. */
    public void begin(byte[] array, int off, int len) {
        buf = array;
        at = off;
        end = off + len;
        malformed = false;
    }

    /** Goes to the next frame; false at the end or at an error. */
    public boolean next() {
        while (at < end) {
            long tag = varint(end);
            kind = (int) (tag >>> 3);
            boolean known = tag >>> 3 <= Frames.UNUSED_DATA;
            if (malformed || tag >>> 3 == 0 || (known ? !known((int) tag & 7) : !skip((int) tag & 7, end))) {
                malformed = true;
                return false;
            }
            if (known) return true;
        }
        return false;
    }

    /** Returns whether the bytes are not a valid message, or a value is out of range. */
    public boolean malformed() {
        return malformed;
    }

    /** Returns the kind of the frame: one of the field numbers in {@link Frames}. */
    public int kind() {
        return kind;
    }

    /**
     * The value of packet_number, max_data, max_streams, unused_data or ping; for ack the largest packet number; else the
     * stream ID.
     */
    public long value() {
        return first;
    }

    /** For stream the offset, for max_stream_data the maximum. */
    public long offset() {
        return second;
    }

    /** For ack the delay in microseconds. */
    public long delayUs() {
        return second;
    }

    /** For reset and stop the code. */
    public int code() {
        return (int) second;
    }

    /** For reset the final size. */
    public long finalSize() {
        return third;
    }

    /** For stream: whether it ends here. */
    public boolean fin() {
        return fin;
    }

    /** For stream and datagram: the index of the data. */
    public int dataAt() {
        return dataAt;
    }

    /** For stream and datagram: the length of the data. */
    public int dataLength() {
        return dataLength;
    }

    /** For message and datagram: a copy. */
    public Bytes message() {
        return Bytes.copyOf(buf, dataAt, dataLength);
    }

    /** For ack: the number of packets that arrived with the CE mark so far. */
    public long ce() {
        return ce;
    }

    /** For ack: the number of runs, at least 1. */
    public int ranges() {
        return ranges;
    }

    /** For ack: the lowest packet number of run {@code i}; run 0 is the newest. */
    public long lowest(int i) {
        return lowest[i];
    }

    /** For ack: the highest packet number of run {@code i}. */
    public long highest(int i) {
        return highest[i];
    }

    private boolean known(int type) {
        boolean single = kind == Frames.PACKET_NUMBER
                || kind == Frames.MAX_DATA
                || kind == Frames.MAX_STREAMS
                || kind == Frames.UNUSED_DATA
                || kind == Frames.PING;
        if (type != (single ? Frames.VARINT : Frames.LENGTH)) return false;
        first = 0;
        second = 0;
        third = 0;
        fin = false;
        dataAt = at;
        dataLength = 0;
        if (single) {
            first = varint(end);
            return !malformed && first >= 0 && first <= Frames.MAX_VALUE;
        }
        int stop = stop(end);
        if (stop < 0) return false;
        if (kind == Frames.MESSAGE) {
            dataAt = at;
            dataLength = stop - at;
            at = stop;
            return dataLength <= Frames.MAX_MESSAGE_BYTES;
        }
        return kind == Frames.ACK ? ack(stop) : body(stop);
    }

    private boolean body(int stop) {
        while (at < stop) {
            long tag = varint(stop);
            if (malformed) return false;
            if (tag == (1 << 3)) first = varint(stop);
            else if (tag == (2 << 3)) second = varint(stop);
            else if (tag == (3 << 3)) third = varint(stop);
            else if (tag == (4 << 3 | Frames.LENGTH) && (kind == Frames.STREAM || kind == Frames.DATAGRAM)) {
                int dataEnd = stop(stop);
                if (dataEnd < 0) return false;
                dataAt = at;
                dataLength = dataEnd - at;
                at = dataEnd;
            } else if (tag >>> 3 <= 4 || !skip((int) tag & 7, stop)) return false;
            if (malformed) return false;
        }
        fin = third != 0;
        return inRange(first)
                && first != 0
                && inRange(second)
                && inRange(third)
                && second + dataLength <= Frames.MAX_VALUE;
    }

    private boolean ack(int stop) {
        ranges = 0;
        ce = 0;
        int from = -1;
        int to = -1;
        while (at < stop) {
            long tag = varint(stop);
            if (malformed) return false;
            if (tag == (1 << 3)) first = varint(stop);
            else if (tag == (2 << 3)) second = varint(stop);
            else if (tag == (4 << 3)) ce = varint(stop);
            else if (tag == (3 << 3 | Frames.LENGTH)) {
                to = stop(stop);
                if (to < 0) return false;
                from = at;
                at = to;
            } else if (tag >>> 3 <= 4 || !skip((int) tag & 7, stop)) return false;
            if (malformed) return false;
        }
        if (from < 0 || !inRange(first) || first == 0 || !inRange(second) || !inRange(ce)) return false;
        at = from;
        boolean good = runs(to);
        at = stop;
        return good;
    }

    private boolean runs(int to) {
        long top = first;
        while (true) {
            long length = varint(to);
            if (malformed || length < 1 || length > top || ranges == Frames.MAX_ACK_RANGES) return false;
            highest[ranges] = top;
            lowest[ranges++] = top - length + 1;
            if (at == to) return true;
            long gap = varint(to);
            top -= length;
            if (malformed || gap < 1 || gap >= top) return false;
            top -= gap;
        }
    }

    private static boolean inRange(long value) {
        return value >= 0 && value <= Frames.MAX_VALUE;
    }

    /** Reads a length; returns where that many bytes end, or -1 when that is beyond {@code limit}. */
    private int stop(int limit) {
        long length = varint(limit);
        return malformed || length < 0 || length > limit - at ? -1 : at + (int) length;
    }

    private boolean skip(int type, int limit) {
        switch (type) {
            case Frames.VARINT -> varint(limit);
            case Frames.LENGTH -> {
                int stop = stop(limit);
                if (stop < 0) return false;
                at = stop;
            }
            case 1 -> at += 8;
            case 5 -> at += 4;
            default -> malformed = true;
        }
        return !malformed && at <= limit;
    }

    private long varint(int limit) {
        if (at < limit && buf[at] >= 0) return buf[at++];
        long v = 0;
        for (int shift = 0; shift < 70 && at < limit; shift += 7) {
            byte b = buf[at++];
            v |= (long) (b & 0x7f) << shift;
            if (b >= 0) return v;
        }
        malformed = true;
        return 0;
    }
}
