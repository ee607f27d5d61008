package mcc.link;

import mcc.core.Address;
import mcc.core.Counters;
import mcc.core.RateLimit;

/**
 * How many initiations may go to addresses that have not been validated. An address is hearsay: whoever named it may want
 * this node to flood a victim. An address that answers may get more.
 */
final class AddressBudget {
    /** To one source, an IPv4 address or a /64 of IPv6: in a burst, and each second after it. */
    static final int BURST = 16;

    private static final int PER_SECOND = 1;
    /** How many more initiations an answer allows: where one node answers, there may be many behind the same address. */
    private static final int ANSWERED = 4;
    /** To all sources together, in a burst and each second after it. */
    static final int ALL_BURST = 400;

    private static final int ALL_PER_SECOND = 100;
    private static final int SOURCES_MAX = 4_096;

    /**
     * Path challenges to an address that nobody proved: so many at once, and one every {@link #KNOCK_NS}. With IP and UDP each
     * is 69 bytes, or 89 by IPv6, so less than 1,500 bytes go there in a minute.
     */
    static final int KNOCKS = 10;

    private static final long KNOCK_NS = 10_000_000_000L;

    /**
     * Guesses at ports of an address: so many at once, and one every {@link #KNOCK_NS}. With IP and UDP each is 69 bytes, so that
     * less than 60,000 go there in ten minutes.
     */
    static final int GUESSES = 620;

    private final RateLimit<Long> guesses = new RateLimit<>(1, GUESSES, SOURCES_MAX);
    private final RateLimit<Long> knocks = new RateLimit<>(1, KNOCKS, SOURCES_MAX);
    private final RateLimit<Long> sources = new RateLimit<>(PER_SECOND, BURST, SOURCES_MAX);
    private final RateLimit<Integer> all = new RateLimit<>(ALL_PER_SECOND, ALL_BURST, 1);
    private final Counters.Counter refused;

    AddressBudget(Counters counters) {
        refused = counters.of("link.initiation.unpaid");
    }

    /** Takes one initiation from the budget; false, and counted, when none is left for this address. */
    boolean take(long nowNs, Address to) {
        if (sources.take(nowNs, to.source()) && all.take(nowNs, 0)) return true;
        refused.add();
        return false;
    }

    /** The same for a path challenge. */
    boolean knock(long nowNs, Address to) {
        return challenge(nowNs, knocks, to);
    }

    /** The same for one of hundreds to one address. */
    boolean guess(long nowNs, Address to) {
        return challenge(nowNs, guesses, to);
    }

    private boolean challenge(long nowNs, RateLimit<Long> limit, Address to) {
        // The bucket counts in seconds: here a second of its is ten of the clock's.
        if (limit.take(nowNs / (KNOCK_NS / 1_000_000_000L), to.source())) return true;
        refused.add();
        return false;
    }

    /** A node answered there. */
    void answered(long nowNs, Address from) {
        sources.give(nowNs, from.source(), ANSWERED);
        all.give(nowNs, 0, 1);
    }
}
