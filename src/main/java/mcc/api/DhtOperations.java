package mcc.api;

import io.vertx.core.Future;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import mcc.api.Operations.Answer;
import mcc.api.Operations.Operation;
import mcc.core.Bytes;
import mcc.core.Id;
import mcc.dht.Dht;
import mcc.dht.Trace;
import mcc.node.Bus;
import mcc.node.DhtVerticle;
import mcc.node.Problem;
import mcc.wire.Contact;

/** The DHT: its state, its routing table, and lookups with all their steps. */
final class DhtOperations {
    private final Bus bus;
    private final String network;

    DhtOperations(Bus bus, String network) {
        this.bus = bus;
        this.network = network;
    }

    void into(Map<String, Operation> all, Lists lists) {
        all.put("getDht", _ -> show().map(Answer::of));
        all.put("listBuckets", p -> buckets().map(items -> Answer.of(lists.page("buckets", items, p))));
        all.put("lookup", this::lookup);
    }

    Future<Dht.Status> status() {
        return bus.ask(Bus.DHT, new DhtVerticle.Query.Status());
    }

    Future<JsonObject> show() {
        return status().map(s -> new JsonObject()
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
                .put("rttMs", c.rttNs() == 0 ? null : PeerOperations.ms(c.rttNs()))
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
            byte[] name = network.getBytes(StandardCharsets.UTF_8);
            query = new DhtVerticle.Query.FindValue(
                    ServiceOperations.serviceName(service).key(Bytes.copyOf(name)));
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
                    .put("result", step.result().name().toLowerCase(Locale.ROOT))
                    .put("count", step.count())
                    .put("rttMs", PeerOperations.ms(step.rttNs())));
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
}
