package mcc.link;

import java.util.ArrayDeque;
import java.util.Iterator;
import mcc.wire.Transport;
import org.jspecify.annotations.Nullable;

/**
 * Packets of one peer that come in two parts, kept until both have arrived, in either order. The datagram's counter tells
 * which parts belong together: the second part has the first one's plus one, under the same key.
 *
 * <p>Limit: {@link #MAX} parts of {@link #PART_MAX} bytes; the oldest gives way.
 */
final class Parts {
    /** Parts that may wait for their other half: more than reordering puts between the two. */
    static final int MAX = 16;
    /** The longest part, with the byte before it: more than half of the interface's longest packet. */
    static final int PART_MAX = 2_048;
    /** The bits of the byte before each part. */
    static final int SECOND = 1;

    static final int NEEDS_CSUM = 2;

    private static final int CONGESTED = 3;

    /** What became of a part. */
    sealed interface Result {
        /**
         * Both are here.
         *
         * @param ecn the packet's ECN mark: CE if either part has it (RFC 3168 section 5.3)
         */
        @SuppressWarnings("ArrayRecordComponent") // made here, read once
        record Whole(byte kind, byte[] packet, int ecn) implements Result {}

        /** It waits for the other; {@code evicted} if an older part gave way to it. */
        record Waits(boolean evicted) implements Result {}

        record Malformed() implements Result {}
    }

    @SuppressWarnings("ArrayRecordComponent") // made here, read once
    private record Part(int receiver, int counter, byte head, byte[] bytes, int ecn) {}

    private final ArrayDeque<Part> waiting = new ArrayDeque<>();

    /**
     * Takes a part.
     *
     * @param receiver the receiver index, which names the key
     * @param plain the decrypted part, {@code n} bytes
     * @param ecn the ECN mark with which it arrived
     */
    Result take(int receiver, int counter, byte[] plain, int n, int ecn) {
        if (n < 2 || n > PART_MAX || (plain[0] & ~(SECOND | NEEDS_CSUM)) != 0) return new Result.Malformed();
        byte[] bytes = new byte[n - 1];
        System.arraycopy(plain, 1, bytes, 0, n - 1);
        Part part = new Part(receiver, counter, plain[0], bytes, ecn);
        boolean second = (part.head & SECOND) != 0;
        Part other = remove(receiver, second ? counter - 1 : counter + 1, (byte) (part.head ^ SECOND));
        if (other != null) return second ? join(other, part) : join(part, other);
        waiting.addLast(part);
        if (waiting.size() <= MAX) return new Result.Waits(false);
        waiting.removeFirst();
        return new Result.Waits(true);
    }

    private @Nullable Part remove(int receiver, int counter, byte head) {
        for (Iterator<Part> it = waiting.iterator(); it.hasNext(); ) {
            Part part = it.next();
            if (part.receiver != receiver || part.counter != counter || part.head != head) continue;
            it.remove();
            return part;
        }
        return null;
    }

    private static Result join(Part first, Part second) {
        byte[] whole = new byte[first.bytes.length + second.bytes.length];
        System.arraycopy(first.bytes, 0, whole, 0, first.bytes.length);
        System.arraycopy(second.bytes, 0, whole, first.bytes.length, second.bytes.length);
        boolean needsCsum = (first.head & NEEDS_CSUM) != 0;
        int ecn = first.ecn == CONGESTED ? CONGESTED : second.ecn;
        return new Result.Whole(needsCsum ? Transport.PACKET_NEEDS_CSUM : Transport.PACKET, whole, ecn);
    }
}
