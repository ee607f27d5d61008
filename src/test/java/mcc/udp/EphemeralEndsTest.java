package mcc.udp;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import mcc.core.Address;
import mcc.core.Counters;
import mcc.link.PacketSink;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Sockets that are opened for a while beside the main one. */
class EphemeralEndsTest {
    private record Got(Address from, int local, int length) {}

    private static final Address LOOPBACK = Address.v4(0x7f000001, 0);

    private final Counters counters = new Counters();
    private final BlockingQueue<Got> got = new LinkedBlockingQueue<>();
    private final CompletableFuture<Throwable> failure = new CompletableFuture<>();
    private final Vertx vertx = Vertx.vertx();
    private final PacketThread thread = new PacketThread();
    private final Context context = thread.context(vertx.getOrCreateContext());
    private final PacketLoop loop = new PacketLoop(context);
    private final UdpSockets sockets = new UdpSockets(counters);
    private final DatagramHandler handler = new DatagramHandler() {
        @Override
        public void onDatagram(byte[] buf, int offset, int length, Address from, int local, int ecn) {
            got.add(new Got(from, local, length));
        }

        @Override
        public void onTurn() {}

        @Override
        public void onFailure(Throwable cause) {
            failure.complete(cause);
        }
    };
    private Address main;

    @BeforeEach
    void bind() throws Exception {
        context.exceptionHandler(failure::complete);
        sockets.bind(loop, LOOPBACK, true, handler);
        main = sockets.addresses().getFirst();
    }

    @AfterEach
    void stop() throws Exception {
        on(() -> {
            sockets.close();
            return 0;
        });
        thread.close();
        vertx.close().await();
        assertThat(failure).isNotDone();
    }

    private <T> T on(Callable<T> what) throws Exception {
        CompletableFuture<T> done = new CompletableFuture<>();
        context.runOnContext(_ -> {
            try {
                done.complete(what.call());
            } catch (Exception e) {
                done.completeExceptionally(e);
            }
        });
        return done.get(60, TimeUnit.SECONDS);
    }

    private UdpSockets.Ephemeral open() throws Exception {
        return on(() -> sockets.open(context, loop, true, handler))
                .toCompletionStage()
                .toCompletableFuture()
                .get(60, TimeUnit.SECONDS);
    }

    private void send(int local, Address to) throws Exception {
        on(() -> {
            sockets.send(local, to, new byte[40], 0, 40, 0);
            sockets.flush();
            return 0;
        });
    }

    private Got next() throws InterruptedException {
        return got.poll(60, TimeUnit.SECONDS);
    }

    @Test
    void anEphemeralEndSendsFromAPortOfItsOwnAndTellsWhatCameToIt() throws Exception {
        UdpSockets.Ephemeral end = open();
        assertThat(PacketSink.isEphemeral(end.number())).isTrue();
        assertThat(end.local().sameIp(main)).isTrue();
        assertThat(end.local().port()).isNotIn(0, main.port());
        send(end.number(), main);
        Got atMain = next();
        assertThat(atMain.from()).isEqualTo(end.local());
        assertThat(PacketSink.isEphemeral(atMain.local())).isFalse();
        send(atMain.local(), end.local());
        assertThat(next()).isEqualTo(new Got(main, end.number(), 40));
        assertThat(on(sockets::addresses)).as("where others reach this node").containsExactly(main);
    }

    @Test
    void whatIsMeantForAnEndThatWasClosedIsDroppedAndItsNumberIsNotUsedAgain() throws Exception {
        UdpSockets.Ephemeral end = open();
        on(() -> {
            sockets.close(end.number());
            sockets.close(end.number());
            return 0;
        });
        send(end.number(), main);
        assertThat(counters.value("udp.ephemeral.gone")).isEqualTo(1);
        assertThat(counters.value("udp.ephemeral.closed")).isEqualTo(1);
        UdpSockets.Ephemeral other = open();
        assertThat(other.number()).isGreaterThan(end.number());
        send(other.number(), main);
        assertThat(next().from()).as("the first that came").isEqualTo(other.local());
    }

    @Test
    void ephemeralEndsAreLimitedThoseBeingOpenedIncluded() throws Exception {
        List<Future<UdpSockets.Ephemeral>> all = new ArrayList<>();
        on(() -> {
            for (int i = 0; i < UdpSockets.EPHEMERAL_MAX + 2; i++) all.add(sockets.open(context, loop, true, handler));
            return 0;
        });
        assertThat(all.subList(UdpSockets.EPHEMERAL_MAX, all.size())).allMatch(Future::failed);
        assertThat(counters.value("udp.ephemeral.refused")).isEqualTo(2);
        Set<Integer> ports = new HashSet<>();
        for (Future<UdpSockets.Ephemeral> each : all.subList(0, UdpSockets.EPHEMERAL_MAX)) {
            ports.add(each.toCompletionStage()
                    .toCompletableFuture()
                    .get(60, TimeUnit.SECONDS)
                    .local()
                    .port());
        }
        assertThat(ports).hasSize(UdpSockets.EPHEMERAL_MAX);
        assertThat(on(() -> sockets.open(context, loop, false, handler)).failed())
                .as("no socket of that family")
                .isTrue();
    }
}
