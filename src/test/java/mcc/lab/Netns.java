package mcc.lab;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.net.http.HttpClient;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import mcc.it.TwoHosts;

/**
 * A network namespace that has a name, and threads of this JVM in it: a socket stays in the namespace of the thread that made
 * it (setns(2)), so that no process is needed for each place that something is sent from.
 */
final class Netns implements AutoCloseable {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final MethodHandle OPEN =
            handle("open", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT), Linker.Option.firstVariadicArg(2));
    private static final MethodHandle SETNS = handle("setns", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT));
    private static final MethodHandle CLOSE = handle("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    private static final MethodHandle SOCKET =
            handle("socket", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT));
    private static final MethodHandle WRITE =
            handle("write", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG));
    private static final MethodHandle READ =
            handle("read", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG));
    private static final MethodHandle SETPRIORITY =
            handle("setpriority", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT));
    private static final int CLONE_NEWNET = 0x40000000;
    private static final int AF_NETLINK = 16;
    private static final int SOCK_RAW = 3;
    private static final int NETLINK_NETFILTER = 12;
    /** IPCTNL_MSG_CT_DELETE of NFNL_SUBSYS_CTNETLINK; without attributes it means all of them. */
    private static final short CONNTRACK_DELETE = 1 << 8 | 2;

    private static final short REQUEST_ACK = 1 | 4;

    final String name;
    private final ExecutorService threads;
    private HttpClient http;

    /** @param name of a namespace that is there */
    Netns(String name) {
        this.name = name;
        threads = Executors.newCachedThreadPool(
                work -> Thread.ofPlatform().daemon().name(name).unstarted(() -> {
                    enter();
                    work.run();
                }));
    }

    /** For REST of a node in this namespace. */
    synchronized HttpClient http() {
        if (http == null) http = HttpClient.newBuilder().executor(threads).build();
        return http;
    }

    @SuppressWarnings("restricted") // foreign calls are what this class is for
    private static MethodHandle handle(String name, FunctionDescriptor shape, Linker.Option... options) {
        return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), shape, options);
    }

    private void enter() {
        try (Arena arena = Arena.ofConfined()) {
            int fd = (int) OPEN.invokeExact(arena.allocateFrom("/run/netns/" + name), 0);
            int done = fd < 0 ? fd : (int) SETNS.invokeExact(fd, CLONE_NEWNET);
            int _ = (int) CLOSE.invokeExact(fd);
            if (done < 0) throw new IllegalStateException("no thread can enter the namespace " + name);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Does something in a thread of the namespace, and waits for it. */
    <T> T call(Callable<T> what) throws Exception {
        try {
            return threads.submit(what).get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Exception cause) throw cause;
            throw new AssertionError(e.getCause());
        }
    }

    /** Begins to do something in a thread of the namespace. */
    void start(Runnable what) {
        threads.execute(what);
    }

    /** Lets this thread run before others, as what it emulates does not wait for this machine's processors. */
    static void hurry() {
        try {
            int _ = (int) SETPRIORITY.invokeExact(0, 0, -15);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Runs a command of the shell in it that must succeed; returns what it printed. */
    String sh(String command) throws Exception {
        return TwoHosts.sh(TwoHosts.in(name, command));
    }

    /** Lets its kernel forget all flows, which keep their translation whatever becomes of the rules that made it. */
    void forgetFlows() throws Exception {
        int error = call(() -> {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment m = arena.allocate(20, 4); // struct nlmsghdr, struct nfgenmsg
                m.set(JAVA_INT, 0, 20);
                m.set(JAVA_SHORT, 4, CONNTRACK_DELETE);
                m.set(JAVA_SHORT, 6, REQUEST_ACK);
                int fd = (int) SOCKET.invokeExact(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
                long sent = (long) WRITE.invokeExact(fd, m, 20L);
                MemorySegment answer = arena.allocate(512, 4);
                long n = (long) READ.invokeExact(fd, answer, 512L);
                int _ = (int) CLOSE.invokeExact(fd);
                return sent < 20 || n < 20 ? -1 : answer.get(JAVA_INT, 16);
            } catch (Throwable e) {
                throw new AssertionError(e);
            }
        });
        if (error != 0) throw new AssertionError("flows of " + name + " are not forgotten: " + error);
    }

    @Override
    public synchronized void close() {
        if (http != null) http.shutdownNow();
        threads.shutdownNow();
    }
}
