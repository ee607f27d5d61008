package mcc.link;

import mcc.core.Core;
import mcc.core.Counters;
import mcc.link.LinkOutput.Reason;

/** When a link is due, and what is done then: its connection, its handshake, its paths, its silence. */
final class Timers {
    /** Something is out and nothing was heard for this long: ask for a new handshake. */
    private static final long SUSPECT_NS = 1_500_000_000L;
    /** With streams open, the path is probed after this much silence. */
    private static final long KEEPALIVE_NS = 15_000_000_000L;
    /** A link without streams is forgotten after this much silence. */
    private static final long FORGET_NS = 3_600_000_000_000L;

    private final Links links;
    private final Initiator initiator;
    private final Responder responder;
    private final Dialer dialer;
    private final Paths paths;
    private final Inbound inbound;
    private final Deadlines deadlines;
    private final Counters counters;

    Timers(
            Links links,
            Initiator initiator,
            Responder responder,
            Dialer dialer,
            Paths paths,
            Inbound inbound,
            Deadlines deadlines,
            Counters counters) {
        this.links = links;
        this.initiator = initiator;
        this.responder = responder;
        this.dialer = dialer;
        this.paths = paths;
        this.inbound = inbound;
        this.deadlines = deadlines;
        this.counters = counters;
    }

    void tick(long nowNs) {
        responder.turn(nowNs);
        dialer.tick(nowNs);
        for (Link link; (link = deadlines.poll(nowNs)) != null; ) {
            tick(nowNs, link);
            deadlines.remove(link); // what the steps of this tick planned, others of them may have done
            schedule(link);
            if (link.dueNs > nowNs) continue;
            // A deadline that stays due would never let this loop end: every other peer is worth more than this one.
            counters.add("link.deadline.stuck");
            links.forget(link, Reason.OVERLOADED);
        }
    }

    private void tick(long nowNs, Link link) {
        if (link.connection.deadlineNs() <= nowNs) {
            link.connection.tick(nowNs);
            inbound.drain(nowNs, link);
            links.touch(link);
        }
        if (link.gone) return;
        if (link.nextAttemptNs <= nowNs) initiator.tick(nowNs, link);
        if (link.gone) return;
        if (link.expectingSinceNs() <= nowNs - SUSPECT_NS && link.nextAttemptNs == Core.NEVER) {
            initiator.begin(nowNs, link);
            paths.probeOthers(nowNs, link);
        }
        paths.tick(nowNs, link);
        if (link.gone) return;
        if (link.wantedStreams() > 0 && nowNs - link.heardNs >= KEEPALIVE_NS && paths.probe(nowNs, link)) {
            links.expect(nowNs, link);
        }
        if (link.wantedStreams() == 0 && nowNs - Math.max(link.heardNs, link.sentNs) >= FORGET_NS) {
            links.forget(link, Reason.IDLE);
        }
    }

    /** Plans when a link is looked at next. */
    void schedule(Link link) {
        if (link.gone) return;
        long at = Math.min(Paths.deadlineNs(link), Math.min(link.connection.deadlineNs(), link.nextAttemptNs));
        long expecting = link.expectingSinceNs();
        if (expecting != Core.NEVER && link.nextAttemptNs == Core.NEVER) at = Math.min(at, expecting + SUSPECT_NS);
        if (link.path != null && !link.path.isChallenged() && link.wantedStreams() > 0)
            at = Math.min(at, link.heardNs + KEEPALIVE_NS);
        if (link.wantedStreams() == 0) at = Math.min(at, Math.max(link.heardNs, link.sentNs) + FORGET_NS);
        deadlines.plan(at, link);
    }
}
