package mcc.congestion;

/**
 * What congestion has taught: bounds of rate and flight that hold until the next probe (short term), and a bound of the flight
 * that only probes change (long term); also their earlier values, which are restored if the loss proves spurious. Unset bounds
 * are {@link #NONE}.
 */
final class Bounds {
    static final long NONE = Long.MAX_VALUE;
    private static final double BETA = 0.7;
    private static final double HEADROOM = 0.15;

    private long bandwidth = NONE;
    private long shortTerm = NONE;
    private long longTerm = NONE;
    private long savedBandwidth = NONE;
    private long savedShortTerm = NONE;
    private long savedLongTerm = NONE;

    long bandwidth() {
        return bandwidth;
    }

    long shortTerm() {
        return shortTerm;
    }

    long longTerm() {
        return longTerm;
    }

    /** Removes the short-term bounds, as a probe begins. */
    void resetShortTerm() {
        bandwidth = NONE;
        shortTerm = NONE;
    }

    /** After a round with too much loss: lowers the short-term bounds to what it delivered, but by at most 30 %. */
    void shrink(long maxBandwidth, long windowBytes, LossRound round) {
        if (bandwidth == NONE) bandwidth = maxBandwidth;
        if (shortTerm == NONE) shortTerm = windowBytes;
        bandwidth = Math.max(round.bandwidth(), (long) (BETA * bandwidth));
        shortTerm = Math.max(round.inFlightBytes(), (long) (BETA * shortTerm));
    }

    /** A probe was too high with this much in flight. */
    void limit(long txInFlightBytes, long targetBytes) {
        longTerm = Math.max(txInFlightBytes, (long) (BETA * targetBytes));
    }

    void raiseTo(long bytes) {
        if (longTerm != NONE) longTerm = Math.max(longTerm, bytes);
    }

    /** Returns the long-term bound minus the headroom for other flows. */
    long withHeadroom(int packetBytes) {
        if (longTerm == NONE) return NONE;
        return longTerm - Math.max(packetBytes, (long) (HEADROOM * longTerm));
    }

    void save() {
        savedBandwidth = bandwidth;
        savedShortTerm = shortTerm;
        savedLongTerm = longTerm;
    }

    void restore() {
        bandwidth = Math.max(bandwidth, savedBandwidth);
        shortTerm = Math.max(shortTerm, savedShortTerm);
        longTerm = Math.max(longTerm, savedLongTerm);
    }
}
