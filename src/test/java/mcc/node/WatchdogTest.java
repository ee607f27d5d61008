package mcc.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.DeploymentOptions;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import mcc.udp.PacketThread;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A loop that stands still is found, with the place where it stands; one that is slow, or that slept, is left alone. */
class WatchdogTest {
    private final Status status = new Status("test");
    private final Map<String, Executor> loops = new LinkedHashMap<>();
    private final Vertx vertx = Vertx.vertx();
    private final PacketThread packets = new PacketThread();

    @AfterEach
    void stop() {
        Node.await(vertx.close(), 10_000);
        packets.close();
    }

    /** Lets a loop do what it was given before. */
    private static void settle(Executor loop) {
        CompletableFuture.runAsync(() -> {}, loop).join();
    }

    @Test
    void thePacketLoopThatStandsIsFoundWithThePlaceWhereItStands() {
        packets.loops(vertx).forEach(loops::put);
        Watchdog watchdog = new Watchdog(loops, status);
        Executor loop = loops.get("the packet loop");
        assertThat(loop).isNotNull();
        for (int i = 0; i < 3 * Watchdog.MISSES; i++) {
            assertThat(watchdog.look()).isNull();
            loops.values().forEach(WatchdogTest::settle);
        }
        CountDownLatch stuck = new CountDownLatch(1);
        loop.execute(() -> standStill(stuck));
        Watchdog.Finding found = null;
        int looks = 0;
        while (found == null && looks < 2 * Watchdog.MISSES) {
            found = watchdog.look();
            looks++;
            loops.forEach((name, each) -> {
                if (each != loop) settle(each);
            });
        }
        assertThat(found).isNotNull();
        assertThat(looks).as("the look that asks, and those that wait").isEqualTo(1 + Watchdog.MISSES);
        assertThat(found.cause()).isEqualTo(Watchdog.Cause.STUCK);
        assertThat(found.word()).contains("the packet loop", "mcc-packets", "standStill");
        stuck.countDown();
    }

    private static void standStill(CountDownLatch until) {
        try {
            until.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void everyLoopOfVertxIsWatched() {
        Map<String, Executor> all = packets.loops(vertx);
        assertThat(all).hasSizeGreaterThan(2);
        for (int i = 0; i < 4; i++) {
            CompletableFuture<Thread> of = new CompletableFuture<>();
            vertx.deployVerticle(
                    new VerticleBase() {
                        @Override
                        public io.vertx.core.Future<?> start() {
                            of.complete(Thread.currentThread());
                            return io.vertx.core.Future.succeededFuture();
                        }
                    },
                    new DeploymentOptions());
            Thread home = of.join();
            boolean watched = all.values().stream()
                    .anyMatch(loop -> CompletableFuture.supplyAsync(Thread::currentThread, loop)
                            .join()
                            .equals(home));
            assertThat(watched).as(home.getName()).isTrue();
        }
    }

    @Test
    void aLoopThatIsLateIsNotLiveUntilItTurnsAgain() {
        Runnable[] waiting = new Runnable[1];
        loops.put("a loop", task -> waiting[0] = task);
        Watchdog watchdog = new Watchdog(loops, status);
        for (int i = 0; i < Watchdog.MISSES; i++) {
            assertThat(status.late()).isEqualTo(i <= Watchdog.LATE ? java.util.List.of() : java.util.List.of("a loop"));
            assertThat(watchdog.look()).isNull();
        }
        waiting[0].run();
        assertThat(watchdog.look()).isNull();
        assertThat(status.late()).isEmpty();
    }

    @Test
    void aStuckLoopIsAskedOnceAndNotFloodedWithTasks() {
        int[] asked = new int[1];
        loops.put("a loop", _ -> asked[0]++);
        Watchdog watchdog = new Watchdog(loops, status);
        for (int i = 0; i < Watchdog.MISSES; i++) watchdog.look();
        assertThat(asked[0]).isEqualTo(1);
    }

    @Test
    void aLoopThatHasEndedIsFound() {
        loops.put("a loop", _ -> {
            throw new RejectedExecutionException("ended");
        });
        Watchdog watchdog = new Watchdog(loops, status);
        for (int i = 0; i < Watchdog.MISSES; i++) assertThat(watchdog.look()).isNull();
        assertThat(watchdog.look()).isNotNull();
    }

    @Test
    void memoryThatAVerticleRanOutOfEndsTheProcess() {
        Watchdog watchdog = new Watchdog(loops, status);
        assertThat(watchdog.look()).isNull();
        status.memorySpent("the session verticle ran out of memory");
        Watchdog.Finding found = watchdog.look();
        assertThat(found).isNotNull();
        assertThat(found.cause()).isEqualTo(Watchdog.Cause.MEMORY);
    }

    @Test
    void aHeapThatIsCollectedAllTheTimeAndStaysFullIsSpent() {
        Watchdog.Heap heap = new Watchdog.Heap();
        long now = 0;
        long gc = 0;
        heap.isSpent(now, gc, 500);
        for (int i = 0; i < 3 * Watchdog.MISSES; i++) {
            assertThat(heap.isSpent(now += 1_000_000_000L, gc += 950, 900))
                    .as("busy, with room")
                    .isFalse();
        }
        for (int i = 0; i < 3 * Watchdog.MISSES; i++) {
            assertThat(heap.isSpent(now += 1_000_000_000L, gc += 100, 999))
                    .as("full, at peace")
                    .isFalse();
        }
        for (int i = 1; i < Watchdog.MISSES; i++) {
            assertThat(heap.isSpent(now += 1_000_000_000L, gc += 950, 990)).isFalse();
        }
        assertThat(heap.isSpent(now + 1_000_000_000L, gc + 950, 990)).isTrue();
    }
}
