package mcc.udp;

import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoEvent;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoRegistration;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandle;
import io.netty.channel.epoll.EpollIoOps;
import io.netty.channel.unix.FileDescriptor;
import io.vertx.core.Context;
import io.vertx.core.Handler;
import io.vertx.core.internal.ContextInternal;
import java.util.concurrent.TimeUnit;

/**
 * The event loop that only packets use, as one verticle sees it: what its tasks throw fails that verticle.
 *
 * <p>Vert.x's own loops are separate. Verticles that declare it ({@code node.Resident}) live on this one, so that bytes
 * between a connection, a stream and the UDP socket never wait for another thread.
 */
public final class PacketLoop {
    private final EventLoop loop;
    private final Context context;

    /** @param context one of {@link PacketThread#context} */
    public PacketLoop(Context context) {
        this.context = context;
        loop = ((ContextInternal) context).nettyEventLoop();
    }

    /** Calls a handler at once, on a context of this loop: what it throws fails the verticle of that context. */
    public static <T> void dispatch(Context context, T with, Handler<T> handler) {
        ((ContextInternal) context).dispatch(with, handler);
    }

    /** Runs a task when the verticle of a context ends. */
    public static void atEnd(Context context, Runnable task) {
        ((ContextInternal) context).addCloseHook(done -> {
            task.run();
            done.succeed();
        });
    }

    EventLoopGroup group() {
        return loop;
    }

    /** Runs a task on the loop; at once if the caller is on it. */
    public void execute(Runnable task) {
        loop.execute(() -> guarded(task));
    }

    /** Runs a task on the loop after a delay, and returns how to cancel it. */
    public Runnable after(long delayNs, Runnable task) {
        var future = loop.schedule(() -> guarded(task), delayNs, TimeUnit.NANOSECONDS);
        return () -> future.cancel(false);
    }

    /** Runs a task; what it throws fails the verticle, not the loop. */
    private void guarded(Runnable task) {
        try {
            task.run();
        } catch (RuntimeException | Error e) {
            failed(e);
        }
    }

    /** Reports a failure to the verticle's supervisor. */
    public void failed(Throwable cause) {
        ((ContextInternal) context).reportException(cause);
    }

    /** Whether {@link #watch} works: on Linux, if Netty's native library can be loaded. */
    public static boolean canWatch() {
        return Epoll.isAvailable();
    }

    /**
     * Runs a task whenever a descriptor is readable, until told otherwise or until the loop closes; the descriptor stays its
     * owner's. Level-triggered: the task runs again while something is left unread. Blocks the caller, which must not be the
     * loop.
     */
    public Watch watch(int descriptor, Runnable ready) {
        FileDescriptor watched = new FileDescriptor(descriptor);
        EpollIoHandle handle = new EpollIoHandle() {
            @Override
            public FileDescriptor fd() {
                return watched;
            }

            @Override
            public void handle(IoRegistration registration, IoEvent event) {
                guarded(ready);
            }

            @Override
            public void close() {}
        };
        IoRegistration registration =
                ((IoEventLoop) loop).register(handle).syncUninterruptibly().getNow();
        registration.submit(EpollIoOps.EPOLLIN);
        return new Watch(registration);
    }

    /** A watched descriptor. */
    public static final class Watch {
        private final IoRegistration registration;

        private Watch(IoRegistration registration) {
            this.registration = registration;
        }

        /** Says when the task is to run from now on: when there is something to read, room to write, either, or never. */
        public void wants(boolean readable, boolean writable) {
            // Never is written as EPOLLERR, which the kernel reports anyway: Netty drops a descriptor with no event at
            // all for good.
            EpollIoOps ops = readable ? EpollIoOps.EPOLLIN : EpollIoOps.EPOLLERR;
            registration.submit(writable ? ops.with(EpollIoOps.EPOLLOUT) : ops);
        }

        /** Stops the task. To be called once, on the loop. */
        public void end() {
            registration.cancel();
        }
    }
}
