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
 * new one. Proven: nothing sent over it arrives ({@link Liveness}) → Failed. Failed: response to a challenge → Proven.
 */
final class Path {
    /** Bytes that may go to an address before it is validated, for each byte that came from it (RFC 9000 section 8.1). */
    private static final int AMPLIFICATION = 3;

    private static final int REFUSALS = 2;
    /** The bounds of {@link #ptoNs}: below, a busy machine would be taken for a dead one. */
    private static final long PTO_MIN_NS = 50_000_000;

    private static final long PTO_MAX_NS = 1_000_000_000;
    /** From one fruitless challenge to the next, doubled each time. */
    private static final long REST_NS = 500_000_000;

    private static final long REST_MAX_NS = 60_000_000_000L;
    /** What a relay or a carrier counts for in round-trip time. */
    private static final long DETOUR_NS = 10_000_000;
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
    /** When the peer last proved that packets sent over it arrive, and when the packet was sent that proved it. */
    private long provenNs;

    private long arrivedNs = Long.MIN_VALUE;

    private boolean proven;
    private long rttNs;
    /** How long after its first try the last challenge was answered. */
    private long slowNs;

    private long allowanceBytes;

    /** The challenge under way while {@link #tries} is not 0: what the response must hold, and when the first was sent. */
    private long challenge;

    private long challengedNs;
    private int tries;
    private long everyNs;
    private long againNs = Core.NEVER;
    /** When the first challenge was sent of those that nothing answered yet; NEVER without one. */
    private long askedNs = Core.NEVER;

    private boolean failed;
    /** How often all tries of a challenge failed in a row, and until when what comes over it is no reason for another one. */
    private int rounds;

    private long restsUntilNs = Long.MIN_VALUE;
    /** Whether the peer was heard while it rests, which is followed up then. */
    private boolean owesChallenge;
    /** The last challenge of the peer that came over it. */
    private long seenChallenge;

    /** What {@link Liveness} did about the path in use: when it challenged the others, and when it tries everything again. */
    long othersAskedNs = Long.MIN_VALUE;

    long roundNs;
    int roundsFailed;
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
        if (this.local != PacketSink.ANY || remote.isStandIn() || !this.remote.equals(remote)) return false;
        this.local = local;
        return true;
    }

    /** Whether at most the peer's port differs, as when a NAT made a new mapping (RFC 9000 section 9.4). */
    boolean differsByPort(Path other) {
        return local == other.local && remote.sameIp(other.remote);
    }

    /** {@code lan}, {@code direct}, {@code carrier} or {@code relay}. */
    String kind() {
        if (remote.isCircuit()) return "relay";
        if (remote.isCarrier()) return "carrier";
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
        long sampleNs = Math.max(1, nowNs - challengedNs);
        slowNs = sampleNs;
        if (tries == 1) {
            rttNs = rttNs == 0 ? sampleNs : (3 * rttNs + sampleNs) / 4;
        }
        arrivedNs = Math.max(arrivedNs, challengedNs);
        prove(nowNs);
    }

    /** Nothing that is sent over it arrives: it has to be proved anew. */
    void fail() {
        proven = false;
        failed = true;
        allowanceBytes = 0;
    }

    boolean isFailed() {
        return failed;
    }

    /** A probe time-out of this path, as far as it was measured. */
    long ptoNs() {
        long ptoNs = recovery == null ? 0 : recovery.ptoNs();
        if (ptoNs == 0) ptoNs = rttNs == 0 ? Math.max(Paths.CHALLENGE_NS, slowNs + slowNs / 4) : 2 * rttNs;
        return Math.clamp(ptoNs, PTO_MIN_NS, PTO_MAX_NS);
    }

    /** Since when nothing sent over it is answered, neither packets nor challenges; {@link Core#NEVER} when nothing is due. */
    long unansweredSinceNs() {
        long since = Math.min(askedNs(), recovery == null ? Core.NEVER : recovery.unansweredSinceNs());
        return since == Core.NEVER ? since : Math.max(since, provenNs);
    }

    /** When the first challenge was sent of those that were not answered; acknowledgements of what was sent since are answers. */
    long askedNs() {
        if (recovery != null && recovery.arrivedNs() >= askedNs) prove(recovery.answeredNs());
        return askedNs;
    }

    /** Whether a round trip was measured. */
    boolean isMeasured() {
        return rttNs > 0 || recovery != null && recovery.ptoNs() > 0;
    }

    /** When something last came over it, or was known to have arrived. */
    long aliveNs() {
        long alive = Math.max(heardNs, provenNs);
        return recovery == null ? alive : Math.max(alive, recovery.answeredNs());
    }

    /** The last sign that this path lives: something came over it, or is known to have arrived that was sent at that time. */
    long signNs() {
        long sign = Math.max(heardNs, arrivedNs);
        return recovery == null ? sign : Math.max(sign, recovery.arrivedNs());
    }

    /** Notes a challenge of the peer; returns whether it came before, so that the peer lacks the answer. */
    boolean isRepeated(long value) {
        boolean again = value == seenChallenge;
        seenChallenge = value;
        return again;
    }

    /**
     * Whether packets had better go by this path than by the one in use: its round trip is shorter by a tenth and a millisecond,
     * or nothing is known of one of them, and only this one needs no relay.
     */
    boolean isBetterThan(Path use) {
        if (rttNs == 0 || use.rttNs == 0) return use.isDetourFor(this);
        return costNs() + costNs() / 10 + MARGIN_NS < use.costNs();
    }

    /** Whether this one needs a relay or a carrier, and the other does not. */
    boolean isDetourFor(Path other) {
        return remote.isStandIn() && !other.remote.isStandIn();
    }

    /**
     * The round trip, and what is added for a relay, which may be slower under load and is somebody else's, or for a carrier,
     * where what is lost holds up all that follows.
     */
    private long costNs() {
        return rttNs + (remote.isStandIn() ? DETOUR_NS : 0);
    }

    /** The round trip of its challenges; 0 while unknown. */
    long rttNs() {
        return rttNs;
    }

    /** Notes a proof that packets sent over it arrive. */
    void prove(long nowNs) {
        proven = true;
        failed = false;
        provenNs = Math.max(provenNs, nowNs);
        rounds = 0;
        askedNs = Core.NEVER;
        roundsFailed = 0;
        owesChallenge = false;
        endChallenge();
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

    /** How many challenges were sent that nothing answered yet. */
    int tries() {
        return tries;
    }

    /**
     * What came over it is a reason to challenge it: less and less often where no answer comes. Returns whether that may be now;
     * otherwise {@link #restedNs} tells when.
     */
    boolean isToBeAsked(long nowNs) {
        owesChallenge = nowNs < restsUntilNs;
        return !owesChallenge;
    }

    /** When it is to be challenged, as the peer was heard while it rested; {@link Core#NEVER} if it was not. */
    long restedNs() {
        return owesChallenge ? restsUntilNs : Core.NEVER;
    }

    /** Begins a challenge, unless one is under way, with so much time for each try; returns whether it did. */
    boolean challenge(long nowNs, long value, long everyNs) {
        owesChallenge = false;
        if (isChallenged()) {
            if (everyNs < this.everyNs) {
                this.everyNs = everyNs;
                againNs = Math.min(againNs, nowNs + everyNs);
            }
            return false;
        }
        challenge = value;
        challengedNs = nowNs;
        if (askedNs == Core.NEVER) askedNs = nowNs;
        tries = 1;
        this.everyNs = everyNs;
        againNs = nowNs + everyNs;
        return true;
    }

    /** Begins the next try of a challenge; false when all tries were made, and it has failed. */
    boolean challengeAgain(long nowNs) {
        if (tries >= Paths.CHALLENGE_TRIES) {
            endChallenge();
            restsUntilNs = nowNs + Math.min(REST_NS << Math.min(rounds++, 10), REST_MAX_NS);
            return false;
        }
        tries++;
        againNs = nowNs + everyNs;
        return true;
    }

    private void endChallenge() {
        tries = 0;
        againNs = Core.NEVER;
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
        if (proven || remote.isStandIn()) return true; // the relay's link validated its address, TCP that of a carrier
        if (allowanceBytes < bytes) return false;
        allowanceBytes -= bytes;
        return true;
    }
}
