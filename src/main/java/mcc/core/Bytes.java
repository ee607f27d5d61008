package mcc.core;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** An immutable string of bytes that compares by content. */
public final class Bytes {
    /** No bytes. */
    public static final Bytes EMPTY = new Bytes(new byte[0]);

    private final byte[] value;

    private Bytes(byte[] value) {
        this.value = value;
    }

    /** Copies {@code bytes}. */
    public static Bytes copyOf(byte[] bytes) {
        return bytes.length == 0 ? EMPTY : new Bytes(bytes.clone());
    }

    /** Copies {@code length} bytes at {@code offset}. */
    public static Bytes copyOf(byte[] bytes, int offset, int length) {
        return length == 0 ? EMPTY : new Bytes(Arrays.copyOfRange(bytes, offset, offset + length));
    }

    /** Takes over the array: the caller must never touch it again. */
    public static Bytes owning(byte[] bytes) {
        return new Bytes(bytes);
    }

    /** Encodes {@code text} as UTF-8. */
    public static Bytes utf8(String text) {
        return new Bytes(text.getBytes(StandardCharsets.UTF_8));
    }

    /** Returns the number of bytes. */
    public int size() {
        return value.length;
    }

    /** Returns the byte at {@code index}. */
    public byte at(int index) {
        return value[index];
    }

    /** Copies all bytes into {@code out} at {@code offset}. */
    public void write(byte[] out, int offset) {
        System.arraycopy(value, 0, out, offset, value.length);
    }

    /** Returns a copy as an array. */
    public byte[] toArray() {
        return value.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Bytes b && Arrays.equals(value, b.value);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(value);
    }

    /** Tells only how many there are: bytes may be secret. */
    @Override
    public String toString() {
        return "Bytes[" + value.length + "]";
    }
}
