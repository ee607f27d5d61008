package mcc.sys;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * Calls of the C library. Each returns the call's result, or the negated error number. Not final, so that tests can simulate a
 * kernel that refuses something.
 */
class Libc {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final Linker.Option ERRNO = Linker.Option.captureCallState("errno");
    private static final Linker.Option ON_HEAP = Linker.Option.critical(true);

    private static final MethodHandle OPEN = handle(
            "open", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT), ERRNO, Linker.Option.firstVariadicArg(2));
    private static final MethodHandle IOCTL = handle(
            "ioctl",
            FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS),
            ERRNO,
            Linker.Option.firstVariadicArg(2));
    private static final MethodHandle IOCTL_NUMBER = handle(
            "ioctl",
            FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG),
            ERRNO,
            Linker.Option.firstVariadicArg(2));
    private static final MethodHandle SOCKET =
            handle("socket", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT), ERRNO);
    private static final MethodHandle CLOSE = handle("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    private static final MethodHandle READ =
            handle("read", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG), ERRNO, ON_HEAP);
    private static final MethodHandle WRITE =
            handle("write", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG), ERRNO, ON_HEAP);

    private static final MethodHandle BIND =
            handle("bind", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT), ERRNO);
    private static final MethodHandle CONNECT =
            handle("connect", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT), ERRNO);
    private static final MethodHandle GETSOCKNAME =
            handle("getsockname", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, ADDRESS), ERRNO);
    private static final MethodHandle SETSOCKOPT = handle(
            "setsockopt", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT), ERRNO);
    private static final MethodHandle SENDMSG =
            handle("sendmsg", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT), ERRNO);
    private static final MethodHandle RECVMMSG =
            handle("recvmmsg", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, ADDRESS), ERRNO);
    private static final MethodHandle RECVMSG =
            handle("recvmsg", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT), ERRNO);

    /** Where frequent calls leave their error number; only one thread at a time makes such calls. */
    private final MemorySegment errno = Arena.ofAuto().allocate(Linker.Option.captureStateLayout());

    Libc() {}

    @SuppressWarnings("restricted") // foreign calls are this class's purpose
    private static MethodHandle handle(String name, FunctionDescriptor shape, Linker.Option... options) {
        return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), shape, options);
    }

    @FunctionalInterface
    private interface Call {
        int run(MemorySegment errno) throws Throwable;
    }

    private static int captured(Call call) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = arena.allocate(Linker.Option.captureStateLayout());
            int r = call.run(errno);
            return r >= 0 ? r : -errno.get(JAVA_INT, 0);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    int open(MemorySegment path, int flags) {
        return captured(errno -> (int) OPEN.invokeExact(errno, path, flags));
    }

    int ioctl(int fd, long request, MemorySegment argument) {
        return captured(errno -> (int) IOCTL.invokeExact(errno, fd, request, argument));
    }

    int ioctl(int fd, long request, long argument) {
        return captured(errno -> (int) IOCTL_NUMBER.invokeExact(errno, fd, request, argument));
    }

    int socket(int family, int type, int protocol) {
        return captured(errno -> (int) SOCKET.invokeExact(errno, family, type, protocol));
    }

    int bind(int fd, MemorySegment address, int length) {
        return captured(errno -> (int) BIND.invokeExact(errno, fd, address, length));
    }

    int connect(int fd, MemorySegment address, int length) {
        return captured(errno -> (int) CONNECT.invokeExact(errno, fd, address, length));
    }

    int getsockname(int fd, MemorySegment address, MemorySegment length) {
        return captured(errno -> (int) GETSOCKNAME.invokeExact(errno, fd, address, length));
    }

    int setsockopt(int fd, int level, int option, int value) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment v = arena.allocateFrom(JAVA_INT, value);
            return captured(errno -> (int) SETSOCKOPT.invokeExact(errno, fd, level, option, v, 4));
        }
    }

    private int result(long r) {
        return r >= 0 ? (int) r : -errno.get(JAVA_INT, 0);
    }

    int sendmsg(int fd, MemorySegment header) {
        try {
            return result((long) SENDMSG.invokeExact(errno, fd, header, 0));
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** Returns the number of messages received. */
    int recvmmsg(int fd, MemorySegment headers, int count, int flags) {
        try {
            return result((int) RECVMMSG.invokeExact(errno, fd, headers, count, flags, MemorySegment.NULL));
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** Returns the length of the message received. */
    int recvmsg(int fd, MemorySegment header, int flags) {
        try {
            return result((long) RECVMSG.invokeExact(errno, fd, header, flags));
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    void close(int fd) {
        try {
            int _ = (int) CLOSE.invokeExact(fd);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** Reads into memory, which may be an array's, from a descriptor that never blocks. */
    int read(int fd, MemorySegment to, long max) {
        try {
            return result((long) READ.invokeExact(errno, fd, to, max));
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** Writes from memory, which may be an array's, to a descriptor that never blocks. */
    int write(int fd, MemorySegment from, long length) {
        try {
            return result((long) WRITE.invokeExact(errno, fd, from, length));
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    private static IllegalStateException unexpected(Throwable e) {
        return new IllegalStateException("a foreign call threw", e);
    }
}
