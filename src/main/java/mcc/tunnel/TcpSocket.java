package mcc.tunnel;

import io.netty.channel.IoEventLoop;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.internal.ContextInternal;
import java.net.InetSocketAddress;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One TCP connection of this host, on one event loop, with both directions closed apart. It ends with the verticle whose
 * context it has, whose timers hold it to what the policy allowed.
 *
 * <p>Reads nothing before {@link #start} and nothing while paused. To be used on its event loop.
 */
abstract sealed class TcpSocket permits EpollTcpSocket, NettyTcpSocket {
    /** What happens on a socket; on its event loop. */
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
     * How the kernel asks whether the other side is still there, which is taken for gone when it does not answer for as long
     * as the silence lasted before (RFC 9293 section 3.8.4).
     *
     * @param idleSeconds after so long a silence it is asked
     * @param betweenSeconds how long an answer is waited for
     * @param probes questions without an answer
     */
    record Keepalive(int idleSeconds, int betweenSeconds, int probes) {
        private static final int PROBES = 6;

        /** Null for 0, which is never. */
        static @Nullable Keepalive of(int seconds) {
            return seconds == 0 ? null : new Keepalive(seconds, Math.max(1, seconds / PROBES), PROBES);
        }
    }

    static final int CHUNK_BYTES = 65_536;
    /** Connections that wait to be accepted. */
    static final int BACKLOG = 1_024;
    /** What may wait to be sent before a socket says that it takes no more. */
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

    /** Runs a task on the event loop once the connection is gone; at once where it is. */
    abstract void onClose(Runnable task);

    /** The address of the other side, as the host tells it. */
    abstract InetSocketAddress remote();

    /** Its own address. */
    abstract InetSocketAddress local();

    /** How the host was told to look after it; null for not at all. */
    abstract @Nullable Keepalive keepalive();

    /** Begins to read. */
    abstract void start(Handler handler);

    abstract void pause();

    abstract void resume();

    /** Lets about so many bytes wait for each side that is slower than the other. */
    abstract void bound(int bytes);

    /** Sends the first bytes of an array with the next {@link #flush}. */
    abstract void write(byte[] bytes, int length);

    abstract void flush();

    abstract boolean isWritable();

    /** Sends no more; goes on receiving. */
    abstract void end();

    /** Closes after what was written has left. */
    abstract void closeAfterWrites();

    /** Closes at once, with a reset where bytes were lost. */
    abstract void abort();
}
