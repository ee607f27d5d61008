package mcc.stream;

import mcc.core.Counters;
import mcc.wire.TransportParameters;
import org.jspecify.annotations.Nullable;

/**
 * How many streams each end may have open, by their numbers: an end's streams count from 0, and a limit is one more than the
 * highest number allowed (RFC 9000 section 4.6).
 *
 * <p>A stream of the peer's takes memory when its first frame comes, not when a later one is opened, and has one of the
 * node's places. The peer may open few at first; as it uses them, and while there are places, it may open more.
 */
final class Places {
    /** Streams that each peer has though others hold all places. */
    private static final int LEAST = 4;
    /** First frames of streams in one packet, at most: so many places must be free before a packet with any is taken. */
    private static final int PACKET = 128;

    private final Config config;
    private final boolean lower;
    private final Budget budget;
    private final Counters.Counter refusedOpen;
    /** Streams of the peer's that it skipped: open, without a first frame yet. */
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

    Places(Config config, boolean lower, Budget budget, Counters counters) {
        this.config = config;
        this.lower = lower;
        this.budget = budget;
        refusedOpen = counters.of("stream.open.refused");
        allowance = config.streams();
        localLimit = config.streams();
        remoteLimit = config.streams();
    }

    /** What the two ends told each other in the handshake; the peer may allow fewer than this end does. */
    void agreed(TransportParameters own, TransportParameters peer) {
        allowance = Math.max(allowance, own.streams());
        remoteLimit = Math.max(remoteLimit, own.streams());
        localLimit = peer.streams();
    }

    /** The next stream of this end; -1 when it has too many. It may have to wait until the peer {@link #allows} it. */
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

    /** Whether the peer may be shown a stream of this end. */
    boolean allows(long id) {
        return number(id) < localLimit;
    }

    /** Whether frames of a stream may be sent. */
    boolean allowsFrames(Stream s) {
        return !s.local || allows(s.id);
    }

    /** The peer allows more; returns whether that is news. */
    boolean raise(long maximum) {
        if (maximum <= localLimit) return false;
        localLimit = maximum;
        return true;
    }

    /** Whether this would be the first frame of a stream of the peer's. */
    boolean isNew(long id) {
        return !isLocal(id) && (number(id) >= remoteOpened || unseen.contains(number(id)));
    }

    /** Whether a first frame now would find no place: beyond the first ones a peer may have as much as it leaves to others. */
    boolean isCrowded() {
        return remoteLive >= LEAST && budget.freePlaces() < Math.max(PACKET, remoteLive - config.streams());
    }

    /** What a frame of this stream breaks; null for nothing. */
    Event.@Nullable Reason refusal(long id) {
        if (isLocal(id)) return number(id) < localOpened ? null : Event.Reason.STREAM_STATE;
        return number(id) < remoteLimit ? null : Event.Reason.STREAM_LIMIT;
    }

    /** A stream of the peer's has its first frame. */
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

    /** A stream is over at both ends. */
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

    /** Gives all of the budget back: the connection is over. */
    void discard() {
        budget.givePlaces(remoteLive);
        remoteLive = 0;
    }

    /** Whether the peer uses nearly all it may, and there was no place for more. */
    boolean isHeldUp() {
        return isScarce() && remoteLimit < remoteFinished + wider();
    }

    /** Tells the peer of places seldom, but before it needs them; more of them while it uses most and there are any. */
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

    /** A packet that told the peer of a limit was lost. */
    void limitLost(long maximum) {
        limitDue |= maximum == remoteLimit;
    }
}
