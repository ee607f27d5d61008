package mcc.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The bridge's side and the server's side each on a context of its own, as in a node; the carrier is written down here. */
class BridgeSocketTest {
    private final Vertx vertx = Vertx.vertx();
    private final Context home = vertx.getOrCreateContext();
    private final Context bridge = context();
    private final AtomicLong all = new AtomicLong();
    private final Carrier carrier = new Carrier();
    private final BridgeSocket socket = new BridgeSocket(carrier, home, null, all);
    private final List<String> heard = new ArrayList<>();
    private final List<BridgeSocket.End> ends = new ArrayList<>();

    private static final class Carrier implements BridgeSocket.Carrier {
        private final List<Promise<Void>> writes = new ArrayList<>();
        private int fetched;
        private int code;
        private boolean broken;

        private void check() {
            if (broken) throw new IllegalStateException("WebSocket is closed");
        }

        @Override
        public void fetch() {
            check();
            fetched++;
        }

        @Override
        public Future<Void> write(String frame) {
            check();
            Promise<Void> done = Promise.promise();
            writes.add(done);
            return done.future();
        }

        @Override
        public void close(int code, String reason) {
            check();
            this.code = code;
        }

        @Override
        public void cut() {}
    }

    private Context context() {
        Promise<Context> made = Promise.promise();
        vertx.deployVerticle(context -> {
            made.complete(context);
            return Future.succeededFuture();
        });
        return made.future().await();
    }

    @AfterEach
    void close() {
        vertx.close().await();
    }

    /** Runs there, and returns once both contexts did all that follows from it. */
    private void on(Context there, Runnable step) {
        run(there, step);
        for (int i = 0; i < 3; i++) {
            run(bridge, () -> {});
            run(home, () -> {});
        }
    }

    private static void run(Context there, Runnable step) {
        CountDownLatch done = new CountDownLatch(1);
        there.runOnContext(_ -> {
            step.run();
            done.countDown();
        });
        try {
            assertThat(done.await(30, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private void open() {
        on(bridge, () -> socket.open(bridge, heard::add, ends::add));
    }

    @Test
    void aFrameIsReadOnceTheLastOneWasDealtWith() {
        open();
        assertThat(carrier.fetched).isEqualTo(1);
        CountDownLatch busy = new CountDownLatch(1);
        bridge.runOnContext(_ -> {
            try {
                busy.await();
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        });
        run(home, () -> socket.onText("a"));
        run(home, () -> {});
        assertThat(carrier.fetched).as("the bridge is busy").isEqualTo(1);
        busy.countDown();
        on(home, () -> {});
        assertThat(heard).containsExactly("a");
        assertThat(carrier.fetched).isEqualTo(2);
    }

    @Test
    void whoDoesNotReadTheAnswersIsNotReadFromEither() {
        open();
        on(bridge, () -> socket.send("x".repeat(BridgeSocket.UNSENT_CALM)));
        on(home, () -> socket.onText("a"));
        assertThat(carrier.fetched).isEqualTo(1);
        on(home, () -> carrier.writes.getFirst().complete());
        assertThat(carrier.fetched).isEqualTo(2);
        assertThat(all).hasValue(0);
    }

    @Test
    void whatCannotBeHeldBackIsEndedAtALimit() {
        open();
        on(home, () -> {
            for (int i = 0; i <= BridgeSocket.UNREAD_MAX; i++) socket.onText("a");
        });
        assertThat(ends).containsExactly(BridgeSocket.End.FAST);
        assertThat(carrier.code).isEqualTo(1008);
        assertThat(heard).hasSize(BridgeSocket.UNREAD_MAX);
    }

    @Test
    void whatCannotBeHeldBackIsEndedAtALimitOfBytesToo() {
        open();
        String half = "x".repeat(BridgeSocket.UNREAD_CHARACTERS / 2);
        on(home, () -> {
            for (int i = 0; i < 3; i++) socket.onText(half);
        });
        assertThat(ends).containsExactly(BridgeSocket.End.FAST);
    }

    @Test
    void whoDoesNotReadIsEndedAndItsPlaceIsFreeAtOnce() {
        open();
        on(bridge, () -> {
            for (int i = 0; i < BridgeSocket.UNSENT_MAX / BridgeSocket.FRAME_COST; i++) socket.send("tiny");
        });
        assertThat(ends).containsExactly(BridgeSocket.End.SLOW);
        assertThat(carrier.code).isEqualTo(1013);
        assertThat(carrier.writes.size()).isLessThan(BridgeSocket.UNSENT_MAX / BridgeSocket.FRAME_COST);
        assertThat(all).as("counts what is on its way").hasValue(0);
        on(home, () -> carrier.writes.forEach(Promise::complete));
        assertThat(all).hasValue(0);
    }

    @Test
    void whereAllTogetherHaveTooMuchEachMayHaveLess() {
        open();
        all.addAndGet(BridgeSocket.ALL_UNSENT_MAX);
        on(bridge, () -> socket.send("x".repeat(BridgeSocket.UNSENT_CALM)));
        assertThat(ends).as("one frame may have any size").isEmpty();
        on(bridge, () -> socket.send("y"));
        assertThat(ends).containsExactly(BridgeSocket.End.SLOW);
        assertThat(all).hasValue(BridgeSocket.ALL_UNSENT_MAX);
    }

    @Test
    void aFrameThatCannotBeDealtWithCostsItsConnectionAlone() {
        on(bridge, () -> socket.open(bridge, _ -> Integer.parseInt("none"), ends::add));
        on(home, () -> socket.onText("a"));
        assertThat(ends).containsExactly(BridgeSocket.End.FAILED);
        assertThat(carrier.code).isEqualTo(1011);
    }

    /** A WebSocket throws from the moment on when its client closed it, which is before it says so. */
    @Test
    void aSocketThatEndedUnheardIsEndedByTheNextStep() {
        carrier.broken = true;
        open();
        assertThat(ends).containsExactly(BridgeSocket.End.FAILED);
        on(home, socket::onClosed);
        assertThat(ends).hasSize(1);
    }

    @Test
    void aWriteThatThrowsEndsItToo() {
        open();
        carrier.broken = true;
        on(bridge, () -> socket.send("a"));
        assertThat(ends).containsExactly(BridgeSocket.End.FAILED);
        assertThat(all).hasValue(0);
    }

    /** Whatever the order of taking it in and its end, who took it in is told once. */
    @Test
    void theEndIsToldOnceHoweverItComes() {
        on(home, socket::onClosed);
        open();
        on(home, socket::onClosed);
        on(bridge, () -> socket.refuse("late"));
        on(bridge, () -> socket.send("late"));
        assertThat(ends).containsExactly(BridgeSocket.End.CLOSED);
        assertThat(all).hasValue(0);
    }

    @Test
    void theEndIsToldToWhoIsTakingItIn() {
        run(home, () -> {
            bridge.runOnContext(_ -> socket.open(bridge, heard::add, ends::add));
            run(bridge, () -> {}); // its opening waits for this very turn
            socket.onClosed();
        });
        on(home, () -> {});
        assertThat(ends).containsExactly(BridgeSocket.End.CLOSED);
    }

    @Test
    void aBridgeThatHasGoneEndsItsSockets() {
        Vertx other = Vertx.vertx();
        Context gone = other.getOrCreateContext();
        on(bridge, () -> socket.open(gone, heard::add, ends::add));
        other.close().await();
        on(home, () -> socket.onText("a"));
        assertThat(carrier.code).isEqualTo(1011);
    }
}
