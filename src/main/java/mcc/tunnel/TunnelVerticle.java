package mcc.tunnel;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.LongSupplier;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.RateLimit;
import mcc.link.Peer;
import mcc.node.Addresses;
import mcc.node.Ask;
import mcc.node.Bus;
import mcc.node.Node;
import mcc.node.NodeEvent;
import mcc.node.Problem;
import mcc.node.RegistryVerticle;
import mcc.node.Resident;
import mcc.node.SessionVerticle;
import mcc.node.StoreVerticle;
import mcc.registry.Health;
import mcc.registry.Offer;
import mcc.registry.ServiceName;
import mcc.tun.InnerAddress;
import mcc.tun.Redirect;
import mcc.wire.Contact;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Forwards, the SOCKS5 proxy and the providers' side of both: owns every local socket of tunnels. */
public final class TunnelVerticle extends VerticleBase implements Resident {
    /** What may be asked. */
    public sealed interface Query {
        /** Answered by one tunnel, as JSON. */
        sealed interface One extends Query, Ask<JsonObject> {}

        /**
         * Opens a forward; answered by it once it listens and is on disk.
         *
         * @param listen {@code HOST:PORT}; port 0 picks a free one
         * @param protocol tcp or udp; null for UDP where every provider speaks it, else TCP
         */
        record Open(Target target, String listen, @Nullable String protocol) implements One {}

        /** Answered by an array of all tunnels as JSON. */
        record All() implements Query, Ask<JsonArray> {}

        /** As it is now. */
        record Show(String id) implements One {}

        /** Answered by columns of throughput as JSON. */
        record Stats(String id, int rangeSeconds, int stepSeconds) implements Query, Ask<JsonObject> {}

        /** Answered by how the provider was reached over time, as JSON. */
        record Path(String id) implements Query, Ask<JsonObject> {}

        /**
         * Answered by the measurement's ID, as text, when it has begun; events tell the rest.
         *
         * @param seconds how long, 1 to {@link TunnelVerticle#MEASURE_MAX}
         */
        record Measure(Contact to, int seconds) implements Query, Ask<String> {}

        /** Closes a tunnel with all its connections; answered by it as it was. */
        record Close(String id) implements One {}

        /** Answered by totals as JSON. */
        record Totals() implements Query, Ask<JsonObject> {}

        /** Answered by a list of {@link Counters.Count}. */
        record Counts() implements Query, Ask<List<Counters.Count>> {}
    }

    /** Questions to the tunnels. */
    public static final Bus.Address<Query> ASK = new Bus.Address<>("mcc.tunnel");

    /** Longest measurement, in seconds. */
    public static final int MEASURE_MAX = 60;
    /** Tunnels open at a time. */
    static final int TUNNELS_MAX = 256;
    /** Connections of one tunnel: as many as a link has streams. */
    static final int CONNECTIONS_MAX = 10_000;
    /** Flows of all UDP forwards of a node. */
    static final int FLOWS_MAX = 8_192;
    /** A provider that failed is asked last for so long. */
    static final long SUSPECT_NS = 10_000_000_000L;

    /** A connection starts with the providers known for so long; those found meanwhile serve the next one. */
    private static final long KNOWN_MS = 10_000;

    /** Refused connections that a tunnel tells of at once; of more it tells one a second, and counts them all. */
    private static final int TOLD_MAX = 20;

    private static final int SUSPECTS_MAX = 1024;
    private static final Logger LOG = LoggerFactory.getLogger(TunnelVerticle.class);
    private static final String MAP = "tunnels";

    private final Bus bus;
    private final Node.Parts parts;
    private final Map<String, Tunnel> tunnels = new LinkedHashMap<>();
    private final Map<Id, Long> suspects = new LinkedHashMap<>();
    private final Totals totals = new Totals();
    private final Counters counters = new Counters();
    private final RateLimit<String> tellings = new RateLimit<>(1, TOLD_MAX, TUNNELS_MAX);
    private final Admission admission;
    private final long idleNs;
    private @Nullable Provider provider;
    private @Nullable Loads loads;
    private @Nullable Hosted hosted;
    private TcpSocket.@Nullable Listener socks;
    private boolean measuring;
    /** Bytes {sent, received} through all tunnels there ever were, by the kind of path. */
    private final Map<String, long[]> traffic = new LinkedHashMap<>();

    /** What passed through streams that peers opened to services of this node. */
    private static final class Totals implements Splice.Meter {
        long txBytes;
        long rxBytes;
        long connections;

        @Override
        public void sent(int bytes) {
            txBytes += bytes;
        }

        @Override
        public void received(int bytes) {
            rxBytes += bytes;
        }

        @Override
        public void done(boolean broken) {
            connections++;
        }
    }

    public TunnelVerticle(Node.Parts parts) {
        this(parts, System::currentTimeMillis);
    }

    /** @param epochMs the clock by which rights end */
    TunnelVerticle(Node.Parts parts, LongSupplier epochMs) {
        this.parts = parts;
        bus = parts.bus();
        admission = new Admission(parts.policy(), epochMs, counters);
        idleNs = Long.parseLong(parts.settings().text("udp.idle")) * 1_000_000_000;
    }

    @Override
    public Future<?> start() {
        Loads loads = new Loads(bus);
        this.loads = loads;
        Provider made = new Provider(vertx, context, bus, admission, totals, idleNs, counters, loads);
        provider = made;
        if (parts.status().tun() != null) {
            String network = parts.settings().text("network");
            InnerAddress desk = Redirect.desk(network, parts.id());
            hosted = new Hosted(vertx, context, desk, idleNs, totals, counters, this::tell);
        }
        bus.on(Bus.INCOMING, made::take);
        bus.serve(ASK, this::onQuery);
        vertx.setPeriodic(1_000, _ -> second());
        return restore().compose(_ -> startSocks());
    }

    @Override
    public Future<?> stop() {
        tunnels.values().forEach(TunnelVerticle::stop);
        if (socks != null) socks.close();
        if (hosted != null) hosted.close();
        return Future.succeededFuture();
    }

    private Future<?> startSocks() {
        String text = parts.settings().text("socks");
        if (text.isBlank()) return Future.succeededFuture();
        Addresses.HostPort at = Addresses.split("socks", text);
        return Hosts.resolve(vertx, at.host(), at.port())
                .compose(address -> Socks.listen(context, address, this::connect))
                .onSuccess(listener -> {
                    socks = listener;
                    LOG.info("SOCKS5 on {}", listener.address());
                })
                .recover(e -> Future.failedFuture(cannotListen("--socks", text, e)));
    }

    private void tell(Map<Id, Integer> ports) {
        bus.publish(Bus.LISTENERS, new SessionVerticle.Listeners(ports));
    }

    private static Problem cannotListen(String what, String text, Throwable e) {
        if (e instanceof UnknownHostException) {
            String host = Addresses.split(what, text).host();
            return new Problem(
                    "config",
                    what + ": host '" + host + "' is unknown",
                    "use an address of this machine, as 127.0.0.1:0");
        }
        return new Problem(
                "conflict",
                "cannot listen on " + text + ": " + Problem.text(e),
                "use an address of this machine and a free port with " + what + "; port 0 takes any free one");
    }

    /** Closes a second of every tunnel's history, and counts its bytes for the kind of path they took. */
    private void second() {
        long second = System.currentTimeMillis() / 1000 - 1;
        long nowNs = System.nanoTime();
        for (Tunnel tunnel : tunnels.values()) if (tunnel.forward != null) tunnel.forward.expire(nowNs);
        if (provider != null) provider.expire(nowNs);
        if (loads != null) loads.tell();
        Hosted hosted = this.hosted;
        if (hosted != null) {
            bus.ask(Bus.REGISTRY, new RegistryVerticle.Query.Registrations())
                    .onSuccess(all -> hosted.second(nowNs, all));
        }
        boolean quiet = tunnels.values().stream().noneMatch(Tunnel::hasMoved);
        Future<List<Peer>> asked =
                quiet ? Future.succeededFuture(List.of()) : bus.ask(Bus.SESSION, new SessionVerticle.Query.Peers());
        asked.otherwise(List.of()).onSuccess(peers -> {
            Map<Id, Peer> known = new HashMap<>();
            for (Peer each : peers) known.put(each.id(), each);
            for (Tunnel tunnel : tunnels.values()) {
                Offer offer = tunnel.current;
                if (tunnel.hasMoved() && offer != null)
                    tunnel.reached(known.get(offer.contact().node()));
                count(tunnel);
                tunnel.second(second);
            }
        });
    }

    private void count(Tunnel tunnel) {
        long[] moved = tunnel.moved();
        long[] sum = traffic.computeIfAbsent(tunnel.path, _ -> new long[2]);
        sum[0] += moved[0];
        sum[1] += moved[1];
    }

    private Ask.Reply onQuery(Query query) {
        return switch (query) {
            case Query.Open q -> q.replyOnce(open(q));
            case Query.All q -> {
                JsonArray out = new JsonArray();
                tunnels.values().forEach(t -> out.add(t.toJson()));
                yield q.reply(out);
            }
            case Query.Show q -> {
                Tunnel tunnel = tunnels.get(q.id());
                yield tunnel == null ? Ask.Reply.failed(unknown(q.id())) : q.reply(tunnel.toJson());
            }
            case Query.Path q -> {
                Tunnel tunnel = tunnels.get(q.id());
                yield tunnel == null ? Ask.Reply.failed(unknown(q.id())) : q.reply(tunnel.timeline());
            }
            case Query.Measure q -> q.replyOnce(measure(q));
            case Query.Stats q -> {
                Tunnel tunnel = tunnels.get(q.id());
                long second = System.currentTimeMillis() / 1000;
                yield tunnel == null
                        ? Ask.Reply.failed(unknown(q.id()))
                        : q.reply(tunnel.stats(second, q.rangeSeconds(), q.stepSeconds()));
            }
            case Query.Close q -> q.replyOnce(close(q.id()));
            case Query.Totals q -> q.reply(totalsJson());
            case Query.Counts q -> q.reply(counters.snapshot());
        };
    }

    private Future<String> measure(Query.Measure q) {
        if (measuring) {
            return Future.failedFuture(
                    new Problem("overloaded", "this node is measuring already", "wait until that is over"));
        }
        measuring = true;
        String id = "b-" + UUID.randomUUID().toString().substring(0, 8);
        Measurement.begin(vertx, context, bus, id, q.to(), q.seconds(), () -> measuring = false);
        return Future.succeededFuture(id);
    }

    private JsonObject totalsJson() {
        long tx = 0;
        long rx = 0;
        int connections = 0;
        int flows = 0;
        for (Tunnel tunnel : tunnels.values()) {
            tx += tunnel.txBytes;
            rx += tunnel.rxBytes;
            connections += tunnel.connections;
            if (tunnel.udp) flows += tunnel.connections;
        }
        JsonObject bytes = new JsonObject();
        traffic.forEach((path, sum) ->
                bytes.put(path, new JsonObject().put("txBytes", sum[0]).put("rxBytes", sum[1])));
        return new JsonObject()
                .put("tunnels", tunnels.size())
                .put("connections", connections)
                .put("txBytes", tx)
                .put("rxBytes", rx)
                .put("traffic", bytes)
                .put("flows", flows)
                .put("servedFlows", provider == null ? 0 : provider.flows())
                .put("servedConnections", provider == null ? 0 : provider.open())
                .put("servedConnectionsTotal", totals.connections)
                .put("servedTxBytes", totals.txBytes)
                .put("servedRxBytes", totals.rxBytes);
    }

    private static Problem unknown(String id) {
        return new Problem("not-found", "there is no tunnel '" + id + "'", "list them: mcc tunnel ls");
    }

    // ---- open and close ---------------------------------------------------------------------------------------------

    private Future<JsonObject> open(Query.Open q) {
        if (tunnels.size() >= TUNNELS_MAX) {
            return Future.failedFuture(
                    new Problem("overloaded", "there are " + TUNNELS_MAX + " tunnels already", "close one first"));
        }
        Addresses.HostPort at = Addresses.split("listen", q.listen());
        return find(q.target()).compose(target -> open(target, q, at));
    }

    private Future<JsonObject> open(Target.Service target, Query.Open q, Addresses.HostPort at) {
        return resolve(target).compose(all -> {
            if (all.isEmpty()) return Future.failedFuture(noProvider(target));
            boolean udp = q.protocol() == null
                    ? all.stream().allMatch(Offer::isUdp)
                    : q.protocol().equals("udp");
            List<Offer> offers = all.stream().filter(o -> o.isUdp() == udp).toList();
            if (offers.isEmpty()) return Future.failedFuture(otherProtocol(target, udp));
            String id = "t-" + UUID.randomUUID().toString().substring(0, 8);
            Tunnel tunnel = new Tunnel(id, target, udp, q.listen());
            tunnel.current = offers.getFirst();
            return listen(tunnel, at)
                    .compose(_ -> bus.ask(
                            Bus.STORE,
                            new StoreVerticle.Query.Put(MAP, id, saved(tunnel).encode())))
                    .map(_ -> {
                        tunnels.put(id, tunnel);
                        event("tunnel.opened", tunnel, new JsonObject().put("listen", tunnel.listen));
                        return tunnel.toJson();
                    })
                    .onFailure(_ -> stop(tunnel));
        });
    }

    private static Problem otherProtocol(Target.Service target, boolean udp) {
        return new Problem(
                "not-found",
                target + " is offered by " + (udp ? "TCP" : "UDP") + " alone",
                udp ? "leave --udp out (in REST: protocol)" : "say --udp (in REST: \"protocol\": \"udp\")");
    }

    /** Takes its port away, and its flows. */
    private static void stop(Tunnel tunnel) {
        if (tunnel.listener != null) tunnel.listener.close();
        if (tunnel.forward != null) tunnel.forward.close();
    }

    /** An instance is known by its service from now on. */
    private Future<Target.Service> find(Target target) {
        return switch (target) {
            case Target.Service service -> Future.succeededFuture(service);
            case Target.Instance(Id endpoint) ->
                bus.ask(Bus.REGISTRY, new RegistryVerticle.Query.Locate(endpoint))
                        .compose(found -> {
                            ServiceName service = found.service();
                            return service == null
                                    ? Future.failedFuture(noEndpoint(endpoint))
                                    : Future.succeededFuture(new Target.Service(service, null, endpoint.toString()));
                        });
        };
    }

    private static Problem noEndpoint(Id endpoint) {
        return new Problem(
                "not-found",
                "nobody offers endpoint " + endpoint,
                "see the endpoints of a service: mcc discover NAME --json");
    }

    private Future<Tunnel> listen(Tunnel tunnel, Addresses.HostPort at) {
        return Hosts.resolve(vertx, at.host(), at.port())
                .compose(address -> tunnel.udp ? listenUdp(tunnel, address) : listenTcp(tunnel, address))
                .map(listening -> {
                    String host = listening.getAddress().getHostAddress();
                    tunnel.listen = (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + listening.getPort();
                    return tunnel;
                })
                .recover(e -> Future.failedFuture(cannotListen("listen", tunnel.listen, e)));
    }

    private Future<InetSocketAddress> listenTcp(Tunnel tunnel, InetSocketAddress at) {
        return TcpSocket.listen(context, at, socket -> accept(tunnel, socket)).map(listener -> {
            tunnel.listener = listener;
            return listener.address();
        });
    }

    private Future<InetSocketAddress> listenUdp(Tunnel tunnel, InetSocketAddress at) {
        return UdpForward.listen(context, at, idleNs, new UdpOwner(tunnel), counters)
                .map(forward -> {
                    tunnel.forward = forward;
                    return forward.address();
                });
    }

    private static JsonObject saved(Tunnel tunnel) {
        return new JsonObject()
                .put("protocol", tunnel.udp ? "udp" : "tcp")
                .put("service", tunnel.target.name().toString())
                .put("listen", tunnel.listen)
                .put("provider", tunnel.target.node())
                .put("endpoint", tunnel.target.endpoint());
    }

    private Future<?> restore() {
        return bus.ask(Bus.STORE, new StoreVerticle.Query.All(MAP)).compose(all -> {
            List<Future<?>> opening = new ArrayList<>();
            all.forEach((id, text) -> {
                JsonObject saved = new JsonObject(text);
                ServiceName service = ServiceName.parse(saved.getString("service", ""), ServiceName.OPEN);
                if (service == null) return;
                Target.Service target =
                        new Target.Service(service, saved.getString("provider"), saved.getString("endpoint"));
                boolean udp = "udp".equals(saved.getString("protocol"));
                Tunnel tunnel = new Tunnel(id, target, udp, saved.getString("listen"));
                tunnels.put(tunnel.id, tunnel);
                opening.add(listen(tunnel, Addresses.split("listen", tunnel.listen))
                        .transform(done -> {
                            if (done.failed()) {
                                tunnel.failure = String.valueOf(done.cause().getMessage());
                                parts.status()
                                        .problem(
                                                "tunnel-" + tunnel.id,
                                                "error",
                                                "forward " + tunnel.id + " to " + tunnel.target + " does not listen: "
                                                        + tunnel.failure,
                                                "free the port and restart, or: mcc tunnel close " + tunnel.id);
                            }
                            return Future.succeededFuture();
                        }));
            });
            return opening.isEmpty() ? Future.succeededFuture() : Future.all(opening);
        });
    }

    private Future<JsonObject> close(String id) {
        Tunnel tunnel = tunnels.get(id);
        if (tunnel == null) return Future.failedFuture(unknown(id));
        return bus.ask(Bus.STORE, new StoreVerticle.Query.Remove(MAP, id)).map(_ -> {
            tunnels.remove(id);
            count(tunnel);
            stop(tunnel);
            for (TcpSocket socket : List.copyOf(tunnel.sockets)) socket.abort();
            parts.status().solved("tunnel-" + id);
            event("tunnel.closed", tunnel, new JsonObject());
            return tunnel.toJson();
        });
    }

    // ---- connections ------------------------------------------------------------------------------------------------

    private void accept(Tunnel tunnel, TcpSocket socket) {
        if (tunnel.connections >= CONNECTIONS_MAX) {
            tunnel.refused++;
            socket.abort();
            return;
        }
        tunnel.connections++;
        tunnel.connectionsTotal++;
        tunnel.sockets.add(socket);
        long startedNs = System.nanoTime();
        open(tunnel.target, tcp).onComplete(done -> {
            if (done.failed()) {
                refused(tunnel, done.cause());
                tunnel.connections--;
                tunnel.sockets.remove(socket);
                socket.abort();
                return;
            }
            Opening.Opened<TcpSocket> opened = done.result();
            noteProvider(tunnel, opened, (System.nanoTime() - startedNs) / 1_000_000);
            join(socket, opened.way(), new Splice.Meter() {
                @Override
                public void sent(int bytes) {
                    tunnel.sent(bytes);
                }

                @Override
                public void received(int bytes) {
                    tunnel.received(bytes);
                }

                @Override
                public void done(boolean broken) {
                    tunnel.done(broken);
                    tunnel.sockets.remove(socket);
                }
            });
        });
    }

    private void refused(Tunnel tunnel, Throwable cause) {
        tunnel.refused++;
        if (!tellings.take(System.nanoTime(), tunnel.id)) {
            counters.add("tunnel.refused.untold");
            return;
        }
        LOG.info("tunnel {} to {}: {}", tunnel.id, tunnel.target, cause.getMessage());
        event("tunnel.refused", tunnel, new JsonObject().put("reason", cause.getMessage()));
    }

    /** The flows of one UDP forward. */
    private final class UdpOwner implements UdpForward.Owner {
        private final Tunnel tunnel;

        UdpOwner(Tunnel tunnel) {
            this.tunnel = tunnel;
        }

        @Override
        public boolean mayOpen() {
            int flows = 0;
            for (Tunnel each : tunnels.values()) if (each.udp) flows += each.connections;
            return flows < FLOWS_MAX;
        }

        @Override
        public Future<FlowEnd> open() {
            long startedNs = System.nanoTime();
            return TunnelVerticle.this
                    .open(tunnel.target, udp)
                    .onFailure(e -> refused(tunnel, e))
                    .map(opened -> {
                        noteProvider(tunnel, opened, (System.nanoTime() - startedNs) / 1_000_000);
                        return switch (opened.way()) {
                            case Opening.Way.Here<UdpSocket> here -> here.socket();
                            case Opening.Way.Remote<UdpSocket> remote ->
                                new FlowStream(remote.port(), remote.first().toArray(), counters);
                        };
                    });
        }

        @Override
        public void opened() {
            tunnel.connections++;
            tunnel.connectionsTotal++;
        }

        @Override
        public void sent(int bytes) {
            tunnel.sent(bytes);
        }

        @Override
        public void received(int bytes) {
            tunnel.received(bytes);
        }

        @Override
        public void over(@Nullable FlowEnd end, boolean broken) {
            tunnel.done(broken);
            if (end == null || !broken) return;
            counters.add("tunnel.flow.broken");
            // Its app does not listen, or the node is gone: the next flow tries another.
            suspect(
                    switch (end) {
                        case UdpSocket _ -> parts.id();
                        case FlowStream stream -> stream.peer();
                    });
        }
    }

    static void join(TcpSocket socket, Opening.Way<TcpSocket> way, Splice.Meter meter) {
        switch (way) {
            case Opening.Way.Here<TcpSocket> here -> LocalSplice.join(socket, here.socket(), meter);
            case Opening.Way.Remote<TcpSocket> remote -> {
                byte[] first = remote.first().toArray();
                if (first.length > 0) {
                    meter.received(first.length);
                    socket.write(first, first.length);
                    socket.flush();
                }
                Splice.join(socket, remote.port(), meter);
            }
        }
    }

    private void noteProvider(Tunnel tunnel, Opening.Opened<?> opened, long tookMs) {
        tunnel.current = opened.offer();
        JsonObject data = new JsonObject()
                .put("provider", opened.offer().contact().node().toString())
                .put("endpoint", opened.offer().endpoint().toString())
                .put("tookMs", tookMs);
        if (opened.failures().isEmpty()) {
            if (tunnel.isFirst(opened.offer().endpoint())) event("tunnel.connected", tunnel, data);
            return;
        }
        tunnel.failovers++;
        JsonArray failed = new JsonArray();
        for (Opening.Failure f : opened.failures()) {
            failed.add(new JsonObject()
                    .put("provider", f.offer().contact().node().toString())
                    .put("reason", f.reason()));
        }
        event("tunnel.failover", tunnel, data.put("failed", failed));
    }

    /** A connection asked for by name, through the proxy. */
    private Future<Opening.Opened<TcpSocket>> connect(Target target) {
        return find(target).compose(service -> open(service, tcp));
    }

    private <S> Future<Opening.Opened<S>> open(Target.Service target, Opening.Apps<S> apps) {
        return resolve(target).compose(all -> {
            List<Offer> offers =
                    all.stream().filter(o -> o.isUdp() == apps.isUdp()).toList();
            if (offers.isEmpty()) return Future.failedFuture(noProvider(target));
            return Opening.open(vertx, context, bus, admission, apps, offers).onSuccess(this::judge);
        });
    }

    private final Opening.Apps<TcpSocket> tcp = new Opening.Apps<>() {
        @Override
        public boolean isUdp() {
            return false;
        }

        @Override
        public Future<TcpSocket> connect(InetSocketAddress at) {
            return TcpSocket.connect(context, at, (int) Opening.TOTAL_MS);
        }

        @Override
        public void drop(TcpSocket socket) {
            socket.abort();
        }
    };

    private final Opening.Apps<UdpSocket> udp = new Opening.Apps<>() {
        @Override
        public boolean isUdp() {
            return true;
        }

        @Override
        public Future<UdpSocket> connect(InetSocketAddress at) {
            return UdpSocket.connect(context, at, counters);
        }

        @Override
        public void drop(UdpSocket socket) {
            socket.close(true);
        }
    };

    private void judge(Opening.Opened<?> opened) {
        for (Opening.Failure f : opened.failures()) suspect(f.offer().contact().node());
        // Whoever answers is believed again; of UDP that is no proof, because its app was not asked.
        if (!opened.offer().isUdp()) suspects.remove(opened.offer().contact().node());
    }

    private void suspect(Id node) {
        if (suspects.size() >= SUSPECTS_MAX)
            suspects.remove(suspects.keySet().iterator().next());
        suspects.put(node, System.nanoTime() + SUSPECT_NS);
    }

    /** The usable providers in the order for one new connection; who failed lately comes last. */
    private Future<List<Offer>> resolve(Target.Service target) {
        return bus.ask(Bus.REGISTRY, new RegistryVerticle.Query.Resolve(target.name(), KNOWN_MS))
                .map(answer -> {
                    List<Offer> good = new ArrayList<>();
                    List<Offer> doubtful = new ArrayList<>();
                    long now = System.nanoTime();
                    for (Offer offer : answer.picks()) {
                        if (offer.health() != Health.PASS || !target.admits(offer)) continue;
                        Id node = offer.contact().node();
                        Long until = suspects.get(node);
                        (until != null && until > now ? doubtful : good).add(offer);
                    }
                    good.addAll(doubtful);
                    return good;
                });
    }

    private static Problem noProvider(Target.Service target) {
        return new Problem(
                "not-found",
                "no usable provider of " + target,
                "see which there are: mcc discover " + target.name()
                        + "; or register one: mcc register NAME --port PORT");
    }

    private void event(String type, Tunnel tunnel, JsonObject data) {
        JsonObject all = new JsonObject()
                .put("id", tunnel.id)
                .put("service", tunnel.target.name().toString());
        bus.publish(Bus.EVENTS, new NodeEvent(type, all.mergeIn(data)));
    }
}
