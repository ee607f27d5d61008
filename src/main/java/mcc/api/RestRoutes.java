package mcc.api;

import io.vertx.core.AsyncResult;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Route;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import mcc.core.RateLimit;
import mcc.node.ApiQuery;
import mcc.node.Problem;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** HTTP around the operations: routes from the contract, validation, conditions, long polling, retries. */
final class RestRoutes {
    /**
     * The longest request body: some 30 times the largest useful one, and so short that one per connection fits into the heap.
     */
    static final int BODY_BYTES = 64 * 1024;

    private static final Logger LOG = LoggerFactory.getLogger(RestRoutes.class);
    private static final long WAIT_MAX_MS = 300_000;
    /** Shorter than the time-outs of both buses. */
    private static final long BUS_WAIT_MAX_MS = 10_000;

    /** Operations that make this node send requests to others. */
    private static final Set<String> LIMITED = Set.of("lookup", "pingPeer");
    /**
     * How many of them a caller may ask for per second, and at once after a pause. It is more than a node on two cores can do,
     * so that load tests are not held back, while a runaway program cannot fill the queues that others wait in.
     */
    static final int LIMITED_PER_SECOND = 1_000;

    static final int LIMITED_BURST = 5_000;
    private static final int CALLERS_MAX = 1_024;

    private final Contract contract;
    private final Operations operations;
    private final Guard guard;
    private final Replays replays = new Replays();
    private final RateLimit<String> limit = new RateLimit<>(LIMITED_PER_SECOND, LIMITED_BURST, CALLERS_MAX);
    private final LongSupplier clock;
    private final Waiting waiting;
    private Encoded last = new Encoded(new JsonObject());

    /** @param clock nanoseconds, for the limit on a caller's requests per second */
    RestRoutes(Vertx vertx, Contract contract, Operations operations, Guard guard, LongSupplier clock) {
        this.contract = contract;
        this.operations = operations;
        this.guard = guard;
        this.clock = clock;
        waiting = new Waiting(vertx);
    }

    /** Adds a route for every operation that answers with JSON. */
    void mount(Router router) {
        BodyHandler bodies = BodyHandler.create(false).setBodyLimit(BODY_BYTES);
        for (Contract.Operation operation : contract.operations()) {
            Operations.Operation does = operations.all().get(operation.id());
            if (does == null) continue; // streams and files have handlers of their own
            HttpMethod method = HttpMethod.valueOf(operation.method());
            String path = routePath(operation.path());
            if (operation.bodyType() != null) router.route(method, path).handler(this::checkMediaType);
            Route route = router.route(method, path);
            if (method.equals(HttpMethod.GET)) route.method(HttpMethod.HEAD);
            if (operation.bodyType() != null) route.handler(bodies);
            route.handler(rc -> serve(rc, operation, does));
        }
    }

    static String routePath(String path) {
        return path.replaceAll("\\{(\\w+)\\}", ":$1");
    }

    private void checkMediaType(RoutingContext rc) {
        String type = rc.request().getHeader("Content-Type");
        if (type == null || !type.toLowerCase(java.util.Locale.ROOT).startsWith("application/json")) {
            fail(
                    rc,
                    new Problem(
                            "unsupported-media-type",
                            type == null ? "the request has no Content-Type" : "the request is " + type,
                            "send Content-Type: application/json"));
            return;
        }
        rc.next();
    }

    private void serve(RoutingContext rc, Contract.Operation operation, Operations.Operation does) {
        try {
            guard.checkScope(operation.scope(), rc.request().getHeader("Authorization"));
            checkRate(operation, caller(rc.request()));
            JsonObject input = input(rc, operation);
            String key = operation.method().equals("POST") ? rc.request().getHeader("Idempotency-Key") : null;
            if (key != null) {
                Replays.Answer old = replays.begin(key, EntityTags.hash(operation.id() + input.encode()));
                if (old != null) {
                    json(rc.response(), old.status(), old.body().toBuffer());
                    return;
                }
            }
            Future.succeededFuture()
                    // Inside compose, so that an exception fails the future and frees the key.
                    .compose(_ ->
                            first(operation.id(), conditional(rc, operation, does), input, WAIT_MAX_MS, rc.response()))
                    .map(a -> new Replays.Answer(a.created() ? 201 : status(operation, a.body()), a.body()))
                    .onComplete(done -> {
                        if (key != null) replays.end(key, done.succeeded() ? done.result() : null);
                    })
                    .onComplete(contained(rc.request(), answer -> send(rc, operation, answer), e -> fail(rc, e)));
        } catch (Problem p) {
            fail(rc, p);
        }
    }

    /**
     * The last step of a request. An error in it ends this request's connection, on which half an answer may be, but no other
     * connection and not the server.
     */
    static <T> Handler<AsyncResult<T>> contained(
            HttpServerRequest request, Consumer<T> answer, Consumer<Problem> failed) {
        return done -> {
            try {
                if (done.succeeded()) answer.accept(done.result());
                else failed.accept(Problems.of(done.cause()));
            } catch (RuntimeException e) {
                LOG.error("sending an answer failed unexpectedly", e);
                request.connection().close();
            }
        };
    }

    private void checkRate(Contract.Operation operation, String caller) {
        if (!LIMITED.contains(operation.id()) || limit.take(clock.getAsLong(), caller)) return;
        throw new Problem(
                "rate-limited",
                "more than " + LIMITED_PER_SECOND + " requests a second for '" + operation.id() + "'",
                "ask less often; the node allows bursts of " + LIMITED_BURST);
    }

    /** The caller is the holder of the token, wherever it asks from; without a token, the address. */
    private static String caller(HttpServerRequest request) {
        String authorization = request.getHeader("Authorization");
        return authorization == null ? request.remoteAddress().hostAddress() : authorization;
    }

    private JsonObject input(RoutingContext rc, Contract.Operation operation) {
        Map<String, String> values = new LinkedHashMap<>();
        rc.queryParams().forEach(e -> values.put(e.getKey(), e.getValue()));
        values.putAll(rc.pathParams());
        JsonObject input = contract.checkParameters(operation, values);
        if (operation.bodySchema() == null) return input;
        JsonObject body = body(rc);
        contract.checkBody(operation, body);
        return body.copy().mergeIn(input);
    }

    private static JsonObject body(RoutingContext rc) {
        try {
            JsonObject body = rc.body().asJsonObject();
            if (body != null) return body;
        } catch (DecodeException | ClassCastException _) {
            // reported below
        }
        throw new Problem("validation", "the request body is not a JSON object", "send an object as /docs shows it");
    }

    /**
     * Carries out an operation for a caller that does not use HTTP: without conditions and retries, otherwise the same.
     *
     * @return never fails: an error is a problem in the answer
     */
    Future<ApiQuery.Answer> call(ApiQuery.Call call) {
        Contract.Operation operation = contract.operation(call.operation());
        Operations.Operation does = operations.all().get(call.operation());
        String instance = "mcc.api." + call.operation();
        try {
            if (operation == null) {
                throw new Problem("not-found", "there is no operation '" + call.operation() + "'", "see /docs");
            }
            if (does == null) {
                throw new Problem(
                        "not-found",
                        "'" + call.operation() + "' is served by HTTP only",
                        "send " + operation.method() + " " + operation.path());
            }
            if (!call.trusted()) {
                guard.checkScope(operation.scope(), call.authorization());
                checkRate(operation, call.authorization() == null ? "bus" : call.authorization());
            }
            JsonObject input = contract.checkMerged(operation, call.body());
            return first(operation.id(), does, input, BUS_WAIT_MAX_MS, null)
                    .map(a -> new ApiQuery.Answer(a.created() ? 201 : status(operation, a.body()), a.body()))
                    .otherwise(e -> failed(e, instance));
        } catch (Problem p) {
            return Future.succeededFuture(failed(p, instance));
        }
    }

    private static ApiQuery.Answer failed(Throwable e, String instance) {
        Problem problem = Problems.of(e);
        return new ApiQuery.Answer(Problems.status(problem), Problems.toJson(problem, instance));
    }

    /**
     * Answers at once, or, if the input asks to wait, once the list's index differs from the reader's.
     *
     * @param to the response whose end ends the wait; null for a caller that does not use HTTP
     */
    private Future<Operations.Answer> first(
            String operation,
            Operations.Operation does,
            JsonObject input,
            long waitMaxMs,
            @Nullable HttpServerResponse to) {
        Long index = input.getLong("index");
        String wait = input.getString("wait");
        long waitMs = wait == null ? 0 : 1_000L * Operations.seconds(wait);
        if (waitMs > WAIT_MAX_MS) throw new Problem("validation", "wait is '" + wait + "'", "wait for 5m at most");
        if (index == null || wait == null) return does.apply(input);
        long until = System.nanoTime() + Math.min(waitMaxMs, waitMs) * 1_000_000;
        Future<Operations.Answer> answer = waiting.read(operation, does, input, index, until);
        if (to != null) to.closeHandler(_ -> waiting.leave(answer));
        return answer;
    }

    // ---- conditions and retries -------------------------------------------------------------------------------------

    /**
     * RFC 9110 section 13: a write of a registration may depend on its present state. Nothing else that can be written has a
     * strong tag, so there only the condition {@code *} can hold.
     */
    private Operations.Operation conditional(
            RoutingContext rc, Contract.Operation operation, Operations.Operation does) {
        EntityTags.Conditions given = EntityTags.Conditions.of(rc.request());
        if (!given.any() || operation.method().equals("GET")) return does;
        Operations.Operation judged = operations.registrations.onlyIf(
                operation.id(),
                now -> given.pass(now == null ? null : EntityTags.of(operations.registrations.toJson(now))));
        if (judged != null) return judged;
        if (given.pass("W/\"\"")) return does;
        throw new Problem(
                "precondition-failed",
                "what is at " + operation.path() + " has no versions, so this condition cannot hold",
                "leave If-Match and If-None-Match out, or send If-Match: *");
    }

    private void send(RoutingContext rc, Contract.Operation operation, Replays.Answer answer) {
        HttpServerResponse response = rc.response();
        if (response.closed()) return;
        Encoded encoded = encoded(answer.body());
        if (operation.method().equals("GET")) {
            response.putHeader("ETag", encoded.tag());
            if (answer.status() == 200 && !EntityTags.passesIfNoneMatch(rc.request(), encoded.tag())) {
                response.setStatusCode(304).end();
                return;
            }
        }
        json(response, answer.status(), encoded.bytes());
    }

    /** All who waited for a change get the same answer, one after the other: it is encoded once. */
    @SuppressWarnings("ReferenceEquality") // the same object, which nobody changes any more
    private Encoded encoded(JsonObject body) {
        if (last.body != body) last = new Encoded(body);
        return last;
    }

    /** The encoded body of an answer. */
    private static final class Encoded {
        private final JsonObject body;
        private @Nullable Buffer bytes;
        private @Nullable String tag;

        Encoded(JsonObject body) {
            this.body = body;
        }

        Buffer bytes() {
            if (bytes == null) bytes = body.toBuffer();
            return bytes;
        }

        String tag() {
            if (tag == null) tag = EntityTags.of(body);
            return tag;
        }
    }

    private static int status(Contract.Operation operation, JsonObject body) {
        boolean health = operation.path().startsWith("/health");
        String status = health ? body.getString("status") : null;
        boolean bad = "down".equals(status) || operation.path().endsWith("/ready") && "degraded".equals(status);
        return bad ? 503 : 200;
    }

    private static void json(HttpServerResponse response, int status, Buffer body) {
        response.setStatusCode(status)
                .putHeader("Content-Type", "application/json")
                .putHeader("Cache-Control", "no-store")
                .end(body);
    }

    static void fail(RoutingContext rc, Problem problem) {
        Problems.send(rc.response(), problem, rc.request().path());
    }

    /** Runs a handler that serves a request by itself, after checking its scope. */
    void guarded(
            RoutingContext rc, String operationId, java.util.function.BiConsumer<HttpServerRequest, JsonObject> serve) {
        Contract.@Nullable Operation operation = contract.operation(operationId);
        try {
            if (operation == null) throw new IllegalStateException("not in the contract: " + operationId);
            guard.checkScope(operation.scope(), rc.request().getHeader("Authorization"));
            serve.accept(rc.request(), input(rc, operation));
        } catch (Problem p) {
            fail(rc, p);
        }
    }
}
