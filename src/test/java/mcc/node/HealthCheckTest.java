package mcc.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Context;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.net.NetClient;
import java.io.IOException;
import java.io.OutputStream;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import mcc.core.Rng;
import mcc.registry.Registration.CheckType;
import mcc.registry.Registry.Output.RunCheck;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Apps that behave in every way an app can, and what a check says of them. */
class HealthCheckTest {
    private static final int PATIENT_MS = 30_000;
    private final Vertx vertx = Vertx.vertx();
    private final NetClient client = vertx.createNetClient();
    private final List<ServerSocket> apps = new ArrayList<>();

    private record Verdict(boolean ok, String detail) {}

    /** What an app does with one connection. */
    private interface Behaviour {
        void serve(Socket socket) throws IOException;
    }

    private int app(String address, Behaviour behaviour) throws IOException {
        ServerSocket server = new ServerSocket(0, 50, InetAddress.getByName(address));
        apps.add(server);
        Thread.ofVirtual().start(() -> {
            while (!server.isClosed()) {
                try {
                    Socket socket = server.accept();
                    Thread.ofVirtual().start(() -> {
                        try {
                            behaviour.serve(socket);
                        } catch (IOException _) {
                            // the check has left
                        }
                    });
                } catch (IOException _) {
                    return; // closed
                }
            }
        });
        return server.getLocalPort();
    }

    /** The kernel goes on taking connections until the thread that waited for one has left its call. */
    private static void untilRefused(int port) throws IOException {
        while (true) {
            try (Socket _ = new Socket(InetAddress.getLoopbackAddress(), port)) {
                Thread.onSpinWait();
            } catch (ConnectException _) {
                return;
            } catch (SocketException _) {
                Thread.onSpinWait(); // reset while it connected: the listener is just closing
            }
        }
    }

    private static Behaviour says(String text) {
        return socket -> {
            socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
            socket.close();
        };
    }

    private Verdict check(CheckType type, String host, int port, int timeoutMs) {
        Promise<Verdict> verdict = Promise.promise();
        Context context = vertx.getOrCreateContext();
        context.runOnContext(_ -> HealthCheck.run(
                vertx,
                client,
                new RunCheck("a", 1, type, host, port, "/health", timeoutMs),
                new byte[0],
                (ok, detail) -> verdict.tryComplete(new Verdict(ok, detail))));
        return Node.await(verdict.future(), 60_000);
    }

    private Verdict http(int port) {
        return check(CheckType.HTTP, "127.0.0.1", port, PATIENT_MS);
    }

    @AfterEach
    void close() throws IOException {
        for (ServerSocket app : apps) app.close();
        Node.await(vertx.close(), 10_000);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "HTTP/1.1 200 OK           | true",
                "HTTP/1.0 204              | true",
                "HTTP/1.1 302 Found        | true",
                "HTTP/1.1 404 Not Found    | false",
                "HTTP/1.1 503 Service Down | false",
                "HTTP/1.1 99 Odd           | false",
                "SSH-2.0-OpenSSH_9.2       | false",
                "HTTP/2 200                | false"
            })
    void theStatusDecides(String line, boolean ok) throws IOException {
        Verdict verdict = http(app("127.0.0.1", says(line + "\r\nServer: x\r\n\r\n")));
        assertThat(verdict.ok()).as(verdict.detail()).isEqualTo(ok);
    }

    @Test
    void anInterimAnswerIsFollowedByTheFinalOne() throws IOException {
        String early = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n";
        assertThat(http(app("127.0.0.1", says(early + "HTTP/1.1 500 No\r\n\r\n")))
                        .detail())
                .isEqualTo("HTTP 500 from /health");
    }

    @Test
    void aBodyWithoutAnEndIsNotReadAndItsConnectionIsClosed() throws Exception {
        CompletableFuture<Boolean> left = new CompletableFuture<>();
        int port = app("127.0.0.1", socket -> {
            OutputStream out = socket.getOutputStream();
            out.write("HTTP/1.1 200 OK\r\n\r\n".getBytes(StandardCharsets.ISO_8859_1));
            try {
                while (true) out.write(new byte[1 << 20]);
            } catch (IOException _) {
                left.complete(true);
            }
        });
        assertThat(http(port).ok()).isTrue();
        assertThat(left.get(60, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void aHeadWithoutAnEndIsBounded() throws IOException {
        int port = app("127.0.0.1", socket -> {
            while (true) socket.getOutputStream().write(new byte[] {'x', 'x', 'x', 'x'});
        });
        assertThat(http(port).detail()).isEqualTo("its answer is not HTTP");
        int interim = app("127.0.0.1", socket -> {
            while (true) socket.getOutputStream().write("HTTP/1.1 100 Go\r\n\r\n".getBytes(StandardCharsets.UTF_8));
        });
        assertThat(http(interim).detail()).isEqualTo("its answer is not HTTP");
    }

    @Test
    void oneDeadlineIsOverTheWholeCheck() throws IOException {
        int silent = app("127.0.0.1", _ -> {});
        Verdict verdict = check(CheckType.HTTP, "127.0.0.1", silent, 200);
        assertThat(verdict.ok()).isFalse();
        assertThat(verdict.detail()).isEqualTo("no answer within 200 ms, while its answer was awaited");
        int slow = app("127.0.0.1", socket -> {
            for (byte b : "HTTP/1.1 200 OK\r\n".getBytes(StandardCharsets.UTF_8)) {
                socket.getOutputStream().write(b);
                if (b == ' ') socket.getInputStream().readNBytes(10_000); // as slow as can be
            }
        });
        assertThat(check(CheckType.HTTP, "127.0.0.1", slow, 200).ok()).isFalse();
    }

    @Test
    void anAppThatListensNoMoreFailsThoughItKeepsItsConnections() throws IOException {
        int port = app("127.0.0.1", socket -> {
            byte[] answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".getBytes(StandardCharsets.UTF_8);
            while (socket.getInputStream().read() >= 0) {
                if (socket.getInputStream().available() == 0)
                    socket.getOutputStream().write(answer);
            }
        });
        assertThat(http(port).ok()).isTrue();
        apps.getLast().close();
        untilRefused(port);
        assertThat(http(port).ok()).isFalse();
        assertThat(check(CheckType.TCP, "127.0.0.1", port, PATIENT_MS).ok()).isFalse();
    }

    @Test
    void aServerThatClosesWithoutAWordFails() throws IOException {
        assertThat(http(app("127.0.0.1", Socket::close)).ok()).isFalse();
        assertThat(check(CheckType.TCP, "127.0.0.1", app("127.0.0.1", Socket::close), PATIENT_MS)
                        .ok())
                .as("it accepts connections")
                .isTrue();
    }

    @Test
    void anyBytesAreTakenInStride() throws IOException {
        Rng rng = Rng.seeded(5);
        for (int i = 0; i < 200; i++) {
            byte[] bytes = rng.bytes(1 + rng.below(64));
            if (i % 3 == 0) {
                byte[] good = "HTTP/1.1 200 OK\r\n".getBytes(StandardCharsets.UTF_8);
                good[rng.below(good.length)] = bytes[0];
                bytes = good;
            }
            assertThat(http(app("127.0.0.1", says(new String(bytes, StandardCharsets.ISO_8859_1))))
                            .detail())
                    .isNotEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"localhost", "0.0.0.0", "::", "db.localhost"})
    void anAppOfThisHostIsReachedWhereverItListens(String host) throws IOException {
        if (!host.equals("::")) assertThat(check(host, "127.0.0.1").ok()).isTrue();
        if (!host.equals("0.0.0.0") && Kernel6.isThere())
            assertThat(check(host, "::1").ok()).isTrue();
    }

    private Verdict check(String host, String listens) throws IOException {
        return check(CheckType.TCP, host, app(listens, Socket::close), PATIENT_MS);
    }

    /** Whether this machine has IPv6 at all. */
    private static final class Kernel6 {
        static boolean isThere() {
            try (ServerSocket probe = new ServerSocket(0, 1, InetAddress.getByName("::1"))) {
                return probe.isBound();
            } catch (IOException _) {
                return false;
            }
        }
    }

    @Test
    void aNameThatNobodyKnowsIsSaidSo() {
        assertThat(check(CheckType.TCP, "no-such-host.invalid", 80, PATIENT_MS).detail())
                .isEqualTo("the name 'no-such-host.invalid' is unknown on this host");
    }

    @Test
    void ofSeveralAddressesTheFirstThatAnswersWins() {
        List<InetSocketAddress> at = new ArrayList<>();
        for (int i = 1; i <= 3; i++) at.add(InetSocketAddress.createUnresolved("h" + i, 1));
        List<String> dropped = new ArrayList<>();
        Promise<String> first = Promise.promise();
        Promise<String> second = Promise.promise();
        Promise<String> third = Promise.promise();
        var promises = java.util.Map.of("h1", first, "h2", second, "h3", third);
        var won = HostNames.connect(
                vertx, at, to -> promises.get(to.getHostString()).future(), dropped::add);
        first.fail("refused");
        second.fail("refused too");
        assertThat(won.isComplete()).isFalse();
        third.complete("third");
        assertThat(won.result()).isEqualTo("third");
        Promise<String> slow = Promise.promise();
        Promise<String> quick = Promise.promise();
        var both = java.util.Map.of("h1", slow, "h2", quick);
        var raced = HostNames.connect(
                vertx, at.subList(0, 2), to -> both.get(to.getHostString()).future(), dropped::add);
        quick.complete("quick");
        assertThat(Node.await(raced, 30_000))
                .as("it was tried although the first says nothing")
                .isEqualTo("quick");
        slow.complete("slow");
        assertThat(dropped).as("what comes too late is closed").containsExactly("slow");
        var none = HostNames.connect(
                vertx, at.subList(0, 2), _ -> io.vertx.core.Future.<String>failedFuture("no"), dropped::add);
        assertThat(none.failed()).isTrue();
    }
}
