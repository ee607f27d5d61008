package mcc.tunnel;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.ChannelException;
import io.netty.channel.IoEvent;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoRegistration;
import io.netty.channel.epoll.EpollIoEvent;
import io.netty.channel.epoll.EpollIoHandle;
import io.netty.channel.epoll.EpollIoOps;
import io.netty.channel.epoll.LinuxSocket;
import io.netty.channel.unix.FileDescriptor;
import io.netty.channel.unix.Socket;
import io.netty.util.concurrent.FastThreadLocal;
import io.vertx.core.Closeable;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.internal.ContextInternal;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ConnectionPendingException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A connection that makes its own system calls on Linux, without a Netty channel around it, so that one that opens, sends a
 * little and ends costs as few calls as possible.
 *
 * <p>Edge-triggered ({@code EPOLLET}), so that pausing and resuming cost no call: {@code readable} remembers that there is
 * something to read.
 */
final class EpollTcpSocket extends TcpSocket implements EpollIoHandle {
    private static final int IN = EpollIoOps.EPOLLIN.value();
    private static final int OUT = EpollIoOps.EPOLLOUT.value();
    private static final int ERR = EpollIoOps.EPOLLERR.value();
    private static final int RDHUP = EpollIoOps.EPOLLRDHUP.value();
    private static final int PRI = 0x2; // from uapi/linux/eventpoll.h, as the next
    private static final int HUP = 0x10; // always reported
    private static final EpollIoOps ALL = EpollIoOps.EPOLLIN
            .with(EpollIoOps.EPOLLOUT)
            .with(EpollIoOps.EPOLLRDHUP)
            .with(EpollIoOps.valueOf(PRI))
            .with(EpollIoOps.EPOLLET);

    /**
     * Reads of one connection before others on the loop have their turn: 256 KiB. With four times as many, four connections sent
     * so much before the loop heard of what had arrived that its pooled buffers did not suffice.
     */
    private static final int READS = 4;
    /** The least size of the first buffer for sending, so that small pieces share one; later ones have the size of a chunk. */
    private static final int PIECE_BYTES = 2_048;

    private static final io.vertx.core.Handler<EpollTcpSocket> READ = EpollTcpSocket::read;
    private static final io.vertx.core.Handler<EpollTcpSocket> FLUSH = EpollTcpSocket::flush;
    private static final io.vertx.core.Handler<EpollTcpSocket> TELL_CLOSED = EpollTcpSocket::tellClosed;

    /** The buffer that all sockets of a loop read into, one after another. */
    private static final FastThreadLocal<ByteBuffer> INTO = new FastThreadLocal<>() {
        @Override
        protected ByteBuffer initialValue() {
            return ByteBuffer.allocateDirect(CHUNK_BYTES);
        }
    };

    private static final FastThreadLocal<byte[]> CHUNK = new FastThreadLocal<>() {
        @Override
        protected byte[] initialValue() {
            return new byte[CHUNK_BYTES];
        }
    };

    private final ContextInternal context;
    private final IoEventLoop loop;
    private final Socket socket;
    private final InetSocketAddress remote;
    private final ArrayDeque<ByteBuf> out = new ArrayDeque<>();
    private final List<Runnable> closing = new ArrayList<>(4);
    private final Closeable leash;
    private @Nullable IoRegistration registration;
    private @Nullable Handler handler;
    private @Nullable Promise<TcpSocket> connecting;
    private int boundBytes = WAITING_BYTES;
    private int waitingBytes;
    private boolean unwritable;
    private boolean paused = true;
    /** Whether there may be bytes, or the end, to read. */
    private boolean readable;

    private boolean readingLater;
    /** Whether reading goes on after a short read: an end may be behind it, or more data behind urgent data. */
    private boolean moreBehind;

    private boolean endRead;
    private boolean endDue;
    private boolean ended;
    private boolean closeDue;
    private boolean closed;

    private EpollTcpSocket(ContextInternal context, Socket socket, InetSocketAddress remote) {
        this.context = context;
        loop = (IoEventLoop) context.nettyEventLoop();
        this.socket = socket;
        this.remote = remote;
        leash = done -> {
            close();
            done.succeed();
        };
    }

    // ---- made -------------------------------------------------------------------------------------------------------

    static EpollTcpSocket accepted(ContextInternal context, Socket socket, InetSocketAddress remote)
            throws IOException {
        EpollTcpSocket made = new EpollTcpSocket(context, socket, remote);
        made.begin();
        return made;
    }

    static Future<TcpSocket> connect(
            ContextInternal context, InetSocketAddress to, int timeoutMs, @Nullable Keepalive keepalive) {
        IoEventLoop loop = (IoEventLoop) context.nettyEventLoop();
        if (loop.inEventLoop()) return connectHere(context, to, timeoutMs, keepalive);
        Promise<TcpSocket> promise = context.promise();
        loop.execute(() -> connectHere(context, to, timeoutMs, keepalive).onComplete(promise));
        return promise.future();
    }

    private static Future<TcpSocket> connectHere(
            ContextInternal context, InetSocketAddress to, int timeoutMs, @Nullable Keepalive keepalive) {
        LinuxSocket socket;
        try {
            socket = LinuxSocket.newSocketStream(Epoll.family(to));
        } catch (ChannelException e) {
            return context.failedFuture(refusal(to, e));
        }
        EpollTcpSocket made = new EpollTcpSocket(context, socket, to);
        try {
            Epoll.configure(socket, keepalive);
            boolean done = isConnected(socket, to);
            made.begin();
            return done ? context.succeededFuture(made) : made.later(timeoutMs);
        } catch (IOException | RuntimeException e) {
            made.close();
            return context.failedFuture(refusal(to, e));
        }
    }

    /** On one host a connection is made or refused at once: calling connect again tells which. */
    private static boolean isConnected(Socket socket, InetSocketAddress to) throws IOException {
        if (socket.connect(to)) return true;
        if (!to.getAddress().isLoopbackAddress()) return false;
        try {
            return socket.connect(to);
        } catch (ConnectionPendingException _) {
            return false;
        }
    }

    private Future<TcpSocket> later(int timeoutMs) {
        Promise<TcpSocket> promise = context.promise();
        connecting = promise;
        var timer = loop.schedule(
                () -> {
                    if (promise.tryFail(new ConnectException("no answer of " + text(remote) + " in time"))) close();
                },
                timeoutMs,
                TimeUnit.MILLISECONDS);
        return promise.future().onComplete(_ -> timer.cancel(false));
    }

    private static ConnectException refusal(InetSocketAddress to, Exception e) {
        ConnectException out = new ConnectException(text(to) + ": " + e.getMessage());
        out.initCause(e);
        return out;
    }

    private static String text(InetSocketAddress at) {
        return at.getAddress().getHostAddress() + " port " + at.getPort();
    }

    private void begin() throws IOException {
        try {
            Epoll.tie(context, leash);
            IoRegistration registration = Epoll.register(loop, this);
            this.registration = registration;
            registration.submit(ALL);
        } catch (IOException | RuntimeException e) {
            close();
            throw new IOException("the loop takes no more sockets: " + e.getMessage(), e);
        }
    }

    // ---- what the kernel tells --------------------------------------------------------------------------------------

    @Override
    public FileDescriptor fd() {
        return socket;
    }

    /** An event may be meant for an ended connection whose descriptor number this one has now: so it is only taken as a hint. */
    @Override
    public void handle(IoRegistration registration, IoEvent event) {
        if (closed) return;
        int ops = ((EpollIoEvent) event).ops().value();
        if ((ops & ERR) != 0) {
            readToEnd();
            if (!closed && isBroken()) close();
            if (closed) return;
        }
        Promise<TcpSocket> promise = connecting;
        if (promise != null) {
            if ((ops & OUT) == 0 || socket.remoteAddress() == null) return; // not connected yet
            connecting = null;
            if (!promise.tryComplete(this)) close();
        }
        if ((ops & OUT) != 0 && !out.isEmpty()) context.dispatch(this, FLUSH);
        if ((ops & (RDHUP | HUP | PRI)) != 0) moreBehind = true;
        if ((ops & (IN | RDHUP | HUP | PRI)) != 0) {
            readable = true;
            if (mayRead()) context.dispatch(this, READ);
        }
    }

    /** Reads what came before a reset, unless the reader has paused; then the reset ends the connection. */
    private void readToEnd() {
        moreBehind = true;
        readable = true;
        for (int i = 0; i < READS && mayRead(); i++) context.dispatch(this, READ);
    }

    private boolean isBroken() {
        try {
            int error = socket.getSoError();
            if (error == 0) return false;
            if (connecting != null) connecting.tryFail(refusal(remote, new IOException(reason(error))));
        } catch (IOException _) { // then the connection is gone
        }
        return true;
    }

    private static String reason(int error) {
        return switch (error) {
            case 110 -> "Connection timed out";
            case 111 -> "Connection refused";
            case 113 -> "No route to host";
            default -> "error " + error;
        };
    }

    private boolean mayRead() {
        return readable && !paused && handler != null && !endRead && !closed;
    }

    private void read() {
        ByteBuffer into = INTO.get();
        byte[] chunk = CHUNK.get();
        int most = Math.min(boundBytes, CHUNK_BYTES);
        for (int i = 0; i < READS; i++) {
            Handler handler = this.handler;
            if (!mayRead() || handler == null) return;
            int n;
            try {
                n = socket.recv(into, 0, most);
            } catch (IOException _) {
                close(); // a reset by the other side: onClosed tells it
                return;
            }
            if (n < 0) {
                endRead = true;
                handler.onEnd();
                return;
            }
            // Bytes that come after a short read are reported again; bytes that were reported before are not.
            readable = n == most || n > 0 && moreBehind;
            if (n == 0) return;
            into.get(0, chunk, 0, n);
            handler.onData(chunk, n);
        }
        yieldTurn();
    }

    /**
     * Has the kernel report the socket again, after whatever else is ready. Netty runs tasks for up to a second before it polls:
     * a task that queues itself would keep packets waiting for as long.
     */
    private void yieldTurn() {
        IoRegistration registration = this.registration;
        if (mayRead() && registration != null) registration.submit(ALL);
    }

    private void readLater() {
        if (readingLater || !mayRead()) return;
        readingLater = true;
        loop.execute(() -> {
            readingLater = false;
            if (mayRead()) context.dispatch(this, READ);
        });
    }

    // ---- what its user wants ----------------------------------------------------------------------------------------

    @Override
    void onClose(Runnable task) {
        if (closed) task.run();
        else closing.add(task);
    }

    @Override
    InetSocketAddress remote() {
        return remote;
    }

    @Override
    InetSocketAddress local() {
        return socket.localAddress();
    }

    @Override
    @Nullable
    Keepalive keepalive() {
        try {
            return Epoll.keepalive(socket);
        } catch (IOException _) {
            return null; // it is closed
        }
    }

    @Override
    void start(Handler handler) {
        this.handler = handler;
        if (closed) loop.execute(() -> context.dispatch(this, TELL_CLOSED));
        else resume();
    }

    @Override
    void pause() {
        paused = true;
    }

    @Override
    void resume() {
        paused = false;
        readLater();
    }

    @Override
    void bound(int bytes) {
        boundBytes = bytes;
    }

    @Override
    void write(byte[] bytes, int length) {
        // sending no bytes would look like a full socket buffer
        if (length == 0 || closed || endDue || closeDue) return;
        ByteBuf last = out.peekLast();
        if (last == null || last.writableBytes() < length) {
            last = PooledByteBufAllocator.DEFAULT.directBuffer(
                    Math.max(length, last == null ? PIECE_BYTES : CHUNK_BYTES));
            out.add(last);
        }
        last.writeBytes(bytes, 0, length);
        waitingBytes += length;
        unwritable |= waitingBytes > boundBytes;
    }

    @Override
    void flush() {
        if (closed || connecting != null) return;
        try {
            send();
        } catch (IOException _) {
            close(); // a reset by the other side: onClosed tells it
            return;
        }
        Handler handler = this.handler;
        if (unwritable && waitingBytes <= boundBytes / 2) {
            unwritable = false;
            if (handler != null) handler.onWritable();
        }
    }

    private void send() throws IOException {
        for (ByteBuf next; (next = out.peekFirst()) != null; ) {
            ByteBuffer bytes = next.internalNioBuffer(next.readerIndex(), next.readableBytes());
            int n = socket.send(bytes, bytes.position(), bytes.limit());
            if (n == 0) return; // the kernel tells when it takes more
            waitingBytes -= n;
            next.skipBytes(n);
            if (!next.isReadable()) out.removeFirst().release();
        }
        if (closeDue) {
            close();
        } else if (endDue && !ended) {
            ended = true;
            socket.shutdown(false, true);
        }
    }

    @Override
    boolean isWritable() {
        return !unwritable;
    }

    @Override
    void end() {
        endDue = true;
        flush();
    }

    @Override
    void closeAfterWrites() {
        closeDue = true;
        flush();
    }

    @Override
    void abort() {
        if (closed) return;
        try {
            socket.setSoLinger(0);
        } catch (IOException _) { // it is reset already
        }
        close();
    }

    /** Closes at once; may be called on any thread. */
    @Override
    public void close() {
        Epoll.onLoop(loop, this::closeNow);
    }

    private void closeNow() {
        if (closed) return;
        closed = true;
        for (ByteBuf each : out) each.release();
        out.clear();
        waitingBytes = 0;
        Epoll.release(socket, registration);
        if (connecting != null) connecting.tryFail(new ConnectException("the socket was closed"));
        context.removeCloseHook(leash);
        for (Runnable task : closing) task.run();
        if (handler != null) loop.execute(() -> context.dispatch(this, TELL_CLOSED));
    }

    private void tellClosed() {
        Handler handler = this.handler;
        this.handler = null;
        if (handler != null) handler.onClosed();
    }
}
