package mcc.lab;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import mcc.wan.Tun;

/** Moves packets between the router's virtual interface and {@link Internet}, by the real clock, in a thread of its own. */
final class Pump implements AutoCloseable {
    private static final int BATCH = 64;
    private static final long IDLE_NS = 5_000_000;
    /** What is looked at half of this late on average is let go half of it early. */
    private static final long TURN_NS = 100_000;

    private final Internet internet;
    private final CompletableFuture<Boolean> ready = new CompletableFuture<>();
    private final CompletableFuture<Boolean> ended = new CompletableFuture<>();
    private volatile boolean over;

    /** Makes the interface {@code device} in a namespace, and begins. */
    Pump(Internet internet, Netns at, String device) throws Exception {
        this.internet = internet;
        at.start(() -> {
            try {
                run(device);
                ended.complete(true);
            } catch (Throwable e) {
                ready.completeExceptionally(e);
                ended.completeExceptionally(e);
            }
        });
        ready.get();
    }

    private void run(String device) throws Throwable {
        byte[] bytes = new byte[65_536];
        MemorySegment buffer = MemorySegment.ofArray(bytes);
        Netns.hurry();
        try (Tun tun = new Tun(device)) {
            ready.complete(true);
            while (!over) {
                int taken = 0;
                long nextNs;
                synchronized (internet) {
                    for (int n; taken < BATCH && (n = tun.read(buffer)) > 0; taken++) {
                        internet.offer(System.nanoTime(), bytes, n);
                    }
                    while (internet.poll(System.nanoTime() + TURN_NS / 2, tun::write)) {}
                    nextNs = internet.deadlineNs();
                }
                if (taken == BATCH) continue;
                if (nextNs == Long.MAX_VALUE) tun.await(IDLE_NS);
                else tun.await(Math.clamp(nextNs - System.nanoTime(), TURN_NS / 2, IDLE_NS));
            }
        }
    }

    /** Reads or changes what is between two packets. */
    <T> T with(Function<Internet, T> what) {
        if (ended.isCompletedExceptionally()) ended.join();
        synchronized (internet) {
            return what.apply(internet);
        }
    }

    @Override
    public void close() {
        over = true;
        ended.join();
    }
}
