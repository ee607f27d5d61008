package mcc.plugin.sample;

import io.vertx.core.VerticleBase;

/** Cannot even be made. */
public final class Thrower extends VerticleBase {
    public Thrower() {
        throw new IllegalStateException("thrown in the constructor");
    }
}
