package mcc.api;

import io.vertx.core.Future;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import mcc.consortium.Policy;
import mcc.node.Node;
import mcc.node.Settings;
import mcc.tunnel.TunnelVerticle;

/** A node in this process with its REST interface on a free port of loopback. */
final class ApiNode implements AutoCloseable {
    private static final Pattern LENGTH = Pattern.compile("(?i)\r\ncontent-length: (\\d+)");

    final Node node;
    final URI http;

    private ApiNode(Node node) {
        this.node = node;
        http = URI.create(node.parts().status().http());
    }

    static ApiNode start(Path data) {
        Map<String, String> values = new LinkedHashMap<>();
        values.put("data", data.toString());
        values.put("listen", "127.0.0.1:0");
        values.put("http", "127.0.0.1:0");
        return new ApiNode(Node.start(
                Settings.load(values, Map.of(), null), Policy.open(), List.of(TunnelVerticle::new, ApiVerticle::new)));
    }

    Socket connect() throws IOException {
        Socket socket = new Socket(http.getHost(), http.getPort());
        socket.setSoTimeout(60_000);
        return socket;
    }

    /** All that the node sends on a connection of its own until it closes that. */
    String exchange(String request) throws IOException {
        try (Socket socket = connect()) {
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /** The first answer to what is sent on a connection of its own. */
    String first(String request) throws IOException {
        try (Socket socket = connect()) {
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            return answer(socket.getInputStream());
        }
    }

    /** One answer that tells its length, or ends with its connection. */
    static String answer(InputStream in) throws IOException {
        String head = head(in);
        if (!head.endsWith("\r\n\r\n")) return head;
        Matcher length = LENGTH.matcher(head);
        byte[] body = length.find() ? in.readNBytes(Integer.parseInt(length.group(1))) : in.readAllBytes();
        return head + new String(body, StandardCharsets.UTF_8);
    }

    /** The head of an answer, or what came of it before the connection's end. */
    static String head(InputStream in) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        String head = "";
        while (!head.endsWith("\r\n\r\n")) {
            int next = in.read();
            if (next < 0) return head;
            bytes.write(next);
            head = bytes.toString(StandardCharsets.UTF_8);
        }
        return head;
    }

    static <T> T await(Future<T> future) {
        return future.toCompletionStage()
                .toCompletableFuture()
                .orTimeout(60, TimeUnit.SECONDS)
                .join();
    }

    @Override
    public void close() {
        node.close();
    }
}
