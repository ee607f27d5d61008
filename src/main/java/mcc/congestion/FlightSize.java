package mcc.congestion;

/** How many bytes in flight suit a path with the known bandwidth and round-trip time. */
final class FlightSize {
    private static final int MIN_WINDOW_PACKETS = 4;
    private static final int DELAYED_PACKETS = 10;
    /** One being sent, one on its way, one not yet acknowledged. */
    private static final int QUANTA = 3;

    private static final long MIN_ACK_DELAY_NS = 1_000_000L;
    private static final long MAX_ACK_DELAY_NS = 25_000_000L;

    private final MinRtt minRtt;
    int packetBytes = CongestionControl.PACKET_BYTES;
    /** The bandwidth in bytes per second; 0 if unknown. */
    long bandwidth;

    FlightSize(MinRtt minRtt) {
        this.minRtt = minRtt;
    }

    long initialWindow() {
        return Math.min(10L * packetBytes, Math.max(14_720, 2L * packetBytes));
    }

    long minWindow() {
        return (long) MIN_WINDOW_PACKETS * packetBytes;
    }

    double seconds() {
        return minRtt.ns() / 1e9;
    }

    /** The bandwidth-delay product times a gain. */
    long path(double gain) {
        return bandwidth == 0 || !minRtt.isKnown() ? initialWindow() : (long) (gain * bandwidth * seconds());
    }

    /** How much is sent at once at a rate. */
    long quantum(long rate) {
        return Math.max(2L * packetBytes, rate / 1_000);
    }

    /** Returns {@code bytes}, but at least what the host sends at once plus what a peer may leave unacknowledged. */
    long quantized(double bytes, long rate) {
        double delayNs = Math.clamp(minRtt.ns() / 4, MIN_ACK_DELAY_NS, MAX_ACK_DELAY_NS);
        double delayed = Math.min((double) DELAYED_PACKETS * packetBytes, bandwidth * delayNs / 1e9);
        double least = Math.max(QUANTA * quantum(rate) + delayed, (double) minWindow());
        return (long) Math.max(bytes, least);
    }
}
