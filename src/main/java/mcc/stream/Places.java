package mcc.stream;

import mcc.core.Counters;
import mcc.wire.TransportParameters;
import org.jspecify.annotations.Nullable;

/**
 * How many streams each end may have open, by their numbers: each end's streams are numbered from 0, and a limit is one more
 * than the highest number allowed (RFC 9000 section 4.6).
 *
 * <p>A peer's stream takes memory, and one of the node's places, when its first frame comes, not when a later stream is
 * opened. A peer may open few streams at first; as it uses them, and while places are free, it may open more.
 */
final class Places {
    /** Streams that each peer may have even when others hold all places. */
    private static final int LEAST = 4;
    /** The most first frames of streams in one packet: so many places must be free before a packet with one is taken. */
    private static final int PACKET = 128;

    private final StreamConfig config;
    private final boolean lower;
    private final Budget budget;
    private final Counters.Counter refusedOpen;
    /**
     * Numbers of the peer's streams that count as open before their first frame, because a frame of a later stream came first.
     */
    private final Ranges unseen = new Ranges();

    private long localOpened;
    private int localLive;
    private long localLimit;
    private long remoteOpened;
    private int remoteLive;
    private long remoteFinished;
    private long remoteLimit;
    /** How many the peer may have open at once. */
    private int allowance;

    private boolean limitDue;

    Places(StreamConfig config, boolean lower, Budget budget, Counters counters) {
        this.config = config;
        this.lower = lower;
        this.budget = budget;
        refusedOpen = counters.of("stream.open.refused");
        allowance = config.streams();
        localLimit = config.streams();
        remoteLimit = config.streams();
    }

    /** Sets the limits that the two ends told each other in the handshake; the peer may allow fewer than this end does. */
    void agreed(TransportParameters own, TransportParameters peer) {
        allowance = Math.max(allowance, own.streams());
        remoteLimit = Math.max(remoteLimit, own.streams());
        localLimit = peer.streams();
    }

    /** Opens a stream of this end, which may have to wait until the peer {@link #allows} it. Returns its id; -1 for too many. */
    long open() {
        if (localLive >= config.maxStreams()) {
            refusedOpen.add();
            return -1;
        }
        localLive++;
        return 2 * localOpened++ + (lower ? 2 : 1);
    }

    boolean isLocal(long id) {
        return (id & 1) == 0 == lower;
    }

    private static long number(long id) {
        return (id - 1) >> 1;
    }

    /** Whether the peer's limit allows a stream of this end. */
    boolean allows(long id) {
        return number(id) < localLimit;
    }

    /** Whether frames of a stream may be sent yet. */
    boolean allowsFrames(Stream s) {
        return !s.local || allows(s.id);
    }

    /** Takes the peer's new limit; returns whether it is higher. */
    boolean raise(long maximum) {
        if (maximum <= localLimit) return false;
        localLimit = maximum;
        return true;
    }

    /** Whether a frame of this stream would be the first of one of the peer's. */
    boolean isNew(long id) {
        return !isLocal(id) && (number(id) >= remoteOpened || unseen.contains(number(id)));
    }

    /**
     * Whether a first frame now would find no place: beyond the number that it may open at first, a peer has to leave as many
     * free for others as it takes.
     */
    boolean isCrowded() {
        return remoteLive >= LEAST && budget.freePlaces() < Math.max(PACKET, remoteLive - config.streams());
    }

    /** The rule that a frame of this stream breaks; null for none. */
    Event.@Nullable Reason refusal(long id) {
        if (isLocal(id)) return number(id) < localOpened ? null : Event.Reason.STREAM_STATE;
        return number(id) < remoteLimit ? null : Event.Reason.STREAM_LIMIT;
    }

    /** The first frame of a peer's stream came. */
    void begin(long id) {
        long number = number(id);
        if (number >= remoteOpened) {
            unseen.add(remoteOpened, number);
            remoteOpened = number + 1;
        } else {
            unseen.remove(number, number + 1);
        }
        remoteLive++;
        budget.takePlace();
        extend();
    }

    /** A stream ended at both ends. */
    void end(boolean local) {
        if (local) {
            localLive--;
            return;
        }
        remoteLive--;
        remoteFinished++;
        budget.givePlaces(1);
        extend();
    }

    /** Gives all places back: the connection ended. */
    void discard() {
        budget.givePlaces(remoteLive);
        remoteLive = 0;
    }

    /** Whether the peer uses most of the streams that it may open, and there was no place for more. */
    boolean isHeldUp() {
        return isScarce() && remoteLimit < remoteFinished + wider();
    }

    /**
     * Raises the peer's limit, in large steps but before the peer reaches it: by as many streams as ended, and by more if the
     * peer uses most of its streams and places are free.
     */
    void extend() {
        int wider = wider();
        if (isScarce() && wider > allowance && budget.freePlaces() / 2 >= wider - allowance) allowance = wider;
        long limit = remoteFinished + allowance;
        long step = Math.max(1, allowance / 8);
        boolean scarce = remoteLimit - remoteOpened < step;
        if (limit <= remoteLimit || limit - remoteLimit < step && !scarce) return;
        remoteLimit = limit;
        limitDue = true;
    }

    private boolean isScarce() {
        return 4 * remoteLive >= 3 * allowance;
    }

    private int wider() {
        return Math.max(allowance, Math.min(2 * allowance, config.maxStreams()));
    }

    boolean isLimitDue() {
        return limitDue;
    }

    long limit() {
        return remoteLimit;
    }

    void limitSent() {
        limitDue = false;
    }

    /** A packet with a limit for the peer was lost: the limit is sent again if it is still the newest. */
    void limitLost(long maximum) {
        limitDue |= maximum == remoteLimit;
    }
}
