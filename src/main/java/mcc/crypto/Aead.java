package mcc.crypto;

import java.security.GeneralSecurityException;
import java.security.spec.AlgorithmParameterSpec;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * Authenticated encryption with one key in one direction: each object either seals or opens. Belongs to one thread.
 *
 * <p>Works from one {@code byte[]} into another: direct buffers, and opening in place, are slower in JDK 25.
 */
public final class Aead {
    /** Bytes that sealing adds. */
    public static final int TAG_BYTES = 16;
    /** Length of a nonce. */
    public static final int NONCE_BYTES = 12;
    /** Length of a key. */
    public static final int KEY_BYTES = 32;

    /** Returned by {@link #open} for a box that is not authentic. */
    public static final int FORGED = -1;

    /** The ciphers that two nodes may agree on. */
    public enum Suite {
        /** RFC 8439. */
        CHACHA20_POLY1305(1, "mcc/chacha20-poly1305"),
        /** NIST SP 800-38D with a 256-bit key and a 128-bit tag. */
        AES_256_GCM(2, "mcc/aes-256-gcm");

        private final int code;
        private final String label;

        Suite(int code, String label) {
            this.code = code;
            this.label = label;
        }

        /** The suite's number on the wire. */
        public int code() {
            return code;
        }

        /** The label that the key derivation includes. */
        public String label() {
            return label;
        }
    }

    private final Suite suite;
    private final SecretKey key;
    private final Cipher cipher;
    private final Nonce gcmNonce = new Nonce();

    /** One nonce object for all packets; the JDK's own class would need two objects per packet. */
    private static final class Nonce extends GCMParameterSpec {
        private byte[] bytes = {};

        Nonce() {
            super(8 * TAG_BYTES, new byte[NONCE_BYTES]);
        }

        Nonce of(byte[] nonce) {
            bytes = nonce;
            return this;
        }

        /** A copy, which the cipher keeps to detect a repeated nonce. */
        @Override
        public byte[] getIV() {
            return bytes.clone();
        }
    }

    /** Creates a cipher for a 32-byte key, which is copied. */
    public Aead(Suite suite, byte[] key) {
        if (key.length != KEY_BYTES) throw new IllegalArgumentException("a key has 32 bytes, not " + key.length);
        this.suite = suite;
        this.key = new SecretKeySpec(key, suite == Suite.AES_256_GCM ? "AES" : "ChaCha20");
        try {
            cipher = Cipher.getInstance(suite == Suite.AES_256_GCM ? "AES/GCM/NoPadding" : "ChaCha20-Poly1305");
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java has no " + suite, e);
        }
    }

    /**
     * Seals {@code length} bytes into {@code out}, which gets 16 bytes more. The caller must use each nonce once.
     *
     * @return the number of bytes written
     */
    public int seal(byte[] nonce, byte[] ad, byte[] in, int offset, int length, byte[] out, int outOffset) {
        try {
            cipher.init(Cipher.ENCRYPT_MODE, key, parameters(nonce));
            if (ad.length > 0) cipher.updateAAD(ad);
            return cipher.doFinal(in, offset, length, out, outOffset);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("sealing failed: " + e.getMessage(), e);
        }
    }

    /**
     * Opens a box of {@code length} bytes, including the tag, into another array.
     *
     * @return the number of bytes written, or {@link #FORGED}; {@code out} may then contain anything
     */
    public int open(byte[] nonce, byte[] ad, byte[] in, int offset, int length, byte[] out, int outOffset) {
        if (length < TAG_BYTES) return FORGED;
        try {
            cipher.init(Cipher.DECRYPT_MODE, key, parameters(nonce));
            if (ad.length > 0) cipher.updateAAD(ad);
            return cipher.doFinal(in, offset, length, out, outOffset);
        } catch (AEADBadTagException _) {
            return FORGED; // an outsider's packet, which is expected; the caller counts it
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("opening failed: " + e.getMessage(), e);
        }
    }

    private AlgorithmParameterSpec parameters(byte[] nonce) {
        return suite == Suite.AES_256_GCM ? gcmNonce.of(nonce) : new IvParameterSpec(nonce);
    }
}
