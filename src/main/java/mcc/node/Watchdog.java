package mcc.node;

import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.LockInfo;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryUsage;
import java.lang.management.ThreadInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Checks, on a thread of its own, whether every event loop still makes progress and whether the heap still has room. What it
 * finds cannot be repaired from inside: the process must be ended, and be started again by its supervisor.
 *
 * <p>It counts its own checks, one a second, and does not measure time: after a machine slept, or a process was stopped for an
 * hour, one check is late but no loop is blamed.
 */
public final class Watchdog implements AutoCloseable {
    /** Why the process must end. */
    public enum Cause {
        /** A loop makes no progress. */
        STUCK,
        /** There is no memory left. */
        MEMORY
    }

    /** What was found, as a text for the operator, with the stack of the thread involved. */
    public record Finding(Cause cause, String word) {}

    /** After this many checks without a turn a loop counts as stuck. */
    static final int MISSES = 10;

    /** After this many checks without a turn the node reports that it is not live. */
    static final int LATE = 3;

    private static final long LOOK_MS = 1_000;

    private final List<Loop> loops = new ArrayList<>();
    private final Status status;
    private final Heap heap = new Heap();
    private volatile boolean closed;

    /** One loop, and the task that is submitted to it. */
    private static final class Loop implements Runnable {
        private final String name;
        private final Executor executor;
        private volatile boolean turned = true;
        private volatile @Nullable Thread thread;
        private int missed;

        Loop(String name, Executor executor) {
            this.name = name;
            this.executor = executor;
        }

        @Override
        public void run() {
            thread = Thread.currentThread();
            turned = true;
        }

        /** Submits the task again if it has run, so that never more than one waits. */
        void look() {
            missed = turned ? 0 : missed + 1;
            if (!turned && missed < MISSES) return;
            turned = false;
            try {
                executor.execute(this);
            } catch (RejectedExecutionException _) {
                // a loop that has ended makes no progress
            }
        }

        Finding finding() {
            Thread at = thread;
            return new Finding(
                    Cause.STUCK,
                    name + " has not responded for " + MISSES + " s" + (at == null ? "" : ", it is at\n" + stack(at)));
        }
    }

    /** @param loops the loops to be watched, by the names that operators see */
    Watchdog(Map<String, Executor> loops, Status status) {
        loops.forEach((name, executor) -> this.loops.add(new Loop(name, executor)));
        this.status = status;
    }

    /**
     * Begins to check, once a second, until closed or until something is found.
     *
     * @param well called after each check that found every loop in order
     * @param end called at most once, on the watchdog's own thread
     */
    void start(Runnable well, Consumer<Finding> end) {
        Thread.ofPlatform().daemon().name("mcc-watchdog").start(() -> {
            while (!closed) {
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(LOOK_MS));
                Finding finding = closed ? null : look();
                if (finding != null) {
                    end.accept(finding);
                    return;
                }
                if (!closed && status.late().isEmpty()) well.run();
            }
        });
    }

    /** One check; null while there is no reason to end the process. */
    @Nullable
    Finding look() {
        List<String> late = new ArrayList<>();
        Finding finding = null;
        for (Loop loop : loops) {
            loop.look();
            if (loop.missed >= LATE) late.add(loop.name);
            if (loop.missed >= MISSES && finding == null) finding = loop.finding();
        }
        status.late(late);
        String spent = status.memorySpent();
        if (spent != null) return new Finding(Cause.MEMORY, spent);
        if (heap.isSpent(System.nanoTime(), gcMs(), usedPermille())) {
            return new Finding(Cause.MEMORY, "the heap is full, and nearly all time goes into garbage collection");
        }
        return finding;
    }

    /** Ends the watch. */
    @Override
    public void close() {
        closed = true;
    }

    private static String stack(Thread thread) {
        StringBuilder out = new StringBuilder("  thread ").append(thread.getName());
        ThreadInfo info = ManagementFactory.getThreadMXBean().getThreadInfo(thread.threadId());
        if (info != null) {
            out.append(' ').append(info.getThreadState());
            LockInfo lock = info.getLockInfo();
            if (lock != null) out.append(" on ").append(lock);
            if (info.getLockOwnerName() != null) out.append(" held by ").append(info.getLockOwnerName());
        }
        for (StackTraceElement at : thread.getStackTrace())
            out.append("\n    at ").append(at);
        return out.toString();
    }

    private static long gcMs() {
        long sum = 0;
        for (GarbageCollectorMXBean gc : ManagementFactory.getGarbageCollectorMXBeans()) sum += gc.getCollectionTime();
        return sum;
    }

    /** How full the fullest part of the heap was after its last collection; 0 if the JVM does not tell. */
    private static int usedPermille() {
        int most = 0;
        for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
            MemoryUsage after = pool.getCollectionUsage();
            if (after == null || after.getMax() <= 0) continue;
            most = Math.max(most, (int) (after.getUsed() * 1000 / after.getMax()));
        }
        return most;
    }

    /**
     * Tells whether the heap is exhausted though the JVM does not say so: nearly all of it is in use after a collection, and
     * nearly all time is spent on collections, at several checks in a row.
     */
    static final class Heap {
        private static final int FULL_PERMILLE = 970;
        private static final int GC_PERMILLE = 900;

        private long lastNs;
        private long lastGcMs;
        private int looks;

        boolean isSpent(long nowNs, long gcMs, int usedPermille) {
            long passedMs = Math.max(1, (nowNs - lastNs) / 1_000_000);
            boolean busy = (gcMs - lastGcMs) * 1000 / passedMs >= GC_PERMILLE;
            looks = busy && usedPermille >= FULL_PERMILLE ? looks + 1 : 0;
            lastNs = nowNs;
            lastGcMs = gcMs;
            return looks >= MISSES;
        }
    }
}
