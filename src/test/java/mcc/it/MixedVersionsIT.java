package mcc.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import mcc.Launched;
import mcc.core.Rng;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Nodes of the build before version 2 of the protocol beside nodes of this one: {@code mvn -P ci failsafe:integration-test@long}. */
@Tag("long")
@Busy
class MixedVersionsIT {
    private static final int CONNECTIONS = 100;

    @TempDir
    Path temp;

    private final List<AutoCloseable> open = new ArrayList<>();

    /** Both builds are there before a node waits for one of them. */
    @BeforeAll
    static void build() throws Exception {
        OldBuild.launcher();
        assertThat(new ProcessBuilder(RealNode.command("--version"))
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .start()
                        .waitFor())
                .isZero();
    }

    @AfterEach
    void end() throws Exception {
        for (AutoCloseable each : open.reversed()) each.close();
    }

    @Test
    void anOldNodeAndANewOneFindAndServeEachOther() throws Exception {
        Path old = OldBuild.launcher();
        RealNode first = node(old, "old");
        RealNode second = node(Launched.LAUNCHER, "new", "--bootstrap", first.bootstrap());
        RealNode third = node(old, "late", "--bootstrap", second.bootstrap());
        Echo echo = echo();
        first.register("e", "of-the-old", echo.port());
        second.register("e", "of-the-new", echo.port());
        for (RealNode each : List.of(first, second, third)) {
            RealNode.await(
                    "both are found",
                    () -> each.providers("of-the-old").contains(first.id)
                            && each.providers("of-the-new").contains(second.id));
        }
        assertThat(version(first)).isNotEqualTo(version(second));
        connect(second.forward("of-the-old"));
        connect(first.forward("of-the-new"));
        connect(third.forward("of-the-new"));
    }

    /** Each connects a hundred times, all at once, and hears all that it said. */
    private static void connect(int port) throws Exception {
        try (ExecutorService all = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Callable<Void>> tasks = new ArrayList<>();
            for (int i = 0; i < CONNECTIONS; i++) {
                byte[] sent = Rng.seeded(i).bytes(20_000);
                tasks.add(() -> {
                    Echo.assertEchoes(port, sent);
                    return null;
                });
            }
            for (Future<Void> each : all.invokeAll(tasks)) each.get();
        }
    }

    @Test
    void aNetworkIsUpgradedNodeByNodeWithoutLosingItsService() throws Exception {
        Path old = OldBuild.launcher();
        String[] udp = {address(), address(), address()};
        String http = address();
        String bootstrap = String.join(",", udp[0], udp[1]);
        RealNode[] nodes = new RealNode[3];
        for (int i = 0; i < 3; i++) nodes[i] = start(old, i, udp[i], bootstrap, http);
        Echo echo = echo();
        for (int i = 0; i < 2; i++) nodes[i].register("e", "echo", echo.port());
        RealNode user = nodes[2];
        RealNode.await("both are found", () -> user.providers("echo").size() == 2);
        int port = user.forward("echo");
        String was = version(user);

        Caller caller = new Caller(port);
        for (int i = 0; i < 2; i++) {
            assertThat(nodes[i].stop()).isZero();
            RealNode again = start(Launched.LAUNCHER, i, udp[i], bootstrap, http);
            assertThat(again.id).as("the same node").isEqualTo(nodes[i].id);
            nodes[i] = again;
            RealNode.await("it is found again", () -> user.providers("echo").contains(again.id), again, user);
            int before = caller.done.get();
            RealNode.await("connections go on", () -> caller.done.get() > before + 20);
        }
        caller.close();
        assertThat(caller.failures)
                .as("a connection through a node that ends breaks, and the next one does not")
                .hasSizeLessThanOrEqualTo(2);
        assertThat(user.stop()).isZero();
        RealNode last = start(Launched.LAUNCHER, 2, udp[2], bootstrap, http);
        RealNode.await("it finds both", () -> last.providers("echo").size() == 2);
        connect(port);
        for (RealNode each : List.of(nodes[0], nodes[1], last))
            assertThat(version(each)).isNotEqualTo(was);
    }

    /** Connects again and again, one connection at a time. */
    private static final class Caller implements AutoCloseable {
        final AtomicInteger done = new AtomicInteger();
        final List<String> failures = new CopyOnWriteArrayList<>();
        private final Thread thread;
        private volatile boolean over;

        Caller(int port) {
            thread = Thread.ofVirtual().start(() -> {
                for (int i = 0; !over; i++) {
                    try {
                        Echo.assertEchoes(port, Rng.seeded(i).bytes(20_000));
                        done.incrementAndGet();
                    } catch (IOException | AssertionError e) {
                        failures.add(done + ": " + e.getMessage());
                    }
                }
            });
        }

        @Override
        public void close() throws InterruptedException {
            over = true;
            thread.join();
        }
    }

    private RealNode start(Path launcher, int i, String udp, String bootstrap, String http) {
        List<String> options = new ArrayList<>(List.of("--listen", udp));
        if (i > 0) options.addAll(List.of("--bootstrap", i == 1 ? bootstrap.split(",")[0] : bootstrap));
        else options.addAll(List.of("--bootstrap", bootstrap.split(",")[1]));
        if (i == 2) options.addAll(List.of("--http", http));
        return node(launcher, "node" + i, options.toArray(String[]::new));
    }

    private RealNode node(Path launcher, String name, String... options) {
        RealNode node = RealNode.start(List.of(), launcher, temp.resolve(name), options);
        open.add(node);
        return node;
    }

    private Echo echo() {
        Echo echo = new Echo();
        open.add(echo);
        return echo;
    }

    private static String version(RealNode node) {
        return node.get("/api/v1/node").body().get("version").asText();
    }

    /** A loopback address that is free now, and is the node's again after its restart. */
    private static String address() throws Exception {
        try (ServerSocket socket = new ServerSocket(0)) {
            return "127.0.0.1:" + socket.getLocalPort();
        }
    }
}
