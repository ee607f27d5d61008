package mcc.udp;

import io.netty.channel.IoHandle;
import io.netty.channel.IoHandler;
import io.netty.channel.IoHandlerContext;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.IoOps;
import io.netty.channel.IoRegistration;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollIoOps;

/**
 * Netty's epoll, but a connection that is paused stays as it is when its other side ends.
 *
 * <p>Told of that end (EPOLLRDHUP), Netty reads all that is left, paused or not: megabytes past every bound, and lost where
 * there is no handler yet. So the end is not asked for; who reads finds it. And a descriptor of which nothing is wanted
 * Netty 4.2.18 takes out of its set for good: whatever is wanted next fails, and the connection is closed. So it stays in
 * the set, edge-triggered, because a hang-up is always told, and once is enough.
 */
record SteadyEpoll(IoHandler epoll) implements IoHandler {
    static IoHandlerFactory newFactory() {
        IoHandlerFactory factory = EpollIoHandler.newFactory();
        return executor -> new SteadyEpoll(factory.newHandler(executor));
    }

    @Override
    public IoRegistration register(IoHandle handle) throws Exception {
        return new Steady(epoll.register(handle));
    }

    private record Steady(IoRegistration registration) implements IoRegistration {
        @Override
        public long submit(IoOps ops) {
            EpollIoOps asked = ((EpollIoOps) ops).without(EpollIoOps.EPOLLRDHUP);
            return registration.submit(asked.equals(EpollIoOps.NONE) ? EpollIoOps.EPOLLET : asked);
        }

        @Override
        @SuppressWarnings("TypeParameterUnusedInFormals") // as Netty declares it
        public <T> T attachment() {
            return registration.attachment();
        }

        @Override
        public boolean isValid() {
            return registration.isValid();
        }

        @Override
        public boolean cancel() {
            return registration.cancel();
        }
    }

    @Override
    public void initialize() {
        epoll.initialize();
    }

    @Override
    public int run(IoHandlerContext context) {
        return epoll.run(context);
    }

    @Override
    public void prepareToDestroy() {
        epoll.prepareToDestroy();
    }

    @Override
    public void destroy() {
        epoll.destroy();
    }

    @Override
    public void wakeup() {
        epoll.wakeup();
    }

    @Override
    public boolean isCompatible(Class<? extends IoHandle> type) {
        return epoll.isCompatible(type);
    }
}
