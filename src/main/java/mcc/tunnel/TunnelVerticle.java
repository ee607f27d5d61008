package mcc.tunnel;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.net.InetSocketAddress;
import java.security.SecureRandom;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.LongSupplier;
import mcc.consortium.PolicyEpoch;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.link.Peer;
import mcc.node.Addresses;
import mcc.node.Ask;
import mcc.node.Bus;
import mcc.node.Node;
import mcc.node.Policies;
import mcc.node.Problem;
import mcc.node.Resident;
import mcc.node.SessionVerticle;
import mcc.node.Settings;
import mcc.registry.Offer;
import mcc.tun.InnerAddress;
import mcc.tun.Redirect;
import mcc.wire.Contact;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Forwards, the SOCKS5 proxy and the providers' side of both: makes them, and answers what is asked of them. */
public final class TunnelVerticle extends VerticleBase implements Resident {
    /** What may be asked. */
    public sealed interface Query {
        /** A question that is answered by one tunnel as JSON. */
        sealed interface One extends Query, Ask<JsonObject> {}

        /**
         * Opens a forward; answered once it listens and is on disk.
         *
         * @param port of the service; 0 for the first of the protocol
         * @param listen {@code HOST:PORT}; port 0 picks a free one
         * @param protocol tcp or udp; null for UDP if that port, or the first, is UDP at every provider, and for TCP otherwise
         * @param idleMs a connection ends after this long without a byte; 0 for the default
         */
        record Open(
                Target target,
                int port,
                String listen,
                @Nullable String protocol,
                long idleMs) implements One {
            /** To the first port, without a limit of its own. */
            public Open(Target target, String listen, @Nullable String protocol) {
                this(target, 0, listen, protocol, 0);
            }
        }

        record All() implements Query, Ask<JsonArray> {}

        record Show(String id) implements One {}

        /** Answered with columns of throughput. */
        record Stats(String id, int rangeSeconds, int stepSeconds) implements Query, Ask<JsonObject> {}

        /** Answered with how the provider was reached over time. */
        record Path(String id) implements Query, Ask<JsonObject> {}

        /**
         * Answered with the measurement's ID once it has begun; its progress and result are events.
         *
         * @param seconds how long, 1 to {@link TunnelVerticle#MEASURE_MAX}
         */
        record Measure(Contact to, int seconds) implements Query, Ask<String> {}

        /** Closes a tunnel with all its connections. */
        record Close(String id) implements One {}

        record Totals() implements Query, Ask<JsonObject> {}

        record Counts() implements Query, Ask<List<Counters.Count>> {}
    }

    /** Questions to the tunnels. */
    public static final Bus.Address<Query> ASK = new Bus.Address<>("mcc.tunnel");

    /** Longest measurement, in seconds. */
    public static final int MEASURE_MAX = 60;

    /** How often silent far ends are looked for. */
    private static final long WATCH_MS = 250;

    private static final Logger LOG = LoggerFactory.getLogger(TunnelVerticle.class);

    private final Bus bus;
    private final Node.Parts parts;
    private final Descriptors descriptors;
    private final int places;
    private final int flows;
    private final Counters counters = new Counters();
    private final Admission admission;
    private final Endpoints endpoints = new Endpoints();
    private final Totals totals = new Totals();
    private @Nullable Ways ways;
    private @Nullable Forwards forwards;
    private @Nullable Provider provider;
    private @Nullable Hosted hosted;
    private TcpSocket.@Nullable Listener socks;
    private String restUrl = "";
    private @Nullable InetSocketAddress restAt;
    private boolean measuring;

    public TunnelVerticle(Node.Parts parts) {
        this(parts, System::currentTimeMillis, Descriptors.ofProcess(), Provider.OPEN_MAX, Forwards.FLOWS_MAX);
    }

    /**
     * @param epochMs the wall clock, by which the policy's decisions expire
     * @param places how many connections and flows of peers are served at a time
     * @param flows how many flows all UDP forwards have together
     */
    TunnelVerticle(Node.Parts parts, LongSupplier epochMs, Descriptors descriptors, int places, int flows) {
        this.places = places;
        this.flows = flows;
        this.parts = parts;
        this.descriptors = descriptors;
        bus = parts.bus();
        admission = new Admission(parts.self(), epochMs, counters);
    }

    @Override
    public Future<?> start() {
        return Policies.follow(bus, this::govern).compose(_ -> begin());
    }

    private void govern(PolicyEpoch epoch) {
        Ways ways = this.ways;
        Provider provider = this.provider;
        if (!admission.take(epoch) || ways == null || provider == null) return;
        ended(epoch, "served", provider.judgeAgain());
        ended(epoch, "measurements", provider.judgeMeasuresAgain());
        ended(epoch, "used", ways.judgeAgain());
    }

    private void ended(PolicyEpoch epoch, String what, int count) {
        counters.of("policy.ended." + what).add(count);
        Policies.tellEnded(bus, epoch.number(), what, count);
    }

    private Future<?> begin() {
        Settings settings = parts.settings();
        long udpIdleMs = 1_000 * Long.parseLong(settings.text("udp.idle"));
        String network = settings.text("network");
        boolean tokenless = settings.flag("http.tokenless");
        Sockets sockets = new Sockets(
                vertx,
                context,
                network,
                descriptors,
                Integer.parseInt(settings.text("tunnel.keepalive")),
                () -> tokenless ? rest() : null,
                counters);
        byte[] seed = new byte[32];
        new SecureRandom().nextBytes(seed);
        Loads loads = new Loads(bus);
        Provider provider = new Provider(vertx, bus, sockets, admission, endpoints, totals, loads, udpIdleMs, places);
        this.provider = provider;
        Streams streams = new Streams(bus, context, provider::take);
        Opening.Means means = Opening.Means.of(vertx, context, streams, admission, endpoints);
        Ways ways = new Ways(bus, parts.id(), means, Rng.seeded(seed));
        this.ways = ways;
        UserApps apps = UserApps.of(sockets, parts.id());
        PeerWatch peers = new PeerWatch(Long.parseLong(settings.text("tunnel.patience")) * 1_000_000_000, counters);
        Forwards forwards = new Forwards(vertx, bus, parts.status(), sockets, ways, apps, peers, udpIdleMs, flows);
        this.forwards = forwards;
        if (parts.status().tun() != null) {
            InnerAddress listeners = Redirect.listenerAddress(network, parts.id());
            hosted = new Hosted(sockets, parts.status(), listeners, udpIdleMs, Hosted.OPEN_MAX, totals, this::tell);
        }
        bus.serve(ASK, query -> onQuery(forwards, query));
        vertx.setPeriodic(1_000, _ -> {
            second(forwards);
            loads.tell();
        });
        vertx.setPeriodic(WATCH_MS, _ -> {
            forwards.watch(System.nanoTime());
            peers.look(System.nanoTime());
        });
        return endpoints
                .follow(bus, ways::forget)
                .compose(_ -> streams.follow())
                .compose(_ -> forwards.restore())
                .compose(_ -> startSocks(sockets, ways, apps, peers, udpIdleMs));
    }

    /** The address of REST now; asked for with each connection, though it hardly ever changes. */
    private @Nullable InetSocketAddress rest() {
        String url = parts.status().http();
        if (!url.equals(restUrl)) {
            restUrl = url;
            restAt = Sockets.addressOf(url);
        }
        return restAt;
    }

    @Override
    public Future<?> stop() {
        if (forwards != null) forwards.stop();
        if (socks != null) socks.close();
        if (hosted != null) hosted.close();
        return Future.succeededFuture();
    }

    private void tell(Map<SessionVerticle.EndpointPort, Integer> ports) {
        bus.publish(Bus.LISTENERS, new SessionVerticle.Listeners(ports));
    }

    private Future<?> startSocks(Sockets sockets, Ways ways, UserApps apps, PeerWatch peers, long udpIdleMs) {
        String text = parts.settings().text("socks");
        if (text.isBlank()) return Future.succeededFuture();
        Addresses.HostPort at = Addresses.split("socks", text);
        return Hosts.resolve(vertx, at.host(), at.port())
                .compose(address -> new Socks(
                                vertx,
                                sockets,
                                (target, port) -> ways.open(target, apps.tcp(), port),
                                peers,
                                new SocksFlows.Setup(
                                        (target, port) -> ways.open(target, apps.udp(), port),
                                        ways::suspect,
                                        udpIdleMs))
                        .listen(address))
                .onSuccess(listener -> {
                    socks = listener;
                    LOG.info("SOCKS5 on {}", listener.address());
                })
                .recover(e -> Future.failedFuture(Forwards.cannotListen("--socks", text, e)));
    }

    /** Closes a second of every tunnel's history, and ends flows that were unused for too long. */
    private void second(Forwards forwards) {
        long second = System.currentTimeMillis() / 1000 - 1;
        long nowNs = System.nanoTime();
        for (Tunnel tunnel : forwards.all()) if (tunnel.forward != null) tunnel.forward.expire(nowNs);
        if (hosted != null) hosted.second(nowNs, endpoints.all());
        boolean quiet = forwards.all().stream().noneMatch(Tunnel::hasMoved);
        Future<List<Peer>> asked =
                quiet ? Future.succeededFuture(List.of()) : bus.ask(Bus.SESSION, new SessionVerticle.Query.Peers());
        asked.otherwise(List.of()).onSuccess(peers -> {
            Map<Id, Peer> known = new HashMap<>();
            for (Peer each : peers) known.put(each.id(), each);
            for (Tunnel tunnel : forwards.all()) {
                Offer offer = tunnel.current;
                if (tunnel.hasMoved() && offer != null)
                    tunnel.reached(known.get(offer.contact().node()));
                totals.count(tunnel);
                tunnel.second(second);
            }
        });
    }

    private Ask.Reply onQuery(Forwards forwards, Query query) {
        return switch (query) {
            case Query.Open q -> q.replyOnce(forwards.open(q));
            case Query.All q -> {
                JsonArray out = new JsonArray();
                forwards.all().forEach(t -> out.add(t.toJson()));
                yield q.reply(out);
            }
            case Query.Show q -> q.reply(forwards.get(q.id()).toJson());
            case Query.Path q -> q.reply(forwards.get(q.id()).timeline());
            case Query.Measure q -> q.replyOnce(measure(q));
            case Query.Stats q -> {
                long second = System.currentTimeMillis() / 1000;
                yield q.reply(forwards.get(q.id()).stats(second, q.rangeSeconds(), q.stepSeconds()));
            }
            case Query.Close q -> {
                Tunnel tunnel = forwards.get(q.id());
                yield q.replyOnce(forwards.close(tunnel.id).map(closed -> {
                    totals.count(tunnel);
                    return closed;
                }));
            }
            case Query.Totals q -> q.reply(totals.toJson(forwards, provider));
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
}
