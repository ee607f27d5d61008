package mcc.plugin;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.json.JsonObject;
import mcc.node.ApiQuery;
import mcc.node.Problem;
import org.jspecify.annotations.Nullable;

/**
 * The addresses {@code mcc.api.*}: every operation of the REST interface, and watches. Whether a plugin may call them is
 * checked before, by {@link Line}. Has a context of its own, together with the watches and the bridge.
 */
final class Gate {
    /** The prefix of an operation's ID. */
    static final String PREFIX = "mcc.api.";
    /** The prefix of an event's type. */
    static final String EVENTS = PREFIX + "events.";

    private static final String WATCH = PREFIX + "watch";
    private static final String UNWATCH = PREFIX + "unwatch";

    private final Context home;
    private final NodeCalls node;
    private final Watches watches;

    Gate(Context home, NodeCalls node, Watches watches) {
        this.home = home;
        this.node = node;
        this.watches = watches;
    }

    /** The context on which the gate, the watches and the bridge run. */
    Context home() {
        return home;
    }

    /** A plugin's call, from any context; it is trusted, and answered on {@code back}. Fails with {@link Refused}. */
    Future<JsonObject> call(String plugin, String address, @Nullable Object body, Context back) {
        if (!address.equals(WATCH) && !address.equals(UNWATCH)) return operation(address, body, null, true, back);
        Promise<JsonObject> done = Promise.promise();
        Post.to(home, () -> watch(plugin, address, body).onComplete(done));
        return Post.back(back, done.future());
    }

    /** A bridge client's call, on the gate's context; it is checked like the same request by HTTP. */
    Future<JsonObject> ask(String client, String address, @Nullable Object body, @Nullable String authorization) {
        return address.equals(WATCH) || address.equals(UNWATCH)
                ? watch(client, address, body)
                : operation(address, body, authorization, false, home);
    }

    private Future<JsonObject> watch(String who, String address, @Nullable Object body) {
        Future<JsonObject> done;
        try {
            done = address.equals(WATCH) ? watches.watch(who, body, home) : watches.unwatch(who, body);
        } catch (Problem p) {
            done = Future.failedFuture(p);
        }
        return done.recover(e -> Future.failedFuture(Refused.of(e, address)));
    }

    private Future<JsonObject> operation(
            String address, @Nullable Object body, @Nullable String authorization, boolean trusted, Context back) {
        String operation = address.startsWith(PREFIX) ? address.substring(PREFIX.length()) : address;
        if (body != null && !(body instanceof JsonObject)) {
            return Future.failedFuture(Refused.of(
                    new Problem(
                            "validation", "the body is not a JSON object", "send parameters and body merged in one"),
                    address));
        }
        JsonObject input = body instanceof JsonObject json ? json : new JsonObject();
        return node.call(new ApiQuery.Call(operation, input, authorization, trusted), back)
                .recover(e -> Future.failedFuture(Refused.of(e, address)))
                .map(answer -> {
                    if (answer.failed()) throw Refused.of(answer);
                    return answer.body();
                });
    }
}
