package mcc.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Nodes that use no UDP and get out by an HTTP proxy alone. */
@Tag("long")
class CarrierProxyIT {
    private static final String PASSWORD = "p@ss:word-of-the-proxy";
    private static final String IN_URL = "p%40ss%3Aword-of-the-proxy";

    @TempDir
    Path folder;

    private static int freePort() throws Exception {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private RealNode relay(int port) {
        return RealNode.start(folder.resolve("relay"), "--relay-websocket", "127.0.0.1:" + port);
    }

    private Path file(String url) throws Exception {
        Path file = folder.resolve("proxy.txt");
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(file, url + "\n");
        return file;
    }

    private static void echo(ServerSocket server) {
        Thread.ofVirtual().start(() -> {
            while (!server.isClosed()) {
                try {
                    Socket socket = server.accept();
                    Thread.ofVirtual().start(() -> answer(socket));
                } catch (IOException e) {
                    return; // closed
                }
            }
        });
    }

    private static void answer(Socket socket) {
        try (socket) {
            socket.getInputStream().transferTo(socket.getOutputStream());
        } catch (IOException e) {
            // the other end will notice
        }
    }

    @Test
    void aProxyThatOpensTlsSeesSealedBytesOnly() throws Exception {
        int port = freePort();
        try (TestProxy proxy = new TestProxy("user", PASSWORD, folder);
                ServerSocket app = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
                RealNode relay = relay(port);
                RealNode open = RealNode.start(folder.resolve("open"), "--bootstrap", relay.bootstrap());
                RealNode blocked = RealNode.start(
                        folder.resolve("blocked"),
                        "--carrier",
                        "only",
                        "--proxy-file",
                        file("http://user:" + IN_URL + "@localhost:" + proxy.port())
                                .toString(),
                        "--bootstrap",
                        "wss://localhost:" + port + "#" + relay.id)) {
            echo(app);
            open.register("whispered", "whispered", app.getLocalPort());
            RealNode.await("it finds", () -> blocked.providers("whispered").contains(open.id), blocked, open, relay);
            byte[] secret = "nobody-between-reads-this ".repeat(2_000).getBytes(StandardCharsets.US_ASCII);
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), blocked.forward("whispered"))) {
                socket.setSoTimeout(60_000);
                socket.getOutputStream().write(secret);
                assertThat(socket.getInputStream().readNBytes(secret.length)).isEqualTo(secret);
            }
            String seen = proxy.recorded();
            assertThat(seen).as("it opened TLS").contains("GET /mcc HTTP/1.1");
            assertThat(seen.length()).isGreaterThan(2 * secret.length);
            assertThat(seen).doesNotContain("nobody-between").doesNotContain("whispered");
            for (JsonNode peer : blocked.get("/api/v1/peers").body().path("items")) {
                assertThat(peer.at("/path/tx").asText()).isNotIn("direct", "lan");
            }
            assertThat(proxy.requests).allMatch(head -> head.startsWith("CONNECT localhost:" + port + " "));
        }
    }

    @Test
    void aProxyThatRefusesIsToldAndItsPasswordIsNot() throws Exception {
        int port = freePort();
        try (TestProxy proxy = new TestProxy("user", "another", null);
                RealNode blocked = RealNode.start(
                        folder.resolve("blocked"),
                        "--carrier",
                        "only",
                        "--proxy-file",
                        file("http://user:" + IN_URL + "@127.0.0.1:" + proxy.port())
                                .toString(),
                        "--log-level",
                        "trace",
                        "--bootstrap",
                        "wss://127.0.0.1:" + port)) {
            RealNode.await("the problem is told", () -> told(blocked).contains("(407)"), blocked);
            String told = told(blocked);
            assertThat(told).contains("the proxy 127.0.0.1:" + proxy.port());
            String everything = told
                    + blocked.log()
                    + blocked.get("/api/v1/nat").raw().body()
                    + blocked.get("/metrics").raw().body()
                    + blocked.get("/api/v1/events/history").raw().body();
            assertThat(everything).doesNotContain(PASSWORD).doesNotContain(IN_URL);
        }
    }

    private static String told(RealNode node) {
        for (JsonNode each : node.get("/api/v1/node").body().path("problems")) {
            if (each.path("code").asText().equals("no-carrier"))
                return each.path("title").asText();
        }
        return "";
    }
}
