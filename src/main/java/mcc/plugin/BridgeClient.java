package mcc.plugin;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.MultiMap;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonObject;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import mcc.node.Problem;
import org.jspecify.annotations.Nullable;

/**
 * One client of the bridge. Frames are JSON as in Vert.x's event-bus bridge: {@code send, publish, register, unregister, ping}
 * come in; {@code rec, err, pong} go out.
 *
 * <p>A message to {@code mcc.api.*} is checked like the same request by HTTP, with the token in the message's header
 * {@code token}, else the token of the WebSocket's request. Other addresses are open if a plugin serves them.
 */
final class BridgeClient {
    /** Addresses that a client may listen to. */
    static final int ADDRESSES_MAX = 128;
    /** Requests of a client that may be waiting for answers. */
    static final int REQUESTS_MAX = 64;

    /** The longest address, in characters. */
    static final int ADDRESS_MAX = 255;
    /** Characters in requests of a client that wait for answers. */
    static final int ASKED_CHARACTERS = 1 << 20;

    private static final String PONG = new JsonObject().put("type", "pong").encode();

    /** What all clients share. */
    record World(Bridge bridge, Gate gate, Switchboard board) {}

    private record Ask(
            @Nullable Object body,
            MultiMap headers,
            @Nullable String authorization) {}

    private final String id;
    private final @Nullable String authorization;
    private final World world;
    private final Consumer<String> out;
    private final Set<String> addresses = new LinkedHashSet<>();
    private int requests;
    private int asked;

    BridgeClient(String id, @Nullable String authorization, World world, Consumer<String> out) {
        this.id = id;
        this.authorization = authorization;
        this.world = world;
        this.out = out;
    }

    /** The addresses that it listens to. */
    Set<String> addresses() {
        return addresses;
    }

    void send(String frame) {
        out.accept(frame);
    }

    /**
     * Encodes a frame with an answer, a publication or an event; if its body cannot be sent, a frame that says so. Called on
     * the thread of the body's author.
     */
    static String frame(String address, @Nullable Object body) {
        JsonObject frame = new JsonObject().put("type", "rec").put("address", address);
        try {
            String text = frame.put("body", body).encode();
            return text.length() > Bridge.FRAME_MAX ? odd(address, "too_large") : text;
        } catch (RuntimeException _) { // not JSON, or a plugin changes it meanwhile
            return odd(address, "not_json");
        }
    }

    private static String odd(String address, String what) {
        return new JsonObject()
                .put("type", "err")
                .put("address", address)
                .put("body", what)
                .encode();
    }

    /** Handles a frame; answers with an error if it is malformed. */
    void onText(String text) {
        try {
            onFrame(new JsonObject(text), text.length());
        } catch (DecodeException | ClassCastException _) {
            error("invalid_json");
        }
    }

    private void onFrame(JsonObject frame, int length) {
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
            case "send" -> onSend(address, frame, length);
            case "publish" -> onPublish(address, frame);
            case "register" -> onRegister(address);
            case "unregister" -> {
                if (addresses.remove(address)) world.bridge().unlisten(address, this);
            }
            default -> error("unknown_type");
        }
    }

    private void onRegister(String address) {
        boolean open = address.length() <= ADDRESS_MAX
                && (address.startsWith(Gate.EVENTS)
                        || !Manifest.isOurs(address) && world.board().isServed(address));
        if (!open) error("access_denied");
        else if (addresses.size() >= ADDRESSES_MAX && !addresses.contains(address)) error("max_handlers_reached");
        else if (addresses.add(address)) world.bridge().listen(address, this);
    }

    private void onPublish(String address, JsonObject frame) {
        if (Manifest.isOurs(address) || !world.board().isServed(address)) {
            error("access_denied");
            return;
        }
        Object body = frame.getValue("body");
        try {
            world.board().publish(address, Line.portable(body), headers(frame));
        } catch (Problem _) { // a value that cannot travel on a bus
            error("failed");
            return;
        }
        world.bridge().publish(address, body);
    }

    private void onSend(String address, JsonObject frame, int length) {
        String reply = frame.getString("replyAddress");
        Ask ask = new Ask(frame.getValue("body"), headers(frame), token(frame));
        boolean large = asked > 0 && asked + length > ASKED_CHARACTERS
                || !world.bridge().asks(length);
        if (requests >= REQUESTS_MAX || large) {
            if (!large) world.bridge().answered(length);
            String what = requests >= REQUESTS_MAX ? REQUESTS_MAX + " requests" : "too large requests";
            failed(reply, Refused.of(new Problem("rate-limited", what + " are waiting", "wait for some"), address));
            return;
        }
        requests++;
        asked += length;
        answer(address, ask, reply == null ? "" : reply).onComplete(done -> {
            requests--;
            asked -= length;
            world.bridge().answered(length);
            if (done.failed()) failed(reply, done.cause());
            else if (reply != null) out.accept(done.result());
        });
    }

    /** Asks whoever serves the address, and makes a frame of the answer. */
    private Future<String> answer(String address, Ask ask, String reply) {
        if (address.startsWith(Gate.PREFIX)) {
            return world.gate()
                    .ask(id, address, ask.body(), ask.authorization())
                    .map(json -> frame(reply, json));
        }
        try {
            Object body = Line.portable(ask.body());
            Context home = world.gate().home();
            return world.board().ask(address, body, ask.headers(), null, made -> frame(reply, made), home);
        } catch (Problem p) {
            return Future.failedFuture(Refused.of(p, address));
        }
    }

    private @Nullable String token(JsonObject frame) {
        JsonObject headers = frame.getJsonObject("headers");
        String token = headers == null ? null : headers.getString("token");
        return token == null ? authorization : "Bearer " + token;
    }

    /** All headers but the token, which is meant for the node only. */
    private static MultiMap headers(JsonObject frame) {
        MultiMap out = MultiMap.caseInsensitiveMultiMap();
        JsonObject headers = frame.getJsonObject("headers");
        if (headers == null) return out;
        for (Map.Entry<String, Object> header : headers) {
            if (!header.getKey().equals("token")) out.add(header.getKey(), String.valueOf(header.getValue()));
        }
        return out;
    }

    private void failed(@Nullable String reply, Throwable e) {
        if (reply == null) {
            boolean denied = e instanceof Refused r && r.status() == 403;
            error(denied ? "access_denied" : "failed");
            return;
        }
        JsonObject frame = new JsonObject().put("type", "err").put("address", reply);
        if (e instanceof ReplyException r) {
            frame.put("failureCode", r.failureCode())
                    .put("failureType", r.failureType().name())
                    .put("message", r.getMessage());
        } else {
            Refused refused = Refused.of(e, reply);
            frame.put("failureCode", refused.status())
                    .put("failureType", "RECIPIENT_FAILURE")
                    .put("message", refused.text());
        }
        out.accept(frame.encode());
    }

    private void error(String what) {
        world.bridge().count("bridge.frames.refused");
        out.accept(new JsonObject().put("type", "err").put("body", what).encode());
    }
}
