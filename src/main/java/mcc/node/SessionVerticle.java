package mcc.node;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import mcc.consortium.PolicyEpoch;
import mcc.core.Address;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.crypto.Identity;
import mcc.link.LinkConfig;
import mcc.link.LinkInput;
import mcc.link.LinkOutput;
import mcc.link.Links;
import mcc.link.PacketSink;
import mcc.link.PathReport;
import mcc.link.Peer;
import mcc.link.UpkeepCost;
import mcc.overlay.Mailbox;
import mcc.overlay.Wiring;
import mcc.udp.DatagramHandler;
import mcc.udp.Detour;
import mcc.udp.PacketLoop;
import mcc.udp.UdpSockets;
import mcc.wire.Contact;
import mcc.wire.Message;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The packet loop: owns the UDP sockets and hosts {@link Links}.
 *
 * <p>One turn: take a batch of datagrams, pass outputs to the bus and the stream ports, send datagrams, arm one timer.
 */
public final class SessionVerticle extends VerticleBase implements Resident, DatagramHandler {
    /** Queries to the session verticle. */
    public sealed interface Query {
        /** All peers; answered by a list of {@link Peer}. */
        record Peers() implements Query, Ask<List<Peer>> {}

        /** What became of the paths to a peer. */
        record Paths(Id peer) implements Query, Ask<PathReport> {}

        /** The peers' addresses in the virtual interface, by node. */
        record InnerAddresses() implements Query, Ask<Map<Id, List<String>>> {}

        /** Pings a peer; answered by the round-trip time in nanoseconds, −1 for no answer. */
        record Ping(Contact to) implements Query, Ask<Long> {}

        /** Opens a stream; answered at once: what is written waits for the session. */
        record Open(Contact to) implements Query, Ask<StreamPort> {}

        /** Access to streams without further messages on the bus; for a {@link Resident}. */
        record Streams() implements Query, Ask<StreamAccess> {}

        /** The counts so far. */
        record Counts() implements Query, Ask<List<Counters.Count>> {}

        /** What keeping the node in its network costs; empty in the first minutes. */
        record Cost() implements Query, Ask<Optional<UpkeepCost.Report>> {}

        /** The carriers as the packet loop sees them. */
        record Carriers() implements Query, Ask<CarrierLines> {}

        /** When a peer was last heard by UDP itself; {@link Long#MIN_VALUE} before. */
        record UdpHeard() implements Query, Ask<Long> {}

        /** The UDP addresses in use. */
        record Listening() implements Query, Ask<List<Address>> {}

        /** Opens an ephemeral end for the asker, who closes it. */
        record OpenEnd(boolean v4) implements Query, Ask<UdpSockets.Ephemeral> {}

        record CloseEnd(int number) implements Query, Ask<Ask.Done> {}
    }

    /** One port of an endpoint of this host. */
    public record EndpointPort(Id endpoint, boolean udp, int port) {}

    /**
     * Where this node listens for its endpoints, at {@link mcc.tun.Redirect#listenerAddress}.
     *
     * @param ports the listeners' ports, by the ports of the endpoints
     */
    public record Listeners(Map<EndpointPort, Integer> ports) {}

    private static final Logger LOG = LoggerFactory.getLogger(SessionVerticle.class);
    private static final int PINGS_MAX = 256;
    private static final long PING_MS = 2_000;
    private static final long CLOCK_NS = 60_000_000_000L;

    private final Bus bus;
    private final Links core;
    private final List<Address> listen;
    private final boolean offload;
    private final Rng rng;
    private final Counters counters = new Counters();
    private final UpkeepCost upkeep = new UpkeepCost(counters);
    private final Map<Long, Promise<Long>> pings = new HashMap<>();
    private final UdpSockets sockets = new UdpSockets(counters);

    private final @Nullable TunPort tun;
    private final @Nullable Detour detour;
    private final LoopSink sink = new LoopSink();
    /** Whether nothing is sent or taken by UDP. */
    private final boolean carriersOnly;

    private @Nullable CarrierLines lines;
    private volatile PacketLoop.@Nullable Watch tunWatch;
    private boolean tunWatched = true;
    private @Nullable PacketLoop loop;
    private @Nullable Links links;
    private @Nullable StreamHub hub;
    private @Nullable Runnable timer;
    private long armedNs = Core.NEVER;
    private long clockNs;

    /**
     * @param offload whether the kernel is to cut and join super-packets, where it can
     * @param via where all datagrams go and come from; null for the network
     * @param carriersOnly whether nothing is to be sent or taken by UDP
     * @param device the virtual interface, which belongs to its opener; null for none
     */
    SessionVerticle(
            Bus bus,
            Identity identity,
            LinkConfig config,
            List<Address> listen,
            boolean offload,
            @Nullable Address via,
            boolean carriersOnly,
            Rng rng,
            TunPort.@Nullable Setup device) {
        detour = via == null ? null : new Detour(via);
        this.carriersOnly = carriersOnly;
        this.bus = bus;
        this.listen = List.copyOf(listen);
        this.offload = offload;
        this.rng = rng;
        core = new Links(config, identity, rng, counters);
        tun = device == null ? null : new TunPort(device, bus, sink, counters);
    }

    @Override
    public Future<?> start() {
        PacketLoop loop = new PacketLoop(context);
        this.loop = loop;
        return Policies.follow(bus, this::govern)
                // Registering with the loop blocks.
                .compose(_ -> vertx.executeBlocking(() -> {
                    for (Address address : listen) bind(loop, address);
                    return loop;
                }))
                .onFailure(_ -> sockets.close())
                .onSuccess(this::begin)
                .compose(_ -> vertx.executeBlocking(() -> watch(loop)));
    }

    private boolean watch(PacketLoop loop) {
        TunPort tun = this.tun;
        if (tun == null) return false;
        tunWatch = loop.watch(tun.descriptor(), () -> {
            if (!tun.read(System.nanoTime())) unwatch(tun);
            turn();
        });
        return true;
    }

    /** Somebody removed the interface; its descriptor would stay ready for ever. */
    private void unwatch(TunPort tun) {
        PacketLoop.Watch watch = tunWatch;
        if (watch == null) return;
        tunWatch = null;
        watch.end();
        tun.tellGone();
    }

    /** While no socket can send, the host's packets wait in the kernel, and the loop is not woken for them. */
    private void watchTunWhile(boolean ready) {
        PacketLoop.Watch watch = tunWatch;
        if (watch == null || ready == tunWatched) return;
        tunWatched = ready;
        watch.wants(ready, false);
    }

    private void bind(PacketLoop loop, Address address) {
        try {
            sockets.bind(loop, address, offload, this);
        } catch (IOException e) {
            String why = "cannot listen on UDP " + address + ": " + Problem.text(e);
            boolean optional = !address.isV4() && address.isUnspecified() && listen.size() > 1;
            if (!optional) {
                throw new Problem(
                        "listen",
                        why,
                        "stop what holds the port, or choose another with --listen HOST:PORT (port 0: any free one)");
            }
            LOG.warn("no IPv6: {}", why);
        }
    }

    private void begin(PacketLoop loop) {
        Links links = core;
        this.links = links;
        lines = new CarrierLines(loop, this, counters);
        links.relayBy(sink);
        hub = new StreamHub(loop, links, counters, this::turn);
        if (tun != null) host(tun, loop, links);
        bus.on(Bus.LINKS, this::onInput);
        bus.serve(Bus.SESSION, this::onQuery);
        tellTime();
        turn();
        Deliveries.post(bus, Wiring.started(Mailbox.LINKS));
    }

    private void govern(PolicyEpoch epoch) {
        long nowNs = System.nanoTime();
        core.handle(nowNs, new LinkInput.NewPolicy(epoch));
        if (tun != null) tun.govern(nowNs, epoch);
        turn();
    }

    /** The registry publishes the endpoints when it starts and at each change; after a restart of this verticle it is asked. */
    private void host(TunPort tun, PacketLoop loop, Links links) {
        tun.attach(loop, links, this::turn);
        bus.on(Bus.OFFERS, offers -> tun.offer(offers.all()));
        bus.on(Bus.LISTENERS, listeners -> tun.listen(listeners.ports()));
        bus.ask(Bus.REGISTRY, new RegistryVerticle.Query.Registrations())
                .onSuccess(views -> loop.execute(() -> tun.offer(views)));
    }

    /** Frees everything that the next one needs, even if saying goodbye fails. */
    @Override
    public Future<?> stop() {
        try {
            if (hub != null) hub.close();
            if (links != null) links.handle(System.nanoTime(), new LinkInput.Shutdown());
            turn();
        } finally {
            links = null;
            if (timer != null) timer.run();
            sockets.close();
            if (lines != null) lines.close();
            PacketLoop.Watch watch = tunWatch;
            if (watch != null) watch.end();
        }
        return Future.succeededFuture();
    }

    // ---- the loop ---------------------------------------------------------------------------------------------------

    @Override
    public void onDatagram(byte[] buf, int offset, int length, Address from, int local, int ecn) {
        if (links == null || carriersOnly && !from.isCarrier()) return;
        if (detour == null || from.isCarrier()) {
            links.receive(System.nanoTime(), buf, offset, length, from, local, ecn);
            return;
        }
        Address origin = detour.origin(buf, offset, length, from);
        if (origin == null) return;
        int header = Detour.HEADER_BYTES;
        links.receive(System.nanoTime(), buf, offset + header, length - header, origin, local, ecn);
    }

    @Override
    public void onRefused(Address at) {
        if (links != null && detour == null) links.refused(System.nanoTime(), at);
    }

    /** One turn serves all batches that the loop got meanwhile, so that what is sent leaves together. */
    @Override
    public void onTurn() {
        if (hub != null) hub.schedule();
    }

    private void turn() {
        Links links = this.links;
        StreamHub hub = this.hub;
        if (links == null || hub == null) return;
        long nowNs = System.nanoTime();
        if (tun != null) tun.turn(nowNs);
        if (links.deadlineNs() <= nowNs) links.handle(nowNs, new LinkInput.Tick());
        hub.turning(true);
        for (int i = 0; i < 4; i++) {
            deliver(links, hub);
            links.transmit(nowNs, sink);
            if (!sink.ready() || !links.wantsToTransmit()) break;
        }
        hub.turning(false);
        deliver(links, hub);
        if (sink.ready() && links.wantsToTransmit()) hub.schedule();
        sockets.flush();
        if (lines != null) lines.flush();
        watchTunWhile(sink.ready());
        if (nowNs - clockNs > CLOCK_NS) tellTime();
        arm(links);
    }

    @Override
    public void onFailure(Throwable cause) {
        if (loop != null) loop.failed(cause);
    }

    private void onInput(LinkInput input) {
        Links links = this.links;
        if (links == null) return;
        links.handle(System.nanoTime(), input);
        turn();
    }

    private void deliver(Links links, StreamHub hub) {
        for (LinkOutput output; (output = links.poll()) != null; ) {
            switch (output) {
                case LinkOutput.StreamOpened o -> opened(hub, hub.port(o.peer().node(), o.peer(), o.stream()));
                case LinkOutput.OfStream o -> hub.told(o);
                case LinkOutput.Up o -> {
                    if (tun != null) tun.learn(o.node().node());
                    Deliveries.offer(bus, Wiring.route(output), counters);
                    event("peer.up", o.node().node(), new JsonObject().put("address", o.at().toString()));
                }
                case LinkOutput.Down o -> {
                    Deliveries.post(bus, Wiring.route(output)); // if it were lost, what the peer had would be kept
                    event("peer.down", o.node(), new JsonObject().put("reason", Registrations.lower(o.reason())));
                }
                case LinkOutput.Unbound _ -> Deliveries.post(bus, Wiring.route(output));
                case LinkOutput.PolicyEnded o -> Policies.tellEnded(bus, o.epoch(), "links", o.links());
                case LinkOutput.Answered o when pong(o.call(), o.rttNs()) -> {}
                case LinkOutput.Unanswered o when pong(o.call(), -1) -> {}
                case LinkOutput.Asked _,
                        LinkOutput.Answered _,
                        LinkOutput.Unanswered _,
                        LinkOutput.Observed _,
                        LinkOutput.Stands _,
                        LinkOutput.Echoed _,
                        LinkOutput.DialledBack _,
                        LinkOutput.Unsolicited _,
                        LinkOutput.Dialled _,
                        LinkOutput.NotDialled _,
                        LinkOutput.Offers _,
                        LinkOutput.Moved _,
                        LinkOutput.WayWanted _ -> Deliveries.offer(bus, Wiring.route(output), counters);
            }
        }
    }

    private void opened(StreamHub hub, StreamPort port) {
        if (hub.offer(port) || bus.offer(Bus.INCOMING, port)) return;
        counters.add("bus.refused");
        port.cancel();
    }

    private void event(String type, Id peer, JsonObject data) {
        bus.publish(Bus.EVENTS, new NodeEvent(type, data.put("peer", peer.toString())));
    }

    private void arm(Links links) {
        PacketLoop loop = this.loop;
        long due = tun == null ? links.deadlineNs() : Math.min(links.deadlineNs(), tun.deadlineNs());
        if (loop == null || due == armedNs) return;
        if (timer != null) timer.run();
        timer = null;
        armedNs = due;
        if (due == Core.NEVER) return;
        timer = loop.after(Math.max(0, due - System.nanoTime()), () -> {
            armedNs = Core.NEVER;
            timer = null;
            turn();
        });
    }

    private void tellTime() {
        clockNs = System.nanoTime();
        upkeep.tick(clockNs);
        if (links != null) links.handle(clockNs, new LinkInput.WallClock(System.currentTimeMillis()));
    }

    /** Asking for a ping or a stream is a step of the links: if it throws, their state is not to be trusted. */
    private Ask.Reply onQuery(Query query) {
        boolean step = query instanceof Query.Ping || query instanceof Query.Open;
        try {
            return answer(query);
        } catch (RuntimeException e) {
            throw step ? new Broken(e) : e;
        }
    }

    private Ask.Reply answer(Query query) {
        Links links = this.links;
        StreamHub hub = this.hub;
        CarrierLines lines = this.lines;
        if (links == null || hub == null || lines == null) return Ask.Reply.failed(notReady());
        return switch (query) {
            case Query.Peers q -> q.reply(links.peers());
            case Query.Paths q -> q.reply(links.paths(System.nanoTime(), q.peer()));
            case Query.InnerAddresses q -> q.reply(innerAddresses(links));
            case Query.Counts q -> q.reply(counters.snapshot());
            case Query.Cost q -> q.reply(Optional.ofNullable(upkeep.report()));
            case Query.Carriers q -> q.reply(lines);
            case Query.UdpHeard q -> q.reply(links.udpHeardNs());
            case Query.Listening q -> q.reply(sockets.addresses());
            case Query.OpenEnd q -> q.replyOnce(open(q.v4()));
            case Query.CloseEnd q -> {
                sockets.close(q.number());
                yield q.reply(new Ask.Done());
            }
            case Query.Ping ping -> ping.replyOnce(ping(links, ping.to()));
            case Query.Open open -> open.reply(hub.open(open.to()));
            case Query.Streams q -> q.reply(new StreamAccess(hub));
        };
    }

    private Future<UdpSockets.Ephemeral> open(boolean v4) {
        PacketLoop loop = this.loop;
        return loop == null ? Future.failedFuture(notReady()) : sockets.open(context, loop, v4, this);
    }

    private Map<Id, List<String>> innerAddresses(Links links) {
        Map<Id, List<String>> out = new HashMap<>();
        if (tun == null) return out;
        for (Peer peer : links.peers()) {
            List<String> addresses = tun.addresses(peer.id());
            if (!addresses.isEmpty()) out.put(peer.id(), addresses);
        }
        return out;
    }

    private Future<Long> ping(Links links, Contact to) {
        if (pings.size() >= PINGS_MAX) {
            return Future.failedFuture(
                    new Problem("overloaded", "too many pings are under way", "try again in a second"));
        }
        long call = rng.nextLong();
        Promise<Long> promise = Promise.promise();
        pings.put(call, promise);
        links.handle(System.nanoTime(), new LinkInput.Ask(to, call, new Message.Ping()));
        turn();
        vertx.setTimer(PING_MS, _ -> pong(call, -1));
        return promise.future();
    }

    private boolean pong(long call, long rttNs) {
        Promise<Long> promise = pings.remove(call);
        if (promise == null) return false;
        promise.tryComplete(rttNs);
        return true;
    }

    private static Problem notReady() {
        return new Problem("node-not-ready", "the session verticle is starting", "try again in a second");
    }

    /** Keeps datagrams from being sent into the virtual interface, from where they would come back. */
    private final class LoopSink implements PacketSink {
        @Override
        public boolean ready() {
            return sockets.ready();
        }

        @Override
        public void cut() {
            sockets.cut();
        }

        @Override
        public void send(Address to, byte[] buf, int offset, int length) {
            send(ANY, to, buf, offset, length, 0);
        }

        @Override
        public void send(int local, Address to, byte[] buf, int offset, int length, int ecn) {
            CarrierLines carriers = lines;
            if (to.isCarrier() && carriers != null) carriers.send(to, buf, offset, length);
            else if (carriersOnly || to.isCarrier()) counters.add("udp.unused");
            else if (detour != null) detour.send(sockets, local, to, buf, offset, length, ecn);
            else if (tun == null || !tun.takesBack(to)) sockets.send(local, to, buf, offset, length, ecn);
        }

        @Override
        public void sendShort(int local, Address to, byte[] buf, int offset, int length) {
            if (carriersOnly) counters.add("udp.unused");
            else if (tun == null || !tun.takesBack(to)) sockets.sendShort(local, to, buf, offset, length);
        }
    }
}
