package mcc.link;

import mcc.core.Address;
import mcc.core.Core;
import mcc.stream.Recovery;
import org.jspecify.annotations.Nullable;

/**
 * One way to a peer: an end of this host's and an address of the peer's, with all that belongs to that way alone.
 *
 * <p>Candidate: response to a challenge, or a handshake by it → Proven. Candidate: three challenges without a response → gone.
 * Proven: in use, or standing by with all it learnt; the one unheard longest gives way to a new one.
 */
final class Path {
    /** What an address may be sent before it has proved itself, for each byte that came from it (RFC 9000 section 8.1). */
    private static final int AMPLIFICATION = 3;

    private static final int REFUSALS = 2;

    /** The number of this host's end ({@link PacketSink#send}). */
    final int local;

    final Address remote;
    /** How long a datagram it carries. */
    final PathMtu mtu = new PathMtu();
    /** Its round trip, congestion control, pace and packets in flight; null until it was in use. */
    @Nullable
    Recovery recovery;

    /** When an authentic packet last came by it. */
    long heardNs;
    /** When the peer last proved that what is sent by it arrives. */
    private long provenNs;

    private boolean proven;
    private long allowanceBytes;

    /** The challenge that is out, if {@link #tries} says so: what the response must hold, and since when it is asked. */
    private long challenge;

    private long challengedNs;
    private int tries;
    private long againNs = Core.NEVER;
    /** How often the system was told, since this path was heard last, that nobody listens there. */
    private int refusals;

    Path(int local, Address remote) {
        this.local = local;
        this.remote = remote;
    }

    boolean is(int local, Address remote) {
        return this.local == local && this.remote.equals(remote);
    }

    /** Whether both differ in the peer's port alone, as when a NAT forgot a mapping (RFC 9000 section 9.4). */
    boolean differsByPort(Path other) {
        return local == other.local && remote.sameIp(other.remote);
    }

    /** {@code lan} or {@code direct}. */
    String kind() {
        return remote.isLocal() ? "lan" : "direct";
    }

    void heard(long nowNs, int bytes) {
        heardNs = nowNs;
        refusals = 0;
        if (!proven) allowanceBytes += (long) AMPLIFICATION * bytes;
    }

    /** What is sent by it arrives. */
    void prove(long nowNs) {
        proven = true;
        provenNs = nowNs;
        tries = 0;
        againNs = Core.NEVER;
    }

    boolean isProven() {
        return proven;
    }

    /** Whether that was proved so lately that it need not be asked again. */
    boolean isProvenSince(long ns) {
        return proven && provenNs >= ns;
    }

    void refused() {
        refusals = Math.min(refusals + 1, REFUSALS);
    }

    /** Whether it was told so more than once, as of a process that ended; one such message may be an older one's. */
    boolean isRefused() {
        return refusals >= REFUSALS;
    }

    /** Whether a challenge is out. */
    boolean isChallenged() {
        return tries > 0;
    }

    /** Begins a challenge, unless one is out; returns whether it did. */
    boolean challenge(long nowNs, long value) {
        if (isChallenged()) return false;
        challenge = value;
        challengedNs = nowNs;
        tries = 1;
        againNs = nowNs + Paths.CHALLENGE_NS;
        return true;
    }

    /** The next try of a challenge that is out; false when there were enough, and it is over. */
    boolean challengeAgain(long nowNs) {
        if (tries >= Paths.CHALLENGE_TRIES) {
            tries = 0;
            againNs = Core.NEVER;
            return false;
        }
        tries++;
        againNs = nowNs + Paths.CHALLENGE_NS;
        return true;
    }

    boolean isAnsweredBy(long value) {
        return isChallenged() && challenge == value;
    }

    long challengeValue() {
        return challenge;
    }

    long challengedNs() {
        return challengedNs;
    }

    /** When {@link #challengeAgain} is due. */
    long againNs() {
        return againNs;
    }

    /** Takes so many bytes of what may be sent by it; false when it has to pay more first. */
    boolean mayCarry(int bytes) {
        if (proven) return true;
        if (allowanceBytes < bytes) return false;
        allowanceBytes -= bytes;
        return true;
    }
}
