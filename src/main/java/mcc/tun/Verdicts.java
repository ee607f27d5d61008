package mcc.tun;

import mcc.core.Id;

/**
 * What the policy said of a node and a thing of this host, remembered for a while, refusals too. After {@link #AGAIN_NS} it is
 * asked again whatever it said, so a right that was withdrawn ends within that time.
 *
 * <p>Limit: {@link #MAX} answers, the one that would be asked again first gives way.
 */
final class Verdicts {
    static final int MAX = 8_192;
    static final long AGAIN_NS = 10_000_000_000L;

    /** An answer of the policy. */
    enum Verdict {
        ALLOWED,
        DENIED,
        /** It must be asked, and its answer {@link #learn}ed. */
        UNKNOWN
    }

    private final Places places;

    Verdicts(long seed) {
        places = new Places(MAX, seed);
    }

    /** @param thing never 0 */
    Verdict of(long nowNs, Id node, long thing) {
        places.aim(node.w0(), node.w1(), node.w2(), node.w3(), thing);
        int at = places.find();
        if (at < 0 || nowNs - places.timeNs(at) >= 0) return Verdict.UNKNOWN;
        return places.isMarked(at) ? Verdict.ALLOWED : Verdict.DENIED;
    }

    /** Takes the answer about what was asked for last: until when it is allowed; returns whether it is now. */
    boolean learn(long nowNs, long untilNs) {
        boolean allowed = untilNs - nowNs > 0;
        long again = nowNs + AGAIN_NS;
        int at = places.find();
        places.put(at < 0 ? places.next() : at, allowed && untilNs - again < 0 ? untilNs : again, allowed);
        return allowed;
    }
}
