package mcc.tunnel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import mcc.consortium.Policy;
import mcc.node.Node;
import mcc.node.Problem;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Forwards of a real node: when their address is taken, not there yet, their connections carry nothing, or there are too many. */
class ForwardsTest {
    private static final List<String> OPEN = List.of("01", "08"); // TCP_ESTABLISHED, TCP_CLOSE_WAIT
    private static final List<String> CLOSED = List.of("09"); // TCP_LAST_ACK

    @TempDir
    Path folder;

    private Rig rig;

    @BeforeEach
    void begin() {
        rig = new Rig(folder);
    }

    @AfterEach
    void end() {
        rig.close();
    }

    @Test
    void anAddressThatAnotherForwardHasIsRefusedWithItsNameAndTheWayToCloseIt() {
        Node node = rig.node("n");
        Rig.register(node, "web", rig.echo().getLocalPort());
        JsonObject first = Rig.forward(node, "web");
        String id = first.getString("id");
        for (String listen : new String[] {first.getString("listen"), "0.0.0.0:" + Rig.port(first)}) {
            Problem problem = refusal(() -> Rig.forward(node, "web", listen, null));
            assertThat(problem.code()).isEqualTo("conflict");
            assertThat(problem.detail()).contains(listen, "tunnel " + id + " to open/web");
            assertThat(problem.hint()).contains("mcc tunnel close " + id);
        }
        Rig.tunnels(node, new TunnelVerticle.Query.Close(id));
        assertThat(Rig.forward(node, "web", first.getString("listen"), null).getString("state"))
                .isEqualTo("open");
    }

    private static Problem refusal(Runnable task) {
        CompletionException thrown = catchThrowableOfType(CompletionException.class, task::run);
        return (Problem) thrown.getCause();
    }

    @Test
    void aForwardLeadsToThePortThatIsWantedOfAServiceWithSeveral() throws Exception {
        Node provider = rig.node("provider");
        Node user = rig.node("user", Rig.meeting(provider));
        int tcp = rig.echo().getLocalPort();
        try (DatagramSocket udp = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
            JsonArray ports = new JsonArray()
                    .add(new JsonObject().put("port", udp.getLocalPort()).put("protocol", "udp"))
                    .add(new JsonObject().put("port", 1).put("protocol", "tcp"))
                    .add(new JsonObject().put("port", tcp).put("protocol", "tcp"));
            Rig.register(provider, "both", udp.getLocalPort(), new JsonObject().put("ports", ports));
            JsonObject first = Rig.forward(user, "both");
            assertThat(first.getString("protocol")).as("of the first port").isEqualTo("udp");
            assertThat(first.getInteger("port")).isNull();
            JsonObject chosen = Rig.tunnels(user, open("both", tcp, null));
            assertThat(List.of(chosen.getString("protocol"), chosen.getInteger("port")))
                    .containsExactly("tcp", tcp);
            try (Socket socket = Rig.connect(Rig.port(chosen))) {
                socket.getOutputStream().write(42);
                assertThat(Rig.read(socket)).isEqualTo(42);
            }
            Problem none = refusal(() -> Rig.tunnels(user, open("both", 2, null)));
            assertThat(none.code()).isEqualTo("not-found");
            assertThat(none.detail()).contains("no port 2 of TCP; it has " + udp.getLocalPort() + "/udp, 1/tcp");
            Problem other = refusal(() -> Rig.tunnels(user, open("both", tcp, "udp")));
            assertThat(other.hint()).contains("leave --udp out");
            rig.stop(user);
            JsonObject again = Rig.tunnels(rig.node("user"), new TunnelVerticle.Query.Show(chosen.getString("id")));
            assertThat(again.getInteger("port")).as("kept over a restart").isEqualTo(tcp);
        }
    }

    private static TunnelVerticle.Query.Open open(String service, int port, String protocol) {
        return new TunnelVerticle.Query.Open(Target.parse(service, null), port, "127.0.0.1:0", protocol, 0);
    }

    @Test
    void aForwardWhoseAddressIsNotThereAtTheStartListensAsSoonAsItIs() throws Exception {
        Node before = rig.node("n");
        Rig.register(before, "web", rig.echo().getLocalPort());
        int port = Rig.port(Rig.forward(before, "web"));
        rig.stop(before);
        Node after;
        try (ServerSocket other = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            after = rig.node("n");
            JsonObject tunnel = Rig.only(after);
            assertThat(tunnel.getString("state")).isEqualTo("failed");
            assertThat(tunnel.getString("failure")).contains("127.0.0.1:" + other.getLocalPort());
            assertThat(problems(after)).contains("does not listen").contains("it is tried again");
        }
        Rig.await("it listens", () -> Rig.only(after).getString("state").equals("open"));
        assertThat(problems(after)).doesNotContain("does not listen");
        try (Socket user = Rig.connect(port)) {
            user.getOutputStream().write(42);
            assertThat(Rig.read(user)).isEqualTo(42);
        }
    }

    @Test
    void aForwardThatIsClosedWhileItsAddressIsTakenIsNotTriedAgain() throws Exception {
        Node before = rig.node("n");
        Rig.register(before, "web", rig.echo().getLocalPort());
        int port = Rig.port(Rig.forward(before, "web"));
        rig.stop(before);
        try (ServerSocket other = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            Node after = rig.node("n");
            assertThat(other.isBound()).isTrue();
            Rig.tunnels(after, new TunnelVerticle.Query.Close(Rig.only(after).getString("id")));
            assertThat(problems(after)).doesNotContain("does not listen");
            Object all = Rig.get(after.parts().bus().ask(TunnelVerticle.ASK, new TunnelVerticle.Query.All()));
            assertThat(all).hasToString("[]");
        }
    }

    private static String problems(Node node) {
        return node.parts().status().problems().encode();
    }

    @Test
    void aConnectionThatCarriesNothingEndsWhereItsForwardOrItsServiceSaysSo() throws Exception {
        Node provider = rig.node("provider");
        Node user = rig.node("user", Rig.meeting(provider));
        JsonObject idle = new JsonObject().put("idleMs", 1_000);
        Rig.register(provider, "short", rig.echo().getLocalPort(), idle);
        Rig.register(provider, "long", rig.echo().getLocalPort());
        int byService = Rig.port(Rig.forward(user, "short"));
        Rig.forward(user, "long");
        int byForward = Rig.port(Rig.tunnels(
                user, new TunnelVerticle.Query.Open(Target.parse("long", null), 0, "127.0.0.1:0", null, 1_000)));
        for (int port : new int[] {byService, byForward}) {
            try (Socket socket = Rig.connect(port)) {
                socket.getOutputStream().write(42);
                assertThat(Rig.read(socket)).isEqualTo(42);
                assertThat(Rig.read(socket)).isEqualTo(-1);
            }
        }
    }

    @Test
    void aCrowdAtOneForwardLeavesRoomForTheOthers() throws Exception {
        Node node = rig.node(
                "n",
                Policy.open(),
                List.of(parts -> new TunnelVerticle(
                        parts, System::currentTimeMillis, Descriptors.ofProcess(), Provider.OPEN_MAX, 4)));
        try (DatagramSocket crowded = udp();
                DatagramSocket quiet = udp();
                DatagramSocket user = udp()) {
            JsonObject udp = new JsonObject().put("protocol", "udp");
            Rig.register(node, "busy", crowded.getLocalPort(), udp);
            Rig.register(node, "calm", quiet.getLocalPort(), udp);
            JsonObject busy = Rig.forward(node, "busy");
            int calm = Rig.port(Rig.forward(node, "calm"));
            for (int i = 0; i < 4; i++) crowd(busy, crowded);
            int flow = through(user, calm, quiet);
            for (int i = 0; i < 8; i++) crowd(busy, crowded);
            assertThat(through(user, calm, quiet)).as("its flow goes on").isEqualTo(flow);
            assertThat(Rig.counted(node, "tunnel.flow.evicted"))
                    .as("each newcomer took the place of one")
                    .isEqualTo(9);
            JsonObject now = Rig.tunnels(node, new TunnelVerticle.Query.Show(busy.getString("id")));
            assertThat(now.getInteger("connections")).isEqualTo(3);
        }
    }

    private void crowd(JsonObject forward, DatagramSocket app) throws IOException {
        DatagramSocket one = udp();
        rig.add(one); // until the end: another would get its port
        through(one, Rig.port(forward), app);
    }

    /** Sends a datagram to a forward; returns the port from which the app then gets it, which tells flows apart. */
    private static int through(DatagramSocket user, int port, DatagramSocket app) throws IOException {
        user.send(new DatagramPacket(new byte[1], 1, InetAddress.getLoopbackAddress(), port));
        DatagramPacket got = new DatagramPacket(new byte[10], 10);
        app.receive(got);
        return got.getPort();
    }

    private static DatagramSocket udp() throws IOException {
        DatagramSocket socket = new DatagramSocket(0, InetAddress.getLoopbackAddress());
        socket.setSoTimeout(Rig.PATIENCE_S * 1_000);
        return socket;
    }

    /** What clients have not read waits in the kernel and in the node after their streams have ended. */
    @Test
    void aConnectionCountsUntilItsClientHasTakenAllOrLeft() throws Exception {
        Path table = Path.of("/proc/net/tcp");
        assumeTrue(Files.exists(table), "the kernel's table of sockets");
        Node provider = rig.node("provider");
        Node user = rig.node("user", Rig.meeting(provider));
        Rig.register(
                provider,
                "slow",
                rig.app(socket -> {
                            try (socket) {
                                int chunks = socket.getInputStream().read();
                                socket.getInputStream().readAllBytes();
                                socket.getOutputStream().write(new byte[chunks << 17]);
                            } catch (IOException _) {
                                // the client left
                            }
                        })
                        .getLocalPort());
        for (Node node : List.of(user, provider)) {
            int port = Rig.port(Rig.forward(node, "slow"));
            List<Socket> clients = new ArrayList<>();
            try {
                for (int chunks = 1;
                        chunks < 32;
                        chunks++) { // some of these amounts fit into the kernel's buffers, some do not
                    Socket client = new Socket();
                    clients.add(client);
                    client.setReceiveBufferSize(4_096);
                    client.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
                    client.getOutputStream().write(chunks);
                    client.shutdownOutput();
                }
                Rig.await("the node has closed one", () -> held(table, port, CLOSED) > 0);
                try (Socket other = Rig.connect(port)) {
                    other.getOutputStream().write(16);
                    other.shutdownOutput();
                    assertThat(other.getInputStream().readAllBytes()).hasSize(16 << 17);
                }
                Rig.await("those count that the node has not closed", () -> {
                    return Rig.only(node).getLong("connections") == held(table, port, OPEN);
                });
            } finally {
                for (Socket each : clients) each.close();
            }
            Rig.await("all have left", () -> Rig.only(node).getLong("connections") == 0);
        }
    }

    /** Accepted connections of a port that are in one of the kernel's states, of include/net/tcp_states.h. */
    private static long held(Path table, int port, List<String> states) {
        try (var lines = Files.lines(table)) {
            return lines.map(line -> line.trim().split(" +"))
                    .filter(row -> row[1].endsWith(String.format(":%04X", port)) && states.contains(row[3]))
                    .count();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
