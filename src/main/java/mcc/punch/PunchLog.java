package mcc.punch;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import mcc.core.Address;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.punch.PunchReport.Outcome;
import mcc.wire.Outside.Allocation;

/**
 * Remembers the attempts to punch toward each peer. It is for people; nothing is decided by it.
 *
 * <p>Limits: {@link #PEERS_MAX} peers, of which the one to which nothing happened for longest gives way, and the newest
 * {@link #ATTEMPTS_MAX} attempts of each.
 */
final class PunchLog {
    static final int PEERS_MAX = 256;
    static final int ATTEMPTS_MAX = 8;

    private static final class Attempt {
        final long atNs;
        List<Address> candidates = List.of();
        int challenges;
        long endNs = Core.NEVER;
        Outcome outcome = Outcome.ASKED;

        Attempt(long atNs) {
            this.atNs = atNs;
        }
    }

    private static final class Of {
        final ArrayDeque<Attempt> attempts = new ArrayDeque<>();
        Allocation ports = Allocation.UNKNOWN;
        long total;
        long challenges;
        long refused;
    }

    private final Counters counters;
    private final LinkedHashMap<Id, Of> peers = new LinkedHashMap<>(16, 0.75f, true);

    PunchLog(Counters counters) {
        this.counters = counters;
    }

    /** A peer is asked for its addresses, or asks for this node's. */
    void begun(long nowNs, Id peer) {
        Of of = of(peer);
        Attempt last = of.attempts.peekLast();
        if (last != null && last.outcome == Outcome.ASKED) end(nowNs, last, Outcome.UNANSWERED);
        if (of.attempts.size() == ATTEMPTS_MAX) of.attempts.removeFirst();
        of.attempts.addLast(new Attempt(nowNs));
        of.total++;
    }

    /** A peer tells how its NAT gives out ports. */
    void told(Id peer, Allocation ports) {
        of(peer).ports = ports;
    }

    /** From now on challenges go to these addresses. */
    void going(Id peer, List<Address> candidates) {
        Attempt last = of(peer).attempts.peekLast();
        if (last == null) return;
        last.candidates = List.copyOf(candidates);
        last.outcome = Outcome.TRIED;
    }

    void challenged(Id peer, int count) {
        Of of = of(peer);
        of.challenges += count;
        Attempt last = of.attempts.peekLast();
        if (last != null) last.challenges += count;
    }

    void refused(Id peer) {
        Of of = peers.get(peer); // whoever asks for the first time without reason is not remembered
        if (of != null) of.refused++;
    }

    /** The newest attempt ended; one that ended before stays as it was. */
    void ended(long nowNs, Id peer, Outcome outcome) {
        Of of = peers.get(peer);
        Attempt last = of == null ? null : of.attempts.peekLast();
        if (last != null && last.endNs == Core.NEVER) end(nowNs, last, outcome);
    }

    private static void end(long nowNs, Attempt attempt, Outcome outcome) {
        attempt.endNs = nowNs;
        attempt.outcome = outcome;
    }

    private Of of(Id peer) {
        Of of = peers.get(peer);
        if (of != null) return of;
        if (peers.size() == PEERS_MAX) {
            peers.remove(peers.keySet().iterator().next());
            counters.add("punch.log.evicted");
        }
        of = new Of();
        peers.put(peer, of);
        return of;
    }

    PunchReport report(Id peer, boolean going, boolean leads, long nextNs) {
        Of of = peers.get(peer);
        List<PunchReport.Attempt> attempts = new ArrayList<>();
        if (of == null) return new PunchReport(going, leads, nextNs, Allocation.UNKNOWN, attempts, 0, 0, 0);
        for (Attempt each : of.attempts) {
            attempts.add(
                    new PunchReport.Attempt(each.atNs, each.candidates, each.challenges, each.endNs, each.outcome));
        }
        return new PunchReport(going, leads, nextNs, of.ports, attempts, of.total, of.challenges, of.refused);
    }
}
