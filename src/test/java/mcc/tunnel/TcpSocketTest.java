package mcc.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import mcc.consortium.Policy;
import mcc.core.Rng;
import mcc.node.Node;
import mcc.node.Resident;
import mcc.node.Settings;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Sockets on the packet loop of a node; their other ends are plain sockets on loopback. */
class TcpSocketTest {
    private static final int PATIENCE_S = 60;
    /** Few enough bytes for the kernel to take, with the end behind them, before anybody reads. */
    private static final int LITTLE = 30_000;
    /** More bytes than the kernel and Netty hold of a connection. */
    private static final int MANY = 32 << 20;
    /** The size of a read from a socket that is bound to it. */
    private static final int PIECE = 4_096;
    /** Several times as many reads as one connection has in its turn, and far fewer than there are in a second. */
    private static final int FEW_TURNS = 64;
    /** How many connections the loop is told of at once. */
    private static final int SOME = 64;

    @TempDir
    Path folder;

    private final BlockingQueue<TcpSocket> accepted = new LinkedBlockingQueue<>();
    private final BlockingQueue<String> events = new LinkedBlockingQueue<>();
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final Guest guest = new Guest();
    private Node node;
    private InetSocketAddress at;

    private static final class Guest extends VerticleBase implements Resident {
        Context home() {
            return context;
        }

        @Override
        public Future<?> start() {
            return Future.succeededFuture();
        }
    }

    @BeforeEach
    void start() {
        Map<String, String> values = Map.of("data", folder.toString(), "name", "n", "listen", "127.0.0.1:0");
        node = Node.start(Settings.load(values, Map.of(), null), Policy.open(), List.of(_ -> guest));
        InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        at = TcpSocket.listen(guest.home(), any, 0, accepted::add)
                .toCompletionStage()
                .toCompletableFuture()
                .orTimeout(PATIENCE_S, TimeUnit.SECONDS)
                .join()
                .address();
    }

    @AfterEach
    void stop() {
        node.close();
    }

    private void run(Runnable task) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        guest.home().runOnContext(_ -> {
            try {
                task.run();
                done.complete(null);
            } catch (RuntimeException | Error e) {
                done.completeExceptionally(e);
            }
        });
        done.orTimeout(PATIENCE_S, TimeUnit.SECONDS).join();
    }

    private TcpSocket taken() throws InterruptedException {
        TcpSocket socket = accepted.poll(PATIENCE_S, TimeUnit.SECONDS);
        assertThat(socket).as("a connection").isNotNull();
        return socket;
    }

    /** Notes what happens, and pauses at the first bytes. */
    private record Ear(TcpSocket socket, ByteArrayOutputStream bytes, BlockingQueue<String> events)
            implements TcpSocket.Handler {
        @Override
        public void onData(byte[] chunk, int length) {
            boolean first = bytes.size() == 0;
            bytes.write(chunk, 0, length);
            if (!first) return;
            socket.pause();
            events.add("paused");
        }

        @Override
        public void onEnd() {
            events.add("end");
        }

        @Override
        public void onWritable() {
            events.add("writable");
        }

        @Override
        public void onClosed() {
            events.add("closed");
        }
    }

    private void listen(TcpSocket socket) {
        run(() -> socket.start(new Ear(socket, bytes, events)));
    }

    private String next() throws InterruptedException {
        return events.poll(PATIENCE_S, TimeUnit.SECONDS);
    }

    /** Waits until the loop has handled what was ready, by means of another connection, which it handles after that. */
    private void settle() throws Exception {
        try (Socket other = new Socket(at.getAddress(), at.getPort())) {
            TcpSocket socket = taken();
            BlockingQueue<String> heard = new LinkedBlockingQueue<>();
            run(() -> socket.start(new Ear(socket, new ByteArrayOutputStream(), heard)));
            other.shutdownOutput();
            assertThat(heard.poll(PATIENCE_S, TimeUnit.SECONDS)).isEqualTo("end");
            run(socket::abort);
        }
    }

    @Test
    void whatCameWithItsEndBeforeTheStartIsTold() throws Exception {
        byte[] sent = Rng.seeded(1).bytes(LITTLE);
        try (Socket user = new Socket(at.getAddress(), at.getPort())) {
            TcpSocket socket = taken();
            user.getOutputStream().write(sent);
            user.shutdownOutput();
            settle();
            listen(socket);
            assertThat(next()).isEqualTo("paused");
            run(socket::resume);
            assertThat(next()).isEqualTo("end");
            assertThat(bytes.toByteArray()).isEqualTo(sent);
        }
    }

    @Test
    void aResumeBeforeTheStartReadsNothing() throws Exception {
        byte[] sent = Rng.seeded(3).bytes(LITTLE);
        try (Socket user = new Socket(at.getAddress(), at.getPort())) {
            TcpSocket socket = taken();
            run(socket::resume);
            user.getOutputStream().write(sent);
            user.shutdownOutput();
            settle();
            listen(socket);
            assertThat(next()).isEqualTo("paused");
            run(socket::resume);
            assertThat(next()).isEqualTo("end");
            assertThat(bytes.toByteArray()).isEqualTo(sent);
        }
    }

    @Test
    void anEndAloneBeforeTheStartIsTold() throws Exception {
        try (Socket user = new Socket(at.getAddress(), at.getPort())) {
            TcpSocket socket = taken();
            user.shutdownOutput();
            settle();
            listen(socket);
            assertThat(next()).isEqualTo("end");
        }
    }

    @Test
    void aPausedSocketReadsNothingWhenTheOtherSideEndsUntilItIsResumed() throws Exception {
        byte[] sent = Rng.seeded(2).bytes(LITTLE);
        try (Socket user = new Socket(at.getAddress(), at.getPort())) {
            TcpSocket socket = taken();
            user.getOutputStream().write(sent, 0, 1);
            listen(socket);
            assertThat(next()).isEqualTo("paused");
            user.getOutputStream().write(sent, 1, LITTLE - 1);
            user.shutdownOutput();
            settle();
            run(() -> assertThat(bytes.size()).as("while paused").isEqualTo(1));
            run(socket::resume);
            assertThat(next()).isEqualTo("end");
            assertThat(bytes.toByteArray()).isEqualTo(sent);
        }
    }

    @Test
    void aClientThatEndedStillReceivesMoreThanTheKernelTakesAtOnce() throws Exception {
        byte[] chunk = new byte[64 << 10];
        try (Socket user = new Socket(at.getAddress(), at.getPort())) {
            user.setSoTimeout(PATIENCE_S * 1_000);
            TcpSocket socket = taken();
            user.shutdownOutput();
            listen(socket);
            assertThat(next()).isEqualTo("end");
            run(() -> {
                for (int sent = 0; sent < MANY; sent += chunk.length) {
                    socket.write(chunk, chunk.length);
                    socket.flush();
                }
                assertThat(socket.isWritable()).as("the kernel takes no more").isFalse();
                socket.end();
            });
            assertThat(user.getInputStream().readAllBytes().length).isEqualTo(MANY);
        }
    }

    @Test
    void whatWasSentBeforeAResetIsTold() throws Exception {
        byte[] sent = Rng.seeded(4).bytes(LITTLE);
        try (Socket user = new Socket(at.getAddress(), at.getPort())) {
            TcpSocket socket = taken();
            listen(socket);
            settle();
            run(
                    () -> { // so that the loop is told of both at once
                        try {
                            user.getOutputStream().write(sent);
                            user.setSoLinger(true, 0);
                            user.close();
                        } catch (IOException e) {
                            throw new UncheckedIOException(e);
                        }
                    });
            assertThat(next()).isEqualTo("paused");
            assertThat(next()).isEqualTo("closed");
            assertThat(bytes.toByteArray()).isEqualTo(sent);
        }
    }

    @Test
    void bothKindsOfConnectionsAreAskedWhetherTheOtherSideIsThere() throws Exception {
        InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        CompletableFuture<TcpSocket> taken = new CompletableFuture<>();
        InetSocketAddress there = TcpSocket.listen(guest.home(), any, 60, taken::complete)
                .toCompletionStage()
                .toCompletableFuture()
                .orTimeout(PATIENCE_S, TimeUnit.SECONDS)
                .join()
                .address();
        TcpSocket made = TcpSocket.connect(guest.home(), there, 5_000, 60)
                .toCompletionStage()
                .toCompletableFuture()
                .orTimeout(PATIENCE_S, TimeUnit.SECONDS)
                .join();
        for (TcpSocket each :
                List.of(made, taken.orTimeout(PATIENCE_S, TimeUnit.SECONDS).join())) {
            run(() -> {
                assertThat(each.keepalive()).isEqualTo(new TcpSocket.Keepalive(60, 10, 6));
            });
        }
        run(made::abort);
    }

    @Test
    void aConnectionEndsWithItsVerticle() throws Exception {
        try (Socket user = new Socket(at.getAddress(), at.getPort())) {
            user.setSoTimeout(PATIENCE_S * 1_000);
            listen(taken());
            guest.home().runOnContext(_ -> {
                throw new IllegalStateException("a broken invariant");
            });
            assertThat(next()).isEqualTo("closed");
            assertThat(user.getInputStream().read()).isEqualTo(-1);
        }
    }

    @Test
    void aListenerEndsWithItsVerticle() {
        guest.home().runOnContext(_ -> {
            throw new IllegalStateException("a broken invariant");
        });
        Rig.await("nobody listens", () -> {
            try (Socket _ = new Socket(at.getAddress(), at.getPort())) {
                return false;
            } catch (IOException _) {
                return true;
            }
        });
    }

    @Test
    void nothingIsMadeForAVerticleThatHasEnded() throws Exception {
        Context old = guest.home();
        try (Socket _ = new Socket(at.getAddress(), at.getPort());
                ServerSocket app = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            listen(taken());
            old.runOnContext(_ -> {
                throw new IllegalStateException("a broken invariant");
            });
            assertThat(next()).isEqualTo("closed");
            InetSocketAddress there = new InetSocketAddress(app.getInetAddress(), app.getLocalPort());
            InetSocketAddress any = new InetSocketAddress(app.getInetAddress(), 0);
            assertThat(failure(TcpSocket.connect(old, there, 5_000, 0))).hasMessageContaining("has ended");
            assertThat(failure(TcpSocket.listen(old, any, 0, accepted::add))).hasMessageContaining("has ended");
        }
    }

    private static Throwable failure(Future<?> future) {
        return future.toCompletionStage()
                .toCompletableFuture()
                .orTimeout(PATIENCE_S, TimeUnit.SECONDS)
                .handle((_, e) -> e)
                .join();
    }

    @Test
    void bytesWrittenAfterAnEmptyWriteAreSent() throws Exception {
        byte[] sent = Rng.seeded(5).bytes(LITTLE);
        try (Socket user = new Socket(at.getAddress(), at.getPort())) {
            user.setSoTimeout(PATIENCE_S * 1_000);
            TcpSocket socket = taken();
            run(() -> {
                socket.write(sent, 0);
                socket.flush();
                socket.write(sent, LITTLE);
                socket.end();
            });
            assertThat(user.getInputStream().readAllBytes()).isEqualTo(sent);
        }
    }

    /** Hands bytes to the test, and ignores everything else. */
    private record Hand(IntConsumer data, Runnable closed) implements TcpSocket.Handler {
        Hand(IntConsumer data) {
            this(data, () -> {});
        }

        @Override
        public void onData(byte[] chunk, int length) {
            data.accept(length);
        }

        @Override
        public void onEnd() {}

        @Override
        public void onWritable() {}

        @Override
        public void onClosed() {
            closed.run();
        }
    }

    private static void write(Socket user, int length) {
        try {
            user.getOutputStream().write(new byte[length]);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void whatComesBehindUrgentDataIsTold() throws Exception {
        AtomicInteger read = new AtomicInteger();
        try (Socket user = new Socket(at.getAddress(), at.getPort())) {
            TcpSocket socket = taken();
            write(user, 2);
            user.sendUrgentData('!'); // RFC 9293 section 3.8.5: a read ends before urgent data, however much follows
            write(user, 3);
            settle();
            run(() -> socket.start(new Hand(read::addAndGet)));
            settle();
            assertThat(read).hasValue(5);
        }
    }

    @Test
    void anEndlessSenderLeavesTheLoopToOthers() throws Exception {
        AtomicInteger reads = new AtomicInteger();
        CompletableFuture<Integer> before = new CompletableFuture<>();
        try (Socket endless = new Socket(at.getAddress(), at.getPort())) {
            TcpSocket busy = taken();
            try (Socket user = new Socket(at.getAddress(), at.getPort())) {
                TcpSocket quiet = taken();
                // otherwise the host holds back what is written until the rest is acknowledged
                endless.setTcpNoDelay(true);
                write(endless, LITTLE);
                settle();
                run(() -> {
                    quiet.start(new Hand(_ -> {
                        before.complete(reads.get());
                        busy.abort();
                    }));
                    busy.bound(PIECE);
                    busy.start(new Hand(length -> {
                        write(endless, length); // so that there is always more
                        if (reads.incrementAndGet() == 1) write(user, 1);
                    }));
                });
                assertThat(before.orTimeout(PATIENCE_S, TimeUnit.SECONDS).join())
                        .isLessThan(FEW_TURNS);
            }
        }
    }

    @Test
    void anEventOfTheDescriptorsPreviousOwnerConnectsNothing() throws Exception {
        List<Closeable> all = new ArrayList<>();
        List<TcpSocket> old = new ArrayList<>();
        List<Future<TcpSocket>> connecting = new ArrayList<>();
        try (ServerSocket full = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            fill(full, all);
            List<Socket> users = new ArrayList<>();
            for (int i = 0; i < SOME; i++) {
                users.add(new Socket(at.getAddress(), at.getPort()));
                old.add(taken());
            }
            all.addAll(users);
            IntConsumer first = _ -> { // the events of the others come after this one
                if (!connecting.isEmpty()) return;
                for (TcpSocket each : old) each.abort();
                InetSocketAddress to = (InetSocketAddress) full.getLocalSocketAddress();
                for (int i = 0; i < SOME; i++) connecting.add(TcpSocket.connect(guest.home(), to, 600_000, 0));
            };
            run(() -> old.forEach(each -> each.start(new Hand(first))));
            settle();
            run(() -> users.forEach(each -> write(each, 1))); // so that the loop is told of all at once
            settle();
            run(() -> {
                assertThat(connecting).hasSize(SOME);
                assertThat(connecting).noneMatch(Future::isComplete);
            });
        } finally {
            for (Closeable each : all) each.close();
        }
    }

    /** Connects until the host takes no more for a listener. */
    private static void fill(ServerSocket listener, List<Closeable> all) throws IOException {
        for (boolean taken = true; taken; ) {
            SocketChannel one = SocketChannel.open();
            all.add(one);
            one.configureBlocking(false);
            taken = one.connect(listener.getLocalSocketAddress()) || one.finishConnect();
        }
    }

    @Test
    void theEndIsToldOnceToTheHandlerThatTookTheSocketOver() throws Exception {
        AtomicInteger closed = new AtomicInteger();
        try (Socket _ = new Socket(at.getAddress(), at.getPort())) {
            TcpSocket socket = taken();
            run(() -> {
                socket.start(new Hand(_ -> {}));
                socket.abort();
                socket.start(new Hand(_ -> {}, closed::incrementAndGet));
            });
            settle();
            assertThat(closed).hasValue(1);
        }
    }
}
