package mcc.api;

import io.vertx.core.Future;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import mcc.api.Operations.Answer;
import mcc.api.Operations.Operation;
import mcc.carrier.CarrierReport;
import mcc.dht.Dht;
import mcc.link.Peer;
import mcc.link.UpkeepCost;
import mcc.nat.NatReport;
import mcc.node.Bus;
import mcc.node.CarrierVerticle;
import mcc.node.NatVerticle;
import mcc.node.Node;
import mcc.node.PortMapVerticle;
import mcc.node.RelayVerticle;
import mcc.node.SessionVerticle;
import mcc.portmap.PortMapReport;
import mcc.relay.RelayReport;
import org.jspecify.annotations.Nullable;

/** This node: what it is, how it is doing, and at which addresses its peers see it. */
final class NodeOperations {
    private final Node.Parts parts;
    private final Bus bus;
    private final DhtOperations dht;

    NodeOperations(Node.Parts parts, DhtOperations dht) {
        this.parts = parts;
        this.dht = dht;
        bus = parts.bus();
    }

    void into(Map<String, Operation> all) {
        all.put("getNode", _ -> show().map(Answer::of));
        all.put("drainNode", _ -> drain());
        all.put("getNat", _ -> nat().map(Answer::of));
        all.put(
                "checkNat",
                _ -> bus.ask(Bus.NAT, new NatVerticle.Query.Check())
                        .compose(_ -> nat())
                        .map(Answer::of));
        all.put("getRelays", _ -> relays().map(Answer::of));
        all.put("getHealth", _ -> health().map(Answer::of));
        all.put("getLiveness", _ -> Future.succeededFuture(Answer.of(liveness())));
        all.put("getReadiness", _ -> health().map(Answer::of));
    }

    Future<JsonObject> show() {
        return Future.all(
                        bus.ask(Bus.SESSION, new SessionVerticle.Query.Peers()),
                        this.dht.status(),
                        bus.ask(Bus.SESSION, new SessionVerticle.Query.Cost()))
                .map(all -> {
                    Dht.Status dht = all.resultAt(1);
                    return new JsonObject()
                            .put("id", parts.id().toString())
                            .put("name", parts.name())
                            .put("org", null)
                            .put("network", parts.settings().text("network"))
                            .put("version", Version.TEXT)
                            .put("java", Runtime.version().toString())
                            .put("uptimeMs", parts.status().uptimeMs())
                            .put("draining", parts.status().isDraining())
                            .put(
                                    "udp",
                                    new JsonArray(new ArrayList<>(parts.status().udp())))
                            .put("http", parts.status().http())
                            .put("tun", parts.status().tun())
                            .put("peers", all.<List<Peer>>resultAt(0).size())
                            .put("joined", dht.joined())
                            .put(
                                    "upkeep",
                                    all.<Optional<UpkeepCost.Report>>resultAt(2)
                                            .map(NodeOperations::upkeep)
                                            .orElse(null))
                            .put("problems", parts.status().problems());
                });
    }

    private static JsonObject upkeep(UpkeepCost.Report report) {
        return new JsonObject()
                .put("bytesPerMonth", report.monthlyBytes())
                .put("txBytes", report.txBytes())
                .put("rxBytes", report.rxBytes())
                .put("overMs", report.overNs() / 1_000_000);
    }

    private Future<Answer> drain() {
        return parts.drain().map(_ -> Answer.of(new JsonObject().put("draining", true)));
    }

    /**
     * Whether every event loop makes progress, as the watchdog sees it; a supervisor of the process may restart a node that
     * does not.
     */
    private JsonObject liveness() {
        JsonObject turning = turning();
        return new JsonObject().put("status", turning.getString("status")).put("checks", new JsonArray().add(turning));
    }

    private JsonObject turning() {
        List<String> late = parts.status().late();
        String detail =
                late.isEmpty() ? "every event loop responds" : "no response for seconds: " + String.join(", ", late);
        return check("loops", late.isEmpty(), detail);
    }

    Future<JsonObject> health() {
        return this.dht.status().map(dht -> {
            boolean joined = dht.joined();
            boolean draining = parts.status().isDraining();
            JsonArray checks = new JsonArray()
                    .add(check("dht", joined, joined ? dht.contacts() + " contacts" : "no node of the network answers"))
                    .add(check(
                            "drain",
                            !draining,
                            draining ? "the node is out of service until it is restarted" : "in service"));
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

    Future<JsonObject> nat() {
        Future<PortMapReport> mapping = bus.ask(Bus.PORTMAP, new PortMapVerticle.Query.Report());
        return Future.join(
                        bus.ask(Bus.NAT, new NatVerticle.Query.Report()),
                        mapping.otherwiseEmpty(),
                        bus.ask(Bus.CARRIERS, new CarrierVerticle.Query.Report()))
                .map(all -> toJson(all.resultAt(0), all.resultAt(1), all.resultAt(2)));
    }

    private static JsonObject toJson(NatReport nat, @Nullable PortMapReport mapping, CarrierReport carriers) {
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
                .put("verdict", NatText.verdict(nat, carriers))
                .put("udp", carriers.linked() != null ? "blocked" : NatText.lower(nat.udp()))
                .put("mapping", NatText.lower(nat.main().mapping()))
                .put("filtering", NatText.lower(nat.main().filtering()))
                .put("reachable", NatText.lower(nat.main().reachable()))
                .put("ipv4", NatText.side(nat.v4()))
                .put("ipv6", NatText.side(nat.v6()))
                .put("addresses", addresses)
                .put("votes", votes)
                .put("portMapping", NatText.portMapping(mapping))
                .put("carriers", NatText.carriers(carriers))
                .put("checking", nat.checking());
    }

    Future<JsonObject> relays() {
        return bus.ask(Bus.RELAY, new RelayVerticle.Query.Report()).map(report -> {
            JsonArray places = new JsonArray();
            report.places().forEach(id -> places.add(id.toString()));
            JsonArray kept = new JsonArray();
            for (RelayReport.Kept each : report.kept()) {
                kept.add(new JsonObject()
                        .put("relay", each.relay().toString())
                        .put("rttMs", PeerOperations.ms(each.rttNs()))
                        .put("load", each.load() / 1_000.0)
                        .put("leaseMs", each.leaseMs()));
            }
            return new JsonObject()
                    .put("relaying", report.relaying())
                    .put("places", places)
                    .put("circuits", report.circuits())
                    .put("kept", kept);
        });
    }
}
