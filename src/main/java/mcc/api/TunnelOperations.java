package mcc.api;

import io.vertx.core.Future;
import io.vertx.core.json.JsonObject;
import java.util.List;
import java.util.Map;
import mcc.api.Operations.Answer;
import mcc.api.Operations.Operation;
import mcc.core.Id;
import mcc.link.Peer;
import mcc.node.Bus;
import mcc.node.Problem;
import mcc.tunnel.Target;
import mcc.tunnel.TunnelVerticle;
import org.jspecify.annotations.Nullable;

/** This node's tunnels: opened, shown with their paths, closed. */
final class TunnelOperations {
    private final Bus bus;
    private final PeerOperations peers;

    TunnelOperations(Bus bus, PeerOperations peers) {
        this.bus = bus;
        this.peers = peers;
    }

    void into(Map<String, Operation> all, Lists lists) {
        all.put("listTunnels", p -> all().map(items -> Answer.of(lists.page("tunnels", items, p))));
        all.put("openTunnel", this::openTunnel);
        all.put("getTunnel", p -> tunnel(new TunnelVerticle.Query.Show(p.getString("id"))));
        all.put("closeTunnel", p -> tunnel(new TunnelVerticle.Query.Close(p.getString("id"))));
        all.put("getTunnelStats", this::tunnelStats);
    }

    Future<List<JsonObject>> all() {
        return bus.ask(TunnelVerticle.ASK, new TunnelVerticle.Query.All())
                .compose(all -> peers.byId()
                        .map(links -> all.stream()
                                .map(each -> withPath((JsonObject) each, links))
                                .toList()));
    }

    private Future<Answer> openTunnel(JsonObject p) {
        String listen = p.getString("listen", "127.0.0.1:0");
        return bus.ask(
                        TunnelVerticle.ASK,
                        new TunnelVerticle.Query.Open(
                                target(p),
                                p.getInteger("port", 0),
                                listen,
                                p.getString("protocol"),
                                p.getLong("idleMs", 0L)))
                .compose(made -> peers.byId().map(links -> new Answer(withPath(made, links), true)));
    }

    private static Target target(JsonObject p) {
        String service = p.getString("service");
        String endpoint = p.getString("endpoint");
        if ((service == null) == (endpoint == null)) {
            throw new Problem(
                    "validation",
                    "either a service or an endpoint is needed, not both",
                    "send {\"service\": \"NAME\"}, or {\"endpoint\": ID} for that one instance");
        }
        Target target = service == null ? instance(endpoint) : Target.parse(service, p.getString("provider"));
        if (target == null) {
            throw new Problem(
                    "validation",
                    service == null ? "no endpoint has that ID" : "'" + service + "' is no service name",
                    "use letters a-z, digits and dashes: name or org/name; for one instance name#ENDPOINT, by 8 or"
                            + " more characters of its ID");
        }
        return target;
    }

    private static @Nullable Target instance(String endpoint) {
        Id id = Id.parse(endpoint);
        return id == null ? null : new Target.Instance(id);
    }

    private Future<Answer> tunnel(TunnelVerticle.Query.One query) {
        return bus.ask(TunnelVerticle.ASK, query)
                .compose(tunnel -> peers.byId().map(links -> Answer.of(withPath(tunnel, links))));
    }

    private static JsonObject withPath(JsonObject tunnel, Map<Id, Peer> links) {
        Id provider = tunnel.getString("provider") == null ? null : Id.parse(tunnel.getString("provider"));
        Peer peer = provider == null ? null : links.get(provider);
        if (peer != null) {
            tunnel.put("path", PeerOperations.path(peer));
            if (peer.rttNs() > 0) tunnel.put("rttMs", PeerOperations.ms(peer.rttNs()));
        }
        return tunnel;
    }

    private Future<Answer> tunnelStats(JsonObject p) {
        int range = Operations.seconds(p.getString("range", "15m"));
        int step = Math.max(1, Operations.seconds(p.getString("step", "1s")));
        return bus.ask(TunnelVerticle.ASK, new TunnelVerticle.Query.Stats(p.getString("id"), range, step))
                .map(Answer::of);
    }
}
