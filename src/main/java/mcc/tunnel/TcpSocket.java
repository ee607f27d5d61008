package mcc.tunnel;

import io.netty.channel.IoEventLoop;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.internal.ContextInternal;
import java.net.InetSocketAddress;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One TCP connection of this host, on one event loop, whose two directions end separately. It is closed with the verticle
 * whose context it has, because that verticle's timers enforce how long the policy allows it.
 *
 * <p>Reads nothing before {@link #start} and nothing while paused. To be used on its event loop.
 */
abstract sealed class TcpSocket permits EpollTcpSocket, NettyTcpSocket {
    /** Is told what happens on a socket, on its event loop. */
    interface Handler {
        /** @param bytes lent, from 0 to {@code length}: what is to be kept must be copied */
        void onData(byte[] bytes, int length);

        /** The other side will send no more; it may still receive. */
        void onEnd();

        /** The socket takes bytes again. */
        void onWritable();

        /** The connection is gone, in both directions; once. */
        void onClosed();
    }

    /** A listening socket. */
    interface Listener {
        InetSocketAddress address();

        void close();

        /** Runs a task on the event loop once it is closed. */
        void onClose(Runnable task);
    }

    /**
     * TCP keepalive (RFC 9293 section 3.8.4): the other side counts as gone when it answers no probe for as long as it had been
     * silent before.
     *
     * @param idleSeconds silence before the first probe
     * @param betweenSeconds time between two probes
     * @param probes probes without an answer after which the other side counts as gone
     */
    record Keepalive(int idleSeconds, int betweenSeconds, int probes) {
        private static final int PROBES = 6;

        /** Null for 0, which means no keepalive. */
        static @Nullable Keepalive of(int seconds) {
            return seconds == 0 ? null : new Keepalive(seconds, Math.max(1, seconds / PROBES), PROBES);
        }
    }

    static final int CHUNK_BYTES = 65_536;
    /** Connections that wait to be accepted. */
    static final int BACKLOG = 1_024;
    /** Bytes that may wait to be sent before a socket takes no more. */
    static final int WAITING_BYTES = 256 * 1024;

    private static boolean isEpoll(ContextInternal context) {
        return context.nettyEventLoop() instanceof IoEventLoop loop && loop.isCompatible(EpollTcpSocket.class);
    }

    /**
     * Connects on the context's event loop.
     *
     * @param keepaliveSeconds as for {@link #listen}
     */
    static Future<TcpSocket> connect(Context context, InetSocketAddress to, int timeoutMs, int keepaliveSeconds) {
        ContextInternal own = (ContextInternal) context;
        Keepalive keepalive = Keepalive.of(keepaliveSeconds);
        return isEpoll(own)
                ? EpollTcpSocket.connect(own, to, timeoutMs, keepalive)
                : NettyTcpSocket.connect(own, to, timeoutMs, keepalive);
    }

    /**
     * Listens on the context's event loop; every connection is handed over before it reads.
     *
     * @param keepaliveSeconds after so long a silence the other side is asked whether it is there; 0 for never
     */
    static Future<Listener> listen(
            Context context, InetSocketAddress at, int keepaliveSeconds, Consumer<TcpSocket> taker) {
        ContextInternal own = (ContextInternal) context;
        Keepalive keepalive = Keepalive.of(keepaliveSeconds);
        return isEpoll(own)
                ? EpollListener.listen(own, at, keepalive, taker)
                : NettyTcpSocket.listen(own, at, keepalive, taker);
    }

    /** Runs a task on the event loop once the connection is gone, or at once if it is gone already. */
    abstract void onClose(Runnable task);

    /** The address of the other side, as the host tells it. */
    abstract InetSocketAddress remote();

    /** Its own address. */
    abstract InetSocketAddress local();

    /** The keepalive that was set; null for none. */
    abstract @Nullable Keepalive keepalive();

    /** Begins to read. */
    abstract void start(Handler handler);

    abstract void pause();

    abstract void resume();

    /** Sets about how many bytes may wait, in each direction, for the slower side. */
    abstract void bound(int bytes);

    /** Sends the first bytes of an array with the next {@link #flush}. */
    abstract void write(byte[] bytes, int length);

    abstract void flush();

    abstract boolean isWritable();

    /** Sends no more; goes on receiving. */
    abstract void end();

    /** Closes after what was written has left. */
    abstract void closeAfterWrites();

    /** Closes at once, with a reset if bytes are lost by that. */
    abstract void abort();
}
