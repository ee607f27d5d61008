package mcc.node;

import io.vertx.core.Context;
import io.vertx.ext.web.handler.sockjs.SockJSSocket;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A client's socket, SockJS or plain WebSocket, that the HTTP server hands to the event-bus bridge: paused, its Host, Origin
 * and token checked. Used from any thread; what comes is told on the HTTP server's context.
 */
public final class BridgeSocket {
    /** The close code for a client that may try again later (RFC 6455 section 7.4.1 and its registry). */
    private static final int TRY_AGAIN = 1013;

    private final SockJSSocket socket;
    private final Context home;
    private final @Nullable String authorization;
    private boolean closed;

    /**
     * Takes a socket over. Called on the context given, before anything of the socket's is handled.
     *
     * @param authorization as in HTTP's header; null for none
     */
    public BridgeSocket(SockJSSocket socket, Context home, @Nullable String authorization) {
        this.socket = socket;
        this.home = home;
        this.authorization = authorization;
        socket.pause();
        socket.closeHandler(_ -> closed = true);
        socket.exceptionHandler(_ -> socket.close());
    }

    /** As in HTTP's header; null for none. */
    public @Nullable String authorization() {
        return authorization;
    }

    /** Begins to read: each frame as text, and at last that it is closed, which may be at once. */
    public void open(Consumer<String> text, Runnable left) {
        home.runOnContext(_ -> {
            if (closed) {
                left.run();
                return;
            }
            socket.closeHandler(_ -> {
                closed = true;
                left.run();
            });
            socket.handler(frame -> text.accept(frame.toString()));
            socket.resume();
        });
    }

    /** Sends a frame. A client that does not read is closed: it may come back, what it missed would fill memory. */
    public void send(String frame) {
        home.runOnContext(_ -> {
            if (closed) return;
            if (socket.writeQueueFull()) socket.close(TRY_AGAIN, "too slow");
            else socket.write(frame);
        });
    }

    /** Turns the client away, with the reason for it. */
    public void refuse(String reason) {
        home.runOnContext(_ -> socket.close(TRY_AGAIN, reason));
    }
}
