package mcc.api;

import io.vertx.core.Future;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mcc.api.Operations.Answer;
import mcc.api.Operations.Operation;
import mcc.core.Address;
import mcc.core.Id;
import mcc.link.Peer;
import mcc.node.Bus;
import mcc.node.Node;
import mcc.node.Problem;
import mcc.node.RegistryVerticle;
import mcc.node.SessionVerticle;
import mcc.registry.Offer;
import mcc.tunnel.Target;
import mcc.tunnel.TunnelVerticle;
import mcc.wire.Contact;
import org.jspecify.annotations.Nullable;

/** The peers, as the links know them: shown, pinged, measured. */
final class PeerOperations {
    private final Node.Parts parts;
    private final Bus bus;

    PeerOperations(Node.Parts parts) {
        this.parts = parts;
        bus = parts.bus();
    }

    void into(Map<String, Operation> all, Lists lists) {
        all.put("listPeers", p -> all().map(items -> Answer.of(lists.page("peers", items, p))));
        all.put(
                "getPeer",
                p -> peer(p.getString("id")).compose(peer -> inner().map(inner -> Answer.of(toJson(peer, inner)))));
        all.put("pingPeer", this::ping);
        all.put("benchPeer", this::bench);
    }

    Future<List<JsonObject>> all() {
        return bus.ask(Bus.SESSION, new SessionVerticle.Query.Peers())
                .compose(all -> inner().map(inner ->
                        all.stream().map(each -> toJson(each, inner)).toList()));
    }

    /** The peers by their IDs. */
    Future<Map<Id, Peer>> byId() {
        return bus.ask(Bus.SESSION, new SessionVerticle.Query.Peers()).map(all -> {
            Map<Id, Peer> out = new LinkedHashMap<>();
            for (Peer each : all) out.put(each.id(), each);
            return out;
        });
    }

    /** The peers' addresses in the virtual interface. */
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

    /**
     * Whom a text means: a peer, by how its ID begins; any node, by its whole ID; the provider of an instance of a service, by
     * {@code name#ENDPOINT}.
     */
    Future<Contact> whom(String text) {
        if (text.indexOf('#') >= 0) return providerOf(text);
        Id whole = Id.parse(text);
        Future<Contact> found = peer(text).map(PeerOperations::contact);
        if (whole == null || whole.equals(parts.id())) return found;
        return found.otherwise(new Contact(whole, List.of()));
    }

    private Future<Contact> providerOf(String text) {
        Target.Service target = Target.parse(text, null);
        if (target == null) {
            throw new Problem(
                    "validation",
                    "'" + text + "' is no instance of a service",
                    "write name#ENDPOINT, with 8 or more characters of its ID, from: mcc discover NAME");
        }
        return bus.ask(Bus.REGISTRY, new RegistryVerticle.Query.Resolve(target.name(), 0))
                .map(found -> {
                    for (Offer offer : found.items()) {
                        if (!target.admits(offer)) continue;
                        if (offer.isLocal()) throw noPeer(parts.id().toString());
                        return offer.contact();
                    }
                    throw new Problem(
                            "not-found",
                            "nobody provides '" + text + "'",
                            "see who does: mcc discover " + target.name());
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
                .put("rttMs", peer.rttNs() == 0 ? null : ms(peer.rttNs()))
                .put("lossPpm", peer.lossPpm())
                .put("txBytes", peer.txBytes())
                .put("rxBytes", peer.rxBytes())
                .put("streams", peer.streams())
                .put("sinceMs", (now - peer.sinceNs()) / 1_000_000)
                .put("heardAgoMs", (now - peer.heardNs()) / 1_000_000);
    }

    /** Which way packets go to a peer and come from it. */
    static JsonObject path(Peer peer) {
        String kind = peer.kind();
        JsonArray via = new JsonArray();
        Id relay = peer.relay();
        if (relay != null) via.add(relay.toString());
        return new JsonObject()
                .put("tx", kind)
                .put("rx", kind)
                .put("via", via)
                .put("address", peer.at() == null ? null : PathText.at(peer.at()))
                .put("reason", reason(peer, kind));
    }

    private static @Nullable String reason(Peer peer, String kind) {
        return switch (kind) {
            case "none" -> "no session: the peer has not answered";
            case "relay" ->
                "no direct path stands: mcc explain path " + peer.id().shortText();
            default -> null;
        };
    }

    private Future<Answer> ping(JsonObject p) {
        int count = p.getInteger("count", 1);
        return whom(p.getString("id")).compose(to -> {
            JsonArray pings = new JsonArray();
            return ping(to, count, pings).map(_ -> {
                long received = pings.stream()
                        .filter(x -> ((JsonObject) x).getValue("rttMs") != null)
                        .count();
                if (received == 0) {
                    throw new Problem(
                            "lookup-timeout",
                            to.node().shortText() + " did not answer",
                            "see what was tried: mcc explain path " + to.node().shortText());
                }
                return Answer.of(new JsonObject()
                        .put("id", to.node().toString())
                        .put("pings", pings)
                        .put("received", received)
                        .put("sent", count));
            });
        });
    }

    private Future<Answer> bench(JsonObject p) {
        int seconds = p.getInteger("seconds", 10);
        return peer(p.getString("id")).compose(peer -> {
            return bus.ask(TunnelVerticle.ASK, new TunnelVerticle.Query.Measure(contact(peer), seconds))
                    .map(id -> new Answer(
                            new JsonObject()
                                    .put("id", id)
                                    .put("peer", peer.id().toString())
                                    .put("seconds", seconds),
                            true));
        });
    }

    /** At its address; without one where its link goes by a relay or a carrier, and has to do. */
    private static Contact contact(Peer peer) {
        Address at = peer.at();
        return new Contact(peer.id(), at == null || !at.isUnicast() ? List.of() : List.of(at));
    }

    /** Converts to milliseconds, rounded to the microsecond. */
    static double ms(long ns) {
        return Math.round(ns / 1e3) / 1e3;
    }

    private Future<?> ping(Contact to, int left, JsonArray out) {
        if (left == 0) return Future.succeededFuture();
        return bus.ask(Bus.SESSION, new SessionVerticle.Query.Ping(to))
                .compose(rttNs -> byId().compose(links -> {
                    Peer link = links.get(to.node());
                    Id relay = link == null ? null : link.relay();
                    Address at = link == null ? null : link.at();
                    out.add(new JsonObject()
                            .put("rttMs", rttNs < 0 ? null : ms(rttNs))
                            .put("path", link == null ? "none" : link.kind())
                            .put("address", at == null ? null : at.toString())
                            .put("relay", relay == null ? null : relay.toString()));
                    return ping(to, left - 1, out);
                }));
    }
}
