package mcc.node;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.streams.ReadStream;
import io.vertx.core.streams.WriteStream;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import mcc.core.Id;
import org.jspecify.annotations.Nullable;

/**
 * A stream of a peer, and the datagrams of the flow that it opened, seen from the loop of whoever uses it.
 *
 * <p>Two bounded single-producer queues of chunks, one each way, with one coalesced wake-up per batch. Bytes taken by the
 * user grant credit to the remote sender; a user that pauses stops it within {@link #BOUND_BYTES} plus the stream's
 * window. Used on one context, given at {@link #attach}; {@link StreamHub} serves the other end on the packet loop.
 */
public final class StreamPort implements ReadStream<Buffer>, WriteStream<Buffer> {
    /** Bytes that wait in one direction. */
    static final int BOUND_BYTES = 256 * 1024;

    /** A datagram of this length fits a packet of every path. */
    private static final int LEAST_DATAGRAM_BYTES = 1_140;
    /** What a datagram that waits costs beside its bytes. */
    static final int DATAGRAM_BYTES = 64;

    /** The code with which a stream ends that the user breaks off. */
    public static final int CANCELLED = 1;

    private final StreamHub hub;
    private final Id peer;
    private final long stream;

    // datagrams, both ways
    private final Queue<byte[]> inboundDatagrams = new ConcurrentLinkedQueue<>();
    private final AtomicInteger inboundDatagramBytes = new AtomicInteger();
    final Queue<byte[]> outboundDatagrams = new ConcurrentLinkedQueue<>();
    final AtomicInteger outboundDatagramBytes = new AtomicInteger();
    volatile int maxDatagramBytes = LEAST_DATAGRAM_BYTES;

    // from the packet loop to the user
    final Queue<byte[]> inbound = new ConcurrentLinkedQueue<>();
    final AtomicInteger inboundBytes = new AtomicInteger();
    /** Bytes wait in the stream because so many wait here. */
    volatile boolean inboundFull;

    volatile boolean inboundEnded;
    volatile int brokenCode = -1;
    private final AtomicBoolean userWoken = new AtomicBoolean();

    // from the user to the packet loop
    final Queue<byte[]> outbound = new ConcurrentLinkedQueue<>();
    final AtomicInteger outboundBytes = new AtomicInteger();
    /** The user waits until few bytes wait here. */
    volatile boolean outboundFull;

    volatile boolean outboundEnded;
    volatile boolean cancelled;
    final AtomicBoolean hubWoken = new AtomicBoolean();
    /** A chunk that the stream took in part; packet loop only. */
    byte @Nullable [] rest;

    int restAt;

    boolean finished;
    boolean inHub = true;

    private volatile @Nullable Context context;
    private @Nullable Consumer<byte[]> dataHandler;
    private volatile @Nullable Consumer<byte[]> datagramHandler;
    private @Nullable Handler<Void> endHandler;
    private @Nullable Handler<Void> drainHandler;
    private @Nullable Handler<Throwable> exceptionHandler;
    private long demand = Long.MAX_VALUE;
    private boolean ended;
    private boolean broken;
    private @Nullable Runnable batchHandler;

    StreamPort(StreamHub hub, Id peer, long stream) {
        this.hub = hub;
        this.peer = peer;
        this.stream = stream;
    }

    /** The node at the other end. */
    public Id peer() {
        return peer;
    }

    long stream() {
        return stream;
    }

    /** Takes the port over: all handlers run on this context from now on. */
    public StreamPort attach(Context context) {
        this.context = context;
        wakeUser();
        return this;
    }

    // ---- WriteStream ------------------------------------------------------------------------------------------------

    @Override
    public Future<Void> write(Buffer data) {
        return write(data.getBytes())
                ? Future.succeededFuture()
                : Future.failedFuture(new Problem("upstream-unreachable", "the stream is closed", null));
    }

    /** Writes an array, which the caller must not touch again; false when the stream is closed. */
    public boolean write(byte[] data) {
        if (outboundEnded || broken) return false;
        outboundBytes.addAndGet(data.length);
        outbound.add(data);
        hub.wake(this);
        return true;
    }

    /** Ends this direction; the other goes on. */
    @Override
    public Future<Void> end() {
        outboundEnded = true;
        hub.wake(this);
        return Future.succeededFuture();
    }

    @Override
    public boolean writeQueueFull() {
        if (outboundBytes.get() < BOUND_BYTES) return false;
        outboundFull = true;
        if (outboundBytes.get() >= BOUND_BYTES) return true;
        outboundFull = false; // it drained meanwhile, perhaps before the flag was seen
        return false;
    }

    /** The bound is fixed. */
    @Override
    public StreamPort setWriteQueueMaxSize(int maxSize) {
        return this;
    }

    @Override
    public StreamPort drainHandler(@Nullable Handler<Void> handler) {
        drainHandler = handler;
        return this;
    }

    /** Breaks the stream off in both directions; what waits is dropped. */
    public void cancel() {
        cancelled = true;
        hub.wake(this);
    }

    // ---- datagrams --------------------------------------------------------------------------------------------------

    /** The longest datagram that {@link #sendDatagram} takes to the other end, in bytes, as far as is known. */
    public int maxDatagramBytes() {
        return maxDatagramBytes;
    }

    /** Sends a datagram, which the caller must not touch again; false when too many wait. May be lost all the same. */
    public boolean sendDatagram(byte[] data) {
        if (outboundDatagramBytes.get() + DATAGRAM_BYTES > BOUND_BYTES) return false;
        outboundDatagramBytes.addAndGet(data.length + DATAGRAM_BYTES);
        outboundDatagrams.add(data);
        hub.wake(this);
        return true;
    }

    /** Takes what comes as datagrams, whatever the demand for bytes; before there is a handler they are lost. */
    public StreamPort datagramHandler(Consumer<byte[]> handler) {
        datagramHandler = handler;
        return this;
    }

    /** From the packet loop. */
    boolean receive(byte[] data) {
        if (datagramHandler == null || inboundDatagramBytes.get() + DATAGRAM_BYTES > BOUND_BYTES) return false;
        inboundDatagramBytes.addAndGet(data.length + DATAGRAM_BYTES);
        inboundDatagrams.add(data);
        wakeUser();
        return true;
    }

    // ---- ReadStream -------------------------------------------------------------------------------------------------

    @Override
    public StreamPort exceptionHandler(@Nullable Handler<Throwable> handler) {
        exceptionHandler = handler;
        return this;
    }

    @Override
    public StreamPort handler(@Nullable Handler<Buffer> handler) {
        return bytesHandler(handler == null ? null : bytes -> handler.handle(Buffer.buffer(bytes)));
    }

    /** As {@link #handler}, for arrays, which then are the handler's. */
    public StreamPort bytesHandler(@Nullable Consumer<byte[]> handler) {
        dataHandler = handler;
        if (handler != null) wakeUser();
        return this;
    }

    /** What to do after the bytes that came together were handed over: write them out at once. */
    public StreamPort batchHandler(@Nullable Runnable handler) {
        batchHandler = handler;
        return this;
    }

    @Override
    public StreamPort pause() {
        demand = 0;
        return this;
    }

    @Override
    public StreamPort resume() {
        return fetch(Long.MAX_VALUE);
    }

    @Override
    public StreamPort fetch(long amount) {
        demand = demand + amount < 0 ? Long.MAX_VALUE : demand + amount;
        wakeUser();
        return this;
    }

    @Override
    public StreamPort endHandler(@Nullable Handler<Void> handler) {
        endHandler = handler;
        return this;
    }

    // ---- the two loops meet -----------------------------------------------------------------------------------------

    boolean isDrained() {
        return outboundBytes.get() <= BOUND_BYTES / 2;
    }

    /** Something changed for the user; called on any loop. */
    void wakeUser() {
        Context context = this.context;
        if (context != null && userWoken.compareAndSet(false, true)) context.runOnContext(_ -> serveUser());
    }

    private void serveUser() {
        userWoken.set(false);
        if (broken) return;
        serveDatagrams();
        boolean took = false;
        while (demand > 0 && dataHandler != null) {
            byte[] chunk = inbound.poll();
            if (chunk == null) break;
            inboundBytes.addAndGet(-chunk.length);
            took = true;
            if (demand != Long.MAX_VALUE) demand--;
            dataHandler.accept(chunk);
        }
        if (took && batchHandler != null) batchHandler.run();
        if (inboundFull && inboundBytes.get() <= BOUND_BYTES / 2) hub.wake(this);
        if (outboundFull && isDrained()) {
            outboundFull = false;
            if (drainHandler != null) drainHandler.handle(null);
        }
        if (inboundEnded && !ended && inbound.isEmpty() && dataHandler != null) {
            ended = true;
            if (endHandler != null) endHandler.handle(null);
        }
        if (brokenCode >= 0 && !broken) {
            broken = true;
            inbound.clear();
            if (exceptionHandler != null)
                exceptionHandler.handle(new Problem(
                        "upstream-unreachable", "the stream was broken off by the peer or with its link", null));
        }
    }

    private void serveDatagrams() {
        Consumer<byte[]> handler = datagramHandler;
        if (handler == null) return;
        for (byte[] data; (data = inboundDatagrams.poll()) != null; ) {
            inboundDatagramBytes.addAndGet(-data.length - DATAGRAM_BYTES);
            handler.accept(data);
        }
    }
}
