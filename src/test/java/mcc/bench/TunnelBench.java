package mcc.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import mcc.it.RealNode;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Figures, not verdicts: throughput, memory, discovery and failover, beside a direct connection in the same run. */
@Tag("bench")
class TunnelBench {
    private static final int ROUNDS = 5;
    private static final long BYTES = 1L << 30;

    @TempDir
    Path folder;

    @Test
    void throughputMemoryDiscoveryAndFailover() throws Exception {
        try (ServerSocket source = source();
                RealNode one = RealNode.start(folder.resolve("1"));
                RealNode two = RealNode.start(folder.resolve("2"), "--bootstrap", one.bootstrap());
                RealNode three = RealNode.start(folder.resolve("3"), "--bootstrap", one.bootstrap());
                RealNode four = RealNode.start(folder.resolve("4"), "--bootstrap", one.bootstrap());
                RealNode five = RealNode.start(folder.resolve("5"), "--bootstrap", one.bootstrap())) {
            RealNode.await(
                    "all joined",
                    () -> one.get("/api/v1/peers").body().path("items").size() >= 4);
            print("idle RSS of a node, MB", rss(one), rss(three));
            one.register("source", "source", source.getLocalPort());
            RealNode.await("found", () -> two.providers("source").contains(one.id));
            throughput(source, one, two);
            print("RSS after it, MB: provider, user", rss(one), rss(two));
            discovery(source, one, List.of(two, three, four, five));
            failover(source, three, four, five);
        }
    }

    private void throughput(ServerSocket source, RealNode provider, RealNode user) throws Exception {
        int port = user.forward("source");
        double[] direct = new double[ROUNDS];
        double[] single = new double[ROUNDS];
        double[] fourfold = new double[ROUNDS];
        Duration before = cpu(provider).plus(cpu(user));
        for (int i = 0; i < ROUNDS; i++) {
            direct[i] = gbits(source.getLocalPort(), 1);
            single[i] = gbits(port, 1);
            fourfold[i] = gbits(port, 4);
        }
        Duration used = cpu(provider).plus(cpu(user)).minus(before);
        double gbit = 5.0 * ROUNDS * 8 * BYTES / 1e9;
        print("direct, Gbit/s", direct);
        print("forward, 1 connection, Gbit/s", single);
        print("forward, 4 connections, Gbit/s", fourfold);
        print("ratio forward / direct, 1 connection", median(single) / median(direct));
        print("CPU of both nodes, s per Gbit", used.toMillis() / 1e3 / gbit);
    }

    private void discovery(ServerSocket source, RealNode at, List<RealNode> others) throws Exception {
        double[] worst = new double[ROUNDS];
        for (int i = 0; i < ROUNDS; i++) {
            String service = "d" + i;
            long start = System.nanoTime();
            at.register(service, service, source.getLocalPort());
            for (RealNode other : others) {
                while (!other.providers(service).contains(at.id)) {
                    java.util.concurrent.locks.LockSupport.parkNanos(5_000_000);
                }
            }
            worst[i] = (System.nanoTime() - start) / 1e6;
        }
        print("registered until visible at all other nodes of 5, ms", worst);
    }

    private void failover(ServerSocket source, RealNode victim, RealNode other, RealNode user) throws Exception {
        victim.register("f", "f", source.getLocalPort());
        other.register("f", "f", source.getLocalPort());
        RealNode.await("both found", () -> user.providers("f").size() == 2);
        int port = user.forward("f");
        for (int i = 0; i < 6; i++) first(port);
        long killed = System.nanoTime();
        victim.kill();
        double[] took = new double[10];
        for (int i = 0; i < took.length; i++) {
            long start = System.nanoTime();
            first(port);
            took[i] = (System.nanoTime() - start) / 1e6;
        }
        print(
                "first byte of the 10 connections after a SIGKILL, worst, ms",
                Arrays.stream(took).max().orElse(0));
        long asked = System.nanoTime();
        while (user.providers("f").contains(victim.id)) {
            java.util.concurrent.locks.LockSupport.parkNanos(50_000_000);
            asked = System.nanoTime();
        }
        print("killed until asked and not returned, s (lease 30 s)", (asked - killed) / 1e9);
    }

    // ---- the other side ---------------------------------------------------------------------------------------------

    /** Sends {@link #BYTES} to whoever connects. */
    private static ServerSocket source() throws IOException {
        ServerSocket server = new ServerSocket(0, 100, InetAddress.getLoopbackAddress());
        Thread.ofPlatform().daemon().start(() -> {
            while (!server.isClosed()) {
                try {
                    Socket socket = server.accept();
                    Thread.ofPlatform().daemon().start(() -> pour(socket));
                } catch (IOException _) {
                    return; // the bench is over
                }
            }
        });
        return server;
    }

    private static void pour(Socket socket) {
        byte[] block = new byte[1 << 18];
        try (socket;
                OutputStream out = socket.getOutputStream()) {
            for (long sent = 0; sent < BYTES; sent += block.length) out.write(block);
        } catch (IOException _) {
            // the reader has seen enough
        }
    }

    private static void first(int port) throws IOException {
        try (Socket socket = new Socket("127.0.0.1", port)) {
            assertThat(socket.getInputStream().read()).isZero();
        }
    }

    private static double gbits(int port, int connections) throws Exception {
        long start = System.nanoTime();
        try (ExecutorService pool = Executors.newFixedThreadPool(connections)) {
            List<Callable<Long>> readers = new ArrayList<>();
            for (int i = 0; i < connections; i++) readers.add(() -> drain(port));
            long sum = 0;
            for (Future<Long> each : pool.invokeAll(readers)) sum += each.get();
            assertThat(sum).isEqualTo(connections * BYTES);
        }
        return 8.0 * connections * BYTES / (System.nanoTime() - start);
    }

    private static long drain(int port) throws IOException {
        byte[] block = new byte[1 << 18];
        long sum = 0;
        try (Socket socket = new Socket("127.0.0.1", port);
                InputStream in = socket.getInputStream()) {
            for (int n; (n = in.read(block)) > 0; ) sum += n;
        }
        return sum;
    }

    private static Duration cpu(RealNode node) {
        return node.process.info().totalCpuDuration().orElse(Duration.ZERO);
    }

    private static double rss(RealNode node) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/" + node.process.pid() + "/status"))) {
            if (line.startsWith("VmRSS")) return Long.parseLong(line.replaceAll("\\D", "")) / 1024.0;
        }
        return 0;
    }

    private static double median(double... values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }

    private static void print(String what, double... values) {
        StringBuilder line = new StringBuilder("| " + what + " | ");
        if (values.length >= ROUNDS) line.append(String.format(Locale.ROOT, "median %.3f of ", median(values)));
        for (double value : values) line.append(String.format(Locale.ROOT, "%.3f ", value));
        System.out.println(line + "|");
    }
}
