package mcc;

import java.lang.management.ManagementFactory;

/** How much a step allocates in its thread, as the JVM counts it: bytes, not time, so no luck is in it. */
public final class Garbage {
    private static final com.sun.management.ThreadMXBean THREADS =
            (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();

    private Garbage() {}

    /**
     * The bytes that this thread allocates in a step, the fewest of up to 400 tries; they end when it is {@code enough}. The
     * first tries run code that is not compiled yet, which leaves objects on the heap that it will not later.
     */
    public static long bytesOf(Runnable step, long enough) {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 400 && least > enough; i++) {
            long before = THREADS.getCurrentThreadAllocatedBytes();
            step.run();
            least = Math.min(least, THREADS.getCurrentThreadAllocatedBytes() - before);
        }
        return least;
    }
}
