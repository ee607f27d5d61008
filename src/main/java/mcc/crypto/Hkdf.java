package mcc.crypto;

import java.security.GeneralSecurityException;
import java.util.Arrays;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** HMAC-SHA-256 (RFC 2104) and the key derivation HKDF-SHA-256 built on it (RFC 5869). */
public final class Hkdf {
    private static final int HASH = Sha256.BYTES;

    private Hkdf() {}

    /** HMAC over the concatenated parts, 32 bytes; the key may be empty. */
    public static byte[] hmac(byte[] key, byte[]... parts) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key.length == 0 ? new byte[1] : key, "HmacSHA256"));
            for (byte[] part : parts) mac.update(part);
            return mac.doFinal();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java has no HMAC-SHA-256", e);
        }
    }

    /** RFC 5869 section 2.2; an empty salt stands for zeros. */
    public static byte[] extract(byte[] salt, byte[] secret) {
        return hmac(salt, secret);
    }

    /** RFC 5869 section 2.3: {@code length} bytes, at most 8,160. */
    public static byte[] expand(byte[] key, byte[] info, int length) {
        if (length > 255 * HASH) throw new IllegalArgumentException("HKDF gives at most 8160 bytes, not " + length);
        byte[] out = new byte[length];
        byte[] block = new byte[0];
        for (int at = 0, i = 1; at < length; at += HASH, i++) {
            block = hmac(key, block, info, new byte[] {(byte) i});
            System.arraycopy(block, 0, out, at, Math.min(HASH, length - at));
        }
        return out;
    }

    /** Extract, then expand. */
    public static byte[] derive(byte[] salt, byte[] secret, byte[] info, int length) {
        byte[] key = extract(salt, secret);
        try {
            return expand(key, info, length);
        } finally {
            Arrays.fill(key, (byte) 0);
        }
    }
}
