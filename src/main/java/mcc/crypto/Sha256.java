package mcc.crypto;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import mcc.core.Id;

/** The hash SHA-256 (FIPS 180-4). */
public final class Sha256 {
    /** Output length in bytes. */
    public static final int BYTES = 32;

    /** Creating a digest costs more than hashing an ID. */
    private static final ThreadLocal<MessageDigest> DIGEST = ThreadLocal.withInitial(Sha256::digest);

    private Sha256() {}

    /** Hashes the concatenated parts. */
    public static byte[] of(byte[]... parts) {
        MessageDigest digest = DIGEST.get();
        for (byte[] part : parts) digest.update(part);
        return digest.digest();
    }

    /** Hashes the concatenated parts into an ID. */
    public static Id id(byte[]... parts) {
        return Id.of(of(parts));
    }

    private static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this Java has no SHA-256", e);
        }
    }
}
