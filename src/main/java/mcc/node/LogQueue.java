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
 * Lines of the log on their way to one sink, which may block for ever: a pipe that nobody reads, a disk that hangs. Logging
 * never waits; lines that find the queue full are dropped and counted, and the number is reported once the sink takes lines
 * again.
 */
final class LogQueue extends UnsynchronizedAppenderBase<ILoggingEvent> {
    /** Lines that may wait; each has at most {@link LogText#LINE_CHARS} characters and the stack trace of an exception. */
    static final int LINES = 1_024;

    private static final long FLUSH_MS = 1_000;

    /** An entry of the queue: a line, or a mark that tells when all before it was written. */
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
     * @param sink already started; used on this queue's own thread only
     * @param state gets the number of dropped lines when the first line is dropped, and 0 when the sink takes lines again
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

    /** Waits until everything logged so far is written, at most a second. */
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

    /** Takes no more lines, and waits up to a second until the queued ones are written. */
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
