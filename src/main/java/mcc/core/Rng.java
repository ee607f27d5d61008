package mcc.core;

import java.util.Arrays;

/**
 * The only source of randomness: a ChaCha20 stream with fast key erasure, seeded with 256 bits.
 *
 * <p>Seeded from the operating system it is fit for keys: each refill overwrites the key, so past output cannot be computed
 * from the present state. Seeded with a constant it replays. {@link #split} returns an independent stream, so that one draw
 * more in one place changes nothing elsewhere. Not thread-safe; each core owns one.
 *
 * <p>Sources: ChaCha20 block, RFC 8439 section 2.3; fast key erasure, blog.cr.yp.to/20170723-random.html.
 */
public final class Rng {
    private static final int BLOCKS = 8;
    private static final int KEY_INTS = 8;

    private final int[] key = new int[KEY_INTS];
    private final int[] pool = new int[16 * BLOCKS];
    private int next = pool.length;

    private Rng() {}

    /** Seeds from 32 bytes, which the caller should wipe. */
    public static Rng seeded(byte[] seed) {
        if (seed.length != 32) throw new IllegalArgumentException("a seed has 32 bytes, not " + seed.length);
        Rng rng = new Rng();
        for (int i = 0; i < KEY_INTS; i++) {
            rng.key[i] = (seed[4 * i] & 0xff)
                    | (seed[4 * i + 1] & 0xff) << 8
                    | (seed[4 * i + 2] & 0xff) << 16
                    | (seed[4 * i + 3] & 0xff) << 24;
        }
        return rng;
    }

    /** Seeds from a number, for simulations and tests: 64 bits are not enough for keys. */
    public static Rng seeded(long seed) {
        Rng rng = new Rng();
        rng.key[0] = (int) seed;
        rng.key[1] = (int) (seed >>> 32);
        return rng;
    }

    /** Returns a new independent stream. */
    public Rng split() {
        Rng child = new Rng();
        for (int i = 0; i < KEY_INTS; i++) child.key[i] = nextInt();
        return child;
    }

    /** Returns 32 uniformly random bits. */
    public int nextInt() {
        if (next == pool.length) refill();
        int v = pool[next];
        pool[next++] = 0;
        return v;
    }

    /** Returns 64 uniformly random bits. */
    public long nextLong() {
        return (long) nextInt() << 32 | (nextInt() & 0xffffffffL);
    }

    /** Returns a uniform number from 0 to {@code bound} − 1, for a bound of at least 1. */
    public int below(int bound) {
        if (bound < 1) throw new IllegalArgumentException("bound below 1: " + bound);
        long limit = (1L << 32) - (1L << 32) % bound;
        long v;
        do {
            v = nextInt() & 0xffffffffL;
        } while (v >= limit);
        return (int) (v % bound);
    }

    /** Returns a uniform number from 0 to {@code bound} − 1, for a bound of at least 1. */
    public long below(long bound) {
        if (bound < 1) throw new IllegalArgumentException("bound below 1: " + bound);
        long limit = Long.MAX_VALUE - Long.MAX_VALUE % bound;
        long v;
        do {
            v = nextLong() >>> 1;
        } while (v >= limit);
        return v % bound;
    }

    /** Returns true with a probability of {@code ppm} in a million. */
    public boolean chance(int ppm) {
        return below(1_000_000) < ppm;
    }

    /** Fills {@code out} with random bytes. */
    public void fill(byte[] out) {
        for (int i = 0; i < out.length; i += 4) {
            int v = nextInt();
            for (int j = i; j < Math.min(i + 4, out.length); j++, v >>>= 8) out[j] = (byte) v;
        }
    }

    /** Returns {@code count} random bytes. */
    public byte[] bytes(int count) {
        byte[] out = new byte[count];
        fill(out);
        return out;
    }

    private void refill() {
        for (int block = 0; block < BLOCKS; block++) chacha20Block(key, block, pool, 16 * block);
        System.arraycopy(pool, 0, key, 0, KEY_INTS);
        Arrays.fill(pool, 0, KEY_INTS, 0);
        next = KEY_INTS;
    }

    /** RFC 8439 section 2.3 with an all-zero nonce. */
    static void chacha20Block(int[] key, int counter, int[] out, int at) {
        int[] x = new int[16];
        initial(key, counter, x);
        for (int round = 0; round < 10; round++) {
            quarter(x, 0, 4, 8, 12);
            quarter(x, 1, 5, 9, 13);
            quarter(x, 2, 6, 10, 14);
            quarter(x, 3, 7, 11, 15);
            quarter(x, 0, 5, 10, 15);
            quarter(x, 1, 6, 11, 12);
            quarter(x, 2, 7, 8, 13);
            quarter(x, 3, 4, 9, 14);
        }
        int[] start = new int[16];
        initial(key, counter, start);
        for (int i = 0; i < 16; i++) out[at + i] = x[i] + start[i];
    }

    private static void initial(int[] key, int counter, int[] x) {
        x[0] = 0x61707865;
        x[1] = 0x3320646e;
        x[2] = 0x79622d32;
        x[3] = 0x6b206574;
        System.arraycopy(key, 0, x, 4, KEY_INTS);
        x[12] = counter;
    }

    private static void quarter(int[] x, int a, int b, int c, int d) {
        x[a] += x[b];
        x[d] = Integer.rotateLeft(x[d] ^ x[a], 16);
        x[c] += x[d];
        x[b] = Integer.rotateLeft(x[b] ^ x[c], 12);
        x[a] += x[b];
        x[d] = Integer.rotateLeft(x[d] ^ x[a], 8);
        x[c] += x[d];
        x[b] = Integer.rotateLeft(x[b] ^ x[c], 7);
    }
}
