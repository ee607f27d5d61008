package mcc.wire;

import mcc.core.Bytes;

/**
 * A cursor that writes one {@code Frames} message into an array, without allocation.
 *
 * <p>A method whose frame may not fit returns whether it did, and writes nothing if not. Values are at most
 * {@link Frames#MAX_VALUE} and not negative.
 */
public final class FramesWriter {
    private byte[] buf = new byte[0];
    private int start;
    private int at;
    private int end;

    /** Starts over at {@code off} with room for {@code max} bytes; the array is borrowed until the next call of this method. */
    public void begin(byte[] array, int off, int max) {
        buf = array;
        start = off;
        at = off;
        end = off + max;
    }

    /** Returns the bytes written so far. */
    public int length() {
        return at - start;
    }

    /** Returns the bytes that still fit. */
    public int room() {
        return end - at;
    }

    /** Writes the packet number. */
    public boolean packetNumber(long number) {
        return single(Frames.PACKET_NUMBER, number);
    }

    /** Writes the limit of bytes in all streams. */
    public boolean maxData(long maximum) {
        return single(Frames.MAX_DATA, maximum);
    }

    /** Writes the limit of streams. */
    public boolean maxStreams(long maximum) {
        return single(Frames.MAX_STREAMS, maximum);
    }

    /** Writes how many bytes of the credit for all streams were never used and are given back, in total so far. */
    public boolean unusedData(long bytes) {
        return single(Frames.UNUSED_DATA, bytes);
    }

    /** Writes a ping. */
    public boolean ping() {
        return single(Frames.PING, 1);
    }

    /** Writes one message. */
    public boolean message(Bytes message) {
        int size = message.size();
        if (room() < 1 + Frames.varintSize(size) + size) return false;
        put(Frames.MESSAGE << 3 | Frames.LENGTH);
        varint(size);
        message.write(buf, at);
        at += size;
        return true;
    }

    /**
     * Writes an acknowledgement, with as many of the runs as fit.
     *
     * @param runs downward from {@code largest}, in turn the lengths of a run that arrived and of a gap, each at least 1
     * @param count how many of {@code runs} there are: odd
     */
    public boolean ack(long largest, long delayUs, long ce, long[] runs, int count) {
        int fixed = field(largest) + field(delayUs) + field(ce);
        int packed = Frames.varintSize(runs[0]);
        if (fixed + packed + 6 > room()) return false;
        int n = 1;
        while (n < count) {
            int more = Frames.varintSize(runs[n]) + Frames.varintSize(runs[n + 1]);
            if (fixed + packed + more + 6 > room()) break;
            packed += more;
            n += 2;
        }
        put(Frames.ACK << 3 | Frames.LENGTH);
        varint(fixed + 1 + Frames.varintSize(packed) + packed);
        put(1, largest);
        put(2, delayUs);
        put(3 << 3 | Frames.LENGTH);
        varint(packed);
        for (int i = 0; i < n; i++) varint(runs[i]);
        put(4, ce);
        return true;
    }

    /** Returns how many of {@code want} bytes of a stream fit into the rest; negative if not even an empty frame fits. */
    public int streamRoom(long id, long offset, int want) {
        int fixed = 1 + field(id) + field(offset) + 2;
        int most = room() - fixed - 1;
        if (want == 0 || most < 3) return (want == 0 && most >= 0) ? 0 : -1;
        int length = Math.min(want, most);
        int over = size(fixed - 1, length) - room();
        return over <= 0 ? length : length - over > 0 ? length - over : -1;
    }

    /** Writes a stream frame without its data: the caller copies {@code length} bytes to the returned index. */
    public int stream(long id, long offset, int length, boolean fin) {
        int body = field(id) + field(offset) + (fin ? 2 : 0);
        if (length > 0) body += 1 + Frames.varintSize(length) + length;
        put(Frames.STREAM << 3 | Frames.LENGTH);
        varint(body);
        put(1, id);
        put(2, offset);
        if (fin) put(3, 1);
        if (length > 0) {
            put(4 << 3 | Frames.LENGTH);
            varint(length);
        }
        int data = at;
        at += length;
        return data;
    }

    /** Writes one datagram. */
    public boolean datagram(long id, Bytes data) {
        int size = data.size();
        int body = field(id) + (size == 0 ? 0 : 1 + Frames.varintSize(size) + size);
        if (room() < 1 + Frames.varintSize(body) + body) return false;
        put(Frames.DATAGRAM << 3 | Frames.LENGTH);
        varint(body);
        put(1, id);
        if (size == 0) return true;
        put(4 << 3 | Frames.LENGTH);
        varint(size);
        data.write(buf, at);
        at += size;
        return true;
    }

    /** Writes the limit of one stream. */
    public boolean maxStreamData(long id, long maximum) {
        return fields(Frames.MAX_STREAM_DATA, id, maximum, 0);
    }

    /** Writes a reset. */
    public boolean reset(long id, int code, long finalSize) {
        return fields(Frames.RESET, id, code & 0xffffffffL, finalSize);
    }

    /** Writes a stop. */
    public boolean stop(long id, int code) {
        return fields(Frames.STOP, id, code & 0xffffffffL, 0);
    }

    /** The size of the whole frame, including a possible FIN. */
    private static int size(int fields, int length) {
        int body = fields + 1 + Frames.varintSize(length) + length;
        return 1 + Frames.varintSize(body) + body;
    }

    private boolean fields(int kind, long a, long b, long c) {
        int body = field(a) + field(b) + field(c);
        if (room() < 2 + body) return false;
        put(kind << 3 | Frames.LENGTH);
        varint(body);
        put(1, a);
        put(2, b);
        put(3, c);
        return true;
    }

    private boolean single(int kind, long value) {
        if (room() < field(value)) return false;
        put(kind, value);
        return true;
    }

    private static int field(long value) {
        return value == 0 ? 0 : 1 + Frames.varintSize(value);
    }

    /** Zero is not written, as proto3 requires. */
    private void put(int field, long value) {
        if (value == 0) return;
        put(field << 3 | Frames.VARINT);
        varint(value);
    }

    private void put(int octet) {
        buf[at++] = (byte) octet;
    }

    private void varint(long v) {
        while ((v & ~0x7fL) != 0) {
            buf[at++] = (byte) (v | 0x80);
            v >>>= 7;
        }
        buf[at++] = (byte) v;
    }
}
