package mcc.api;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.ServerWebSocket;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import mcc.node.Bus;
import mcc.tunnel.TunnelVerticle;

/**
 * The dashboard's one WebSocket per tab: {@code {"sub":["node","tunnels"]}} in, {@code {"ch","t","v"}} out once a second.
 *
 * <p>However many tabs look, each channel is sampled once a second, and not at all when nobody looks. A tab that does not
 * read misses samples instead of filling memory.
 */
final class Live {
    /** Tabs at a time. */
    static final int MAX = 50;

    private static final long PERIOD_MS = 1_000;
    private static final int EVENTS_PER_PERIOD = 20;

    private final Map<String, Supplier<Future<Object>>> channels = new LinkedHashMap<>();
    private final Map<ServerWebSocket, Set<String>> tabs = new LinkedHashMap<>();
    private final List<JsonObject> pending = new ArrayList<>();
    private int dropped;

    Live(Vertx vertx, Bus bus, Operations operations, EventLog log) {
        channels.put("node", () -> operations.node().map(x -> x));
        channels.put("peers", () -> operations.peers().map(JsonArray::new));
        channels.put("dht", () -> operations.dht().map(x -> x));
        channels.put("buckets", () -> operations.buckets().map(JsonArray::new));
        channels.put("tunnels", () -> operations.tunnels().map(JsonArray::new));
        channels.put("registrations", () -> operations.registrations().map(JsonArray::new));
        channels.put("nat", () -> operations.nat().map(x -> x));
        channels.put("totals", () -> bus.ask(Bus.TUNNEL, new TunnelVerticle.Query.Totals()));
        log.read(entry -> {
            if (tabs.isEmpty()) return;
            if (pending.size() < EVENTS_PER_PERIOD) pending.add(entry.toJson());
            else dropped++;
        });
        vertx.setPeriodic(PERIOD_MS, _ -> period());
    }

    int tabs() {
        return tabs.size();
    }

    /** Takes a tab in; false when there are too many. */
    boolean take(ServerWebSocket socket) {
        if (tabs.size() >= MAX) return false;
        tabs.put(socket, new LinkedHashSet<>());
        socket.closeHandler(_ -> tabs.remove(socket));
        socket.exceptionHandler(_ -> tabs.remove(socket));
        socket.textMessageHandler(text -> onText(socket, text));
        return true;
    }

    private void onText(ServerWebSocket socket, String text) {
        Set<String> wanted = tabs.get(socket);
        if (wanted == null) return;
        try {
            JsonArray sub = new JsonObject(text).getJsonArray("sub", new JsonArray());
            wanted.clear();
            for (Object each : sub) {
                if (channels.containsKey(String.valueOf(each)) || "events".equals(each))
                    wanted.add(String.valueOf(each));
            }
            for (String channel : wanted) sample(channel, List.of(socket));
        } catch (DecodeException | ClassCastException _) {
            socket.close((short) 1003, "send {\"sub\":[channels]}");
        }
    }

    private void period() {
        if (tabs.isEmpty()) {
            pending.clear();
            return;
        }
        for (String channel : channels.keySet()) {
            List<ServerWebSocket> readers = readers(channel);
            if (!readers.isEmpty()) sample(channel, readers);
        }
        if (!pending.isEmpty()) {
            JsonObject value = new JsonObject()
                    .put("items", new JsonArray(new ArrayList<>(pending)))
                    .put("dropped", dropped);
            send("events", value, readers("events"));
            pending.clear();
            dropped = 0;
        }
    }

    private List<ServerWebSocket> readers(String channel) {
        List<ServerWebSocket> out = new ArrayList<>();
        tabs.forEach((socket, wanted) -> {
            if (wanted.contains(channel)) out.add(socket);
        });
        return out;
    }

    private void sample(String channel, List<ServerWebSocket> readers) {
        Supplier<Future<Object>> sampler = channels.get(channel);
        if (sampler != null) sampler.get().onSuccess(value -> send(channel, value, readers));
    }

    private static void send(String channel, Object value, List<ServerWebSocket> readers) {
        String text = new JsonObject()
                .put("ch", channel)
                .put("t", System.currentTimeMillis())
                .put("v", value)
                .encode();
        for (ServerWebSocket socket : readers) {
            if (!socket.isClosed() && !socket.writeQueueFull()) socket.writeTextMessage(text);
        }
    }
}
