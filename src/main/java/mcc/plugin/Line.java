package mcc.plugin;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.MultiMap;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryContext;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.eventbus.ReplyFailure;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import mcc.node.Problem;
import org.jspecify.annotations.Nullable;

/**
 * The connection of one plugin's own event bus to the others: passes what the manifest names, out and in, and limits the calls
 * under way and the messages that wait for the plugin. Used on every thread.
 *
 * <p>This keeps honest code to what it declared; hostile code is in the same process and can get around it.
 */
final class Line {
    /** Calls of a plugin, to the node and to other plugins, that may be under way. */
    static final int CALLS_MAX = 256;
    /** Messages that may wait for a plugin. */
    static final int WAITING_MAX = 1_024;
    /** Requests to plugins fail after this time. */
    static final long TIMEOUT_MS = 30_000;

    /** A message that a consumer discarded unseen is forgotten after this long. */
    private static final long FORGET_NS = 600_000_000_000L;

    /** Names the plugin that sent a message; a value that a sender sets itself is replaced. */
    private static final String SENDER = "mcc-plugin";

    private static final String PARCEL = "mcc-parcel";
    private static final String REPLY = "__vertx.reply.";

    private final String id;
    private final Manifest manifest;
    private final Vertx vertx;
    private final Context context;
    private final Switchboard board;
    private final AtomicInteger calls = new AtomicInteger();
    private final AtomicLong numbers = new AtomicLong();
    /** When each message was handed in that no consumer has received yet. */
    private final Map<String, Long> parcels = new ConcurrentHashMap<>();

    private volatile boolean open = true;

    Line(String id, Manifest manifest, Vertx vertx, Switchboard board) {
        this.id = id;
        this.manifest = manifest;
        this.vertx = vertx;
        this.board = board;
        context = vertx.getOrCreateContext();
        vertx.eventBus().<Object>addOutboundInterceptor(this::outbound);
        vertx.eventBus().<Object>addInboundInterceptor(this::inbound);
    }

    String id() {
        return id;
    }

    Manifest manifest() {
        return manifest;
    }

    /** Hands in nothing any more. */
    void close() {
        open = false;
    }

    // ---- what the plugin sends --------------------------------------------------------------------------------------

    private void outbound(DeliveryContext<Object> delivery) {
        Message<Object> message = delivery.message();
        String address = message.address();
        String parcel = message.headers().get(PARCEL);
        if (address.startsWith(REPLY) || parcel != null && parcels.containsKey(parcel)) {
            delivery.next();
            return;
        }
        boolean ours = Manifest.isOurs(address);
        if (!manifest.mayCall(address) || !delivery.send() && !manifest.serves().contains(address)) refuse(message);
        else if (manifest.serves().contains(address)) {
            if (!delivery.send()) board.published(address, message.body());
            delivery.next();
        } else call(message, ours);
    }

    private void refuse(Message<Object> message) {
        String address = message.address();
        Problem problem = new Problem(
                "policy-denied",
                "plugin '" + id + "' may not send to '" + address + "'",
                "name the address in 'calls' of its manifest, or in 'serves' to publish");
        fail(message, Refused.of(problem, address));
    }

    private void call(Message<Object> message, boolean ours) {
        String address = message.address();
        if (calls.incrementAndGet() > CALLS_MAX) {
            calls.decrementAndGet();
            board.count("plugin.calls.refused");
            Problem problem =
                    new Problem("rate-limited", CALLS_MAX + " calls of this plugin are under way", "wait for some");
            fail(message, Refused.of(problem, address));
            return;
        }
        Future<?> answer;
        try {
            Object body = portable(message.body());
            answer = ours
                    ? board.gate().call(id, address, body, context)
                    : board.ask(address, body, message.headers(), id, Line::portable, context);
        } catch (RuntimeException e) { // also for a JSON object that contains what is not JSON
            answer = Future.failedFuture(Refused.of(e, address));
        }
        answer.onComplete(done -> {
            calls.decrementAndGet();
            if (done.failed()) fail(message, done.cause());
            else message.reply(done.result());
        });
    }

    private static void fail(Message<Object> message, Throwable e) {
        switch (e) {
            case ReplyException r
            when r.failureType() == ReplyFailure.RECIPIENT_FAILURE -> message.fail(r.failureCode(), r.getMessage());
            case ReplyException r -> message.fail(-1, r.failureType().name());
            default -> {
                Refused refused = Refused.of(e, message.address());
                message.fail(refused.status(), refused.text());
            }
        }
    }

    /**
     * Returns a copy of a body that means the same on another bus, and that its sender can no longer change.
     *
     * @throws Problem if there is none
     */
    static @Nullable Object portable(@Nullable Object body) {
        return switch (body) {
            case null -> null;
            case JsonObject json -> json.copy();
            case JsonArray json -> json.copy();
            case Buffer buffer -> buffer.copy();
            case String text -> text;
            case Boolean b -> b;
            case Integer n -> n;
            case Long n -> n;
            case Double n -> n;
            case Float n -> n;
            case Short n -> n;
            case Byte n -> n;
            case Character c -> c;
            case byte[] bytes -> bytes.clone();
            default ->
                throw new Problem(
                        "validation",
                        "a body of " + body.getClass().getName() + " cannot be sent",
                        "send JSON, a text, a number, a boolean or a Buffer");
        };
    }

    // ---- what it is handed ------------------------------------------------------------------------------------------

    private void inbound(DeliveryContext<Object> delivery) {
        MultiMap headers = delivery.message().headers();
        String parcel = headers.get(PARCEL);
        if (parcel != null) {
            headers.remove(PARCEL);
            parcels.remove(parcel);
        }
        delivery.next();
    }

    /** Publishes to the consumers in this plugin; false if too much waits for it. */
    boolean publish(String address, @Nullable Object body, MultiMap headers) {
        String parcel = take();
        if (parcel == null) return false;
        DeliveryOptions options = options(headers, null, parcel);
        boolean handed = Post.to(
                context,
                () -> vertx.eventBus()
                        .<@Nullable Object>publisher(address, options)
                        .write(body)
                        .onFailure(_ -> parcels.remove(parcel)));
        if (!handed) parcels.remove(parcel);
        return handed;
    }

    /**
     * Asks the consumer of an address in this plugin.
     *
     * @param sender the plugin that asks; null for a client of the bridge
     * @param made converts the answer, on this plugin's own threads
     * @param back the caller's context, on which it is answered within {@link #TIMEOUT_MS}
     * @return fails with {@link Refused}, or with what the plugin failed with
     */
    <T> Future<T> ask(
            String address,
            @Nullable Object body,
            MultiMap headers,
            @Nullable String sender,
            Function<@Nullable Object, T> made,
            Context back) {
        String parcel = take();
        if (parcel == null) {
            board.count("plugin.messages.refused");
            Problem problem =
                    new Problem("overloaded", "too many messages wait for plugin '" + id + "'", "try again later");
            return Future.failedFuture(Refused.of(problem, address));
        }
        DeliveryOptions options = options(headers, sender, parcel).setSendTimeout(TIMEOUT_MS);
        Promise<T> answer = Promise.promise();
        // The bus has a timer of the same length, but it does not fire while the plugin's loop is blocked.
        long timer = back.owner()
                .setTimer(
                        TIMEOUT_MS,
                        _ -> answer.tryFail(new ReplyException(ReplyFailure.TIMEOUT, "no answer within 30 s")));
        boolean handed = Post.to(
                context,
                () -> vertx.eventBus()
                        .<@Nullable Object>request(address, body, options)
                        .map(reply -> made.apply(reply.body()))
                        .onComplete(done -> {
                            // A message that timed out still waits, unless it was received.
                            boolean late =
                                    done.cause() instanceof ReplyException r && r.failureType() == ReplyFailure.TIMEOUT;
                            if (!late) parcels.remove(parcel);
                            Post.to(back, () -> {
                                back.owner().cancelTimer(timer);
                                if (done.succeeded()) answer.tryComplete(done.result());
                                else answer.tryFail(done.cause());
                            });
                        }));
        if (!handed) answer.tryFail(new ReplyException(ReplyFailure.NO_HANDLERS, "it has ended"));
        return answer.future();
    }

    private @Nullable String take() {
        if (!open) return null;
        long now = System.nanoTime();
        if (parcels.size() >= WAITING_MAX) parcels.values().removeIf(at -> now - at > FORGET_NS);
        if (parcels.size() >= WAITING_MAX) return null;
        String parcel = Long.toString(numbers.incrementAndGet());
        parcels.put(parcel, now);
        return parcel;
    }

    private static DeliveryOptions options(MultiMap headers, @Nullable String sender, String parcel) {
        DeliveryOptions options = new DeliveryOptions();
        headers.forEach(header -> {
            boolean ours =
                    header.getKey().equalsIgnoreCase(PARCEL) || header.getKey().equalsIgnoreCase(SENDER);
            if (!ours) options.addHeader(header.getKey(), header.getValue());
        });
        options.addHeader(PARCEL, parcel);
        if (sender != null) options.addHeader(SENDER, sender);
        return options;
    }
}
