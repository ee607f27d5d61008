package mcc.crypto;

import org.jspecify.annotations.Nullable;

/** Diffie-Hellman over Curve25519 (RFC 7748 section 5). Keys and results are 32 bytes. */
public final class X25519 {
    /** Length of a key and of an agreement in bytes. */
    public static final int BYTES = 32;

    private X25519() {}

    /** Returns the public key of a private one. */
    public static byte[] publicKey(byte[] privateKey) {
        byte[] out = new byte[BYTES];
        org.bouncycastle.math.ec.rfc7748.X25519.scalarMultBase(privateKey, 0, out, 0);
        return out;
    }

    /** Returns the shared secret; null if it is all zeros, as with a peer's point of small order (section 6.1). */
    public static byte @Nullable [] agree(byte[] privateKey, byte[] publicKey) {
        byte[] out = new byte[BYTES];
        boolean sound = org.bouncycastle.math.ec.rfc7748.X25519.calculateAgreement(privateKey, 0, publicKey, 0, out, 0);
        return sound ? out : null;
    }
}
