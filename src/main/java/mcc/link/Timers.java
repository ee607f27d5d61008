package mcc.link;

import mcc.core.Core;
import mcc.core.Counters;
import mcc.link.LinkOutput.Reason;

/** When a link is due, and what is done then: its connection, its handshake, its paths, its silence. */
final class Timers {
    /** An answer is due and nothing was heard for this long: a new handshake begins. */
    static final long SUSPECT_NS = 1_500_000_000L;
    /** With streams open, the path is probed after this much silence. */
    private static final long KEEPALIVE_NS = 15_000_000_000L;
    /**
     * The path to a relay where this node keeps a place is probed after this much silence: many NATs forget a mapping after 30
     * seconds.
     */
    private static final long RELAY_KEEPALIVE_NS = 20_000_000_000L;
    /** A link without streams is forgotten after this much silence. */
    private static final long FORGET_NS = 3_600_000_000_000L;

    private final Links links;
    private final Counters counters;

    Timers(Links links, Counters counters) {
        this.links = links;
        this.counters = counters;
    }

    void tick(long nowNs) {
        links.responder.turn(nowNs);
        links.dialer.tick(nowNs);
        links.forwards.tick(nowNs);
        for (Link link; (link = links.deadlines.poll(nowNs)) != null; ) {
            tick(nowNs, link);
            links.deadlines.remove(link); // a later step of this tick may have done what an earlier one planned
            schedule(link);
            if (link.dueNs > nowNs) continue;
            // A deadline that stays due would never let this loop end: all other peers matter more than this one.
            counters.add("link.deadline.stuck");
            links.forget(link, Reason.OVERLOADED);
        }
    }

    private void tick(long nowNs, Link link) {
        if (link.connection.deadlineNs() <= nowNs) {
            link.connection.tick(nowNs);
            links.inbound.drain(nowNs, link);
            links.touch(link);
        }
        if (link.gone) return;
        if (link.nextAttemptNs <= nowNs) links.initiator.tick(nowNs, link);
        if (link.gone) return;
        if (link.expectingSinceNs() <= nowNs - SUSPECT_NS && link.nextAttemptNs == Core.NEVER) {
            links.initiator.begin(nowNs, link);
            if (link.gone) return;
            links.paths.probeOthers(nowNs, link);
        }
        links.paths.tick(nowNs, link);
        if (link.gone) return;
        links.liveness.tick(nowNs, link);
        if (link.gone) return;
        Path use = link.path;
        if (use != null && nowNs - use.aliveNs() >= keepaliveNs(link) && links.paths.probe(nowNs, link)) {
            links.expect(nowNs, link);
        }
        if (keepaliveNs(link) == Core.NEVER && nowNs - Math.max(link.heardNs, link.sentNs) >= FORGET_NS) {
            links.forget(link, Reason.IDLE);
        }
    }

    /** After how much silence the path in use is probed; {@link Core#NEVER} where it need not be kept up. */
    private long keepaliveNs(Link link) {
        if (link.wantedStreams() > 0) return KEEPALIVE_NS;
        return links.circuits.isWelcome(link.peer) ? RELAY_KEEPALIVE_NS : Core.NEVER;
    }

    /** Plans when a link is looked at next. */
    void schedule(Link link) {
        if (link.gone) return;
        long at = Math.min(Paths.deadlineNs(link), Math.min(link.connection.deadlineNs(), link.nextAttemptNs));
        long expecting = link.expectingSinceNs();
        if (expecting != Core.NEVER && link.nextAttemptNs == Core.NEVER) at = Math.min(at, expecting + SUSPECT_NS);
        long keepaliveNs = keepaliveNs(link);
        if (link.path != null && !link.path.isChallenged() && keepaliveNs != Core.NEVER)
            at = Math.min(at, link.path.aliveNs() + keepaliveNs);
        at = Math.min(at, links.liveness.deadlineNs(link));
        if (keepaliveNs == Core.NEVER) at = Math.min(at, Math.max(link.heardNs, link.sentNs) + FORGET_NS);
        links.deadlines.plan(at, link);
    }
}
