package mcc.wire;

/** The field numbers of {@code message Frames} in {@code frames.proto}: the kinds of frame that a packet may hold. */
public final class Frames {
    public static final int PACKET_NUMBER = 1;
    public static final int ACK = 2;
    public static final int MESSAGE = 3;
    public static final int STREAM = 4;
    public static final int MAX_STREAM_DATA = 5;
    public static final int MAX_DATA = 6;
    public static final int MAX_STREAMS = 7;
    public static final int RESET = 8;
    public static final int STOP = 9;
    public static final int PING = 10;
    public static final int DATAGRAM = 11;
    public static final int UNUSED_DATA = 12;
    public static final int CONTROL = 15;

    /** Runs of packets in one acknowledgement, at most. */
    public static final int MAX_ACK_RANGES = 64;
    /** The longest message, in bytes. */
    public static final int MAX_MESSAGE_BYTES = 1_120;
    /** The most that a packet with one datagram needs beyond the datagram, in bytes. */
    public static final int DATAGRAM_OVERHEAD_BYTES = 28;
    /** Packet numbers, stream IDs and offsets are at most this. */
    public static final long MAX_VALUE = 1L << 62;

    static final int VARINT = 0;
    static final int LENGTH = 2;

    private Frames() {}

    /** Returns whether the packet concerns the link itself: its first field is a control frame. */
    public static boolean isControl(byte[] buf, int off, int len) {
        return len > 0 && buf[off] == (CONTROL << 3 | LENGTH);
    }

    /**
     * Returns whether the packet is only a message, without a packet number: an answer to early data, sent before there is a
     * connection that numbers packets.
     */
    public static boolean isBareMessage(byte[] buf, int off, int len) {
        return len > 0 && buf[off] == (MESSAGE << 3 | LENGTH);
    }

    /** Makes a packet's plaintext of the body of a control frame, which has at most 16,383 bytes. */
    public static byte[] control(byte[] body) {
        int head = 1 + varintSize(body.length);
        byte[] out = new byte[head + body.length];
        out[0] = CONTROL << 3 | LENGTH;
        if (head == 2) out[1] = (byte) body.length;
        else {
            out[1] = (byte) (body.length & 0x7f | 0x80);
            out[2] = (byte) (body.length >> 7);
        }
        System.arraycopy(body, 0, out, head, body.length);
        return out;
    }

    /** Returns where the body of a control packet begins, which fills the rest; −1 if it is malformed. */
    public static int controlOffset(byte[] buf, int off, int len) {
        if (len < 2) return -1;
        if (buf[off + 1] >= 0) return buf[off + 1] == len - 2 ? off + 2 : -1;
        return len >= 3 && buf[off + 2] >= 0 && (buf[off + 2] << 7 | buf[off + 1] & 0x7f) == len - 3 ? off + 3 : -1;
    }

    static int varintSize(long v) {
        return v == 0 ? 1 : (70 - Long.numberOfLeadingZeros(v)) / 7;
    }
}
