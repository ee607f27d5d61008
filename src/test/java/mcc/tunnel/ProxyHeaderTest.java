package mcc.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.json.JsonObject;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import mcc.core.Id;
import mcc.node.Node;
import mcc.tun.InnerAddress;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an app that expects the PROXY protocol reads, read by a strict parser of this test. */
class ProxyHeaderTest {
    /** What a header says; only the command if that is LOCAL. */
    record Header(int command, String from, int fromPort, String to, int toPort, String node) {
        /** Reads a header as section 2.2 of the protocol defines it, and not a byte more. */
        static Header read(InputStream bytes) throws IOException {
            DataInputStream in = new DataInputStream(bytes);
            byte[] signature = in.readNBytes(12);
            assertThat(signature).isEqualTo("\r\n\r\n\0\r\nQUIT\n".getBytes(StandardCharsets.ISO_8859_1));
            int version = in.readUnsignedByte();
            assertThat(version >> 4).isEqualTo(2);
            int command = version & 0xf;
            int family = in.readUnsignedByte();
            byte[] rest = new byte[in.readUnsignedShort()];
            in.readFully(rest);
            if (command == 0) {
                assertThat(family).isZero();
                assertThat(rest).isEmpty();
                return new Header(0, "", 0, "", 0, "");
            }
            assertThat(command).isEqualTo(1);
            assertThat(family).as("TCP over IPv6").isEqualTo(0x21);
            DataInputStream body = new DataInputStream(new java.io.ByteArrayInputStream(rest));
            String from = InetAddress.getByAddress(body.readNBytes(16)).getHostAddress();
            String to = InetAddress.getByAddress(body.readNBytes(16)).getHostAddress();
            int fromPort = body.readUnsignedShort();
            int toPort = body.readUnsignedShort();
            String node = "";
            while (body.available() > 0) {
                assertThat(body.readUnsignedByte()).isEqualTo(0xE0);
                node = new String(body.readNBytes(body.readUnsignedShort()), StandardCharsets.US_ASCII);
            }
            return new Header(command, from, fromPort, to, toPort, node);
        }
    }

    @TempDir
    Path folder;

    private Rig rig;
    private final BlockingQueue<Header> headers = new LinkedBlockingQueue<>();

    @BeforeEach
    void begin() {
        rig = new Rig(folder);
    }

    @AfterEach
    void end() {
        rig.close();
    }

    /** An app that reads a header, and echoes what follows it. */
    private int app() {
        return rig.app(socket -> {
                    try (socket) {
                        headers.add(Header.read(socket.getInputStream()));
                        socket.getInputStream().transferTo(socket.getOutputStream());
                    } catch (IOException _) {
                        // gone
                    }
                })
                .getLocalPort();
    }

    private static String address(Id id) throws IOException {
        return InetAddress.getByAddress(InnerAddress.of("open", id).bytes()).getHostAddress();
    }

    @Test
    void theAppLearnsWhichNodeCallsBeforeAnyByteOfTheCaller() throws Exception {
        Node provider = rig.node("provider");
        Node user = rig.node("user", Rig.meeting(provider));
        int port = app();
        Id endpoint = Rig.register(provider, "web", port, new JsonObject().put("proxy", "v2"));
        for (Node caller : new Node[] {user, provider}) {
            try (Socket socket = Rig.connect(Rig.port(Rig.forward(caller, "web")))) {
                socket.getOutputStream().write("hello".getBytes(StandardCharsets.US_ASCII));
                assertThat(socket.getInputStream().readNBytes(5))
                        .asString(StandardCharsets.US_ASCII)
                        .isEqualTo("hello");
            }
            Id id = caller.parts().id();
            assertThat(headers.poll(Rig.PATIENCE_S, TimeUnit.SECONDS))
                    .isEqualTo(new Header(1, address(id), 0, address(endpoint), port, id.toString()));
        }
    }

    @Test
    void whatTheNodeAsksForItselfSaysSo() throws Exception {
        JsonObject check = new JsonObject().put("type", "tcp").put("intervalMs", 1_000);
        Rig.register(
                rig.node("n"), "web", app(), new JsonObject().put("proxy", "v2").put("check", check));
        Header first = headers.poll(Rig.PATIENCE_S, TimeUnit.SECONDS);
        assertThat(first).isEqualTo(new Header(0, "", 0, "", 0, ""));
    }
}
