package mcc.plugin;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.EventBus;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.EncodeException;
import io.vertx.core.json.JsonObject;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import mcc.api.Problems;
import mcc.node.ApiQuery;
import mcc.node.Problem;
import org.jspecify.annotations.Nullable;

/**
 * One client of the bridge: frames of JSON in and out, as Vert.x's event-bus bridge has them ({@code send, publish,
 * register, unregister, ping} in; {@code rec, err, pong} out).
 *
 * <p>What it sends to {@code mcc.api.*} is checked as the same request by HTTP is, with the token of the header
 * {@code token}, else that of the WebSocket's own request. Other addresses are open where a plugin serves them.
 */
final class BridgeClient {
    /** Addresses that one client listens to. */
    static final int ADDRESSES_MAX = 128;
    /** Requests that one client waits for. */
    static final int REQUESTS_MAX = 64;

    private static final long TIMEOUT_MS = 30_000;
    private static final String PONG = new JsonObject().put("type", "pong").encode();

    /** What all clients share. */
    record World(Bridge bridge, EventBus bus, Context home, Door door, Watches watches, Permits permits) {}

    private final String id;
    private final @Nullable String authorization;
    private final World world;
    private final Consumer<String> out;
    private final Set<String> addresses = new LinkedHashSet<>();
    private int requests;

    BridgeClient(String id, @Nullable String authorization, World world, Consumer<String> out) {
        this.id = id;
        this.authorization = authorization;
        this.world = world;
        this.out = out;
    }

    boolean listensTo(String address) {
        return addresses.contains(address);
    }

    void send(String frame) {
        out.accept(frame);
    }

    /** The text of a frame that carries a body, or says that the body is none that a client could read. */
    static String frame(String address, @Nullable Object body) {
        JsonObject frame = new JsonObject().put("type", "rec").put("address", address);
        try {
            return frame.put("body", body).encode();
        } catch (EncodeException _) {
            return new JsonObject()
                    .put("type", "err")
                    .put("address", address)
                    .put("body", "not_json")
                    .encode();
        }
    }

    /** Takes one frame, and answers what is wrong with it. */
    void onText(String text) {
        try {
            onFrame(new JsonObject(text));
        } catch (DecodeException | ClassCastException _) {
            error("invalid_json");
        }
    }

    private void onFrame(JsonObject frame) {
        String type = frame.getString("type");
        if (type == null || type.isEmpty()) {
            error("type_required");
            return;
        }
        if (type.equals("ping")) {
            out.accept(PONG);
            return;
        }
        String address = frame.getString("address");
        if (address == null || address.isEmpty()) {
            error("address_required");
            return;
        }
        switch (type) {
            case "send" -> onSend(address, frame);
            case "publish" -> onPublish(address, frame);
            case "register" -> onRegister(address);
            case "unregister" -> addresses.remove(address);
            default -> error("unknown_type");
        }
    }

    private void onRegister(String address) {
        boolean open = address.startsWith(GateVerticle.EVENTS)
                || !Manifest.isOurs(address) && world.permits().isServed(address);
        if (!open) error("access_denied");
        else if (addresses.size() >= ADDRESSES_MAX && !addresses.contains(address)) error("max_handlers_reached");
        else addresses.add(address);
    }

    private void onPublish(String address, JsonObject frame) {
        if (Manifest.isOurs(address) || !world.permits().isServed(address)) {
            error("access_denied");
            return;
        }
        Object body = frame.getValue("body");
        try {
            world.bus().publish(address, body, options(frame));
        } catch (IllegalArgumentException _) { // a number beyond what the bus carries
            error("failed");
            return;
        }
        world.bridge().publish(address, body);
    }

    private void onSend(String address, JsonObject frame) {
        String reply = frame.getString("replyAddress");
        if (requests >= REQUESTS_MAX) {
            failed(
                    reply,
                    address,
                    new Problem("rate-limited", REQUESTS_MAX + " requests are waiting", "wait for some"));
            return;
        }
        try {
            Future<? extends @Nullable Object> answer = answer(address, frame, reply != null);
            requests++;
            answer.onComplete(done -> {
                requests--;
                if (done.failed()) failed(reply, address, done.cause());
                else if (reply != null) out.accept(frame(reply, done.result()));
            });
        } catch (Problem p) {
            failed(reply, address, p);
        } catch (IllegalArgumentException _) {
            failed(reply, address, new Problem("validation", "the body cannot be sent as it is", "mind large numbers"));
        }
    }

    /** Asks whoever reads the address; fails with a problem or with what a plugin failed with. */
    private Future<? extends @Nullable Object> answer(String address, JsonObject frame, boolean wanted) {
        Object body = frame.getValue("body");
        if (address.equals(GateVerticle.WATCH)) return world.watches().watch(id, body, world.home());
        if (address.equals(GateVerticle.UNWATCH)) return world.watches().unwatch(id, body);
        if (address.startsWith(GateVerticle.PREFIX)) {
            String operation = address.substring(GateVerticle.PREFIX.length());
            return operation(operation, body, token(frame));
        }
        if (Manifest.isOurs(address) || !world.permits().isServed(address)) {
            throw new Problem(
                    "policy-denied", "no plugin serves '" + address + "'", "see GET /plugins for what is served");
        }
        DeliveryOptions options = options(frame).setSendTimeout(TIMEOUT_MS);
        if (wanted)
            return world.bus().<@Nullable Object>request(address, body, options).map(m -> m.body());
        world.bus().send(address, body, options);
        return Future.succeededFuture();
    }

    private Future<JsonObject> operation(String operation, @Nullable Object body, @Nullable String token) {
        if (body != null && !(body instanceof JsonObject)) {
            throw new Problem("validation", "the body is no JSON object", "send parameters and body merged in one");
        }
        JsonObject input = body instanceof JsonObject json ? json : new JsonObject();
        return world.door()
                .call(new ApiQuery.Call(operation, input, token, false), world.home())
                .map(answer -> {
                    if (answer.failed()) throw new Refused(answer);
                    return answer.body();
                });
    }

    /** An answer that is a problem. */
    private static final class Refused extends RuntimeException {
        private final transient ApiQuery.Answer answer;

        Refused(ApiQuery.Answer answer) {
            super("refused", null, false, false);
            this.answer = answer;
        }
    }

    private @Nullable String token(JsonObject frame) {
        String token = headers(frame).getString("token");
        return token == null ? authorization : "Bearer " + token;
    }

    private static JsonObject headers(JsonObject frame) {
        JsonObject headers = frame.getJsonObject("headers"); // null where a program writes null for none
        return headers == null ? new JsonObject() : headers;
    }

    private static DeliveryOptions options(JsonObject frame) {
        DeliveryOptions options = new DeliveryOptions();
        for (Map.Entry<String, Object> header : headers(frame)) {
            if (!header.getKey().equals("token")) options.addHeader(header.getKey(), String.valueOf(header.getValue()));
        }
        return options;
    }

    private void failed(@Nullable String reply, String address, Throwable e) {
        if (reply == null) {
            error(e instanceof Problem p && p.code().equals("policy-denied") ? "access_denied" : "failed");
            return;
        }
        JsonObject frame = new JsonObject().put("type", "err").put("address", reply);
        switch (e) {
            case ReplyException r ->
                frame.put("failureCode", r.failureCode())
                        .put("failureType", r.failureType().name())
                        .put("message", r.getMessage());
            case Refused r -> recipient(frame, r.answer.status(), r.answer.body());
            default -> {
                Problem problem = GateVerticle.problem(e);
                recipient(frame, Problems.status(problem), Problems.toJson(problem, address));
            }
        }
        out.accept(frame.encode());
    }

    private static void recipient(JsonObject frame, int status, JsonObject problem) {
        frame.put("failureCode", status).put("failureType", "RECIPIENT_FAILURE").put("message", problem.encode());
    }

    private void error(String what) {
        world.bridge().count("bridge.frames.refused");
        out.accept(new JsonObject().put("type", "err").put("body", what).encode());
    }
}
