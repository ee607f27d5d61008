package mcc.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.WebSocket;
import io.vertx.core.http.WebSocketClient;
import io.vertx.core.http.WebSocketClientOptions;
import io.vertx.core.http.WebSocketConnectOptions;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import mcc.carrier.Gate;
import mcc.core.Address;
import mcc.core.Counters;
import mcc.it.RealNode;
import mcc.it.TestProxy;
import mcc.link.LinkInput;
import mcc.link.PacketSink;
import mcc.udp.DatagramHandler;
import mcc.udp.PacketLoop;
import mcc.udp.PacketThread;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Carriers over loopback, between this node's server and its client. */
class CarrierServerTest {
    private static final long PATIENCE_S = 60;

    @TempDir
    Path folder;

    private final Vertx vertx = Vertx.vertx();
    private final Context context = vertx.getOrCreateContext();
    private final Bus bus = new Bus(vertx);
    private final PacketThread thread = new PacketThread();
    private final PacketLoop loop = new PacketLoop(thread.context(vertx.getOrCreateContext()));
    private final Counters counters = new Counters();
    private final BlockingQueue<LinkInput> told = new LinkedBlockingQueue<>();
    private final Side relay = new Side();
    private final Side node = new Side();
    private CarrierServer server;

    /** One side's packet loop. */
    private final class Side implements DatagramHandler {
        final BlockingQueue<byte[]> received = new LinkedBlockingQueue<>();
        final BlockingQueue<Address> from = new LinkedBlockingQueue<>();
        final Counters counts = new Counters();
        final CarrierLines lines = new CarrierLines(loop, this, counts);

        @Override
        public void onDatagram(byte[] buf, int offset, int length, Address from, int local, int ecn) {
            assertThat(local).isEqualTo(PacketSink.ANY);
            received.add(Arrays.copyOfRange(buf, offset, offset + length));
            this.from.add(from);
        }

        @Override
        public void onTurn() {}

        @Override
        public void onFailure(Throwable cause) {
            throw new AssertionError(cause);
        }

        byte[] next() throws InterruptedException {
            return CarrierServerTest.next(received);
        }

        void send(Address to, byte[]... datagrams) throws Exception {
            onLoop(() -> {
                for (byte[] each : datagrams) lines.send(to, each, 0, each.length);
                lines.flush();
                return null;
            });
        }
    }

    private <T> T onLoop(Supplier<T> step) throws Exception {
        CompletableFuture<T> done = new CompletableFuture<>();
        loop.execute(() -> done.complete(step.get()));
        return done.get(PATIENCE_S, TimeUnit.SECONDS);
    }

    private static <T> T next(BlockingQueue<T> queue) throws InterruptedException {
        T out = queue.poll(PATIENCE_S, TimeUnit.SECONDS);
        assertThat(out).isNotNull();
        return out;
    }

    private static <T> T await(Future<T> future) {
        return Node.await(future, PATIENCE_S * 1_000);
    }

    /** Runs a step on the context of the server and the client, where everything of theirs happens. */
    private <T> T onContext(Supplier<Future<T>> step) throws Exception {
        CompletableFuture<T> done = new CompletableFuture<>();
        context.runOnContext(_ -> step.get().onComplete(done::complete, done::completeExceptionally));
        return done.get(PATIENCE_S, TimeUnit.SECONDS);
    }

    private int listen(String tls) throws Exception {
        bus.serve(Bus.SESSION, query -> ((SessionVerticle.Query.Carriers) query).reply(relay.lines));
        bus.on(Bus.LINKS, told::add);
        server = new CarrierServer(vertx, context, bus, counters);
        Addresses.HostPort at = new Addresses.HostPort("127.0.0.1", 0);
        onContext(() -> server.listen(new CarrierServer.Setup(at, tls)));
        return server.port();
    }

    private CarrierLine open(String url, HttpProxy proxy) throws Exception {
        return onContext(() -> new CarrierClient(vertx, context, proxy).open(Gate.parse(url)));
    }

    @AfterEach
    void close() {
        await(vertx.close());
        thread.close();
    }

    @Test
    void aMessageIsADatagramInBothDirections() throws Exception {
        for (String tls : new String[] {"off", "auto"}) {
            int port = listen(tls);
            CarrierLine line = open((tls.equals("off") ? "ws" : "wss") + "://localhost:" + port, null);
            Address to = await(node.lines.attach(line, null));
            byte[] longest = new byte[CarrierLine.DATAGRAM_MAX];
            Arrays.fill(longest, (byte) 7);
            node.send(to, new byte[] {1, 2, 3}, longest, new byte[CarrierLine.DATAGRAM_MAX + 1], new byte[] {4});
            assertThat(relay.next()).containsExactly(1, 2, 3);
            assertThat(relay.next()).isEqualTo(longest);
            assertThat(relay.next()).as("what is longer is lost").containsExactly(4);
            Address back = next(relay.from);
            assertThat(back.isCarrier()).isTrue();
            relay.send(back, new byte[] {5});
            assertThat(node.next()).containsExactly(5);
            assertThat(next(node.from)).isEqualTo(to);
            line.close();
            assertThat(next(told)).isEqualTo(new LinkInput.CarrierEnded(back));
            relay.from.clear();
            await(server.close());
        }
        assertThat(node.counts.value("carrier.tx.dropped")).isEqualTo(2);
    }

    @Test
    void whoTakesThePlaceOfAnotherHasItsAddress() throws Exception {
        int port = listen("off");
        CarrierLine first = open("ws://127.0.0.1:" + port, null);
        Address address = await(node.lines.attach(first, null));
        first.close();
        CarrierLine second = open("ws://127.0.0.1:" + port, null);
        assertThat(await(node.lines.attach(second, address))).isEqualTo(address);
        node.lines.detach(first); // late
        node.send(address, new byte[] {9});
        assertThat(relay.next()).containsExactly(9);
    }

    @Test
    void strangersAreRefused() throws Exception {
        int port = listen("off");
        WebSocketClient client = vertx.createWebSocketClient(new WebSocketClientOptions());
        WebSocketConnectOptions options =
                new WebSocketConnectOptions().setHost("127.0.0.1").setPort(port).setURI("/mcc");
        assertThatThrownBy(() -> await(client.connect(options))).hasMessageContaining("400");
        assertThatThrownBy(() -> await(client.connect(options.setSubProtocols(List.of("chat")))))
                .hasMessageContaining("400");
        assertThat(onContext(() -> Future.succeededFuture(counters.value("carrier.server.refused.stranger"))))
                .isEqualTo(2);
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout((int) PATIENCE_S * 1_000);
            socket.getOutputStream().write("GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
            assertThat(answer).as("and closed").startsWith("HTTP/1.1 404 ");
        }
    }

    @Test
    void aFloodOfConnectionsIsBounded() throws Exception {
        int port = listen("off");
        WebSocketClient client = vertx.createWebSocketClient(new WebSocketClientOptions().setMaxConnections(1_000));
        List<Future<WebSocket>> all = new ArrayList<>();
        for (int i = 0; i < 3 * CarrierServer.AT_ONCE; i++) {
            all.add(client.connect(new WebSocketConnectOptions()
                    .setHost("127.0.0.1")
                    .setPort(port)
                    .setURI("/mcc")
                    .setSubProtocols(List.of(Gate.SUBPROTOCOL))));
        }
        await(Future.join(all).otherwiseEmpty());
        int refused = 0;
        for (Future<WebSocket> each : all) {
            if (each.failed()) refused++;
        }
        assertThat(refused).isPositive();
        int open = onContext(() -> Future.succeededFuture(server.connections()));
        assertThat(open).isEqualTo(all.size() - refused).isLessThanOrEqualTo(CarrierServer.EACH_MAX);
        long counted = onContext(() -> Future.succeededFuture(counters.value("carrier.server.refused.often")
                + counters.value("carrier.server.refused.source")
                + counters.value("carrier.server.full")));
        assertThat(counted).isEqualTo(refused);
    }

    @Test
    void whoOpensConnectionsAndSaysNothingHasAShareOfThem() throws Exception {
        int port = listen("off");
        List<Socket> silent = new ArrayList<>();
        try {
            int closed = 0;
            for (int i = 0; i < CarrierServer.EACH_MAX; i++)
                silent.add(new Socket(InetAddress.getLoopbackAddress(), port));
            try (Socket late = new Socket(InetAddress.getLoopbackAddress(), port)) {
                late.setSoTimeout((int) PATIENCE_S * 1_000);
                if (late.getInputStream().read() < 0) closed++;
            }
            assertThat(closed).as("there is no room for it").isEqualTo(1);
        } finally {
            for (Socket each : silent) each.close();
        }
        assertThat(onContext(() -> Future.succeededFuture(counters.value("carrier.server.full"))))
                .isPositive();
        RealNode.await("there is room once they are closed", () -> opens(port));
    }

    private boolean opens(int port) {
        try {
            open("ws://127.0.0.1:" + port, null);
            return true;
        } catch (Exception e) {
            return false;
        }
    }

    @Test
    void whoReadsNothingLosesDatagramsAndCostsNoMemory() throws Exception {
        int port = listen("off");
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout((int) PATIENCE_S * 1_000);
            String key = Base64.getEncoder().encodeToString(new byte[16]);
            String request = "GET /mcc HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key + "\r\nSec-WebSocket-Protocol: "
                    + Gate.SUBPROTOCOL + "\r\n\r\n";
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            StringBuilder answer = new StringBuilder();
            while (answer.indexOf("\r\n\r\n") < 0)
                answer.append((char) socket.getInputStream().read());
            assertThat(answer.toString()).startsWith("HTTP/1.1 101 ");
            socket.getOutputStream().write(new byte[] {(byte) 0x82, (byte) 0x81, 0, 0, 0, 0, 1}); // one datagram
            assertThat(relay.next()).containsExactly(1);
            Address to = next(relay.from);
            byte[] datagram = new byte[1_400];
            byte[][] burst = new byte[200][];
            Arrays.fill(burst, datagram);
            for (int i = 0; i < 200; i++) relay.send(to, burst); // 56 MB: more than any buffer of the kernel
            assertThat(onLoop(() -> relay.counts.value("carrier.tx.dropped"))).isGreaterThan(5_000);
            int waiting = onLoop(() -> relay.lines.waitingBytes(to));
            assertThat(waiting) // none, where the kernel took all that was not dropped
                    .isLessThanOrEqualTo(CarrierLine.QUEUE_BYTES);
        }
        assertThat(next(told)).isInstanceOf(LinkInput.CarrierEnded.class);
    }

    @Test
    void aProxyIsPassedByNameAndPassword() throws Exception {
        int port = listen("auto");
        try (TestProxy proxy = new TestProxy("us er", "pass:word", null)) {
            HttpProxy known = new HttpProxy("localhost", proxy.port(), "us er", "pass:word");
            CarrierLine line = open("wss://localhost:" + port, known);
            Address to = await(node.lines.attach(line, null));
            node.send(to, new byte[] {1});
            assertThat(relay.next()).containsExactly(1);
            assertThat(proxy.requests.getFirst()).startsWith("CONNECT localhost:" + port + " ");
        }
    }

    @Test
    void aProxyThatRefusesIsToldWithoutThePassword() throws Exception {
        int port = listen("auto");
        try (TestProxy proxy = new TestProxy("user", "right", null)) {
            HttpProxy wrong = new HttpProxy("127.0.0.1", proxy.port(), "user", "wrong-one");
            assertThatThrownBy(() -> open("wss://localhost:" + port, wrong))
                    .hasRootCauseInstanceOf(Problem.class)
                    .hasStackTraceContaining(
                            "the proxy 127.0.0.1:" + proxy.port() + " asks for a name and a password (407)")
                    .satisfies(e -> assertThat(String.valueOf(e)).doesNotContain("wrong-one"));
            HttpProxy none = new HttpProxy("127.0.0.1", proxy.port(), null, null);
            assertThatThrownBy(() -> open("wss://localhost:" + port, none)).hasStackTraceContaining("(407)");
        }
        HttpProxy gone = new HttpProxy("127.0.0.1", 1, null, null);
        assertThatThrownBy(() -> open("wss://localhost:" + port, gone))
                .hasStackTraceContaining("the proxy 127.0.0.1:1");
    }

    @Test
    void whatIsNoRelayIsTold() throws Exception {
        int port = listen("off");
        assertThatThrownBy(() -> open("wss://127.0.0.1:" + port, null)).hasStackTraceContaining("TLS");
        assertThatThrownBy(() -> open("wss://127.0.0.1:1", null)).hasStackTraceContaining("no connection");
    }

    @Test
    void aPortThatIsTakenIsAProblem() throws Exception {
        int port = listen("off");
        CarrierServer second = new CarrierServer(vertx, context, bus, counters);
        Addresses.HostPort at = new Addresses.HostPort("127.0.0.1", port);
        assertThatThrownBy(() -> onContext(() -> second.listen(new CarrierServer.Setup(at, "off"))))
                .hasStackTraceContaining("cannot take carriers on 127.0.0.1:" + port);
    }
}
