package mcc.dht;

import java.util.ArrayList;
import java.util.List;
import mcc.core.Address;
import mcc.core.Id;
import mcc.core.Invariant;
import mcc.wire.Contact;
import mcc.wire.Limits;
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
 * It asks among the {@code width} nearest that have not failed, at most alpha at a time, and ends when these have all
 * RESPONDED and {@link #FLOOR} have in all. While nothing comes nearer, alpha grows by each slow or failed peer up to
 * alphaMax (S/Kademlia's and libp2p's fixed parallelism waits for the slowest; freeing the slot at the 85th percentile does
 * not).
 *
 * <p>A peer that answers may lie, so it is trusted on credit. To ask a peer that we do not know ourselves costs all who named
 * it one point of {@link #CREDIT}; when it answers they get the point back, and one more. A peer whose namers have no credit
 * left is passed over as if it had failed. So a liar costs a lookup only a few requests, which run beside others, however many
 * nodes it makes up, and cannot crowd out what others named. Peers that two others named, or that we know, are asked first.
 * Where the walk would end with too few answers, credit is given once more: an honest neighbour may know many nodes that have
 * left. Of the nearest peers only those named by two others count for the end of the walk: neighbours of a target know one
 * another, and otherwise a few liars nearest in our table that name nobody, or nobody real, could end the walk.
 *
 * <p>A peer is not asked twice on the way: asking the next one is cheaper than waiting. The last look is the exception: before
 * the lookup ends, peers that timed out and would be nearer than every one that responded are asked once more, all at the same
 * time, because one lost datagram in fifty would otherwise hide the nearest node in one lookup of fifty. Peers that only one
 * other named are left out.
 *
 * <p>Sources: Maymounkov and Mazières 2002 section 2.3; zikade's coord/query for the closed state machine; Jimenez et al.
 * 2011 and Rhea et al. 2004 for per-peer time-outs; Baumgart and Mies, S/Kademlia (2007), for lookups among liars.
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
        Contact contact;
        final Id position;
        /** The first 64 bits of its distance to the target. */
        private final long distance;
        /** Whether we know it ourselves: it answered us, or is a bootstrap node. */
        private final boolean known;
        /** The peers that named it; at most {@link #NAMERS}. */
        private final List<Peer> namers = new ArrayList<>(2);
        /** How many more of the peers that it named may be asked, and how many of them were asked and have not answered. */
        private int credit = CREDIT;

        private int open;
        /** The peers whose credit paid for the request to it that is under way. */
        private List<Peer> sponsors = List.of();

        State state = State.HEARD;
        boolean slow;
        boolean unreachable;
        /** Whether it said in its answer that it is a leaf. */
        boolean leaf;

        int asks;
        long askedNs;
        /** The number of the request under way. */
        long call;

        private Peer(Contact contact, Id position, long distance, @Nullable Peer namer, boolean known) {
            this.contact = contact;
            this.position = position;
            this.distance = distance;
            this.known = known;
            if (namer != null) namers.add(namer);
        }

        private boolean isCorroborated() {
            return namers.size() >= WITNESSES;
        }

        private boolean isConfirmed() {
            return known || namers.size() > 1;
        }

        private boolean isCredible() {
            if (known) return true;
            for (Peer namer : namers) if (namer.credit > 0) return true;
            return false;
        }

        /** Whether it is passed over for good: no peer that named it has credit, or requests under way that may earn some. */
        private boolean isLost() {
            if (known) return false;
            for (Peer namer : namers) if (namer.credit > 0 || namer.open > 0) return false;
            return true;
        }

        private void named(Contact as, Peer namer) {
            if (namer == this || namers.contains(namer) || namers.size() == NAMERS) return;
            namers.add(namer);
            if (known) return;
            if (contact.addresses().containsAll(as.addresses())) return;
            List<Address> all = new ArrayList<>(contact.addresses());
            for (Address address : as.addresses()) {
                if (all.contains(address)) continue;
                // One namer's addresses must leave room for the next one's.
                if (all.size() == Limits.CONTACT_ADDRESSES) all.remove(1);
                all.add(address);
                unreachable = false;
            }
            contact = new Contact(contact.node(), all);
        }
    }

    /**
     * How many peers are remembered. Beyond that the least useful one is forgotten, and of equally useful ones the farthest.
     */
    static final int PEERS = 128;
    /** How many of the peers that only one peer named are asked before one of them has answered. */
    static final int CREDIT = 3;
    /** The most credit that a peer can earn by naming peers that answer. */
    private static final int CREDIT_MAX = 6;

    /** How many peers must answer before a lookup ends, if there are so many. */
    static final int FLOOR = 8;
    /** How many others must name a peer before it counts for the end. */
    private static final int WITNESSES = 2;

    private static final int NAMERS = 8;
    private static final int STEPS = 128;

    final long id;
    final Id target;
    final LookupGoal goal;
    final FoundRecords found;
    final long startNs;
    /** Whether it has begun and not ended. */
    boolean runs;

    private final DhtConfig config;
    private final List<Peer> peers = new ArrayList<>(32);
    private final List<Trace.Step> steps = new ArrayList<>();
    /** How many of the nearest must have answered before it ends, and how many in all, if there are so many. */
    private final int width;

    private final int floor;
    private int responded;
    private int requests;
    private int inFlight;
    private int setbacks;
    private int pages;
    private int pagesAsked;
    private boolean relented;

    Lookup(long id, Id target, LookupGoal goal, DhtConfig config, long nowNs) {
        this.id = id;
        this.target = target;
        this.goal = goal;
        this.config = config;
        startNs = nowNs;
        found = new FoundRecords(goal instanceof LookupGoal.Values v ? v.limit() : 0);
        width = width(goal, config);
        floor = floor(goal);
    }

    /** Adds a peer that we know ourselves; returns whether it is new and near enough to be remembered. */
    boolean add(Contact contact, Id position) {
        return add(contact, position, null, true);
    }

    /**
     * Adds a peer that {@code namer} told of; returns whether it is new and near enough to be remembered.
     *
     * @param known whether we know it ourselves, as {@code contact} says
     */
    boolean add(Contact contact, Id position, @Nullable Peer namer, boolean known) {
        long distance = target.w0() ^ position.w0();
        int low = 0;
        int high = peers.size();
        while (low < high) {
            int mid = (low + high) >>> 1;
            Peer peer = peers.get(mid);
            int c = Long.compareUnsigned(distance, peer.distance);
            if (c == 0) c = target.compareDistance(position, peer.position);
            if (c == 0) {
                if (namer != null) peer.named(contact, namer);
                return false;
            }
            if (c < 0) high = mid;
            else low = mid + 1;
        }
        peers.add(low, new Peer(contact, position, distance, namer, known));
        if (peers.size() > PEERS && forget() == low) return false;
        if (low == 0) setbacks = 0;
        return true;
    }

    /** Forgets the least useful peer, never one whose answer is awaited, and returns its index. */
    private int forget() {
        int least = -1;
        int leastUse = Integer.MAX_VALUE;
        for (int i = peers.size() - 1; i >= 0; i--) {
            int use = use(peers.get(i));
            if (use >= leastUse) continue;
            least = i;
            leastUse = use;
        }
        if (peers.remove(least).state == State.RESPONDED) responded--;
        return least;
    }

    private static int use(Peer peer) {
        return switch (peer.state) {
            case HEARD -> peer.isLost() ? 0 : !peer.isConfirmed() ? 2 : 3;
            case FAILED -> 1;
            case RESPONDED -> 4;
            case WAITING -> 5;
        };
    }

    /** Returns the next peer to ask; null when the lookup must wait or has ended. */
    @Nullable
    Peer next() {
        int alpha = Math.min(config.alphaMax(), config.alpha() + setbacks);
        if (requests >= config.maxRequests() || inFlight >= alpha || isSated()) return null;
        Peer heard = nearestHeard();
        if (heard != null || !converged()) return heard;
        if (mayRelent()) {
            relented = true;
            for (Peer peer : peers) if (peer.state == State.RESPONDED) peer.credit = Math.max(peer.credit, CREDIT);
            heard = nearestHeard();
        }
        return heard != null ? heard : lastLook();
    }

    private @Nullable Peer nearestHeard() {
        int standing = 0;
        boolean enough = responded + inFlight >= floor;
        Peer best = null;
        for (Peer peer : peers) {
            if (peer.state == State.FAILED || (peer.slow && peer.state == State.WAITING)) continue;
            if (peer.state == State.HEARD) {
                if (!peer.isCredible()) continue;
                if (peer.isConfirmed()) return peer;
                if (best == null) best = peer;
            }
            if (counts(peer)) standing++;
            if (standing >= width && (best != null || enough)) break;
        }
        return best;
    }

    /** Whether a peer counts for the end of the lookup. */
    private boolean counts(Peer peer) {
        return peer.state != State.RESPONDED || floor == 0 || peer.isCorroborated();
    }

    /** Whether too few peers answered and some were passed over for lack of credit. */
    private boolean mayRelent() {
        if (relented || responded >= width) return false;
        for (Peer peer : peers) if (peer.state == State.HEARD && peer.isLost()) return true;
        return false;
    }

    private @Nullable Peer lastLook() {
        for (Peer peer : peers) {
            if (peer.state == State.RESPONDED) return null;
            boolean silent = peer.state == State.FAILED && peer.asks == 1 && !peer.unreachable;
            if (silent && peer.isConfirmed() && !peer.isLost()) return peer;
        }
        return null;
    }

    /** Returns whether it has ended. */
    boolean isDone() {
        if (pages > 0) return false;
        if (isSated()) return true;
        if (requests >= config.maxRequests()) return inFlight == 0 && waiting().isEmpty();
        return converged() && !mayRelent() && lastLook() == null && !isLooking();
    }

    private boolean isSated() {
        return goal instanceof LookupGoal.Values v && found.answers() >= v.quorum();
    }

    /** A reader looks farther: nodes that joined since a record was placed may be nearer than its holders, and may lie. */
    private static int width(LookupGoal goal, DhtConfig config) {
        return switch (goal) {
            case LookupGoal.Self _ -> config.k();
            case LookupGoal.Values _ -> config.k() / 2;
            case LookupGoal.Refresh _ -> config.nearest() / 2;
            case LookupGoal.Nodes _, LookupGoal.Place _ -> config.nearest();
        };
    }

    /** How many must have answered in all; a lookup for our own upkeep takes what it gets. */
    private static int floor(LookupGoal goal) {
        return switch (goal) {
            case LookupGoal.Self _, LookupGoal.Refresh _ -> 0;
            case LookupGoal.Values _, LookupGoal.Nodes _, LookupGoal.Place _ -> FLOOR;
        };
    }

    /** Returns the peers whose answers are still awaited. */
    List<Peer> waiting() {
        return peers.stream().filter(p -> p.state == State.WAITING).toList();
    }

    /** Whether only last looks are left to do. */
    private boolean converged() {
        int counted = 0;
        boolean enough = responded >= floor;
        for (Peer peer : peers) {
            if (peer.state == State.HEARD && !peer.isLost()) return false;
            if (peer.state == State.WAITING && peer.asks == 1) return false;
            if (peer.state == State.RESPONDED && counts(peer)) counted++;
            if (counted >= width && enough) return true;
        }
        return true;
    }

    private boolean isLooking() {
        for (Peer peer : peers) if (peer.state == State.WAITING && peer.asks > 1) return true;
        return false;
    }

    void asked(Peer peer, long nowNs) {
        boolean lastLook = peer.state == State.FAILED && peer.asks == 1;
        Invariant.check(peer.state == State.HEARD || lastLook, "a peer is asked once, and once more as a last look");
        peer.state = State.WAITING;
        peer.slow = false;
        peer.asks++;
        peer.askedNs = nowNs;
        if (!peer.known && peer.asks == 1) {
            peer.sponsors = List.copyOf(peer.namers);
            for (Peer namer : peer.sponsors) {
                namer.credit--;
                namer.open++;
            }
        }
        requests++;
        inFlight++;
    }

    void slow(Peer peer) {
        if (peer.state != State.WAITING || peer.slow) return;
        peer.slow = true;
        inFlight--;
        setbacks++;
    }

    /** Notes an answer with {@code count} new contacts or records. */
    void answered(Peer peer, long nowNs, Trace.Result result, int count) {
        if (peer.state != State.WAITING) return;
        if (!peer.slow) inFlight--;
        peer.state = State.RESPONDED;
        responded++;
        close(peer);
        for (Peer namer : peer.namers) namer.credit = Math.min(CREDIT_MAX, namer.credit + 2);
        step(peer, nowNs, result, count);
    }

    void failed(Peer peer, long nowNs, boolean unreachable) {
        if (peer.state != State.WAITING) return;
        if (!peer.slow) inFlight--;
        peer.state = State.FAILED;
        close(peer);
        peer.unreachable = unreachable;
        setbacks++;
        step(peer, nowNs, unreachable ? Trace.Result.UNREACHABLE : Trace.Result.TIMEOUT, 0);
    }

    private static void close(Peer peer) {
        for (Peer namer : peer.sponsors) namer.open--;
        peer.sponsors = List.of();
    }

    void pageAsked() {
        pages++;
        pagesAsked++;
    }

    void pageEnded() {
        pages--;
    }

    private void step(Peer peer, long nowNs, Trace.Result result, int count) {
        if (steps.size() == STEPS || !goal.isTraced()) return;
        long atMs = (peer.askedNs - startNs) / DhtConfig.MS;
        long rttNs = nowNs - peer.askedNs;
        int shared = target.sharedBits(peer.position);
        steps.add(new Trace.Step(steps.size(), atMs, peer.contact.node(), shared, result, count, rttNs));
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

    /**
     * Returns the nearest peers that did not fail, whether they responded or not, at most {@code count}, nearest first; those
     * that only one peer named are used only if there are too few others.
     *
     * @param leaves whether leaves count
     */
    List<Contact> standing(int count, boolean leaves) {
        List<Peer> chosen = new ArrayList<>(count);
        for (Peer peer : peers) if (isStanding(peer, leaves) && isSure(peer) && chosen.size() < count) chosen.add(peer);
        for (Peer peer : peers)
            if (isStanding(peer, leaves) && !isSure(peer) && chosen.size() < count) chosen.add(peer);
        chosen.sort((a, b) -> target.compareDistance(a.position, b.position));
        return chosen.stream().map(peer -> peer.contact).toList();
    }

    private static boolean isStanding(Peer peer, boolean leaves) {
        if (peer.leaf && !leaves) return false;
        return peer.state != State.FAILED && (peer.state == State.RESPONDED || !peer.isLost());
    }

    private static boolean isSure(Peer peer) {
        return peer.state == State.RESPONDED || peer.isConfirmed();
    }

    Trace trace(long nowNs) {
        return new Trace(id, (nowNs - startNs) / DhtConfig.MS, requests + pagesAsked, steps);
    }
}
