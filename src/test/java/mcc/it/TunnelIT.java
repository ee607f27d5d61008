package mcc.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import mcc.core.Rng;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Services registered at one node and used at another, through real processes, with real clients and servers. */
class TunnelIT {
    private static final int BIG_BYTES = 64 << 20;

    @TempDir
    static Path folder;

    private static RealNode one;
    private static RealNode two;
    private static RealNode three;
    private static HttpServer site;
    private static byte[] page;

    @BeforeAll
    static void start() throws IOException {
        page = Rng.seeded(1).bytes(10_000);
        site = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 500);
        site.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        site.createContext("/page", exchange -> {
            exchange.sendResponseHeaders(200, page.length);
            exchange.getResponseBody().write(page);
            exchange.close();
        });
        site.createContext("/big", exchange -> {
            exchange.sendResponseHeaders(200, BIG_BYTES);
            try (OutputStream out = exchange.getResponseBody()) {
                big(out);
            }
        });
        site.start();
        one = RealNode.start(folder.resolve("one"));
        two = RealNode.start(folder.resolve("two"), "--bootstrap", one.bootstrap());
        three = RealNode.start(
                folder.resolve("three"), "--bootstrap", one.bootstrap(), "--socks", "127.0.0.1:" + free());
        one.register("web", "web", site.getAddress().getPort());
        RealNode.await(
                "web is found from node three", () -> three.providers("web").contains(one.id));
    }

    @AfterAll
    static void stop() {
        for (RealNode node : new RealNode[] {one, two, three}) if (node != null) node.close();
        if (site != null) site.stop(0);
    }

    private static void big(OutputStream out) throws IOException {
        Rng rng = Rng.seeded(2);
        byte[] block = rng.bytes(1 << 20);
        for (int i = 0; i < BIG_BYTES >> 20; i++) {
            block[i] ^= (byte) i;
            out.write(block);
        }
    }

    private static int free() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static int run(ProcessBuilder builder) throws Exception {
        Process process = builder.start();
        process.getInputStream().readAllBytes();
        assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
        return process.exitValue();
    }

    private static String output(String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor(120, TimeUnit.SECONDS);
        return out;
    }

    @Test
    void aLargeFileArrivesWhole() throws Exception {
        MessageDigest sent = MessageDigest.getInstance("SHA-256");
        big(new OutputStream() {
            @Override
            public void write(int b) {
                sent.update((byte) b);
            }

            @Override
            public void write(byte[] b, int off, int len) {
                sent.update(b, off, len);
            }
        });
        MessageDigest got = MessageDigest.getInstance("SHA-256");
        try (Socket socket = new Socket("127.0.0.1", three.forward("web"))) {
            socket.getOutputStream().write("GET /big HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            InputStream in = socket.getInputStream();
            skipHead(in);
            long bytes = new DigestInputStream(in, got).transferTo(OutputStream.nullOutputStream());
            assertThat(bytes).isEqualTo(BIG_BYTES);
        }
        assertThat(HexFormat.of().formatHex(got.digest()))
                .isEqualTo(HexFormat.of().formatHex(sent.digest()));
    }

    private static void skipHead(InputStream in) throws IOException {
        int newlines = 0;
        while (newlines < 2) {
            int c = in.read();
            if (c == '\n') newlines++;
            else if (c != '\r') newlines = 0;
        }
    }

    @Test
    void twoHundredCurlsAtOnceSucceed() throws Exception {
        String curl = Needs.program("curl", "curl");
        String url = "http://127.0.0.1:" + three.forward("web") + "/page";
        try (ExecutorService pool = Executors.newFixedThreadPool(200)) {
            List<Callable<Integer>> all = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                all.add(() -> run(new ProcessBuilder(curl, "-sf", "--max-time", "60", "-o", "/dev/null", url)));
            }
            for (Future<Integer> each : pool.invokeAll(all))
                assertThat(each.get()).isZero();
        }
    }

    @Test
    void aProxyReachesServicesByNameAndNothingElse() throws Exception {
        String curl = Needs.program("curl", "curl");
        String socks = field(three.log(), "SOCKS5 on /");
        Path file = folder.resolve("by-name");
        int code = run(new ProcessBuilder(
                curl,
                "-sf",
                "--max-time",
                "60",
                "--socks5-hostname",
                socks,
                "-o",
                file.toString(),
                "http://web.open.mcc/page"));
        assertThat(code).isZero();
        assertThat(Files.readAllBytes(file)).isEqualTo(page);
        String direct = "http://127.0.0.1:" + site.getAddress().getPort() + "/page";
        assertThat(run(new ProcessBuilder(curl, "-sf", "--max-time", "20", "--socks5-hostname", socks, direct)))
                .as("an address is refused")
                .isNotZero();
        assertThat(run(new ProcessBuilder(
                        curl, "-sf", "--max-time", "30", "--socks5-hostname", socks, "http://none.open.mcc/")))
                .as("an unknown service is refused")
                .isNotZero();
    }

    /** A client need not wait for replies that it can foresee: greeting, request and what it wants to say in one piece. */
    @Test
    void aProxysClientMayTalkAhead() throws Exception {
        String socks = field(three.log(), "SOCKS5 on /");
        String name = "web.open.mcc";
        byte[] ahead = ("\5\1\0\5\1\0\3" + (char) name.length() + name + "\0\120GET /page HTTP/1.0\r\n\r\n")
                .getBytes(StandardCharsets.ISO_8859_1);
        try (Socket socket = new Socket("127.0.0.1", Integer.parseInt(socks.substring(socks.lastIndexOf(':') + 1)))) {
            socket.setSoTimeout(60_000);
            socket.getOutputStream().write(ahead);
            byte[] answer = socket.getInputStream().readAllBytes();
            assertThat(Arrays.copyOf(answer, 4)).isEqualTo(new byte[] {5, 0, 5, 0});
            assertThat(new String(answer, StandardCharsets.ISO_8859_1)).contains(" 200 OK");
            assertThat(Arrays.copyOfRange(answer, answer.length - page.length, answer.length))
                    .isEqualTo(page);
        }
    }

    private static String field(String log, String before) {
        int at = log.indexOf(before) + before.length();
        return log.substring(at, log.indexOf('\n', at)).strip();
    }

    @Test
    void oneDirectionEndsAndTheOtherGoesOn() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
            Thread app = Thread.ofVirtual().start(() -> {
                try (Socket socket = server.accept()) {
                    long n = socket.getInputStream().transferTo(OutputStream.nullOutputStream());
                    socket.getOutputStream().write(("got " + n).getBytes(StandardCharsets.US_ASCII));
                } catch (IOException _) {
                    // the client's assertion tells
                }
            });
            two.register("count", "count", server.getLocalPort());
            RealNode.await("count is found", () -> three.providers("count").contains(two.id));
            try (Socket socket = new Socket("127.0.0.1", three.forward("count"))) {
                socket.getOutputStream().write(new byte[300_000]);
                socket.shutdownOutput();
                assertThat(new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII))
                        .isEqualTo("got 300000");
            }
            app.join();
        }
    }

    @Test
    void aServerThatSpeaksFirstIsHeard() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
            Thread.ofVirtual().start(() -> {
                try (Socket socket = server.accept()) {
                    socket.getOutputStream().write("220 hello\r\n".getBytes(StandardCharsets.US_ASCII));
                } catch (IOException _) {
                    // the client's assertion tells
                }
            });
            one.register("greet", "greet", server.getLocalPort());
            RealNode.await("greet is found", () -> three.providers("greet").contains(one.id));
            try (Socket socket = new Socket("127.0.0.1", three.forward("greet"))) {
                assertThat(new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII))
                        .isEqualTo("220 hello\r\n");
            }
        }
    }

    @Test
    void whatWentThroughIsCountedForThePathItTook() throws Exception {
        int port = three.forward("web");
        assertThat(output("curl", "-s", "-o", "/dev/null", "http://127.0.0.1:" + port + "/page"))
                .isEmpty();
        String bytes = "mcc_tunnel_bytes_total{direction=\"rx\",path=\"lan\"}";
        RealNode.await(
                "the metrics tell",
                () -> three.get("/metrics").raw().body().contains(bytes) && metric(bytes) >= page.length);
        JsonNode tunnel = tunnelAt(port);
        JsonNode ways = three.get("/api/v1/tunnels/" + tunnel.get("id").asText() + "/path")
                .body()
                .path("items");
        assertThat(ways).hasSize(1);
        assertThat(ways.get(0).get("provider").asText()).isEqualTo(one.id);
        assertThat(ways.get(0).get("address").asText()).isEqualTo(one.udp);
        double counted = metric(bytes);
        for (JsonNode open : three.get("/api/v1/tunnels").body().path("items")) {
            three.delete("/api/v1/tunnels/" + open.get("id").asText());
        }
        assertThat(metric(bytes)).as("a closed tunnel takes nothing back").isGreaterThanOrEqualTo(counted);
    }

    @Test
    void aPeerIsMeasured() {
        String bench = "/api/v1/peers/" + one.id + "/bench";
        assertThat(three.post(bench, "{\"seconds\":61}").status()).isEqualTo(400);
        RealNode.Answer begun = three.post(bench, "{\"seconds\":1}");
        assertThat(begun.status()).as(begun.raw().body()).isEqualTo(201);
        assertThat(three.post(bench, "{\"seconds\":1}").status())
                .as("one at a time")
                .isEqualTo(503);
        String id = begun.body().get("id").asText();
        RealNode.await("it is over", () -> !told("bench.finished", id).isEmpty());
        JsonNode result = told("bench.finished", id).getFirst();
        long bytes = result.get("bytes").asLong();
        assertThat(bytes).isPositive();
        assertThat(bytes % 65_536).as("every block arrived whole").isZero();
        assertThat(result.get("bitsPerSecond").asDouble())
                .as("the rate is what arrived in the time it took")
                .isCloseTo(bytes * 8e3 / result.get("tookMs").asDouble(), withinPercentage(1));
        assertThat(result.get("rttIdleMs").asDouble()).isBetween(0.0, 1e3 * RealNode.PATIENCE_MS);
        assertThat(result.get("rttLoadedMs").asDouble()).isPositive();
        assertThat(result.get("lossPpm").asInt()).isBetween(0, 999_999);
        assertThat(result.get("path").asText()).isEqualTo("lan");
        assertThat(result.get("cpuSecondsPerGbitHere").asDouble()).isPositive();
        assertThat(result.get("cpuSecondsPerGbitThere").asDouble()).isPositive();
        List<JsonNode> progress = told("bench.progress", id);
        assertThat(progress).hasSize(1);
        JsonNode second = progress.getFirst();
        assertThat(second.get("second").asInt()).isEqualTo(1);
        assertThat(second.get("rttMs").asDouble()).isPositive();
        assertThat(second.get("lossPpm").asInt()).isBetween(0, 999_999);
        assertThat(second.get("bitsPerSecond").asLong()).isPositive();
    }

    /** What a user reads who asks for a measurement: a bar for each second, and what it comes to. */
    @Test
    void aPeerIsMeasuredByCommand() throws Exception {
        ProcessBuilder command = new ProcessBuilder(
                RealNode.command("bench", "peer", two.id.substring(0, 8), "--seconds", "2", "--node", one.http));
        command.environment().put("MCC_JAVA_OPTS", "-Dmcc.tty=true");
        Process process = command.redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
        String line = " s +\\d\\S+ [MG]bit/s  rtt +\\S+ ms  loss +\\S+ %  █+\n";
        assertThat(said)
                .matches("  1" + line + "  2" + line
                        + "\\S+ [MGT]B in \\S+: \\S+ [MG]bit/s by lan\n"
                        + "rtt \\S+ ms idle, \\S+ ms under load   loss \\S+ %\n"
                        + "CPU \\d+\\.\\d\\d s per Gbit here, \\d+\\.\\d\\d there\n");
    }

    /** What was told of a measurement by events of a type, in order. */
    private static List<JsonNode> told(String type, String id) {
        List<JsonNode> out = new ArrayList<>();
        for (JsonNode event :
                three.get("/api/v1/events/history?limit=1000").body().path("items")) {
            JsonNode data = event.path("data");
            if (event.get("type").asText().equals(type)
                    && data.get("id").asText().equals(id)) out.add(data);
        }
        return out;
    }

    private static JsonNode tunnelAt(int port) {
        for (JsonNode tunnel : three.get("/api/v1/tunnels").body().path("items")) {
            if (tunnel.get("listen").asText().endsWith(":" + port)) return tunnel;
        }
        throw new AssertionError("no tunnel listens at " + port);
    }

    private static double metric(String name) {
        for (String line : three.get("/metrics").raw().body().split("\n")) {
            if (line.startsWith(name)) return Double.parseDouble(line.substring(name.length()));
        }
        throw new AssertionError("no " + name);
    }

    /** Two instances of one service answer differently: which of them is reached is seen in what comes back. */
    @Test
    void oneInstanceIsReachedByItsEndpoint() throws Exception {
        HttpServer other = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 50);
        other.createContext("/page", exchange -> {
            exchange.sendResponseHeaders(200, 5);
            exchange.getResponseBody().write("other".getBytes(StandardCharsets.US_ASCII));
            exchange.close();
        });
        other.start();
        try {
            one.register("twin-a", "twin", site.getAddress().getPort());
            two.register("twin-b", "twin", other.getAddress().getPort());
            RealNode.await("both are found", () -> three.providers("twin").size() == 2);
            String endpoint = two.get("/api/v1/registrations/twin-b")
                    .body()
                    .get("endpoint")
                    .asText();
            String whole = "{\"endpoint\":\"" + endpoint + "\"}";
            String prefix = "{\"service\":\"twin#" + endpoint.substring(0, 10) + "\"}";
            for (String body : List.of(whole, prefix)) {
                RealNode.Answer made = three.post("/api/v1/tunnels", body);
                assertThat(made.status()).as(made.raw().body()).isEqualTo(201);
                assertThat(made.body().get("service").asText()).isEqualTo("open/twin");
                String listen = made.body().get("listen").asText();
                for (int i = 0; i < 8; i++) {
                    assertThat(output("curl", "-s", "http://" + listen + "/page"))
                            .isEqualTo("other");
                }
            }
            String unknown = "{\"endpoint\":\"" + two.id + "\"}";
            assertThat(three.post("/api/v1/tunnels", unknown).status()).isEqualTo(404);
            assertThat(output(
                            "curl",
                            "-s",
                            "--socks5-hostname",
                            field(three.log(), "SOCKS5 on /"),
                            "http://" + endpoint + ".mcc/page"))
                    .isEqualTo("other");
        } finally {
            other.stop(0);
        }
    }

    @Tag("long")
    @Test
    void aReaderThatStopsHoldsNothingUpAndMakesNoMemoryGrow() throws Exception {
        int port = three.forward("web");
        try (Socket slow = new Socket("127.0.0.1", port)) {
            slow.setReceiveBufferSize(64 * 1024);
            slow.setSoTimeout((int) RealNode.PATIENCE_MS);
            slow.getOutputStream().write("GET /big HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            skipHead(slow.getInputStream());
            for (int i = 0; i < 3; i++) {
                try (Socket fast = new Socket("127.0.0.1", port)) {
                    fast.setSoTimeout((int) RealNode.PATIENCE_MS);
                    fast.getOutputStream().write("GET /big HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                    skipHead(fast.getInputStream());
                    assertThat(fast.getInputStream().transferTo(OutputStream.nullOutputStream()))
                            .isEqualTo(BIG_BYTES);
                }
            }
            // What the slow reader was not given stays with its sender: less than the windows and sockets on the way.
            long sent = three.get("/api/v1/tunnels").body().path("items").findValues("rxBytes").stream()
                    .mapToLong(n -> n.asLong())
                    .max()
                    .orElse(0);
            assertThat(sent - 3L * BIG_BYTES).isLessThan(32L << 20);
            assertThat(slow.getInputStream().transferTo(OutputStream.nullOutputStream()))
                    .as("it gets the rest when it reads again")
                    .isEqualTo(BIG_BYTES);
        }
    }

    @Test
    void sshWorksThroughATunnel() throws Exception {
        int port = free();
        try (Sshd sshd = Sshd.start(List.of(), folder.resolve("ssh"), "127.0.0.1", port)) {
            two.put(
                    "/api/v1/registrations/ssh",
                    "{\"service\":\"ssh\",\"port\":" + port + ",\"check\":{\"type\":\"tcp\",\"intervalMs\":200}}");
            RealNode.await("ssh is found", () -> three.providers("ssh").contains(two.id));
            Path nothing = Path.of("/dev/null");
            String what = "head -c 5000000 /dev/zero | sha256sum";
            assertThat(sshd.run(List.of(), "127.0.0.1", three.forward("ssh"), nothing, what))
                    .startsWith("b39781589c4403fb82174c9647a010464cff38bad976547d339899b00053a545");
        }
    }
}
