package mcc.tunnel;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import mcc.core.Counters;
import mcc.core.RateLimit;
import mcc.node.Addresses;
import mcc.node.Bus;
import mcc.node.NodeEvent;
import mcc.node.Problem;
import mcc.node.Status;
import mcc.node.StoreVerticle;
import mcc.registry.Offer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All forwards of a node: opens and closes them, listens for them, and restores them after a restart. Used on one context.
 *
 * <p>A forward of an earlier run that cannot listen at its address is tried again, after {@link #AGAIN_MS} at first and
 * {@link #AGAIN_MAX_MS} at most, until it listens or is closed. Limit: {@link #TUNNELS_MAX}.
 */
final class Forwards {
    /** Tunnels open at a time. */
    static final int TUNNELS_MAX = 256;
    /** Flows of all UDP forwards of a node. */
    static final int FLOWS_MAX = 8_192;

    /** Refused connections that a tunnel reports in a burst; after that it reports one a second, and counts them all. */
    private static final int TOLD_MAX = 20;

    private static final long AGAIN_MS = 1_000;
    private static final long AGAIN_MAX_MS = 30_000;
    private static final Logger LOG = LoggerFactory.getLogger(Forwards.class);
    private static final String MAP = "tunnels";

    private final Vertx vertx;
    private final Bus bus;
    private final Status status;
    private final Sockets sockets;
    private final Ways ways;
    private final UserApps apps;
    private final PeerWatch peers;
    private final long udpIdleMs;
    private final Counters counters;
    private final RateLimit<String> tellings = new RateLimit<>(1, TOLD_MAX, TUNNELS_MAX);
    private final Map<String, Tunnel> tunnels = new LinkedHashMap<>();
    private final Holders<Tunnel> flows = new Holders<>();
    private final int flowsMax;

    Forwards(
            Vertx vertx,
            Bus bus,
            Status status,
            Sockets sockets,
            Ways ways,
            UserApps apps,
            PeerWatch peers,
            long udpIdleMs,
            int flowsMax) {
        this.vertx = vertx;
        this.bus = bus;
        this.status = status;
        this.sockets = sockets;
        this.ways = ways;
        this.apps = apps;
        this.peers = peers;
        this.udpIdleMs = udpIdleMs;
        this.flowsMax = flowsMax;
        counters = sockets.counters();
    }

    Counters counters() {
        return counters;
    }

    Collection<Tunnel> all() {
        return tunnels.values();
    }

    /**
     * Returns a forward by its ID.
     *
     * @throws Problem if there is none
     */
    Tunnel get(String id) {
        Tunnel tunnel = tunnels.get(id);
        if (tunnel != null) return tunnel;
        throw new Problem("not-found", "there is no tunnel '" + id + "'", "list them: mcc tunnel ls");
    }

    /** The flows of all forwards. */
    Holders<Tunnel> flows() {
        return flows;
    }

    /** Whether a forward may have one more flow; where the node has too many, the forward with most of them loses one. */
    boolean makeRoom(Tunnel coming) {
        if (flows.all() < flowsMax) return true;
        Tunnel giver = flows.giver(coming);
        return giver != null && giver.forward != null && giver.forward.giveWay();
    }

    // ---- open and close ---------------------------------------------------------------------------------------------

    Future<JsonObject> open(TunnelVerticle.Query.Open q) {
        if (tunnels.size() >= TUNNELS_MAX) {
            return Future.failedFuture(
                    new Problem("overloaded", "there are " + TUNNELS_MAX + " tunnels already", "close one first"));
        }
        Addresses.HostPort at = Addresses.split("listen", q.listen());
        return ways.find(q.target()).compose(target -> open(target, q, at));
    }

    private Future<JsonObject> open(Target.Service target, TunnelVerticle.Query.Open q, Addresses.HostPort at) {
        return ways.resolveAnew(target).compose(all -> {
            if (all.isEmpty()) return Future.failedFuture(Ways.noProvider(target));
            Wanted wanted = Wanted.exactly(q.port());
            List<Offer> either = all.stream()
                    .filter(o -> wanted.isAt(o, false) || wanted.isAt(o, true))
                    .toList();
            boolean udp = q.protocol() == null
                    ? !either.isEmpty() && either.stream().allMatch(wanted::isUdp)
                    : q.protocol().equals("udp");
            List<Offer> offers =
                    either.stream().filter(o -> wanted.isAt(o, udp)).toList();
            if (offers.isEmpty()) return Future.failedFuture(notAt(target, wanted, udp, either, all));
            String id = "t-" + UUID.randomUUID().toString().substring(0, 8);
            Tunnel tunnel = new Tunnel(id, target, q.port(), udp, q.listen(), q.idleMs());
            tunnel.current = offers.getFirst();
            return listen(tunnel, at)
                    .compose(_ -> bus.ask(
                            Bus.STORE,
                            new StoreVerticle.Query.Put(MAP, id, tunnel.saved().encode())))
                    .map(_ -> {
                        tunnels.put(id, tunnel);
                        event("tunnel.opened", tunnel, new JsonObject().put("listen", tunnel.listen));
                        return tunnel.toJson();
                    })
                    .onFailure(_ -> tunnel.stop());
        });
    }

    /** @param either the providers that have the port, but only by the other protocol */
    private static Problem notAt(
            Target.Service target, Wanted wanted, boolean udp, List<Offer> either, List<Offer> all) {
        String hint = udp ? "leave --udp out (in REST: protocol)" : "say --udp (in REST: \"protocol\": \"udp\")";
        Problem none = wanted.notAt(target, udp, either.isEmpty() ? all : either);
        return new Problem("not-found", none.detail(), either.isEmpty() ? none.hint() : hint);
    }

    private Future<Tunnel> listen(Tunnel tunnel, Addresses.HostPort at) {
        return Hosts.resolve(vertx, at.host(), at.port())
                .compose(address -> {
                    Future<InetSocketAddress> listening =
                            tunnel.udp ? listenUdp(tunnel, address) : listenTcp(tunnel, address);
                    return listening
                            .map(bound -> {
                                String host = bound.getAddress().getHostAddress();
                                tunnel.listen =
                                        (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + bound.getPort();
                                return tunnel;
                            })
                            .recover(e -> Future.failedFuture(taken(tunnel, address, e)));
                })
                .recover(e -> Future.failedFuture(e instanceof Problem ? e : cannotListen("listen", tunnel.listen, e)));
    }

    /** Names the tunnel of this node that has the address and how to close it, which helps more than the system's error. */
    private Throwable taken(Tunnel tunnel, InetSocketAddress at, Throwable e) {
        String other = sockets.listener(tunnel.udp, at);
        if (other == null) return e;
        return new Problem(
                "conflict",
                "cannot listen on " + tunnel.listen + ": " + other + " of this node has it",
                other.startsWith("tunnel ")
                        ? "close it: mcc tunnel close " + other.split(" ")[1]
                                + "; or use another port, 0 for any free one"
                        : "use another port; port 0 takes any free one");
    }

    private Future<InetSocketAddress> listenTcp(Tunnel tunnel, InetSocketAddress at) {
        ForwardConnections taker = new ForwardConnections(sockets, tunnel, ways, apps, peers, this);
        return sockets.listen(Descriptors.Side.USER, at, tunnel.title(), taker::accept)
                .map(listener -> {
                    tunnel.listener = listener;
                    return listener.address();
                });
    }

    private Future<InetSocketAddress> listenUdp(Tunnel tunnel, InetSocketAddress at) {
        long idleMs = tunnel.idleMs > 0 ? tunnel.idleMs : udpIdleMs;
        ForwardFlows owner = new ForwardFlows(tunnel, ways, apps, this);
        return UdpForward.listen(sockets, Descriptors.Side.USER, at, tunnel.title(), idleMs * 1_000_000, owner)
                .map(forward -> {
                    tunnel.forward = forward;
                    return forward.address();
                });
    }

    /** The problem to report if the node cannot listen at an address. */
    static Problem cannotListen(String what, String text, Throwable e) {
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

    /** Opens the forwards of an earlier run. */
    Future<?> restore() {
        return bus.ask(Bus.STORE, new StoreVerticle.Query.All(MAP)).compose(all -> {
            List<Future<?>> opening = new ArrayList<>();
            all.forEach((id, text) -> opening.add(restore(id, text)));
            return opening.isEmpty() ? Future.succeededFuture() : Future.all(opening);
        });
    }

    private Future<?> restore(String id, String text) {
        Tunnel tunnel = Tunnel.saved(id, new JsonObject(text));
        if (tunnel == null) {
            LOG.error("stored tunnel {} is not understood and was left alone", id);
            return Future.succeededFuture();
        }
        tunnels.put(id, tunnel);
        return listenAgain(tunnel, AGAIN_MS);
    }

    private Future<?> listenAgain(Tunnel tunnel, long againMs) {
        boolean failedBefore = tunnel.failure != null;
        return listen(tunnel, Addresses.split("listen", tunnel.listen)).transform(done -> {
            boolean closed = tunnels.get(tunnel.id) != tunnel;
            if (closed) {
                tunnel.stop();
            } else if (done.failed()) {
                tell(tunnel, done.cause());
                vertx.setTimer(againMs, _ -> {
                    if (tunnels.get(tunnel.id) == tunnel) listenAgain(tunnel, Math.min(2 * againMs, AGAIN_MAX_MS));
                });
            } else if (failedBefore) {
                tunnel.failure = null;
                status.solved("tunnel-" + tunnel.id);
                LOG.info("{} listens on {} now", tunnel.title(), tunnel.listen);
                event("tunnel.opened", tunnel, new JsonObject().put("listen", tunnel.listen));
            }
            return Future.succeededFuture();
        });
    }

    private void tell(Tunnel tunnel, Throwable cause) {
        String failure = String.valueOf(cause.getMessage());
        if (failure.equals(tunnel.failure)) return;
        tunnel.failure = failure;
        LOG.warn("{} does not listen, and is tried again: {}", tunnel.title(), failure);
        status.problem(
                "tunnel-" + tunnel.id,
                "error",
                "forward " + tunnel.id + " to " + tunnel.target + " does not listen: " + failure,
                "it is tried again until it does; or: mcc tunnel close " + tunnel.id);
    }

    Future<JsonObject> close(String id) {
        Tunnel tunnel = get(id);
        return bus.ask(Bus.STORE, new StoreVerticle.Query.Remove(MAP, id)).map(_ -> {
            tunnels.remove(id);
            tunnel.stop();
            tunnel.cut();
            status.solved("tunnel-" + id);
            event("tunnel.closed", tunnel, new JsonObject());
            return tunnel.toJson();
        });
    }

    /** Looks for far ends that are silent; to be called several times a second. */
    void watch(long nowNs) {
        for (Tunnel tunnel : tunnels.values()) if (tunnel.forward != null) tunnel.forward.watch(nowNs);
    }

    void stop() {
        tunnels.values().forEach(Tunnel::stop);
    }

    // ---- what happened to one ---------------------------------------------------------------------------------------

    /** No provider took a connection or flow. */
    void refused(Tunnel tunnel, Throwable cause) {
        tunnel.refused++;
        if (!tellings.take(System.nanoTime(), tunnel.id)) {
            counters.add("tunnel.refused.untold");
            return;
        }
        LOG.info("tunnel {} to {}: {}", tunnel.id, tunnel.target, cause.getMessage());
        event("tunnel.refused", tunnel, new JsonObject().put("reason", cause.getMessage()));
    }

    /** A connection or flow is carried by a provider now. */
    void carried(Tunnel tunnel, Opening.Opened<?> opened, long startedNs) {
        tunnel.current = opened.offer();
        boolean first = tunnel.isFirst(opened.offer().endpoint());
        if (opened.failures().isEmpty() && !first) return;
        JsonObject data = new JsonObject()
                .put("provider", opened.offer().contact().node().toString())
                .put("endpoint", opened.offer().endpoint().toString())
                .put("tookMs", (System.nanoTime() - startedNs) / 1_000_000);
        if (opened.failures().isEmpty()) {
            event("tunnel.connected", tunnel, data);
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

    private void event(String type, Tunnel tunnel, JsonObject data) {
        JsonObject all = new JsonObject()
                .put("id", tunnel.id)
                .put("service", tunnel.target.name().toString());
        bus.publish(Bus.EVENTS, new NodeEvent(type, all.mergeIn(data)));
    }
}
