package mcc.tunnel;

import io.vertx.core.Vertx;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * Many time-outs of one length, of which few ever end: they are due in the order in which they began, so one timer serves all.
 * Limit: there are no more than what each is for, and those that were given up before.
 */
final class Timeouts {
    /** One that has begun. */
    static final class Timeout {
        private final long dueNs;
        private @Nullable Runnable task;

        private Timeout(long dueNs, Runnable task) {
            this.dueNs = dueNs;
            this.task = task;
        }

        /** It ends with nothing. */
        void cancel() {
            task = null;
        }
    }

    private final Vertx vertx;
    private final long lengthMs;
    private final ArrayDeque<Timeout> all = new ArrayDeque<>();
    private boolean armed;

    Timeouts(Vertx vertx, long lengthMs) {
        this.vertx = vertx;
        this.lengthMs = lengthMs;
    }

    /** Begins one: unless it is given up, the task runs when it is over. */
    Timeout begin(Runnable task) {
        forget();
        Timeout out = new Timeout(System.nanoTime() + lengthMs * 1_000_000, task);
        all.add(out);
        arm(lengthMs);
        return out;
    }

    private void forget() {
        for (Timeout first; (first = all.peek()) != null && first.task == null; ) all.remove();
    }

    private void arm(long afterMs) {
        if (armed) return;
        armed = true;
        vertx.setTimer(afterMs, _ -> look());
    }

    private void look() {
        armed = false;
        long nowNs = System.nanoTime();
        for (Timeout first; (first = all.peek()) != null && (first.task == null || first.dueNs <= nowNs); ) {
            all.remove();
            Runnable task = first.task;
            first.task = null;
            if (task != null) task.run();
        }
        Timeout next = all.peek();
        if (next != null) arm(Math.max(1, (next.dueNs - System.nanoTime() + 999_999) / 1_000_000));
    }
}
