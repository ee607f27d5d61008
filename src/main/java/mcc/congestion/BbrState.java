package mcc.congestion;

/** What the flow is doing, with the gains that belong to it. */
enum BbrState {
    STARTUP(2.77, 2),
    DRAIN(0.5, 2),
    PROBE_BW_DOWN(0.75, 2),
    PROBE_BW_CRUISE(1, 2),
    PROBE_BW_REFILL(1, 2),
    PROBE_BW_UP(1.25, 2.25),
    PROBE_RTT(1, 0.5);

    final double pacingGain;
    final double windowGain;

    BbrState(double pacingGain, double windowGain) {
        this.pacingGain = pacingGain;
        this.windowGain = windowGain;
    }

    boolean isProbeBw() {
        return this != STARTUP && this != DRAIN && this != PROBE_RTT;
    }

    /** Whether the flow probes for more than the known bandwidth. */
    boolean isProbing() {
        return this == STARTUP || this == PROBE_BW_REFILL || this == PROBE_BW_UP;
    }
}
