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
 * The one event loop that belongs to packets alone, as one verticle sees it: what a task throws is that verticle's failure.
 *
 * <p>Vert.x's own loops never share it. On it live the verticles that say so ({@code node.Resident}), so that bytes between a
 * connection, a stream and the UDP socket never wait for another thread.
 */
public final class PacketLoop {
    private final EventLoop loop;
    private final Context context;

    /** @param context one of {@link PacketThread#context} */
    public PacketLoop(Context context) {
        this.context = context;
        loop = ((ContextInternal) context).nettyEventLoop();
    }

    /** Calls a handler now, as one of a context of the loop: what it throws is the failure of that one's verticle. */
    public static <T> void dispatch(Context context, T with, Handler<T> handler) {
        ((ContextInternal) context).dispatch(with, handler);
    }

    /** Runs a task when the verticle ends whose context this is. */
    public static void atEnd(Context context, Runnable task) {
        ((ContextInternal) context).addCloseHook(done -> {
            task.run();
            done.succeed();
        });
    }

    EventLoopGroup group() {
        return loop;
    }

    /** Runs a task on the loop, now if this is it. */
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

    /** Tells whoever looks after the verticle. */
    public void failed(Throwable cause) {
        ((ContextInternal) context).reportException(cause);
    }

    /** Whether {@link #watch} works: on Linux, where Netty's library for it can be loaded. */
    public static boolean canWatch() {
        return Epoll.isAvailable();
    }

    /**
     * Runs a task whenever a descriptor has something to read, until told otherwise or until the loop closes; the
     * descriptor stays its owner's.
     * Level-triggered: what is left unread comes again. Blocks the caller, which must not be the loop.
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

        /** Says what the task runs for from now on: something to read, room to write, both, or neither. */
        public void wants(boolean readable, boolean writable) {
            // For neither EPOLLERR, which is always told: Netty takes a descriptor without any out of its set for good.
            EpollIoOps ops = readable ? EpollIoOps.EPOLLIN : EpollIoOps.EPOLLERR;
            registration.submit(writable ? ops.with(EpollIoOps.EPOLLOUT) : ops);
        }

        /** The task runs no more. To be called on the loop, once. */
        public void end() {
            registration.cancel();
        }
    }
}
