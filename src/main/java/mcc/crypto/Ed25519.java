package mcc.crypto;

import mcc.core.Bytes;
import mcc.core.Id;
import org.bouncycastle.math.ec.rfc7748.X25519Field;
import org.jspecify.annotations.Nullable;

/** Ed25519 (RFC 8032 section 5.1): checks signatures and public keys, and converts keys. */
public final class Ed25519 {
    /** Length of a signature in bytes. */
    public static final int SIGNATURE_BYTES = 64;

    private Ed25519() {}

    /** Returns whether {@code signature} is a valid signature of {@code publicKey} over {@code message}; never throws. */
    public static boolean verify(Id publicKey, byte[] message, Bytes signature) {
        if (signature.size() != SIGNATURE_BYTES) return false;
        return org.bouncycastle.math.ec.rfc8032.Ed25519.verify(
                signature.toArray(), 0, publicKey.toBytes(), 0, message, 0, message.length);
    }

    /** Returns whether these 32 bytes are the canonical encoding of a point of prime order. */
    public static boolean isSound(Id publicKey) {
        return org.bouncycastle.math.ec.rfc8032.Ed25519.validatePublicKeyFull(publicKey.toBytes(), 0);
    }

    /**
     * Converts a sound public key to its X25519 form, u = (1 + y) / (1 − y) (RFC 7748 section 4.1); null if it is not sound.
     */
    public static byte @Nullable [] toX25519(Id publicKey) {
        if (!isSound(publicKey)) return null;
        byte[] encoded = publicKey.toBytes();
        encoded[31] &= 0x7f;
        int[] y = X25519Field.create();
        int[] one = X25519Field.create();
        int[] over = X25519Field.create();
        int[] under = X25519Field.create();
        X25519Field.decode255(encoded, y);
        X25519Field.one(one);
        X25519Field.add(one, y, over);
        X25519Field.carry(over);
        X25519Field.sub(one, y, under);
        X25519Field.carry(under);
        X25519Field.normalize(under);
        X25519Field.inv(under, under);
        X25519Field.mul(over, under, over);
        X25519Field.normalize(over);
        byte[] u = new byte[X25519.BYTES];
        X25519Field.encode(over, u, 0);
        return u;
    }
}
