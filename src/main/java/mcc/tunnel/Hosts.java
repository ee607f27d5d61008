package mcc.tunnel;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import mcc.core.Address;

/** Turns host and port into a socket address, without blocking an event loop for a name. */
final class Hosts {
    private Hosts() {}

    static Future<InetSocketAddress> resolve(Vertx vertx, String host, int port) {
        Address literal = Address.parse((host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port);
        if (literal != null) {
            try {
                return Future.succeededFuture(new InetSocketAddress(InetAddress.getByAddress(literal.ip()), port));
            } catch (UnknownHostException e) {
                return Future.failedFuture(e);
            }
        }
        // Not in order: a slow name must not hold up the others.
        return vertx.executeBlocking(() -> new InetSocketAddress(InetAddress.getByName(host), port), false);
    }
}
