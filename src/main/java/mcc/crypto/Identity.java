package mcc.crypto;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import mcc.core.Bytes;
import mcc.core.Id;

/**
 * A node's identity: an Ed25519 key pair, whose public key is the node's ID, and the X25519 key pair derived from it.
 *
 * <p>Contains secrets; its text form shows only the ID.
 */
public final class Identity {
    /** Length of the seed, the RFC 8032 private key, in bytes. */
    public static final int SEED_BYTES = 32;

    private final byte[] seed;
    private final byte[] publicKey;
    private final Id id;
    private final byte[] agreementPrivate;
    private final byte[] agreementPublic;

    private Identity(byte[] seed) {
        this.seed = seed;
        publicKey = new byte[Id.BYTES];
        org.bouncycastle.math.ec.rfc8032.Ed25519.generatePublicKey(seed, 0, publicKey, 0);
        id = Id.of(publicKey);
        agreementPrivate = Arrays.copyOf(sha512(seed), X25519.BYTES);
        agreementPublic = X25519.publicKey(agreementPrivate);
    }

    /** Makes the identity from a 32-byte seed, which is copied. */
    public static Identity fromSeed(byte[] seed) {
        if (seed.length != SEED_BYTES) throw new IllegalArgumentException("a seed has 32 bytes, not " + seed.length);
        return new Identity(seed.clone());
    }

    /** The node's ID: its Ed25519 public key. */
    public Id id() {
        return id;
    }

    /** Signs as in RFC 8032 section 5.1.6; 64 bytes. */
    public Bytes sign(byte[] message) {
        byte[] out = new byte[Ed25519.SIGNATURE_BYTES];
        org.bouncycastle.math.ec.rfc8032.Ed25519.sign(seed, 0, publicKey, 0, null, message, 0, message.length, out, 0);
        return Bytes.owning(out);
    }

    /** A copy of the X25519 public key, which others compute from the ID by {@link Ed25519#toX25519}. */
    public byte[] agreementPublic() {
        return agreementPublic.clone();
    }

    /** A copy of the X25519 private key, to be wiped by the caller. */
    public byte[] agreementPrivate() {
        return agreementPrivate.clone();
    }

    @Override
    public String toString() {
        return "Identity[" + id + "]";
    }

    private static byte[] sha512(byte[] seed) {
        try {
            return MessageDigest.getInstance("SHA-512").digest(seed);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this Java has no SHA-512", e);
        }
    }
}
