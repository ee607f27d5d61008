package mcc.api;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.ServerWebSocket;
import io.vertx.core.http.impl.HttpServerConnection;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import io.vertx.ext.web.handler.sockjs.SockJSHandler;
import io.vertx.ext.web.handler.sockjs.SockJSHandlerOptions;
import io.vertx.ext.web.handler.sockjs.SockJSSocket;
import io.vertx.ext.web.handler.sockjs.Transport;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import mcc.node.BridgeSocket;
import mcc.node.Problem;

/**
 * The HTTP side of the event-bus bridge: a plain WebSocket, and SockJS for its other transports. Both become a
 * {@link BridgeSocket}.
 */
final class BridgeRoute {
    private static final String PATH = "/api/v1/bus";

    private final Vertx vertx;
    private final Guard guard;
    private final Consumer<BridgeSocket> taker;
    private final AtomicLong unsent = new AtomicLong();

    /** @param taker takes each new socket, or refuses it */
    BridgeRoute(Vertx vertx, Guard guard, Consumer<BridgeSocket> taker) {
        this.vertx = vertx;
        this.guard = guard;
        this.taker = taker;
    }

    void mount(Router router, int bytesMax) {
        router.post(PATH + "/*").handler(BodyHandler.create(false).setBodyLimit(bytesMax));
        router.route(PATH + "/*").handler(this::check);
        router.get(PATH + "/websocket").handler(this::plain);
        SockJSHandlerOptions options = new SockJSHandlerOptions()
                .addDisabledTransport(
                        Transport.HTML_FILE.name()) // both answer with scripts, for use by pages of other sites
                .addDisabledTransport(Transport.JSON_P.name());
        router.route(PATH + "/*").subRouter(SockJSHandler.create(vertx, options).socketHandler(this::sockJs));
    }

    private void check(RoutingContext rc) {
        try {
            guard.checkScope("read", Guard.authorization(rc.request()));
        } catch (Problem p) {
            RestRoutes.fail(rc, p);
            return;
        }
        // SockJS closes the connection after these answers. A client that is not told so loses its next request (RFC
        // 9112 section 9.6).
        String path = rc.request().path();
        if (path.endsWith("/xhr") || path.endsWith("/xhr_streaming") || path.endsWith("/eventsource")) {
            rc.response().putHeader(HttpHeaders.CONNECTION, HttpHeaders.CLOSE);
        }
        rc.next();
    }

    private void plain(RoutingContext rc) {
        try {
            ApiVerticle.checkUpgrade(rc.request());
        } catch (Problem p) {
            RestRoutes.fail(rc, p);
            return;
        }
        rc.request().toWebSocket().onFailure(rc::fail).onSuccess(socket -> take(rc.request(), new Plain(socket, rc)));
    }

    private void sockJs(SockJSSocket socket) {
        RoutingContext rc = socket.routingContext();
        take(rc.request(), new SockJs(socket, rc));
    }

    private void take(HttpServerRequest request, Listened carrier) {
        Context home = vertx.getOrCreateContext();
        BridgeSocket made = new BridgeSocket(carrier, home, Guard.authorization(request), unsent);
        try {
            carrier.listen(made);
        } catch (IllegalStateException _) {
            made.onClosed(); // it was closed before it could be set up
        }
        taker.accept(made);
    }

    private static void cut(RoutingContext rc) {
        ((HttpServerConnection) rc.request().connection())
                .channelHandlerContext()
                .channel()
                .close();
    }

    private interface Listened extends BridgeSocket.Carrier {
        /** From now on hands what arrives to the socket. */
        void listen(BridgeSocket to);
    }

    /** A plain WebSocket: it is paused, and reads one frame per fetch. */
    private static final class Plain implements Listened {
        private final ServerWebSocket socket;
        private final RoutingContext rc;
        private boolean message;

        Plain(ServerWebSocket socket, RoutingContext rc) {
            this.socket = socket;
            this.rc = rc;
            socket.pause();
        }

        @Override
        public void listen(BridgeSocket to) {
            socket.closeHandler(_ -> to.onClosed());
            socket.exceptionHandler(e -> {
                if (socket.isClosed()) to.onClosed();
                else to.onBroken(e);
            });
            socket.textMessageHandler(text -> {
                message = true;
                to.onText(text);
            });
            socket.binaryMessageHandler(bytes -> {
                message = true;
                to.onText(bytes.toString());
            });
            // Called after the other two. A fragment of a message, which nobody answers, must not use up the fetch.
            socket.frameHandler(frame -> {
                boolean part = !message && (frame.isText() || frame.isBinary() || frame.isContinuation());
                message = false;
                if (part) socket.fetch(1);
            });
        }

        @Override
        public void fetch() {
            socket.fetch(1);
        }

        @Override
        public Future<Void> write(String frame) {
            return socket.writeTextMessage(frame);
        }

        @Override
        public void close(int code, String reason) {
            socket.close((short) code, reason);
        }

        @Override
        public void cut() {
            BridgeRoute.cut(rc);
        }
    }

    /** SockJS, by whichever transport. Once it has begun it is never paused, as it buffers all that arrives meanwhile. */
    private record SockJs(SockJSSocket socket, RoutingContext rc) implements Listened {
        @Override
        public void listen(BridgeSocket to) {
            socket.pause(); // until the first fetch
            socket.closeHandler(_ -> to.onClosed());
            socket.exceptionHandler(to::onBroken);
            socket.handler(frame -> to.onText(frame.toString()));
        }

        @Override
        public void fetch() {
            socket.resume();
        }

        @Override
        public Future<Void> write(String frame) {
            return socket.write(frame);
        }

        @Override
        public void close(int code, String reason) {
            socket.close(code, reason);
        }

        @Override
        public void cut() {
            BridgeRoute.cut(rc);
        }
    }
}
