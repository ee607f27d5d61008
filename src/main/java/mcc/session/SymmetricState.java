package mcc.session;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import mcc.crypto.Aead;
import mcc.crypto.Hkdf;
import mcc.crypto.Sha256;
import org.jspecify.annotations.Nullable;

/** Noise's SymmetricState, including its CipherState (sections 5.1 and 5.2), with SHA-256. */
final class SymmetricState {
    private static final byte[] NONE = new byte[0];

    private final Aead.Suite suite;
    private byte[] ck;
    private byte[] h;
    private @Nullable Aead sealer;
    private @Nullable Aead opener;
    private long n;

    SymmetricState(String protocolName, Aead.Suite suite) {
        this.suite = suite;
        byte[] name = protocolName.getBytes(StandardCharsets.US_ASCII);
        h = name.length <= Sha256.BYTES ? Arrays.copyOf(name, Sha256.BYTES) : Sha256.of(name);
        ck = h;
    }

    void mixKey(byte[] inputKeyMaterial) {
        byte[] out = hkdf(inputKeyMaterial);
        ck = Arrays.copyOf(out, 32);
        byte[] key = Arrays.copyOfRange(out, 32, 64);
        sealer = new Aead(suite, key);
        opener = new Aead(suite, key);
        n = 0;
        Arrays.fill(key, (byte) 0);
        Arrays.fill(out, (byte) 0);
    }

    void mixHash(byte[] data) {
        h = Sha256.of(h, data);
    }

    boolean hasKey() {
        return sealer != null;
    }

    byte[] encryptAndHash(byte[] plaintext) {
        byte[] out = plaintext;
        if (sealer != null) {
            out = new byte[plaintext.length + Aead.TAG_BYTES];
            sealer.seal(nonce(), h, plaintext, 0, plaintext.length, out, 0);
        }
        mixHash(out);
        return out;
    }

    /** Returns the plaintext; null if it is not authentic. */
    byte @Nullable [] decryptAndHash(byte[] ciphertext) {
        byte[] out = ciphertext;
        if (opener != null) {
            if (ciphertext.length < Aead.TAG_BYTES) return null;
            out = new byte[ciphertext.length - Aead.TAG_BYTES];
            if (opener.open(nonce(), h, ciphertext, 0, ciphertext.length, out, 0) == Aead.FORGED) return null;
        }
        mixHash(ciphertext);
        return out;
    }

    /** The two transport keys: initiator to responder, then the reverse; 32 bytes each. */
    byte[][] split() {
        byte[] out = hkdf(NONE);
        byte[][] keys = {Arrays.copyOf(out, 32), Arrays.copyOfRange(out, 32, 64)};
        Arrays.fill(out, (byte) 0);
        Arrays.fill(ck, (byte) 0);
        return keys;
    }

    byte[] hash() {
        return h.clone();
    }

    private byte[] hkdf(byte[] inputKeyMaterial) {
        return Hkdf.derive(ck, inputKeyMaterial, NONE, 64);
    }

    /** ChaChaPoly's nonce is little-endian, AESGCM's big-endian (sections 12.3 and 12.4). */
    private byte[] nonce() {
        byte[] out = new byte[Aead.NONCE_BYTES];
        for (int i = 0; i < 8; i++) {
            int at = suite == Aead.Suite.CHACHA20_POLY1305 ? 4 + i : 11 - i;
            out[at] = (byte) (n >>> 8 * i);
        }
        n++;
        return out;
    }
}
