package mcc.congestion;

/** What BBR is compared with: NewReno as in RFC 9002 section 7, paced at 1.25 windows per round trip (section 7.7). */
public final class NewReno implements CongestionControl {
    private int packetBytes = PACKET_BYTES;
    private long windowBytes = 10L * PACKET_BYTES;
    private long thresholdBytes = Long.MAX_VALUE;
    private long recoveryStartNs = -1;
    private long priorWindowBytes;
    private long priorThresholdBytes = Long.MAX_VALUE;
    private long smoothedRttNs = RttEstimator.INITIAL_NS;
    private long bandwidth;
    private long creditBytes;

    @Override
    public void packetBytes(int bytes) {
        packetBytes = bytes;
        windowBytes = Math.max(windowBytes, minWindow());
    }

    @Override
    public void onSent(long nowNs, SendState packet, long inFlightBytes) {
        // The window moves with acknowledgements alone.
    }

    @Override
    public void onAck(long nowNs, RateSample sample, long inFlightBytes, RttEstimator rtt) {
        smoothedRttNs = rtt.smoothedNs();
        if (sample.rateBytesPerSecond > 0) bandwidth = sample.rateBytesPerSecond;
        boolean inRecovery = nowNs - sample.rttNs <= recoveryStartNs;
        boolean underused = inFlightBytes + sample.ackedBytes < windowBytes / 2;
        if (inRecovery || underused) return;
        if (windowBytes < thresholdBytes) {
            windowBytes += sample.ackedBytes;
            return;
        }
        creditBytes += sample.ackedBytes;
        if (creditBytes >= windowBytes) {
            creditBytes -= windowBytes;
            windowBytes += packetBytes;
        }
    }

    @Override
    public void onLost(long nowNs, SendState packet, boolean first) {
        onCe(nowNs, packet.sentNs); // A mark may have begun what this loss belongs to.
    }

    @Override
    public void onSpuriousLoss(long nowNs) {
        if (priorWindowBytes <= windowBytes) return;
        windowBytes = priorWindowBytes;
        thresholdBytes = priorThresholdBytes;
        recoveryStartNs = -1;
    }

    @Override
    public void onCe(long nowNs, long sentNs) {
        if (sentNs <= recoveryStartNs) return;
        priorWindowBytes = windowBytes;
        priorThresholdBytes = thresholdBytes;
        recoveryStartNs = nowNs;
        windowBytes = Math.max(windowBytes / 2, minWindow());
        thresholdBytes = windowBytes;
        creditBytes = 0;
    }

    @Override
    public void onPersistentCongestion() {
        windowBytes = minWindow();
        recoveryStartNs = -1;
    }

    @Override
    public long windowBytes() {
        return windowBytes;
    }

    @Override
    public long pacingRateBytesPerSecond() {
        return Math.max(packetBytes, (long) (1.25e9 * windowBytes / smoothedRttNs));
    }

    @Override
    public long sendQuantumBytes() {
        return 2L * packetBytes;
    }

    @Override
    public long bandwidthBytesPerSecond() {
        return bandwidth;
    }

    private long minWindow() {
        return 2L * packetBytes;
    }
}
