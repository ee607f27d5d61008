package mcc.node;

import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.vertx.core.Context;
import io.vertx.core.internal.ContextInternal;
import java.util.concurrent.TimeUnit;

/** The thread of the {@link PacketLoop}, for the life of a node; its verticles come and go. */
final class PacketThread implements AutoCloseable {
    private final EventLoop loop = new MultiThreadIoEventLoopGroup(
                    1,
                    new DefaultThreadFactory("mcc-packets", true),
                    Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory())
            .next();

    /** A context on this thread for a verticle; it ends with the one that the verticle was given. */
    Context context(Context given) {
        ContextInternal own = (ContextInternal) given;
        return own.owner()
                .contextBuilder()
                .withEventLoop(loop)
                .withCloseFuture(own.closeFuture())
                .build();
    }

    @Override
    public void close() {
        loop.parent().shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
}
