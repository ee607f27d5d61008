package mcc;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import mcc.node.Watchdog;
import org.jspecify.annotations.Nullable;

/**
 * How the process of a node ends: asked by a signal, before it is ready as well as after, or by the watchdog; and in either
 * case within a bound, whatever stands in the way.
 *
 * <p>States: STARTING (a signal interrupts the start, and waits for what it leaves) → RUNNING (a signal closes the node) →
 * over. {@code Runtime.halt} is the last step of each: the hooks of libraries may block, and the exit code is ours.
 */
final class Ending {
    /** Exit code: there was no memory left. The JVM's own, where it finds that out itself. */
    static final int MEMORY = 3;
    /** Exit code: a part of the process stood still, EX_SOFTWARE of sysexits(3). */
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
     * To be made by the thread that starts the node.
     *
     * @param words says something to the operator; may block
     */
    Ending(Consumer<String> words) {
        this(words, STOP_MS);
    }

    /** @param stopMs the longest that an end may take; half of it is for a start to leave things in order */
    Ending(Consumer<String> words, long stopMs) {
        this.words = words;
        this.stopMs = stopMs;
    }

    /** Takes over what a signal does. */
    void install() {
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /** From now on a signal closes this node; says whether one came before, so that the caller closes it. */
    synchronized boolean isAskedBefore(AutoCloseable running) {
        node = running;
        return asked;
    }

    /** Whether a signal came. */
    synchronized boolean isAsked() {
        return asked;
    }

    /** The start is over, well or not. Where a signal came meanwhile this never returns: the process ends with its code. */
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
                // A name server that is silent is not interrupted; what such a start holds is the system's to take
                // back.
                boolean _ = started.await(stopMs / 2, TimeUnit.MILLISECONDS);
            }
        } catch (Exception e) {
            say("the node did not end as it should: " + e);
        }
        Runtime.getRuntime().halt(0); // a node that was asked to end ended well; the JVM would say 143 for SIGTERM
    }

    /** Ends the process by force where it is still there in nine seconds. */
    private void bound() {
        Thread.ofPlatform().daemon().name("mcc-end-bound").start(() -> {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(stopMs));
            say("the node did not stop within " + stopMs + " ms and is ended by force");
            Runtime.getRuntime().halt(STUCK);
        });
    }

    /** Ends the process at once for what the watchdog found. */
    void end(Watchdog.Finding finding) {
        say(finding.word() + "\nmcc: the process ends, so that it can be started again");
        Runtime.getRuntime()
                .halt(
                        switch (finding.cause()) {
                            case STUCK -> STUCK;
                            case MEMORY -> MEMORY;
                        });
    }

    /** Says it, but never waits long for whoever should read it. */
    private void say(String word) {
        Thread speaker = Thread.ofPlatform().daemon().name("mcc-word").start(() -> words.accept(word));
        try {
            speaker.join(WORD_MS);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
