package mcc.link;

import java.util.ArrayDeque;
import java.util.List;
import mcc.consortium.Subject;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Counters.Counter;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.crypto.Ed25519;
import mcc.crypto.Identity;
import mcc.link.LinkOutput.Reason;
import mcc.session.Session;
import mcc.stream.Budget;
import mcc.stream.Connection;
import mcc.stream.Event;
import mcc.wire.Contact;
import mcc.wire.Frames;
import mcc.wire.FramesReader;
import mcc.wire.FramesWriter;
import mcc.wire.Handshakes;
import mcc.wire.Rpc;
import mcc.wire.Transport;
import mcc.wire.pb.Control;
import mcc.wire.pb.Datagram;
import org.jspecify.annotations.Nullable;

/**
 * All remote peers of this node, from bytes to messages and streams and back.
 *
 * <p>How a packet comes in, top to bottom: {@link #receive} reads the header, finds the {@link Slot} by receiver index, opens
 * the box, checks the replay window, notes the path, and hands the frames to the peer's {@link Connection}; its events
 * become outputs. {@link #transmit} goes the other way for every link that has something to say.
 *
 * <p>Limits: {@link Config#linksMax} links, then the longest silent one whose streams nobody uses gives way; {@link Outbox#MAX}
 * handshake datagrams; {@link #DIALS_MAX} first contacts; what each limit refused is counted.
 */
public final class Links implements Core<LinkInput, LinkOutput> {
    /** First contacts under way. */
    static final int DIALS_MAX = 64;
    /** Packets that one link may send before the next one's turn. */
    private static final int BURST = 48;

    private static final int CE = 3;
    private static final long MS = 1_000_000L;
    /** Something is out and nothing was heard for this long: ask for a new handshake. */
    static final long SUSPECT_NS = 1_500 * MS;
    /** With streams open, the path is probed after this much silence. */
    static final long KEEPALIVE_NS = 15_000 * MS;
    /** A link without streams is forgotten after this much silence. */
    static final long FORGET_NS = 3_600_000 * MS;

    private final Config config;
    private final Identity identity;
    private final Rng rng;
    private final Counters counters;
    private final Access access;
    private final Initiator initiator;
    private final Responder responder;
    private final Dialer dialer;
    private final Paths paths;
    private final Packets packets;

    private final Table links;
    private final Budget budget;
    private final Slots slots;
    private final Outbox outbox;
    private final ArrayDeque<LinkOutput> outputs = new ArrayDeque<>();
    private final ArrayDeque<Link> dirty = new ArrayDeque<>();
    final Deadlines deadlines = new Deadlines();
    private final byte[] plain = new byte[PathMtu.TOP];
    private final byte[] sealed = new byte[PathMtu.TOP];
    /** The mark of the datagram at hand, and the end of this host's that it came to. */
    int arrivedEcn;

    int arrivedLocal;

    private long epochMs;
    private long epochAtNs;

    private final Counter malformed;
    private final Counter unknown;
    private final Counter forged;
    private final Counter replayed;
    private final Counter rxBytes;
    private final Counter txBytes;
    private final Counter rxPackets;
    private final Counter txPackets;

    public Links(Config config, Identity identity, Rng rng, Counters counters) {
        this.config = config;
        this.identity = identity;
        this.rng = rng;
        this.counters = counters;
        links = new Table(config.linksMax());
        budget = new Budget(mcc.stream.Config.BUDGET_BYTES, counters);
        outbox = new Outbox(counters);
        slots = new Slots(rng.split());
        paths = new Paths(this, rng.split(), counters);
        access = new Access(this, links, identity.id(), counters);
        initiator = new Initiator(this, config, identity, access, rng.split(), counters);
        responder = new Responder(this, config, identity, access, rng.split(), counters);
        dialer = new Dialer(this, config, identity, access, rng.split(), counters);
        packets = new Packets(this, initiator, paths, counters);
        malformed = counters.of("link.datagram.malformed");
        unknown = counters.of("link.datagram.unknown-receiver");
        forged = counters.of("link.datagram.forged");
        replayed = counters.of("link.datagram.replayed");
        rxBytes = counters.of("udp.rx.bytes");
        txBytes = counters.of("udp.tx.bytes");
        rxPackets = counters.of("udp.rx.packets");
        txPackets = counters.of("udp.tx.packets");
    }

    // ---- inbound ----------------------------------------------------------------------------------------------------

    /** The same, without a mark, at a host with one end. */
    public void receive(long nowNs, byte[] buf, int offset, int length, Address from) {
        receive(nowNs, buf, offset, length, from, PacketSink.ANY, 0);
    }

    /**
     * Takes one datagram; its bytes are borrowed until return. Never throws for what a peer sent.
     *
     * @param local the end of this host's that it came to: what answers it is sent with this number
     *     ({@link PacketSink#send(int, Address, byte[], int, int, int)})
     * @param ecn the mark of congestion that it came with
     */
    public void receive(long nowNs, byte[] buf, int offset, int length, Address from, int local, int ecn) {
        arrivedLocal = local;
        arrivedEcn = ecn;
        rxBytes.add(length);
        rxPackets.add();
        if (Transport.looksLike(buf, offset, length)) onTransport(nowNs, buf, offset, length, from);
        else onHandshake(nowNs, buf, offset, length, from);
    }

    /**
     * The system was told that nobody listens at an address. Anybody may have said so; so the peers there are asked, and one that
     * does not answer is gone.
     */
    public void refused(long nowNs, Address at) {
        paths.refused(nowNs, links.all(), at);
    }

    private void onTransport(long nowNs, byte[] buf, int offset, int length, Address from) {
        if (!Transport.isWellFormed(buf, offset, length) || length - Transport.OVERHEAD_BYTES > plain.length) {
            malformed.add();
            return;
        }
        switch (slots.find(Transport.receiver(buf, offset))) {
            case Slot.Established(Link link, Session session) ->
                onSealed(nowNs, link, session, buf, offset, length, from);
            case Slot.Responding(Responder.Pending pending)
            when pending.session != null -> {
                int n = open(pending.session, buf, offset, length, nowNs);
                if (n < 0) return;
                Link link = responder.promote(nowNs, pending, from);
                if (link != null) onOpened(nowNs, link, n, buf, offset, from, length);
            }
            case Slot.Dialing(Dial dial)
            when dial.link != null && dial.session != null -> {
                int n = open(dial.session, buf, offset, length, nowNs);
                if (n < 0) return;
                Link link = dial.link;
                dialer.confirmed(nowNs, dial, from);
                onOpened(nowNs, link, n, buf, offset, from, length);
            }
            case null, default -> unknown.add();
        }
    }

    private void onSealed(long nowNs, Link link, Session session, byte[] buf, int offset, int length, Address from) {
        boolean frames = Transport.kind(buf, offset) == Transport.FRAMES;
        int n = frames
                ? open(session, buf, offset, length, nowNs)
                : packets.receive(nowNs, link, session, buf, offset, length);
        if (n < 0) return;
        boolean newest = session == link.current && session.isNewest(buf, offset);
        paths.heard(nowNs, link, arrivedLocal, from, length, newest);
        if (frames) onFrames(nowNs, link, n, from, length);
    }

    private void onOpened(long nowNs, Link link, int n, byte[] buf, int offset, Address from, int datagramBytes) {
        if (Transport.kind(buf, offset) == Transport.FRAMES) onFrames(nowNs, link, n, from, datagramBytes);
        else packets.copied(nowNs, link, buf, offset, plain, n);
    }

    /** Opens into {@link #plain}; negative when the packet proves nothing. */
    private int open(Session session, byte[] buf, int offset, int length, long nowNs) {
        if (!session.isAlive(nowNs)) {
            unknown.add();
            return -1;
        }
        return counted(session.open(buf, offset, length, plain, 0));
    }

    int counted(int n) {
        if (n == Session.FORGED) forged.add();
        else if (n == Session.REPLAYED) replayed.add();
        return n;
    }

    private void onFrames(long nowNs, Link link, int n, Address from, int datagramBytes) {
        link.heard(nowNs, datagramBytes);
        link.remoteHeard |= !Frames.isBareMessage(plain, 0, n);
        if (Frames.isControl(plain, 0, n)) {
            onControl(nowNs, link, n, from);
        } else if (Frames.isBareMessage(plain, 0, n)) {
            onBareMessage(nowNs, link, n);
        } else if (link.connection.receive(nowNs, plain, 0, n, arrivedEcn == CE)) {
            if (link.current != null) link.current.used(nowNs);
        }
        drain(nowNs, link);
        touch(link);
    }

    private void onBareMessage(long nowNs, Link link, int n) {
        FramesReader reader = new FramesReader();
        reader.begin(plain, 0, n);
        if (reader.next() && reader.kind() == Frames.MESSAGE) onMessage(nowNs, link, reader.message());
        else malformed.add();
    }

    private void onControl(long nowNs, Link link, int n, Address from) {
        int at = Frames.controlOffset(plain, 0, n);
        Control control = at < 0 ? null : Handshakes.control(plain, at, n - at);
        if (control == null) {
            malformed.add();
            return;
        }
        switch (control.getKindCase()) {
            case PATH_CHALLENGE, MTU_PROBE -> sendControl(nowNs, link, arrivedLocal, from, Paths.answer(control));
            case MTU_RESPONSE -> paths.mtuAnswered(nowNs, link, control.getMtuResponse());
            case PATH_RESPONSE -> paths.answered(nowNs, link, control.getPathResponse());
            case OBSERVED -> {
                Address self = Handshakes.address(control.getObserved());
                if (self != null) observed(link.peer, from, self);
            }
            case CLOSE -> forget(link, Reason.CLOSED);
            case KEEPALIVE, KIND_NOT_SET -> {}
        }
    }

    private void onHandshake(long nowNs, byte[] buf, int offset, int length, Address from) {
        Datagram d = Handshakes.datagram(buf, offset, length);
        if (d == null) {
            malformed.add();
            return;
        }
        switch (d.getKindCase()) {
            case INITIATION -> responder.onInitiation(nowNs, d.getInitiation(), false, from, length);
            case XX_INITIATION -> responder.onInitiation(nowNs, d.getXxInitiation(), true, from, length);
            case RESPONSE -> {
                if (slots.find(d.getResponse().getReceiver()) instanceof Slot.Initiating(Link link)) {
                    initiator.onResponse(nowNs, link, d.getResponse(), from, length);
                } else unknown.add();
            }
            case XX_RESPONSE -> {
                if (slots.find(d.getXxResponse().getReceiver()) instanceof Slot.Dialing(Dial dial)) {
                    dialer.onResponse(nowNs, dial, d.getXxResponse(), from);
                } else unknown.add();
            }
            case XX_FINAL -> {
                switch (slots.find(d.getXxFinal().getReceiver())) {
                    case Slot.Responding(Responder.Pending pending) ->
                        responder.onFinal(nowNs, pending, d.getXxFinal(), from);
                    // Repeated, because the confirmation was lost: confirm again, to the address in use.
                    case Slot.Established(Link link, Session _)
                    when link.path != null -> control(link, Paths.observed(link.path.remote));
                    case null, default -> unknown.add();
                }
            }
            case COOKIE -> {
                switch (slots.find(d.getCookie().getReceiver())) {
                    case Slot.Initiating(Link link) -> initiator.onCookie(nowNs, link, d.getCookie(), from);
                    case Slot.Dialing(Dial dial) -> dialer.onCookie(nowNs, dial, d.getCookie());
                    case null, default -> unknown.add();
                }
            }
            case FRAMES, PACKET, PACKET_NEEDS_CSUM, PACKET_PART, KIND_NOT_SET -> malformed.add();
        }
    }

    // ---- outbound ---------------------------------------------------------------------------------------------------

    /** Lends every datagram that is due to {@code out}, until all is said or {@code out} is full. */
    public void transmit(long nowNs, PacketSink out) {
        outbox.transmit(this, out);
        while (out.ready() && !dirty.isEmpty()) {
            Link link = dirty.removeFirst();
            link.dirty = false;
            if (link.gone) continue;
            if (transmit(nowNs, link, out)) touch(link);
            drain(nowNs, link);
            schedule(link);
        }
    }

    /** Sends what one link has, up to a burst; true when there may be more. */
    private boolean transmit(long nowNs, Link link, PacketSink out) {
        Session session = link.current;
        Path path = link.path;
        if (session == null || path == null || !session.isAlive(nowNs)) {
            if (link.wantsKeys()) initiator.begin(nowNs, link);
            return false;
        }
        while (!link.controls.isEmpty() && out.ready()) {
            byte[] control = link.controls.removeFirst();
            sealAndSend(nowNs, link, session, out, path, control, control.length);
        }
        int max = paths.datagramBytes(nowNs, link, path) - Transport.OVERHEAD_BYTES;
        for (int i = 0; i < BURST; i++) {
            if (!out.ready()) return true;
            int n = link.connection.transmit(nowNs, plain, 0, max);
            if (n == 0) return false;
            if (n > PathMtu.BASE / 2 && path.mtu.isDue(nowNs)) paths.beginMtu(nowNs, link, path);
            sealAndSend(nowNs, link, session, out, path, plain, n);
            session.used(nowNs);
            if (session.isDue(nowNs)) initiator.begin(nowNs, link);
        }
        return true;
    }

    private void sealAndSend(
            long nowNs, Link link, Session session, PacketSink out, Path path, byte[] frames, int length) {
        int n = session.seal(Transport.FRAMES, frames, 0, length, sealed, 0);
        link.sentNs = nowNs;
        link.txBytes += n;
        send(out, path.local, path.remote, sealed, n, 0);
    }

    void send(PacketSink out, int local, Address to, byte[] bytes, int length, int ecn) {
        txBytes.add(length);
        txPackets.add();
        out.send(local, to, bytes, 0, length, ecn);
    }

    // ---- commands ---------------------------------------------------------------------------------------------------

    @Override
    public void handle(long nowNs, LinkInput input) {
        switch (input) {
            case LinkInput.Ask a -> ask(nowNs, a);
            case LinkInput.Cancel c -> initiator.cancel(c.peer(), c.call(), dialer);
            case LinkInput.Reply r -> reply(nowNs, r);
            case LinkInput.Dial d -> dialer.begin(nowNs, d.ticket(), d.to());
            case LinkInput.NewPolicy p -> access.govern(nowNs, p.epoch(), responder, dialer);
            case LinkInput.WallClock c -> {
                epochMs = c.epochMs();
                epochAtNs = nowNs;
            }
            case LinkInput.Tell _ -> links.all().forEach(link -> link.tell(outputs::add));
            case LinkInput.Shutdown _ -> shutdown(nowNs);
            case LinkInput.Tick _ -> tick(nowNs);
        }
    }

    private void ask(long nowNs, LinkInput.Ask a) {
        Link link = link(nowNs, a.to());
        if (link == null) {
            outputs.add(new LinkOutput.Unanswered(a.to().node(), a.call(), Reason.REFUSED));
            return;
        }
        if (link.calls.size() >= Link.CALLS_MAX) {
            link.calls.remove(link.calls.keySet().iterator().next());
        }
        link.calls.put(a.call(), nowNs);
        Bytes message = Rpc.encode(new Rpc(a.call(), a.request()));
        if (link.canSend(nowNs)) {
            if (!link.connection.send(message)) {
                outputs.add(new LinkOutput.Unanswered(link.peer, a.call(), Reason.OVERLOADED));
                return;
            }
            expect(nowNs, link);
        } else {
            if (link.waiting.size() >= Link.WAITING_MAX) {
                counters.add("link.waiting.dropped");
                Link.Waiting old = link.waiting.removeFirst();
                outputs.add(new LinkOutput.Unanswered(link.peer, old.call(), Reason.OVERLOADED));
            }
            link.waiting.add(new Link.Waiting(a.call(), message));
            initiator.begin(nowNs, link);
        }
        touch(link);
        schedule(link);
    }

    private void reply(long nowNs, LinkInput.Reply r) {
        Bytes message = Rpc.encode(new Rpc(r.call(), r.answer()));
        Link link = links.find(r.to());
        if (link != null && link.canSend(nowNs)) {
            link.connection.send(message);
            touch(link);
            schedule(link);
            return;
        }
        Responder.Pending pending = responder.early(r.to(), r.call());
        if (pending == null || pending.session == null) {
            counters.add("link.reply.no-session");
            return;
        }
        FramesWriter writer = new FramesWriter();
        writer.begin(plain, 0, plain.length);
        writer.message(message);
        int n = writer.length();
        byte[] datagram = new byte[n + Transport.OVERHEAD_BYTES];
        if (datagram.length > pending.budgetBytes) {
            counters.add("link.early.over-budget");
            return;
        }
        pending.earlyCall = -1;
        pending.session.seal(Transport.FRAMES, plain, 0, n, datagram, 0);
        post(pending.local, pending.from, datagram);
    }

    private void shutdown(long nowNs) {
        for (Link link : links.snapshot()) end(nowNs, link, Reason.CLOSED);
    }

    /** Says goodbye to a peer and forgets it. */
    void end(long nowNs, Link link, Reason reason) {
        if (!link.gone && link.canSend(nowNs) && link.path != null) {
            Control.Builder close = Control.newBuilder().setClose(0);
            sendControl(nowNs, link, link.path.local, link.path.remote, close);
        }
        forget(link, reason);
    }

    private void tick(long nowNs) {
        responder.turn(nowNs);
        dialer.tick(nowNs);
        for (Link link; (link = deadlines.poll(nowNs)) != null; ) {
            tick(nowNs, link);
            deadlines.remove(link); // what the steps of this tick planned, others of them may have done
            schedule(link);
            if (link.dueNs > nowNs) continue;
            // A deadline that stays due would never let this loop end: every other peer is worth more than this one.
            counters.add("link.deadline.stuck");
            forget(link, Reason.OVERLOADED);
        }
    }

    private void tick(long nowNs, Link link) {
        if (link.connection.deadlineNs() <= nowNs) {
            link.connection.tick(nowNs);
            drain(nowNs, link);
            touch(link);
        }
        if (link.gone) return;
        if (link.nextAttemptNs <= nowNs) initiator.tick(nowNs, link);
        if (link.gone) return;
        if (link.expectingSinceNs() <= nowNs - SUSPECT_NS && link.nextAttemptNs == NEVER) {
            initiator.begin(nowNs, link);
            paths.probeOthers(nowNs, link);
        }
        paths.tick(nowNs, link);
        if (link.gone) return;
        if (link.wantedStreams() > 0 && nowNs - link.heardNs >= KEEPALIVE_NS && paths.probe(nowNs, link)) {
            expect(nowNs, link);
        }
        if (link.wantedStreams() == 0 && nowNs - Math.max(link.heardNs, link.sentNs) >= FORGET_NS) {
            forget(link, Reason.IDLE);
        }
    }

    @Override
    public @Nullable LinkOutput poll() {
        return outputs.poll();
    }

    @Override
    public long deadlineNs() {
        return Math.min(deadlines.nextNs(), Math.min(responder.deadlineNs(), dialer.deadlineNs()));
    }

    /** Returns whether {@link #transmit} has something to say. */
    public boolean wantsToTransmit() {
        return !outbox.isEmpty() || !dirty.isEmpty();
    }

    // ---- streams ----------------------------------------------------------------------------------------------------

    /** Opens a stream to a peer, with a handshake first where there is no session; −1 when refused. */
    public long open(long nowNs, Contact to) {
        Link link = link(nowNs, to);
        if (link == null) return -1;
        long stream = link.connection.open(nowNs);
        if (stream < 0) return -1;
        if (!link.canSend(nowNs)) initiator.begin(nowNs, link);
        return stream;
    }

    /** As {@link Connection#write}; −1 when the peer is gone. */
    public int write(long nowNs, Id peer, long stream, byte[] src, int offset, int length) {
        Link link = links.find(peer);
        if (link == null) return -1;
        int n = link.connection.write(nowNs, stream, src, offset, length);
        if (n > 0) touch(link);
        return n;
    }

    /** As {@link Connection#read}; −2 when the peer is gone. */
    public int read(long nowNs, Id peer, long stream, byte[] dst, int offset, int length) {
        Link link = links.find(peer);
        if (link == null) return -2;
        int n = link.connection.read(nowNs, stream, dst, offset, length);
        touch(link); // credit may be due
        return n;
    }

    /** As {@link Connection#unacknowledged}; 0 when the peer is gone. */
    public long unacknowledged(Id peer, long stream) {
        Link link = links.find(peer);
        return link == null ? 0 : link.connection.unacknowledged(stream);
    }

    /** As {@link Connection#finish}. */
    public void finish(long nowNs, Id peer, long stream) {
        Link link = links.find(peer);
        if (link == null) return;
        link.connection.finish(nowNs, stream);
        touch(link);
    }

    /** As {@link Connection#reset}. */
    public void reset(long nowNs, Id peer, long stream, int code) {
        Link link = links.find(peer);
        if (link == null) return;
        link.connection.reset(nowNs, stream, code);
        drain(nowNs, link);
        if (link.isUnwanted() && !dialer.isFinishing(link)) forget(link, Reason.UNREACHABLE);
        touch(link);
    }

    /** As {@link Connection#sendDatagram}; false when the peer is gone. */
    public boolean sendDatagram(long nowNs, Id peer, long stream, Bytes data) {
        Link link = links.find(peer);
        if (link == null || !link.connection.sendDatagram(nowNs, stream, data)) return false;
        touch(link);
        return true;
    }

    /** As {@link Connection#maxDatagramBytes}; 0 when the peer is gone. */
    public int maxDatagramBytes(Id peer) {
        Link link = links.find(peer);
        return link == null ? 0 : link.connection.maxDatagramBytes();
    }

    /** Datagrams of streams that wait to be sent to a peer, in bytes. */
    public long datagramBytes(Id peer) {
        Link link = find(peer);
        return link == null ? 0 : link.connection.datagramBytes();
    }

    /** Since when something of a peer is due and nothing was heard of it; {@link Core#NEVER} while nothing is. */
    public long expectingSinceNs(Id peer) {
        Link link = find(peer);
        return link == null ? NEVER : link.expectingSinceNs();
    }

    /** The door for packets of the virtual interface. */
    public Packets packets() {
        return packets;
    }

    // ---- observers --------------------------------------------------------------------------------------------------

    /** All peers, in the order in which they were met. */
    public List<Peer> peers() {
        return links.all().stream().map(Link::view).toList();
    }

    /** One peer; null when there is no link to it. */
    public @Nullable Peer peer(Id id) {
        Link link = links.find(id);
        return link == null ? null : link.view();
    }

    // ---- for this room ----------------------------------------------------------------------------------------------

    long epochMs(long nowNs) {
        return epochMs + (nowNs - epochAtNs) / MS;
    }

    void post(int local, Address to, byte[] datagram) {
        outbox.add(local, to, datagram);
    }

    Slots slots() {
        return slots;
    }

    void observed(Id by, Address at, Address self) {
        Link link = links.find(by);
        if (link != null) link.observed = self;
        outputs.add(new LinkOutput.Observed(by, at, self));
    }

    void asked(Subject from, Address at, Rpc rpc) {
        outputs.add(new LinkOutput.Asked(from, at, rpc.call(), rpc.body()));
    }

    void output(LinkOutput output) {
        outputs.add(output);
    }

    @Nullable
    Link find(Id peer) {
        return links.find(peer);
    }

    /** A session proved itself on both sides: it becomes the one to send with. */
    void established(long nowNs, Link link, Subject subject, Session session, Hello hello, Address from) {
        link.subject = subject;
        initiator.end(link); // an older attempt must not end what stands now
        if (link.current == null) link.upNs = nowNs;
        if (link.remoteKnown && link.remoteInstance != hello.instance()) {
            if (link.remoteHeard) restart(link);
            link.remoteHeard = false;
        }
        boolean up = link.current == null;
        link.remoteKnown = true;
        link.remoteInstance = hello.instance();
        link.agree(hello, config.connection());
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
        if (up) outputs.add(new LinkOutput.Up(subject, from));
        dialer.reached(link, from);
        counters.add("link.session.established");
        touch(link);
        schedule(link);
    }

    /** See {@link Initiator#begin(long, Link, Address)}. */
    void callAt(long nowNs, Link link, Address at) {
        initiator.begin(nowNs, link, at);
    }

    void control(Link link, byte[] frames) {
        if (link.controls.size() < 16) link.controls.add(frames);
        else counters.add("link.controls.dropped");
        touch(link);
    }

    @Nullable
    Link make(long nowNs, Id peer, byte[] peerStatic) {
        if (links.isFull()) {
            Link victim = links.victim();
            counters.add(victim == null ? "link.table.full" : "link.table.evicted");
            if (victim == null) return null;
            forget(victim, Reason.OVERLOADED);
        }
        Link link = new Link(peer, peerStatic, rng.nextLong(), connection(peer), nowNs);
        links.add(link);
        schedule(link);
        return link;
    }

    void touch(Link link) {
        if (link.dirty || link.gone) return;
        link.dirty = true;
        dirty.add(link);
    }

    void schedule(Link link) {
        if (link.gone) return;
        long at = Math.min(Paths.deadlineNs(link), Math.min(link.connection.deadlineNs(), link.nextAttemptNs));
        long expecting = link.expectingSinceNs();
        if (expecting != NEVER && link.nextAttemptNs == NEVER) at = Math.min(at, expecting + SUSPECT_NS);
        if (link.path != null && !link.path.isChallenged() && link.wantedStreams() > 0)
            at = Math.min(at, link.heardNs + KEEPALIVE_NS);
        if (link.wantedStreams() == 0) at = Math.min(at, Math.max(link.heardNs, link.sentNs) + FORGET_NS);
        deadlines.plan(at, link);
    }

    // ---- private ----------------------------------------------------------------------------------------------------

    void expect(long nowNs, Link link) {
        if (link.expectingNs == NEVER) link.expectingNs = nowNs;
    }

    /** Finds or makes the link to a contact and learns its addresses; null when its key is unsound or the table is full. */
    @Nullable
    Link link(long nowNs, Contact to) {
        Link link = links.find(to.node());
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
        return link;
    }

    private Connection connection(Id peer) {
        return new Connection(config.connection(), identity.id().compareTo(peer) < 0, rng.split(), budget, counters);
    }

    void sendControl(long nowNs, Link link, int local, Address to, Control.Builder control) {
        Session session = link.current;
        if (session == null || !session.isAlive(nowNs)) return;
        byte[] frames = Frames.control(control.build().toByteArray());
        byte[] datagram = new byte[frames.length + Transport.OVERHEAD_BYTES];
        session.seal(Transport.FRAMES, frames, 0, frames.length, datagram, 0);
        link.txBytes += datagram.length;
        link.sentNs = nowNs;
        post(local, to, datagram);
    }

    private void drain(long nowNs, Link link) {
        for (Event event; (event = link.connection.poll()) != null; ) {
            switch (event) {
                case Event.Message m -> onMessage(nowNs, link, m.bytes());
                case Event.Datagram e ->
                    outputs.add(new LinkOutput.StreamDatagram(link.subject(), e.stream(), e.data()));
                case Event.Opened e -> outputs.add(new LinkOutput.StreamOpened(link.subject(), e.stream()));
                case Event.Readable e -> outputs.add(new LinkOutput.StreamReadable(link.peer, e.stream()));
                case Event.Writable e -> outputs.add(new LinkOutput.StreamWritable(link.peer, e.stream()));
                case Event.Reset e -> outputs.add(new LinkOutput.StreamReset(link.peer, e.stream(), e.code()));
                case Event.Finished e -> outputs.add(new LinkOutput.StreamFinished(link.peer, e.stream()));
                case Event.Broken _ -> {
                    counters.add("link.peer.broken");
                    forget(link, Reason.REFUSED);
                    return;
                }
            }
        }
    }

    private void onMessage(long nowNs, Link link, Bytes body) {
        Rpc rpc = Rpc.decode(body.toArray(), 0, body.size(), counters);
        if (rpc == null || link.path == null) return;
        Address at = link.path.remote;
        if (rpc.body().isRequest()) {
            asked(link.subject(), at, rpc);
            return;
        }
        Long asked = link.calls.remove(rpc.call());
        if (asked == null) {
            counters.add("link.answer.unasked");
            return;
        }
        long rttNs = nowNs - asked;
        link.answered(asked, nowNs);
        outputs.add(new LinkOutput.Answered(link.peer, at, rpc.call(), rpc.body(), rttNs));
    }

    void forget(Link link, Reason reason) {
        if (link.gone) return;
        link.gone = true;
        link.connection.discard();
        links.remove(link);
        deadlines.remove(link);
        initiator.end(link);
        outputs.add(new LinkOutput.StreamsLost(link.peer));
        for (Link.Waiting w : link.waiting) outputs.add(new LinkOutput.Unanswered(link.peer, w.call(), reason));
        boolean wasUp = link.current != null;
        retire(link.current);
        retire(link.previous);
        if (wasUp) outputs.add(new LinkOutput.Down(link.peer, reason));
    }

    /** The peer lost its end: this end begins anew too. */
    void restart(Link link) {
        counters.add("link.peer.restarted");
        outputs.add(new LinkOutput.StreamsLost(link.peer));
        retire(link.current);
        retire(link.previous);
        link.current = null;
        link.previous = null;
        link.connection.discard();
        link.connection = connection(link.peer);
        link.agreed = false;
        paths.restarted(link);
    }

    private void retire(@Nullable Session session) {
        if (session != null) slots.release(session.localIndex());
    }
}
