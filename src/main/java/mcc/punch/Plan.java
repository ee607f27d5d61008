package mcc.punch;

import mcc.wire.Outside.Allocation;

/** What one of the two does in an attempt. Follows from how both NATs give out ports, so that both know both plans. */
enum Plan {
    /** Both send to each other from the ports that they always use. */
    MEET,
    /** Both do from fresh ports, of which neither NAT knows anything. */
    FRESH,
    /** From a fresh port, whose mapping can be foretold. */
    AIM,
    /** From hundreds of fresh ports: the peer will hit one of their mappings. */
    SPREAD,
    /** To where the peer's next mapping, or one of its hundreds, is expected. */
    PROBE;

    /**
     * The plan of an end whose NAT gives out ports as {@code own}, toward one behind {@code other}.
     *
     * @param first whether the ports that both always use were not tried yet, and both know the other's
     */
    static Plan of(Allocation own, Allocation other, boolean first) {
        if (own.isPredictable() && other.isPredictable()) return first ? MEET : FRESH;
        if (!own.isPredictable() && !other.isPredictable())
            return MEET; // the one cannot know where to send to, nor the other
        if (own.isPredictable()) return PROBE;
        return own == Allocation.SEQUENTIAL || own == Allocation.PRESERVING ? AIM : SPREAD;
    }

    /** Whether it needs sockets of its own. */
    boolean opensEnds() {
        return this == FRESH || this == AIM || this == SPREAD;
    }
}
