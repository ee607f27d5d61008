package mcc.core;

import java.util.Comparator;
import org.jspecify.annotations.Nullable;

/**
 * A 256-bit name: a node ID (the Ed25519 public key itself), an endpoint ID, or a position in the DHT's key space.
 *
 * <p>Four longs, most significant first, so that it compares and hashes without allocation. Printed as 52 characters of
 * lower-case base32 without padding (RFC 4648 section 6); the last character carries one bit.
 */
public record Id(long w0, long w1, long w2, long w3) implements Comparable<Id> {
    /** Length in bytes. */
    public static final int BYTES = 32;
    /** Length in bits. */
    public static final int BITS = 256;
    /** Length of the printed form in characters. */
    public static final int CHARS = 52;

    private static final String ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";

    /** All bits zero. */
    public static final Id ZERO = new Id(0, 0, 0, 0);

    /** Reads 32 bytes, most significant first, at {@code offset}. */
    public static Id of(byte[] bytes, int offset) {
        return new Id(word(bytes, offset), word(bytes, offset + 8), word(bytes, offset + 16), word(bytes, offset + 24));
    }

    /** Reads exactly 32 bytes. */
    public static Id of(byte[] bytes) {
        if (bytes.length != BYTES) throw new IllegalArgumentException("an ID has 32 bytes, not " + bytes.length);
        return of(bytes, 0);
    }

    /** Draws a uniformly random ID. */
    public static Id random(Rng rng) {
        return new Id(rng.nextLong(), rng.nextLong(), rng.nextLong(), rng.nextLong());
    }

    /** Parses the whole printed form; null when it is not one. */
    public static @Nullable Id parse(String text) {
        if (text.length() != CHARS) return null;
        byte[] out = new byte[BYTES];
        int bits = 0;
        int have = 0;
        int at = 0;
        for (int i = 0; i < CHARS; i++) {
            int v = ALPHABET.indexOf(text.charAt(i));
            if (v < 0) return null;
            bits = bits << 5 | v;
            have += 5;
            if (have >= 8 && at < BYTES) {
                have -= 8;
                out[at++] = (byte) (bits >>> have);
                bits &= (1 << have) - 1;
            }
        }
        return bits == 0 ? of(out) : null;
    }

    /** Returns whether {@code text} is at least 8 and at most 52 characters of the printed form's alphabet. */
    public static boolean isPrefix(String text) {
        if (text.length() < 8 || text.length() > CHARS) return false;
        return text.chars().allMatch(c -> ALPHABET.indexOf(c) >= 0);
    }

    /** Returns the 32 bytes, most significant first, in a new array. */
    public byte[] toBytes() {
        byte[] out = new byte[BYTES];
        write(out, 0);
        return out;
    }

    /** Writes the 32 bytes at {@code offset}. */
    public void write(byte[] out, int offset) {
        put(out, offset, w0);
        put(out, offset + 8, w1);
        put(out, offset + 16, w2);
        put(out, offset + 24, w3);
    }

    /** Returns the Kademlia distance to {@code other}: the bitwise exclusive or. */
    public Id xor(Id other) {
        return new Id(w0 ^ other.w0, w1 ^ other.w1, w2 ^ other.w2, w3 ^ other.w3);
    }

    /** Returns how many leading bits are shared with {@code other}, 0 to 256. */
    public int sharedBits(Id other) {
        long x = w0 ^ other.w0;
        if (x != 0) return Long.numberOfLeadingZeros(x);
        x = w1 ^ other.w1;
        if (x != 0) return 64 + Long.numberOfLeadingZeros(x);
        x = w2 ^ other.w2;
        if (x != 0) return 128 + Long.numberOfLeadingZeros(x);
        return 192 + Long.numberOfLeadingZeros(w3 ^ other.w3);
    }

    /** Returns bit {@code index} (0 is the most significant). */
    public boolean bit(int index) {
        long word = switch (index >>> 6) {
            case 0 -> w0;
            case 1 -> w1;
            case 2 -> w2;
            default -> w3;
        };
        return (word >>> (63 - (index & 63)) & 1) != 0;
    }

    /** Compares the distances from this ID to {@code a} and to {@code b}: negative when {@code a} is nearer. */
    public int compareDistance(Id a, Id b) {
        int c = Long.compareUnsigned(w0 ^ a.w0, w0 ^ b.w0);
        if (c != 0) return c;
        c = Long.compareUnsigned(w1 ^ a.w1, w1 ^ b.w1);
        if (c != 0) return c;
        c = Long.compareUnsigned(w2 ^ a.w2, w2 ^ b.w2);
        return c != 0 ? c : Long.compareUnsigned(w3 ^ a.w3, w3 ^ b.w3);
    }

    /** Orders IDs by their distance to this one, nearest first. */
    public Comparator<Id> byDistance() {
        return this::compareDistance;
    }

    @Override
    public int compareTo(Id other) {
        return ZERO.compareDistance(this, other);
    }

    /** Returns the first 8 characters of the printed form, for people. */
    public String shortText() {
        return toString().substring(0, 8);
    }

    @Override
    public String toString() {
        StringBuilder out = new StringBuilder(CHARS);
        byte[] bytes = toBytes();
        int bits = 0;
        int have = 0;
        for (byte b : bytes) {
            bits = bits << 8 | (b & 0xff);
            have += 8;
            while (have >= 5) {
                have -= 5;
                out.append(ALPHABET.charAt(bits >>> have & 31));
            }
            bits &= (1 << have) - 1;
        }
        return out.append(ALPHABET.charAt(bits << (5 - have) & 31)).toString();
    }

    @Override
    public int hashCode() {
        long x = w0 ^ w1 * 31 ^ w2 * 961 ^ w3 * 29791;
        return (int) (x ^ x >>> 32);
    }

    private static long word(byte[] b, int o) {
        long v = 0;
        for (int i = 0; i < 8; i++) v = v << 8 | (b[o + i] & 0xff);
        return v;
    }

    private static void put(byte[] b, int o, long v) {
        for (int i = 0; i < 8; i++) b[o + i] = (byte) (v >>> (56 - 8 * i));
    }
}
