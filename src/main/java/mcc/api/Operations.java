package mcc.api;

import io.vertx.core.Future;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mcc.node.Bus;
import mcc.node.Node;
import mcc.node.PluginQuery;

/**
 * The operations of the contract by their IDs, collected from a class per resource. Input is parameters and body merged,
 * output is JSON; nothing here depends on HTTP.
 */
final class Operations {
    /** An answer; {@code created} decides between status 201 and 200. */
    record Answer(JsonObject body, boolean created) {
        static Answer of(JsonObject body) {
            return new Answer(body, false);
        }
    }

    /** One operation. */
    @FunctionalInterface
    interface Operation {
        Future<Answer> apply(JsonObject input);
    }

    final NodeOperations node;
    final PeerOperations peers;
    final DhtOperations dht;
    final RegistrationOperations registrations;
    final TunnelOperations tunnels;
    private final Bus bus;
    private final EventLog events;
    private final Map<String, Operation> all = new LinkedHashMap<>();

    Operations(Node.Parts parts, EventLog events) {
        this.events = events;
        bus = parts.bus();
        String network = parts.settings().text("network");
        Lists lists = new Lists();
        dht = new DhtOperations(bus, network);
        node = new NodeOperations(parts, dht);
        peers = new PeerOperations(parts);
        registrations = new RegistrationOperations(bus, network);
        tunnels = new TunnelOperations(bus, peers);
        node.into(all);
        peers.into(all, lists);
        dht.into(all, lists);
        new ServiceOperations(bus, network, lists, peers).into(all);
        registrations.into(all, lists);
        tunnels.into(all, lists);
        new PathOperations(parts, peers).into(all);
        all.put("listPlugins", p -> plugins().map(items -> Answer.of(lists.page("plugins", items, p))));
        all.put("getPlugin", p -> plugin(new PluginQuery.Show(p.getString("id"))));
        all.put("deletePlugin", p -> plugin(new PluginQuery.Remove(p.getString("id"))));
        all.put("restartPlugin", p -> plugin(new PluginQuery.Restart(p.getString("id"))));
        all.put("listEvents", p -> Future.succeededFuture(Answer.of(lists.page("events", history(p), p))));
    }

    /** The operations by their IDs in the contract. */
    Map<String, Operation> all() {
        return all;
    }

    /** The seconds in a text such as {@code 30s} or {@code 5m}. */
    static int seconds(String text) {
        int n = Integer.parseInt(text.substring(0, text.length() - 1));
        return text.endsWith("m") ? 60 * n : n;
    }

    private Future<List<JsonObject>> plugins() {
        return bus.ask(Bus.PLUGINS, new PluginQuery.All()).map(all -> {
            List<JsonObject> out = new ArrayList<>();
            for (Object each : all) out.add((JsonObject) each);
            return out;
        });
    }

    private Future<Answer> plugin(PluginQuery.One query) {
        return bus.ask(Bus.PLUGINS, query).map(Answer::of);
    }

    private List<JsonObject> history(JsonObject p) {
        List<JsonObject> out = new ArrayList<>();
        for (EventLog.Entry entry : events.all()) {
            if (EventLog.matches(p.getString("types"), entry.event().type())) out.add(entry.toJson());
        }
        return out;
    }
}
