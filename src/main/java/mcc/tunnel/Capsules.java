package mcc.tunnel;

import java.util.Arrays;
import java.util.function.Consumer;

/**
 * Datagrams in a stream, each behind its length as a varint of one to three bytes, for those too long for a packet (as in
 * RFC 9297 section 3.5). Reassembles them from any chunks; holds at most one datagram and a chunk.
 */
final class Capsules {
    /** The longest datagram that UDP has. */
    static final int MAX_BYTES = 65_535;

    private byte[] held = new byte[0];

    /** Takes a chunk and hands on every complete datagram; false once the stream is malformed. */
    boolean take(byte[] chunk, int size, Consumer<byte[]> taker) {
        byte[] all = Arrays.copyOf(held, held.length + size);
        System.arraycopy(chunk, 0, all, held.length, size);
        int at = 0;
        while (at < all.length) {
            int length = 0;
            int n = 0;
            boolean whole = false;
            while (n < 3 && at + n < all.length && !whole) {
                length |= (all[at + n] & 0x7f) << 7 * n;
                whole = all[at + n++] >= 0;
            }
            if (whole ? length > MAX_BYTES : n == 3) return false;
            if (!whole || all.length - at - n < length) break;
            taker.accept(Arrays.copyOfRange(all, at + n, at + n + length));
            at += n + length;
        }
        held = Arrays.copyOfRange(all, at, all.length);
        return true;
    }

    /** A datagram behind its length. */
    static byte[] wrap(byte[] datagram) {
        int n = datagram.length;
        int head = n < 1 << 7 ? 1 : n < 1 << 14 ? 2 : 3;
        byte[] out = new byte[head + n];
        for (int i = 0; i < head; i++) out[i] = (byte) (n >>> 7 * i & 0x7f | (i < head - 1 ? 0x80 : 0));
        System.arraycopy(datagram, 0, out, head, n);
        return out;
    }
}
