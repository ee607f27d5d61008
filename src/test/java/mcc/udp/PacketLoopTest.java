package mcc.udp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.netty.channel.epoll.Epoll;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import mcc.core.Address;
import mcc.sys.UdpDescriptor;
import org.junit.jupiter.api.Test;

class PacketLoopTest {
    private static final Address LOOPBACK = Address.v4(0x7f000001, 0);

    @Test
    void whoWantsNothingIsNotWokenForWhatIsUnread() throws Exception {
        assumeTrue(Epoll.isAvailable(), "watching descriptors needs Linux");
        Vertx vertx = Vertx.vertx();
        CompletableFuture<Throwable> failure = new CompletableFuture<>();
        PacketThread thread = new PacketThread();
        Context context = thread.context(vertx.getOrCreateContext());
        context.exceptionHandler(failure::complete);
        PacketLoop loop = new PacketLoop(context);
        try (UdpDescriptor reader = UdpDescriptor.bind(LOOPBACK.ip(), 0, true);
                UdpDescriptor writer = UdpDescriptor.bind(LOOPBACK.ip(), 0, true)) {
            AtomicInteger woken = new AtomicInteger();
            CountDownLatch first = new CountDownLatch(3);
            CountDownLatch again = new CountDownLatch(6);
            PacketLoop.Watch watch = loop.watch(reader.descriptor(), () -> {
                woken.incrementAndGet();
                first.countDown();
                again.countDown();
            });
            int error = writer.send(LOOPBACK.high(), LOOPBACK.low(), reader.port(), new byte[1], 0, 1, 0, 0);
            assertThat(error).isZero();
            assertThat(first.await(60, TimeUnit.SECONDS))
                    .as("unread, it comes again")
                    .isTrue();

            turn(loop, () -> watch.wants(false, false));
            turn(loop, () -> {});
            int before = woken.get();
            for (int i = 0; i < 100; i++) turn(loop, () -> {});
            assertThat(woken).hasValue(before);

            turn(loop, () -> watch.wants(true, false));
            assertThat(again.await(60, TimeUnit.SECONDS)).isTrue();
            assertThat(failure).isNotDone();
        } finally {
            thread.close();
            vertx.close().await();
        }
    }

    /** Each task from outside wakes the loop, which looks at its descriptors then. */
    private static void turn(PacketLoop loop, Runnable task) throws Exception {
        CompletableFuture<Void> done = new CompletableFuture<>();
        loop.execute(() -> {
            try {
                task.run();
                done.complete(null);
            } catch (RuntimeException | Error e) {
                done.completeExceptionally(e);
            }
        });
        done.get(60, TimeUnit.SECONDS);
    }
}
