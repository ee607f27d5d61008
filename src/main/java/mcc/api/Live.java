package mcc.api;

import io.vertx.core.Future;
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
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The dashboard's WebSocket, one per tab: takes {@code {"sub":["node","tunnels"]}}, sends {@code {"ch","t","v"}} once a
 * second.
 *
 * <p>However many tabs are open, each channel is sampled at most once a second, and not at all when nobody watches it. A tab
 * that does not read misses samples instead of filling memory, and is cut off if that goes on; a tab that subscribes too often
 * is not read from until the next second.
 */
final class Live {
    /** Tabs at a time. */
    static final int MAX = 50;

    /** How often {@link #period} must be called. */
    static final long PERIOD_MS = 1_000;

    /** Messages of a tab that are handled in one period. */
    static final int MESSAGES_PER_PERIOD = 10;

    /** For so many periods a tab may leave unread what was sent. */
    static final int UNREAD_PERIODS_MAX = 30;

    private static final Logger LOG = LoggerFactory.getLogger(Live.class);
    private static final String EVENTS = "events";
    private static final int EVENTS_PER_PERIOD = 20;
    private static final short UNSUPPORTED = 1003; // the codes of RFC 6455 section 7.4.1
    private static final short TOO_BIG = 1009;
    private static final short OUR_FAULT = 1011;

    /** A source of samples. */
    private static final class Channel {
        final String name;
        final Supplier<Future<Object>> sampler;
        boolean asked;
        /** This period's sample, ready to be sent; null if there is none yet. */
        @Nullable
        String text;

        Channel(String name, Supplier<Future<Object>> sampler) {
            this.name = name;
            this.sampler = sampler;
        }
    }

    /** The state of one socket. */
    private static final class Tab {
        final Set<String> wanted = new LinkedHashSet<>();
        int messages;
        int unreadPeriods;
    }

    private final Map<String, Channel> channels = new LinkedHashMap<>();
    private final Map<ServerWebSocket, Tab> tabs = new LinkedHashMap<>();
    private final List<JsonObject> pending = new ArrayList<>();
    private int dropped;

    /** @param samplers the channels by name; none may block */
    Live(Map<String, Supplier<Future<Object>>> samplers, EventLog log) {
        samplers.forEach((name, sampler) -> channels.put(name, new Channel(name, sampler)));
        log.read(entry -> {
            if (tabs.isEmpty()) return;
            if (pending.size() < EVENTS_PER_PERIOD) pending.add(entry.toJson());
            else dropped++;
        });
    }

    /** The channels of a node. */
    static Map<String, Supplier<Future<Object>>> samplers(Bus bus, Operations operations) {
        Map<String, Supplier<Future<Object>>> out = new LinkedHashMap<>();
        out.put("node", () -> operations.node.show().map(x -> x));
        out.put("peers", () -> operations.peers.all().map(JsonArray::new));
        out.put("dht", () -> operations.dht.show().map(x -> x));
        out.put("buckets", () -> operations.dht.buckets().map(JsonArray::new));
        out.put("tunnels", () -> operations.tunnels.all().map(JsonArray::new));
        out.put("registrations", () -> operations.registrations.all().map(JsonArray::new));
        out.put("nat", () -> operations.node.nat().map(x -> x));
        out.put("relays", () -> operations.node.relays().map(x -> x));
        out.put(
                "totals",
                () -> bus.ask(TunnelVerticle.ASK, new TunnelVerticle.Query.Totals())
                        .map(x -> x));
        return out;
    }

    int tabs() {
        return tabs.size();
    }

    /** Takes a tab until its socket is closed; false when there are too many. */
    boolean take(ServerWebSocket socket) {
        if (tabs.size() >= MAX) return false;
        tabs.put(socket, new Tab());
        socket.closeHandler(_ -> tabs.remove(socket));
        // Vert.x reports a message that is too long in several frames but goes on; a frame that is too long it closes
        // itself.
        socket.exceptionHandler(_ -> close(socket, TOO_BIG, "the message is too long"));
        socket.drainHandler(_ -> resume(socket));
        socket.textMessageHandler(text -> onText(socket, text));
        return true;
    }

    /** An error here ends only this socket. */
    private void onText(ServerWebSocket socket, String text) {
        Tab tab = tabs.get(socket);
        if (tab == null) return;
        try {
            if (++tab.messages >= MESSAGES_PER_PERIOD) socket.pause();
            subscribe(tab, new JsonObject(text).getJsonArray("sub", new JsonArray()));
            for (String name : tab.wanted) show(name, socket);
        } catch (DecodeException | ClassCastException _) {
            close(socket, UNSUPPORTED, "send {\"sub\":[channels]}");
        } catch (RuntimeException e) {
            LOG.error("handling a dashboard's message failed unexpectedly", e);
            close(socket, OUR_FAULT, "the node failed to do this");
        }
    }

    private void subscribe(Tab tab, @Nullable JsonArray sub) {
        if (sub == null) throw new DecodeException("no channels");
        tab.wanted.clear();
        for (Object each : sub) {
            if (each instanceof String name && (channels.containsKey(name) || name.equals(EVENTS)))
                tab.wanted.add(name);
        }
    }

    /** Sends this period's sample, or has it taken. */
    private void show(String name, ServerWebSocket socket) {
        Channel channel = channels.get(name);
        if (channel == null) return;
        if (channel.text == null) sample(channel);
        else send(channel.text, socket);
    }

    /** To be called once every {@link #PERIOD_MS}. */
    void period() {
        if (tabs.isEmpty()) {
            pending.clear();
            dropped = 0;
        }
        for (Map.Entry<ServerWebSocket, Tab> each : List.copyOf(tabs.entrySet())) begin(each.getKey(), each.getValue());
        for (Channel channel : channels.values()) {
            channel.text = null;
            if (!readers(channel.name).isEmpty()) sample(channel);
        }
        if (pending.isEmpty()) return;
        JsonObject value = new JsonObject()
                .put("items", new JsonArray(new ArrayList<>(pending)))
                .put("dropped", dropped);
        String text = text(EVENTS, value);
        for (ServerWebSocket socket : readers(EVENTS)) send(text, socket);
        pending.clear();
        dropped = 0;
    }

    /** Begins a socket's new period: it is read from again, unless it does not read itself. */
    private void begin(ServerWebSocket socket, Tab tab) {
        tab.messages = 0;
        if (socket.isClosed()) return;
        if (!socket.writeQueueFull()) {
            tab.unreadPeriods = 0;
            socket.resume();
        } else if (++tab.unreadPeriods > UNREAD_PERIODS_MAX) {
            Connections.cut(socket);
        }
    }

    private void resume(ServerWebSocket socket) {
        Tab tab = tabs.get(socket);
        if (tab != null && tab.messages < MESSAGES_PER_PERIOD) socket.resume();
    }

    private List<ServerWebSocket> readers(String channel) {
        List<ServerWebSocket> out = new ArrayList<>();
        tabs.forEach((socket, tab) -> {
            if (tab.wanted.contains(channel)) out.add(socket);
        });
        return out;
    }

    /** Asks once, for everybody who watches when the answer comes. */
    private void sample(Channel channel) {
        if (channel.asked) return;
        channel.asked = true;
        channel.sampler.get().onComplete(done -> {
            channel.asked = false;
            if (done.failed()) return;
            String text = text(channel.name, done.result());
            channel.text = text;
            for (ServerWebSocket socket : readers(channel.name)) send(text, socket);
        });
    }

    private static String text(String channel, Object value) {
        return new JsonObject()
                .put("ch", channel)
                .put("t", System.currentTimeMillis())
                .put("v", value)
                .encode();
    }

    /** A socket that does not read misses this text, and is not read from until it does. */
    private static void send(String text, ServerWebSocket socket) {
        if (socket.isClosed()) return;
        if (socket.writeQueueFull()) socket.pause();
        else socket.writeTextMessage(text);
    }

    private static void close(ServerWebSocket socket, short code, String reason) {
        if (!socket.isClosed()) socket.close(code, reason);
    }
}
