package mcc.api;

import com.sun.management.UnixOperatingSystemMXBean;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.ServerWebSocket;
import io.vertx.core.http.impl.HttpServerConnection;
import io.vertx.core.internal.http.WebSocketInternal;
import java.lang.management.ManagementFactory;
import mcc.node.Problem;

/**
 * The connections of the HTTP server: at most a fixed number, each with its own time-outs. Clients beyond the limit are told
 * that there is no room, so that they cannot use up the descriptors that the node works with.
 */
final class Connections {
    /** The limit where descriptors are plenty. */
    static final int MAX = 1_536;

    /** REST gets this fraction of the descriptors that the process may open. */
    private static final int SHARE = 4;

    private final int max;
    private final int toldMax;
    private int open;
    private int told;
    private long refused;

    Connections(int max) {
        this.max = max;
        toldMax = Math.max(1, max / 8);
    }

    /** Limited by the process's limit of open descriptors. */
    static Connections ofThisProcess() {
        long descriptors = ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean unix
                ? unix.getMaxFileDescriptorCount()
                : Long.MAX_VALUE;
        return new Connections(Math.clamp(descriptors / SHARE, 16, MAX));
    }

    /** Takes a new connection, or turns it away. */
    void take(HttpConnection connection) {
        ChannelHandlerContext http = ((HttpServerConnection) connection).channelHandlerContext();
        ChannelPipeline pipeline = http.pipeline();
        Edge edge = new Edge();
        pipeline.addFirst(edge.bytes());
        pipeline.addBefore(http.name(), null, new Pipelining());
        pipeline.addBefore(http.name(), null, new Pongs());
        pipeline.addBefore(http.name(), null, edge);
        if (open < max) {
            open++;
            // Not by Vert.x's close handler, which a connection loses when it becomes a WebSocket.
            http.channel().closeFuture().addListener(_ -> open--);
            return;
        }
        refused++;
        if (told >= toldMax) {
            http.close(); // clients that are being told hold a descriptor each too
            return;
        }
        told++;
        http.channel().closeFuture().addListener(_ -> told--);
        edge.turnAway(
                pipeline.context(edge),
                new Problem(
                        "overloaded",
                        "this node already has " + max + " HTTP connections",
                        "use one connection for many requests, or try again later"));
    }

    /** Ends a WebSocket's connection without a close frame, which would wait behind what its client does not read. */
    static void cut(ServerWebSocket socket) {
        ((WebSocketInternal) socket).channelHandlerContext().close();
    }

    /** Connections that are open now. */
    int open() {
        return open;
    }

    /** Connections turned away since the start. */
    long refused() {
        return refused;
    }
}
