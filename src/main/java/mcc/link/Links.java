package mcc.link;

import java.util.ArrayDeque;
import java.util.List;
import mcc.consortium.Subject;
import mcc.core.Address;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Counters.Counter;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.crypto.Ed25519;
import mcc.crypto.Identity;
import mcc.link.Ledger.Purpose;
import mcc.link.LinkOutput.Reason;
import mcc.session.Session;
import mcc.stream.Budget;
import mcc.stream.Connection;
import mcc.stream.Stream;
import mcc.stream.StreamConfig;
import mcc.wire.Capabilities;
import mcc.wire.Contact;
import mcc.wire.Relayed;
import mcc.wire.Rpc;
import mcc.wire.Transport;
import mcc.wire.pb.Control;
import org.jspecify.annotations.Nullable;

/**
 * All remote peers of this node, from bytes to messages and streams and back.
 *
 * <p>How a packet comes in: {@link Inbound} reads the header, finds the {@link Slot} by receiver index, opens the packet,
 * checks the replay window, notes the path, and hands the frames to the peer's {@link Connection}; its events become outputs.
 * {@link Outbound} builds the packets of every link that has something to send. {@link Initiator}, {@link Responder} and
 * {@link Dialer} do the handshakes, {@link Requests} sends requests and takes their answers, {@link Timers} knows which link
 * is due.
 *
 * <p>Limits: {@link LinkConfig#linksMax} links, of which {@link Table#victim} gives way to a new one; {@link Outbox#MAX}
 * handshake datagrams; {@link #DIALS_MAX} first contacts. What each limit refused is counted.
 */
public final class Links implements Core<LinkInput, LinkOutput> {
    /** The most first contacts under way. */
    static final int DIALS_MAX = 64;

    private static final long MS = 1_000_000L;

    // What the links consist of; the parts find each other here.
    final LinkConfig config;
    final Identity identity;
    final Table table;
    final Slots slots;
    final Deadlines deadlines = new Deadlines();
    final Access access;
    final Initiator initiator;
    final Responder responder;
    final Dialer dialer;
    final Paths paths;
    final Liveness liveness;
    final Packets packets;
    final Requests requests;
    final Probes probes;
    final Contacted contacted = new Contacted();
    final Inbound inbound;
    final Outbound outbound;
    final Circuits circuits;
    final Forwards forwards;
    final PathLog log;
    final Ledger ledger;
    private final Timers timers;
    private final Rng rng;
    private final Counters counters;
    private final Budget budget;
    private final Outbox outbox;
    private final ArrayDeque<LinkOutput> outputs = new ArrayDeque<>();
    private final ArrayDeque<Link> dirty = new ArrayDeque<>();

    /** The ECN mark of the datagram being handled, and the local end that it came to. */
    int arrivedEcn;

    int arrivedLocal;

    /** Where datagrams go that this node relays; null while it relays none. */
    @Nullable
    PacketSink relaying;

    /** When something authentic last came by UDP itself, from beyond the local network. */
    long udpHeardNs = Long.MIN_VALUE;

    /** What this node offers to do. */
    long capabilities = Capabilities.ALWAYS;

    private long epochMs;
    private long epochAtNs;

    private final Counter rxBytes;
    private final Counter rxPackets;

    public Links(LinkConfig config, Identity identity, Rng rng, Counters counters) {
        this.config = config;
        this.identity = identity;
        this.rng = rng;
        this.counters = counters;
        table = new Table(config.linksMax());
        budget = new Budget(StreamConfig.BUDGET_BYTES, counters);
        outbox = new Outbox(counters);
        slots = new Slots(rng.split());
        log = new PathLog(counters);
        paths = new Paths(this, rng.split(), counters);
        liveness = new Liveness(this, counters);
        access = new Access(this, counters);
        initiator = new Initiator(this, rng.split(), counters);
        responder = new Responder(this, rng.split(), counters);
        dialer = new Dialer(this, rng.split(), counters);
        packets = new Packets(this, counters);
        circuits = new Circuits(this, counters);
        forwards = new Forwards(this, counters);
        ledger = new Ledger(this, counters);
        rxBytes = counters.of("udp.rx.bytes");
        rxPackets = counters.of("udp.rx.packets");
        byte[] plain = new byte[PathMtu.TOP];
        requests = new Requests(this, plain, counters);
        probes = new Probes(this, plain, counters);
        inbound = new Inbound(this, plain, counters);
        outbound = new Outbound(this, plain, counters);
        timers = new Timers(this, counters);
    }

    // ---- inbound ----------------------------------------------------------------------------------------------------

    /** Takes a datagram without an ECN mark, at a host with one local end. */
    public void receive(long nowNs, byte[] buf, int offset, int length, Address from) {
        receive(nowNs, buf, offset, length, from, PacketSink.ANY, 0);
    }

    /**
     * Takes one datagram; its bytes are borrowed until return, and changed if it is relayed. Never throws for what a peer sent.
     *
     * @param local the local end (a socket and its address) that it came to: answers are sent with this number
     *     ({@link PacketSink#send(int, Address, byte[], int, int, int)})
     * @param ecn its ECN mark
     */
    public void receive(long nowNs, byte[] buf, int offset, int length, Address from, int local, int ecn) {
        log.at(nowNs);
        arrivedLocal = local;
        arrivedEcn = ecn;
        ledger.is(Purpose.HANDSHAKE);
        take(nowNs, buf, offset, length, from, local, ecn);
        ledger.received(from, length);
    }

    private void take(long nowNs, byte[] buf, int offset, int length, Address from, int local, int ecn) {
        if (Relayed.looksLike(buf, offset, length)) {
            circuits.receive(nowNs, buf, offset, length, from, local, ecn);
            return;
        }
        rxBytes.add(length);
        rxPackets.add();
        if (Transport.looksLike(buf, offset, length)) inbound.onTransport(nowNs, buf, offset, length, from);
        else inbound.onHandshake(nowNs, buf, offset, length, from);
    }

    /** Datagrams that this node relays for others leave by this at once, as long as it is ready; without one none is relayed. */
    public void relayBy(PacketSink out) {
        relaying = out;
    }

    /**
     * The system got an ICMP message that nobody listens at an address. Anybody can forge one, so the peers there are probed, and
     * one that does not answer is gone.
     */
    public void refused(long nowNs, Address at) {
        paths.refused(nowNs, table.all(), at);
    }

    // ---- outbound ---------------------------------------------------------------------------------------------------

    /** Lends every datagram that is due to {@code out}, until none is left or {@code out} is full. */
    public void transmit(long nowNs, PacketSink out) {
        log.at(nowNs);
        outbox.transmit(nowNs, outbound, out);
        while (out.ready() && !dirty.isEmpty()) {
            Link link = dirty.removeFirst();
            link.dirty = false;
            if (link.gone) continue;
            if (outbound.transmit(nowNs, link, out)) touch(link);
            inbound.drain(nowNs, link);
            if (link.isUnwanted() && !dialer.isFinishing(link)) forget(link, Reason.UNREACHABLE);
            schedule(link);
        }
    }

    // ---- commands ---------------------------------------------------------------------------------------------------

    @Override
    public void handle(long nowNs, LinkInput input) {
        log.at(nowNs);
        switch (input) {
            case LinkInput.Ask a -> requests.ask(nowNs, a);
            case LinkInput.Cancel c -> initiator.cancel(c.peer(), c.call());
            case LinkInput.Reply r -> requests.reply(nowNs, r);
            case LinkInput.Dial d -> dialer.begin(nowNs, d.ticket(), d.to());
            case LinkInput.NewPolicy p -> access.govern(nowNs, p.epoch());
            case LinkInput.WallClock c -> {
                epochMs = c.epochMs();
                epochAtNs = nowNs;
            }
            case LinkInput.Probe p -> probes.send(nowNs, p);
            case LinkInput.Knock k -> paths.knock(nowNs, k);
            case LinkInput.Bind b -> forwards.bind(nowNs, b);
            case LinkInput.Unbind u -> forwards.unbind(u.token());
            case LinkInput.Way w -> circuits.way(nowNs, w);
            case LinkInput.Take t -> {
                if (table.find(t.relay()) != null) circuits.open(t.relay(), t.token());
            }
            case LinkInput.Spare s -> forwards.spare(nowNs, s.asker());
            case LinkInput.Carried c -> initiator.carried(nowNs, c);
            case LinkInput.CarrierEnded e -> {
                for (Link link : table.snapshot()) paths.ended(link, e.carrier());
            }
            case LinkInput.TryAddresses t -> paths.tryAddresses(nowNs, t.peer());
            case LinkInput.Welcome w -> {
                circuits.welcome(w.relays());
                for (Link link : table.all()) if (w.relays().contains(link.peer)) schedule(link);
            }
            case LinkInput.Offer o -> offer(nowNs, o.capabilities());
            case LinkInput.Tell _ -> table.all().forEach(link -> link.tell(contacted, outputs::add));
            case LinkInput.Shutdown _ -> shutdown(nowNs);
            case LinkInput.Tick _ -> timers.tick(nowNs);
        }
    }

    /** Asks for a circuit to a peer, where relays may make one. */
    void wantWay(Link link) {
        boolean carried = circuits.isCarried();
        if (!carried && link.relays.isEmpty()) return;
        output(new LinkOutput.WayWanted(link.peer, link.relays, carried ? link.reachable() : List.of()));
    }

    private void offer(long nowNs, long more) {
        capabilities = Capabilities.ALWAYS | more;
        for (Link link : table.all()) {
            if (link.canSend(nowNs)) control(link, Paths.capabilities(capabilities));
        }
    }

    private void shutdown(long nowNs) {
        for (Link link : table.snapshot()) end(nowNs, link, Reason.CLOSED);
    }

    /** Says goodbye to a peer and forgets it. */
    void end(long nowNs, Link link, Reason reason) {
        if (!link.gone && link.canSend(nowNs) && link.path != null) {
            Control.Builder close = Control.newBuilder().setClose(0);
            outbound.sendControl(nowNs, link, link.path.local, link.path.remote, close);
        }
        forget(link, reason);
    }

    @Override
    public @Nullable LinkOutput poll() {
        return outputs.poll();
    }

    @Override
    public long deadlineNs() {
        long first = Math.min(deadlines.nextNs(), forwards.deadlineNs());
        return Math.min(first, Math.min(responder.deadlineNs(), dialer.deadlineNs()));
    }

    /** Returns whether {@link #transmit} has something to send. */
    public boolean wantsToTransmit() {
        return !outbox.isEmpty() || !dirty.isEmpty();
    }

    // ---- streams ----------------------------------------------------------------------------------------------------

    /** Opens a stream to a peer, after a handshake if there is no session; null when refused, by the policy too. */
    public @Nullable Stream open(long nowNs, Contact to) {
        log.at(nowNs);
        Link link = link(nowNs, to);
        Stream stream = link == null ? null : link.connection.open();
        if (link == null || stream == null) return null;
        if (!link.canSend(nowNs)) initiator.begin(nowNs, link);
        return link.gone ? null : stream;
    }

    /** Since when a peer owes an answer and was not heard; {@link Core#NEVER} when it owes none. */
    public long expectingSinceNs(Id peer) {
        Link link = find(peer);
        return link == null ? NEVER : link.expectingSinceNs();
    }

    /**
     * When a peer beyond the local network was last heard by UDP itself, neither by a circuit nor by a carrier;
     * {@link Long#MIN_VALUE} before. Neighbours say nothing of the firewall.
     */
    public long udpHeardNs() {
        return udpHeardNs;
    }

    /** Where packets of the virtual interface are sent and received. */
    public Packets packets() {
        return packets;
    }

    // ---- observers --------------------------------------------------------------------------------------------------

    /** All peers, in the order in which they were met. */
    public List<Peer> peers() {
        return table.all().stream().map(this::view).toList();
    }

    /** One peer; null when there is no link to it. */
    public @Nullable Peer peer(Id id) {
        Link link = table.find(id);
        return link == null ? null : view(link);
    }

    /** What became of the paths to a peer, also to one whose link is gone; empty for one that is not known. */
    public PathReport paths(long nowNs, Id peer) {
        return log.report(nowNs, peer, table.find(peer));
    }

    private Peer view(Link link) {
        return link.view(link.path == null ? null : circuits.relay(link.path.remote));
    }

    // ---- for this room ----------------------------------------------------------------------------------------------

    long epochMs(long nowNs) {
        return epochMs + (nowNs - epochAtNs) / MS;
    }

    void post(int local, Address to, byte[] datagram) {
        post(local, to, datagram, Purpose.HANDSHAKE);
    }

    void post(int local, Address to, byte[] datagram, Purpose purpose) {
        outbox.add(local, to, datagram, false, purpose);
    }

    /** The same for what is not to get far ({@link PacketSink#sendShort}). */
    void postShort(int local, Address to, byte[] datagram) {
        outbox.add(local, to, datagram, true, Purpose.PATH);
    }

    void schedule(Link link) {
        timers.schedule(link);
    }

    void observed(Id by, Address at, Address self) {
        if (at.isStandIn()) return; // what it sees there is its relay, or a connection of TCP
        Link link = table.find(by);
        if (link != null) link.observed = self;
        outputs.add(new LinkOutput.Observed(by, at, self, arrivedLocal, contacted.sinceNs(at)));
    }

    void asked(Subject from, Address at, Rpc rpc) {
        outputs.add(new LinkOutput.Asked(from, at, rpc.call(), rpc.body(), rpc.leaf()));
    }

    void output(LinkOutput output) {
        outputs.add(output);
    }

    @Nullable
    Link find(Id peer) {
        return table.find(peer);
    }

    /** Both sides have proved a session: it becomes the one to send with. */
    void established(long nowNs, Link link, Subject subject, Session session, Hello hello, Address from) {
        link.subject = subject;
        initiator.end(link); // an older attempt must not end the session that is up now
        if (link.current == null) link.upNs = nowNs;
        if (link.remoteKnown && link.remoteInstance != hello.instance()) {
            if (link.remoteHeard) restart(link);
            link.remoteHeard = false;
        }
        boolean up = link.current == null;
        link.remoteKnown = true;
        link.remoteInstance = hello.instance();
        link.agree(hello, config.connection());
        boolean offers = hello.capabilities() != link.capabilities;
        link.capabilities = hello.capabilities();
        retire(link.previous);
        link.previous = link.current;
        link.current = session;
        slots.occupy(session.localIndex(), new Slot.Established(link, session));
        link.heardNs = nowNs;
        link.expectingNs = NEVER;
        paths.proven(nowNs, link, arrivedLocal, from, up);
        while (!link.waiting.isEmpty()) {
            Link.Waiting w = link.waiting.removeFirst();
            link.connection.send(w.message());
            expect(nowNs, link);
        }
        if (up) outputs.add(new LinkOutput.Up(subject, from, link.capabilities));
        else if (offers) outputs.add(new LinkOutput.Offers(subject, from, link.capabilities));
        dialer.reached(link, from);
        counters.add("link.session.established");
        touch(link);
        schedule(link);
    }

    void control(Link link, byte[] frames) {
        if (link.controls.size() < 16) link.controls.add(frames);
        else counters.add("link.controls.dropped");
        touch(link);
    }

    @Nullable
    Link make(long nowNs, Id peer, byte[] peerStatic) {
        if (table.isFull()) {
            Link victim = table.victim();
            counters.add(victim == null ? "link.table.full" : "link.table.evicted");
            if (victim == null) return null;
            forget(victim, Reason.OVERLOADED);
        }
        Link link = new Link(peer, peerStatic, rng.nextLong(), connection(peer), nowNs);
        link.connection.onUse(() -> touch(link));
        table.add(link);
        schedule(link);
        return link;
    }

    void touch(Link link) {
        if (link.dirty || link.gone) return;
        link.dirty = true;
        dirty.add(link);
    }

    void expect(long nowNs, Link link) {
        if (link.expectingNs == NEVER) link.expectingNs = nowNs;
    }

    /** Finds or makes the link to a contact and learns its addresses; null when its key is invalid or the table is full. */
    @Nullable
    Link link(long nowNs, Contact to) {
        Link link = table.find(to.node());
        if (link == null) {
            byte[] peerStatic = Ed25519.toX25519(to.node());
            if (peerStatic == null || to.node().equals(identity.id())) {
                counters.add("link.unsound-key");
                return null;
            }
            link = make(nowNs, to.node(), peerStatic);
            if (link == null) return null;
        }
        for (Address address : to.addresses().reversed()) if (!link.addresses.contains(address)) link.learn(address);
        if (!to.relays().isEmpty()) link.relays = to.relays();
        return link;
    }

    private Connection connection(Id peer) {
        return new Connection(config.connection(), identity.id().compareTo(peer) < 0, rng.split(), budget, counters);
    }

    void forget(Link link, Reason reason) {
        if (link.gone) return;
        link.gone = true;
        link.connection.discard();
        table.remove(link);
        deadlines.remove(link);
        initiator.end(link);
        forwards.lost(link.peer);
        circuits.lost(link.peer);
        outputs.add(new LinkOutput.StreamsLost(link.peer));
        for (Link.Waiting w : link.waiting) outputs.add(new LinkOutput.Unanswered(link.peer, w.call(), reason));
        boolean wasUp = link.current != null;
        retire(link.current);
        retire(link.previous);
        if (!wasUp) return;
        log.lost(link.peer, PathCause.valueOf(reason.name()));
        outputs.add(new LinkOutput.Down(link.peer, reason));
    }

    /** The peer lost its state of the link: this end starts over too. */
    void restart(Link link) {
        counters.add("link.peer.restarted");
        outputs.add(new LinkOutput.StreamsLost(link.peer));
        retire(link.current);
        retire(link.previous);
        link.current = null;
        link.previous = null;
        link.connection.discard();
        link.connection = connection(link.peer);
        link.connection.onUse(() -> touch(link));
        link.agreed = false;
        paths.restarted(link);
        circuits.lost(link.peer); // a relay that lost its state knows none of them
    }

    private void retire(@Nullable Session session) {
        if (session != null) slots.release(session.localIndex());
    }
}
