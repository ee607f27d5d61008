package mcc.tun;

import mcc.core.Id;

/**
 * Remembered verdicts of the policy about a node and a thing of this host, refusals too. After {@link #AGAIN_NS} the policy is
 * asked again, so an expired right ends within that time; under a new policy it is asked at once ({@link #again}).
 *
 * <p>Limit: {@link #MAX} verdicts, the one that would be asked again first is evicted.
 */
final class Verdicts {
    static final int MAX = 8_192;
    static final long AGAIN_NS = 10_000_000_000L;

    /** A verdict of the policy. */
    enum Verdict {
        ALLOWED,
        DENIED,
        /** The policy must be asked, and its answer passed to {@link #learn}. */
        UNKNOWN
    }

    /** Asks the policy until when a node may use a thing. */
    @FunctionalInterface
    interface Asker {
        long untilNs(Id node, long thing);
    }

    private final Places places;

    Verdicts(long seed) {
        places = new Places(MAX, seed);
    }

    /** @param thing identifies it; never 0 */
    Verdict of(long nowNs, Id node, long thing) {
        places.aim(node.w0(), node.w1(), node.w2(), node.w3(), thing);
        int at = places.find();
        if (at < 0 || nowNs - places.timeNs(at) >= 0) return Verdict.UNKNOWN;
        return places.isMarked(at) ? Verdict.ALLOWED : Verdict.DENIED;
    }

    /** Asks again about everything that was allowed, and forgets refusals; returns how many are no longer allowed. */
    int again(long nowNs, Asker asker) {
        int ended = 0;
        for (int at = places.taken(0); at >= 0; at = places.taken(at + Places.LONGS)) {
            boolean was = places.isMarked(at) && nowNs - places.timeNs(at) < 0;
            Id node = new Id(places.key(at, 0), places.key(at, 1), places.key(at, 2), places.key(at, 3));
            long untilNs = was ? asker.untilNs(node, places.key(at, 4)) : nowNs;
            if (untilNs - nowNs > 0) {
                places.time(at, againNs(nowNs, untilNs));
                continue;
            }
            places.free(at);
            if (was) ended++;
        }
        return ended;
    }

    /** Remembers the answer to the last question, the time until which it is allowed; returns whether it is allowed now. */
    boolean learn(long nowNs, long untilNs) {
        boolean allowed = untilNs - nowNs > 0;
        int at = places.find();
        places.put(at < 0 ? places.next() : at, allowed ? againNs(nowNs, untilNs) : nowNs + AGAIN_NS, allowed);
        return allowed;
    }

    private static long againNs(long nowNs, long untilNs) {
        return nowNs + Math.min(untilNs - nowNs, AGAIN_NS);
    }
}
