package mcc.wire;

/**
 * The header of a datagram on its way through a relay, read and written by hand: 12 bytes that are also a valid beginning of a
 * protobuf {@code Datagram}. A relay writes another number into it and changes nothing else.
 *
 * <pre>
 *   0  0x79            field 15, fixed64
 *   1  circuit         8 bytes, little-endian; never 0
 *   9  0x6a            field 13, length-delimited
 *  10  inner length    varint of always two bytes
 *  12  inner datagram
 * </pre>
 */
public final class Relayed {
    /** Length of the header in bytes. */
    public static final int HEADER_BYTES = 12;

    private static final byte CIRCUIT_TAG = 15 << 3 | 1;
    private static final byte RELAYED_TAG = 13 << 3 | 2;

    private Relayed() {}

    /** Returns whether these bytes begin like a relayed datagram, as no other kind does. */
    public static boolean looksLike(byte[] in, int offset, int length) {
        return length > 0 && in[offset] == CIRCUIT_TAG;
    }

    /** Returns whether these bytes are exactly one relayed datagram in its only valid form, around one that is not relayed. */
    public static boolean isWellFormed(byte[] in, int offset, int length) {
        int inner = length - HEADER_BYTES;
        if (inner <= 0 || inner > Transport.BOX_MAX_BYTES) return false;
        if (in[offset] != CIRCUIT_TAG || in[offset + 9] != RELAYED_TAG || circuit(in, offset) == 0) return false;
        int low = in[offset + 10];
        int high = in[offset + 11];
        if (low >= 0 || high < 0 || ((low & 0x7f) | high << 7) != inner) return false;
        return !looksLike(in, offset + HEADER_BYTES, inner);
    }

    /** Writes the header before an inner datagram of {@code inner} bytes. */
    public static void writeHeader(byte[] out, int offset, long circuit, int inner) {
        out[offset] = CIRCUIT_TAG;
        putCircuit(out, offset, circuit);
        out[offset + 9] = RELAYED_TAG;
        out[offset + 10] = (byte) (inner | 0x80);
        out[offset + 11] = (byte) (inner >>> 7);
    }

    /** The circuit's number in a well-formed datagram. */
    public static long circuit(byte[] in, int offset) {
        long out = 0;
        for (int i = 8; i >= 1; i--) out = out << 8 | (in[offset + i] & 0xff);
        return out;
    }

    /** Writes another number into a well-formed datagram. */
    public static void putCircuit(byte[] out, int offset, long circuit) {
        for (int i = 1; i <= 8; i++) out[offset + i] = (byte) (circuit >>> 8 * (i - 1));
    }
}
