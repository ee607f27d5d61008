package mcc.wan;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * A virtual interface without offloads, so that the kernel hands over every packet alone and with its checksum, and a wait
 * that ends within microseconds of its time. ({@code sys.TunDevice} is for the opposite: few, large packets.)
 */
public final class Tun implements AutoCloseable {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final int O_RDWR_NONBLOCK = 2 | 0x800;
    private static final long TUNSETIFF = 0x400454ca;
    private static final int IFF_TUN_NO_PI = 0x1001;
    private static final int PR_SET_TIMERSLACK = 29;
    private static final short POLLIN = 1;

    private static final MethodHandle READ = handle(
            "read", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG), Linker.Option.critical(true));
    private static final MethodHandle WRITE = handle(
            "write", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG), Linker.Option.critical(true));
    private static final MethodHandle PPOLL =
            handle("ppoll", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, ADDRESS, ADDRESS));

    private static final MethodHandle CLOSE = handle("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));

    private final int fd;
    private final MemorySegment poll = Arena.global().allocate(8, 8);
    private final MemorySegment timeout = Arena.global().allocate(16, 8);

    /** Makes the interface in the namespace of this thread. */
    public Tun(String name) throws Throwable {
        MethodHandle open =
                handle("open", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT), Linker.Option.firstVariadicArg(2));
        MethodHandle ioctl = handle(
                "ioctl",
                FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS),
                Linker.Option.firstVariadicArg(2));
        MethodHandle prctl = handle(
                "prctl", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG), Linker.Option.firstVariadicArg(1));
        try (Arena arena = Arena.ofConfined()) {
            fd = (int) open.invokeExact(arena.allocateFrom("/dev/net/tun"), O_RDWR_NONBLOCK);
            MemorySegment request = arena.allocate(40, 8);
            request.setString(0, name);
            request.set(JAVA_SHORT, 16, (short) IFF_TUN_NO_PI);
            if (fd < 0 || (int) ioctl.invokeExact(fd, TUNSETIFF, request) < 0) {
                throw new IllegalStateException("no virtual interface " + name + ": root and /dev/net/tun are needed");
            }
        }
        int _ = (int) prctl.invokeExact(PR_SET_TIMERSLACK, 1L); // of this thread, which is the one that waits
        poll.set(JAVA_INT, 0, fd);
        poll.set(JAVA_SHORT, 4, POLLIN);
    }

    @SuppressWarnings("restricted") // foreign calls are what this class is for
    private static MethodHandle handle(String name, FunctionDescriptor shape, Linker.Option... options) {
        return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), shape, options);
    }

    /** Reads a packet; 0 or less when there is none. */
    public int read(MemorySegment to) throws Throwable {
        return (int) (long) READ.invokeExact(fd, to, to.byteSize());
    }

    public void write(byte[] packet, int length) throws Throwable {
        long _ = (long) WRITE.invokeExact(fd, MemorySegment.ofArray(packet), (long) length);
    }

    /** Waits for a packet, or so long. */
    public void await(long forNs) throws Throwable {
        sleep(forNs, 1);
    }

    /** Waits so long, whatever comes. */
    public void rest(long forNs) throws Throwable {
        sleep(forNs, 0);
    }

    /** Removes the interface. */
    @Override
    public void close() {
        try {
            int _ = (int) CLOSE.invokeExact(fd);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    private void sleep(long forNs, long descriptors) throws Throwable {
        timeout.set(JAVA_LONG, 0, forNs / 1_000_000_000);
        timeout.set(JAVA_LONG, 8, forNs % 1_000_000_000);
        int _ = (int) PPOLL.invokeExact(poll, descriptors, timeout, MemorySegment.NULL);
    }
}
