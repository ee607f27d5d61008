package mcc.plugin;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import mcc.api.ApiVerticle;
import mcc.consortium.Policy;
import mcc.node.Node;
import mcc.node.Settings;
import mcc.tunnel.TunnelVerticle;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The bridge of a node in this process, with clients that do not behave. */
class BridgeTest {
    @TempDir
    Path folder;

    private Node start() {
        Map<String, String> values =
                Map.of("data", folder.resolve("n").toString(), "listen", "127.0.0.1:0", "http", "127.0.0.1:0");
        return Node.start(
                Settings.load(values, Map.of(), null),
                Policy.open(),
                List.of(TunnelVerticle::new, ApiVerticle::new, PluginVerticle::new));
    }

    /** A WebSocket by hand, so that it can end in every way. */
    private static final class Raw implements AutoCloseable {
        private final Socket socket;

        Raw(Node node, String path, byte[]... frames) throws IOException {
            URI uri = URI.create(node.parts().status().http());
            socket = new Socket(uri.getHost(), uri.getPort());
            socket.setSoTimeout(60_000);
            String request = "GET /api/v1/bus" + path + " HTTP/1.1\r\nHost: " + uri.getAuthority()
                    + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                    + "Sec-WebSocket-Version: 13\r\n\r\n";
            ByteBuffer all = ByteBuffer.allocate(4_096).put(request.getBytes(StandardCharsets.US_ASCII));
            for (byte[] frame : frames) all.put(frame);
            socket.getOutputStream().write(all.array(), 0, all.position());
        }

        /** Up to the end of the handshake's answer. */
        void opened() throws IOException {
            StringBuilder head = new StringBuilder();
            while (!head.toString().endsWith("\r\n\r\n"))
                head.append((char) socket.getInputStream().read());
        }

        /** Whether a ping is answered by a text, and not by a close. */
        boolean isAnswered() throws IOException {
            opened();
            socket.getOutputStream().write(PING);
            return socket.getInputStream().read() == 0x81;
        }

        /** Without goodbye: the other side gets a reset. */
        void reset() throws IOException {
            socket.setSoLinger(true, 0);
            socket.close();
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }

    /** A short frame of a client (RFC 6455 section 5.2), masked by zeros. */
    private static byte[] frame(int opcode, String text) {
        byte[] payload = text.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(6 + payload.length)
                .put((byte) (0x80 | opcode))
                .put((byte) (0x80 | payload.length))
                .putInt(0)
                .put(payload)
                .array();
    }

    private static final byte[] PING = frame(1, "{\"type\":\"ping\"}");
    private static final byte[] CLOSE = frame(8, "");

    private static void endAbruptly(Node node, int i) throws IOException {
        String path = i % 3 == 0 ? "/1/s" + i + "/websocket" : "/websocket";
        switch (i % 4) {
            case 0 -> new Raw(node, path).reset();
            case 1 -> new Raw(node, path, CLOSE).reset();
            case 2 -> {
                Raw raw = new Raw(node, path);
                raw.opened();
                raw.socket.getOutputStream().write(PING);
                raw.reset();
            }
            default -> new Raw(node, path, PING, CLOSE).close();
        }
    }

    @Test
    void threeHundredThatEndAbruptlyLeaveEveryPlaceFree() throws Exception {
        List<Raw> open = new ArrayList<>();
        try (Node node = start()) {
            for (int i = 0; i < 300; i++) endAbruptly(node, i);
            // One that comes before the last have been noticed is turned away, and comes again.
            while (open.size() < Bridge.MAX) {
                Raw raw = new Raw(node, "/websocket");
                if (raw.isAnswered()) open.add(raw);
                else raw.close();
            }
            try (Raw beyond = new Raw(node, "/websocket")) {
                assertThat(beyond.isAnswered()).isFalse();
            }
            assertThat(node.parts().status().problems().encode()).doesNotContain("verticle");
        } finally {
            for (Raw raw : open) raw.close();
        }
    }
}
