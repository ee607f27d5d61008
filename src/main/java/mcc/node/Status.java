package mcc.node;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** The node's state and problems, as an operator should see them first. Used on any thread. */
public final class Status {
    private final long startedNs = System.nanoTime();
    private final Map<String, JsonObject> problems = new LinkedHashMap<>();
    private final Promise<Void> ready = Promise.promise();
    private List<String> udp = List.of();
    private String http = "";
    private boolean draining;
    private @Nullable JsonObject tun;
    private List<String> late = List.of();
    private @Nullable String memorySpent;
    private LongSupplier logDropped = () -> 0;

    Status(String network) {
        problem(
                "open-network",
                "info",
                "network '" + network + "' is open: anyone may take part, offer services and use them",
                "share nothing here that needs protection");
    }

    /** Adds a problem, which stays until {@link #solved}; the key names it. */
    public synchronized void problem(String key, String severity, String title, String hint) {
        problems.put(
                key,
                new JsonObject()
                        .put("code", key)
                        .put("severity", severity)
                        .put("title", title)
                        .put("hint", hint));
    }

    /** Removes a problem. */
    public synchronized void solved(String key) {
        problems.remove(key);
    }

    /** All problems, oldest first. */
    public synchronized JsonArray problems() {
        JsonArray out = new JsonArray();
        problems.values().forEach(p -> out.add(p.copy()));
        return out;
    }

    synchronized void udp(List<String> addresses) {
        udp = List.copyOf(addresses);
    }

    /** The UDP addresses in use. */
    public synchronized List<String> udp() {
        return udp;
    }

    synchronized void tun(String name, int mtu, List<String> addresses) {
        tun = new JsonObject().put("name", name).put("mtu", mtu).put("addresses", new JsonArray(addresses));
    }

    /** The virtual interface: name, MTU, addresses; null if there is none. */
    public synchronized @Nullable JsonObject tun() {
        return tun == null ? null : tun.copy();
    }

    /** Sets the URL of the REST interface, without a slash at its end. */
    public synchronized void http(String url) {
        http = url;
    }

    /** The URL of the REST interface, without a slash at its end. */
    public synchronized String http() {
        return http;
    }

    void started() {
        ready.tryComplete();
    }

    /** Completed, on any thread, when the node has started and the ready line was printed. */
    public Future<Void> ready() {
        return ready.future();
    }

    /** Notes that the node withdraws from service until its next start. */
    public synchronized void draining() {
        draining = true;
    }

    /** Whether the node withdraws from service. */
    public synchronized boolean isDraining() {
        return draining;
    }

    synchronized void late(List<String> loops) {
        late = List.copyOf(loops);
    }

    /** The event loops that have not responded for seconds; empty while the node is live. */
    public synchronized List<String> late() {
        return late;
    }

    /** Notes that the node is out of memory. */
    synchronized void memorySpent(String word) {
        if (memorySpent == null) memorySpent = word;
    }

    synchronized @Nullable String memorySpent() {
        return memorySpent;
    }

    synchronized void logDropped(LongSupplier count) {
        logDropped = count;
    }

    /** Lines of the log that were dropped. */
    public synchronized long logDropped() {
        return logDropped.getAsLong();
    }

    /** Milliseconds since the start. */
    public long uptimeMs() {
        return (System.nanoTime() - startedNs) / 1_000_000;
    }
}
