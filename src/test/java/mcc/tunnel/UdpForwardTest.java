package mcc.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.embedded.EmbeddedChannel;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import mcc.core.Counters;
import mcc.core.Id;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A forward on loopback; this test decides when far ends are opened. */
class UdpForwardTest {
    private static final int PATIENCE_MS = 60_000;

    private final Vertx vertx = Vertx.vertx(new VertxOptions().setPreferNativeTransport(true));
    private final Context context = vertx.getOrCreateContext();
    private final Counters counters = new Counters();
    private final LinkedBlockingQueue<Promise<FlowEnd>> opening = new LinkedBlockingQueue<>();
    private final LinkedBlockingQueue<Boolean> over = new LinkedBlockingQueue<>();
    private final Sockets sockets =
            new Sockets(vertx, context, "open", new Descriptors(1_000), 0, () -> null, counters);
    private boolean full;

    private final UdpFlows.Owner<InetSocketAddress> owner = new UdpFlows.Owner<>() {
        @Override
        public boolean mayOpen() {
            return !full;
        }

        @Override
        public Future<FlowEnd> open(InetSocketAddress client) {
            Promise<FlowEnd> promise = Promise.promise();
            opening.add(promise);
            return promise.future();
        }

        @Override
        public void opened() {}

        @Override
        public void sent(int bytes) {}

        @Override
        public void received(int bytes) {}

        @Override
        public void silent(FlowEnd end) {}

        @Override
        public void over(@Nullable FlowEnd end, boolean broken) {
            over.add(broken);
        }
    };

    @AfterEach
    void end() {
        get(vertx.close());
    }

    private static <T> T get(Future<T> future) {
        return future.toCompletionStage()
                .toCompletableFuture()
                .orTimeout(PATIENCE_MS, TimeUnit.MILLISECONDS)
                .join();
    }

    private void onContext(Runnable task) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        context.runOnContext(_ -> {
            task.run();
            done.complete(null);
        });
        done.orTimeout(PATIENCE_MS, TimeUnit.MILLISECONDS).join();
    }

    private UdpForward forward() {
        InetSocketAddress at = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        return get(UdpForward.listen(sockets, Descriptors.Side.USER, at, "a forward", 1, owner));
    }

    private static DatagramSocket socket() throws Exception {
        DatagramSocket socket = new DatagramSocket(0, InetAddress.getLoopbackAddress());
        socket.setSoTimeout(PATIENCE_MS);
        return socket;
    }

    private static void send(DatagramSocket from, InetSocketAddress to, int value) throws Exception {
        from.send(new DatagramPacket(new byte[] {(byte) value}, 1, to));
    }

    private static DatagramPacket receive(DatagramSocket at) throws Exception {
        DatagramPacket packet = new DatagramPacket(new byte[100], 100);
        at.receive(packet);
        return packet;
    }

    private Promise<FlowEnd> nextOpening() throws Exception {
        Promise<FlowEnd> next = opening.poll(PATIENCE_MS, TimeUnit.MILLISECONDS);
        if (next == null) throw new AssertionError("nothing is opened");
        return next;
    }

    private long counted(String name) {
        long[] out = new long[1];
        onContext(() -> out[0] = counters.value(name));
        return out[0];
    }

    /** A connected client, as most are, receives nothing from an address other than the one that it sent to. */
    @Test
    void aForwardOnEveryAddressAnswersFromTheOneThatWasAsked() throws Exception {
        for (String wildcard : List.of("0.0.0.0", "::")) {
            InetSocketAddress all = new InetSocketAddress(wildcard, 0);
            UdpForward forward =
                    get(UdpForward.listen(sockets, Descriptors.Side.USER, all, "a forward", Long.MAX_VALUE, owner));
            int port = forward.address().getPort();
            List<String> asked = wildcard.equals("::")
                    ? List.of("127.0.0.1", "127.0.0.2", "::1")
                    : List.of("127.0.0.1", "127.0.0.2");
            try (DatagramSocket app = socket()) {
                for (String at : asked) {
                    try (DatagramSocket client = new DatagramSocket(null)) {
                        client.connect(new InetSocketAddress(at, port));
                        client.setSoTimeout(PATIENCE_MS);
                        send(client, new InetSocketAddress(at, port), 7);
                        Promise<FlowEnd> promise = nextOpening();
                        UdpSocket end = get(
                                UdpSocket.connect(context, (InetSocketAddress) app.getLocalSocketAddress(), counters));
                        onContext(() -> promise.complete(end));
                        DatagramPacket got = receive(app);
                        byte[] answer = new byte[9_000]; // longer than any path MTU, so it comes in fragments
                        app.send(new DatagramPacket(answer, answer.length, got.getSocketAddress()));
                        DatagramPacket back = new DatagramPacket(new byte[10_000], 10_000);
                        client.receive(back);
                        assertThat(back.getLength()).as(wildcard + " " + at).isEqualTo(9_000);
                    }
                }
            }
            onContext(forward::close);
        }
    }

    @Test
    void aFlowThatIsStillOpeningIsNotIdle() throws Exception {
        UdpForward forward = forward();
        try (DatagramSocket client = socket();
                DatagramSocket app = socket()) {
            send(client, forward.address(), 1);
            Promise<FlowEnd> promise = nextOpening();
            onContext(() -> forward.expire(System.nanoTime() + 1_000));
            assertThat(over).isEmpty();
            InetSocketAddress at = (InetSocketAddress) app.getLocalSocketAddress();
            UdpSocket end = get(UdpSocket.connect(context, at, counters));
            onContext(() -> promise.complete(end));
            DatagramPacket got = receive(app);
            assertThat(got.getData()[0]).as("what waited arrives").isEqualTo((byte) 1);
            app.send(new DatagramPacket(new byte[] {2}, 1, got.getSocketAddress()));
            DatagramPacket answer = receive(client);
            assertThat(answer.getData()[0]).isEqualTo((byte) 2);
            assertThat(answer.getSocketAddress())
                    .as("from the port that was asked")
                    .isEqualTo(forward.address());
            onContext(() -> forward.expire(System.nanoTime() + 1_000));
            assertThat(over.poll(PATIENCE_MS, TimeUnit.MILLISECONDS)).isFalse();
            assertThat(counted("tunnel.flow.idle")).isEqualTo(1);
        }
        onContext(forward::close);
    }

    @Test
    void whereTheNodeIsFullTheFlowUnusedForLongestGivesWayAndWithoutOneItIsRefused() throws Exception {
        UdpForward forward = forward();
        try (DatagramSocket first = socket();
                DatagramSocket second = socket()) {
            onContext(() -> full = true);
            send(first, forward.address(), 1);
            while (counted("tunnel.flow.refused") == 0) Thread.onSpinWait();
            onContext(() -> full = false);
            send(first, forward.address(), 1);
            nextOpening();
            onContext(() -> full = true);
            send(second, forward.address(), 1);
            nextOpening();
            assertThat(over.poll(PATIENCE_MS, TimeUnit.MILLISECONDS)).isFalse();
            assertThat(counted("tunnel.flow.evicted")).isEqualTo(1);
        }
        onContext(forward::close);
    }

    @Test
    void whatWaitsInAllFlowsTogetherIsBounded() throws Exception {
        UdpForward forward = forward();
        byte[] big = new byte[60_000];
        // one flow gets at most half of what is free
        int fit = (UdpFlows.WAITING_BYTES_MAX - big.length) / (big.length + 64);
        List<DatagramSocket> clients = new ArrayList<>();
        try {
            List<Promise<FlowEnd>> promises = new ArrayList<>();
            for (int i = 0; i < fit; i++) promises.add(begin(forward, clients, big));
            assertThat(counted("tunnel.flow.dropped")).isZero();
            begin(forward, clients, big);
            assertThat(counted("tunnel.flow.dropped")).isEqualTo(1);
            onContext(() -> promises.getFirst().fail("it cannot be opened"));
            begin(forward, clients, big);
            assertThat(counted("tunnel.flow.dropped"))
                    .as("what failed makes room")
                    .isEqualTo(1);
            onContext(() -> full = true);
            begin(forward, clients, big); // in the place of the flow that failed, which holds nothing
            begin(forward, clients, big); // in the place of the second
            assertThat(counted("tunnel.flow.evicted")).isEqualTo(2);
            assertThat(counted("tunnel.flow.dropped"))
                    .as("whoever gave way makes room")
                    .isEqualTo(2);
        } finally {
            for (DatagramSocket client : clients) client.close();
        }
        onContext(forward::close);
    }

    @Test
    void whatComesWhileAFlowIsOpenedArrivesWholeAndInOrder() throws Exception {
        UdpForward forward = forward();
        try (DatagramSocket client = socket();
                DatagramSocket app = socket()) {
            byte[] frame = new byte[1_200];
            for (int i = 0; i < 240; i++) {
                frame[0] = (byte) i;
                client.send(new DatagramPacket(frame, frame.length, forward.address()));
                // The host drops what its queue has no room for, so the node must first have taken the datagram before.
                long sent = i + 1;
                Rig.await("it waits", () -> waiting(forward) == sent);
            }
            app.setReceiveBufferSize(1 << 20);
            InetSocketAddress at = (InetSocketAddress) app.getLocalSocketAddress();
            UdpSocket end = get(UdpSocket.connect(context, at, counters));
            Promise<FlowEnd> promise = nextOpening();
            onContext(() -> promise.complete(end));
            for (int i = 0; i < 240; i++) {
                DatagramPacket got = receive(app);
                assertThat(got.getData()[0]).isEqualTo((byte) i);
            }
            assertThat(counted("tunnel.flow.dropped")).isZero();
        }
        onContext(forward::close);
    }

    private int waiting(UdpForward forward) {
        int[] out = new int[1];
        onContext(() -> out[0] = forward.waitingBytes() / (1_200 + 64));
        return out[0];
    }

    @Test
    void aFlowWhoseFarEndIsSilentMovesToAnotherOne() throws Exception {
        UdpForward forward = forward();
        try (DatagramSocket client = socket();
                DatagramSocket first = socket();
                DatagramSocket second = socket()) {
            send(client, forward.address(), 1);
            Promise<FlowEnd> opening = nextOpening();
            Silent end = new Silent(get(UdpSocket.connect(context, at(first), counters)));
            onContext(() -> opening.complete(end));
            receive(first);
            onContext(() -> forward.watch(0));
            assertThat(this.opening).as("while it is heard").isEmpty();
            onContext(() -> end.silentNs = UdpFlows.SILENT_NS);
            onContext(() -> forward.watch(0));
            Promise<FlowEnd> again = nextOpening();
            onContext(() -> forward.watch(0));
            assertThat(this.opening).as("one at a time").isEmpty();
            UdpSocket other = get(UdpSocket.connect(context, at(second), counters));
            onContext(() -> again.complete(other));
            send(client, forward.address(), 2);
            DatagramPacket got = receive(second);
            assertThat(got.getData()[0]).isEqualTo((byte) 2);
            second.send(new DatagramPacket(new byte[] {3}, 1, got.getSocketAddress()));
            assertThat(receive(client).getData()[0]).isEqualTo((byte) 3);
            assertThat(end.closed).isTrue();
            assertThat(over).as("it is the same flow").isEmpty();
            assertThat(counted("tunnel.flow.moved")).isEqualTo(1);
        }
        onContext(forward::close);
    }

    private static InetSocketAddress at(DatagramSocket socket) {
        return (InetSocketAddress) socket.getLocalSocketAddress();
    }

    @Test
    void aFarEndThatIsHeardAgainBeforeAnotherIsFoundKeepsItsFlow() throws Exception {
        UdpForward forward = forward();
        try (DatagramSocket client = socket();
                DatagramSocket first = socket();
                DatagramSocket second = socket()) {
            send(client, forward.address(), 1);
            Promise<FlowEnd> opening = nextOpening();
            Silent end = new Silent(get(UdpSocket.connect(context, at(first), counters)));
            onContext(() -> opening.complete(end));
            receive(first);
            onContext(() -> end.silentNs = UdpFlows.SILENT_NS);
            onContext(() -> forward.watch(0));
            Promise<FlowEnd> again = nextOpening();
            onContext(() -> end.silentNs = 0);
            UdpSocket other = get(UdpSocket.connect(context, at(second), counters));
            onContext(() -> again.complete(other));
            send(client, forward.address(), 2);
            assertThat(receive(first).getData()[0]).isEqualTo((byte) 2);
            assertThat(end.closed).isFalse();
        }
        onContext(forward::close);
    }

    /** Sends a datagram from a new socket, and waits until a far end is asked for. */
    private Promise<FlowEnd> begin(UdpForward forward, List<DatagramSocket> clients, byte[] bytes) throws Exception {
        DatagramSocket client = socket();
        clients.add(client);
        client.send(new DatagramPacket(bytes, bytes.length, forward.address()));
        return nextOpening();
    }

    @Test
    void whatAFullSocketDoesNotTakeIsDroppedRatherThanKept() {
        EmbeddedChannel full = new EmbeddedChannel() {
            @Override
            protected void doWrite(ChannelOutboundBuffer out) {}
        };
        InetSocketAddress client = new InetSocketAddress(InetAddress.getLoopbackAddress(), 9);
        UdpSocket.Listener listener = UdpSocket.Listener.of(full, client, counters);
        for (int i = 0; i < 10_000; i++) listener.send(client, new byte[1_000]);
        assertThat(full.unsafe().outboundBuffer().totalPendingWriteBytes()).isLessThan(100_000);
        assertThat(counters.value("tunnel.flow.dropped")).isGreaterThan(9_900);
    }

    @Test
    void aFlowIsBrokenIfNobodyListensAtItsFarEnd() throws Exception {
        UdpForward forward = forward();
        InetSocketAddress nowhere;
        try (DatagramSocket gone = socket()) {
            nowhere = (InetSocketAddress) gone.getLocalSocketAddress();
        }
        try (DatagramSocket client = socket()) {
            send(client, forward.address(), 1);
            UdpSocket end = get(UdpSocket.connect(context, nowhere, counters));
            Promise<FlowEnd> promise = nextOpening();
            onContext(() -> promise.complete(end));
            assertThat(over.poll(PATIENCE_MS, TimeUnit.MILLISECONDS)).isTrue();
            assertThat(counted("tunnel.flow.unreachable")).isEqualTo(1);
        }
        onContext(forward::close);
    }

    /** A far end that is silent for as long as the test says. */
    private static final class Silent implements FlowEnd {
        private final UdpSocket socket;
        long silentNs;
        boolean closed;

        Silent(UdpSocket socket) {
            this.socket = socket;
        }

        @Override
        public void start(Handler handler) {
            socket.start(handler);
        }

        @Override
        public void send(byte[] datagram) {
            socket.send(datagram);
        }

        @Override
        public @Nullable Id peer() {
            return null;
        }

        @Override
        public long backlogBytes() {
            return 0;
        }

        @Override
        public long silentNs(long nowNs) {
            return silentNs;
        }

        @Override
        public void close(boolean broken) {
            closed = true;
            socket.close(broken);
        }
    }
}
