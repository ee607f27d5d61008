package mcc.plugin;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.MultiMap;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import java.util.function.Function;
import mcc.core.Counters;
import mcc.node.Problem;
import org.jspecify.annotations.Nullable;

/**
 * Knows which plugin serves which address, and connects the buses of the plugins with each other, the node and the bridge.
 * Used on every thread.
 */
final class Switchboard {
    private final Gate gate;
    private final BiConsumer<String, @Nullable Object> published;
    private final Map<String, Line> lines = new ConcurrentHashMap<>();
    private final Map<String, Line> served = new ConcurrentHashMap<>();
    private final Map<String, AtomicLong> counts = new ConcurrentHashMap<>();

    /** @param published called with what a plugin publishes at an address that it serves, on the plugin's thread */
    Switchboard(Gate gate, BiConsumer<String, @Nullable Object> published) {
        this.gate = gate;
        this.published = published;
    }

    Gate gate() {
        return gate;
    }

    /** Connects the bus of a plugin that is about to start. Each address has one plugin; a second one was refused before. */
    Line open(String id, Manifest manifest, Vertx vertx) {
        Line line = new Line(id, manifest, vertx, this);
        lines.put(id, line);
        for (String address : manifest.serves()) served.put(address, line);
        return line;
    }

    /** Disconnects a plugin's bus. */
    void close(Line line) {
        line.close();
        lines.remove(line.id(), line);
        for (String address : line.manifest().serves()) served.remove(address, line);
    }

    /** Whether a running plugin serves an address. */
    boolean isServed(String address) {
        return served.containsKey(address);
    }

    /** As {@link Line#ask}, to the plugin that serves the address. */
    <T> Future<T> ask(
            String address,
            @Nullable Object body,
            MultiMap headers,
            @Nullable String sender,
            Function<@Nullable Object, T> made,
            Context back) {
        Line line = served.get(address);
        if (line != null) return line.ask(address, body, headers, sender, made, back);
        Problem problem = new Problem(
                "policy-denied", "no plugin serves '" + address + "'", "see GET /plugins for what is served");
        return Future.failedFuture(Refused.of(problem, address));
    }

    /** Publishes at an address that a plugin serves. */
    void publish(String address, @Nullable Object body, MultiMap headers) {
        Line line = served.get(address);
        if (line != null && !line.publish(address, body, headers)) count("plugin.messages.refused");
    }

    /** Passes an event of the node to the plugins whose manifest names it. */
    void event(String address, JsonObject event) {
        for (Line line : lines.values()) {
            if (!line.manifest().mayCall(address)) continue;
            if (!line.publish(address, event, MultiMap.caseInsensitiveMultiMap())) count("plugin.events.dropped");
        }
    }

    void published(String address, @Nullable Object body) {
        published.accept(address, body);
    }

    void count(String what) {
        counts.computeIfAbsent(what, _ -> new AtomicLong()).incrementAndGet();
    }

    /** The counters. */
    List<Counters.Count> counts() {
        List<Counters.Count> out = new ArrayList<>();
        counts.forEach((name, count) -> out.add(new Counters.Count(name, count.get())));
        return out;
    }
}
