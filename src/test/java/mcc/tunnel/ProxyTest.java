package mcc.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import mcc.consortium.Policy;
import mcc.node.Node;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The SOCKS5 proxy of a real node, used by clients that this test writes byte by byte (RFC 1928). */
class ProxyTest {
    @TempDir
    Path folder;

    private Rig rig;
    private final Descriptors descriptors = new Descriptors(1_000);
    private Node node;
    private int proxy;

    @BeforeEach
    void begin() {
        rig = new Rig(folder);
        proxy = Rig.free();
        node = rig.node(
                "n",
                Policy.open(),
                List.of(parts -> new TunnelVerticle(parts, System::currentTimeMillis, descriptors, 10_000, 100)),
                "socks",
                "127.0.0.1:" + proxy);
    }

    @AfterEach
    void end() {
        rig.close();
    }

    private Socket greeted() throws IOException {
        Socket client = Rig.connect(proxy);
        client.getOutputStream().write(new byte[] {5, 1, 0});
        assertThat(client.getInputStream().readNBytes(2)).containsExactly(5, 0);
        return client;
    }

    /** The code of the reply, followed by its address. */
    private static int reply(Socket client) throws IOException {
        byte[] head = client.getInputStream().readNBytes(10);
        assertThat(head).hasSize(10);
        assertThat(head[0]).isEqualTo((byte) 5);
        assertThat(head[3]).isEqualTo((byte) 1);
        return head[1];
    }

    private int connect(String name, int port) throws IOException {
        try (Socket client = greeted()) {
            client.getOutputStream().write(SocksReaderTest.wish(SocksReader.CONNECT, name, port));
            int code = reply(client);
            if (code != 0)
                assertThat(Rig.read(client))
                        .as("nothing comes behind a refusal")
                        .isEqualTo(-1);
            return code;
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "05", "0501", "050100", "05010005", "050100050100030b6563", "0401"})
    void whoLeavesBeforeItsRequestIsWholeLeavesNoDescriptor(String hex) throws Exception {
        for (int i = 0; i < 20; i++) {
            try (Socket client = Rig.connect(proxy)) {
                client.getOutputStream().write(HexFormat.of().parseHex(hex));
            }
        }
        try (Socket client = greeted()) { // all those before it were accepted
            assertThat(client.isConnected()).isTrue();
        }
        Rig.await("the proxy's own is left", () -> descriptors.all() == 1);
    }

    @Test
    void whoAsksForNothingTakesHalfOfThePlacesForSuchClientsAtMost() throws Exception {
        List<Socket> silent = new ArrayList<>();
        try {
            for (int i = 0; i < Socks.GREETING_MAX / 2; i++) silent.add(Rig.connect(proxy));
            try (Socket beyond = Rig.connect(proxy)) {
                assertThat(Rig.read(beyond)).isEqualTo(-1);
            }
            assertThat(Rig.counted(node, "tunnel.socks.refused")).isEqualTo(1);
            silent.removeLast().close();
            Rig.await("there is room again", () -> {
                try (Socket client = Rig.connect(proxy)) {
                    client.getOutputStream().write(new byte[] {5, 1, 0});
                    return Rig.read(client) == 5;
                } catch (IOException _) {
                    return false;
                }
            });
        } finally {
            for (Socket each : silent) each.close();
        }
    }

    @Test
    void whoNeverAsksIsLeft() throws Exception {
        try (Socket silent = Rig.connect(proxy)) {
            assertThat(Rig.read(silent)).isEqualTo(-1);
        }
    }

    @Test
    void theReplyTellsWhyThereIsNoConnection() throws Exception {
        int port = rig.echo().getLocalPort();
        Rig.register(node, "web", port);
        Rig.register(node, "shut", Rig.free());
        assertThat(connect("web.open.mcc", port)).as("the service's port").isZero();
        assertThat(connect("web.open.mcc", 80)).as("what a browser says of any").isZero();
        assertThat(connect("web.open.mcc", port + 1))
                .as("another port: refused")
                .isEqualTo(5);
        assertThat(connect("shut.open.mcc", 80)).as("its app refuses").isEqualTo(5);
        assertThat(connect("none.open.mcc", 80)).as("nobody offers it").isEqualTo(4);
        assertThat(connect("example.org", 80)).as("no service").isEqualTo(2);
    }

    private static JsonObject ports(Object... numbersAndProtocols) {
        JsonArray all = new JsonArray();
        for (int i = 0; i < numbersAndProtocols.length; i += 2) {
            all.add(new JsonObject().put("port", numbersAndProtocols[i]).put("protocol", numbersAndProtocols[i + 1]));
        }
        return new JsonObject().put("ports", all);
    }

    @Test
    void thePortThatAClientNamesIsAmongThoseOfTheService() throws Exception {
        Node far = rig.node("far", Rig.meeting(node));
        int first = saying('1').getLocalPort();
        int second = saying('2').getLocalPort();
        for (Node at : List.of(node, far)) {
            String service = at == far ? "there" : "here";
            Rig.register(at, service, first, ports(first, "tcp", second, "http", first, "udp"));
            Rig.forward(node, service);
            for (int port : new int[] {first, second, 80}) {
                try (Socket client = greeted()) {
                    byte[] wish = SocksReaderTest.wish(SocksReader.CONNECT, service + ".open.mcc", port);
                    client.getOutputStream().write(wish);
                    assertThat(reply(client)).isZero();
                    assertThat(Rig.read(client)).isEqualTo(port == second ? '2' : '1');
                }
            }
            long before = Rig.counted(node, "tunnel.port.refused");
            assertThat(connect(service + ".open.mcc", 1)).isEqualTo(5);
            assertThat(Rig.counted(node, "tunnel.port.refused")).isEqualTo(before + 1);
        }
    }

    private ServerSocket saying(char word) {
        return rig.app(socket -> {
            try (socket) {
                socket.getOutputStream().write(word);
            } catch (IOException _) {
                // gone already
            }
        });
    }

    @Test
    void aConnectionToAServiceOfUdpIsRefused() throws Exception {
        Rig.register(node, "dns", 53, new JsonObject().put("protocol", "udp"));
        assertThat(connect("dns.open.mcc", 53)).isEqualTo(5);
    }

    @Test
    void anotherNodesRefusalIsToldAlike() throws Exception {
        Node far = rig.node("far", Rig.meeting(node));
        int port = rig.echo().getLocalPort();
        Rig.register(far, "web", port);
        Rig.register(far, "shut", Rig.free());
        Rig.forward(node, "web");
        Rig.forward(node, "shut");
        assertThat(connect("web.open.mcc", port)).isZero();
        assertThat(connect("web.open.mcc", port + 1)).isEqualTo(5);
        assertThat(connect("shut.open.mcc", 80)).isEqualTo(5);
    }

    @Test
    void whatComesTogetherWithTheRequestReachesTheApp() throws Exception {
        Node far = rig.node("far", Rig.meeting(node));
        Rig.register(node, "here", rig.echo().getLocalPort());
        Rig.register(far, "there", rig.echo().getLocalPort());
        Rig.forward(node, "there");
        for (String name : new String[] {"here", "there"}) {
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            all.writeBytes(new byte[] {5, 1, 0});
            all.writeBytes(SocksReaderTest.wish(SocksReader.CONNECT, name + ".open.mcc", 80));
            all.writeBytes("early".getBytes(StandardCharsets.US_ASCII));
            try (Socket client = Rig.connect(proxy)) {
                client.getOutputStream().write(all.toByteArray());
                client.getOutputStream().write('!');
                assertThat(client.getInputStream().readNBytes(2)).containsExactly(5, 0);
                assertThat(reply(client)).isZero();
                assertThat(client.getInputStream().readNBytes(6))
                        .asString(StandardCharsets.US_ASCII)
                        .isEqualTo("early!");
            }
        }
    }

    @Test
    void datagramsReachAServiceAndOnlyTheClientsOwn() throws Exception {
        try (DatagramSocket app = new DatagramSocket(0, InetAddress.getLoopbackAddress());
                DatagramSocket client = new DatagramSocket(0, InetAddress.getLoopbackAddress());
                DatagramSocket stranger = new DatagramSocket(0, InetAddress.getLoopbackAddress());
                Socket control = greeted()) {
            Thread.ofVirtual().start(() -> echo(app));
            Rig.register(node, "dns", app.getLocalPort(), new JsonObject().put("protocol", "udp"));
            client.setSoTimeout(Rig.PATIENCE_S * 1_000);
            DataOutputStream out = new DataOutputStream(control.getOutputStream());
            out.write(new byte[] {5, SocksReader.ASSOCIATE, 0, 1, 0, 0, 0, 0});
            out.writeShort(client.getLocalPort());
            DataInputStream in = new DataInputStream(control.getInputStream());
            assertThat(in.readNBytes(4)).containsExactly(5, 0, 0, 1);
            InetAddress ip = InetAddress.getByAddress(in.readNBytes(4));
            int port = in.readUnsignedShort();
            byte[] asked = SocksDatagram.from("dns.open.mcc", app.getLocalPort(), new byte[] {1, 2, 3});
            stranger.send(new DatagramPacket(asked, asked.length, ip, port));
            client.send(new DatagramPacket(asked, asked.length, ip, port));
            DatagramPacket got = new DatagramPacket(new byte[100], 100);
            client.receive(got);
            SocksDatagram answer = SocksDatagram.parse(java.util.Arrays.copyOf(got.getData(), got.getLength()));
            assertThat(answer.name()).isEqualTo("dns.open.mcc");
            assertThat(answer.port()).isEqualTo(app.getLocalPort());
            assertThat(answer.bytes()).containsExactly(1, 2, 3);
            assertThat(Rig.counted(node, "tunnel.socks.stranger")).isEqualTo(1);
            control.close();
            Rig.await("its port goes with its connection", () -> isFree(ip, port));
        }
    }

    private static boolean isFree(InetAddress ip, int port) {
        try (DatagramSocket again = new DatagramSocket(port, ip)) {
            return again.isBound();
        } catch (IOException _) {
            return false;
        }
    }

    private static void echo(DatagramSocket app) {
        DatagramPacket packet = new DatagramPacket(new byte[2_000], 2_000);
        while (!app.isClosed()) {
            try {
                app.receive(packet);
                app.send(packet);
            } catch (IOException _) {
                return; // closed at the end of the test
            }
        }
    }
}
