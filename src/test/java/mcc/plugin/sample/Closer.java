package mcc.plugin.sample;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;

/** Believes that the Vert.x it runs on is its own to close. */
public final class Closer extends VerticleBase {
    @Override
    public Future<?> start() {
        vertx.eventBus().consumer("closer.close", _ -> vertx.close());
        return Future.succeededFuture();
    }
}
