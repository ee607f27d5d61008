package mcc.plugin;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.concurrent.RejectedExecutionException;

/** Runs steps on another Vertx instance's context, which may have ended. */
final class Post {
    private Post() {}

    /** Runs a step on a context; false if that has ended. */
    static boolean to(Context there, Runnable step) {
        try {
            there.runOnContext(_ -> step.run());
            return true;
        } catch (RejectedExecutionException _) {
            return false;
        }
    }

    /** Completes a future on a context. */
    static <T> Future<T> back(Context there, Future<T> future) {
        Promise<T> promise = Promise.promise();
        future.onComplete(done -> to(there, () -> promise.handle(done)));
        return promise.future();
    }
}
