package mcc.plugin;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.eventbus.Message;
import io.vertx.core.json.JsonObject;
import java.util.List;
import java.util.function.BiFunction;
import mcc.api.Problems;
import mcc.node.ApiQuery;
import mcc.node.Problem;
import org.jspecify.annotations.Nullable;

/**
 * The addresses {@code mcc.api.*} on the second bus: every operation of the REST interface, watches, events. Trusts who
 * sends there: {@link Permits} lets only plugins through whose manifest names the address.
 */
final class GateVerticle extends VerticleBase {
    /** Before an operation's ID. */
    static final String PREFIX = "mcc.api.";
    /** Before an event's type. */
    static final String EVENTS = PREFIX + "events.";
    /** Begins to watch a service. */
    static final String WATCH = PREFIX + "watch";
    /** Ends it. */
    static final String UNWATCH = PREFIX + "unwatch";

    private final Door door;
    private final Watches watches;
    private final List<String> operations;

    GateVerticle(Door door, Watches watches, List<String> operations) {
        this.door = door;
        this.watches = watches;
        this.operations = operations;
    }

    @Override
    public Future<?> start() {
        for (String operation : operations) {
            vertx.eventBus().<Object>localConsumer(PREFIX + operation, message -> onCall(operation, message));
        }
        vertx.eventBus()
                .<Object>localConsumer(
                        WATCH, message -> onWatch((who, body) -> watches.watch(who, body, context), message));
        vertx.eventBus().<Object>localConsumer(UNWATCH, message -> onWatch(watches::unwatch, message));
        return Future.succeededFuture();
    }

    /** The context on which it, the watches and the bridge live. */
    Context home() {
        return context;
    }

    /** Tells plugins of an event. */
    void publish(String type, JsonObject event) {
        vertx.eventBus().publish(EVENTS + type, event);
    }

    private void onCall(String operation, Message<Object> message) {
        Object body = message.body();
        if (body != null && !(body instanceof JsonObject)) {
            fail(
                    message,
                    new Problem("validation", "the body is no JSON object", "send parameters and body merged in one"));
            return;
        }
        JsonObject input = body instanceof JsonObject json ? json : new JsonObject();
        door.call(new ApiQuery.Call(operation, input, null, true), context)
                .onSuccess(answer -> {
                    if (answer.failed())
                        message.fail(answer.status(), answer.body().encode());
                    else message.reply(answer.body());
                })
                .onFailure(e -> fail(message, e));
    }

    private static void onWatch(
            BiFunction<String, @Nullable Object, Future<JsonObject>> does, Message<Object> message) {
        try {
            String sender = message.headers().get(Permits.SENDER);
            does.apply(String.valueOf(sender), message.body())
                    .onSuccess(message::reply)
                    .onFailure(e -> fail(message, e));
        } catch (Problem p) {
            fail(message, p);
        }
    }

    private static void fail(Message<Object> message, Throwable e) {
        Problem problem = problem(e);
        message.fail(
                Problems.status(problem),
                Problems.toJson(problem, message.address()).encode());
    }

    /** What went wrong, without its inner parts where nobody foresaw it. */
    static Problem problem(Throwable e) {
        if (e instanceof Problem p) return p;
        return new Problem(
                "overloaded", "the node could not do this: " + e.getClass().getSimpleName(), "try again");
    }
}
