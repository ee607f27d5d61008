package mcc.tunnel;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.net.InetSocketAddress;
import java.util.List;
import mcc.node.HostNames;
import mcc.registry.Registration;

/** Turns host and port into sockets, without blocking an event loop for a name. */
final class Hosts {
    private Hosts() {}

    /** An address to listen on. */
    static Future<InetSocketAddress> resolve(Vertx vertx, String host, int port) {
        return HostNames.resolve(vertx, host, port).map(List::getFirst);
    }

    /** A connection to an app of this host, at whichever of its addresses it listens. */
    static Future<TcpSocket> connect(Vertx vertx, Context context, Registration app, int timeoutMs) {
        return HostNames.ofApp(vertx, app.host(), app.port())
                .compose(at -> HostNames.connect(
                        vertx, at, each -> TcpSocket.connect(context, each, timeoutMs), TcpSocket::abort));
    }

    /** Where datagrams for an app of this host go: its first address, because none says whether it is there. */
    static Future<InetSocketAddress> datagrams(Vertx vertx, Registration app) {
        return HostNames.ofApp(vertx, app.host(), app.port()).map(List::getFirst);
    }
}
