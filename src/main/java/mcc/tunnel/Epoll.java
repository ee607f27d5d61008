package mcc.tunnel;

import io.netty.channel.IoEventLoop;
import io.netty.channel.IoHandle;
import io.netty.channel.IoRegistration;
import io.netty.channel.socket.SocketProtocolFamily;
import io.netty.channel.unix.Socket;
import io.vertx.core.Closeable;
import io.vertx.core.internal.ContextInternal;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * What {@link EpollListener} and {@link EpollTcpSocket} have in common: socket options, error numbers of Linux, and their
 * registration with an event loop.
 */
final class Epoll {
    private static final int IPPROTO_TCP = 6; // from uapi/linux/tcp.h, as the next three
    private static final int TCP_KEEPIDLE = 4;
    private static final int TCP_KEEPINTVL = 5;
    private static final int TCP_KEEPCNT = 6;

    static final int ENONET = 64; // from uapi/asm-generic/errno.h, as the next eight
    static final int EPROTO = 71;
    static final int ENOPROTOOPT = 92;
    static final int EOPNOTSUPP = 95;
    static final int ENETDOWN = 100;
    static final int ENETUNREACH = 101;
    static final int ECONNABORTED = 103;
    static final int EHOSTDOWN = 112;
    static final int EHOSTUNREACH = 113;

    private Epoll() {}

    /**
     * Has a socket closed together with the verticle that wants it; fails if that has ended by now, as while a name was looked
     * up.
     */
    static void tie(ContextInternal context, Closeable leash) throws IOException {
        if (!context.closeFuture().add(leash)) throw new IOException("the verticle that wanted the socket has ended");
    }

    /**
     * Registers a handle with its event loop, on whose thread this is called.
     *
     * @throws IOException by Netty, though it does not declare it
     */
    static IoRegistration register(IoEventLoop loop, IoHandle handle) throws IOException {
        return loop.register(handle).syncUninterruptibly().getNow();
    }

    static void onLoop(IoEventLoop loop, Runnable task) {
        if (loop.inEventLoop()) task.run();
        else loop.execute(task);
    }

    static SocketProtocolFamily family(InetSocketAddress at) {
        return at.getAddress() instanceof Inet4Address ? SocketProtocolFamily.INET : SocketProtocolFamily.INET6;
    }

    static void configure(Socket socket, TcpSocket.@Nullable Keepalive keepalive) throws IOException {
        socket.setTcpNoDelay(true);
        if (keepalive == null) return;
        socket.setKeepAlive(true);
        socket.setIntOpt(IPPROTO_TCP, TCP_KEEPIDLE, keepalive.idleSeconds());
        socket.setIntOpt(IPPROTO_TCP, TCP_KEEPINTVL, keepalive.betweenSeconds());
        socket.setIntOpt(IPPROTO_TCP, TCP_KEEPCNT, keepalive.probes());
    }

    /** Closes the descriptor first: that takes it out of the loop's epoll set without a call. */
    static void release(Socket socket, @Nullable IoRegistration registration) {
        try {
            socket.close();
        } catch (IOException _) { // there is nothing more to lose
        }
        if (registration != null) registration.cancel();
    }

    static TcpSocket.@Nullable Keepalive keepalive(Socket socket) throws IOException {
        if (!socket.isKeepAlive()) return null;
        return new TcpSocket.Keepalive(
                socket.getIntOpt(IPPROTO_TCP, TCP_KEEPIDLE),
                socket.getIntOpt(IPPROTO_TCP, TCP_KEEPINTVL),
                socket.getIntOpt(IPPROTO_TCP, TCP_KEEPCNT));
    }
}
