package mcc.link;

import java.util.ArrayDeque;
import java.util.Locale;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.link.Ledger.Purpose;
import org.jspecify.annotations.Nullable;

/**
 * What this node's own being there costs: bytes of IP ({@link Ledger}) without the traffic of applications and without what it
 * relays for others. Looks back about an hour at most.
 */
public final class UpkeepCost {
    /** From one look to the next, at least. */
    static final long STEP_NS = 60_000_000_000L;
    /** Looks that are kept. */
    static final int LOOKS = 61;

    private static final long MONTH_S = 30L * 24 * 3_600;

    /**
     * What was sent and received.
     *
     * @param overNs in so many nanoseconds, about an hour at most
     */
    public record Report(long txBytes, long rxBytes, long overNs) {
        /** How much that is in 30 days, in bytes. */
        public long monthlyBytes() {
            return Math.round((double) (txBytes + rxBytes) * MONTH_S * 1e9 / overNs);
        }
    }

    private record Look(long atNs, long tx, long rx) {}

    private final Counters counters;
    private final ArrayDeque<Look> looks = new ArrayDeque<>();
    /** When the next look is due; {@link Core#NEVER} before the first tick. */
    private long nextNs = Core.NEVER;

    /** @param counters those of the {@link Links} */
    public UpkeepCost(Counters counters) {
        this.counters = counters;
    }

    /** Time has passed. The first minute, with all the handshakes of the start, is left out. */
    public void tick(long nowNs) {
        if (nextNs == Core.NEVER) nextNs = nowNs + STEP_NS;
        if (nowNs < nextNs) return;
        nextNs = nowNs + STEP_NS;
        looks.addLast(new Look(nowNs, sum("tx"), sum("rx")));
        if (looks.size() > LOOKS) looks.removeFirst();
    }

    private long sum(String direction) {
        long sum = 0;
        for (Purpose each : Purpose.values()) {
            if (each == Purpose.TRAFFIC || each == Purpose.RELAYED) continue;
            sum += counters.value("link.ip." + direction + "." + each.name().toLowerCase(Locale.ROOT));
        }
        return sum;
    }

    /** From the oldest look to the last one; null in the first minutes. */
    public @Nullable Report report() {
        if (looks.size() < 2) return null;
        Look from = looks.getFirst();
        Look to = looks.getLast();
        return new Report(to.tx - from.tx, to.rx - from.rx, to.atNs - from.atNs);
    }
}
