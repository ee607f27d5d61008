package mcc.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.json.JsonObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import mcc.node.Bus;
import mcc.node.NodeEvent;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Server-sent events on real sockets. */
class EventStreamTest {
    private final Vertx vertx = Vertx.vertx();
    private final Context home = vertx.getOrCreateContext();
    private final EventLog log = new EventLog();
    private final EventStream stream = new EventStream(vertx, new Bus(vertx), log);
    private HttpServer server;

    @BeforeEach
    void start() {
        Promise<HttpServer> listening = Promise.promise();
        home.runOnContext(_ -> vertx.createHttpServer()
                .requestHandler(request -> stream.serve(request, new JsonObject()))
                .listen(0, "127.0.0.1")
                .onComplete(listening));
        server = await(listening.future());
    }

    @AfterEach
    void stop() {
        await(vertx.close());
    }

    private static <T> T await(Future<T> future) {
        return future.toCompletionStage()
                .toCompletableFuture()
                .orTimeout(60, TimeUnit.SECONDS)
                .join();
    }

    private <T> T there(Supplier<T> what) {
        CompletableFuture<T> done = new CompletableFuture<>();
        home.runOnContext(_ -> done.complete(what.get()));
        return done.orTimeout(60, TimeUnit.SECONDS).join();
    }

    private void happen(int times, int bytes) {
        JsonObject data = new JsonObject().put("filler", "x".repeat(bytes));
        there(() -> {
            for (int i = 0; i < times; i++) log.add(new NodeEvent("test.event", data));
            return 0;
        });
    }

    /** A client that is welcome, and has read no further. */
    private BufferedReader open(Socket socket, String header) throws IOException {
        socket.setReceiveBufferSize(4_096);
        socket.setSoTimeout(60_000);
        socket.connect(new InetSocketAddress("127.0.0.1", server.actualPort()));
        socket.getOutputStream()
                .write(("GET / HTTP/1.0\r\nHost: localhost\r\n" + header + "\r\n").getBytes(StandardCharsets.US_ASCII));
        BufferedReader in = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
        while (!in.readLine().equals(": welcome")) assertThat(socket.isClosed()).isFalse();
        return in;
    }

    private static int events(BufferedReader in, int count) throws IOException {
        int seen = 0;
        for (String line; seen < count && (line = in.readLine()) != null; ) if (line.startsWith("id: ")) seen++;
        return seen;
    }

    @Test
    void aReaderThatPausesMissesNothingThatTheLogKeeps() throws IOException {
        try (Socket socket = new Socket()) {
            BufferedReader in = open(socket, "");
            happen(EventLog.MAX - 1, 8_000); // 16 MB: more than sockets hold
            assertThat(events(in, EventLog.MAX - 1)).isEqualTo(EventLog.MAX - 1);
        }
    }

    @Test
    void historyOfAnyLengthIsResumed() throws IOException {
        happen(EventLog.MAX, 8_000);
        try (Socket socket = new Socket()) {
            BufferedReader in = open(socket, "Last-Event-ID: older-7\r\n");
            assertThat(events(in, EventLog.MAX)).isEqualTo(EventLog.MAX);
        }
    }

    @Test
    void aReaderForWhomTheLogForgotWhatComesNextIsDropped() throws IOException {
        try (Socket socket = new Socket()) {
            BufferedReader in = open(socket, "");
            assertThat(there(stream::readers)).isEqualTo(1);
            happen(4 * EventLog.MAX, 8_000);
            int seen = 0;
            try {
                seen = events(in, 4 * EventLog.MAX);
            } catch (IOException _) {
                // reset
            }
            assertThat(seen).isLessThan(4 * EventLog.MAX);
            while (there(stream::readers) > 0) Thread.onSpinWait(); // the server hears of the close a little later
        }
    }
}
