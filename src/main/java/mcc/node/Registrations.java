package mcc.node;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import mcc.registry.Health;
import mcc.registry.Offer;
import mcc.registry.Registration;
import mcc.registry.Registry;
import mcc.registry.ServiceName;
import mcc.tun.InnerAddress;
import mcc.wire.Ports;
import org.jspecify.annotations.Nullable;

/** Registrations and providers as JSON, in the form of the REST interface, which is also used on disk. */
public final class Registrations {
    private Registrations() {}

    /** Parses a body that the interface's schema has already checked. */
    public static Registration.Parsed parse(String id, JsonObject body) {
        JsonObject check = body.getJsonObject("check");
        return Registration.of(
                new Registration.Draft(
                        id,
                        body.getString("service"),
                        body.getString("host"),
                        body.getInteger("port"),
                        body.getString("protocol"),
                        body.getInteger("weight"),
                        strings(body.getJsonArray("tags")),
                        map(body.getJsonObject("meta")),
                        body.getLong("leaseMs"),
                        check == null
                                ? null
                                : new Registration.CheckDraft(
                                        check.getString("type"),
                                        check.getInteger("port"),
                                        check.getString("path"),
                                        check.getLong("intervalMs"),
                                        check.getLong("timeoutMs"),
                                        check.getInteger("failures")),
                        body.getString("proxy"),
                        body.getLong("idleMs"),
                        ports(body.getJsonArray("ports"))),
                ServiceName.OPEN);
    }

    /** Parses what {@link #toJson(Registration)} wrote; null for anything else. */
    static @Nullable Registration fromJson(JsonObject stored) {
        String id = stored.getString("id");
        if (id == null) return null;
        return parse(id, stored) instanceof Registration.Parsed.Valid valid ? valid.registration() : null;
    }

    /** Writes a registration as its owner did, with the defaults filled in. */
    public static JsonObject toJson(Registration r) {
        JsonObject out = new JsonObject()
                .put("id", r.id())
                .put("service", r.service().toString())
                .put("host", r.host())
                .put("port", r.port())
                .put("protocol", lower(r.protocol()))
                .put("ports", toJson(r.ports()))
                .put("weight", r.weight())
                .put("tags", new JsonArray(new ArrayList<>(r.tags())))
                .put("meta", new JsonObject(new LinkedHashMap<>(r.meta())))
                .put("leaseMs", r.leaseMs())
                .put("proxy", r.delivery().proxy() ? "v2" : "none")
                .put("idleMs", r.idleMs() == 0 ? null : r.idleMs());
        Registration.Check check = r.check();
        JsonObject how = new JsonObject().put("type", lower(check.type()));
        if (check.port() != 0) how.put("port", check.port());
        return out.put(
                "check",
                how.put("path", check.path())
                        .put("intervalMs", check.intervalMs())
                        .put("timeoutMs", check.timeoutMs())
                        .put("failures", check.failures()));
    }

    private static JsonArray toJson(Ports ports) {
        JsonArray out = new JsonArray();
        for (Ports.Range range : ports.ranges()) {
            JsonObject one = new JsonObject().put("port", range.first());
            if (range.last() > range.first()) one.put("endPort", range.last());
            out.add(one.put("protocol", lower(range.protocol())));
        }
        return out;
    }

    /** Writes a registration and its state. */
    public static JsonObject toJson(Registry.LocalView view, String network) {
        return toJson(view.registration())
                .put("endpoint", view.endpoint().toString())
                .put("address", InnerAddress.of(network, view.endpoint()).toString())
                .put("health", health(view.health()))
                .put("reason", view.reason())
                .put("replicas", view.replicas());
    }

    /** Writes a provider as the selector sees it. */
    public static JsonObject offer(Offer offer, String network) {
        var p = offer.provider();
        return new JsonObject()
                .put("endpoint", p.endpoint().toString())
                .put("address", InnerAddress.of(network, p.endpoint()).toString())
                .put("node", p.node().toString())
                .put("org", ServiceName.OPEN)
                .put("health", health(offer.health()))
                .put("reason", offer.reason())
                .put("protocol", lower(p.protocol()))
                .put("ports", toJson(p.ports()))
                .put("load", p.loadPermille() / 1000.0)
                .put("weight", p.weight())
                .put("tags", new JsonArray(new ArrayList<>(p.tags())))
                .put("meta", new JsonObject(new LinkedHashMap<>(p.meta())))
                .put("local", offer.isLocal())
                .put("rttMs", rttMs(offer))
                .put("leaseMs", offer.leaseMs())
                .put(
                        "score",
                        new JsonObject()
                                .put("total", offer.score().total())
                                .put(
                                        "parts",
                                        new JsonObject()
                                                .put("health", offer.score().health())
                                                .put("rttClass", offer.score().rttClass())
                                                .put("share", offer.score().share())));
    }

    /** The round-trip time to its node in milliseconds; null if it is unknown, or for this node itself. */
    public static @Nullable Double rttMs(Offer offer) {
        Offer.Distance distance = offer.distance();
        return distance == null ? null : Math.round(distance.rttNs() / 1e3) / 1e3;
    }

    /** The interface's word for a health state. */
    static String health(Health health) {
        return switch (health) {
            case PASS -> "pass";
            case FAILING -> "fail";
            case STALE -> "stale";
        };
    }

    static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static @Nullable List<Registration.PortDraft> ports(@Nullable JsonArray array) {
        if (array == null) return null;
        List<Registration.PortDraft> out = new ArrayList<>();
        for (Object each : array) {
            JsonObject one = (JsonObject) each;
            out.add(new Registration.PortDraft(
                    one.getInteger("port"), one.getInteger("endPort"), one.getString("protocol")));
        }
        return out;
    }

    private static @Nullable List<String> strings(@Nullable JsonArray array) {
        if (array == null) return null;
        List<String> out = new ArrayList<>();
        for (Object each : array) out.add(String.valueOf(each));
        return out;
    }

    private static @Nullable Map<String, String> map(@Nullable JsonObject object) {
        if (object == null) return null;
        Map<String, String> out = new LinkedHashMap<>();
        object.forEach(entry -> out.put(entry.getKey(), String.valueOf(entry.getValue())));
        return out;
    }
}
