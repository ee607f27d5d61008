package mcc.dht;

import java.util.ArrayList;
import java.util.List;
import mcc.core.Id;
import mcc.core.Invariant;
import mcc.wire.Contact;
import org.jspecify.annotations.Nullable;

/**
 * One walk through the key space toward a target.
 *
 * <p>Peers known to it are kept sorted by distance, each in one of four states:
 * <pre>
 * HEARD:     on asked    -> WAITING
 * WAITING:   on answered -> RESPONDED
 *            on slow     -> WAITING, its slot of alpha given back
 *            on failed   -> FAILED
 * FAILED:    on asked    -> WAITING, once, as a last look
 * RESPONDED: final
 * </pre>
 * It asks the nearest peers HEARD among the {@code width} nearest that have not failed, at most alpha at a time, and ends
 * when these have all RESPONDED. While nothing comes nearer, alpha grows by each slow or failed peer up to alphaMax
 * (S/Kademlia's and libp2p's fixed parallelism waits for the slowest; freeing the slot at the 85th percentile does not).
 *
 * <p>A peer is not asked twice on the way: the next one is cheaper than waiting. The last look is the exception: a peer that
 * timed out and would be nearer than every one that responded is asked once more before the lookup ends, because one lost
 * datagram in fifty would otherwise hide the nearest node in one lookup of fifty.
 *
 * <p>Sources: Maymounkov and Mazières 2002 section 2.3; zikade's coord/query for the closed state machine; Jimenez et al.
 * 2011 and Rhea et al. 2004 for per-peer time-outs.
 */
final class Lookup {
    enum State {
        HEARD,
        WAITING,
        RESPONDED,
        FAILED
    }

    /** A peer on the way. */
    static final class Peer {
        final Contact contact;
        final Id position;
        State state = State.HEARD;
        boolean slow;
        boolean unreachable;
        int asks;
        long askedNs;
        /** The number of the request under way. */
        long call;

        private Peer(Contact contact, Id position) {
            this.contact = contact;
            this.position = position;
        }
    }

    /** Most peers remembered; the farthest are forgotten. */
    static final int PEERS = 64;

    private static final int STEPS = 128;

    final long id;
    final Id target;
    final LookupGoal goal;
    final Harvest harvest;
    final long startNs;
    private final Config config;
    private final List<Peer> peers = new ArrayList<>(PEERS);
    private final List<Trace.Step> steps = new ArrayList<>();
    private int requests;
    private int inFlight;
    private int setbacks;
    private int pages;

    Lookup(long id, Id target, LookupGoal goal, Config config, long nowNs) {
        this.id = id;
        this.target = target;
        this.goal = goal;
        this.config = config;
        startNs = nowNs;
        harvest = new Harvest(goal instanceof LookupGoal.Values v ? v.limit() : 0);
    }

    /** Adds a peer it heard of; returns whether it is new and near enough to be remembered. */
    boolean add(Contact contact, Id position) {
        int low = 0;
        int high = peers.size();
        while (low < high) {
            int mid = (low + high) >>> 1;
            int c = target.compareDistance(position, peers.get(mid).position);
            if (c == 0) return false;
            if (c < 0) high = mid;
            else low = mid + 1;
        }
        if (low == PEERS) return false;
        // Who waits is kept, so that the count of those in flight stays true.
        for (int i = PEERS - 1; peers.size() == PEERS && i >= low; i--) {
            if (peers.get(i).state != State.WAITING) peers.remove(i);
        }
        if (peers.size() == PEERS) return false;
        peers.add(low, new Peer(contact, position));
        if (low == 0) setbacks = 0;
        return true;
    }

    /** Returns the next peer to ask, or null when it must wait or is done. */
    @Nullable
    Peer next() {
        int alpha = Math.min(config.alphaMax(), config.alpha() + setbacks);
        if (requests >= config.maxRequests() || inFlight >= alpha || isSated()) return null;
        int standing = 0;
        int width = width();
        for (Peer peer : peers) {
            if (peer.state == State.HEARD) return peer;
            if (peer.state == State.FAILED || (peer.slow && peer.state == State.WAITING)) continue;
            if (++standing == width) break;
        }
        return converged() ? lastLook() : null;
    }

    private @Nullable Peer lastLook() {
        for (Peer peer : peers) {
            if (peer.state == State.RESPONDED) return null;
            if (peer.state == State.FAILED && peer.asks == 1 && !peer.unreachable) return peer;
        }
        return null;
    }

    /** Returns whether it has ended. */
    boolean isDone() {
        if (pages > 0) return false;
        if (isSated()) return true;
        if (requests >= config.maxRequests()) return inFlight == 0 && noneWaiting();
        return converged() && lastLook() == null;
    }

    private boolean isSated() {
        return goal instanceof LookupGoal.Values v && harvest.answers() >= v.quorum();
    }

    /** A reader who found nothing yet looks farther: nodes that joined since the record was placed may stand before it. */
    private int width() {
        return switch (goal) {
            case LookupGoal.Self _ -> config.k();
            case LookupGoal.Values _ -> harvest.answers() == 0 ? config.k() / 2 : config.nearest();
            case LookupGoal.Refresh _ -> config.nearest() / 2;
            case LookupGoal.Nodes _, LookupGoal.Place _ -> config.nearest();
        };
    }

    /** Returns the peers whose answers are still awaited. */
    List<Peer> waiting() {
        return peers.stream().filter(p -> p.state == State.WAITING).toList();
    }

    private boolean noneWaiting() {
        return peers.stream().noneMatch(p -> p.state == State.WAITING);
    }

    private boolean converged() {
        int responded = 0;
        int width = width();
        for (Peer peer : peers) {
            if (peer.state == State.HEARD || peer.state == State.WAITING) return false;
            if (peer.state == State.RESPONDED && ++responded == width) return true;
        }
        return true;
    }

    void asked(Peer peer, long nowNs) {
        boolean lastLook = peer.state == State.FAILED && peer.asks == 1;
        Invariant.check(peer.state == State.HEARD || lastLook, "a peer is asked once, and once more as a last look");
        peer.state = State.WAITING;
        peer.slow = false;
        peer.asks++;
        peer.askedNs = nowNs;
        requests++;
        inFlight++;
    }

    void slow(Peer peer) {
        if (peer.state != State.WAITING || peer.slow) return;
        peer.slow = true;
        inFlight--;
        setbacks++;
    }

    /** Notes an answer that told {@code count} new contacts or records. */
    void answered(Peer peer, long nowNs, Trace.Result result, int count) {
        if (peer.state != State.WAITING) return;
        if (!peer.slow) inFlight--;
        peer.state = State.RESPONDED;
        step(peer, nowNs, result, count);
    }

    void failed(Peer peer, long nowNs, boolean unreachable) {
        if (peer.state != State.WAITING) return;
        if (!peer.slow) inFlight--;
        peer.state = State.FAILED;
        peer.unreachable = unreachable;
        setbacks++;
        step(peer, nowNs, unreachable ? Trace.Result.UNREACHABLE : Trace.Result.TIMEOUT, 0);
    }

    void pageAsked() {
        pages++;
        requests++;
    }

    void pageEnded() {
        pages--;
    }

    private void step(Peer peer, long nowNs, Trace.Result result, int count) {
        if (steps.size() == STEPS || !goal.isTraced()) return;
        long atMs = (peer.askedNs - startNs) / Config.MS;
        long rttMs = (nowNs - peer.askedNs) / Config.MS;
        int shared = target.sharedBits(peer.position);
        steps.add(new Trace.Step(steps.size(), atMs, peer.contact.node(), shared, result, count, rttMs));
    }

    /** Returns the nearest that responded, at most {@code count}, nearest first. */
    List<Contact> responded(int count) {
        List<Contact> out = new ArrayList<>(count);
        for (Peer peer : peers) {
            if (out.size() == count) break;
            if (peer.state == State.RESPONDED) out.add(peer.contact);
        }
        return out;
    }

    /** Returns the nearest that did not fail, responded or not, at most {@code count}, nearest first. */
    List<Contact> standing(int count) {
        List<Contact> out = new ArrayList<>(count);
        for (Peer peer : peers) {
            if (out.size() == count) break;
            if (peer.state != State.FAILED) out.add(peer.contact);
        }
        return out;
    }

    Trace trace(long nowNs) {
        return new Trace(id, target, (nowNs - startNs) / Config.MS, requests, steps);
    }
}
