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
 * The connections of the HTTP server: so many and no more, each with what watches over it. More are told that there is no
 * room, so that they cannot take the descriptors by which the node does its work.
 */
final class Connections {
    /** Where descriptors are plenty. */
    static final int MAX = 1_536;

    /** A process has descriptors for its sockets and files; this part of them is REST's. */
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

    /** As many as this process's limit of descriptors lets REST have. */
    static Connections ofThisProcess() {
        long descriptors = ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean unix
                ? unix.getMaxFileDescriptorCount()
                : Long.MAX_VALUE;
        return new Connections(Math.clamp(descriptors / SHARE, 16, MAX));
    }

    /** Takes a new connection in, or turns it away. */
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
            // Not by Vert.x's handler: a connection that became a WebSocket no longer has it.
            http.channel().closeFuture().addListener(_ -> open--);
            return;
        }
        refused++;
        if (told >= toldMax) {
            http.close(); // that many who are being told hold a descriptor each as well
            return;
        }
        told++;
        http.channel().closeFuture().addListener(_ -> told--);
        edge.turnAway(
                pipeline.context(edge),
                new Problem(
                        "overloaded",
                        "this node has " + max + " connections of HTTP already",
                        "use one connection for many requests, or try again later"));
    }

    /** Ends the connection of a WebSocket without a close frame, which would wait behind what its client does not read. */
    static void cut(ServerWebSocket socket) {
        ((WebSocketInternal) socket).channelHandlerContext().close();
    }

    /** Connections open now. */
    int open() {
        return open;
    }

    /** Connections turned away since the start. */
    long refused() {
        return refused;
    }
}
