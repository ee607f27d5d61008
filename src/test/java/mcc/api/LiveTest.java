package mcc.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.WebSocket;
import io.vertx.core.http.WebSocketClient;
import io.vertx.core.http.WebSocketFrame;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The dashboard's channel on real sockets; its periods are made by hand. */
class LiveTest {
    private static final String SUB = "{\"sub\":[\"a\",\"b\"]}";

    private final Vertx vertx = Vertx.vertx();
    private final Context home = vertx.getOrCreateContext();
    private final EventLog log = new EventLog();
    private final Map<String, Integer> samples = new LinkedHashMap<>();
    private final Map<String, Supplier<Future<Object>>> samplers = new LinkedHashMap<>();
    private final Connections connections = new Connections(100);
    private Live live;
    private HttpServer server;
    private WebSocketClient client;

    @BeforeEach
    void start() {
        for (String name : List.of("a", "b")) {
            samplers.put(name, () -> Future.succeededFuture(samples.merge(name, 1, Integer::sum)));
        }
        live = new Live(samplers, log);
        Promise<HttpServer> listening = Promise.promise();
        home.runOnContext(_ -> vertx.createHttpServer(
                        new HttpServerOptions().setHttp2ClearTextEnabled(false).setMaxWebSocketMessageSize(1_000))
                .connectionHandler(connections::take)
                .webSocketHandler(live::take)
                .listen(0, "127.0.0.1")
                .onComplete(listening));
        server = await(listening.future());
        client = vertx.createWebSocketClient();
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

    /** Something of the server's, on its context. */
    private <T> T there(Supplier<T> what) {
        CompletableFuture<T> done = new CompletableFuture<>();
        home.runOnContext(_ -> {
            try {
                done.complete(what.get());
            } catch (RuntimeException e) {
                done.completeExceptionally(e);
            }
        });
        return done.orTimeout(60, TimeUnit.SECONDS).join();
    }

    private void period() {
        there(() -> {
            live.period();
            return 0;
        });
    }

    private WebSocket open() {
        return await(client.connect(server.actualPort(), "127.0.0.1", "/"));
    }

    private LinkedBlockingQueue<JsonObject> read(WebSocket socket) {
        LinkedBlockingQueue<JsonObject> out = new LinkedBlockingQueue<>();
        socket.textMessageHandler(text -> out.add(new JsonObject(text)));
        return out;
    }

    private static List<Integer> values(LinkedBlockingQueue<JsonObject> from, int count) throws InterruptedException {
        List<Integer> out = new ArrayList<>();
        while (out.size() < count) {
            JsonObject next = from.poll(60, TimeUnit.SECONDS);
            if (next == null) throw new AssertionError("only " + out);
            out.add(next.getInteger("v"));
        }
        return out;
    }

    /** The code with which the server closes a new socket after these frames. */
    private short closing(int port, WebSocketFrame... frames) {
        WebSocket socket = await(client.connect(port, "127.0.0.1", "/"));
        CompletableFuture<Short> code = new CompletableFuture<>();
        socket.closeHandler(_ -> code.complete(socket.closeStatusCode()));
        for (WebSocketFrame frame : frames) socket.writeFrame(frame);
        return code.orTimeout(60, TimeUnit.SECONDS).join();
    }

    @Test
    void howeverOftenATabSubscribesAChannelIsSampledOnceAPeriod() throws InterruptedException {
        WebSocket socket = open();
        var got = read(socket);
        for (int i = 0; i < 25; i++) await(socket.writeTextMessage(SUB));
        assertThat(values(got, 20)).as("ten messages, one sample").containsOnly(1);
        period();
        assertThat(values(got, 22)).as("the period's own, and ten messages").containsOnly(2);
        period();
        assertThat(values(got, 12)).as("the period's own, and the last five").containsOnly(3);
        assertThat(there(() -> Map.copyOf(samples))).isEqualTo(Map.of("a", 3, "b", 3));
    }

    @Test
    void whatComesBeforeTheAnswerDoesNotAskAgain() throws InterruptedException {
        Promise<Object> answer = Promise.promise();
        int[] asked = {0};
        samplers.put("a", () -> {
            asked[0]++;
            return answer.future();
        });
        live = new Live(samplers, log);
        HttpServer other =
                await(vertx.createHttpServer().webSocketHandler(live::take).listen(0, "127.0.0.1"));
        WebSocket socket = await(client.connect(other.actualPort(), "127.0.0.1", "/"));
        var got = read(socket);
        for (int i = 0; i < 5; i++) await(socket.writeTextMessage("{\"sub\":[\"a\",\"b\"]}"));
        values(got, 5); // of b: all five were read
        assertThat(asked[0]).isEqualTo(1);
        answer.complete(7);
        assertThat(values(got, 1)).containsExactly(7);
    }

    @Test
    void whatIsNoSubscriptionCostsItsSocketAndNothingElse() {
        List<Throwable> thrown = new ArrayList<>();
        home.exceptionHandler(thrown::add);
        WebSocket good = open();
        for (String bad :
                List.of("{\"sub\":null}", "{\"sub\":7}", "{\"sub\":{}}", "null", "[]", "7", "", "{", "[".repeat(900))) {
            assertThat(closing(server.actualPort(), WebSocketFrame.textFrame(bad, true)))
                    .as(bad)
                    .isEqualTo((short) 1003);
        }
        for (String harmless : List.of("{}", "{\"sub\":[null,7,{},[],\"none\"]}"))
            await(good.writeTextMessage(harmless));
        await(good.writeTextMessage(SUB));
        assertThat(there(() -> List.copyOf(thrown))).isEmpty();
        assertThat(there(live::tabs)).isEqualTo(1);
    }

    @Test
    void anUnforeseenFaultCostsItsSocketAndNothingElse() {
        List<Throwable> thrown = new ArrayList<>();
        home.exceptionHandler(thrown::add);
        samplers.put("a", () -> {
            throw new IllegalStateException("planted");
        });
        live = new Live(samplers, log);
        HttpServer other =
                await(vertx.createHttpServer().webSocketHandler(live::take).listen(0, "127.0.0.1"));
        assertThat(closing(other.actualPort(), WebSocketFrame.textFrame(SUB, true)))
                .isEqualTo((short) 1011);
        assertThat(thrown).isEmpty();
    }

    @Test
    void anOversizedMessageClosesItsSocketAndIsCountedUntilThen() {
        WebSocketFrame first = WebSocketFrame.textFrame("x".repeat(600), false);
        WebSocketFrame last = WebSocketFrame.continuationFrame(Buffer.buffer("x".repeat(600)), true);
        assertThat(closing(server.actualPort(), first, last)).isEqualTo((short) 1009);
        // The server hears of the close a little later.
        while (there(live::tabs) > 0 || there(connections::open) > 0) Thread.onSpinWait();
    }
}
