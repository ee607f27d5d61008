package mcc.api;

import io.vertx.core.Future;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mcc.core.Bytes;
import mcc.core.Id;
import mcc.dht.Dht;
import mcc.dht.Trace;
import mcc.link.Peer;
import mcc.nat.NatReport;
import mcc.node.Bus;
import mcc.node.DhtVerticle;
import mcc.node.NatVerticle;
import mcc.node.Node;
import mcc.node.PluginQuery;
import mcc.node.Problem;
import mcc.node.Registrations;
import mcc.node.RegistryVerticle;
import mcc.node.SessionVerticle;
import mcc.registry.Health;
import mcc.registry.Offer;
import mcc.registry.Registration;
import mcc.registry.Registry;
import mcc.registry.ServiceName;
import mcc.tunnel.Target;
import mcc.tunnel.TunnelVerticle;
import mcc.wire.Contact;
import org.jspecify.annotations.Nullable;

/** What each operation of the contract does: parameters and body merged in, a JSON answer out. Transport-neutral. */
final class Operations {
    /** An answer: {@code created} tells 201 from 200. */
    record Answer(JsonObject body, boolean created) {
        static Answer of(JsonObject body) {
            return new Answer(body, false);
        }
    }

    /** One operation. */
    @FunctionalInterface
    interface Operation {
        Future<Answer> apply(JsonObject input);
    }

    private final Node.Parts parts;
    private final Bus bus;
    private final String network;
    private final EventLog events;
    private final Lists lists = new Lists();
    private final Map<String, Operation> all = new LinkedHashMap<>();

    Operations(Node.Parts parts, EventLog events) {
        this.parts = parts;
        network = parts.settings().text("network");
        this.events = events;
        bus = parts.bus();
        all.put("getNode", _ -> node().map(Answer::of));
        all.put("drainNode", _ -> drain());
        all.put("listPeers", p -> peers().map(items -> Answer.of(lists.page("peers", items, p))));
        all.put(
                "getPeer",
                p -> peer(p.getString("id")).compose(peer -> inner().map(inner -> Answer.of(toJson(peer, inner)))));
        all.put("pingPeer", this::ping);
        all.put("benchPeer", this::bench);
        all.put("getDht", _ -> dht().map(Answer::of));
        all.put("listBuckets", p -> buckets().map(items -> Answer.of(lists.page("buckets", items, p))));
        all.put("lookup", this::lookup);
        all.put("listServices", p -> services().map(items -> Answer.of(lists.page("services", items, p))));
        all.put("getService", p -> service(name(p)).map(Answer::of));
        all.put("listProviders", this::providers);
        all.put("resolveService", this::resolve);
        all.put(
                "listRegistrations",
                p -> registrations().map(items -> Answer.of(lists.page("registrations", items, p))));
        all.put("getRegistration", p -> registration(p.getString("id")).map(Answer::of));
        all.put("putRegistration", p -> register(p, _ -> true));
        all.put("deleteRegistration", p -> deregister(p, _ -> true));
        all.put("heartbeat", this::heartbeat);
        all.put("listTunnels", p -> tunnels().map(items -> Answer.of(lists.page("tunnels", items, p))));
        all.put("openTunnel", this::openTunnel);
        all.put("getTunnel", p -> tunnel(new TunnelVerticle.Query.Show(p.getString("id"))));
        all.put("closeTunnel", p -> tunnel(new TunnelVerticle.Query.Close(p.getString("id"))));
        all.put(
                "getTunnelPath",
                p -> bus.ask(TunnelVerticle.ASK, new TunnelVerticle.Query.Path(p.getString("id")))
                        .map(Answer::of));
        all.put("getTunnelStats", this::tunnelStats);
        all.put("getNat", _ -> nat().map(Answer::of));
        all.put("listPlugins", p -> plugins().map(items -> Answer.of(lists.page("plugins", items, p))));
        all.put("getPlugin", p -> plugin(new PluginQuery.Show(p.getString("id"))));
        all.put("deletePlugin", p -> plugin(new PluginQuery.Remove(p.getString("id"))));
        all.put("restartPlugin", p -> plugin(new PluginQuery.Restart(p.getString("id"))));
        all.put("listEvents", p -> Future.succeededFuture(Answer.of(lists.page("events", history(p), p))));
        all.put("getHealth", _ -> health().map(Answer::of));
        all.put("getLiveness", _ -> Future.succeededFuture(Answer.of(liveness())));
        all.put("getReadiness", _ -> health().map(Answer::of));
    }

    /** The operations by their IDs in the contract. */
    Map<String, Operation> all() {
        return all;
    }

    // ---- node -------------------------------------------------------------------------------------------------------

    Future<JsonObject> node() {
        return Future.all(bus.ask(Bus.SESSION, new SessionVerticle.Query.Peers()), dhtStatus())
                .map(both -> {
                    Dht.Status dht = both.resultAt(1);
                    return new JsonObject()
                            .put("id", parts.id().toString())
                            .put("name", parts.name())
                            .put("org", null)
                            .put("network", network)
                            .put("version", Version.TEXT)
                            .put("java", Runtime.version().toString())
                            .put("uptimeMs", parts.status().uptimeMs())
                            .put("draining", parts.status().isDraining())
                            .put(
                                    "udp",
                                    new JsonArray(new ArrayList<>(parts.status().udp())))
                            .put("http", parts.status().http())
                            .put("tun", parts.status().tun())
                            .put("peers", both.<List<Peer>>resultAt(0).size())
                            .put("joined", dht.joined())
                            .put("problems", parts.status().problems());
                });
    }

    private Future<Answer> drain() {
        return parts.drain().map(_ -> Answer.of(new JsonObject().put("draining", true)));
    }

    long logDropped() {
        return parts.status().logDropped();
    }

    /** Whether every event loop takes its turns, by the word of the watchdog: what does not come back is started anew. */
    private JsonObject liveness() {
        JsonObject turning = turning();
        return new JsonObject().put("status", turning.getString("status")).put("checks", new JsonArray().add(turning));
    }

    private JsonObject turning() {
        List<String> late = parts.status().late();
        String detail =
                late.isEmpty() ? "every loop takes its turns" : "no turn for seconds: " + String.join(", ", late);
        return check("loops", late.isEmpty(), detail);
    }

    Future<JsonObject> health() {
        return dhtStatus().map(dht -> {
            boolean joined = dht.joined();
            boolean draining = parts.status().isDraining();
            JsonArray checks = new JsonArray()
                    .add(check("dht", joined, joined ? dht.contacts() + " contacts" : "no node of the network answers"))
                    .add(check(
                            "drain",
                            !draining,
                            draining ? "the node is out of service until it is started again" : "in service"));
            int errors = 0;
            for (Object each : parts.status().problems()) {
                if (((JsonObject) each).getString("severity").equals("error")) errors++;
            }
            checks.add(check("problems", errors == 0, errors + " errors"));
            checks.add(turning());
            boolean stuck = !parts.status().late().isEmpty();
            String status = draining || stuck ? "down" : joined && errors == 0 ? "up" : "degraded";
            return new JsonObject().put("status", status).put("checks", checks);
        });
    }

    private static JsonObject check(String id, boolean ok, String detail) {
        return new JsonObject().put("id", id).put("status", ok ? "up" : "down").put("detail", detail);
    }

    private Future<Dht.Status> dhtStatus() {
        return bus.ask(Bus.DHT, new DhtVerticle.Query.Status());
    }

    // ---- peers ------------------------------------------------------------------------------------------------------

    Future<List<JsonObject>> peers() {
        return bus.ask(Bus.SESSION, new SessionVerticle.Query.Peers())
                .compose(all -> inner().map(inner -> {
                    List<JsonObject> out = new ArrayList<>();
                    for (Peer each : all) out.add(toJson(each, inner));
                    return out;
                }));
    }

    /** What the virtual interface calls the peers. */
    private Future<Map<Id, List<String>>> inner() {
        return bus.ask(Bus.SESSION, new SessionVerticle.Query.InnerAddresses());
    }

    private Future<Peer> peer(String prefix) {
        return bus.ask(Bus.SESSION, new SessionVerticle.Query.Peers()).compose(all -> {
            Peer found = null;
            for (Peer peer : all) {
                if (!Id.isPrefix(prefix) || !peer.id().toString().startsWith(prefix)) continue;
                if (found != null) return Future.failedFuture(ambiguous(prefix));
                found = peer;
            }
            return found != null ? Future.succeededFuture(found) : Future.failedFuture(noPeer(prefix));
        });
    }

    private static Problem ambiguous(String prefix) {
        return new Problem("validation", "more than one peer begins with '" + prefix + "'", "give more characters");
    }

    private Problem noPeer(String prefix) {
        if (Id.isPrefix(prefix) && parts.id().toString().startsWith(prefix)) {
            return new Problem("validation", "'" + prefix + "' is this node itself", "name another, from: mcc peers");
        }
        return new Problem(
                "not-found",
                "no peer begins with '" + prefix + "'",
                "give 8 or more characters of an ID from: mcc peers");
    }

    private static JsonObject toJson(Peer peer, Map<Id, List<String>> inner) {
        long now = System.nanoTime();
        return new JsonObject()
                .put("id", peer.id().toString())
                .put("name", null)
                .put("org", null)
                .put("path", path(peer))
                .put("inner", new JsonArray(inner.getOrDefault(peer.id(), List.of())))
                .put("suite", peer.suite())
                .put("rttMs", peer.rttNs() == 0 ? null : Math.round(peer.rttNs() / 1e3) / 1e3)
                .put("lossPpm", peer.lossPpm())
                .put("txBytes", peer.txBytes())
                .put("rxBytes", peer.rxBytes())
                .put("streams", peer.streams())
                .put("sinceMs", (now - peer.sinceNs()) / 1_000_000)
                .put("heardAgoMs", (now - peer.heardNs()) / 1_000_000);
    }

    private static JsonObject path(Peer peer) {
        String kind = peer.kind();
        return new JsonObject()
                .put("tx", kind)
                .put("rx", kind)
                .put("via", new JsonArray())
                .put("address", peer.at() == null ? null : peer.at().toString())
                .put("reason", kind.equals("none") ? "no session: the peer has not answered" : null);
    }

    private Future<Answer> ping(JsonObject p) {
        int count = p.getInteger("count", 1);
        return peer(p.getString("id")).compose(peer -> {
            JsonArray pings = new JsonArray();
            return ping(peer, count, pings).map(_ -> {
                long received = pings.stream()
                        .filter(x -> ((JsonObject) x).getValue("rttMs") != null)
                        .count();
                if (received == 0) {
                    throw new Problem(
                            "lookup-timeout",
                            "peer " + peer.id().shortText() + " did not answer",
                            "see its path: mcc peers");
                }
                return Answer.of(new JsonObject()
                        .put("id", peer.id().toString())
                        .put("pings", pings)
                        .put("received", received)
                        .put("sent", count));
            });
        });
    }

    private Future<Answer> bench(JsonObject p) {
        int seconds = p.getInteger("seconds", 10);
        return peer(p.getString("id")).compose(peer -> {
            Contact contact = new Contact(peer.id(), peer.at() == null ? List.of() : List.of(peer.at()));
            return bus.ask(TunnelVerticle.ASK, new TunnelVerticle.Query.Measure(contact, seconds))
                    .map(id -> new Answer(
                            new JsonObject()
                                    .put("id", id)
                                    .put("peer", peer.id().toString())
                                    .put("seconds", seconds),
                            true));
        });
    }

    private Future<?> ping(Peer peer, int left, JsonArray out) {
        if (left == 0) return Future.succeededFuture();
        Contact contact = new Contact(peer.id(), peer.at() == null ? List.of() : List.of(peer.at()));
        String kind = path(peer).getString("tx");
        return bus.ask(Bus.SESSION, new SessionVerticle.Query.Ping(contact)).compose(rttNs -> {
            double ms = Math.round(rttNs / 1e3) / 1e3;
            out.add(new JsonObject().put("rttMs", rttNs < 0 ? null : ms).put("path", kind));
            return ping(peer, left - 1, out);
        });
    }

    // ---- DHT --------------------------------------------------------------------------------------------------------

    Future<JsonObject> dht() {
        return dhtStatus()
                .map(s -> new JsonObject()
                        .put("k", s.k())
                        .put("alpha", s.alpha())
                        .put("contacts", s.contacts())
                        .put("buckets", s.buckets())
                        .put("estimatedNodes", s.estimatedNodes())
                        .put("records", s.records())
                        .put("publications", s.publications())
                        .put("lookups", s.lookups())
                        .put("joined", s.joined()));
    }

    Future<List<JsonObject>> buckets() {
        return bus.ask(Bus.DHT, new DhtVerticle.Query.Buckets()).map(all -> {
            List<JsonObject> out = new ArrayList<>();
            for (Dht.BucketView b : all) {
                JsonArray contacts = new JsonArray();
                for (Dht.ContactView c : b.contacts()) contacts.add(toJson(c));
                out.add(new JsonObject()
                        .put("index", b.index())
                        .put("prefix", b.prefix())
                        .put("size", b.size())
                        .put("capacity", b.capacity())
                        .put("contacts", contacts));
            }
            return out;
        });
    }

    private static JsonObject toJson(Dht.ContactView c) {
        String state = c.failures() > 0 ? "failing" : c.heardAgoMs() > 900_000 ? "stale" : "fresh";
        return toJson(c.contact())
                .put("heardAgoMs", c.heardAgoMs())
                .put("rttMs", c.rttNs() == 0 ? null : Math.round(c.rttNs() / 1e3) / 1e3)
                .put("failures", c.failures())
                .put("state", state);
    }

    private static JsonObject toJson(Contact contact) {
        JsonArray addresses = new JsonArray();
        contact.addresses().forEach(a -> addresses.add(a.toString()));
        return new JsonObject().put("id", contact.node().toString()).put("addresses", addresses);
    }

    private Future<Answer> lookup(JsonObject p) {
        String target = p.getString("target");
        String service = p.getString("service");
        if ((target == null) == (service == null)) {
            throw new Problem(
                    "validation", "give either 'target' or 'service'", "target is 52 characters, service a name");
        }
        DhtVerticle.Query.Find query;
        if (service != null) {
            byte[] network = parts.settings().text("network").getBytes(java.nio.charset.StandardCharsets.UTF_8);
            query = new DhtVerticle.Query.FindValue(serviceName(service).key(Bytes.copyOf(network)));
        } else {
            Id id = Id.parse(target);
            if (id == null)
                throw new Problem("validation", "'" + target + "' is no ID", "an ID has 52 letters and digits");
            query = new DhtVerticle.Query.FindNode(id);
        }
        return bus.ask(Bus.DHT, query).map(found -> Answer.of(toJson(found)));
    }

    private static JsonObject toJson(Dht.Output.Found found) {
        Trace trace = found.trace();
        JsonArray steps = new JsonArray();
        for (Trace.Step step : trace.steps()) {
            steps.add(new JsonObject()
                    .put("index", step.index())
                    .put("atMs", step.atMs())
                    .put("peer", step.peer().toString())
                    .put("sharedBits", step.sharedBits())
                    .put("result", step.result().name().toLowerCase(java.util.Locale.ROOT))
                    .put("count", step.count())
                    .put("rttMs", Math.round(step.rttNs() / 1e3) / 1e3));
        }
        JsonArray closest = new JsonArray();
        found.closest().forEach(c -> closest.add(toJson(c)));
        return new JsonObject()
                .put("id", trace.id())
                .put("target", found.target().toString())
                .put("tookMs", trace.tookMs())
                .put("requests", trace.requests())
                .put("steps", steps)
                .put(
                        "result",
                        new JsonObject()
                                .put("closest", closest)
                                .put("records", found.records().size()));
    }

    // ---- services ---------------------------------------------------------------------------------------------------

    private static ServiceName name(JsonObject p) {
        return serviceName(p.getString("name"));
    }

    private static ServiceName serviceName(String text) {
        ServiceName service = ServiceName.parse(text, ServiceName.OPEN);
        if (service == null) {
            throw new Problem(
                    "validation",
                    "'" + text + "' is no service name",
                    "use letters a-z, digits and dashes: name or org/name");
        }
        return service;
    }

    Future<List<JsonObject>> services() {
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
                .compose(found -> links().map(links -> {
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

    private Future<Map<Id, Peer>> links() {
        return bus.ask(Bus.SESSION, new SessionVerticle.Query.Peers()).map(all -> {
            Map<Id, Peer> out = new LinkedHashMap<>();
            for (Peer each : all) out.put(each.id(), each);
            return out;
        });
    }

    private JsonObject toJson(Offer offer, Map<Id, Peer> links) {
        Peer peer = links.get(offer.contact().node());
        JsonObject none = new JsonObject()
                .put("tx", "none")
                .put("rx", "none")
                .put("via", new JsonArray())
                .put("address", null)
                .put("reason", offer.isLocal() ? "this node itself" : "no session yet: made with the first connection");
        return Registrations.offer(offer, network).put("path", peer == null ? none : path(peer));
    }

    private Future<Answer> providers(JsonObject p) {
        ServiceName service = name(p);
        boolean wanted = "all".equals(p.getString("health"));
        return offers(service)
                .compose(found -> links().map(links -> {
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
                .compose(found -> links().map(links -> {
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

    /** An operation that changes a registration only where that is as the condition says. */
    Operation onlyIf(String id, Operation does, RegistryVerticle.Condition condition) {
        return switch (id) {
            case "putRegistration" -> p -> register(p, condition);
            case "deleteRegistration" -> p -> deregister(p, condition);
            default -> does;
        };
    }

    JsonObject toJson(Registry.LocalView view) {
        return Registrations.toJson(view, network);
    }

    // ---- registrations ----------------------------------------------------------------------------------------------

    Future<List<JsonObject>> registrations() {
        return bus.ask(Bus.REGISTRY, new RegistryVerticle.Query.Registrations()).map(all -> {
            List<JsonObject> out = new ArrayList<>();
            for (Registry.LocalView each : all) out.add(Registrations.toJson(each, network));
            return out;
        });
    }

    private Future<JsonObject> registration(String id) {
        return registrations().map(all -> {
            for (JsonObject each : all) if (each.getString("id").equals(id)) return each;
            throw noRegistration(id);
        });
    }

    private static Problem noRegistration(String id) {
        return new Problem(
                "not-found", "this node has no registration '" + id + "'", "list them: mcc services --local");
    }

    private Future<Answer> register(JsonObject p, RegistryVerticle.Condition condition) {
        return switch (Registrations.parse(p.getString("id"), p)) {
            case Registration.Parsed.Invalid invalid -> {
                List<Problem.Fault> faults = new ArrayList<>();
                for (Registration.Fault f : invalid.faults()) faults.add(new Problem.Fault(f.pointer(), f.detail()));
                Problem.Fault first = faults.getFirst();
                throw new Problem(
                        "validation",
                        "the registration is not valid: " + first.pointer() + " must be " + first.detail(),
                        "mend the fields named",
                        faults);
            }
            case Registration.Parsed.Valid valid ->
                bus.ask(Bus.REGISTRY, new RegistryVerticle.Query.Register(valid.registration(), condition))
                        .map(done -> new Answer(Registrations.toJson(done.registration(), network), done.created()));
        };
    }

    private Future<Answer> deregister(JsonObject p, RegistryVerticle.Condition condition) {
        String id = p.getString("id");
        return bus.ask(Bus.REGISTRY, new RegistryVerticle.Query.Deregister(id, condition))
                .map(done -> {
                    if (!done.existed()) throw noRegistration(id);
                    return Answer.of(new JsonObject().put("id", id).put("withdrawn", true));
                });
    }

    private Future<Answer> heartbeat(JsonObject p) {
        String id = p.getString("id");
        return bus.ask(Bus.REGISTRY, new RegistryVerticle.Query.Heartbeat(id)).compose(done -> {
            if (!done.known()) throw noRegistration(id);
            return registration(id)
                    .map(r -> Answer.of(new JsonObject().put("id", id).put("health", r.getString("health"))));
        });
    }

    // ---- tunnels ----------------------------------------------------------------------------------------------------

    Future<List<JsonObject>> tunnels() {
        return bus.ask(TunnelVerticle.ASK, new TunnelVerticle.Query.All())
                .compose(all -> links().map(links -> {
                    List<JsonObject> out = new ArrayList<>();
                    for (Object each : all) out.add(withPath((JsonObject) each, links));
                    return out;
                }));
    }

    private Future<Answer> openTunnel(JsonObject p) {
        String listen = p.getString("listen", "127.0.0.1:0");
        return bus.ask(
                        TunnelVerticle.ASK,
                        new TunnelVerticle.Query.Open(
                                target(p), listen, p.getString("protocol"), p.getLong("idleMs", 0L)))
                .compose(made -> links().map(links -> new Answer(withPath(made, links), true)));
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
                .compose(tunnel -> links().map(links -> Answer.of(withPath(tunnel, links))));
    }

    private static JsonObject withPath(JsonObject tunnel, Map<Id, Peer> links) {
        Id provider = tunnel.getString("provider") == null ? null : Id.parse(tunnel.getString("provider"));
        Peer peer = provider == null ? null : links.get(provider);
        if (peer != null) {
            tunnel.put("path", path(peer));
            if (peer.rttNs() > 0) tunnel.put("rttMs", Math.round(peer.rttNs() / 1e3) / 1e3);
        }
        return tunnel;
    }

    private Future<Answer> tunnelStats(JsonObject p) {
        int range = seconds(p.getString("range", "15m"));
        int step = Math.max(1, seconds(p.getString("step", "1s")));
        return bus.ask(TunnelVerticle.ASK, new TunnelVerticle.Query.Stats(p.getString("id"), range, step))
                .map(Answer::of);
    }

    /** The seconds in a text such as {@code 30s} or {@code 5m}. */
    static int seconds(String text) {
        int n = Integer.parseInt(text.substring(0, text.length() - 1));
        return text.endsWith("m") ? 60 * n : n;
    }

    // ---- plugins ----------------------------------------------------------------------------------------------------

    private Future<List<JsonObject>> plugins() {
        return bus.ask(Bus.PLUGINS, new PluginQuery.All()).map(all -> {
            List<JsonObject> out = new ArrayList<>();
            for (Object each : all) out.add((JsonObject) each);
            return out;
        });
    }

    private Future<Answer> plugin(PluginQuery.One query) {
        return bus.ask(Bus.PLUGINS, query).map(Answer::of);
    }

    // ---- NAT and events ---------------------------------------------------------------------------------------------

    Future<JsonObject> nat() {
        return bus.ask(Bus.NAT, new NatVerticle.Query.Report()).map(nat -> {
            JsonArray addresses = new JsonArray();
            nat.addresses().forEach(a -> addresses.add(a.toString()));
            JsonArray votes = new JsonArray();
            for (NatReport.Vote v : nat.votes()) {
                votes.add(new JsonObject()
                        .put("by", v.by().toString())
                        .put("sees", v.sees().toString())
                        .put("ageMs", v.ageMs()));
            }
            return new JsonObject()
                    .put("verdict", verdict(nat.mapping()))
                    .put(
                            "mapping",
                            nat.mapping()
                                    .name()
                                    .toLowerCase(java.util.Locale.ROOT)
                                    .replace('_', '-'))
                    .put("filtering", "unknown")
                    .put("addresses", addresses)
                    .put("votes", votes)
                    .put("portMapping", null)
                    .put("mappingLifetimeMs", null);
        });
    }

    private static String verdict(NatReport.Mapping mapping) {
        return switch (mapping) {
            case UNKNOWN -> "Not known yet: fewer than two peers have said from which address they hear this node.";
            case NONE -> "No NAT in the way: peers see an address that this machine has itself.";
            case ENDPOINT_INDEPENDENT ->
                "Behind a NAT that gives every peer the same address: direct paths are likely.";
            case ENDPOINT_DEPENDENT ->
                "Behind a NAT that gives each peer another address: peers reach this node only after it has contacted"
                        + " them.";
        };
    }

    private List<JsonObject> history(JsonObject p) {
        List<JsonObject> out = new ArrayList<>();
        for (EventLog.Entry entry : events.all()) {
            if (EventLog.matches(p.getString("types"), entry.event().type())) out.add(entry.toJson());
        }
        return out;
    }
}
