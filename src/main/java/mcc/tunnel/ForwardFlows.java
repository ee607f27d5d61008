package mcc.tunnel;

import io.vertx.core.Future;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/** The flows of one UDP forward. */
final class ForwardFlows implements UdpFlows.Owner<InetSocketAddress> {
    private final Tunnel tunnel;
    private final Ways ways;
    private final UserApps apps;
    private final Forwards forwards;

    ForwardFlows(Tunnel tunnel, Ways ways, UserApps apps, Forwards forwards) {
        this.tunnel = tunnel;
        this.ways = ways;
        this.apps = apps;
        this.forwards = forwards;
    }

    @Override
    public boolean mayOpen() {
        return forwards.makeRoom(tunnel);
    }

    @Override
    public Future<FlowEnd> open(InetSocketAddress client) {
        long startedNs = System.nanoTime();
        return ways.open(tunnel.target, apps.udp(), tunnel.wanted())
                .onFailure(e -> forwards.refused(tunnel, e))
                .map(opened -> {
                    forwards.carried(tunnel, opened, startedNs);
                    return FlowStream.end(opened.way(), forwards.counters());
                });
    }

    @Override
    public void opened() {
        forwards.flows().add(tunnel);
        tunnel.connections++;
        tunnel.connectionsTotal++;
    }

    @Override
    public void sent(int bytes) {
        tunnel.sent(bytes);
    }

    @Override
    public void received(int bytes) {
        tunnel.received(bytes);
    }

    @Override
    public void silent(FlowEnd end) {
        ways.suspect(end);
    }

    @Override
    public void over(@Nullable FlowEnd end, boolean broken) {
        forwards.flows().remove(tunnel);
        tunnel.done(broken);
        if (end == null || !broken) return;
        forwards.counters().add("tunnel.flow.broken");
        ways.suspect(end); // its app does not listen, or the node is gone: the next flow tries another
    }
}
