package mcc.plugin.sample;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import java.util.ArrayList;
import java.util.List;

/** Takes all the memory there is, on a thread of its own, which is where nobody looks. */
public final class Hog extends VerticleBase {
    private final List<byte[]> hoard = new ArrayList<>();

    @Override
    public Future<?> start() {
        Thread.ofPlatform().daemon().start(() -> {
            while (true) hoard.add(new byte[64 << 10]);
        });
        return Future.succeededFuture();
    }
}
