package mcc.link;

import com.google.protobuf.ByteString;
import java.util.Collection;
import java.util.List;
import mcc.core.Address;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Knock;
import mcc.core.RateLimit;
import mcc.core.Rng;
import mcc.wire.Frames;
import mcc.wire.Handshakes;
import mcc.wire.Transport;
import mcc.wire.pb.Control;
import org.jspecify.annotations.Nullable;

/**
 * The paths to each peer. Validates each of them: a peer heard from a new address has to send back eight random bytes before
 * anything else goes there (RFC 9000 sections 8.2 and 9.3). Chooses the one in use, and finds how long a datagram it carries
 * ({@link PathMtu}).
 *
 * <p>Packets go by the path in use until it falls silent while another validated one is heard. Limit: {@link #MAX} paths of
 * a peer.
 */
final class Paths {
    private static final long MS = 1_000_000L;
    /** Paths kept of one peer. */
    static final int MAX = 8;
    /** How long each of three challenges waits for its response; a path in use that was heard within it is kept. */
    static final long CHALLENGE_NS = 300 * MS;

    static final int CHALLENGE_TRIES = 3;
    /** How long a validation counts. */
    private static final long PROOF_NS = 60_000 * MS;

    /** ICMP refusals that are followed up each second. */
    private static final int REFUSALS = 100;

    /** The length of a datagram with a challenge. */
    private static final int CHALLENGE_BYTES = Transport.OVERHEAD_BYTES + 3 + 9;

    /** A probe without padding: header and tag, the control frame's head, the token, the padding's head. */
    private static final int PROBE_BYTES = Transport.OVERHEAD_BYTES + 3 + 9 + 3;

    private final Links links;
    private final Rng rng;
    private final Counters counters;
    private final RateLimit<Boolean> refusals = new RateLimit<>(REFUSALS, REFUSALS, 1);

    Paths(Links links, Rng rng, Counters counters) {
        this.links = links;
        this.rng = rng;
        this.counters = counters;
    }

    /**
     * An authentic packet came over this path.
     *
     * @param newest whether it is the newest packet of the peer so far
     */
    void heard(long nowNs, Link link, int local, Address from, int bytes, boolean newest) {
        if (!from.isStandIn() && !from.isLocal()) links.udpHeardNs = nowNs;
        Path use = link.path;
        if (use != null && use.is(local, from)) {
            use.heard(nowNs, bytes);
            links.liveness.heard(nowNs, link, use, bytes);
            return;
        }
        Path path = find(link, local, from);
        if (path == null) {
            if (!newest) return;
            counters.add("link.path.candidate");
            path = add(link, local, from);
        }
        path.heard(nowNs, bytes);
        if (!newest) return;
        if (!path.isProvenSince(nowNs - PROOF_NS)) {
            if (path.isToBeAsked(nowNs)) challenge(nowNs, link, path);
        } else if (use == null || use.isFailed() || isSilent(nowNs, use) && !path.isDetourFor(use)) {
            leave(nowNs, link, path, PathCause.SILENCE);
        } else if (path.isDetourFor(use) && nowNs - use.signNs() > use.ptoNs()) {
            probe(nowNs, link); // the peer takes a detour: is the straight way dead in this direction, too?
        }
    }

    private static boolean isSilent(long nowNs, Path path) {
        return nowNs - path.signNs() > CHALLENGE_NS;
    }

    /** A handshake went through over this path, which validates it. */
    void proven(long nowNs, Link link, int local, Address from, boolean anew) {
        if (!from.isStandIn() && !from.isLocal()) links.udpHeardNs = nowNs;
        Path path = find(link, local, from);
        if (path == null) path = add(link, local, from);
        path.heard(nowNs, 0);
        path.prove(nowNs);
        links.log.answered(link.peer, path, links.circuits.relay(from));
        Path use = link.path;
        boolean goes = anew || use == null || use.isFailed() || isSilent(nowNs, use);
        if (goes) moveTo(link, path, PathCause.HANDSHAKE);
    }

    /** Whether the peer of a link has proved that it is reached at this address, by this local end. */
    static boolean isProven(Link link, int local, Address from) {
        Path use = link.path;
        if (use != null && use.is(local, from)) return true;
        Path path = find(link, local, from);
        return path != null && path.isProven();
    }

    /**
     * A datagram that only the peer could send, but did not seal for this node, came from an address that is not proved: asks
     * there, within what was paid.
     */
    void knocked(long nowNs, Link link, int local, Address from, int bytes) {
        Path path = find(link, local, from);
        if (path == null) {
            counters.add("link.path.candidate");
            path = add(link, local, from);
        }
        path.paid(bytes);
        challenge(nowNs, link, path);
    }

    /** Asks whether a peer is reached by a circuit. */
    void challenge(long nowNs, Link link, Address circuit) {
        Path path = find(link, PacketSink.ANY, circuit);
        challenge(nowNs, link, path == null ? add(link, PacketSink.ANY, circuit) : path);
    }

    /** A circuit or a carrier ended: the path by it is gone, and another one is used. */
    void ended(Link link, Address way) {
        link.circuits.remove(way);
        link.addresses.remove(way);
        Path path = find(link, PacketSink.ANY, way);
        if (path == null) return;
        if (path != link.path) {
            remove(link, path);
            return;
        }
        PathCause cause = way.isCarrier() ? PathCause.CARRIER_ENDED : PathCause.CIRCUIT_ENDED;
        Path next = best(link, Long.MIN_VALUE);
        if (next != null) {
            moveTo(link, next, cause);
            remove(link, path);
        } else {
            link.paths.remove(path);
            link.path = null; // its congestion state is the connection's until another path takes it over
            links.log.lost(link.peer, cause);
        }
        links.touch(link);
    }

    private static @Nullable Path find(Link link, int local, Address from) {
        for (Path path : link.paths) if (path.is(local, from)) return path;
        for (Path path : link.paths) if (path.takes(local, from)) return path;
        return null;
    }

    /**
     * Sends a challenge to an address where the peer may be, to open the way for what it sends from there. Nothing is kept of it,
     * as there may be hundreds: where an answer comes from, there is a path like any other that the peer is heard from. Where one
     * is known already, the challenge is its own.
     */
    void knock(long nowNs, LinkInput.Knock k) {
        Link link = links.find(k.peer());
        if (link == null || !link.canSend(nowNs) || !k.at().isUnicast()) return;
        if (!links.initiator.mayKnock(nowNs, k)) return;
        counters.add("link.path.knocks");
        long value = rng.nextLong();
        for (Path path : link.paths) {
            if (path == link.path || k.manner() != Knock.PLAIN || !path.remote.equals(k.at())) continue;
            path.challenge(nowNs, value, CHALLENGE_NS);
            value = path.challengeValue();
            links.schedule(link);
        }
        Control.Builder challenge = Control.newBuilder().setPathChallenge(value);
        if (k.manner().isShort()) links.outbound.sendShortControl(nowNs, link, k.local(), k.at(), challenge);
        else links.outbound.sendControl(nowNs, link, k.local(), k.at(), challenge);
        if (!k.manner().isOfMany()) links.log.tried(link.peer, k.at(), null);
    }

    /** Knocks at all addresses of a peer. */
    void tryAddresses(long nowNs, Id peer) {
        Link link = links.find(peer);
        if (link == null) return;
        for (Address at : List.copyOf(link.addresses))
            knock(nowNs, new LinkInput.Knock(peer, at, PacketSink.ANY, Knock.PLAIN));
    }

    private Path add(Link link, int local, Address from) {
        if (link.paths.size() >= MAX) {
            Path worst = null;
            for (Path path : link.paths) {
                if (path != link.path && (worst == null || isWorse(path, worst))) worst = path;
            }
            counters.add("link.path.evicted");
            if (worst != null) remove(link, worst);
        }
        Path path = new Path(local, from);
        if (from.isCircuit()) links.circuits.use(from, link);
        link.paths.add(path);
        return path;
    }

    private static boolean isWorse(Path path, Path than) {
        return path.isProven() == than.isProven() ? path.heardNs < than.heardNs : than.isProven();
    }

    private static void remove(Link link, Path path) {
        link.paths.remove(path);
        if (path.recovery != null) link.connection.drop(path.recovery);
    }

    /** An ICMP message says that nobody listens at an address: probes the peers whose path in use leads there. */
    void refused(long nowNs, Collection<Link> links, Address at) {
        counters.add("link.refused");
        if (!refusals.take(nowNs, true)) return;
        for (Link link : links) {
            Path use = link.path;
            if (use == null || !use.remote.equals(at)) continue;
            use.refused();
            challenge(nowNs, link, use);
            probeOthers(nowNs, link);
        }
    }

    /** Sends a challenge over the path in use; false when one is under way already. */
    boolean probe(long nowNs, Link link) {
        Path path = link.path;
        return path != null && challenge(nowNs, link, path);
    }

    /**
     * The path in use is in doubt: sends challenges over the others, and by the circuits that there are; and to the same address
     * from wherever this host would send now, because it may have left the network where this path began.
     */
    void probeOthers(long nowNs, Link link) {
        Path use = link.path;
        if (use != null && !use.remote.isStandIn() && find(link, PacketSink.ANY, use.remote) == null) {
            add(link, PacketSink.ANY, use.remote).paid(CHALLENGE_BYTES);
        }
        for (Path path : List.copyOf(link.paths)) if (path != link.path) challenge(nowNs, link, path);
        for (Address circuit : List.copyOf(link.circuits)) {
            if (find(link, PacketSink.ANY, circuit) == null) challenge(nowNs, link, circuit);
        }
    }

    /** The best of the paths not in use that were proved since then; null for none. */
    @Nullable
    Path best(Link link, long sinceNs) {
        Path best = null;
        for (Path path : link.paths) {
            if (path == link.path || !path.isProvenSince(sinceNs)) continue;
            if (best == null || path.isBetterThan(best) || !best.isBetterThan(path) && path.heardNs > best.heardNs)
                best = path;
        }
        return best;
    }

    /**
     * A peer asks whether this node hears it by a path. If it asks a second time, it lacks the answer: then that goes by another
     * path, too, and if this path is the one in use, it is in doubt.
     */
    void challenged(long nowNs, Link link, int local, Address from, Control asked) {
        links.outbound.sendControl(nowNs, link, local, from, answer(asked));
        Path path = find(link, local, from);
        if (path == null || !path.isRepeated(asked.getPathChallenge())) return;
        Path use = link.path;
        Path other = path == use ? best(link, Long.MIN_VALUE) : use;
        if (other != null) links.outbound.sendControl(nowNs, link, other.local, other.remote, answer(asked));
        if (path == use) probe(nowNs, link);
    }

    void answered(long nowNs, Link link, long value) {
        for (Path path : link.paths) {
            if (!path.isAnsweredBy(value)) continue;
            long since = path.challengedNs();
            path.answered(nowNs);
            links.log.answered(link.peer, path, links.circuits.relay(path.remote));
            Path use = link.path;
            if (path == use) return;
            if (use != null && path.isBetterThan(use)) moveTo(link, path, PathCause.BETTER);
            else if (use != null && use.isFailed()) leave(nowNs, link, path, PathCause.FAILED);
            else if (use == null || use.signNs() < since && !path.isDetourFor(use))
                leave(nowNs, link, path, PathCause.SILENCE);
            return;
        }
    }

    void tick(long nowNs, Link link) {
        for (Path path : List.copyOf(link.paths)) {
            if (path.againNs() <= nowNs) challengeAgain(nowNs, link, path);
            if (link.gone) return;
            if (path.restedNs() <= nowNs) challenge(nowNs, link, path);
            if (path.mtu.deadlineNs() > nowNs) continue;
            if (path.mtu.tick(nowNs, path.heardNs, rng.nextLong())) counters.add("link.mtu.black-hole");
            probeMtu(nowNs, link, path);
        }
    }

    private void challengeAgain(long nowNs, Link link, Path path) {
        if (path.challengeAgain(nowNs)) {
            sendChallenge(nowNs, link, path);
            return;
        }
        counters.add("link.path.unproven");
        if (path != link.path) {
            if (path.isProven()) path.fail();
            else if (!path.isFailed()) remove(link, path);
        } else if (path.isRefused()) {
            counters.add("link.peer.refusing");
            links.forget(link, LinkOutput.Reason.UNREACHABLE);
        }
    }

    /** When {@link #tick} is due. */
    static long deadlineNs(Link link) {
        long at = Core.NEVER;
        for (Path path : link.paths) {
            at = Math.min(at, Math.min(path.restedNs(), Math.min(path.againNs(), path.mtu.deadlineNs())));
        }
        return at;
    }

    /**
     * How long a datagram with frames may be. When nothing is acknowledged any more, the length may be why: then datagrams are
     * short, and the path MTU is probed again.
     */
    int datagramBytes(long nowNs, Link link, Path path) {
        if (!link.connection.isProbing()) return path.mtu.proven();
        if (path.mtu.suspect(nowNs, rng.nextLong())) sendMtu(nowNs, link, path);
        return PathMtu.BASE;
    }

    /** Begins to probe the path MTU. */
    void beginMtu(long nowNs, Link link, Path path) {
        path.mtu.begin(nowNs, rng.nextLong());
        sendMtu(nowNs, link, path);
    }

    private void sendMtu(long nowNs, Link link, Path path) {
        probeMtu(nowNs, link, path);
        challenge(nowNs, link, path); // tells a path that carries less from one that carries nothing
        links.schedule(link);
    }

    private void probeMtu(long nowNs, Link link, Path path) {
        for (int size; (size = path.mtu.next()) > 0; ) {
            ByteString padding = ByteString.copyFrom(new byte[size - PROBE_BYTES]);
            Control.Builder probe =
                    Control.newBuilder().setMtuProbe(path.mtu.token()).setPadding(padding);
            counters.add("link.mtu.probes");
            links.outbound.sendControl(nowNs, link, path.local, path.remote, probe);
        }
    }

    void mtuAnswered(long nowNs, Link link, long value) {
        for (Path path : link.paths) path.mtu.answered(nowNs, value);
    }

    /** The response to a challenge, or to a probe of the path MTU. */
    static Control.Builder answer(Control asked) {
        Control.Builder answer = Control.newBuilder();
        return asked.hasPathChallenge()
                ? answer.setPathResponse(asked.getPathChallenge())
                : answer.setMtuResponse(asked.getMtuProbe());
    }

    /** Tells a peer what this node offers to do. */
    static byte[] capabilities(long capabilities) {
        return Frames.control(
                Control.newBuilder().setCapabilities(capabilities).build().toByteArray());
    }

    /** Tells a peer at which address this node sees it; by a relay or a carrier only that it is heard. */
    static byte[] observed(Address from) {
        if (from.isStandIn()) {
            return Frames.control(
                    Control.newBuilder().setKeepalive(true).build().toByteArray());
        }
        return Frames.control(Control.newBuilder()
                .setObserved(Handshakes.endpoint(from))
                .build()
                .toByteArray());
    }

    /** Moves from a path that brings nothing any longer; if it is a circuit, its relay may be gone. */
    private void leave(long nowNs, Link link, Path to, PathCause cause) {
        if (link.path != null) links.liveness.doubtRelay(nowNs, link.path);
        moveTo(link, to, cause);
    }

    /**
     * Makes this the path in use. The state of the one before is kept, and taken over if only the peer's port changed; what is in
     * flight on one that failed is sent again.
     */
    void moveTo(Link link, Path to, PathCause cause) {
        Path old = link.path;
        if (to == old) return;
        link.path = to;
        links.log.moved(link.peer, to, links.circuits.relay(to.remote), cause);
        link.loadBytes = 0;
        if (old != null && old.isFailed() && old.recovery != null) old.recovery.giveUp();
        link.learn(to.remote);
        if (old == null) {
            to.recovery = link.connection.inUse();
            return;
        }
        if (to.recovery == null && to.differsByPort(old)) {
            to.recovery = old.recovery;
            link.paths.remove(old);
        } else {
            if (to.recovery == null) to.recovery = link.connection.another();
            if (to.rttNs() > 0) to.recovery.expectRtt(to.rttNs());
            link.connection.use(to.recovery);
        }
        counters.add("link.path.changed." + old.kind() + "." + to.kind());
        links.control(link, observed(to.remote));
        if (link.current != null)
            links.output(new LinkOutput.Moved(link.subject(), to.remote, to.local, link.capabilities));
        links.schedule(link);
        links.touch(link);
    }

    /** The connection was started over: so is the state of its paths, of which only the one in use is kept. */
    void restarted(Link link) {
        Path use = link.path;
        link.paths.clear();
        if (use == null) return;
        use.recovery = link.connection.inUse();
        link.paths.add(use);
    }

    private boolean challenge(long nowNs, Link link, Path path) {
        if (!path.challenge(nowNs, rng.nextLong(), path.ptoNs())) return false;
        sendChallenge(nowNs, link, path);
        links.schedule(link);
        return true;
    }

    private void sendChallenge(long nowNs, Link link, Path path) {
        if (!path.mayCarry(CHALLENGE_BYTES)) {
            counters.add("link.path.unpaid");
            return;
        }
        if (path != link.path) links.log.tried(link.peer, path.remote, links.circuits.relay(path.remote));
        Control.Builder challenge = Control.newBuilder().setPathChallenge(path.challengeValue());
        links.outbound.sendControl(nowNs, link, path.local, path.remote, challenge);
    }
}
