package mcc.api;

import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.Map;
import mcc.node.Problem;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Problems as bodies in the format of RFC 9457. */
public final class Problems {
    private static final Logger LOG = LoggerFactory.getLogger(Problems.class);

    private record Kind(int status, String title) {}

    private static final Map<String, Kind> KINDS = Map.ofEntries(
            Map.entry("validation", new Kind(400, "The request is not valid")),
            Map.entry("config", new Kind(400, "The request is not valid")),
            Map.entry("unauthenticated", new Kind(401, "A token is needed")),
            Map.entry("policy-denied", new Kind(403, "Denied by policy")),
            Map.entry("scope-missing", new Kind(403, "The token does not allow this")),
            Map.entry("origin-not-allowed", new Kind(403, "The origin is not allowed")),
            Map.entry("not-found", new Kind(404, "Not found")),
            Map.entry("method-not-allowed", new Kind(405, "The method is not allowed")),
            Map.entry("request-timeout", new Kind(408, "The request came too slowly")),
            Map.entry("conflict", new Kind(409, "Conflict")),
            Map.entry("gone", new Kind(410, "Gone")),
            Map.entry("precondition-failed", new Kind(412, "The precondition failed")),
            Map.entry("too-large", new Kind(413, "The request is too large")),
            Map.entry("uri-too-long", new Kind(414, "The request's target is too long")),
            Map.entry("unsupported-media-type", new Kind(415, "The media type is not supported")),
            Map.entry("expectation-failed", new Kind(417, "The expectation cannot be met")),
            Map.entry("host-not-allowed", new Kind(421, "The host is not allowed")),
            Map.entry("unprocessable", new Kind(422, "The request cannot be processed")),
            Map.entry("upgrade-required", new Kind(426, "This is for WebSockets")),
            Map.entry("rate-limited", new Kind(429, "Too many requests")),
            Map.entry("headers-too-large", new Kind(431, "The request's headers are too large")),
            Map.entry("upstream-unreachable", new Kind(502, "The other side cannot be reached")),
            Map.entry("node-not-ready", new Kind(503, "The node is not ready")),
            Map.entry("overloaded", new Kind(503, "The node is overloaded")),
            Map.entry("store-failed", new Kind(503, "The change could not be saved")),
            Map.entry("lookup-timeout", new Kind(504, "The lookup timed out")));

    private Problems() {}

    /** Turns an error into a problem; an unexpected one is logged, and its details are not told. */
    static Problem of(Throwable e) {
        if (e instanceof Problem p) return p;
        LOG.error("an operation failed unexpectedly", e);
        return new Problem(
                "overloaded",
                "the node failed to do this: " + e.getClass().getSimpleName(),
                "see the node's log, and report it");
    }

    /** The HTTP status of a problem. */
    public static int status(Problem p) {
        Kind kind = KINDS.get(p.code());
        return kind == null ? 503 : kind.status();
    }

    /**
     * A problem as JSON.
     *
     * @param instance where it happened: a path or an address
     */
    public static JsonObject toJson(Problem p, String instance) {
        Kind kind = KINDS.get(p.code());
        JsonObject out = new JsonObject()
                .put("type", "https://mcc.example/problems/" + p.code())
                .put("title", kind == null ? p.code() : kind.title())
                .put("status", status(p))
                .put("code", p.code())
                .put("detail", p.detail())
                .put("hint", p.hint())
                .put("instance", instance);
        if (!p.faults().isEmpty()) {
            JsonArray errors = new JsonArray();
            for (Problem.Fault f : p.faults()) {
                errors.add(new JsonObject().put("pointer", f.pointer()).put("detail", f.detail()));
            }
            out.put("errors", errors);
        }
        return out;
    }

    static void send(HttpServerResponse response, Problem p, String instance) {
        if (response.ended() || response.headWritten()) return;
        if (p.code().equals("unauthenticated")) response.putHeader("WWW-Authenticate", "Bearer");
        if (p.code().equals("rate-limited")) response.putHeader("Retry-After", "1");
        response.setStatusCode(status(p))
                .putHeader("Content-Type", "application/problem+json")
                .end(toJson(p, instance).toBuffer());
    }
}
