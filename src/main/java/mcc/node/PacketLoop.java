package mcc.node;

import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.internal.VertxInternal;
import java.util.concurrent.TimeUnit;

/** The one event loop that belongs to packets alone: Vert.x's own loops never share it. */
final class PacketLoop {
    private final EventLoopGroup group;
    private final EventLoop loop;
    private final Context context;

    PacketLoop(Vertx vertx) {
        DefaultThreadFactory threads = new DefaultThreadFactory("mcc-packets", true);
        group = new MultiThreadIoEventLoopGroup(
                1, threads, Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
        loop = group.next();
        context = ((VertxInternal) vertx).contextBuilder().withEventLoop(loop).build();
    }

    /** The Vert.x context whose handlers run on this loop. */
    Context context() {
        return context;
    }

    EventLoopGroup group() {
        return group;
    }

    boolean isHere() {
        return loop.inEventLoop();
    }

    /** Runs a task on the loop, now if this is it. */
    void execute(Runnable task) {
        loop.execute(task);
    }

    /** Runs a task on the loop after a delay, and returns how to cancel it. */
    Runnable after(long delayNs, Runnable task) {
        var future = loop.schedule(task, delayNs, TimeUnit.NANOSECONDS);
        return () -> future.cancel(false);
    }

    void close() {
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
}
