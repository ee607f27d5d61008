package mcc.lan;

import java.security.MessageDigest;
import java.util.Arrays;
import mcc.core.Bytes;
import mcc.crypto.Hkdf;
import mcc.crypto.Sha256;
import org.jspecify.annotations.Nullable;

/**
 * What a node says on its link: 28 bytes, of which those who know the network's name can tell that they are about it.
 *
 * <p>1 byte version, 1 byte flags, 2 bytes UDP port, 8 bytes salt, 16 bytes tag: the beginning of HMAC-SHA-256 over all before
 * it and the number of the time slot. Two of them have nothing in common but for those who know the name.
 *
 * @param port where the sender listens
 * @param alone whether it has no contacts
 */
record Hello(int port, boolean alone) {
    static final int BYTES = 28;
    /** The length of a time slot. The one before and the one after are accepted as well, for clocks that differ. */
    static final long SLOT_MS = 300_000;

    private static final int VERSION = 1;
    private static final int HEAD = 12;
    private static final int SALT = 8;
    private static final byte[] PURPOSE = Bytes.utf8("mcc/lan/1/").toArray();

    /** The key of a network. Its name is no secret where the network is open. */
    static Bytes key(String network) {
        return Bytes.owning(Sha256.of(PURPOSE, Bytes.utf8(network).toArray()));
    }

    /** The datagram; {@code salt} has 8 random bytes. */
    byte[] write(Bytes key, byte[] salt, long wallMs) {
        byte[] out = new byte[BYTES];
        out[0] = VERSION;
        out[1] = (byte) (alone ? 1 : 0);
        out[2] = (byte) (port >>> 8);
        out[3] = (byte) port;
        System.arraycopy(salt, 0, out, HEAD - SALT, SALT);
        System.arraycopy(tag(key, out, wallMs / SLOT_MS), 0, out, HEAD, BYTES - HEAD);
        return out;
    }

    /** Whether a datagram has the form of one, of any network. */
    static boolean isForm(byte[] b) {
        return b.length == BYTES && b[0] == VERSION && (b[1] & 0xfe) == 0 && (b[2] != 0 || b[3] != 0);
    }

    /** Reads one of this network; null for anything else. */
    static @Nullable Hello read(Bytes key, byte[] b, long wallMs) {
        if (!isForm(b)) return null;
        byte[] said = Arrays.copyOfRange(b, HEAD, BYTES);
        boolean known = false;
        for (int slot = -1; slot <= 1; slot++) {
            known |= MessageDigest.isEqual(said, tag(key, b, wallMs / SLOT_MS + slot));
        }
        return known ? new Hello((b[2] & 0xff) << 8 | (b[3] & 0xff), b[1] == 1) : null;
    }

    private static byte[] tag(Bytes key, byte[] b, long slot) {
        byte[] when = new byte[8];
        for (int i = 0; i < 8; i++) when[i] = (byte) (slot >>> (56 - 8 * i));
        return Arrays.copyOf(Hkdf.hmac(key.toArray(), Arrays.copyOf(b, HEAD), when), BYTES - HEAD);
    }
}
