package mcc.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
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

/** Services of UDP through real processes: a name server behind one node, {@code dig} behind another. */
class UdpIT {
    @TempDir
    static Path folder;

    private static final List<AutoCloseable> open = new ArrayList<>();
    private static RealNode one;
    private static RealNode two;
    private static RealNode three;
    private static String dig;

    @BeforeAll
    static void start() throws IOException {
        dig = Needs.program("dig", "bind9-dnsutils");
        one = keep(RealNode.start(folder.resolve("one")));
        two = keep(RealNode.start(folder.resolve("two"), "--bootstrap", one.bootstrap()));
        three = keep(RealNode.start(folder.resolve("three"), "--bootstrap", one.bootstrap(), "--udp-idle", "8"));
        offer(one, "dns", names("first"));
        RealNode.await("dns is found", () -> three.providers("dns").contains(one.id));
    }

    @AfterAll
    static void stop() throws Exception {
        for (AutoCloseable each : open.reversed()) each.close();
        open.clear();
    }

    private static <T extends AutoCloseable> T keep(T resource) {
        open.add(resource);
        return resource;
    }

    private static void offer(RealNode at, String service, int port) {
        String body = "{\"service\":\"" + service + "\",\"port\":" + port + ",\"protocol\":\"udp\",\"leaseMs\":5000}";
        RealNode.Answer done = at.put("/api/v1/registrations/" + service, body);
        assertThat(done.status()).as(done.raw().body()).isEqualTo(201);
    }

    private static int names(String who) throws IOException {
        return keep(NameServer.start(0, who)).getLocalPort();
    }

    private static int forward(RealNode at, String service) {
        RealNode.Answer made = at.post("/api/v1/tunnels", "{\"service\":\"" + service + "\",\"protocol\":\"udp\"}");
        assertThat(made.status()).as(made.raw().body()).isEqualTo(201);
        assertThat(made.body().get("protocol").asText()).isEqualTo("udp");
        String listen = made.body().get("listen").asText();
        return Integer.parseInt(listen.substring(listen.lastIndexOf(':') + 1));
    }

    private static String dig(int port, String name, String... more) throws Exception {
        List<String> command = new ArrayList<>(List.of(dig, "@127.0.0.1", "-p", "" + port, "TXT", name));
        command.addAll(List.of(more));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(RealNode.PATIENCE_MS, TimeUnit.MILLISECONDS)).isTrue();
        return out;
    }

    private static JsonNode tunnelAt(RealNode node, int port) {
        for (JsonNode tunnel : node.get("/api/v1/tunnels").body().path("items")) {
            if (tunnel.get("listen").asText().endsWith(":" + port)) return tunnel;
        }
        throw new AssertionError("no tunnel listens at " + port);
    }

    private static double counted(RealNode node, String name) {
        for (String line : node.get("/metrics").raw().body().split("\n")) {
            if (line.startsWith(name + " ")) return Double.parseDouble(line.substring(name.length()));
        }
        return 0;
    }

    @Tag("long")
    @Test
    void aNameIsAskedForThroughACommandsForward() throws Exception {
        int app = names("by command");
        run("register", "cmd", "--port", "" + app, "--udp", "--node", two.http);
        RealNode.await("cmd is found", () -> three.providers("cmd").contains(two.id));
        assertThat(run("discover", "cmd", "--node", three.http)).contains("PORTS", "/udp");
        int port = free();
        String provider = two.id.substring(0, 8);
        Process forward = new ProcessBuilder(
                        RealNode.command("forward", "cmd", "" + port, "--udp", "--node", three.http))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (BufferedReader said = forward.inputReader(StandardCharsets.UTF_8)) {
            assertThat(said.readLine()).startsWith("udp 127.0.0.1:" + port + " -> open/cmd @ " + provider);
            assertThat(said.readLine()).isEqualTo("ctrl-C closes it");
            assertThat(dig(port, "a.test", "+short")).isEqualTo("\"by command\"\n");
            assertThat(said.readLine()).endsWith("connected to " + provider);
            assertThat(run("tunnel", "ls", "--node", three.http)).contains("PROTO", "127.0.0.1:" + port);
            forward.destroy(); // as ctrl-C does
            assertThat(forward.waitFor(RealNode.PATIENCE_MS, TimeUnit.MILLISECONDS))
                    .isTrue();
        } finally {
            forward.destroyForcibly();
        }
        assertThat(run("tunnel", "ls", "--node", three.http)).doesNotContain("127.0.0.1:" + port);
        assertThat(dig(port, "a.test", "+timeout=1", "+tries=1")).doesNotContain("by command");
    }

    private static int free() throws IOException {
        try (DatagramSocket socket = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static String run(String... arguments) throws Exception {
        Process process = new ProcessBuilder(RealNode.command(arguments))
                .redirectErrorStream(true)
                .start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(out).isZero();
        return out;
    }

    @Test
    void anAnswerThatNoPacketHoldsArrives() throws Exception {
        int port = forward(three, "dns");
        String said = dig(port, "15.test", "+bufsize=4096", "+ignore");
        assertThat(said).contains("\"first\"", "ANSWER: 16,").containsPattern("MSG SIZE  rcvd: 40\\d\\d");
    }

    /** Every size there is around what a packet holds, and the longest that UDP has. */
    @Test
    void datagramsOfEverySizeComeBack() throws Exception {
        DatagramSocket echo = keep(new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)));
        Thread.ofVirtual().start(() -> {
            byte[] buf = new byte[65_535];
            try {
                while (true) {
                    DatagramPacket packet = new DatagramPacket(buf, buf.length);
                    echo.receive(packet);
                    echo.send(packet);
                }
            } catch (IOException _) {
                // closed at the end of the test
            }
        });
        offer(two, "echo", echo.getLocalPort());
        RealNode.await("echo is found", () -> three.providers("echo").contains(two.id));
        int port = forward(three, "echo");
        Rng rng = Rng.seeded(9);
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.setSoTimeout((int) RealNode.PATIENCE_MS);
            socket.connect(InetAddress.getLoopbackAddress(), port);
            List<Integer> sizes = new ArrayList<>(List.of(1, 2, 100, 9_000, 20_000, 65_507));
            for (int size = 1_130; size < 1_180; size++) sizes.add(size);
            for (int size = 1_380; size < 1_430; size++) sizes.add(size);
            for (int size : sizes) {
                byte[] sent = rng.bytes(size);
                socket.send(new DatagramPacket(sent, size));
                DatagramPacket got = new DatagramPacket(new byte[65_535], 65_535);
                socket.receive(got);
                assertThat(Arrays.copyOf(got.getData(), got.getLength()))
                        .as(size + " bytes")
                        .isEqualTo(sent);
            }
        }
    }

    @Tag("long")
    @Test
    void aHundredClientsAskAtOnceAndTheirFlowsEndByThemselves() throws Exception {
        int port = forward(three, "dns");
        double idle = counted(three, "mcc_tunnel_flow_idle_total");
        try (ExecutorService pool = Executors.newFixedThreadPool(100)) {
            List<Callable<String>> all = new ArrayList<>();
            for (int i = 0; i < 100; i++) all.add(() -> dig(port, "a.test", "+short", "+timeout=10", "+tries=3"));
            for (Future<String> each : pool.invokeAll(all))
                assertThat(each.get()).endsWith("\"first\"\n");
        }
        // More where a datagram was lost, as any may be on a busy machine: who asks again asks from another port. Fewer
        // where the system gave a port again that a client had left: one in 28,000 of all pairs, of which there are
        // 4,950.
        int flows = tunnelAt(three, port).get("connectionsTotal").asInt();
        assertThat(flows).isGreaterThan(90);
        RealNode.await(
                "no flow is left",
                () -> tunnelAt(three, port).get("connections").asInt() == 0);
        assertThat(counted(three, "mcc_tunnel_flow_idle_total") - idle).isGreaterThanOrEqualTo(flows);
        RealNode.await("nor at the provider", () -> counted(one, "mcc_tunnel_flows{side=\"provider\"}") == 0);
        JsonNode tunnel = tunnelAt(three, port);
        assertThat(tunnel.get("txBytes").asLong()).isPositive();
        assertThat(tunnel.get("rxBytes").asLong()).isPositive();
    }

    @Tag("long")
    @Test
    void theNextProviderServesNewFlowsWhenOneDies() throws Exception {
        RealNode dying = keep(RealNode.start(folder.resolve("dying"), "--bootstrap", one.bootstrap()));
        offer(dying, "pair", names("dying"));
        RealNode.await("it is found", () -> three.providers("pair").contains(dying.id));
        int port = forward(three, "pair");
        assertThat(dig(port, "a.test", "+short")).isEqualTo("\"dying\"\n");
        offer(two, "pair", names("heir"));
        RealNode.await("both are found", () -> three.providers("pair").size() == 2);
        dying.kill();
        for (int i = 0; i < 10; i++) {
            assertThat(dig(port, "a.test", "+short", "+timeout=10", "+tries=3")).endsWith("\"heir\"\n");
        }
    }

    @Test
    void aPortWhereNobodyListensEndsTheFlowAndTheNextGoesElsewhere() throws Exception {
        offer(two, "half", free());
        RealNode.await("it is found", () -> three.providers("half").contains(two.id));
        int port = forward(three, "half");
        assertThat(dig(port, "a.test", "+timeout=1", "+tries=1")).contains("timed out");
        assertThat(counted(two, "mcc_tunnel_flow_unreachable_total")).isPositive();
        RealNode.await(
                "the flow is over at the user's",
                () -> tunnelAt(three, port).get("connections").asInt() == 0);
        offer(one, "half", names("whole"));
        RealNode.await("both are found", () -> three.providers("half").size() == 2);
        RealNode.await("the living one is asked", () -> {
            try {
                return dig(port, "a.test", "+short", "+timeout=1", "+tries=1").equals("\"whole\"\n");
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
    }

    @Test
    void whatCannotWorkIsRefusedWithAWayOut() {
        RealNode.Answer tcp = three.post("/api/v1/tunnels", "{\"service\":\"dns\",\"protocol\":\"tcp\"}");
        assertThat(tcp.status()).isEqualTo(404);
        assertThat(tcp.body().get("detail").asText()).matches("open/dns has no port of TCP; it has [0-9]+/udp");
        assertThat(tcp.body().get("hint").asText()).contains("--udp");
        String body = "{\"service\":\"x\",\"port\":53,\"protocol\":\"udp\",\"check\":{\"type\":\"tcp\"}}";
        RealNode.Answer check = one.put("/api/v1/registrations/x", body);
        assertThat(check.status()).isEqualTo(400);
        assertThat(check.body().get("errors").get(0).get("pointer").asText()).isEqualTo("/check/type");
    }

    @Tag("long")
    @Test
    void aForwardIsUdpByItselfAndComesBackAfterARestart() throws Exception {
        RealNode user = RealNode.start(folder.resolve("user"), "--bootstrap", one.bootstrap());
        int port;
        try (user) {
            RealNode.await("dns is found", () -> user.providers("dns").contains(one.id));
            port = user.forward("dns");
            assertThat(dig(port, "a.test", "+short")).isEqualTo("\"first\"\n");
            assertThat(user.stop()).isZero();
        }
        keep(RealNode.start(folder.resolve("user"), "--bootstrap", one.bootstrap()));
        RealNode.await("it leads there again", () -> {
            try {
                return dig(port, "a.test", "+short", "+timeout=2", "+tries=1").equals("\"first\"\n");
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
    }

    /** The service is at the very node whose user asks. */
    @Test
    void theOwnNodesServiceIsReachedToo() throws Exception {
        int port = forward(one, "dns");
        assertThat(dig(port, "a.test", "+short")).isEqualTo("\"first\"\n");
        assertThat(dig(port, "20.test", "+bufsize=8192", "+ignore")).contains("ANSWER: 21,");
    }
}
