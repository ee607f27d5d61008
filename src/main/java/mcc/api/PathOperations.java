package mcc.api;

import io.vertx.core.Future;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import mcc.api.Operations.Answer;
import mcc.api.Operations.Operation;
import mcc.api.PathText.Facts;
import mcc.carrier.CarrierReport;
import mcc.core.Address;
import mcc.core.Core;
import mcc.core.Id;
import mcc.link.PathReport;
import mcc.link.Peer;
import mcc.nat.NatReport;
import mcc.node.Bus;
import mcc.node.CarrierVerticle;
import mcc.node.NatVerticle;
import mcc.node.Node;
import mcc.node.Problem;
import mcc.node.PunchVerticle;
import mcc.node.SessionVerticle;
import mcc.punch.PunchReport;
import mcc.tunnel.TunnelVerticle;
import mcc.wire.Capabilities;
import org.jspecify.annotations.Nullable;

/** Why a peer, or the provider of a tunnel, is reached the way it is. */
final class PathOperations {
    private final Node.Parts parts;
    private final Bus bus;
    private final PeerOperations peers;

    PathOperations(Node.Parts parts, PeerOperations peers) {
        this.parts = parts;
        this.peers = peers;
        bus = parts.bus();
    }

    void into(Map<String, Operation> all) {
        all.put(
                "getPeerPath",
                p -> peers.whom(p.getString("id")).compose(to -> of(to.node())).map(Answer::of));
        all.put("getTunnelPath", this::ofTunnel);
    }

    /** The tunnel's own history, and what is known of the way to the provider that it uses now. */
    private Future<Answer> ofTunnel(JsonObject p) {
        return bus.ask(TunnelVerticle.ASK, new TunnelVerticle.Query.Path(p.getString("id")))
                .compose(timeline -> {
                    JsonArray items = timeline.getJsonArray("items");
                    Id provider = items.isEmpty()
                            ? null
                            : Id.parse(items.getJsonObject(items.size() - 1).getString("provider"));
                    if (provider == null || provider.equals(parts.id())) {
                        return Future.succeededFuture(Answer.of(timeline.put("now", null)));
                    }
                    return facts(provider).map(facts -> Answer.of(timeline.put("now", toJson(facts))));
                });
    }

    private Future<JsonObject> of(Id peer) {
        return facts(peer).map(facts -> {
            boolean known = facts.link() != null
                    || !facts.paths().changes().isEmpty()
                    || !facts.paths().tries().isEmpty();
            if (known) return toJson(facts);
            throw new Problem(
                    "not-found",
                    "this node has not tried to reach " + peer.shortText() + " lately",
                    "reach it first: mcc ping " + peer.shortText());
        });
    }

    private Future<Facts> facts(Id peer) {
        return Future.all(
                        bus.ask(Bus.SESSION, new SessionVerticle.Query.Peers()),
                        bus.ask(Bus.SESSION, new SessionVerticle.Query.Paths(peer)),
                        bus.ask(Bus.PUNCH, new PunchVerticle.Query.Report(peer)),
                        bus.ask(Bus.NAT, new NatVerticle.Query.Report()),
                        bus.ask(Bus.CARRIERS, new CarrierVerticle.Query.Report()))
                .map(all -> {
                    Peer link = null;
                    for (Peer each : all.<List<Peer>>resultAt(0)) if (each.id().equals(peer)) link = each;
                    PathReport paths = all.resultAt(1);
                    PunchReport punch = all.resultAt(2);
                    NatReport nat = all.resultAt(3);
                    CarrierReport carriers = all.resultAt(4);
                    return new Facts(
                            peer, link, paths, punch, nat, parts.status().udp(), carriers.linked());
                });
    }

    private static JsonObject toJson(Facts facts) {
        Peer link = facts.link();
        PathReport paths = facts.paths();
        JsonObject none = new JsonObject()
                .put("tx", "none")
                .put("rx", "none")
                .put("via", new JsonArray())
                .put("address", null)
                .put("reason", "there is no link");
        JsonArray changes = new JsonArray();
        for (PathReport.Change each : paths.changes()) changes.add(toJson(each));
        JsonArray tries = new JsonArray();
        for (PathReport.Try each : paths.tries()) tries.add(toJson(each));
        return new JsonObject()
                .put("id", facts.id().toString())
                .put("path", link == null ? none : PeerOperations.path(link))
                .put("rttMs", link == null ? null : ms(link.rttNs()))
                .put("verdict", PathText.verdict(facts))
                .put("advice", PathText.advice(facts))
                .put("here", here(facts))
                .put("there", there(facts))
                .put("changes", changes)
                .put("tries", tries)
                .put("dropped", paths.dropped())
                .put("punching", toJson(facts.punch()));
    }

    private static JsonObject here(Facts facts) {
        NatReport.Side side = facts.nat().main();
        return new JsonObject()
                .put("mapping", NatText.lower(side.mapping()))
                .put("filtering", NatText.lower(side.filtering()))
                .put("reachable", NatText.lower(side.reachable()))
                .put("address", text(side.address()))
                .put("voices", side.voices())
                .put("seenByPeer", text(facts.paths().observed()));
    }

    /** What the peer tells of itself, which it does when a direct path is looked for. */
    private static JsonObject there(Facts facts) {
        Peer link = facts.link();
        boolean linked = facts.paths().linked();
        return new JsonObject()
                .put("mapping", PathText.mapping(facts.punch().ports()))
                .put("ports", NatText.lower(facts.punch().ports()))
                .put("address", link == null ? null : text(link.at()))
                .put("punches", linked ? (facts.paths().capabilities() & Capabilities.PUNCHES) != 0 : null);
    }

    private static JsonObject toJson(PathReport.Change change) {
        return new JsonObject()
                .put("at", at(change.atNs()))
                .put("path", change.kind())
                .put("address", text(change.at()))
                .put("relay", text(change.relay()))
                .put("cause", NatText.lower(change.cause()))
                .put("why", PathText.cause(change))
                .put("rttMs", ms(change.rttNs()));
    }

    private static JsonObject toJson(PathReport.Try each) {
        return new JsonObject()
                .put("address", text(each.at()))
                .put("relay", text(each.relay()))
                .put("state", NatText.lower(each.state()))
                .put("times", each.times())
                .put("firstAt", at(each.firstNs()))
                .put("lastAt", at(each.lastNs()))
                .put("answeredAt", each.answeredNs() == Core.NEVER ? null : at(each.answeredNs()))
                .put("rttMs", ms(each.rttNs()));
    }

    private static JsonObject toJson(PunchReport punch) {
        JsonArray attempts = new JsonArray();
        for (PunchReport.Attempt each : punch.attempts()) {
            JsonArray candidates = new JsonArray();
            each.candidates().forEach(address -> candidates.add(address.toString()));
            attempts.add(new JsonObject()
                    .put("at", at(each.atNs()))
                    .put("outcome", NatText.lower(each.outcome()))
                    .put("candidates", candidates)
                    .put("challenges", each.challenges())
                    .put("tookMs", each.endNs() == Core.NEVER ? null : ms(each.endNs() - each.atNs())));
        }
        long nextNs = punch.nextNs();
        return new JsonObject()
                .put("going", punch.going())
                .put("leads", punch.leads())
                .put("nextInMs", nextNs == Core.NEVER ? null : Math.max(0, nextNs - System.nanoTime()) / 1_000_000)
                .put("attempts", attempts)
                .put("attemptsTotal", punch.attemptsTotal())
                .put("challenges", punch.challenges())
                .put("refused", punch.refused());
    }

    private static String at(long ns) {
        return Instant.ofEpochMilli(System.currentTimeMillis() - (System.nanoTime() - ns) / 1_000_000)
                .toString();
    }

    private static @Nullable Double ms(long ns) {
        return ns == 0 ? null : PeerOperations.ms(ns);
    }

    private static @Nullable String text(@Nullable Address address) {
        return address == null ? null : PathText.at(address);
    }

    private static @Nullable String text(@Nullable Id id) {
        return id == null ? null : id.toString();
    }
}
