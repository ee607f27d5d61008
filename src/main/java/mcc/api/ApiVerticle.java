package mcc.api;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClosedException;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.Route;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.LongSupplier;
import mcc.node.Addresses;
import mcc.node.ApiQuery;
import mcc.node.Ask;
import mcc.node.BridgeSocket;
import mcc.node.Bus;
import mcc.node.HostNames;
import mcc.node.Node;
import mcc.node.PluginQuery;
import mcc.node.Problem;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The HTTP server: REST as the contract says, events, the dashboard's WebSocket and its files. */
public final class ApiVerticle extends VerticleBase {
    private static final Logger LOG = LoggerFactory.getLogger(ApiVerticle.class);
    private static final Set<String> STREAMED = Set.of("streamEvents", "getMetrics", "deployPlugin");
    private static final String CSP = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
            + " img-src 'self' data:; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /** The longest message of a WebSocket, in one frame or several. */
    private static final int WEB_SOCKET_BYTES = 256 * 1024;

    private final Node.Parts parts;
    private final LongSupplier clock;
    private final EventLog log = new EventLog();
    private final Connections connections = Connections.ofThisProcess();
    private @Nullable HttpServer server;

    public ApiVerticle(Node.Parts parts) {
        this(parts, System::nanoTime);
    }

    /** @param clock nanoseconds, for the limit on a caller's requests per second */
    ApiVerticle(Node.Parts parts, LongSupplier clock) {
        this.parts = parts;
        this.clock = clock;
    }

    @Override
    public Future<?> start() {
        // Handlers catch their own errors. An error that gets here must not end other clients' connections, which is
        // all that the supervisor could do.
        context.exceptionHandler(e -> LOG.error("an HTTP handler failed unexpectedly", e));
        Contract contract = Contract.load();
        Operations operations = new Operations(parts, log);
        checkContract(contract, operations);
        Guard guard = new Guard(parts.settings(), parts.adminToken());
        RestRoutes rest = new RestRoutes(vertx, contract, operations, guard, clock);
        EventStream stream = new EventStream(vertx, parts.bus(), log);
        Live live = new Live(Live.samplers(parts.bus(), operations), log);
        vertx.setPeriodic(Live.PERIOD_MS, _ -> live.period());
        Metrics metrics = new Metrics(parts, operations, connections);
        parts.bus().on(Bus.EVENTS, log::add);
        log.read(entry -> parts.bus().publish(Bus.NUMBERED_EVENTS, entry.toJson()));
        parts.bus().serve(Bus.API, query -> ask(query, rest));

        Router router = Router.router(vertx);
        router.route().handler(rc -> guardSite(rc, guard));
        rest.mount(router);
        router.get("/api/v1/events").handler(rc -> rest.guarded(rc, "streamEvents", stream::serve));
        Pages.both(router.route("/metrics"))
                .handler(rc -> rest.guarded(
                        rc,
                        "getMetrics",
                        (request, _) -> metrics.scrape()
                                .onComplete(RestRoutes.contained(
                                        request,
                                        text -> request.response()
                                                .putHeader("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
                                                .end(text),
                                        e -> RestRoutes.fail(rc, e)))));
        Buffer document = contract.document().toBuffer();
        String tag = EntityTags.of(document.toString());
        Pages.both(router.route("/openapi.json")).handler(rc -> document(rc, document, tag));
        router.get("/api/v1/live").handler(rc -> live(rc, live, guard));
        new BridgeRoute(vertx, guard, this::bridge).mount(router, WEB_SOCKET_BYTES);
        new Uploads(vertx, parts, guard).mount(router);
        Pages.load().mount(router);
        router.route().last().handler(rc -> notFound(rc, router));
        router.route().failureHandler(ApiVerticle::failed);
        router.errorHandler(400, ApiVerticle::failed); // for a target that the router cannot look up
        return listen(router);
    }

    /** Answers what a handler threw, or what Vert.x found wrong with a request. */
    private static void failed(RoutingContext rc) {
        Throwable cause = rc.failure();
        // Nobody is left to answer: the client closed or reset the connection while it sent.
        if (rc.response().closed() || cause instanceof HttpClosedException || cause instanceof IOException) return;
        RestRoutes.fail(
                rc,
                switch (rc.statusCode()) {
                    case 413 ->
                        new Problem(
                                "too-large",
                                "the request body is over " + RestRoutes.BODY_BYTES + " bytes",
                                "send less at a time");
                    case 417 ->
                        new Problem("expectation-failed", "only 100-continue may be expected", "send no other Expect");
                    case 400 -> new Problem("validation", "the request is malformed", null);
                    default ->
                        cause == null
                                ? new Problem("validation", "the request is malformed", null)
                                : Problems.of(cause);
                });
    }

    /** Checks that routes and contract name the same operations. */
    private static void checkContract(Contract contract, Operations operations) {
        Set<String> named = new LinkedHashSet<>();
        for (Contract.Operation o : contract.operations()) named.add(o.id());
        Set<String> served = new LinkedHashSet<>(operations.all().keySet());
        served.addAll(STREAMED);
        if (!named.equals(served)) {
            Set<String> odd = new LinkedHashSet<>(named);
            odd.removeAll(served);
            served.removeAll(named);
            throw new IllegalStateException("openapi.json and the routes differ: " + odd + " " + served);
        }
    }

    private Future<?> listen(Router router) {
        String text = parts.settings().text("http");
        Addresses.HostPort at = Addresses.split("http", text);
        return HostNames.resolve(vertx, at.host(), at.port())
                .recover(_ -> Future.failedFuture(Addresses.unknownHost("http", text)))
                .map(all -> {
                    Addresses.checkLoopback(
                            "http",
                            text,
                            all.stream().map(InetSocketAddress::getAddress).toList());
                    return all;
                })
                .compose(_ -> vertx.createHttpServer(new HttpServerOptions()
                                .setCompressionSupported(true)
                                .setHttp2ClearTextEnabled(false)
                                .setMaxHeaderSize(16 * 1024)
                                .setMaxWebSocketFrameSize(WEB_SOCKET_BYTES)
                                .setMaxWebSocketMessageSize(WEB_SOCKET_BYTES)
                                .addWebSocketSubProtocol(Guard.SUBPROTOCOL)
                                .setIdleTimeout(0))
                        .requestHandler(router)
                        .connectionHandler(connections::take)
                        .listen(port(at.port()), at.host())
                        .recover(e -> Future.failedFuture(new Problem(
                                "listen",
                                "cannot listen on http " + text + ": " + Problem.text(e),
                                "stop what holds the port, or choose another: --http 127.0.0.1:0 takes any free one"))))
                .onSuccess(made -> {
                    server = made;
                    String host = at.host().indexOf(':') >= 0 ? "[" + at.host() + "]" : at.host();
                    parts.status().http("http://" + host + ":" + made.actualPort());
                    LOG.info("REST and dashboard on {}", parts.status().http());
                });
    }

    /** With port 0 a free port is chosen at the first start only: later, callers know the port. */
    private int port(int wanted) {
        int before = URI.create(parts.status().http()).getPort();
        return wanted == 0 && before > 0 ? before : wanted;
    }

    @Override
    public Future<?> stop() {
        return server == null ? Future.succeededFuture() : server.close();
    }

    private static void document(RoutingContext rc, Buffer document, String tag) {
        rc.response().putHeader("ETag", tag);
        if (!EntityTags.passesIfNoneMatch(rc.request(), tag))
            rc.response().setStatusCode(304).end();
        else rc.response().putHeader("Content-Type", "application/json").end(document);
    }

    private static void guardSite(RoutingContext rc, Guard guard) {
        rc.response()
                .putHeader("Content-Security-Policy", CSP)
                .putHeader("X-Content-Type-Options", "nosniff")
                .putHeader("Referrer-Policy", "no-referrer")
                .putHeader("Cross-Origin-Resource-Policy", "same-origin");
        try {
            guard.checkSite(rc.request());
        } catch (Problem p) {
            RestRoutes.fail(rc, p);
            return;
        }
        rc.next();
    }

    private static void live(RoutingContext rc, Live live, Guard guard) {
        try {
            guard.checkScope("read", Guard.authorization(rc.request()));
            checkUpgrade(rc.request());
        } catch (Problem p) {
            RestRoutes.fail(rc, p);
            return;
        }
        rc.request().pause();
        rc.request().toWebSocket().onSuccess(socket -> {
            if (!live.take(socket)) socket.close((short) 1013, "too many dashboards are open");
        });
    }

    /** Refuses what Vert.x and Netty would refuse without a problem body, or by closing (RFC 6455 section 4.2.1). */
    static void checkUpgrade(HttpServerRequest request) {
        String connection =
                String.join(",", request.headers().getAll("Connection")).toLowerCase(Locale.ROOT);
        String key = request.getHeader("Sec-WebSocket-Key");
        boolean upgrades = "websocket".equalsIgnoreCase(request.getHeader("Upgrade"))
                && connection.contains("upgrade")
                && "13".equals(request.getHeader("Sec-WebSocket-Version"))
                && key != null
                && request.version() == HttpVersion.HTTP_1_1;
        if (upgrades) return;
        request.response().putHeader("Upgrade", "websocket").putHeader("Sec-WebSocket-Version", "13");
        throw new Problem(
                "upgrade-required", "this is a WebSocket", "open it as a WebSocket of version 13, see RFC 6455");
    }

    private static Ask.Reply ask(ApiQuery query, RestRoutes rest) {
        return switch (query) {
            case ApiQuery.Call call -> call.replyOnce(rest.call(call));
        };
    }

    private void bridge(BridgeSocket socket) {
        parts.bus()
                .ask(Bus.BRIDGE, new PluginQuery.Client(socket))
                .onFailure(e -> socket.refuse(Problems.of(e).detail()));
    }

    private static void notFound(RoutingContext rc, Router router) {
        String path = rc.request().path();
        Set<String> allowed = new TreeSet<>();
        for (Route route : router.getRoutes()) {
            Set<HttpMethod> methods = route.methods();
            if (methods == null || !route.isExactPath()) continue;
            if (path.matches(route.getPath().replaceAll(":\\w+", "[^/]+"))) methods.forEach(m -> allowed.add(m.name()));
        }
        if (allowed.isEmpty()) {
            RestRoutes.fail(
                    rc, new Problem("not-found", "there is nothing at " + path, "the interface is described at /docs"));
            return;
        }
        String methods = String.join(", ", allowed);
        rc.response().putHeader(HttpHeaders.ALLOW, methods);
        RestRoutes.fail(
                rc,
                new Problem(
                        "method-not-allowed",
                        rc.request().method() + " is not possible on " + path,
                        "possible are: " + methods));
    }
}
