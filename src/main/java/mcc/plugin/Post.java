package mcc.plugin;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.concurrent.RejectedExecutionException;

/** The hop from one Vertx instance's context to another's, which may have ended meanwhile. */
final class Post {
    private Post() {}

    /** Runs a step there; false where nothing runs any more. */
    static boolean to(Context there, Runnable step) {
        try {
            there.runOnContext(_ -> step.run());
            return true;
        } catch (RejectedExecutionException _) {
            return false;
        }
    }

    /** The same, completed there. */
    static <T> Future<T> back(Context there, Future<T> future) {
        Promise<T> promise = Promise.promise();
        future.onComplete(done -> to(there, () -> promise.handle(done)));
        return promise.future();
    }
}
