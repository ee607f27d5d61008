package mcc.plugin.sample;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;

/** Ends the process instead of starting. */
public final class Exiter extends VerticleBase {
    @Override
    public Future<?> start() {
        System.exit(3);
        return Future.succeededFuture();
    }
}
