package mcc.link;

import mcc.core.Address;
import mcc.core.Counters;
import mcc.core.RateLimit;

/**
 * How many initiations may go to addresses that have not proved themselves, whoever named them: an address is somebody's
 * word, and that word may be a lie about a victim. Who answers may be asked more.
 */
final class AddressBudget {
    /** To one source, an IPv4 address or a /64 of IPv6: at once, and each second. */
    static final int BURST = 16;

    private static final int PER_SECOND = 1;
    /** What an answer is worth, as a response says that a whole network of nodes may be there. */
    private static final int ANSWERED = 4;
    /** To all of them, at once and each second. */
    static final int ALL_BURST = 400;

    private static final int ALL_PER_SECOND = 100;
    private static final int SOURCES_MAX = 4_096;

    private final RateLimit<Long> sources = new RateLimit<>(PER_SECOND, BURST, SOURCES_MAX);
    private final RateLimit<Integer> all = new RateLimit<>(ALL_PER_SECOND, ALL_BURST, 1);
    private final Counters.Counter refused;

    AddressBudget(Counters counters) {
        refused = counters.of("link.initiation.unpaid");
    }

    /** Takes one initiation; false when the address has had enough. */
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
