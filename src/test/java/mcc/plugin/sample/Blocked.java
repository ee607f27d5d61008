package mcc.plugin.sample;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import java.util.concurrent.CountDownLatch;

/** Answers nothing: the first message blocks its loop until it is interrupted. */
public final class Blocked extends VerticleBase {
    @Override
    public Future<?> start() {
        vertx.eventBus().consumer("blocked.ask", _ -> {
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        });
        return Future.succeededFuture();
    }
}
