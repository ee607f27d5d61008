package mcc.congestion;

import mcc.core.Rng;

/**
 * BBR: a model of the path (its bandwidth and its round-trip time without queue) sets the pace and bounds the flight.
 *
 * <p>States: STARTUP: the bandwidth grew less than 25 % in three rounds, or a round lost too much -> DRAIN. DRAIN: the
 * flight fits the path -> PROBE_BW. PROBE_BW: eight phases of pacing gain, each a round-trip time long; 1.25 asks for
 * more, 0.75 drains what that queued, six phases cruise. Any: no lower round-trip time for 10 s -> PROBE_RTT, which
 * empties the path for 200 ms and a round -> PROBE_BW, or STARTUP when the bandwidth was never found.
 *
 * <p>Essay. (1) The bandwidth is the maximum of the delivery-rate samples of ten rounds; a sample taken while the
 * application set the pace counts only when it raises the maximum. So random loss of share p leaves the estimate in place
 * as long as 1.25 (1 - p) is at least 1: up to 20 %. (2) The price is that a short queue sees much loss. Hence the bound:
 * a round that lost more than the path's {@link NoiseFloor} while asking for more ends that phase and limits the flight
 * to 85 % of what was in flight when it happened, but never below the path's product; each later round without such loss
 * lets the bound grow again. (3) Acknowledgements come for ten packets or 25 ms at a time, and hosts send in quanta: the
 * flight may exceed its bound by one acknowledgement's worth and three quanta, or the path would run dry between them. (4)
 * Below two milliseconds of round-trip time a timer cannot pace: the quantum is 64 KiB there or a millisecond's worth.
 *
 * <p>Sources: draft-cardwell-iccrg-bbr-congestion-control-00 (states, gains, cycle); draft-ietf-ccwg-bbr (rate samples,
 * quanta, restart from idle); the noise floor is this project's own.
 */
public final class Bbr implements CongestionControl {
    private enum State {
        STARTUP,
        DRAIN,
        PROBE_BW,
        PROBE_RTT
    }

    private static final double HIGH_GAIN = 2.885;
    private static final double[] CYCLE = {1.25, 0.75, 1, 1, 1, 1, 1, 1};
    private static final double BETA = 0.85;
    private static final int BANDWIDTH_ROUNDS = 10;
    private static final long MIN_RTT_WINDOW_NS = 10_000_000_000L;
    private static final long PROBE_RTT_NS = 200_000_000L;
    private static final long SHORT_RTT_NS = 2_000_000L;
    private static final long MAX_ACK_DELAY_NS = 25_000_000L;
    private static final long QUANTUM_BYTES = 65_536;
    private static final long INITIAL_WINDOW_BYTES = 10L * PACKET_BYTES;
    private static final long MIN_WINDOW_BYTES = 4L * PACKET_BYTES;
    private static final long MAX_BANDWIDTH = 10_000_000_000L;

    private final Rng rng;
    private final NoiseFloor floor = new NoiseFloor();
    private final long[] roundBandwidth = new long[BANDWIDTH_ROUNDS];
    private State state = State.STARTUP;
    private double pacingGain = HIGH_GAIN;
    private double windowGain = HIGH_GAIN;
    private long bandwidth;
    private long minRttNs;
    private long minRttStampNs;

    private long round;
    private boolean roundStart;
    private long nextRoundDelivered;
    private int roundAcked;
    private int roundLost;
    private long roundMinRttNs = Long.MAX_VALUE;
    private boolean roundAppLimited;

    private boolean pipeFilled;
    private long fullBandwidth;
    private int fullRounds;

    private int phase;
    private long phaseStartNs;
    private long probeRttDoneNs = -1;
    private long probeRttRound;
    private boolean idleRestart;
    private boolean lastSampleAppLimited;
    private boolean marked;

    private long windowBytes = INITIAL_WINDOW_BYTES;
    private long rate = (long) (HIGH_GAIN * INITIAL_WINDOW_BYTES * 1_000);
    private long boundBytes = Long.MAX_VALUE;
    private long priorBoundBytes = Long.MAX_VALUE;

    Bbr(Rng rng) {
        this.rng = rng;
    }

    @Override
    public void onSent(long nowNs, SendState packet, long inFlightBytes) {
        if (inFlightBytes == 0 && packet.appLimited) {
            idleRestart = true;
            if (state == State.PROBE_BW) rate = Math.max(PACKET_BYTES, bandwidth);
        }
    }

    @Override
    public void onAck(long nowNs, RateSample sample, long inFlightBytes, RttEstimator rtt) {
        updateRound(sample);
        updateBandwidth(sample);
        if (roundStart) judgeRound(nowNs, sample);
        updateCycle(nowNs, inFlightBytes);
        if (roundStart) checkPipeFilled();
        checkDrain(nowNs, inFlightBytes);
        updateMinRtt(nowNs, sample, inFlightBytes);
        updateRate();
        updateWindow(sample);
        lastSampleAppLimited = sample.appLimited;
        if (sample.delivered > 0) idleRestart = false;
    }

    @Override
    public void onLost(long nowNs, SendState packet, long inFlightBytes) {
        roundLost++;
    }

    @Override
    public void onSpuriousLoss(long nowNs) {
        boundBytes = Math.max(boundBytes, priorBoundBytes);
    }

    @Override
    public void onCe(long nowNs, long sentNs) {
        marked = true;
    }

    @Override
    public void onPersistentCongestion() {
        windowBytes = MIN_WINDOW_BYTES;
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
        long millisecond = rate / 1_000;
        boolean shortPath = minRttNs > 0 && minRttNs < SHORT_RTT_NS;
        return Math.max(shortPath ? QUANTUM_BYTES : 2L * PACKET_BYTES, millisecond);
    }

    @Override
    public long bandwidthBytesPerSecond() {
        return bandwidth;
    }

    private void updateRound(RateSample sample) {
        roundAcked += sample.ackedPackets;
        roundAppLimited |= sample.appLimited;
        if (sample.rttNs > 0) roundMinRttNs = Math.min(roundMinRttNs, sample.rttNs);
        roundStart = sample.ackedPackets > 0 && sample.priorDelivered >= nextRoundDelivered;
        if (!roundStart) return;
        nextRoundDelivered = sample.delivered;
        round++;
    }

    private void updateBandwidth(RateSample sample) {
        int slot = (int) (round % BANDWIDTH_ROUNDS);
        // A round in which the application set the pace says nothing against the older samples: it takes no slot.
        if (roundStart) roundBandwidth[slot] = sample.appLimited ? bandwidth : 0;
        long measured = Math.min(sample.rateBytesPerSecond, MAX_BANDWIDTH);
        if (measured > roundBandwidth[slot] && (!sample.appLimited || measured >= bandwidth)) {
            roundBandwidth[slot] = measured;
        }
        long most = 0;
        for (long value : roundBandwidth) most = Math.max(most, value);
        bandwidth = most;
    }

    /** Looks back at the round that just ended: was its loss the path's nature? */
    private void judgeRound(long nowNs, RateSample sample) {
        int packets = roundAcked + roundLost;
        boolean queued = minRttNs > 0 && roundMinRttNs > minRttNs + minRttNs / 20 + 2_000_000;
        if (packets > 0 && minRttNs > 0) {
            boolean congested = marked || floor.isExceeded(roundLost, packets, queued);
            if (congested) onCongestion(nowNs, sample);
            else relaxBound();
            boolean gentle = state == State.PROBE_BW && pacingGain <= 1 && !queued && packets >= 8;
            if (gentle && !marked) floor.learn(roundLost, packets);
        }
        roundAcked = 0;
        roundLost = 0;
        roundMinRttNs = Long.MAX_VALUE;
        marked = false;
    }

    private void relaxBound() {
        if (boundBytes > 2 * targetBytes(2)) boundBytes = Long.MAX_VALUE;
        else boundBytes += boundBytes / 16;
    }

    private void onCongestion(long nowNs, RateSample sample) {
        switch (state) {
            case STARTUP -> pipeFilled = true;
            case PROBE_BW -> {
                priorBoundBytes = boundBytes;
                boundBytes = Math.max(targetBytes(1), (long) (BETA * sample.txInFlightBytes));
                if (pacingGain > 1) enterPhase(nowNs, 1);
            }
            case DRAIN, PROBE_RTT -> {}
        }
    }

    private void checkPipeFilled() {
        boolean judged = !roundAppLimited;
        roundAppLimited = false;
        if (pipeFilled || !judged) return;
        if (bandwidth >= fullBandwidth + fullBandwidth / 4) {
            fullBandwidth = bandwidth;
            fullRounds = 0;
        } else if (++fullRounds >= 3) {
            pipeFilled = true;
        }
    }

    private void checkDrain(long nowNs, long inFlightBytes) {
        if (state == State.STARTUP && pipeFilled) {
            state = State.DRAIN;
            pacingGain = 1 / HIGH_GAIN;
            windowGain = HIGH_GAIN;
        }
        if (state == State.DRAIN && inFlightBytes <= targetBytes(1)) enterProbeBw(nowNs);
    }

    private void enterProbeBw(long nowNs) {
        state = State.PROBE_BW;
        windowGain = 2;
        // Any phase but the draining one, so that flows which start together do not probe together.
        int start = rng.below(CYCLE.length - 1);
        enterPhase(nowNs, start == 0 ? 0 : start + 1);
    }

    private void enterPhase(long nowNs, int next) {
        phase = next;
        phaseStartNs = nowNs;
        pacingGain = CYCLE[phase];
    }

    private void updateCycle(long nowNs, long inFlightBytes) {
        if (state != State.PROBE_BW) return;
        boolean aged = nowNs - phaseStartNs > minRttNs;
        boolean over = aged;
        if (pacingGain > 1) over = aged && (roundLost > 0 || inFlightBytes >= pathBytes(pacingGain));
        if (pacingGain < 1) over = aged || inFlightBytes <= pathBytes(1);
        // A flight held by the application or by the peer's credit never fills the path: do not ask for ever.
        if (pacingGain > 1 && nowNs - phaseStartNs > 4 * minRttNs) over = true;
        if (over) enterPhase(nowNs, (phase + 1) % CYCLE.length);
    }

    private void updateMinRtt(long nowNs, RateSample sample, long inFlightBytes) {
        boolean expired = minRttNs > 0 && nowNs > minRttStampNs + MIN_RTT_WINDOW_NS;
        if (sample.rttNs > 0 && (minRttNs == 0 || sample.rttNs <= minRttNs || expired)) {
            minRttNs = Math.max(1, sample.rttNs);
            minRttStampNs = nowNs;
        }
        if (expired && !idleRestart && state != State.PROBE_RTT) {
            state = State.PROBE_RTT;
            pacingGain = 1;
            windowGain = 1;
            probeRttDoneNs = -1;
        }
        if (state == State.PROBE_RTT) probeRtt(nowNs, inFlightBytes);
    }

    private void probeRtt(long nowNs, long inFlightBytes) {
        if (probeRttDoneNs < 0) {
            if (inFlightBytes > probeRttWindow() && !lastSampleAppLimited) return;
            probeRttDoneNs = nowNs + PROBE_RTT_NS;
            probeRttRound = round;
        } else if (nowNs > probeRttDoneNs && round > probeRttRound) {
            minRttStampNs = nowNs;
            windowBytes = Math.max(windowBytes, targetBytes(1));
            if (pipeFilled) enterProbeBw(nowNs);
            else enterStartup();
        }
    }

    private void enterStartup() {
        state = State.STARTUP;
        pacingGain = HIGH_GAIN;
        windowGain = HIGH_GAIN;
    }

    private void updateRate() {
        if (bandwidth == 0 || minRttNs == 0) return;
        long target = Math.max(PACKET_BYTES, (long) (pacingGain * bandwidth));
        // Until the pipe is filled the first samples are too low: never slow down for them.
        if (pipeFilled || target > rate) rate = target;
    }

    private void updateWindow(RateSample sample) {
        if (bandwidth == 0 || minRttNs == 0) {
            windowBytes += sample.ackedBytes;
            return;
        }
        long target = targetBytes(windowGain);
        if (pipeFilled) windowBytes = Math.min(windowBytes + sample.ackedBytes, target);
        else if (windowBytes < target || sample.delivered < INITIAL_WINDOW_BYTES) windowBytes += sample.ackedBytes;
        windowBytes = Math.max(windowBytes, MIN_WINDOW_BYTES);
        if (state == State.PROBE_RTT) windowBytes = Math.min(windowBytes, probeRttWindow());
        if (state == State.PROBE_BW) windowBytes = Math.min(windowBytes, Math.max(boundBytes, MIN_WINDOW_BYTES));
    }

    private long probeRttWindow() {
        return Math.max(MIN_WINDOW_BYTES, pathBytes(0.5));
    }

    /** The flight that keeps the path full at a gain, with what bursts of acknowledgements and of sending need. */
    private long targetBytes(double gain) {
        long burst = 3 * Math.min(sendQuantumBytes(), QUANTUM_BYTES);
        double delayed = Math.min(10.0 * PACKET_BYTES, bandwidth * (MAX_ACK_DELAY_NS / 1e9));
        return Math.max(MIN_WINDOW_BYTES, pathBytes(gain) + burst + (long) delayed);
    }

    private long pathBytes(double gain) {
        return (long) (gain * bandwidth * minRttNs / 1e9);
    }
}
