package mcc.plugin.sample;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import java.util.concurrent.locks.LockSupport;

/**
 * Opens a server where no undeployment would find it, and says its port in the property {@code mcc.test.port}. With
 * {@code mcc.test.leak} it also starts a thread that runs until {@code mcc.test.release} is set.
 */
public final class Leaker extends VerticleBase {
    @Override
    public Future<?> start() {
        Promise<Void> open = Promise.promise();
        Thread thread = new Thread(() -> {
            vertx.createNetServer()
                    .connectHandler(socket -> socket.write("still here"))
                    .listen(0, "127.0.0.1")
                    .onSuccess(server -> System.setProperty("mcc.test.port", String.valueOf(server.actualPort())))
                    .<Void>mapEmpty()
                    .onComplete(open);
            if (System.getProperty("mcc.test.leak") == null) return;
            while (System.getProperty("mcc.test.release") == null) {
                Thread.interrupted();
                LockSupport.parkNanos(1_000_000);
            }
        });
        thread.setName("leaker");
        thread.start();
        return open.future();
    }
}
