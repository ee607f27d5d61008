package mcc.plugin.sample;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;

/** Blocks its loop while it stops: for ever, or against every interrupt until {@code mcc.test.release} is set. */
public final class Stubborn extends VerticleBase {
    @Override
    public Future<?> stop() throws InterruptedException {
        if (System.getProperty("mcc.test.stubborn") == null) new CountDownLatch(1).await();
        while (System.getProperty("mcc.test.release") == null) {
            Thread.interrupted();
            LockSupport.parkNanos(1_000_000);
        }
        return Future.succeededFuture();
    }
}
