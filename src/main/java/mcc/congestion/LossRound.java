package mcc.congestion;

/**
 * What the packets of one round trip, counted from its first loss, tell about the path: the highest rate, and how many were
 * lost, marked and delayed (loss_round, bw_latest and inflight_latest of draft-ietf-ccwg-bbr).
 */
final class LossRound {
    private long endDelivered;
    private boolean over;
    private boolean lossy;
    private boolean marked;
    private int acked;
    private int lost;
    private long minRttNs = Long.MAX_VALUE;
    private long lastMinRttNs = Long.MAX_VALUE;
    private long bandwidth;
    private long inFlightBytes;

    /** Takes an acknowledgement, before any decision about it. */
    void onAck(RateSample sample) {
        acked += sample.ackedPackets;
        if (sample.rttNs > 0) minRttNs = Math.min(minRttNs, sample.rttNs);
        bandwidth = Math.max(bandwidth, sample.rateBytesPerSecond);
        inFlightBytes = Math.max(inFlightBytes, sample.delivered - sample.priorDelivered);
        over = sample.ackedPackets > 0 && sample.priorDelivered >= endDelivered;
        if (over) endDelivered = sample.delivered;
    }

    void onLost(long deliveredBytes) {
        if (!lossy) endDelivered = deliveredBytes;
        lossy = true;
        lost++;
    }

    void onMark() {
        marked = true;
    }

    /** The episode of loss was spurious. */
    void forgive() {
        lossy = false;
        lost = 0;
    }

    /** Begins the next round once a finished one was judged. */
    void advance(RateSample sample) {
        if (!over) return;
        clear();
        bandwidth = sample.rateBytesPerSecond;
        inFlightBytes = sample.delivered - sample.priorDelivered;
    }

    /** Discards the measurements, which belong to another phase of sending. */
    void resetSignals() {
        clear();
        bandwidth = 0;
        inFlightBytes = 0;
    }

    private void clear() {
        lossy = false;
        marked = false;
        acked = 0;
        lost = 0;
        if (minRttNs != Long.MAX_VALUE) lastMinRttNs = minRttNs;
        minRttNs = Long.MAX_VALUE;
    }

    boolean isOver() {
        return over;
    }

    boolean isMarked() {
        return marked;
    }

    int lost() {
        return lost;
    }

    int packets() {
        return acked + lost;
    }

    /** Returns the least round-trip time of this round, or of the last one while this one has no sample. */
    long minRttNs() {
        return minRttNs == Long.MAX_VALUE ? lastMinRttNs : minRttNs;
    }

    long bandwidth() {
        return bandwidth;
    }

    long inFlightBytes() {
        return inFlightBytes;
    }
}
