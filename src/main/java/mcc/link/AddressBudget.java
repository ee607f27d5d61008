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

    /** A node answered there. */
    void answered(long nowNs, Address from) {
        sources.give(nowNs, from.source(), ANSWERED);
        all.give(nowNs, 0, 1);
    }
}
