package mcc.udp;

import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.internal.VertxInternal;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/** The thread of the {@link PacketLoop}; it lives as long as the node, while its verticles come and go. */
public final class PacketThread implements AutoCloseable {
    private final EventLoop loop = new MultiThreadIoEventLoopGroup(
                    1,
                    new DefaultThreadFactory("mcc-packets", true),
                    Epoll.isAvailable() ? SteadyEpoll.newFactory() : NioIoHandler.newFactory())
            .next();

    /** Returns a verticle's context, moved to this thread: its timers and consumers end with the verticle. */
    public Context context(Context given) {
        return ((ContextInternal) given).toBuilder().withEventLoop(loop).build();
    }

    /** Returns this loop and those of Vert.x, by the names that an operator sees. */
    public Map<String, Executor> loops(Vertx vertx) {
        Map<String, Executor> out = new LinkedHashMap<>();
        out.put("the packet loop", loop);
        int n = 0;
        for (EventExecutor each : ((VertxInternal) vertx).eventLoopGroup()) out.put("event loop " + n++, each);
        return out;
    }

    @Override
    public void close() {
        loop.parent().shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
}
