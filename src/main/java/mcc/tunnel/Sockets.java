package mcc.tunnel;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.URI;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Supplier;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.node.HostNames;
import mcc.node.Problem;
import mcc.node.ProxyHeader;
import mcc.registry.Registration;
import mcc.registry.Registry;
import org.jspecify.annotations.Nullable;

/**
 * Makes every socket that tunnels have on this host: within the limit of descriptors, never from this node to itself, and with
 * TCP keepalive. Used on one context.
 *
 * <p>Limit: {@link Descriptors}; what it refused is counted as {@code tunnel.descriptors.refused}. A connection that comes
 * when no descriptor is left is reset at once, so that the listener goes on as soon as there is one again.
 */
final class Sockets {
    private static final int CONNECT_MS = 5_000;
    private static final long FRESH_NS = 1_000_000_000;
    /** How many apps' addresses are remembered. */
    private static final int FOUND_MAX = 1_024;

    private record Place(String host, int port) {}

    private record Found(Future<List<InetSocketAddress>> all, long atNs) {}

    private final Vertx vertx;
    private final Context context;
    private final String network;
    private final Descriptors descriptors;
    private final Counters counters;
    private final int keepaliveSeconds;
    private final Supplier<@Nullable InetSocketAddress> rest;
    private final Map<Place, Found> found = new HashMap<>();
    private final Listeners own = new Listeners(Sockets::isOfThisHost);

    /**
     * @param keepaliveSeconds silence after which TCP keepalive probes the other side; 0 for never
     * @param rest the address at which REST needs no token; null if it always needs one
     */
    Sockets(
            Vertx vertx,
            Context context,
            String network,
            Descriptors descriptors,
            int keepaliveSeconds,
            Supplier<@Nullable InetSocketAddress> rest,
            Counters counters) {
        this.vertx = vertx;
        this.context = context;
        this.network = network;
        this.descriptors = descriptors;
        this.keepaliveSeconds = keepaliveSeconds;
        this.rest = rest;
        this.counters = counters;
    }

    Vertx vertx() {
        return vertx;
    }

    Context context() {
        return context;
    }

    Counters counters() {
        return counters;
    }

    /** How many sockets there may be. */
    long max() {
        return descriptors.max();
    }

    /** A meter that also ends a connection through which nothing passes for so long; 0 for no limit. */
    Splice.Meter idle(long idleMs, Runnable cut, Splice.Meter counted) {
        return IdleMeter.around(vertx, idleMs, cut, counted);
    }

    private static boolean isOfThisHost(InetAddress ip) {
        try {
            return NetworkInterface.getByInetAddress(ip) != null;
        } catch (SocketException _) {
            return false; // no such interface, as far as the host says
        }
    }

    /** The address that a URL of REST names; null for none. */
    static @Nullable InetSocketAddress addressOf(String url) {
        if (url.isEmpty()) return null;
        URI uri = URI.create(url);
        return new InetSocketAddress(uri.getHost(), uri.getPort());
    }

    // ---- to apps ----------------------------------------------------------------------------------------------------

    /**
     * Connects to an app of this host by TCP; if the app wants to know who calls, a PROXY protocol header comes first.
     *
     * @param port one of the app's
     * @param caller the calling node
     */
    Future<TcpSocket> connect(Descriptors.Side side, Registry.LocalView view, int port, Id caller) {
        return connect(side, view.registration(), port, () -> ProxyHeader.of(network, caller, view.endpoint(), port));
    }

    /** The same for a connection that came to an endpoint's own address. */
    Future<TcpSocket> connect(Descriptors.Side side, Registration app, int port, Id endpoint, TcpSocket user) {
        return connect(side, app, port, () -> ProxyHeader.of(network, user.remote(), endpoint, port));
    }

    private Future<TcpSocket> connect(Descriptors.Side side, Registration app, int port, Supplier<byte[]> header) {
        return connect(side, app, port).onSuccess(socket -> {
            if (!app.delivery().proxy()) return;
            byte[] first = header.get();
            socket.write(first, first.length);
            socket.flush();
        });
    }

    private Future<TcpSocket> connect(Descriptors.Side side, Registration app, int port) {
        return addresses(app.host(), port)
                .compose(all -> HostNames.connect(vertx, all, to -> connect(side, to), TcpSocket::abort));
    }

    private Future<TcpSocket> connect(Descriptors.Side side, InetSocketAddress to) {
        Problem problem = refusal(side, false, to);
        if (problem != null) return Future.failedFuture(problem);
        return TcpSocket.connect(context, to, CONNECT_MS, keepaliveSeconds)
                .onSuccess(socket -> socket.onClose(() -> descriptors.give(side)))
                .onFailure(_ -> descriptors.give(side));
    }

    /** Looks a host name up; the result is used for all connections of a second. */
    private Future<List<InetSocketAddress>> addresses(String host, int port) {
        Place place = new Place(host, port);
        Found known = found.get(place);
        if (known != null && System.nanoTime() - known.atNs < FRESH_NS) return known.all;
        Future<List<InetSocketAddress>> all = HostNames.ofApp(vertx, host, port);
        if (known == null && found.size() >= FOUND_MAX) found.clear(); // a cache: it fills again
        found.put(place, new Found(all, System.nanoTime()));
        return all;
    }

    /** Makes a socket whose datagrams go to an app of this host. */
    Future<UdpSocket> connectUdp(Descriptors.Side side, Registration app, int port) {
        return addresses(app.host(), port).compose(all -> {
            InetSocketAddress to = all.getFirst();
            Problem problem = refusal(side, true, to);
            if (problem != null) return Future.failedFuture(problem);
            return UdpSocket.connect(context, to, counters)
                    .onSuccess(socket -> socket.onClose(() -> descriptors.give(side)))
                    .onFailure(_ -> descriptors.give(side));
        });
    }

    /** Why there may be no socket to an address; null if there may be one, which is then counted. */
    private @Nullable Problem refusal(Descriptors.Side side, boolean datagrams, InetSocketAddress to) {
        String name = own.at(datagrams, to);
        if (name == null && !datagrams && isRest(to)) {
            counters.add("tunnel.loop.refused");
            return new Problem(
                    "conflict",
                    "port " + to.getPort() + " is this node's REST interface, which obeys whoever reaches it here",
                    "set http.tokenless: false before you offer it as a service");
        }
        if (name != null) {
            counters.add("tunnel.loop.refused");
            return new Problem(
                    "conflict",
                    "port " + to.getPort() + " is " + name
                            + " of this node itself, so that its service leads into itself",
                    "register the port that the app listens on");
        }
        return descriptors.take(side) ? null : exhausted();
    }

    private Problem exhausted() {
        counters.add("tunnel.descriptors.refused");
        return new Problem(
                "overloaded",
                "tunnels have " + descriptors.all() + " of the " + descriptors.max() + " sockets that they may have",
                "raise the limit of open files (ulimit -n, LimitNOFILE=)");
    }

    private boolean isRest(InetSocketAddress to) {
        InetSocketAddress at = rest.get();
        if (at == null || at.getPort() != to.getPort()) return false;
        Listeners one = new Listeners(Sockets::isOfThisHost);
        one.add(false, at, "REST");
        return one.at(false, to) != null;
    }

    /** The name of this node's listener that has an address; null for none. */
    @Nullable
    String listener(boolean datagrams, InetSocketAddress at) {
        return own.at(datagrams, at);
    }

    // ---- for users --------------------------------------------------------------------------------------------------

    /**
     * Takes connections of local programs.
     *
     * @param name what listens there, as people call it
     */
    Future<TcpSocket.Listener> listen(
            Descriptors.Side side, InetSocketAddress at, String name, Consumer<TcpSocket> taker) {
        if (!descriptors.take(side)) return Future.failedFuture(exhausted());
        return TcpSocket.listen(context, at, keepaliveSeconds, socket -> {
                    if (!descriptors.take(side)) {
                        counters.add("tunnel.descriptors.refused");
                        socket.abort();
                        return;
                    }
                    socket.onClose(() -> descriptors.give(side));
                    taker.accept(socket);
                })
                .onFailure(_ -> descriptors.give(side))
                .onSuccess(listener -> {
                    own.add(false, listener.address(), name);
                    listener.onClose(() -> {
                        own.remove(false, listener.address());
                        descriptors.give(side);
                    });
                });
    }

    /** Takes datagrams of local programs. */
    Future<UdpSocket.Listener> listenUdp(
            Descriptors.Side side, InetSocketAddress at, String name, BiConsumer<InetSocketAddress, byte[]> taker) {
        if (!descriptors.take(side)) return Future.failedFuture(exhausted());
        return UdpSocket.listen(context, at, counters, taker)
                .onFailure(_ -> descriptors.give(side))
                .map(listener -> {
                    own.add(true, listener.address(), name);
                    boolean[] closed = {false};
                    return new UdpSocket.Listener(listener.address(), listener.out(), () -> {
                        listener.end().run();
                        if (closed[0]) return;
                        closed[0] = true;
                        own.remove(true, listener.address());
                        descriptors.give(side);
                    });
                });
    }
}
