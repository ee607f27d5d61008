package mcc.stream;

import mcc.congestion.CongestionControl;
import mcc.congestion.DeliveryRate;
import mcc.congestion.Pacer;
import mcc.congestion.RateSample;
import mcc.congestion.RttEstimator;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Rng;
import mcc.wire.FramesReader;
import org.jspecify.annotations.Nullable;

/**
 * Loss recovery on one path of a connection: which of the packets sent over it that ask for an acknowledgement are in flight,
 * acknowledged or lost; when to probe; the path's round-trip time and congestion control.
 *
 * <p>Packet numbers belong to the connection, so an acknowledgement may come over any path and cover packets of several. Losses
 * are judged by the packets' ordinals on this path (draft-ietf-quic-multipath sections 5 and 6). A path no longer in use keeps
 * all it measured; packets still in flight on it are acknowledged or lost as before, and their data go over another path if
 * nobody acknowledges them.
 *
 * <p>Essay. (1) A packet is lost when one sent {@code packetThreshold} ordinals or 9/8 round trips later is acknowledged
 * (RFC 9002 section 6.1). (2) Numbers are never used again, so an acknowledgement of a packet that was declared lost is
 * proof that the threshold was too small: it is raised to what would have been enough, the time to at most 2 round trips, and
 * falls back after 16 episodes of true loss (RFC 8985 section 6.2); when all losses of one episode prove spurious, congestion
 * control undoes its response. (3) When nothing is acknowledged for a probe time-out, up to two packets leave whatever
 * the window says, with the oldest data (section 6.2.4); the time-out doubles each time. When the application has no more
 * to send, nothing later would show that the last packet was lost: its data are sent once more well before that time-out
 * (RFC 8985 section 7). (4) The list of packets in flight is in the order of sending and holds neither acknowledged nor lost
 * ones, so the cost of an acknowledgement depends only on what it newly covers.
 */
public final class Recovery {
    private static final int MAX_REMEMBERED_LOST = 256;
    private static final int MAX_SPARE = 4_096;
    private static final int PACKET_THRESHOLD = 3;
    private static final int TIME_THRESHOLD_EIGHTHS = 9;
    /** Beyond this the time threshold decides: the path's reordering is a matter of time, not of packets. */
    private static final int MAX_PACKET_THRESHOLD = 16_384;
    /** After so many episodes of true loss the path is assumed not to reorder. */
    private static final int CALM_EPISODES = 16;

    private static final int MAX_TIME_THRESHOLD_EIGHTHS = 16;
    private static final long MAX_PTO_NS = 60_000_000_000L;
    private static final int RECENT_PACKETS = 2_048;
    private static final int LOSSY_PPM = 5_000;
    /** From this rate of loss on the last packet of a burst is sent twice. */
    private static final int TAIL_LOSSY_PPM = 20_000;
    /** With fewer bytes than this in flight, a peer that acknowledges every tenth packet does so only when its timer fires. */
    private static final int TAIL_BYTES = 12_000;

    private final Streams streams;
    private final Acks acks;
    private final RttEstimator rtt = new RttEstimator();
    private final Counters.Counter lostCount;
    private final Counters.Counter spuriousCount;
    private final Counters.Counter probeCount;
    private final Counters.Counter tailCount;

    private final DeliveryRate rate = new DeliveryRate();
    private final CongestionControl control;
    private final Pacer pacer = new Pacer();

    private @Nullable SentPacket oldest;
    private @Nullable SentPacket newest;
    private @Nullable SentPacket oldestLost;
    private @Nullable SentPacket newestLost;
    private int rememberedLost;
    private @Nullable SentPacket spare;
    private int spares;

    private long inFlightBytes;
    private long nextOrdinal = 1;
    /** The highest ordinal that was acknowledged. */
    private long largestAcked;

    private long lossNs = Core.NEVER;
    private long newestSentNs;
    /** When something was last acknowledged, and when the newest packet was sent that is known to have arrived. */
    private long answeredNs = Long.MIN_VALUE;

    private long arrivedNs = Long.MIN_VALUE;
    private int ptoCount;
    private int probes;
    /** When the tail probe is due; {@link Core#NEVER} while the application has more to send. */
    private long tailNs = Core.NEVER;

    private boolean tailProbed;
    private int packetThreshold = PACKET_THRESHOLD;
    private int timeThresholdEighths = TIME_THRESHOLD_EIGHTHS;
    private int calmEpisodes;
    /** When the episode of loss began: a packet sent after it that is lost begins another one. */
    private long episodeStartNs = -1;

    private int episode;
    private int episodeLost;
    private int recentLost;
    private int recentSeen;

    Recovery(StreamConfig config, Streams streams, Acks acks, Rng rng, Counters counters) {
        this.streams = streams;
        this.acks = acks;
        control = config.congestion().apply(rng);
        lostCount = counters.of("stream.lost");
        spuriousCount = counters.of("stream.lost.spurious");
        probeCount = counters.of("stream.probe");
        tailCount = counters.of("stream.probe.tail");
    }

    RttEstimator rtt() {
        return rtt;
    }

    CongestionControl control() {
        return control;
    }

    long inFlightBytes() {
        return inFlightBytes;
    }

    long oldestSentNs() {
        SentPacket p = oldest;
        return p == null ? Core.NEVER : p.state.sentNs();
    }

    /** Since when packets sent over this path go unanswered; {@link Core#NEVER} when all were acknowledged, or given up. */
    public long unansweredSinceNs() {
        SentPacket p = oldest;
        return p == null ? Core.NEVER : Math.max(p.state.sentNs(), answeredNs);
    }

    /** When something was last acknowledged. */
    public long answeredNs() {
        return answeredNs;
    }

    /** When the newest packet was sent that is known to have arrived. */
    public long arrivedNs() {
        return arrivedNs;
    }

    /** The probe time-out without back-off; 0 before the first sample. */
    public long ptoNs() {
        return rtt.isSampled() ? rtt.ptoNs(Acks.MAX_DELAY_NS) : 0;
    }

    /** Begins with a round trip that was measured otherwise; ignored where one was measured here, or is about to be. */
    public void expectRtt(long rttNs) {
        if (!rtt.isSampled() && oldest == null) rtt.add(rttNs, 0);
    }

    /** The path is used again: the end of what was sent by it before is no reason for a tail probe any longer. */
    void resume() {
        tailNs = Core.NEVER;
    }

    boolean isProbeDue() {
        return probes > 0;
    }

    boolean isProbing() {
        return ptoCount > 0;
    }

    int packetThreshold() {
        return packetThreshold;
    }

    int lossPpm() {
        return recentSeen == 0 ? 0 : (int) (1_000_000L * recentLost / recentSeen);
    }

    /** Returns how much a stream should buffer: a packet that is lost twice holds up all behind it for further rounds. */
    long sendTargetBytes() {
        return (lossPpm() > LOSSY_PPM ? 4 : 2) * control.windowBytes();
    }

    /** Returns whether a packet of that size, the largest of the path, may leave. */
    boolean windowAllows(int bytes) {
        control.packetBytes(bytes);
        return inFlightBytes == 0 || inFlightBytes + bytes <= control.windowBytes();
    }

    boolean paceAllows(long nowNs) {
        return pacer.allows(nowNs, control);
    }

    long paceReleaseNs(long nowNs) {
        return pacer.releaseNs(nowNs, control);
    }

    void onAppLimited(long nowNs) {
        if (tailNs == Core.NEVER) tailNs = nowNs + tailDelayNs();
        rate.onAppLimited(inFlightBytes);
    }

    /** Returns an empty packet, to be handed back to {@link #onSent} or {@link #recycle}. */
    SentPacket begin() {
        SentPacket p = spare;
        if (p == null) {
            p = new SentPacket();
        } else {
            spare = p.next;
            p.next = null;
            spares--;
        }
        p.begin();
        return p;
    }

    void recycle(SentPacket p) {
        p.previous = null;
        p.next = null;
        if (spares >= MAX_SPARE) return;
        p.next = spare;
        spare = p;
        spares++;
    }

    void onSent(long nowNs, SentPacket p, long number, int bytes) {
        p.number = number;
        p.ordinal = nextOrdinal++;
        rate.onSent(nowNs, p.state, bytes, inFlightBytes);
        control.onSent(nowNs, p.state, inFlightBytes);
        pacer.onSent(bytes);
        inFlightBytes += bytes;
        newestSentNs = nowNs;
        tailNs = Core.NEVER;
        if (probes > 0) probes--;
        else tailProbed = false;
        SentPacket last = newest;
        p.previous = last;
        if (last == null) oldest = p;
        else last.next = p;
        newest = p;
    }

    /**
     * Takes the acknowledgement at which the reader stands.
     *
     * @param ce whether it reports more CE marks than those before, on this path
     */
    void onAck(long nowNs, FramesReader ack, boolean ce) {
        if (oldest == null && oldestLost == null) return;
        rate.beginAck();
        SentPacket top = takeAcked(nowNs, ack);
        takeSpurious(nowNs, ack);
        if (top == null) return;
        long sentNs = top.state.sentNs();
        answeredNs = nowNs;
        arrivedNs = Math.max(arrivedNs, sentNs);
        if (top.number == ack.value()) {
            long delayNs = Math.min(ack.delayUs(), Acks.MAX_DELAY_NS / 1_000) * 1_000;
            rtt.add(nowNs - sentNs, delayNs);
        }
        recycle(top);
        detectLost(nowNs);
        if (ce) control.onCe(nowNs, sentNs);
        ptoCount = 0;
        probes = 0;
        RateSample sample = rate.finishAck(rtt.minNs());
        control.onAck(nowNs, sample, inFlightBytes, rtt);
    }

    /**
     * Like {@link #tick}, for a path not in use: data that are not acknowledged in time go over another path, and do not count
     * as lost.
     */
    void tickUnused(long nowNs) {
        if (nowNs >= lossNs) {
            rate.beginAck();
            detectLost(nowNs);
        }
        if (oldest != null && nowNs >= probeNs()) giveUp();
    }

    /** When {@link #tickUnused} is due. */
    long unusedDeadlineNs() {
        return oldest == null ? Core.NEVER : Math.min(lossNs, probeNs());
    }

    /** Treats everything in flight as lost, without telling congestion control: the path's use as a whole has ended. */
    public void giveUp() {
        lossNs = Core.NEVER;
        probes = 0;
        ptoCount = 0;
        for (SentPacket p = oldest; p != null; p = oldest) {
            unlink(p);
            inFlightBytes -= p.state.bytes();
            streams.onLost(p);
            recycle(p);
        }
    }

    /** Declares lost what is overdue, or asks for probes. */
    void tick(long nowNs) {
        if (nowNs >= lossNs) {
            rate.beginAck();
            detectLost(nowNs);
        }
        if (lossNs != Core.NEVER || oldest == null || probes > 0) return;
        SentPacket last = newest;
        if (last != null && isTailWatched() && nowNs >= tailNs) {
            tailProbed = true;
            probes = 1;
            tailCount.add();
            streams.onLost(last);
            return;
        }
        if (nowNs < probeNs()) return;
        ptoCount++;
        probes = 2;
        probeCount.add();
        SentPacket p = oldest;
        for (int i = 0; i < 2 && p != null; i++, p = p.next) streams.onLost(p);
    }

    /** When {@link #tick} is due. */
    long deadlineNs() {
        if (lossNs != Core.NEVER) return lossNs;
        if (oldest == null || probes > 0) return Core.NEVER;
        return isTailWatched() ? Math.min(tailNs, probeNs()) : probeNs();
    }

    /** How long after the last packet of what the application wrote the tail probe is sent (RFC 8985 section 7.2). */
    private long tailDelayNs() {
        if (!rtt.isSampled()) return MAX_PTO_NS;
        long smoothedNs = rtt.smoothedNs();
        if (lossPpm() > TAIL_LOSSY_PPM) return Math.max(smoothedNs / 4, RttEstimator.GRANULARITY_NS);
        return inFlightBytes < TAIL_BYTES ? MAX_PTO_NS : 2 * smoothedNs + RttEstimator.GRANULARITY_NS;
    }

    private boolean isTailWatched() {
        return !tailProbed && ptoCount == 0;
    }

    private long probeNs() {
        long ptoNs = rtt.ptoNs(Acks.MAX_DELAY_NS);
        return newestSentNs + Math.min(MAX_PTO_NS, ptoNs << Math.min(ptoCount, 16));
    }

    /** Returns the newest of the packets newly acknowledged, unlinked, or null. */
    private @Nullable SentPacket takeAcked(long nowNs, FramesReader ack) {
        SentPacket top = null;
        int run = ack.ranges() - 1;
        SentPacket p = oldest;
        while (p != null) {
            while (run >= 0 && ack.highest(run) < p.number) run--;
            if (run < 0) break;
            SentPacket following = p.next;
            if (p.number >= ack.lowest(run)) {
                unlink(p);
                inFlightBytes -= p.state.bytes();
                rate.onAcked(nowNs, p.state);
                count(0);
                largestAcked = Math.max(largestAcked, p.ordinal);
                streams.onAcked(p);
                if (p.ackLargest > 0) acks.onAckReceived(p.ackLargest);
                if (top != null) recycle(top);
                top = p;
            }
            p = following;
        }
        return top;
    }

    /** Looks among the packets declared lost for some that the peer received after all. */
    private void takeSpurious(long nowNs, FramesReader ack) {
        int run = ack.ranges() - 1;
        SentPacket p = oldestLost;
        while (p != null) {
            while (run >= 0 && ack.highest(run) < p.number) run--;
            if (run < 0) return;
            SentPacket following = p.next;
            if (p.number >= ack.lowest(run)) onSpurious(nowNs, p);
            p = following;
        }
    }

    private void onSpurious(long nowNs, SentPacket p) {
        unlinkLost(p);
        streams.onAcked(p);
        spuriousCount.add();
        rate.onAcked(nowNs, p.state);
        long distance = largestAcked - p.ordinal + 1;
        packetThreshold = (int) Math.min(MAX_PACKET_THRESHOLD, Math.max(packetThreshold, distance));
        calmEpisodes = 0;
        timeThresholdEighths = Math.min(MAX_TIME_THRESHOLD_EIGHTHS, timeThresholdEighths + 1);
        if (p.episode == episode && --episodeLost == 0) control.onSpuriousLoss(nowNs);
        recycle(p);
    }

    /** RFC 9002 section 6.1. */
    private void detectLost(long nowNs) {
        lossNs = Core.NEVER;
        long delayNs = Math.max(rtt.smoothedNs(), rtt.latestNs()) / 8 * timeThresholdEighths;
        delayNs = Math.max(delayNs, RttEstimator.GRANULARITY_NS);
        long runStartNs = -1;
        long runOrdinal = -1;
        boolean persistent = false;
        long persistentNs = 3 * rtt.ptoNs(Acks.MAX_DELAY_NS);
        SentPacket p = oldest;
        while (p != null && p.ordinal < largestAcked) {
            long overdueNs = p.state.sentNs() + delayNs;
            if (overdueNs > nowNs && largestAcked - p.ordinal < packetThreshold) {
                lossNs = overdueNs;
                break;
            }
            if (p.ordinal != runOrdinal + 1) runStartNs = p.state.sentNs();
            runOrdinal = p.ordinal;
            persistent |= rtt.isSampled() && p.state.sentNs() - runStartNs > persistentNs;
            SentPacket following = p.next;
            lose(nowNs, p);
            p = following;
        }
        if (persistent) control.onPersistentCongestion();
    }

    private void lose(long nowNs, SentPacket p) {
        unlink(p);
        lostCount.add();
        streams.onLost(p);
        inFlightBytes -= p.state.bytes();
        count(1);
        boolean begins = p.state.sentNs() > episodeStartNs;
        if (begins) {
            episodeStartNs = nowNs;
            episode++;
            episodeLost = 0;
            if (++calmEpisodes == CALM_EPISODES) {
                packetThreshold = PACKET_THRESHOLD;
                timeThresholdEighths = TIME_THRESHOLD_EIGHTHS;
            }
        }
        p.episode = episode;
        episodeLost++;
        rate.onLost(p.state);
        control.onLost(nowNs, p.state, begins);
        SentPacket last = newestLost;
        p.previous = last;
        if (last == null) oldestLost = p;
        else last.next = p;
        newestLost = p;
        SentPacket first = oldestLost;
        if (++rememberedLost > MAX_REMEMBERED_LOST && first != null) {
            unlinkLost(first);
            recycle(first);
        }
    }

    private void count(int lost) {
        recentLost += lost;
        if (++recentSeen < RECENT_PACKETS) return;
        recentSeen /= 2;
        recentLost /= 2;
    }

    private void unlink(SentPacket p) {
        SentPacket before = p.previous;
        SentPacket after = p.next;
        if (before == null) oldest = after;
        else before.next = after;
        if (after == null) newest = before;
        else after.previous = before;
        p.previous = null;
        p.next = null;
    }

    private void unlinkLost(SentPacket p) {
        SentPacket before = p.previous;
        SentPacket after = p.next;
        if (before == null) oldestLost = after;
        else before.next = after;
        if (after == null) newestLost = before;
        else after.previous = before;
        p.previous = null;
        p.next = null;
        rememberedLost--;
    }
}
