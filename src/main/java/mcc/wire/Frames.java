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
    public static final int CONTROL = 15;

    /** Runs of packets that one acknowledgement may name. */
    public static final int MAX_ACK_RANGES = 64;
    /** The longest message, in bytes. */
    public static final int MAX_MESSAGE_BYTES = 1_120;
    /** No packet number, stream id or offset is above this. */
    public static final long MAX_VALUE = 1L << 62;

    static final int VARINT = 0;
    static final int LENGTH = 2;

    private Frames() {}

    /** Returns whether the packet is about the link itself: it has a control frame, which is always the first field. */
    public static boolean isControl(byte[] buf, int off, int len) {
        return len > 0 && buf[off] == (CONTROL << 3 | LENGTH);
    }

    static int varintSize(long v) {
        return v == 0 ? 1 : (70 - Long.numberOfLeadingZeros(v)) / 7;
    }
}
