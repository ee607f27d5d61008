package mcc.plugin;

import io.vertx.core.Context;
import io.vertx.core.Vertx;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import mcc.core.Counters;
import mcc.node.BridgeSocket;
import org.jspecify.annotations.Nullable;

/** All clients of the event-bus bridge, and what is published to them. Lives on the gate's context. */
final class Bridge {
    /** Clients at a time. */
    static final int MAX = 200;

    private final Vertx plugins;
    private final Context home;
    private final Door door;
    private final Watches watches;
    private final Permits permits;
    private final Map<String, Client> clients = new LinkedHashMap<>();
    private final Counters counters = new Counters();
    private long next = 1;

    private record Client(BridgeClient client, BridgeSocket socket) {}

    /** @param home the gate's context, of the second Vertx instance */
    Bridge(Vertx plugins, Context home, Door door, Watches watches, Permits permits) {
        this.plugins = plugins;
        this.home = home;
        this.door = door;
        this.watches = watches;
        this.permits = permits;
    }

    /** Takes a client in, or closes its socket when there are too many. Called on the gate's context. */
    void take(BridgeSocket from) {
        if (clients.size() >= MAX) {
            counters.add("bridge.clients.refused");
            from.refuse("there are " + MAX + " clients already");
            return;
        }
        String id = "bridge/" + next++; // a plugin's ID has no slash
        BridgeClient client = new BridgeClient(
                id,
                from.authorization(),
                new BridgeClient.World(this, plugins.eventBus(), home, door, watches, permits),
                from::send);
        clients.put(id, new Client(client, from));
        counters.add("bridge.clients");
        from.open(home, client::onText, why -> left(id, why));
    }

    private void left(String id, BridgeSocket.End why) {
        counters.add("bridge.ended." + why.name().toLowerCase(Locale.ROOT));
        clients.remove(id);
        watches.left(id);
    }

    /** Turns every client away, before what serves them ends. */
    void close() {
        for (Client client : clients.values()) client.socket().refuse("the bridge is being restarted");
    }

    /** Where it lives. */
    Context home() {
        return home;
    }

    void count(String what) {
        counters.add(what);
    }

    /** What was counted. */
    List<Counters.Count> counts() {
        return counters.snapshot();
    }

    /** Tells every client that listens there. */
    void publish(String address, @Nullable Object body) {
        String frame = null;
        for (Client each : clients.values()) {
            if (!each.client().listensTo(address)) continue;
            if (frame == null) frame = BridgeClient.frame(address, body);
            each.client().send(frame);
        }
    }
}
