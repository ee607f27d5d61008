package mcc.plugin;

import io.vertx.core.Deployable;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import java.util.ArrayList;
import java.util.List;

/**
 * The Vertx instance in which plugins run, with all its threads started.
 *
 * <p>A thread inherits the class loader of the one that starts it. One that is started while a plugin's code runs would keep
 * that plugin's classes for ever.
 */
final class PluginVertx {
    private static final int LOOPS = 2;
    private static final int WORKERS = 4;
    private static final int INTERNAL = 2;

    private PluginVertx() {}

    static Future<Vertx> start() {
        Vertx vertx = Vertx.vertx(new VertxOptions()
                .setEventLoopPoolSize(LOOPS)
                .setWorkerPoolSize(WORKERS)
                .setInternalBlockingPoolSize(INTERNAL));
        Deployable nothing = _ -> Future.succeededFuture();
        List<Future<?>> all = new ArrayList<>();
        // Loops are taken in turn; a pool starts a thread for each task until it has as many as it may.
        for (int i = 0; i < LOOPS; i++) all.add(vertx.deployVerticle(nothing).compose(vertx::undeploy));
        for (int i = 0; i < WORKERS; i++) all.add(vertx.executeBlocking(() -> true, false));
        for (int i = 0; i < INTERNAL; i++) all.add(vertx.fileSystem().exists("."));
        return Future.all(all).map(vertx);
    }
}
