package mcc.stream;

import java.util.ArrayDeque;
import java.util.function.LongUnaryOperator;
import mcc.core.Core;
import mcc.core.Rng;

/**
 * A CUBIC sender with an endless supply, and its receiver, on the link of a {@link Pair}: RFC 9438 with slow start, without
 * HyStart. Packets have numbers of their own, so that what is lost need not be sent again. The link keeps their order, so that
 * a gap is a loss; acknowledgements take no capacity.
 */
final class CubicFlow implements LongUnaryOperator {
    private static final double BETA = 0.7;
    private static final double C = 0.4;
    private static final long TIMEOUT_NS = 1_000 * Pair.MS;

    private record Packet(long number, long sentNs, long ackNs) {}

    private final Pair.Link there;
    private final Pair.Link back;
    private final Rng rng = Rng.seeded(1);
    private final ArrayDeque<Packet> acks = new ArrayDeque<>();
    private long next;
    private long highestAcked = -1;
    private long arrived;
    private int outstanding;
    private long recoveryEnd = -1;
    private long heardNs;
    private double window = 10;
    private double threshold = Double.MAX_VALUE;
    private double windowMax;
    private double k;
    private long epochNs = -1;
    private double estimate;
    private double rttSeconds = 0.1;

    CubicFlow(Pair pair) {
        there = pair.links[0];
        back = pair.links[1];
    }

    /** Returns the payload that has arrived. */
    long readBytes() {
        return arrived * Pair.MTU;
    }

    @Override
    public long applyAsLong(long nowNs) {
        while (!acks.isEmpty() && acks.peekFirst().ackNs <= nowNs) onAck(nowNs, acks.pollFirst());
        if (outstanding > 0 && nowNs - heardNs >= TIMEOUT_NS) onTimeout(nowNs);
        while (outstanding < (int) window) send(nowNs);
        long timeoutNs = heardNs + TIMEOUT_NS;
        return acks.isEmpty() ? timeoutNs : Math.min(timeoutNs, acks.peekFirst().ackNs);
    }

    private void send(long nowNs) {
        if (outstanding++ == 0) heardNs = nowNs;
        long number = next++;
        long arrivalNs = there.pass(nowNs, Pair.MTU, rng);
        if (arrivalNs == Core.NEVER) return;
        arrived++;
        acks.addLast(new Packet(number, nowNs, arrivalNs + back.delayNs));
    }

    private void onAck(long nowNs, Packet ack) {
        heardNs = nowNs;
        rttSeconds = 0.875 * rttSeconds + 0.125 * (nowNs - ack.sentNs) / 1e9;
        long missing = ack.number - highestAcked - 1;
        highestAcked = ack.number;
        outstanding -= (int) missing + 1;
        if (missing > 0 && ack.number > recoveryEnd) onLoss();
        else grow(nowNs);
    }

    private void onLoss() {
        recoveryEnd = next - 1;
        windowMax = window < windowMax ? window * (1 + BETA) / 2 : window;
        window = Math.max(2, window * BETA);
        threshold = window;
        epochNs = -1;
    }

    private void onTimeout(long nowNs) {
        heardNs = nowNs;
        windowMax = window;
        threshold = Math.max(2, window * BETA);
        window = 1;
        epochNs = -1;
        outstanding = 0;
        highestAcked = next - 1;
        recoveryEnd = next - 1;
    }

    private void grow(long nowNs) {
        if (window < threshold) {
            window++;
            return;
        }
        if (epochNs < 0) {
            epochNs = nowNs;
            k = window < windowMax ? Math.cbrt((windowMax - window) / C) : 0;
            if (window >= windowMax) windowMax = window;
            estimate = window;
        }
        double t = (nowNs - epochNs) / 1e9 + rttSeconds;
        double target = Math.clamp(C * (t - k) * (t - k) * (t - k) + windowMax, window, 1.5 * window);
        estimate += 3 * (1 - BETA) / (1 + BETA) / window;
        window = Math.max(estimate, window + (target - window) / window);
    }
}
