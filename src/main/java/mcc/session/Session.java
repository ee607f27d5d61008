package mcc.session;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import mcc.core.Invariant;
import mcc.crypto.Aead;
import mcc.crypto.Hkdf;
import mcc.wire.Transport;

/**
 * The keys from one finished handshake, and their lifetime.
 *
 * <p>Born → in use → due for replacement (120 s of use or 2^28 packets; the initiator first, the responder 15 s later) →
 * dead (60 s after it fell due while in use, after an hour without use, or at 2^31 packets).
 */
public final class Session {
    /** In use, the initiator replaces the keys at this age. */
    public static final long REKEY_AFTER_NS = 120_000_000_000L;
    /** The responder waits this much longer, so that both do not begin at the same time. */
    public static final long RESPONDER_EXTRA_NS = 15_000_000_000L;
    /** Keys in use die this long after they fell due. */
    public static final long GRACE_NS = 60_000_000_000L;
    /** Unused keys die at this age. */
    public static final long IDLE_LIFE_NS = 3_600_000_000_000L;
    /** The keys are replaced after this many packets, and refuse to seal more than the second number. */
    public static final long REKEY_AFTER_PACKETS = 1L << 28;

    public static final long REFUSE_AFTER_PACKETS = 1L << 31;

    private final int localIndex;
    private final int remoteIndex;
    private final boolean initiator;
    private final Aead.Suite suite;
    private final Aead sealer;
    private final Aead opener;
    private final ReplayWindow window = new ReplayWindow();
    private final byte[] sealNonce = new byte[Aead.NONCE_BYTES];
    private final byte[] openNonce = new byte[Aead.NONCE_BYTES];
    private final long bornNs;
    private long diesNs;
    private long sent;

    /**
     * Derives the packet keys from the result of Noise's split, which is wiped.
     *
     * @param split the keys, initiator to responder, then the reverse
     * @param localIndex the receiver index that this side chose
     * @param remoteIndex the one that the peer chose
     */
    public Session(long nowNs, byte[][] split, Aead.Suite suite, boolean initiator, int localIndex, int remoteIndex) {
        this.localIndex = localIndex;
        this.remoteIndex = remoteIndex;
        this.initiator = initiator;
        this.suite = suite;
        bornNs = nowNs;
        diesNs = nowNs + IDLE_LIFE_NS;
        sealer = new Aead(suite, packetKey(split[initiator ? 0 : 1], suite));
        opener = new Aead(suite, packetKey(split[initiator ? 1 : 0], suite));
        Arrays.fill(split[0], (byte) 0);
        Arrays.fill(split[1], (byte) 0);
    }

    /** The index by which the peer addresses this session. */
    public int localIndex() {
        return localIndex;
    }

    /** The cipher in use. */
    public Aead.Suite suite() {
        return suite;
    }

    /** Datagrams sealed so far. */
    public long sent() {
        return sent;
    }

    /** Returns whether data may still be sealed and opened. */
    public boolean isAlive(long nowNs) {
        return nowNs < diesNs && sent < REFUSE_AFTER_PACKETS;
    }

    /** Returns whether this side should start a new handshake before it sends data. */
    public boolean isDue(long nowNs) {
        long age = initiator ? REKEY_AFTER_NS : REKEY_AFTER_NS + RESPONDER_EXTRA_NS;
        return nowNs - bornNs >= age || sent >= REKEY_AFTER_PACKETS;
    }

    /** Notes that data passed: due keys then live for {@link #GRACE_NS} only. */
    public void used(long nowNs) {
        if (nowNs - bornNs >= REKEY_AFTER_NS) diesNs = Math.min(diesNs, nowNs + GRACE_NS);
    }

    /**
     * Seals {@code length} bytes into a complete datagram at {@code outOffset}.
     *
     * @param kind one of {@link Transport}'s kinds
     * @return the datagram's length
     */
    public int seal(byte kind, byte[] in, int offset, int length, byte[] out, int outOffset) {
        Invariant.check(sent < REFUSE_AFTER_PACKETS, "a key seals at most 2^31 packets");
        long counter = sent++;
        nonce(sealNonce, kind, counter);
        int box = sealer.seal(sealNonce, NO_AD, in, offset, length, out, outOffset + Transport.HEADER_BYTES);
        Transport.writeHeader(out, outOffset, remoteIndex, (int) counter, kind, box);
        return Transport.HEADER_BYTES + box;
    }

    /** {@link #open} returns these for packets that are forged, and for those that are replayed or too old. */
    public static final int FORGED = -1;

    public static final int REPLAYED = -2;

    /**
     * Opens the box of a well-formed transport datagram that begins at {@code offset}.
     *
     * @return the number of bytes written to {@code out}, {@link #FORGED} or {@link #REPLAYED}
     */
    public int open(byte[] datagram, int offset, int length, byte[] out, int outOffset) {
        long counter = Transport.counter(datagram, offset) & 0xffffffffL;
        if (!window.isFresh(counter)) return REPLAYED;
        nonce(openNonce, Transport.kind(datagram, offset), counter);
        int at = offset + Transport.HEADER_BYTES;
        int n = opener.open(openNonce, NO_AD, datagram, at, length - Transport.HEADER_BYTES, out, outOffset);
        if (n == Aead.FORGED) return FORGED;
        return window.accept(counter) ? n : REPLAYED;
    }

    /** Returns whether this datagram's counter is the newest opened so far. */
    public boolean isNewest(byte[] datagram, int offset) {
        return (Transport.counter(datagram, offset) & 0xffffffffL) == window.newest();
    }

    private static final byte[] NO_AD = new byte[0];

    private static byte[] packetKey(byte[] split, Aead.Suite suite) {
        return Hkdf.derive(NO_AD, split, suite.label().getBytes(StandardCharsets.US_ASCII), Aead.KEY_BYTES);
    }

    private static void nonce(byte[] out, byte kind, long counter) {
        out[0] = kind;
        for (int i = 0; i < 8; i++) out[4 + i] = (byte) (counter >>> 8 * i);
    }
}
