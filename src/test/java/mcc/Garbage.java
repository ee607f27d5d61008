package mcc;

import java.lang.management.ManagementFactory;

/** How much a step allocates in its thread, as the JVM counts it: bytes, not time, so no luck is in it. */
public final class Garbage {
    private static final com.sun.management.ThreadMXBean THREADS =
            (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();

    /** The longest that is waited for a step that is not clean. */
    private static final long PATIENCE_NS = 30_000_000_000L;

    private Garbage() {}

    /**
     * The bytes that this thread allocates in a step, the fewest of many tries; they end when it is {@code enough}. The
     * first tries run code that is not compiled yet, which leaves objects on the heap that it will not later: so they go on
     * until the compiler had its turn, on a busy machine for longer than on an idle one.
     */
    public static long bytesOf(Runnable step, long enough) {
        long endNs = System.nanoTime() + PATIENCE_NS;
        long least = Long.MAX_VALUE;
        do {
            long before = THREADS.getCurrentThreadAllocatedBytes();
            step.run();
            least = Math.min(least, THREADS.getCurrentThreadAllocatedBytes() - before);
        } while (least > enough && System.nanoTime() < endNs);
        return least;
    }
}
