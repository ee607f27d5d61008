package mcc.node;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.ServerWebSocket;
import io.vertx.core.http.ServerWebSocketHandshake;
import io.vertx.core.net.PemKeyCertOptions;
import io.vertx.core.net.SocketAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import mcc.carrier.Gate;
import mcc.core.Address;
import mcc.core.Counters;
import mcc.core.RateLimit;
import mcc.link.LinkInput;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where this node takes carriers as a relay. Who is behind one is not known here, and is proved by the handshake inside.
 *
 * <p>Limits: {@link #MAX} carriers and {@link #RAW_MAX} connections that are none yet, {@link #EACH_MAX} of each of one address;
 * {@link #PER_SECOND} new carriers a second of one address; {@link #UPGRADE_MS} until a connection is a WebSocket,
 * {@link #SILENT_S} without a byte after that. What they refuse is counted.
 */
final class CarrierServer {
    /**
     * Where and how to listen.
     *
     * @param tls {@code auto}, {@code off}, or the files of a certificate and its key
     */
    record Setup(Addresses.HostPort at, String tls) {}

    /** Which links know a line, and as what. */
    private record Home(CarrierLines links, Address address) {}

    static final int MAX = 1_024;
    static final int RAW_MAX = 2 * MAX;
    static final int EACH_MAX = MAX / 4;
    static final int PER_SECOND = 10;
    static final int AT_ONCE = 100;
    private static final int SOURCES_MAX = 4_096;
    static final long UPGRADE_MS = 10_000;
    static final int SILENT_S = 75;
    private static final int HEADER_BYTES = 8 << 10;

    private static final Logger LOG = LoggerFactory.getLogger(CarrierServer.class);

    private final Vertx vertx;
    private final Context context;
    private final Bus bus;
    private final Counters counters;
    private final Set<CarrierLine> lines = new HashSet<>(); // counted and closed, in no order
    private final Map<Long, Integer> perSource = new HashMap<>(); // looked up, never iterated
    /** Connections that are no WebSockets yet: what ends their time. */
    private final Map<SocketAddress, Runnable> waiting = new HashMap<>(); // looked up, never iterated

    private final Map<CarrierLine, Home> homes = new HashMap<>(); // looked up, never iterated
    private final RateLimit<Long> newOnes = new RateLimit<>(PER_SECOND, AT_ONCE, SOURCES_MAX);
    private final Map<Long, Integer> rawPerSource = new HashMap<>(); // looked up, never iterated
    private int raw;
    private @Nullable HttpServer server;

    CarrierServer(Vertx vertx, Context context, Bus bus, Counters counters) {
        this.vertx = vertx;
        this.context = context;
        this.bus = bus;
        this.counters = counters;
    }

    /** Begins to listen; fails with a {@link Problem}. */
    Future<Void> listen(Setup setup) {
        HttpServerOptions options = new HttpServerOptions()
                .setMaxHeaderSize(HEADER_BYTES)
                .setMaxWebSocketFrameSize(2 * CarrierLine.DATAGRAM_MAX)
                .setMaxWebSocketMessageSize(2 * CarrierLine.DATAGRAM_MAX)
                .setPerMessageWebSocketCompressionSupported(false)
                .setPerFrameWebSocketCompressionSupported(false)
                .setHttp2ClearTextEnabled(false)
                .setUseAlpn(false)
                .setTcpNoDelay(true)
                .setReadIdleTimeout(SILENT_S)
                .setIdleTimeoutUnit(TimeUnit.SECONDS)
                .addWebSocketSubProtocol(Gate.SUBPROTOCOL);
        options.setSslHandshakeTimeout(5).setSslHandshakeTimeoutUnit(TimeUnit.SECONDS);
        switch (setup.tls()) {
            case "off" -> {}
            case "auto" -> options.setSsl(true).setKeyCertOptions(OwnCertificate.make());
            default -> {
                String[] files = setup.tls().split(",", 2);
                options.setSsl(true)
                        .setKeyCertOptions(new PemKeyCertOptions()
                                .setCertPath(files[0].strip())
                                .setKeyPath(files[1].strip()));
            }
        }
        String text = setup.at().host() + ":" + setup.at().port();
        return vertx.createHttpServer(options)
                .connectionHandler(this::connected)
                .webSocketHandshakeHandler(this::judge)
                .webSocketHandler(this::opened)
                .requestHandler(CarrierServer::noWebSocket)
                .exceptionHandler(_ -> counters.add("carrier.server.broken")) // as by a scanner that speaks no TLS
                .listen(setup.at().port(), setup.at().host())
                .recover(e -> Future.failedFuture(new Problem(
                        "listen",
                        "cannot take carriers on " + text + ": " + Problem.text(e),
                        "stop what holds the port, choose another with --relay-websocket HOST:PORT, or check the"
                                + " certificate's files")))
                .onSuccess(made -> {
                    server = made;
                    LOG.info(
                            "takes carriers (WebSocket) on {}, port {}",
                            setup.at().host(),
                            made.actualPort());
                })
                .mapEmpty();
    }

    /** The port; 0 before it listens. */
    int port() {
        return server == null ? 0 : server.actualPort();
    }

    int connections() {
        return lines.size();
    }

    /** A connection that does not become a WebSocket in time is closed, and so is one for which there is no room. */
    private void connected(HttpConnection connection) {
        long source = source(connection.remoteAddress());
        if (raw >= RAW_MAX || rawPerSource.getOrDefault(source, 0) >= EACH_MAX) {
            counters.add("carrier.server.full");
            connection.close();
            return;
        }
        raw++;
        rawPerSource.merge(source, 1, Integer::sum);
        long timer = vertx.setTimer(UPGRADE_MS, _ -> {
            counters.add("carrier.server.late");
            connection.close();
        });
        boolean[] over = {false};
        Runnable end = () -> {
            if (over[0]) return;
            over[0] = true;
            vertx.cancelTimer(timer);
            raw--;
            leave(rawPerSource, source);
        };
        waiting.put(connection.remoteAddress(), end);
        connection.closeHandler(_ -> {
            waiting.remove(connection.remoteAddress(), end);
            end.run();
        });
    }

    private void judge(ServerWebSocketHandshake handshake) {
        String refusal = refusal(handshake);
        if (refusal == null) {
            handshake.accept();
            return;
        }
        counters.add("carrier.server.refused." + refusal);
        handshake.reject(refusal.equals("stranger") ? 400 : 503);
    }

    private @Nullable String refusal(ServerWebSocketHandshake handshake) {
        String asked = String.valueOf(handshake.headers().get("Sec-WebSocket-Protocol"));
        if (!List.of(asked.split(" *, *")).contains(Gate.SUBPROTOCOL)) return "stranger";
        if (lines.size() >= MAX) return "full";
        long source = source(handshake.remoteAddress());
        if (perSource.getOrDefault(source, 0) >= EACH_MAX) return "source";
        return newOnes.take(System.nanoTime(), source) ? null : "often";
    }

    private void opened(ServerWebSocket socket) {
        Runnable upgraded = waiting.remove(socket.remoteAddress());
        if (upgraded != null) upgraded.run();
        long source = source(socket.remoteAddress());
        CarrierLine line = new CarrierLine(socket, context);
        lines.add(line);
        perSource.merge(source, 1, Integer::sum);
        counters.add("carrier.server.opened");
        socket.closeHandler(_ -> {
            lines.remove(line);
            leave(perSource, source);
            ended(line);
        });
        bus.ask(Bus.SESSION, new SessionVerticle.Query.Carriers())
                .compose(links -> links.attach(line, null).onSuccess(address -> {
                    homes.put(line, new Home(links, address));
                    if (!lines.contains(line)) ended(line);
                }))
                .onFailure(_ -> line.close());
    }

    private static void leave(Map<Long, Integer> counts, long source) {
        counts.computeIfPresent(source, (_, n) -> n == 1 ? null : n - 1);
    }

    private void ended(CarrierLine line) {
        Home home = homes.remove(line);
        if (home == null) return;
        home.links().detach(line);
        bus.send(Bus.LINKS, new LinkInput.CarrierEnded(home.address()));
    }

    private static void noWebSocket(HttpServerRequest request) {
        request.response()
                .setStatusCode(404)
                .end()
                .onComplete(_ -> request.connection().close());
    }

    /** An IPv4 address or a /64 of IPv6 is one source. */
    private static long source(SocketAddress remote) {
        Address address = remote.hostAddress() == null
                ? null
                : Address.parse((remote.hostAddress().indexOf(':') < 0
                                ? remote.hostAddress()
                                : "[" + remote.hostAddress() + "]")
                        + ":0");
        return address == null ? 0 : address.source();
    }

    /** The links were started again: nothing leads anywhere any longer. */
    void closeAll() {
        for (CarrierLine line : new ArrayList<>(lines)) line.close();
    }

    Future<Void> close() {
        closeAll();
        return server == null ? Future.succeededFuture() : server.close();
    }
}
