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
import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
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
        await("nobody is left", () -> there(live::tabs) == 0 && there(connections::open) == 0);
    }

    private static void await(String what, BooleanSupplier condition) {
        long end = System.nanoTime() + 60_000_000_000L;
        while (!condition.getAsBoolean())
            if (System.nanoTime() > end) throw new AssertionError("did not happen: " + what);
    }

    /** A tab that subscribes to one channel and reads by hand; the host keeps little for it. */
    private static Socket reader(int port) throws IOException {
        Socket socket = new Socket();
        socket.setReceiveBufferSize(4_096);
        socket.setSoTimeout(60_000);
        socket.connect(new InetSocketAddress("127.0.0.1", port));
        String upgrade = "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
        socket.getOutputStream().write(upgrade.getBytes(StandardCharsets.US_ASCII));
        assertThat(ApiNode.head(socket.getInputStream())).startsWith("HTTP/1.1 101 ");
        byte[] text = "{\"sub\":[\"a\"]}".getBytes(StandardCharsets.US_ASCII);
        ByteBuffer frame = ByteBuffer.allocate(6 + text.length);
        frame.put((byte) 0x81).put((byte) (0x80 | text.length)).putInt(0).put(text); // the mask is zero
        socket.getOutputStream().write(frame.array());
        return socket;
    }

    /** The value of the next text message (RFC 6455 section 5.2). */
    private static JsonObject next(Socket from) throws IOException {
        DataInputStream in = new DataInputStream(from.getInputStream());
        StringBuilder text = new StringBuilder();
        boolean last = false;
        while (!last) {
            last = in.readByte() < 0;
            int length = in.readUnsignedByte();
            if (length == 126) length = in.readUnsignedShort();
            else if (length == 127) length = (int) in.readLong();
            text.append(new String(in.readNBytes(length), StandardCharsets.US_ASCII));
        }
        return new JsonObject(text.toString()).getJsonObject("v");
    }

    /**
     * A server of its own, which ends no connection by itself. Each sample is more than it and the host keep for a client.
     */
    private int sampleMuch() {
        samplers.put("a", () -> {
            int number = samples.merge("a", 1, Integer::sum);
            return Future.succeededFuture(new JsonObject().put("number", number).put("more", "x".repeat(8 << 20)));
        });
        live = new Live(samplers, log);
        Promise<HttpServer> listening = Promise.promise();
        home.runOnContext(_ -> vertx.createHttpServer()
                .webSocketHandler(live::take)
                .listen(0, "127.0.0.1")
                .onComplete(listening));
        return await(listening.future()).actualPort();
    }

    private boolean isSampled() {
        return there(() -> samples.containsKey("a"));
    }

    @Test
    void aTabThatDoesNotReadMissesSamples() throws IOException {
        try (Socket tab = reader(sampleMuch())) {
            await("it has subscribed", this::isSampled);
            for (int i = 0; i < 10; i++) period();
            assertThat(next(tab).getInteger("number")).isEqualTo(1);
            await("it is sent to again", () -> {
                period();
                return available(tab) > 0;
            });
            assertThat(next(tab).getInteger("number"))
                    .as("those between were not kept")
                    .isGreaterThan(1 + 10);
        }
    }

    private static int available(Socket socket) {
        try {
            return socket.getInputStream().available();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void aTabThatGoesOnNotReadingIsCutOff() throws IOException {
        try (Socket tab = reader(sampleMuch())) {
            await("it has subscribed", this::isSampled);
            for (int i = 0; i < Live.UNREAD_PERIODS_MAX; i++) period();
            assertThat(there(live::tabs)).as("it has time").isEqualTo(1);
            period();
            await("it is gone", () -> there(live::tabs) == 0);
            assertThat(tab.isClosed()).as("at this end").isFalse();
        }
    }
}
