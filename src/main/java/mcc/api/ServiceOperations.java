package mcc.api;

import io.vertx.core.Future;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import mcc.api.Operations.Answer;
import mcc.api.Operations.Operation;
import mcc.core.Id;
import mcc.link.Peer;
import mcc.node.Bus;
import mcc.node.Problem;
import mcc.node.Registrations;
import mcc.node.RegistryVerticle;
import mcc.registry.Health;
import mcc.registry.Offer;
import mcc.registry.Registry;
import mcc.registry.ServiceName;

/** Services by name, and the providers of each, in the order of this node's preference. */
final class ServiceOperations {
    private final Bus bus;
    private final String network;
    private final Lists lists;
    private final PeerOperations peers;

    ServiceOperations(Bus bus, String network, Lists lists, PeerOperations peers) {
        this.bus = bus;
        this.network = network;
        this.lists = lists;
        this.peers = peers;
    }

    void into(Map<String, Operation> all) {
        all.put("listServices", p -> services().map(items -> Answer.of(lists.page("services", items, p))));
        all.put("getService", p -> service(name(p)).map(Answer::of));
        all.put("listProviders", this::providers);
        all.put("resolveService", this::resolve);
    }

    private static ServiceName name(JsonObject p) {
        return serviceName(p.getString("name"));
    }

    static ServiceName serviceName(String text) {
        ServiceName service = ServiceName.parse(text, ServiceName.OPEN);
        if (service == null) {
            throw new Problem(
                    "validation",
                    "'" + text + "' is no service name",
                    "use letters a-z, digits and dashes: name or org/name");
        }
        return service;
    }

    private Future<List<JsonObject>> services() {
        return bus.ask(Bus.REGISTRY, new RegistryVerticle.Query.Services()).compose(all -> {
            List<Future<JsonObject>> each = new ArrayList<>();
            for (ServiceName service : all) each.add(summary(service));
            return each.isEmpty()
                    ? Future.succeededFuture(List.<JsonObject>of())
                    : Future.all(each).map(f -> f.<JsonObject>list());
        });
    }

    private Future<JsonObject> service(ServiceName service) {
        return summary(service).map(json -> {
            if (json.getInteger("providers") + json.getInteger("failing") == 0) throw noProvider(service);
            return json;
        });
    }

    private Future<JsonObject> summary(ServiceName service) {
        return offers(service)
                .compose(found -> peers.byId().map(links -> {
                    int pass = 0;
                    int failing = 0;
                    int local = 0;
                    JsonObject best = null;
                    for (Offer offer : found.items()) {
                        if (offer.isLocal()) local++;
                        if (offer.health() == Health.PASS) {
                            pass++;
                            if (best == null) best = toJson(offer, links);
                        } else if (offer.health() == Health.FAILING) failing++;
                    }
                    return new JsonObject()
                            .put("name", service.toString())
                            .put("providers", pass)
                            .put("failing", failing)
                            .put("local", local)
                            .put("best", best);
                }));
    }

    private Future<Registry.Output.Providers> offers(ServiceName service) {
        return bus.ask(Bus.REGISTRY, new RegistryVerticle.Query.Resolve(service, 0));
    }

    private JsonObject toJson(Offer offer, Map<Id, Peer> links) {
        Peer peer = links.get(offer.contact().node());
        JsonObject none = new JsonObject()
                .put("tx", "none")
                .put("rx", "none")
                .put("via", new JsonArray())
                .put("address", null)
                .put(
                        "reason",
                        offer.isLocal() ? "this node itself" : "no session yet: it starts with the first connection");
        return Registrations.offer(offer, network).put("path", peer == null ? none : PeerOperations.path(peer));
    }

    private Future<Answer> providers(JsonObject p) {
        ServiceName service = name(p);
        boolean wanted = "all".equals(p.getString("health"));
        return offers(service)
                .compose(found -> peers.byId().map(links -> {
                    List<JsonObject> items = new ArrayList<>();
                    for (Offer offer : found.items()) {
                        if (offer.health() == Health.PASS || wanted && offer.health() == Health.FAILING) {
                            items.add(toJson(offer, links));
                        }
                    }
                    return Answer.of(lists.page("providers/" + service + (wanted ? "/all" : ""), items, p));
                }));
    }

    private Future<Answer> resolve(JsonObject p) {
        ServiceName service = name(p);
        return offers(service)
                .compose(found -> peers.byId().map(links -> {
                    if (found.picks().isEmpty()) throw noProvider(service);
                    JsonArray fallbacks = new JsonArray();
                    for (int i = 1; i < found.picks().size(); i++)
                        fallbacks.add(toJson(found.picks().get(i), links));
                    return Answer.of(new JsonObject()
                            .put("service", service.toString())
                            .put("provider", toJson(found.picks().getFirst(), links))
                            .put("fallbacks", fallbacks));
                }));
    }

    private static Problem noProvider(ServiceName service) {
        return new Problem(
                "not-found",
                "no usable provider of '" + service + "'",
                "register one where it runs: mcc register " + service.name() + " --port PORT");
    }
}
