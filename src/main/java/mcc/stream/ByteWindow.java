package mcc.stream;

import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of a stream that are held at the moment, by their offset in it. They are in chunks of 1 KiB, taken when first
 * written to and given back as soon as nothing in them is needed; small ones, because ten thousand streams may each hold a
 * single byte.
 */
final class ByteWindow {
    static final int CHUNK_BYTES = 1_024;
    private static final int SHIFT = 10;

    /** The memory that one direction of a connection holds: chunks, and the lists of what lies behind gaps. */
    static final class Pool {
        private static final int SPARE = 2_048;
        private final ArrayDeque<byte[]> spare;
        private long usedBytes;

        /** @param spare chunks not in use, shared by all connections of a node */
        Pool(ArrayDeque<byte[]> spare) {
            this.spare = spare;
        }

        byte[] take() {
            usedBytes += CHUNK_BYTES;
            byte[] chunk = spare.pollLast();
            return chunk == null ? new byte[CHUNK_BYTES] : chunk;
        }

        void give(byte[] chunk) {
            usedBytes -= CHUNK_BYTES;
            if (spare.size() < SPARE) spare.addLast(chunk);
        }

        /** Counts memory other than chunks; negative when it is freed. */
        void note(long bytes) {
            usedBytes += bytes;
        }

        long usedBytes() {
            return usedBytes;
        }
    }

    private final Pool pool;
    /** A ring: chunk n of the stream is at n modulo its length, which is a power of two. */
    private byte @Nullable [] @Nullable [] ring;

    /** Chunks from this one up to {@link #end}, which is not included, may be in the ring. */
    private long first;

    private long end;

    ByteWindow(Pool pool) {
        this.pool = pool;
    }

    /** Stores bytes at {@code offset}, which is not below what was released. */
    void write(long offset, byte[] src, int off, int length) {
        long at = offset;
        int from = off;
        int left = length;
        while (left > 0) {
            byte[] chunk = chunk(at >>> SHIFT);
            int in = (int) (at & CHUNK_BYTES - 1);
            int n = Math.min(left, CHUNK_BYTES - in);
            System.arraycopy(src, from, chunk, in, n);
            at += n;
            from += n;
            left -= n;
        }
    }

    /** Copies bytes that were stored. */
    void read(long offset, byte[] dst, int off, int length) {
        long at = offset;
        int to = off;
        int left = length;
        while (left > 0) {
            byte[] chunk = chunk(at >>> SHIFT);
            int in = (int) (at & CHUNK_BYTES - 1);
            int n = Math.min(left, CHUNK_BYTES - in);
            System.arraycopy(chunk, in, dst, to, n);
            at += n;
            to += n;
            left -= n;
        }
    }

    /** Frees what is below {@code offset}; everything if {@code empty}, which says that nothing above it is stored. */
    void release(long offset, boolean empty) {
        long keep = empty ? end : Math.min(end, offset >>> SHIFT);
        byte @Nullable [] @Nullable [] held = ring;
        if (held == null) return;
        for (; first < keep; first++) {
            int slot = (int) first & held.length - 1;
            byte[] chunk = held[slot];
            if (chunk != null) pool.give(chunk);
            held[slot] = null;
        }
        if (empty) ring = null;
    }

    private byte[] chunk(long index) {
        byte @Nullable [] @Nullable [] held = ring;
        if (held == null) {
            held = new byte[4][];
            first = index;
            end = index;
        }
        long low = Math.min(first, index);
        long last = Math.max(end, index + 1);
        if (last - low > held.length) held = grow(held, last - low);
        ring = held;
        first = low;
        end = last;
        int slot = (int) index & held.length - 1;
        byte[] chunk = held[slot];
        if (chunk == null) {
            chunk = pool.take();
            held[slot] = chunk;
        }
        return chunk;
    }

    private byte[] @Nullable [] grow(byte[] @Nullable [] held, long chunks) {
        int length = held.length;
        while (length < chunks) length *= 2;
        byte[] @Nullable [] grown = new byte[length][];
        for (long i = first; i < end; i++) {
            grown[(int) i & length - 1] = held[(int) i & held.length - 1];
        }
        return grown;
    }
}
