package mcc;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import mcc.node.Watchdog;
import org.jspecify.annotations.Nullable;

/**
 * How a node's process ends: by a signal, during the start or later, or by the watchdog; in each case within a time limit,
 * whatever blocks.
 *
 * <p>States: STARTING (a signal interrupts the start, and waits until it has cleaned up) → RUNNING (a signal closes the node)
 * → over. {@code Runtime.halt} is always the last step: shutdown hooks of libraries may block, and the exit code is ours.
 */
final class Ending {
    /** Exit code: out of memory. The JVM's own is the same where it finds this out itself. */
    static final int MEMORY = 3;
    /** Exit code: a part of the process stood still; EX_SOFTWARE of sysexits(3). */
    static final int STUCK = 70;

    private static final long STOP_MS = 9_000;
    private static final long WORD_MS = 1_000;

    private final Thread starter = Thread.currentThread();
    private final CountDownLatch started = new CountDownLatch(1);
    private final Thread hook = new Thread(this::asked, "mcc-end");
    private final Consumer<String> words;
    private final long stopMs;
    private @Nullable AutoCloseable node;
    private boolean asked;

    /**
     * To be created by the thread that starts the node.
     *
     * @param words tells the operator something; may block
     */
    Ending(Consumer<String> words) {
        this(words, STOP_MS);
    }

    /** @param stopMs the longest that stopping may take, in milliseconds; half of it is for a start to clean up */
    Ending(Consumer<String> words, long stopMs) {
        this.words = words;
        this.stopMs = stopMs;
    }

    /** Handles signals from now on. */
    void install() {
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /** From now on a signal closes this node; returns whether one came before, so that the caller must close it. */
    synchronized boolean isAskedBefore(AutoCloseable running) {
        node = running;
        return asked;
    }

    /** Whether a signal came. */
    synchronized boolean isAsked() {
        return asked;
    }

    /**
     * The start has ended, well or not. If a signal came meanwhile this never returns: the process ends with the exit code
     * above.
     */
    void startIsOver() {
        started.countDown();
        if (!isAsked()) {
            try {
                Runtime.getRuntime().removeShutdownHook(hook);
                return;
            } catch (IllegalStateException _) {
                // a signal came just now
            }
        }
        while (true) LockSupport.park();
    }

    private void asked() {
        bound();
        AutoCloseable running;
        synchronized (this) {
            asked = true;
            running = node;
        }
        try {
            if (running != null) running.close();
            else {
                starter.interrupt();
                // A lookup by a silent name server cannot be interrupted; the system frees what such a start holds.
                boolean _ = started.await(stopMs / 2, TimeUnit.MILLISECONDS);
            }
        } catch (Exception e) {
            say("the node did not end as it should: " + e);
        }
        Runtime.getRuntime()
                .halt(0); // a node that was asked to stop ended well; the JVM would exit with 143 after SIGTERM
    }

    /** Ends the process by force if it is still there after {@code stopMs}. */
    private void bound() {
        Thread.ofPlatform().daemon().name("mcc-end-bound").start(() -> {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(stopMs));
            say("the node did not stop within " + stopMs + " ms and is ended by force");
            Runtime.getRuntime().halt(STUCK);
        });
    }

    /** Ends the process at once, for a reason that the watchdog found. */
    void end(Watchdog.Finding finding) {
        say(finding.word() + "\nmcc: the process ends, so that it can be started again");
        Runtime.getRuntime()
                .halt(
                        switch (finding.cause()) {
                            case STUCK -> STUCK;
                            case MEMORY -> MEMORY;
                        });
    }

    /** Prints it, but never waits long for a reader. */
    private void say(String word) {
        Thread speaker = Thread.ofPlatform().daemon().name("mcc-word").start(() -> words.accept(word));
        try {
            speaker.join(WORD_MS);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
