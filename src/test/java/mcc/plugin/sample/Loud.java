package mcc.plugin.sample;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import org.slf4j.LoggerFactory;

/** Logs more than a pipe that nobody reads can hold, and tries to forge lines of the node's own. */
public final class Loud extends VerticleBase {
    @Override
    public Future<?> start() {
        for (int i = 0; i < 5_000; i++) {
            LoggerFactory.getLogger(Loud.class).warn("line {} {}\nmcc: forged", i, "x".repeat(200));
        }
        return Future.succeededFuture();
    }
}
