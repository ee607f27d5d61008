package mcc.session;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.List;
import mcc.core.Invariant;
import mcc.crypto.Aead;
import mcc.crypto.X25519;
import org.jspecify.annotations.Nullable;

/**
 * One side of one Noise handshake over Curve25519: the HandshakeState of section 5.3, for the patterns that MCC speaks.
 *
 * <p>Idle → (write or read, in turn) → done. A message that is not authentic ends it: {@link #read} returns null, and the
 * object must be discarded. All keys are passed in, the ephemeral one too, so that tests can replay a handshake.
 *
 * <p>The patterns, from section 7.5:
 * <pre>
 *   IK:  &lt;- s                      XX:  -&gt; e
 *        ...                            &lt;- e, ee, s, es
 *        -&gt; e, es, s, ss                -&gt; s, se
 *        &lt;- e, ee, se
 * </pre>
 */
public final class Handshake {
    /** A handshake pattern. */
    public enum Pattern {
        /** The responder's static key is known beforehand. */
        IK,
        /** Neither knows the other's static key. */
        XX
    }

    private static final List<List<String>> IK = List.of(List.of("e", "es", "s", "ss"), List.of("e", "ee", "se"));
    private static final List<List<String>> XX =
            List.of(List.of("e"), List.of("e", "ee", "s", "es"), List.of("s", "se"));

    private static final String NAME_TAIL = "_SHA256";
    private static final int KEY_BYTES = X25519.BYTES;

    private final List<List<String>> messages;
    private final boolean initiator;
    private final SymmetricState symmetric;
    private final byte[] s;
    private final byte[] sPublic;
    private final byte[] e;
    private byte @Nullable [] rs;
    private byte @Nullable [] re;
    private int message;

    /**
     * Starts a handshake with ChaChaPoly, as MCC's always is.
     *
     * @param prologue data that both sides must have equal, but do not send
     * @param staticPrivate this side's X25519 key
     * @param remoteStatic the responder's public key for the initiator of IK, else null
     * @param ephemeralPrivate 32 fresh random bytes
     */
    public Handshake(
            Pattern pattern,
            boolean initiator,
            byte[] prologue,
            byte[] staticPrivate,
            byte @Nullable [] remoteStatic,
            byte[] ephemeralPrivate) {
        this(Aead.Suite.CHACHA20_POLY1305, pattern, initiator, prologue, staticPrivate, remoteStatic, ephemeralPrivate);
    }

    Handshake(
            Aead.Suite suite,
            Pattern pattern,
            boolean initiator,
            byte[] prologue,
            byte[] staticPrivate,
            byte @Nullable [] remoteStatic,
            byte[] ephemeralPrivate) {
        messages = pattern == Pattern.IK ? IK : XX;
        this.initiator = initiator;
        s = staticPrivate.clone();
        sPublic = X25519.publicKey(s);
        e = ephemeralPrivate.clone();
        rs = remoteStatic;
        String cipher = suite == Aead.Suite.AES_256_GCM ? "_25519_AESGCM" : "_25519_ChaChaPoly";
        symmetric = new SymmetricState("Noise_" + pattern + cipher + NAME_TAIL, suite);
        symmetric.mixHash(prologue);
        if (pattern == Pattern.IK) {
            Invariant.check(!initiator || rs != null, "the initiator of IK knows the responder's key");
            symmetric.mixHash(initiator && rs != null ? rs : sPublic);
        }
    }

    /** Returns whether all messages have passed. */
    public boolean done() {
        return message == messages.size();
    }

    /** Writes this side's next message with a payload; null if the key agreement yields all zeros. */
    public byte @Nullable [] write(byte[] payload) {
        Invariant.check(!done() && (message % 2 == 0) == initiator, "it is this side's turn to write");
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (String token : messages.get(message)) {
            switch (token) {
                case "e" -> {
                    byte[] ePublic = X25519.publicKey(e);
                    symmetric.mixHash(ePublic);
                    out.writeBytes(ePublic);
                }
                case "s" -> out.writeBytes(symmetric.encryptAndHash(sPublic));
                default -> {
                    if (!agree(token)) return null;
                }
            }
        }
        out.writeBytes(symmetric.encryptAndHash(payload));
        message++;
        return out.toByteArray();
    }

    /** Reads the peer's next message; returns its payload, or null if it is malformed or not authentic. */
    public byte @Nullable [] read(byte[] in) {
        if (done() || (message % 2 == 0) == initiator) return null;
        int at = 0;
        for (String token : messages.get(message)) {
            switch (token) {
                case "e" -> {
                    if (in.length < at + KEY_BYTES) return null;
                    re = Arrays.copyOfRange(in, at, at + KEY_BYTES);
                    symmetric.mixHash(re);
                    at += KEY_BYTES;
                }
                case "s" -> {
                    int size = KEY_BYTES + (symmetric.hasKey() ? Aead.TAG_BYTES : 0);
                    if (in.length < at + size) return null;
                    rs = symmetric.decryptAndHash(Arrays.copyOfRange(in, at, at + size));
                    if (rs == null) return null;
                    at += size;
                }
                default -> {
                    if (!agree(token)) return null;
                }
            }
        }
        byte[] payload = symmetric.decryptAndHash(Arrays.copyOfRange(in, at, in.length));
        if (payload != null) message++;
        return payload;
    }

    /** The peer's static key, once it is known. */
    public byte @Nullable [] remoteStatic() {
        return rs == null ? null : rs.clone();
    }

    /** The transport keys: initiator to responder, then the reverse. To be called once, when {@link #done}. */
    public byte[][] split() {
        Invariant.check(done(), "keys are split when the handshake is done");
        Arrays.fill(e, (byte) 0);
        Arrays.fill(s, (byte) 0);
        return symmetric.split();
    }

    /** The handshake hash h, which identifies this handshake (section 11.2). */
    public byte[] hash() {
        return symmetric.hash();
    }

    /** The tokens ee, es, se and ss: the first letter is the initiator's key, the second the responder's. */
    private boolean agree(String token) {
        boolean localStatic = token.charAt(initiator ? 0 : 1) == 's';
        boolean remoteStatic = token.charAt(initiator ? 1 : 0) == 's';
        byte[] remote = remoteStatic ? rs : re;
        if (remote == null) return false;
        byte[] shared = X25519.agree(localStatic ? s : e, remote);
        if (shared == null) return false;
        symmetric.mixKey(shared);
        Arrays.fill(shared, (byte) 0);
        return true;
    }
}
