package mcc.plugin.sample;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;

/** Starts once the property {@code mcc.test.start} is set and stops once {@code mcc.test.stop} is. */
public final class Slow extends VerticleBase {
    @Override
    public Future<?> start() {
        return when("mcc.test.start");
    }

    @Override
    public Future<?> stop() {
        return when("mcc.test.stop");
    }

    private Future<?> when(String property) {
        Promise<Void> promise = Promise.promise();
        vertx.setPeriodic(5, id -> {
            if (System.getProperty(property) == null) return;
            vertx.cancelTimer(id);
            promise.complete();
        });
        return promise.future();
    }
}
