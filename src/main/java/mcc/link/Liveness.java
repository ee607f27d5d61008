package mcc.link;

import mcc.core.Address;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.wire.Contact;
import org.jspecify.annotations.Nullable;

/**
 * Whether what leaves by the path in use arrives. That the peer is heard says nothing about it: one direction may be dead while
 * the other, or a relay, brings packets. Proof is an acknowledgement of what was sent over this path, or the response to its
 * challenge, by whatever path they come.
 *
 * <p>Fine → (nothing answered for a probe time-out) challenged → (for two) the other paths are challenged too → (for three, and
 * two challenges) failed: another path that was proved meanwhile is used, or the next one that will be. As long as there is none,
 * relays are asked for a circuit and all is tried again, less and less often.
 */
final class Liveness {
    /** After so many probe time-outs without an answer a path has failed. */
    private static final int VERDICT = 3;
    /** After so many the other paths are challenged, so that one is proved by the verdict. */
    private static final int OTHERS = 2;
    /** From a verdict to the next attempt, doubled each time. */
    private static final long ROUND_NS = 500_000_000L;

    private static final int ROUNDS_DOUBLED = 2;
    /**
     * A peer that sent so much and then nothing for three probe time-outs is asked whether it still reaches this node: what a NAT
     * that forgot this node would deliver would cause no acknowledgement.
     */
    private static final long LOAD_BYTES = 64 * 1_024;

    private final Links links;
    private final Counters counters;

    Liveness(Links links, Counters counters) {
        this.links = links;
        this.counters = counters;
    }

    /** So many bytes came over the path in use: under load its round trip is to be known. */
    void heard(long nowNs, Link link, Path use, int bytes) {
        link.loadBytes += bytes;
        if (link.loadBytes >= LOAD_BYTES && !use.isMeasured()) links.paths.probe(nowNs, link);
    }

    /** When {@link #tick} is due. */
    long deadlineNs(Link link) {
        Path use = link.path;
        if (use == null || link.current == null) return Core.NEVER;
        long ptoNs = use.ptoNs();
        long since = use.unansweredSinceNs();
        if (since == Core.NEVER) return link.loadBytes < LOAD_BYTES ? Core.NEVER : use.aliveNs() + VERDICT * ptoNs;
        if (use.isFailed()) return isWanted(link) ? use.roundNs : Core.NEVER;
        if (use.askedNs() == Core.NEVER) return since + ptoNs;
        // A step that comes late, because the host is busy, leaves the next one its time.
        long from = Math.max(since, use.askedNs() - ptoNs);
        if (use.othersAskedNs < since) return from + OTHERS * ptoNs;
        return Math.max(from + VERDICT * ptoNs, use.othersAskedNs + ptoNs);
    }

    void tick(long nowNs, Link link) {
        Path use = link.path;
        if (use == null || deadlineNs(link) > nowNs) return;
        long since = use.unansweredSinceNs();
        if (since == Core.NEVER || use.askedNs() == Core.NEVER && !use.isFailed()) {
            link.loadBytes = 0;
            links.paths.probe(nowNs, link);
        } else if (use.othersAskedNs < since && !use.isFailed()) {
            askOthers(nowNs, link, use);
        } else {
            judge(nowNs, link, use, since);
        }
    }

    private void askOthers(long nowNs, Link link, Path use) {
        use.othersAskedNs = nowNs;
        links.paths.probe(nowNs, link);
        links.paths.probeOthers(nowNs, link);
        for (Address circuit : link.circuits) lookForRelay(nowNs, links.circuits.relay(circuit));
        for (Contact relay : link.relays) lookForRelay(nowNs, relay.node());
    }

    /**
     * The host may have left the network where its paths begin: then those to the relays that are to carry now are gone with the
     * one in doubt.
     */
    private void lookForRelay(long nowNs, @Nullable Id id) {
        Link relay = id == null ? null : links.find(id);
        if (relay == null || relay.path == null || nowNs - relay.path.signNs() <= relay.path.ptoNs()) return;
        doubt(nowNs, relay);
        links.paths.probeOthers(nowNs, relay);
    }

    private void judge(long nowNs, Link link, Path use, long since) {
        doubtRelay(nowNs, use);
        if (!use.isFailed()) {
            counters.add("link.path.failed." + use.kind());
            use.fail();
            Path next = links.paths.best(link, use.othersAskedNs);
            if (next != null) {
                links.paths.moveTo(link, next, PathCause.FAILED);
                return;
            }
        } else askOthers(nowNs, link, use);
        use.roundNs = nowNs + (ROUND_NS << Math.min(use.roundsFailed++, ROUNDS_DOUBLED));
        links.wantWay(link);
        if (nowNs - since >= Timers.SUSPECT_NS && link.nextAttemptNs == Core.NEVER) links.initiator.begin(nowNs, link);
    }

    /** If this path is a circuit, it does not carry: its relay may be gone, or have lost its state. */
    void doubtRelay(long nowNs, Path path) {
        Id id = links.circuits.relay(path.remote);
        Link relay = id == null ? null : links.find(id);
        if (relay != null) doubt(nowNs, relay);
    }

    private void doubt(long nowNs, Link relay) {
        if (!links.paths.probe(nowNs, relay)) return;
        links.expect(nowNs, relay);
        links.schedule(relay);
    }

    /** Whether somebody waits for a path that carries. */
    private boolean isWanted(Link link) {
        return link.wantedStreams() > 0
                || link.connection.unackedSinceNs() != Core.NEVER
                || links.circuits.isWelcome(link.peer);
    }
}
