package mcc.session;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import mcc.core.Address;
import mcc.core.Rng;
import mcc.crypto.Aead;
import mcc.crypto.Hkdf;
import mcc.crypto.Sha256;
import org.jspecify.annotations.Nullable;

/**
 * Decides who may cause work at a responder: mac1 shows that the initiator knows the responder's key, mac2 that it receives at
 * its address.
 *
 * <p>Like WireGuard's sections 5.3 and 5.4.7, with HMAC-SHA-256 truncated to 16 bytes and a salted one-time key for the box.
 */
public final class Cookies {
    /** Length of mac1, mac2 and of a cookie in bytes. */
    public static final int MAC_BYTES = 16;
    /** Length of a cookie reply's salt. */
    public static final int SALT_BYTES = 16;
    /** A secret is replaced after this time, so a cookie is valid for at least once and at most twice as long. */
    public static final long SECRET_LIFE_NS = 120_000_000_000L;

    private final Rng rng;
    private byte[] secret;
    private byte[] previous;
    private long madeNs;

    public Cookies(Rng rng, long nowNs) {
        this.rng = rng;
        secret = rng.bytes(32);
        previous = rng.bytes(32);
        madeNs = nowNs;
    }

    /** The key of mac1 for a responder's X25519 key in a network. */
    public static byte[] mac1Key(String network, byte[] responderStatic) {
        return Sha256.of("mcc/mac1/1".getBytes(StandardCharsets.US_ASCII), network(network), responderStatic);
    }

    /** The key of mac1 if the initiator does not know the responder's key (XX). */
    public static byte[] mac1KeyUnknown(String network) {
        return Sha256.of("mcc/mac1-xx/1".getBytes(StandardCharsets.US_ASCII), network(network));
    }

    /** The mac of an initiation, 16 bytes. */
    public static byte[] mac(byte[] key, int sender, byte[] noise) {
        byte[] index = {(byte) sender, (byte) (sender >>> 8), (byte) (sender >>> 16), (byte) (sender >>> 24)};
        return Arrays.copyOf(Hkdf.hmac(key, index, noise), MAC_BYTES);
    }

    /** Compares in constant time. */
    public static boolean same(byte[] a, byte[] b) {
        return MessageDigest.isEqual(a, b);
    }

    /** Returns whether mac2 was made with a cookie that this node gave to that address. */
    public boolean isProven(long nowNs, Address from, int sender, byte[] noise, byte[] mac2) {
        rotate(nowNs);
        if (mac2.length != MAC_BYTES) return false;
        return same(mac(cookie(secret, from), sender, noise), mac2)
                || same(mac(cookie(previous, from), sender, noise), mac2);
    }

    /** Makes a cookie for an address, sealed for the sender of mac1. */
    public byte[] reply(long nowNs, Address to, byte[] mac1Key, byte[] mac1, byte[] salt) {
        rotate(nowNs);
        byte[] out = new byte[MAC_BYTES + Aead.TAG_BYTES];
        box(mac1Key, salt, mac1).seal(ZERO_NONCE, mac1, cookie(secret, to), 0, MAC_BYTES, out, 0);
        return out;
    }

    /** A random salt for {@link #reply}. */
    public byte[] salt() {
        return rng.bytes(SALT_BYTES);
    }

    /** Opens a cookie reply; null if it does not answer this mac1. */
    public static byte @Nullable [] open(byte[] mac1Key, byte[] mac1, byte[] salt, byte[] sealed) {
        if (salt.length != SALT_BYTES || sealed.length != MAC_BYTES + Aead.TAG_BYTES) return null;
        byte[] out = new byte[MAC_BYTES];
        int n = box(mac1Key, salt, mac1).open(ZERO_NONCE, mac1, sealed, 0, sealed.length, out, 0);
        return n == Aead.FORGED ? null : out;
    }

    private static final byte[] ZERO_NONCE = new byte[Aead.NONCE_BYTES];

    /** Salt and mac1 go into the key, so the nonce may be constant. */
    private static Aead box(byte[] mac1Key, byte[] salt, byte[] mac1) {
        byte[] info = Arrays.copyOf(salt, salt.length + mac1.length);
        System.arraycopy(mac1, 0, info, salt.length, mac1.length);
        byte[] label = "mcc/cookie/1".getBytes(StandardCharsets.US_ASCII);
        return new Aead(Aead.Suite.CHACHA20_POLY1305, Hkdf.derive(label, mac1Key, info, Aead.KEY_BYTES));
    }

    private static byte[] cookie(byte[] secret, Address of) {
        byte[] port = {(byte) (of.port() >>> 8), (byte) of.port()};
        return Arrays.copyOf(Hkdf.hmac(secret, of.ip(), port), MAC_BYTES);
    }

    private void rotate(long nowNs) {
        if (nowNs - madeNs < SECRET_LIFE_NS) return;
        previous = nowNs - madeNs < 2 * SECRET_LIFE_NS ? secret : rng.bytes(32);
        secret = rng.bytes(32);
        madeNs = nowNs;
    }

    private static byte[] network(String name) {
        byte[] text = name.getBytes(StandardCharsets.UTF_8);
        byte[] out = new byte[text.length + 1];
        out[0] = (byte) text.length;
        System.arraycopy(text, 0, out, 1, text.length);
        return out;
    }
}
