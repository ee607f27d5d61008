package mcc.node;

import io.vertx.core.Vertx;

/**
 * Runs a task soon after it is called for, and then at most once in some time: calls that come meanwhile are one run at its end.
 * Used on one context.
 */
final class Throttle {
    private final Vertx vertx;
    private final long restMs;
    private final Runnable task;
    private boolean resting;
    private boolean again;

    Throttle(Vertx vertx, long restMs, Runnable task) {
        this.vertx = vertx;
        this.restMs = restMs;
        this.task = task;
    }

    void call() {
        again = true;
        if (resting) return;
        resting = true;
        vertx.runOnContext(_ -> run());
    }

    private void run() {
        again = false;
        task.run();
        vertx.setTimer(restMs, _ -> {
            resting = false;
            if (again) call();
        });
    }
}
