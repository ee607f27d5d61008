package mcc.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Vertx;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TimeoutsTest {
    private static final long PATIENCE_S = 60;

    private final Vertx vertx = Vertx.vertx();
    private final BlockingQueue<String> over = new LinkedBlockingQueue<>();

    @AfterEach
    void close() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    private void run(Runnable task) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        vertx.getOrCreateContext().runOnContext(_ -> {
            task.run();
            done.complete(null);
        });
        done.orTimeout(PATIENCE_S, TimeUnit.SECONDS).join();
    }

    private String next() throws InterruptedException {
        return over.poll(PATIENCE_S, TimeUnit.SECONDS);
    }

    @Test
    void timeoutsFireInOrderAndCancelledOnesDoNot() throws InterruptedException {
        Timeouts timeouts = new Timeouts(vertx, 20);
        run(() -> {
            List<Timeouts.Timeout> begun = List.of("a", "b", "c", "d").stream()
                    .map(name -> timeouts.begin(() -> over.add(name)))
                    .toList();
            begun.get(0).cancel();
            begun.get(2).cancel();
        });
        assertThat(next()).isEqualTo("b");
        assertThat(next()).isEqualTo("d");
    }

    @Test
    void aTimeoutThatFiresMayBeginAnother() throws InterruptedException {
        Timeouts timeouts = new Timeouts(vertx, 20);
        run(() -> timeouts.begin(() -> {
            over.add("first");
            timeouts.begin(() -> over.add("second"));
        }));
        assertThat(next()).isEqualTo("first");
        assertThat(next()).isEqualTo("second");
        assertThat(over).isEmpty();
    }
}
