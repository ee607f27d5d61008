package mcc.tunnel;

import io.netty.channel.IoEvent;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoRegistration;
import io.netty.channel.epoll.EpollIoHandle;
import io.netty.channel.epoll.EpollIoOps;
import io.netty.channel.epoll.LinuxSocket;
import io.netty.channel.unix.Errors;
import io.netty.channel.unix.FileDescriptor;
import io.netty.channel.unix.NativeInetAddress;
import io.netty.channel.unix.Socket;
import io.vertx.core.Closeable;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.internal.ContextInternal;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A listening socket that makes its own system calls on Linux. Its connections inherit its options for keepalive and delay, so
 * that setting them costs no call for each.
 */
final class EpollListener implements EpollIoHandle, TcpSocket.Listener {
    /** Connections accepted before others on the loop have their turn. */
    private static final int BATCH = 64;
    /** How long nothing is accepted after the host refused to, for lack of descriptors or of memory. */
    private static final long REST_MS = 1_000;

    private final ContextInternal context;
    private final IoEventLoop loop;
    private final LinuxSocket socket;
    private final InetSocketAddress address;
    private final Consumer<TcpSocket> taker;
    private final byte[] from = new byte[26]; // as Netty wants it: a length, and an address with scope and port
    private final List<Runnable> closing = new ArrayList<>();
    private final Closeable leash;
    private @Nullable IoRegistration registration;
    private boolean closed;

    private EpollListener(
            ContextInternal context, LinuxSocket socket, InetSocketAddress address, Consumer<TcpSocket> taker) {
        this.context = context;
        loop = (IoEventLoop) context.nettyEventLoop();
        this.socket = socket;
        this.address = address;
        this.taker = taker;
        leash = done -> Epoll.onLoop(loop, () -> {
            closeNow();
            done.succeed();
        });
    }

    static Future<TcpSocket.Listener> listen(
            ContextInternal context,
            InetSocketAddress at,
            TcpSocket.@Nullable Keepalive keepalive,
            Consumer<TcpSocket> taker) {
        Promise<TcpSocket.Listener> promise = context.promise();
        Epoll.onLoop((IoEventLoop) context.nettyEventLoop(), () -> {
            try {
                promise.complete(begin(context, at, keepalive, taker));
            } catch (IOException | RuntimeException e) {
                promise.fail(e);
            }
        });
        return promise.future();
    }

    private static EpollListener begin(
            ContextInternal context,
            InetSocketAddress at,
            TcpSocket.@Nullable Keepalive keepalive,
            Consumer<TcpSocket> taker)
            throws IOException {
        LinuxSocket socket = bound(at, keepalive);
        EpollListener listener = new EpollListener(context, socket, socket.localAddress(), taker);
        try {
            Epoll.tie(context, listener.leash);
            IoRegistration registration = Epoll.register(listener.loop, listener);
            listener.registration = registration;
            registration.submit(EpollIoOps.EPOLLIN);
            return listener;
        } catch (IOException | RuntimeException e) {
            listener.closeNow();
            throw e;
        }
    }

    private static LinuxSocket bound(InetSocketAddress at, TcpSocket.@Nullable Keepalive keepalive) throws IOException {
        // The socket is of the address's own family: on an IPv6 socket, 0.0.0.0 would mean every address of both
        // families.
        LinuxSocket socket = LinuxSocket.newSocketStream(Epoll.family(at));
        try {
            socket.setReuseAddress(true);
            Epoll.configure(socket, keepalive);
            socket.bind(at);
            socket.listen(TcpSocket.BACKLOG);
            return socket;
        } catch (IOException | RuntimeException e) {
            socket.close();
            throw e;
        }
    }

    @Override
    public FileDescriptor fd() {
        return socket;
    }

    @Override
    public InetSocketAddress address() {
        return address;
    }

    @Override
    public void handle(IoRegistration registration, IoEvent event) {
        for (int i = 0; i < BATCH && !closed; i++) {
            int fd;
            try {
                fd = socket.accept(from);
            } catch (IOException e) {
                if (isItsOwn(e)) continue;
                rest(registration);
                return;
            }
            if (fd < 0) return;
            try {
                InetSocketAddress remote = NativeInetAddress.address(from, 1, from[0]);
                TcpSocket taken = EpollTcpSocket.accepted(context, new Socket(fd), remote);
                context.dispatch(taken, taker::accept);
            } catch (IOException _) { // it is closed: the verticle has ended, or the loop takes no more sockets
            }
        }
    }

    /**
     * Whether the error concerns only the connection that was next, as when its client reset it or its network went down
     * (accept(2), "Error handling"): those behind it can still be accepted.
     */
    private static boolean isItsOwn(IOException e) {
        if (!(e instanceof Errors.NativeIoException told)) return false;
        return switch (-told.expectedErr()) {
            case Epoll.EPROTO,
                    Epoll.ENONET,
                    Epoll.ENOPROTOOPT,
                    Epoll.EOPNOTSUPP,
                    Epoll.ENETDOWN,
                    Epoll.ENETUNREACH,
                    Epoll.ECONNABORTED,
                    Epoll.EHOSTDOWN,
                    Epoll.EHOSTUNREACH -> true;
            default -> false;
        };
    }

    /** Stops accepting for a while: until the host has descriptors or memory again, it would refuse each try. */
    private void rest(IoRegistration registration) {
        registration.submit(
                EpollIoOps.EPOLLERR); // with no event at all, Netty would take the descriptor out of its set for good
        loop.schedule(
                () -> {
                    if (!closed) registration.submit(EpollIoOps.EPOLLIN);
                },
                REST_MS,
                TimeUnit.MILLISECONDS);
    }

    @Override
    public void onClose(Runnable task) {
        if (closed) task.run();
        else closing.add(task);
    }

    @Override
    public void close() {
        Epoll.onLoop(loop, this::closeNow);
    }

    private void closeNow() {
        if (closed) return;
        closed = true;
        Epoll.release(socket, registration);
        context.removeCloseHook(leash);
        for (Runnable task : closing) task.run();
    }
}
