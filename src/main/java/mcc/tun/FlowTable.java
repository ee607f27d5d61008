package mcc.tun;

/** The flows in use, each with who began it and the time of its last packet. */
final class FlowTable {
    private final Places places;

    /**
     * @param max a power of two
     * @param seed random
     */
    FlowTable(int max, long seed) {
        places = new Places(max, seed);
    }

    /** Names the flow at hand; protocol and ports are never 0 together. */
    void aim(long ourHigh, long ourLow, long theirHigh, long theirLow, int protocol, int ours, int theirs) {
        places.aim(ourHigh, ourLow, theirHigh, theirLow, (long) protocol << 32 | (long) ours << 16 | theirs);
    }

    /**
     * Notes a packet of the flow at hand; one that is in use stays whose it is.
     *
     * @param remote whether the far end began it, if this packet begins it
     * @return whether another flow in use had to give way
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

    /** Whether the flow at hand was used within {@code lifeNs}, and this host began it or need not have. */
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
