package mcc.link;

import mcc.core.Address;
import mcc.core.Core;
import mcc.stream.Recovery;
import org.jspecify.annotations.Nullable;

/**
 * One path to a peer: a local end and an address of the peer, with the state that belongs to this path alone.
 *
 * <p>Candidate: response to a challenge, or a handshake over it → Proven. Candidate: three challenges without a response →
 * gone. Proven: in use, or a standby that keeps all that was measured; the one not heard for the longest time gives way to a
 * new one.
 */
final class Path {
    /** Bytes that may go to an address before it is validated, for each byte that came from it (RFC 9000 section 8.1). */
    private static final int AMPLIFICATION = 3;

    private static final int REFUSALS = 2;

    /** The number of the local end ({@link PacketSink#send}). */
    final int local;

    final Address remote;
    /** The longest datagram that it carries. */
    final PathMtu mtu = new PathMtu();
    /** Its round-trip time, congestion control, pacing and packets in flight; null until it was first used. */
    @Nullable
    Recovery recovery;

    /** When the last authentic packet came over it. */
    long heardNs;
    /** When the peer last proved that packets sent over it arrive. */
    private long provenNs;

    private boolean proven;
    private long allowanceBytes;

    /** The challenge under way while {@link #tries} is not 0: what the response must hold, and when the first was sent. */
    private long challenge;

    private long challengedNs;
    private int tries;
    private long againNs = Core.NEVER;
    /** ICMP messages that nobody listens there, since this path was last heard. */
    private int refusals;

    Path(int local, Address remote) {
        this.local = local;
        this.remote = remote;
    }

    boolean is(int local, Address remote) {
        return this.local == local && this.remote.equals(remote);
    }

    /** Whether at most the peer's port differs, as when a NAT made a new mapping (RFC 9000 section 9.4). */
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

    /** Notes a proof that packets sent over it arrive. */
    void prove(long nowNs) {
        proven = true;
        provenNs = nowNs;
        tries = 0;
        againNs = Core.NEVER;
    }

    boolean isProven() {
        return proven;
    }

    /** Whether it was proved since then, so that no new challenge is needed. */
    boolean isProvenSince(long ns) {
        return proven && provenNs >= ns;
    }

    void refused() {
        refusals = Math.min(refusals + 1, REFUSALS);
    }

    /** Whether several ICMP refusals came, as when the peer's process ended; a single one may answer an older datagram. */
    boolean isRefused() {
        return refusals >= REFUSALS;
    }

    /** Whether a challenge is under way. */
    boolean isChallenged() {
        return tries > 0;
    }

    /** Begins a challenge, unless one is under way; returns whether it did. */
    boolean challenge(long nowNs, long value) {
        if (isChallenged()) return false;
        challenge = value;
        challengedNs = nowNs;
        tries = 1;
        againNs = nowNs + Paths.CHALLENGE_NS;
        return true;
    }

    /** Begins the next try of a challenge; false when all tries were made, and it has failed. */
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

    /** Takes bytes from what may be sent over it; false when more has to come from that address first. */
    boolean mayCarry(int bytes) {
        if (proven) return true;
        if (allowanceBytes < bytes) return false;
        allowanceBytes -= bytes;
        return true;
    }
}
