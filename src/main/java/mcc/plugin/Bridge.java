package mcc.plugin;

import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.json.EncodeException;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
    private final Map<String, BridgeClient> clients = new LinkedHashMap<>();
    private long next = 1;

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
            from.refuse("there are " + MAX + " clients already");
            return;
        }
        String id = "bridge/" + next++; // a plugin's ID has no slash
        BridgeClient client = new BridgeClient(
                id,
                from.authorization(),
                new BridgeClient.World(this, plugins.eventBus(), home, door, watches, permits),
                frame -> write(from, frame));
        clients.put(id, client);
        from.open(text -> home.runOnContext(_ -> client.onText(text)), () -> home.runOnContext(_ -> left(id)));
    }

    private void left(String id) {
        clients.remove(id);
        watches.left(id);
    }

    /** Tells every client that listens there. */
    void publish(String address, @Nullable Object body) {
        List<BridgeClient> listening = new ArrayList<>();
        for (BridgeClient client : clients.values()) if (client.listensTo(address)) listening.add(client);
        if (listening.isEmpty()) return;
        JsonObject frame =
                new JsonObject().put("type", "rec").put("address", address).put("body", body);
        for (BridgeClient client : listening) client.send(frame);
    }

    private static void write(BridgeSocket socket, JsonObject frame) {
        try {
            socket.send(frame.encode());
        } catch (EncodeException _) {
            // a plugin's body that is no JSON: nothing that a client could read
            socket.send(new JsonObject()
                    .put("type", "err")
                    .put("address", frame.getString("address"))
                    .put("body", "not_json")
                    .encode());
        }
    }
}
