package mcc.tun;

/** The flows in use, each with the end that began it and the time of its last packet. */
final class FlowTable {
    private final Places places;

    /**
     * @param max a power of two
     * @param seed random
     */
    FlowTable(int max, long seed) {
        places = new Places(max, seed);
    }

    /** Selects a flow; protocol and ports are never all 0. */
    void aim(long ourHigh, long ourLow, long theirHigh, long theirLow, int protocol, int ours, int theirs) {
        places.aim(ourHigh, ourLow, theirHigh, theirLow, (long) protocol << 32 | (long) ours << 16 | theirs);
    }

    /**
     * Notes a packet of the selected flow; a flow in use keeps the end that began it.
     *
     * @param remote whether the far end begins the flow with this packet, if it is new
     * @return whether another flow in use was evicted
     */
    boolean note(long nowNs, long lifeNs, boolean remote) {
        int at = places.find();
        if (at >= 0 && nowNs - places.timeNs(at) <= lifeNs) {
            places.time(at, nowNs);
            return false;
        }
        if (at < 0) at = places.next();
        boolean evicts = !places.isFree(at) && nowNs - places.timeNs(at) <= lifeNs;
        places.put(at, nowNs, remote);
        return evicts;
    }

    /**
     * Whether the selected flow was used within {@code lifeNs}, and was begun by this host or {@code orRemote}; notes the use.
     */
    boolean use(long nowNs, long lifeNs, boolean orRemote) {
        int at = places.find();
        if (at < 0 || !orRemote && places.isMarked(at)) return false;
        if (nowNs - places.timeNs(at) > lifeNs) {
            places.free(at);
            return false;
        }
        places.time(at, nowNs);
        return true;
    }
}
