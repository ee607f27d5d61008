package mcc.congestion;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import mcc.core.Rng;

/** A sender under BBR and a path of one bottleneck, in virtual time of a tenth of a millisecond. */
final class VirtualPath {
    static final long MS = 1_000_000;
    static final int PACKET = 1_200;
    private static final long STEP_NS = MS / 10;

    private static final class Packet {
        final SendState state = new SendState();
        long ackNs;
        long lostNs;
        boolean lost;
        boolean late;
    }

    final Bbr bbr = new Bbr(Rng.seeded(3));
    final RttEstimator rtt = new RttEstimator();
    private final DeliveryRate sampler = new DeliveryRate();
    private final Pacer pacer = new Pacer();
    private final Rng rng = Rng.seeded(4);
    private final ArrayDeque<Packet> flight = new ArrayDeque<>();
    private final List<Packet> missing = new ArrayList<>();
    private final List<Packet> thoughtLost = new ArrayList<>();

    long rate;
    final long delayNs;
    long queueBytes = Long.MAX_VALUE;
    int lossPpm;
    /** Loss meets packets at equal distances, not by chance. */
    boolean evenly;

    int cePpm;
    /** Acknowledgements leave the path at multiples of this. */
    long batchNs = 1;
    /** What the application writes, in bytes per second. */
    double appRate = Double.MAX_VALUE;
    /** A token bucket in place of the queue: what does not find tokens is dropped. */
    double bucketBytes = -1;
    /** Packets sent now arrive so late that they are thought lost first. */
    boolean reordering;
    /** How much later than its acknowledgement was due a packet sent now is declared lost, if it is. */
    long lagNs;
    /** What other flows keep in the queue, by the time it takes. */
    long othersNs;

    private double tokens;
    private double written;
    private int lossSum;
    private long episodeNs = -1;
    long nowNs = MS;
    long freeNs;
    long inFlight;
    long deliveredBytes;
    long sentPackets;
    long lostPackets;

    VirtualPath(double mbit, int rttMs) {
        rate = (long) (mbit * 125_000);
        delayNs = rttMs * MS;
    }

    long bdp() {
        return rate * delayNs / 1_000_000_000L;
    }

    void run(long ns) {
        run(ns, () -> false);
    }

    /** Runs until that holds; returns whether it came to hold in time. */
    boolean run(long ns, BooleanSupplier until) {
        long endNs = nowNs + ns;
        while (nowNs < endNs) {
            if (until.getAsBoolean()) return true;
            nowNs += STEP_NS;
            acknowledge();
            if (until.getAsBoolean()) return true;
            send();
        }
        return until.getAsBoolean();
    }

    boolean reach(BbrState state) {
        return run(60_000 * MS, () -> bbr.state() == state);
    }

    boolean leave(BbrState state) {
        return run(60_000 * MS, () -> bbr.state() != state);
    }

    private void acknowledge() {
        sampler.beginAck();
        boolean acked = false;
        boolean marked = false;
        while (!flight.isEmpty() && flight.peek().ackNs <= nowNs) {
            Packet p = flight.poll();
            if (p.lost || p.late) {
                missing.add(p);
                continue;
            }
            acked = true;
            inFlight -= p.state.bytes();
            deliveredBytes += p.state.bytes();
            sampler.onAcked(nowNs, p.state);
            rtt.add(nowNs - p.state.sentNs(), 0);
            marked |= rng.chance(cePpm);
        }
        for (Packet p : missing) if (p.lostNs <= nowNs) lose(p);
        missing.removeIf(p -> p.lostNs <= nowNs);
        if (marked) bbr.onCe(nowNs, nowNs);
        if (acked) bbr.onAck(nowNs, sampler.finishAck(rtt.minNs()), inFlight, rtt);
    }

    private void lose(Packet p) {
        inFlight -= p.state.bytes();
        lostPackets++;
        sampler.onLost(p.state);
        boolean first = p.state.sentNs() > episodeNs;
        if (first) episodeNs = nowNs;
        bbr.onLost(nowNs, p.state, first);
        if (p.late) thoughtLost.add(p);
    }

    /** All that was thought lost arrives. */
    void arriveLate() {
        sampler.beginAck();
        for (Packet p : thoughtLost) sampler.onAcked(nowNs, p.state);
        thoughtLost.clear();
        bbr.onSpuriousLoss(nowNs);
    }

    private void send() {
        written = Math.min(10.0 * PACKET, written + appRate * STEP_NS / 1e9);
        if (appRate == Double.MAX_VALUE) written = Double.MAX_VALUE;
        while (inFlight + PACKET <= bbr.windowBytes()) {
            if (written < PACKET) {
                sampler.onAppLimited(inFlight);
                return;
            }
            if (!pacer.allows(nowNs, bbr)) return;
            written -= PACKET;
            sendOne();
        }
    }

    private void sendOne() {
        Packet p = new Packet();
        sampler.onSent(nowNs, p.state, PACKET, inFlight);
        bbr.onSent(nowNs, p.state, inFlight);
        pacer.onSent(PACKET);
        inFlight += PACKET;
        sentPackets++;
        p.late = reordering;
        p.lost = chance() || (bucketBytes >= 0 ? policed() : queued());
        long ackNs = (p.lost ? nowNs : Math.max(freeNs, nowNs)) + delayNs;
        p.ackNs = (ackNs + batchNs - 1) / batchNs * batchNs;
        if (!flight.isEmpty()) p.ackNs = Math.max(p.ackNs, flight.peekLast().ackNs);
        p.lostNs = p.ackNs + lagNs;
        flight.add(p);
    }

    private boolean chance() {
        if (!evenly) return rng.chance(lossPpm);
        lossSum += lossPpm;
        if (lossSum < 1_000_000) return false;
        lossSum -= 1_000_000;
        return true;
    }

    private boolean queued() {
        if (Math.max(0, freeNs - nowNs) / 1e9 * rate > queueBytes) return true;
        freeNs = Math.max(freeNs, nowNs + othersNs) + PACKET * 1_000_000_000L / rate;
        return false;
    }

    private boolean policed() {
        tokens = Math.min(bucketBytes, tokens + rate * (nowNs - freeNs) / 1e9);
        freeNs = nowNs;
        if (tokens < PACKET) return true;
        tokens -= PACKET;
        return false;
    }
}
