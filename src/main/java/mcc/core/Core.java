package mcc.core;

import org.jspecify.annotations.Nullable;

/**
 * A protocol's state machine, free of threads, clocks, sockets, files, loggers and randomness of its own.
 *
 * <p>Five laws, tested against every core:
 * <ol>
 *   <li>after each {@link #handle} the host drains {@link #poll} to null, then arms one timer from {@link #deadlineNs};
 *       after a tick the new deadline is later than that tick, or the host would loop for ever;
 *   <li>a late or needless tick is harmless;
 *   <li>outputs are immutable values, never views of state;
 *   <li>equal seed and equal inputs give equal outputs, byte for byte;
 *   <li>every collection has a declared limit and a counter of what the limit refused.
 * </ol>
 *
 * @param <I> what may happen to the core: a sealed interface of records
 * @param <O> what the core asks of its host: a sealed interface of records
 */
public interface Core<I, O> {
    /** The deadline of a core that waits for nothing. */
    long NEVER = Long.MAX_VALUE;

    /**
     * Makes exactly one step.
     *
     * @param nowNs monotonic time in nanoseconds; never less than in the call before
     * @param input what happened
     */
    void handle(long nowNs, I input);

    /** Returns the next output, or null when all are drained. */
    @Nullable
    O poll();

    /** Returns the monotonic time in nanoseconds at which a tick is due, or {@link #NEVER}. */
    long deadlineNs();
}
