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
    /** What a relay counts for in round-trip time. */
    private static final long RELAY_NS = 10_000_000;
    /** By how much a round trip has to be shorter, beside a tenth, for packets to change paths. */
    private static final long MARGIN_NS = 1_000_000;

    /** The number of the local end ({@link PacketSink#send}); {@link PacketSink#ANY} until the peer was heard. */
    int local;

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
    private long rttNs;
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

    /** Takes the local end that the first datagram of the peer comes to, if this node did not choose one. */
    boolean takes(int local, Address remote) {
        if (this.local != PacketSink.ANY || remote.isCircuit() || !this.remote.equals(remote)) return false;
        this.local = local;
        return true;
    }

    /** Whether at most the peer's port differs, as when a NAT made a new mapping (RFC 9000 section 9.4). */
    boolean differsByPort(Path other) {
        return local == other.local && remote.sameIp(other.remote);
    }

    /** {@code lan}, {@code direct} or {@code relay}. */
    String kind() {
        if (remote.isCircuit()) return "relay";
        return remote.isLocal() ? "lan" : "direct";
    }

    void heard(long nowNs, int bytes) {
        heardNs = nowNs;
        refusals = 0;
        paid(bytes);
    }

    /** Something came that the peer alone could send, though it proves nothing to this link. */
    void paid(int bytes) {
        if (!proven) allowanceBytes += (long) AMPLIFICATION * bytes;
    }

    /** The response to a challenge came: the path is proved, and measured unless the challenge was repeated. */
    void answered(long nowNs) {
        if (tries == 1) {
            long sampleNs = Math.max(1, nowNs - challengedNs);
            rttNs = rttNs == 0 ? sampleNs : (3 * rttNs + sampleNs) / 4;
        }
        prove(nowNs);
    }

    /**
     * Whether packets had better go by this path than by the one in use: its round trip is shorter by a tenth and a millisecond,
     * or nothing is known of one of them, and only this one needs no relay.
     */
    boolean isBetterThan(Path use) {
        if (rttNs == 0 || use.rttNs == 0) return !remote.isCircuit() && use.remote.isCircuit();
        return costNs() + costNs() / 10 + MARGIN_NS < use.costNs();
    }

    /** The round trip, and what is added for the relay, which may be slower under load and is somebody else's. */
    private long costNs() {
        return rttNs + (remote.isCircuit() ? RELAY_NS : 0);
    }

    /** The round trip of its challenges; 0 while unknown. */
    long rttNs() {
        return rttNs;
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
        if (proven || remote.isCircuit()) return true; // a relay's address was validated by its own link
        if (allowanceBytes < bytes) return false;
        allowanceBytes -= bytes;
        return true;
    }
}
