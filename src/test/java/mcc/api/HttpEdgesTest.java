package mcc.api;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/** What is no HTTP, or hardly any, on a node's real socket: each is told a problem, and leaves no trace in the log. */
class HttpEdgesTest {
    private static final String CLOSE = "Connection: close\r\n";

    @TempDir
    static Path folder;

    private static ApiNode node;

    private final ListAppender<ILoggingEvent> log = new ListAppender<>();

    @BeforeAll
    static void startNode() {
        node = ApiNode.start(folder.resolve("n"));
    }

    @AfterAll
    static void stopNode() {
        node.close();
    }

    @BeforeEach
    void listen() {
        log.start();
        ((Logger) LoggerFactory.getLogger("ROOT")).addAppender(log);
    }

    @AfterEach
    void nothingWasLogged() {
        ((Logger) LoggerFactory.getLogger("ROOT")).detachAppender(log);
        assertThat(List.copyOf(log.list).stream()
                        .filter(e -> e.getLevel().isGreaterOrEqual(Level.WARN))
                        .map(e -> e.getLoggerName() + " " + e.getFormattedMessage() + " " + e.getThrowableProxy()))
                .isEmpty();
    }

    private static String host() {
        return "Host: " + node.http.getAuthority() + "\r\n";
    }

    /** The one answer to a request, which is a problem. */
    private static void refused(int status, String code, String request) throws IOException {
        String answer = node.first(request);
        String as = request.substring(0, Math.min(80, request.length())) + " -> " + answer;
        assertThat(answer).as(as).startsWith("HTTP/1.1 " + status + " ");
        int end = answer.indexOf("\r\n\r\n");
        assertThat(answer.substring(0, end).toLowerCase()).as(as).contains("content-type: application/problem+json");
        JsonObject problem = new JsonObject(answer.substring(end + 4));
        assertThat(problem.getString("code")).as(as).isEqualTo(code);
        assertThat(problem.getInteger("status")).isEqualTo(status);
        assertThat(problem.getString("detail")).isNotBlank();
    }

    @Test
    void whatIsNoRequestIsToldSo() throws IOException {
        refused(400, "validation", "nonsense\r\n\r\n");
        refused(400, "validation", "GET / HTTP/1.1\r\n" + host() + "bad header\u0000: x\r\n\r\n");
        refused(400, "validation", "GET / HTTP/9.9\r\n" + host() + CLOSE + "\r\n");
        refused(414, "uri-too-long", "GET /" + "x".repeat(5_000) + " HTTP/1.1\r\n" + host() + "\r\n");
        refused(431, "headers-too-large", "GET / HTTP/1.1\r\n" + host() + "X: " + "x".repeat(20_000) + "\r\n\r\n");
        refused(400, "validation", "GET /api/v1/%zz HTTP/1.1\r\n" + host() + CLOSE + "\r\n");
        refused(400, "validation", "GET /api/v1/peers?limit=%zz HTTP/1.1\r\n" + host() + CLOSE + "\r\n");
    }

    @Test
    void aMalformedBodyIsToldSo() throws IOException {
        String put = "PUT /api/v1/registrations/a HTTP/1.1\r\n" + host() + "Content-Type: application/json\r\n";
        refused(400, "validation", put + "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n");
        refused(400, "validation", put + "Content-Length: 5\r\nContent-Length: 7\r\n\r\n{}{}{");
        refused(417, "expectation-failed", put + CLOSE + "Expect: a miracle\r\nContent-Length: 2\r\n\r\n{}");
        refused(413, "too-large", put + CLOSE + "Content-Length: 70000\r\n\r\n" + " ".repeat(70_000));
        refused(400, "validation", put + CLOSE + "Content-Length: 60000\r\n\r\n" + "[".repeat(60_000));
        refused(400, "validation", put + CLOSE + "Content-Length: 4\r\n\r\nnull");
        refused(
                400,
                "validation",
                "GET /api/v1/peers?limit=x HTTP/1.1\r\n" + host() + "Transfer-Encoding: chunked\r\n\r\nzz\r\n");
        String get = "GET /health HTTP/1.1\r\n" + host();
        assertThat(node.exchange(get + "\r\n" + put + "Transfer-Encoding: chunked\r\n\r\nzz\r\n"))
                .as("the answer before comes first")
                .matches("(?s)HTTP/1.1 (200|503).*HTTP/1.1 400.*");
    }

    @Test
    void theHostHasToBeOneAndAllowed() throws IOException {
        String own = node.http.getAuthority();
        String get = "GET /api/v1/node HTTP/1.1\r\n" + CLOSE;
        refused(400, "validation", get + "\r\n");
        refused(400, "validation", get + host() + "Host: evil.example\r\n\r\n");
        refused(400, "validation", get + host() + host() + "\r\n");
        refused(421, "host-not-allowed", get + "Host: evil.example\r\n\r\n");
        refused(421, "host-not-allowed", "GET http://evil.example/api/v1/node HTTP/1.1\r\n" + host() + CLOSE + "\r\n");
        refused(421, "host-not-allowed", "GET http://a@" + own + "/api/v1/node HTTP/1.1\r\n" + host() + CLOSE + "\r\n");
        refused(403, "origin-not-allowed", get + host() + "Origin: http://" + own + "\r\nOrigin: http://evil\r\n\r\n");
        assertThat(node.exchange("GET http://" + own + "/api/v1/node HTTP/1.1\r\n" + host() + CLOSE + "\r\n"))
                .startsWith("HTTP/1.1 200 ");
    }

    @Test
    void aWebSocketThatIsNoneIsToldSo() throws IOException {
        String live = "GET /api/v1/live HTTP/1.1\r\n" + host();
        refused(426, "upgrade-required", live + CLOSE + "\r\n");
        refused(426, "upgrade-required", live + "Connection: upgrade\r\nUpgrade: h2c\r\n\r\n");
        refused(
                426,
                "upgrade-required",
                live + "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 7\r\n"
                        + "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n");
        refused(
                426,
                "upgrade-required",
                live + "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n");
    }

    @Test
    void whoLeavesInTheMiddleLeavesNoTrace() throws IOException {
        for (String part : List.of(
                "GET /api/v1/no",
                "PUT /api/v1/registrations/a HTTP/1.1\r\n" + host()
                        + "Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{",
                "GET /api/v1/services?index=0&wait=1m HTTP/1.1\r\n" + host() + "\r\n",
                "GET /api/v1/events HTTP/1.1\r\n" + host() + "\r\n",
                "POST /api/v1/bus/123/abc/xhr_streaming HTTP/1.1\r\n" + host() + "\r\n",
                "GET /ui/x HTTP/1.1\r\n" + host() + "\r\n")) {
            for (int i = 0; i < 5; i++) {
                Socket socket = node.connect();
                socket.getOutputStream().write(part.getBytes(StandardCharsets.US_ASCII));
                if (i > 2) socket.setSoLinger(true, 0); // a reset
                socket.close();
            }
        }
        assertThat(node.exchange("GET /health/live HTTP/1.1\r\n" + host() + CLOSE + "\r\n"))
                .startsWith("HTTP/1.1 200 ");
    }

    @Test
    void oneConnectionTooManyIsToldSoAndTheOthersStay() throws IOException {
        Vertx vertx = Vertx.vertx();
        Connections connections = new Connections(3);
        try {
            Context home = vertx.getOrCreateContext();
            HttpServer server = ApiNode.await(io.vertx.core.Future.<HttpServer>future(done -> home.runOnContext(
                    _ -> vertx.createHttpServer(new HttpServerOptions().setHttp2ClearTextEnabled(false))
                            .connectionHandler(connections::take)
                            .requestHandler(request -> request.response().end("here"))
                            .listen(0, "127.0.0.1")
                            .onComplete(done))));
            List<Socket> open = new ArrayList<>();
            for (int i = 0; i < 3; i++) open.add(new Socket("127.0.0.1", server.actualPort()));
            for (Socket each : open) assertThat(ask(each)).contains("here");
            try (Socket more = new Socket("127.0.0.1", server.actualPort())) {
                more.setSoTimeout(60_000);
                String answer = new String(more.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                assertThat(answer).startsWith("HTTP/1.1 503 ").contains("\"overloaded\"");
            }
            for (Socket each : open) assertThat(ask(each)).contains("here");
            open.removeFirst().close();
            while (ApiNode.await(io.vertx.core.Future.<Integer>future(
                            done -> home.runOnContext(_ -> done.complete(connections.open()))))
                    > 2) Thread.onSpinWait(); // the server hears of the close a little later
            try (Socket next = new Socket("127.0.0.1", server.actualPort())) {
                assertThat(ask(next)).contains("here");
            }
            assertThat(connections.refused()).isEqualTo(1);
            for (Socket each : open) each.close();
        } finally {
            ApiNode.await(vertx.close());
        }
    }

    private static String ask(Socket socket) throws IOException {
        socket.setSoTimeout(60_000);
        socket.getOutputStream().write("GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        InputStream in = socket.getInputStream();
        StringBuilder out = new StringBuilder();
        while (out.indexOf("here") < 0) {
            int next = in.read();
            if (next < 0) break;
            out.append((char) next);
        }
        return out.toString();
    }
}
