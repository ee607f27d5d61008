package mcc.tunnel;

import io.vertx.core.json.JsonObject;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The bytes that passed through a node's tunnels: its users' by the kind of path, and those of peers that used its services. */
final class Totals implements Splice.Meter {
    private long txBytes;
    private long rxBytes;
    private long connections;
    /** Bytes {sent, received} through all tunnels there ever were, by the kind of path. */
    private final Map<String, long[]> traffic = new LinkedHashMap<>();

    /** Counts what passed through a tunnel since its last second was closed, for the kind of path that it took. */
    void count(Tunnel tunnel) {
        long[] moved = tunnel.moved();
        long[] sum = traffic.computeIfAbsent(tunnel.path, _ -> new long[2]);
        sum[0] += moved[0];
        sum[1] += moved[1];
    }

    /** Counts what passed on the provider's side. */
    @Override
    public void sent(int bytes) {
        txBytes += bytes;
    }

    @Override
    public void received(int bytes) {
        rxBytes += bytes;
    }

    @Override
    public void done(boolean broken) {
        connections++;
    }

    JsonObject toJson(Forwards forwards, @Nullable Provider provider) {
        long tx = 0;
        long rx = 0;
        int open = 0;
        for (Tunnel tunnel : forwards.all()) {
            tx += tunnel.txBytes;
            rx += tunnel.rxBytes;
            open += tunnel.connections;
        }
        JsonObject bytes = new JsonObject();
        traffic.forEach((path, sum) ->
                bytes.put(path, new JsonObject().put("txBytes", sum[0]).put("rxBytes", sum[1])));
        return new JsonObject()
                .put("tunnels", forwards.all().size())
                .put("connections", open)
                .put("txBytes", tx)
                .put("rxBytes", rx)
                .put("traffic", bytes)
                .put("flows", forwards.flows().all())
                .put("servedFlows", provider == null ? 0 : provider.flows())
                .put("servedConnections", provider == null ? 0 : provider.open())
                .put("servedConnectionsTotal", connections)
                .put("servedTxBytes", txBytes)
                .put("servedRxBytes", rxBytes);
    }
}
