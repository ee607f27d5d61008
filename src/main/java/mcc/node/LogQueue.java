package mcc.node;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.UnsynchronizedAppenderBase;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;

/**
 * Lines of the log on their way to one sink, which may block for ever: a pipe that nobody reads, a disk that hangs. Who logs
 * never waits; what finds the queue full is dropped and counted, and the sink is told how much once it takes lines again.
 */
final class LogQueue extends UnsynchronizedAppenderBase<ILoggingEvent> {
    /** Lines that wait; each is at most {@link LogText#LINE_CHARS} characters and the stack of what was thrown. */
    static final int LINES = 1_024;

    private static final long FLUSH_MS = 1_000;

    /** What waits: a line, or somebody who wants to know that all before it is written. */
    private sealed interface Entry {}

    private record Line(ILoggingEvent event) implements Entry {}

    private record Mark(CountDownLatch reached) implements Entry {}

    private final BlockingQueue<Entry> queue = new ArrayBlockingQueue<>(LINES);
    private final AtomicLong dropped = new AtomicLong();
    private final Appender<ILoggingEvent> sink;
    private final LongConsumer state;
    private final Thread thread;
    private volatile boolean blocked;

    /**
     * @param sink started; used on a thread of this alone
     * @param state told how many lines were dropped so far when the first one is, and 0 when the sink takes lines again
     */
    LogQueue(String name, Appender<ILoggingEvent> sink, LongConsumer state) {
        this.sink = sink;
        this.state = state;
        thread = Thread.ofPlatform().daemon().name("mcc-log-" + name).unstarted(this::run);
    }

    @Override
    public void start() {
        super.start();
        thread.start();
    }

    @Override
    protected void append(ILoggingEvent event) {
        event.prepareForDeferredProcessing();
        if (queue.offer(new Line(event))) return;
        long so = dropped.incrementAndGet();
        if (blocked) return;
        blocked = true;
        state.accept(so);
    }

    private void run() {
        try {
            while (isStarted()) {
                deliver(queue.take());
                if (blocked && queue.remainingCapacity() > LINES / 2) {
                    blocked = false;
                    state.accept(0);
                }
            }
        } catch (InterruptedException _) {
            // stopped
        }
        for (Entry entry; (entry = queue.poll()) != null; ) deliver(entry);
    }

    private void deliver(Entry entry) {
        switch (entry) {
            case Line line -> sink.doAppend(line.event());
            case Mark mark -> mark.reached().countDown();
        }
    }

    /** Waits until what was logged before is written, a second at most. */
    void flush() {
        CountDownLatch written = new CountDownLatch(1);
        try {
            if (queue.offer(new Mark(written), FLUSH_MS, TimeUnit.MILLISECONDS)) {
                boolean _ = written.await(FLUSH_MS, TimeUnit.MILLISECONDS);
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    /** Lines dropped so far. */
    long dropped() {
        return dropped.get();
    }

    /** Takes no more lines, and waits a second for those that it has. */
    @Override
    public void stop() {
        if (!isStarted()) return;
        super.stop();
        thread.interrupt();
        try {
            thread.join(FLUSH_MS);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
