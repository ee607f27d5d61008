package mcc.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Context;
import io.vertx.core.Vertx;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ThrottleTest {
    private final Vertx vertx = Vertx.vertx();
    private final Context context = vertx.getOrCreateContext();
    private final LinkedBlockingQueue<Integer> runs = new LinkedBlockingQueue<>();
    private int calls;

    @AfterEach
    void close() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    private Integer next() throws InterruptedException {
        return runs.poll(60, TimeUnit.SECONDS);
    }

    private void call(Throttle throttle) {
        calls++;
        throttle.call();
    }

    @Test
    void theFirstCallDoesNotWait() throws Exception {
        Throttle throttle = new Throttle(vertx, 3_600_000, () -> runs.add(calls));
        context.runOnContext(_ -> call(throttle));
        assertThat(next()).isEqualTo(1);
    }

    @Test
    void manyCallsMeanwhileAreOneRunAfterwards() throws Exception {
        Throttle throttle = new Throttle(vertx, 50, () -> runs.add(calls));
        context.runOnContext(_ -> {
            call(throttle);
            call(throttle);
        });
        assertThat(next()).as("both came before it ran").isEqualTo(2);
        context.runOnContext(_ -> {
            for (int i = 0; i < 3; i++) call(throttle);
        });
        assertThat(next()).isEqualTo(5);
        context.runOnContext(_ -> call(throttle));
        assertThat(next()).isEqualTo(6);
        assertThat(runs).isEmpty();
    }
}
