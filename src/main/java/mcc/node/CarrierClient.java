package mcc.node;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.UpgradeRejectedException;
import io.vertx.core.http.WebSocket;
import io.vertx.core.http.WebSocketClient;
import io.vertx.core.http.WebSocketClientOptions;
import io.vertx.core.http.WebSocketConnectOptions;
import io.vertx.core.net.SocketAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLException;
import mcc.carrier.Gate;
import org.jspecify.annotations.Nullable;

/**
 * Makes connections to relays, through a proxy where there is one. The certificate of the other side is not looked at: the
 * handshake inside proves who answers, and whoever is between sees sealed datagrams.
 */
final class CarrierClient {
    private static final int CONNECT_MS = 5_000;
    /** From ping to ping (RFC 6455 section 5.5.2): proxies forget silent connections after a minute, and so do relays. */
    static final long PING_MS = 25_000;

    private static final int SILENT_S = 75;
    /** How the message of a proxy's refusal looks, for want of a type that may be used here. */
    private static final Pattern REFUSED = Pattern.compile("^http, (?:basic|none), .*?(?:, status: (\\d{3}).*)?$");

    private final Vertx vertx;
    private final Context context;
    private final @Nullable HttpProxy proxy;
    private final WebSocketClient client;

    CarrierClient(Vertx vertx, Context context, @Nullable HttpProxy proxy) {
        this.vertx = vertx;
        this.context = context;
        this.proxy = proxy;
        client = vertx.createWebSocketClient(new WebSocketClientOptions()
                .setTrustAll(true)
                .setVerifyHost(false)
                .setConnectTimeout(CONNECT_MS)
                .setMaxFrameSize(2 * CarrierLine.DATAGRAM_MAX)
                .setMaxMessageSize(2 * CarrierLine.DATAGRAM_MAX)
                .setTryUsePerMessageCompression(false)
                .setTryUsePerFrameCompression(false)
                .setTcpNoDelay(true)
                .setReadIdleTimeout(SILENT_S)
                .setIdleTimeoutUnit(TimeUnit.SECONDS));
    }

    /** Connects; fails with what an operator is to read. */
    Future<CarrierLine> open(Gate gate) {
        return connect(gate)
                .map(socket -> {
                    long pings = vertx.setPeriodic(PING_MS, _ -> socket.writePing(Buffer.buffer()));
                    CarrierLine line = new CarrierLine(socket, context);
                    socket.closeHandler(_ -> {
                        vertx.cancelTimer(pings);
                        line.closed();
                    });
                    return line;
                })
                .recover(e -> Future.failedFuture(new Problem("upstream-unreachable", why(e), null)));
    }

    private Future<WebSocket> connect(Gate gate) {
        if (proxy != null) {
            return HostNames.resolve(vertx, proxy.host(), proxy.port())
                    .compose(at -> connect(gate, at.getFirst(), proxy));
        }
        return HostNames.resolve(vertx, gate.host(), gate.port())
                .compose(at -> HostNames.connect(vertx, at, each -> connect(gate, each, null), WebSocket::close));
    }

    private Future<WebSocket> connect(Gate gate, InetSocketAddress at, @Nullable HttpProxy by) {
        WebSocketConnectOptions options = new WebSocketConnectOptions()
                .setHost(gate.host())
                .setPort(gate.port())
                .setURI(gate.path())
                .setSsl(gate.tls())
                .setTimeout(2L * CONNECT_MS)
                .setAllowOriginHeader(false)
                .setSubProtocols(List.of(Gate.SUBPROTOCOL));
        String ip = at.getAddress().getHostAddress();
        if (by == null) options.setServer(SocketAddress.inetSocketAddress(at.getPort(), ip));
        else options.setProxyOptions(by.options(ip));
        return client.connect(options);
    }

    /** What went wrong, without anything secret: a proxy's own message is not passed on. */
    private String why(Throwable e) {
        String by = proxy == null ? "" : " through the proxy " + proxy;
        Matcher refused = REFUSED.matcher(String.valueOf(e.getMessage()));
        if (proxy != null && refused.matches()) {
            return switch (refused.group(1)) {
                case "407" ->
                    "the proxy " + proxy + " asks for a name and a password (407)"
                            + (proxy.user() != null ? ", and does not take those that it got" : "");
                case null -> "the proxy " + proxy + " does not answer as a proxy does";
                default -> "the proxy " + proxy + " refuses (" + refused.group(1) + ")";
            };
        }
        if (e instanceof UpgradeRejectedException rejected) {
            return "what answers" + by + " takes no carriers (HTTP status " + rejected.getStatus() + ")";
        }
        if (e instanceof SSLException) return "no TLS" + by + ": " + Problem.text(e);
        if (e instanceof UnknownHostException) return Problem.text(e);
        return "no connection" + by + ": " + Problem.text(e);
    }

    void close() {
        client.close();
    }
}
