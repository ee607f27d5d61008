package mcc.tunnel;

import io.vertx.core.Vertx;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * Many time-outs of equal length, most of which are cancelled: they fire in the order in which they began, so one timer serves
 * all. Limit: as many as there are things to time out, and those cancelled that began after the oldest of these.
 */
final class Timeouts {
    /** One time-out. */
    static final class Timeout {
        private final long dueNs;
        private @Nullable Runnable task;

        private Timeout(long dueNs, Runnable task) {
            this.dueNs = dueNs;
            this.task = task;
        }

        /** Cancels it: its task will not run. */
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

    /** Begins a time-out: its task runs when it fires, unless it is cancelled. */
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
