package mcc.wire;

/**
 * The header of a sealed datagram, read and written by hand: 13 bytes that are also a valid beginning of a protobuf
 * {@code Datagram}.
 *
 * <pre>
 *   0  0x0d            field 1, fixed32
 *   1  receiver index  4 bytes, little-endian
 *   5  0x15            field 2, fixed32
 *   6  counter         4 bytes, little-endian
 *  10  kind            field 3, 4, 5 or 14, length-delimited
 *  11  box length      varint of always two bytes, so that a header can be stamped in place
 *  13  box
 * </pre>
 */
public final class Transport {
    /** Length of the header in bytes. */
    public static final int HEADER_BYTES = 13;
    /** Length of an authentication tag, and so of the shortest box. */
    public static final int TAG_BYTES = 16;
    /** What a datagram costs beyond its content: header and tag. */
    public static final int OVERHEAD_BYTES = HEADER_BYTES + TAG_BYTES;
    /** The longest box whose length fits two varint bytes. */
    public static final int BOX_MAX_BYTES = (1 << 14) - 1;

    /** The kind of a box that holds frames. */
    public static final byte FRAMES = 3 << 3 | 2;

    /** The kind of a box that holds a packet of the virtual interface. */
    public static final byte PACKET = 4 << 3 | 2;
    /** The same, with its TCP or UDP checksum not filled in. */
    public static final byte PACKET_NEEDS_CSUM = 5 << 3 | 2;
    /** The kind of a box that holds one half of a packet, after a byte that tells which. */
    public static final byte PACKET_PART = 14 << 3 | 2;

    private static final byte RECEIVER_TAG = 1 << 3 | 5;
    private static final byte COUNTER_TAG = 2 << 3 | 5;

    private Transport() {}

    /** Writes the header before a box of {@code box} bytes. */
    public static void writeHeader(byte[] out, int offset, int receiver, int counter, byte kind, int box) {
        out[offset] = RECEIVER_TAG;
        putLe(out, offset + 1, receiver);
        out[offset + 5] = COUNTER_TAG;
        putLe(out, offset + 6, counter);
        out[offset + 10] = kind;
        out[offset + 11] = (byte) (box | 0x80);
        out[offset + 12] = (byte) (box >>> 7);
    }

    /** Returns whether these bytes begin like transport data, as no handshake does. */
    public static boolean looksLike(byte[] in, int offset, int length) {
        return length > 0 && in[offset] == RECEIVER_TAG;
    }

    /** Returns whether these bytes are exactly one transport datagram in its only valid form, of any kind. */
    public static boolean isWellFormed(byte[] in, int offset, int length) {
        if (length < OVERHEAD_BYTES || length - HEADER_BYTES > BOX_MAX_BYTES) return false;
        if (in[offset] != RECEIVER_TAG || in[offset + 5] != COUNTER_TAG) return false;
        byte kind = in[offset + 10];
        if (kind != FRAMES && kind != PACKET && kind != PACKET_NEEDS_CSUM && kind != PACKET_PART) return false;
        int low = in[offset + 11];
        int high = in[offset + 12];
        if (low >= 0 || high < 0) return false;
        return ((low & 0x7f) | high << 7) == length - HEADER_BYTES;
    }

    /** The receiver index of a well-formed datagram. */
    public static int receiver(byte[] in, int offset) {
        return le(in, offset + 1);
    }

    /** The counter of a well-formed datagram: 32 bits, unsigned. */
    public static int counter(byte[] in, int offset) {
        return le(in, offset + 6);
    }

    /** The kind of a well-formed datagram. */
    public static byte kind(byte[] in, int offset) {
        return in[offset + 10];
    }

    private static int le(byte[] in, int o) {
        return (in[o] & 0xff) | (in[o + 1] & 0xff) << 8 | (in[o + 2] & 0xff) << 16 | (in[o + 3] & 0xff) << 24;
    }

    private static void putLe(byte[] out, int o, int v) {
        out[o] = (byte) v;
        out[o + 1] = (byte) (v >>> 8);
        out[o + 2] = (byte) (v >>> 16);
        out[o + 3] = (byte) (v >>> 24);
    }
}
