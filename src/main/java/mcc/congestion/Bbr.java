package mcc.congestion;

import mcc.core.Rng;
import org.jspecify.annotations.Nullable;

/**
 * BBR, third version: a model of the path (its bandwidth, its round-trip time without queue, and how much in flight it can
 * bear) sets the pace and limits the flight.
 *
 * <p>States: STARTUP: the rate grew less than a quarter in three rounds, or a round met a queue and lost too much, or was
 * marked -> DRAIN. DRAIN: the flight fits the path, or three rounds -> DOWN. DOWN: the flight fits the path and leaves
 * headroom -> CRUISE. DOWN, CRUISE: two to three seconds, or as many rounds as packets fit the path, at most 63 -> REFILL.
 * REFILL: a round -> UP. UP: the rate grows no more, or too much is lost or anything marked, or the flight reaches the bound
 * that the last probe met -> DOWN. Any: the least round-trip time was not met for five seconds -> PROBE_RTT, which halves
 * the flight for 200 ms and a round -> CRUISE, or STARTUP when the path was never full.
 *
 * <p>Essay. (1) The bandwidth is the most that was delivered in this cycle of probing and the one before [1]. Random
 * loss of share p leaves it in place while 1.25 (1 - p) is at least 1: up to 20 %. (2) What loses more than its share
 * is congestion: a probe that does sets a long-term bound of the flight, any other round short-term bounds of rate and
 * flight that the next probe lifts. Its share is the {@link NoiseFloor} in place of the 2 % of [1], which takes a path
 * that loses 5 % at random for a congested one and falls to a fifteenth of its rate (decision 18). A CE mark counts as
 * congestion whatever the floor: it ends a probe and Startup, and shrinks the short-term bounds once a round. (3) What
 * proves to be no loss is undone, episode by episode and not round by round: bounds and window, and the probe that it
 * ended. (4) A path without queue needs no emptying: a round trip within 1/64 of the least counts as having met it.
 * (5) Acknowledgements come for many packets at a time, and hosts send what a millisecond's pace is at once: the
 * flight may exceed its target by the most that was acknowledged too early in ten rounds, and is never below what a
 * host sends and a peer leaves unacknowledged at a time, or a path shorter than a millisecond would run dry. (6) After
 * a probe the pace is three quarters of the bandwidth, not the 0.90 of [1]: a host that was not scheduled for a while
 * takes the path for a tenth faster than it is, and 0.90 of that drains no queue.
 *
 * <p>Sources: [1] draft-ietf-ccwg-bbr (2026-08); the noise floor, the judgement of a whole round by it, episodes in
 * (3), (4) and (6) are this project's own; decision 18 lists all that differs.
 */
public final class Bbr implements CongestionControl {
    /** What an acknowledgement is about, relative to the last probe. */
    private enum Feedback {
        NONE,
        REFILLING,
        STARTING,
        ARRIVING,
        STOPPING
    }

    private static final double PACING_MARGIN = 0.99;
    private static final long PROBE_RTT_NS = 200_000_000L;
    private static final long PROBE_WAIT_NS = 2_000_000_000L;
    private static final int PROBE_WAIT_SPREAD_MS = 1_000;
    private static final int MAX_RENO_ROUNDS = 63;
    private static final int DRAIN_ROUNDS = 3;
    private static final long MAX_BANDWIDTH = 10_000_000_000L;

    private final Rng rng;
    private final BandwidthFilter filter = new BandwidthFilter();
    private final MinRtt minRtt = new MinRtt();
    private final AckAggregation aggregation = new AckAggregation();
    private final FullPipe pipe = new FullPipe();
    private final LossRound lossRound = new LossRound();
    private final NoiseFloor floor = new NoiseFloor();
    private final Bounds bounds = new Bounds();
    private final Climb climb = new Climb();
    private final FlightSize size = new FlightSize(minRtt);

    private BbrState state = BbrState.STARTUP;
    private Feedback feedback = Feedback.NONE;
    private long delivered;

    private long round;
    private boolean roundStart;
    private long roundEndDelivered;
    private boolean windowLimited;
    private boolean roundWindowLimited;
    private long drainStartRound;

    private long cycleStartNs;
    private long probeWaitNs;
    private int roundsSinceProbe;
    private boolean probeSample;
    private boolean probeWasTooHigh;
    private boolean probeWasCautious;

    private long probeRttDoneNs = -1;
    private boolean probeRttRoundDone;
    private boolean idleRestart;
    /**
     * Samples of packets that were sent before this much was delivered are limited by this algorithm itself, not by the path.
     */
    private long limitedUntil = -1;

    private @Nullable BbrState undoState;
    private long savedWindowBytes;
    private boolean marked;

    private boolean rateSeeded;
    private long windowBytes = size.initialWindow();
    private long rate = (long) (BbrState.STARTUP.pacingGain * size.initialWindow() * 1_000);

    /** Creates the congestion control of one path. */
    public Bbr(Rng rng) {
        this.rng = rng;
    }

    @Override
    public void packetBytes(int bytes) {
        if (bytes == size.packetBytes) return;
        size.packetBytes = bytes;
        if (delivered == 0) windowBytes = size.initialWindow();
        windowBytes = Math.max(windowBytes, size.minWindow());
    }

    @Override
    public void onSent(long nowNs, SendState packet, long inFlightBytes) {
        if (packet.txInFlightBytes + size.packetBytes > windowBytes) roundWindowLimited = true;
        if (inFlightBytes > 0 || !packet.appLimited) return;
        idleRestart = true;
        aggregation.restart(nowNs);
        if (state.isProbeBw()) setRate(1);
        else if (state == BbrState.PROBE_RTT) checkProbeRttDone(nowNs);
    }

    @Override
    public void onAck(long nowNs, RateSample sample, long inFlightBytes, RttEstimator rtt) {
        if (sample.ackedPackets == 0) return;
        delivered = sample.delivered;
        sample.rateBytesPerSecond = Math.min(sample.rateBytesPerSecond, MAX_BANDWIDTH);
        sample.appLimited |= sample.priorDelivered <= limitedUntil;
        lossRound.onAck(sample);
        updateRound(sample);
        filter.add(sample.rateBytesPerSecond, sample.appLimited);
        if (lossRound.isOver()) judge();
        aggregation.onAck(nowNs, sample.ackedBytes, size.bandwidth, windowBytes, round, pipe.isReached());
        pipe.onAck(sample.rateBytesPerSecond, sample.appLimited, roundStart);
        if (state == BbrState.STARTUP && pipe.isReached()) enterDrain();
        if (state == BbrState.DRAIN && isDrained(inFlightBytes)) startDown(nowNs);
        if (pipe.isReached()) updateProbeBw(nowNs, sample, inFlightBytes);
        minRtt.update(nowNs, sample.rttNs);
        checkProbeRtt(nowNs, inFlightBytes);
        if (sample.delivered > sample.priorDelivered) idleRestart = false;
        lossRound.advance(sample);
        size.bandwidth = Math.min(filter.max(), bounds.bandwidth());
        seedRate(rtt);
        setRate(state.pacingGain);
        setWindow(sample);
        marked = false;
    }

    @Override
    public void onLost(long nowNs, SendState packet, boolean first) {
        lossRound.onLost(delivered);
        if (first) saveState();
        if (!probeSample) return;
        if (isTooHigh(packet.lostSinceSentBytes, packet.txInFlightBytes)) {
            onTooHigh(nowNs, packet.txInFlightBytes, packet.appLimited);
        }
    }

    @Override
    public void onSpuriousLoss(long nowNs) {
        restoreWindow();
        lossRound.forgive();
        pipe.reset(0);
        bounds.restore();
        BbrState before = undoState;
        undoState = null;
        if (before == BbrState.STARTUP && state != BbrState.STARTUP) {
            pipe.unreach();
            if (state != BbrState.PROBE_RTT) state = BbrState.STARTUP;
        } else if (before == BbrState.PROBE_BW_UP && state != BbrState.PROBE_BW_UP) {
            if (state != BbrState.PROBE_RTT) startRefill();
        }
    }

    @Override
    public void onCe(long nowNs, long sentNs) {
        marked = true;
        lossRound.onMark();
    }

    @Override
    public void onPersistentCongestion() {
        saveState();
        floor.forget();
        windowBytes = size.minWindow();
    }

    @Override
    public long windowBytes() {
        return windowBytes;
    }

    @Override
    public long pacingRateBytesPerSecond() {
        return rate;
    }

    @Override
    public long sendQuantumBytes() {
        return size.quantum(rate);
    }

    @Override
    public long bandwidthBytesPerSecond() {
        return size.bandwidth;
    }

    BbrState state() {
        return state;
    }

    Bounds bounds() {
        return bounds;
    }

    FullPipe pipe() {
        return pipe;
    }

    long round() {
        return round;
    }

    long maxBandwidth() {
        return filter.max();
    }

    long extraAckedBytes() {
        return aggregation.extraBytes();
    }

    private void updateRound(RateSample sample) {
        roundStart = sample.priorDelivered >= roundEndDelivered;
        if (!roundStart) return;
        startRound();
        round++;
        roundsSinceProbe++;
        windowLimited = roundWindowLimited;
        roundWindowLimited = false;
    }

    private void startRound() {
        roundEndDelivered = delivered;
    }

    /** Judges the loss of a finished round: was it the path's noise, or congestion? */
    private void judge() {
        boolean queued = minRtt.isQueue(lossRound.minRttNs());
        int lost = lossRound.lost();
        int packets = lossRound.packets();
        if (lossRound.isMarked() || floor.isExceeded(lost, packets, queued)) {
            if (state == BbrState.STARTUP) {
                undoState = BbrState.STARTUP;
                pipe.reach();
                bounds.limit(Math.max(size.path(1), lossRound.inFlightBytes()), 0);
            } else if (!state.isProbing()) {
                bounds.shrink(filter.max(), windowBytes, lossRound);
            }
        }
        boolean gentle = state == BbrState.PROBE_BW_DOWN || state == BbrState.PROBE_BW_CRUISE;
        if (gentle && !queued && !lossRound.isMarked() && packets >= 8) floor.learn(lost, packets);
    }

    private void enterDrain() {
        state = BbrState.DRAIN;
        drainStartRound = round;
    }

    private boolean isDrained(long inFlightBytes) {
        return inFlightBytes <= quantized((double) size.path(1)) || round > drainStartRound + DRAIN_ROUNDS;
    }

    private void updateProbeBw(long nowNs, RateSample sample, long inFlightBytes) {
        if (adaptLongTerm(nowNs, sample)) return;
        switch (state) {
            case PROBE_BW_DOWN -> {
                if (isTimeToProbe(nowNs)) startRefill();
                else if (isTimeToCruise(inFlightBytes)) state = BbrState.PROBE_BW_CRUISE;
            }
            case PROBE_BW_CRUISE -> {
                if (isTimeToProbe(nowNs)) startRefill();
            }
            case PROBE_BW_REFILL -> {
                if (!roundStart) break;
                probeSample = true;
                startUp(sample);
            }
            case PROBE_BW_UP -> {
                if (!isTimeToGoDown(sample, inFlightBytes)) break;
                probeWasTooHigh = false;
                startDown(nowNs);
            }
            case STARTUP, DRAIN, PROBE_RTT -> {}
        }
    }

    private void startDown(long nowNs) {
        lossRound.resetSignals();
        roundsSinceProbe = rng.below(2);
        probeWaitNs = PROBE_WAIT_NS + rng.below(PROBE_WAIT_SPREAD_MS) * 1_000_000L;
        cycleStartNs = nowNs;
        feedback = Feedback.STOPPING;
        startRound();
        state = BbrState.PROBE_BW_DOWN;
    }

    private void startRefill() {
        bounds.resetShortTerm();
        climb.begin();
        probeWasCautious = false;
        feedback = Feedback.REFILLING;
        startRound();
        state = BbrState.PROBE_BW_REFILL;
    }

    private void startUp(RateSample sample) {
        feedback = Feedback.STARTING;
        startRound();
        pipe.reset(sample.rateBytesPerSecond);
        state = BbrState.PROBE_BW_UP;
        climb.steepen(windowBytes, size.packetBytes);
    }

    private boolean isTimeToProbe(long nowNs) {
        long renoRounds = Math.min(MAX_RENO_ROUNDS, Math.min(size.path(1), windowBytes) / size.packetBytes);
        return nowNs > cycleStartNs + probeWaitNs || roundsSinceProbe >= renoRounds;
    }

    private boolean isTimeToCruise(long inFlightBytes) {
        return inFlightBytes <= headroomWindow() && inFlightBytes <= quantized(filter.max() * size.seconds());
    }

    private boolean isTimeToGoDown(RateSample sample, long inFlightBytes) {
        if (probeWasTooHigh && inFlightBytes >= bounds.longTerm()) {
            probeWasCautious = true;
            return true;
        }
        if (isWindowLimited() && windowBytes >= bounds.longTerm()) {
            pipe.reset(sample.rateBytesPerSecond);
            return false;
        }
        return pipe.isNow();
    }

    private boolean isWindowLimited() {
        return windowLimited || roundWindowLimited;
    }

    /** Learns from the feedback of a probe; returns whether that decided the next state. */
    private boolean adaptLongTerm(long nowNs, RateSample sample) {
        if (feedback == Feedback.STARTING && roundStart) feedback = Feedback.ARRIVING;
        if (feedback == Feedback.STOPPING && roundStart) {
            probeSample = false;
            feedback = Feedback.NONE;
            if (state.isProbeBw() && !sample.appLimited) filter.advance();
            if (state.isProbeBw() && probeWasCautious && !probeWasTooHigh) {
                startRefill();
                return true;
            }
        }
        if (marked && probeSample) {
            onTooHigh(nowNs, sample.txInFlightBytes, sample.appLimited);
            return true;
        }
        if (isTooHigh(sample.lostSinceSentBytes, sample.txInFlightBytes)) return false;
        bounds.raiseTo(sample.txInFlightBytes);
        if (state == BbrState.PROBE_BW_UP) raiseLongTerm(sample);
        return false;
    }

    private void raiseLongTerm(RateSample sample) {
        if (bounds.longTerm() == Bounds.NONE || !isWindowLimited() || windowBytes < bounds.longTerm()) return;
        bounds.raiseTo(bounds.longTerm() + climb.packets(sample.ackedBytes) * size.packetBytes);
        if (roundStart) climb.steepen(windowBytes, size.packetBytes);
    }

    private boolean isTooHigh(long lostBytes, long txInFlightBytes) {
        int lost = (int) ((lostBytes + size.packetBytes / 2) / size.packetBytes);
        int packets = (int) Math.max(1, txInFlightBytes / size.packetBytes);
        return floor.isExceeded(lost, packets, minRtt.isQueue(lossRound.minRttNs()));
    }

    private void onTooHigh(long nowNs, long txInFlightBytes, boolean appLimited) {
        probeWasTooHigh = true;
        probeSample = false;
        if (!appLimited) bounds.limit(txInFlightBytes, Math.min(size.path(1), windowBytes));
        if (state != BbrState.PROBE_BW_UP) return;
        undoState = BbrState.PROBE_BW_UP;
        startDown(nowNs);
    }

    private void checkProbeRtt(long nowNs, long inFlightBytes) {
        if (state != BbrState.PROBE_RTT && minRtt.isExpired() && !idleRestart) {
            saveWindow();
            state = BbrState.PROBE_RTT;
            probeRttDoneNs = -1;
            feedback = Feedback.STOPPING;
            startRound();
        }
        if (state == BbrState.PROBE_RTT) probeRtt(nowNs, inFlightBytes);
    }

    private void probeRtt(long nowNs, long inFlightBytes) {
        limitedUntil = delivered + inFlightBytes;
        if (probeRttDoneNs < 0) {
            if (inFlightBytes > probeRttWindow()) return;
            probeRttDoneNs = nowNs + PROBE_RTT_NS;
            probeRttRoundDone = false;
            startRound();
        } else {
            probeRttRoundDone |= roundStart;
            if (probeRttRoundDone) checkProbeRttDone(nowNs);
        }
    }

    private void checkProbeRttDone(long nowNs) {
        if (probeRttDoneNs < 0 || nowNs <= probeRttDoneNs) return;
        minRtt.onProbed(nowNs);
        restoreWindow();
        bounds.resetShortTerm();
        if (!pipe.isReached()) {
            state = BbrState.STARTUP;
            return;
        }
        startDown(nowNs);
        state = BbrState.PROBE_BW_CRUISE;
    }

    private void saveState() {
        saveWindow();
        undoState = null;
        bounds.save();
    }

    private void saveWindow() {
        savedWindowBytes = state == BbrState.PROBE_RTT ? Math.max(savedWindowBytes, windowBytes) : windowBytes;
    }

    private void restoreWindow() {
        windowBytes = Math.max(windowBytes, savedWindowBytes);
    }

    /** Before the first sample a round-trip time of a millisecond is assumed; the first sample corrects it. */
    private void seedRate(RttEstimator rtt) {
        if (rateSeeded || !rtt.isSampled()) return;
        rateSeeded = true;
        rate = (long) (BbrState.STARTUP.pacingGain * size.initialWindow() * 1e9 / rtt.smoothedNs());
    }

    private void setRate(double gain) {
        if (size.bandwidth == 0) return;
        long target = Math.max(size.packetBytes, (long) (gain * size.bandwidth * PACING_MARGIN));
        // Until the pipe is full, samples are too low: they must not slow the flow down.
        if (pipe.isReached() || target > rate) rate = target;
    }

    private void setWindow(RateSample sample) {
        long most = quantized((double) size.path(state.windowGain) + aggregation.extraBytes());
        if (pipe.isReached()) windowBytes = Math.min(windowBytes + sample.ackedBytes, most);
        else if (windowBytes < most || delivered < size.initialWindow()) windowBytes += sample.ackedBytes;
        if (state == BbrState.PROBE_RTT) windowBytes = Math.min(windowBytes, probeRttWindow());
        windowBytes = Math.min(windowBytes, Math.min(bounds.shortTerm(), longTermCap()));
        windowBytes = Math.max(windowBytes, size.minWindow());
    }

    private long longTermCap() {
        return switch (state) {
            case STARTUP, DRAIN -> Bounds.NONE;
            case PROBE_BW_DOWN, PROBE_BW_REFILL, PROBE_BW_UP -> bounds.longTerm();
            case PROBE_BW_CRUISE, PROBE_RTT -> headroomWindow();
        };
    }

    private long headroomWindow() {
        return Math.max(bounds.withHeadroom(size.packetBytes), size.minWindow());
    }

    private long probeRttWindow() {
        return Math.max(size.minWindow(), size.path(BbrState.PROBE_RTT.windowGain));
    }

    private long quantized(double bytes) {
        return size.quantized(bytes, rate) + (state == BbrState.PROBE_BW_UP ? 2L * size.packetBytes : 0);
    }
}
