package mcc.node;

import io.vertx.core.Timer;
import io.vertx.core.Vertx;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import mcc.core.Core;
import org.jspecify.annotations.Nullable;

/**
 * Runs one core on one event loop: passes it inputs with the time, takes its outputs, and arms one timer for its deadline (law
 * 1 of {@link Core}). Not thread-safe: everything happens on the context that made it.
 */
final class CoreHost<I, O> {
    private final Vertx vertx;
    private final Core<I, O> core;
    private final I tick;
    private final Consumer<O> deliver;
    private @Nullable Timer timer;
    private long armedNs = Core.NEVER;
    private boolean closed;

    /**
     * @param tick the input that says that time has passed
     * @param deliver takes each output
     */
    CoreHost(Vertx vertx, Core<I, O> core, I tick, Consumer<O> deliver) {
        this.vertx = vertx;
        this.core = core;
        this.tick = tick;
        this.deliver = deliver;
    }

    /**
     * Passes an input to the core and handles everything that follows.
     *
     * @throws Broken if the core threw
     */
    void handle(I input) {
        if (closed) return;
        try {
            core.handle(System.nanoTime(), input);
            for (O output; (output = core.poll()) != null; ) deliver.accept(output);
            arm();
        } catch (RuntimeException e) {
            throw e instanceof Broken ? e : new Broken(e);
        }
    }

    void close() {
        closed = true;
        if (timer != null) timer.cancel();
    }

    private void arm() {
        long due = core.deadlineNs();
        if (due == armedNs) return;
        if (timer != null) timer.cancel();
        timer = null;
        armedNs = due;
        if (due == Core.NEVER) return;
        long delayNs = Math.max(1_000_000, due - System.nanoTime());
        timer = vertx.timer(delayNs, TimeUnit.NANOSECONDS);
        timer.onSuccess(_ -> {
            armedNs = Core.NEVER;
            timer = null;
            handle(tick);
        });
    }
}
