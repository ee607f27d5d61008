package mcc.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.json.JsonObject;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import mcc.node.Node;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Services whose port is one of the node itself: one connection must not turn into as many as there are descriptors. */
class LoopTest {
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

    @ParameterizedTest
    @CsvSource({
        "127.0.0.1:0, 127.0.0.1",
        "127.0.0.1:0, localhost",
        "127.0.0.1:0, 0.0.0.0",
        "0.0.0.0:0, 127.0.0.1",
        "0.0.0.0:0, 127.0.0.9",
        "localhost:0, ::ffff:127.0.0.1",
        "[::]:0, 127.0.0.1",
        "[::]:0, ::1",
        "[::1]:0, ::"
    })
    void aForwardWhoseServiceIsTheForwardItselfEndsItsConnectionAtOnce(String listen, String host) throws Exception {
        Node node = rig.node("n");
        Rig.register(node, "web", rig.echo().getLocalPort());
        int port = Rig.port(Rig.forward(node, "web", listen, null));
        Rig.register(node, "web", port, new JsonObject().put("host", host));
        InetAddress at = InetAddress.getByName(listen.startsWith("[") ? "::1" : "127.0.0.1");
        try (Socket user = new Socket(at, port)) {
            user.setSoTimeout(Rig.PATIENCE_S * 1_000);
            assertThat(Rig.read(user)).isEqualTo(-1);
        }
        assertThat(Rig.only(node).getLong("connectionsTotal")).isEqualTo(1);
        assertThat(Rig.counted(node, "tunnel.loop.refused")).isEqualTo(1);
    }

    @Test
    void theSameAtAnotherNodeIsToldAsTheServicesFault() throws Exception {
        Node provider = rig.node("provider");
        Node user = rig.node("user", Rig.meeting(provider));
        Rig.register(provider, "web", rig.echo().getLocalPort());
        int own = Rig.port(Rig.forward(provider, "web"));
        Rig.register(provider, "web", own);
        try (Socket socket = Rig.connect(Rig.port(Rig.forward(user, "web")))) {
            assertThat(Rig.read(socket)).isEqualTo(-1);
        }
        assertThat(Rig.counted(provider, "tunnel.loop.refused")).isEqualTo(1);
        assertThat(Rig.only(provider).getLong("connectionsTotal")).isZero();
    }

    @Test
    void aFlowOfDatagramsThatLeadsIntoItselfIsRefusedToo() throws Exception {
        Node node = rig.node("n");
        JsonObject udp = new JsonObject().put("protocol", "udp");
        Rig.register(node, "dns", 9, udp);
        int port = Rig.port(Rig.forward(node, "dns"));
        Rig.register(node, "dns", port, udp);
        try (DatagramSocket client = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
            client.send(new DatagramPacket(new byte[1], 1, InetAddress.getLoopbackAddress(), port));
            Rig.await("it is refused", () -> Rig.counted(node, "tunnel.loop.refused") == 1);
        }
        assertThat(Rig.only(node).getLong("connectionsTotal")).isEqualTo(1);
    }

    @Test
    void theProxyIsNoServiceEither() throws Exception {
        Node node = rig.node("n", "socks", "127.0.0.1:" + Rig.free());
        int proxy = Integer.parseInt(node.parts().settings().text("socks").split(":")[1]);
        Rig.register(node, "proxy", proxy);
        try (Socket user = Rig.connect(Rig.port(Rig.forward(node, "proxy")))) {
            assertThat(Rig.read(user)).isEqualTo(-1);
        }
        assertThat(Rig.counted(node, "tunnel.loop.refused")).isEqualTo(1);
    }
}
