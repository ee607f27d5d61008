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

    /** The longest address, in characters. */
    static final int ADDRESS_MAX = 255;
    /** Characters of requests of one client that wait for an answer. */
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

    /** Where it listens. */
    Set<String> addresses() {
        return addresses;
    }

    void send(String frame) {
        out.accept(frame);
    }

    /**
     * The text of a frame that carries an answer, a publication or an event, or says why it is none that a client could read.
     * Made on the thread of who made the body.
     */
    static String frame(String address, @Nullable Object body) {
        JsonObject frame = new JsonObject().put("type", "rec").put("address", address);
        try {
            String text = frame.put("body", body).encode();
            return text.length() > Bridge.FRAME_MAX ? odd(address, "too_large") : text;
        } catch (RuntimeException _) { // no JSON, or a plugin changes it meanwhile
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

    /** Takes one frame, and answers what is wrong with it. */
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
        } catch (Problem _) { // a number beyond what a bus carries
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

    /** Asks whoever reads the address, and makes a frame of the answer. */
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

    /** All but the token, which is the node's alone; programs write null for none. */
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
