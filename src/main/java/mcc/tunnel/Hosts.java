package mcc.tunnel;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.net.InetSocketAddress;
import java.util.List;
import mcc.node.HostNames;

/** Turns host and port into an address to listen on, without blocking an event loop for a name. */
final class Hosts {
    private Hosts() {}

    static Future<InetSocketAddress> resolve(Vertx vertx, String host, int port) {
        return HostNames.resolve(vertx, host, port).map(List::getFirst);
    }
}
