package mcc.node;

import io.vertx.core.Context;
import io.vertx.core.Handler;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Objects;
import java.util.function.Consumer;
import mcc.consortium.Subject;
import mcc.core.Bytes;
import mcc.core.Id;
import mcc.stream.Stream;
import mcc.udp.PacketLoop;
import org.jspecify.annotations.Nullable;

/**
 * A stream of a peer, and the datagrams of the flow that it opened, for a {@link Resident} of the packet loop; nobody else may
 * touch it.
 *
 * <p>What is written goes into the stream at once; what that has no room for waits here, and a writer that minds
 * {@link #isFull} lets wait no more than it wrote last. Bytes are read out of the stream when they are handed over: a user that
 * pauses stops the remote sender within the stream's window, and a {@link #resume} hands over in a later task.
 */
public final class StreamPort {
    /** The code with which a stream ends that the user breaks off. */
    public static final int CANCELLED = 1;

    /** Takes bytes. */
    @FunctionalInterface
    public interface Taker {
        /** @param bytes lent, from 0 to {@code length}: what is to be kept must be copied */
        void take(byte[] bytes, int length);
    }

    private static final Handler<StreamPort> SERVE = StreamPort::hand;
    private static final Handler<StreamPort> TELL = StreamPort::tellBroken;
    private static final Handler<Runnable> RUN = Runnable::run;

    private final StreamHub hub;
    private final Id peer;
    private final @Nullable Subject opener;
    final Stream stream;
    /** In {@link StreamHub}'s queue of those to be served. */
    boolean isWoken;

    private final ArrayDeque<byte[]> waiting = new ArrayDeque<>();
    /** How much of the first that waits was taken. */
    private int takenBytes;

    private @Nullable Context context;
    private @Nullable Taker bytesHandler;
    private @Nullable Runnable batchHandler;
    private @Nullable Consumer<byte[]> datagramHandler;
    private @Nullable Runnable endHandler;
    private @Nullable Runnable goneHandler;
    private @Nullable Runnable drainHandler;
    private @Nullable Consumer<Problem> brokenHandler;
    private boolean paused;
    private boolean wasFull;
    private boolean finished;
    private boolean ended;
    private boolean broken;
    private boolean brokenTold;
    private boolean cancelled;
    private boolean gone;

    StreamPort(StreamHub hub, Id peer, @Nullable Subject opener, Stream stream) {
        this.opener = opener;
        this.hub = hub;
        this.peer = peer;
        this.stream = stream;
    }

    /** The node at the other end. */
    public Id peer() {
        return peer;
    }

    /** Who opened it, as its link proved; for a stream that a peer opened. */
    public Subject opener() {
        return Objects.requireNonNull(opener);
    }

    boolean isOf(Context verticle) {
        return verticle.equals(context);
    }

    /** How long nothing was heard of that node though something of it is due, in nanoseconds; 0 while nothing is. */
    public long silentNs(long nowNs) {
        return broken || cancelled ? 0 : hub.silentNs(peer, nowNs);
    }

    /**
     * Takes the port over: all handlers are called on this context from now on, which is one of the packet loop; the stream is
     * broken off when its verticle ends.
     */
    public StreamPort attach(Context context) {
        this.context = context;
        hub.tie(context);
        hub.wake(this);
        return this;
    }

    /** What may wait for whoever reads slower than this port writes or the other way round: the less, the more ports. */
    public int boundBytes() {
        return hub.boundBytes();
    }

    // ---- out --------------------------------------------------------------------------------------------------------

    /** Writes bytes; false when the stream is closed. */
    public boolean write(byte[] data) {
        return write(data, data.length);
    }

    /** Writes the first bytes of an array; false when the stream is closed. */
    public boolean write(byte[] data, int length) {
        if (finished || broken || cancelled) return false;
        int taken = waiting.isEmpty() ? put(data, 0, length) : 0;
        if (taken < 0) return false;
        if (taken < length) waiting.add(Arrays.copyOfRange(data, taken, length));
        return true;
    }

    /** Returns how much the stream took, −1 when it is closed. */
    private int put(byte[] data, int offset, int length) {
        hub.schedule();
        return stream.write(data, offset, length);
    }

    private void finish() {
        hub.schedule();
        stream.finish();
    }

    /** Whether the stream takes no more now; then {@link #drainHandler} says when it does. */
    public boolean isFull() {
        wasFull = !waiting.isEmpty();
        return wasFull;
    }

    /** How much of what was written the other end has not acknowledged yet, in bytes; 0 once the stream is gone. */
    public long unacknowledgedBytes() {
        long bytes = stream.unacknowledged() - takenBytes;
        for (byte[] data : waiting) bytes += data.length;
        return bytes;
    }

    /** What to do when it is no longer full. */
    public StreamPort drainHandler(@Nullable Runnable handler) {
        drainHandler = handler;
        return this;
    }

    /** Ends this direction; the other goes on. */
    public void end() {
        if (finished || broken || cancelled) return;
        finished = true;
        if (waiting.isEmpty()) finish();
    }

    /** Breaks the stream off in both directions; what waits is dropped, and no handler is called any more. */
    public void cancel() {
        if (cancelled) return;
        cancelled = true;
        forget();
        hub.cancel(stream);
        onGone();
    }

    /** The same, told to whoever uses the port as if the peer had done it. */
    public void sever() {
        if (cancelled || broken) return;
        hub.cancel(stream);
        onBroken();
    }

    /** What to do once the stream is no more, whoever ended it; at once where it is none by now. */
    public void goneHandler(Runnable handler) {
        if (gone) handler.run();
        else goneHandler = handler;
    }

    void onGone() {
        Runnable handler = gone ? null : goneHandler;
        gone = true;
        if (handler != null) handler.run();
    }

    private void forget() {
        waiting.clear();
        takenBytes = 0;
    }

    /** The stream has room again. */
    void drain() {
        for (byte[] data; (data = waiting.peek()) != null; ) {
            int taken = put(data, takenBytes, data.length - takenBytes);
            if (taken < 0) return; // closed: the links tell
            takenBytes += taken;
            if (takenBytes < data.length) return;
            waiting.poll();
            takenBytes = 0;
        }
        if (finished) finish();
        else if (wasFull) {
            wasFull = false;
            call(drainHandler);
        }
    }

    // ---- in ---------------------------------------------------------------------------------------------------------

    /** Who takes the bytes. */
    public StreamPort bytesHandler(@Nullable Taker handler) {
        bytesHandler = handler;
        if (handler != null) hub.wake(this);
        return this;
    }

    /** What to do after the bytes that came together were handed over: write them out at once. */
    public StreamPort batchHandler(@Nullable Runnable handler) {
        batchHandler = handler;
        return this;
    }

    /** What to do when the other end will send no more. */
    public StreamPort endHandler(@Nullable Runnable handler) {
        endHandler = handler;
        return this;
    }

    /** What to do when the peer, or the loss of its link, broke the stream off; nothing else comes then. */
    public StreamPort brokenHandler(@Nullable Consumer<Problem> handler) {
        brokenHandler = handler;
        brokenTold = false;
        if (broken) hub.wake(this);
        return this;
    }

    /** Hands no bytes over until {@link #resume}. */
    public void pause() {
        paused = true;
    }

    /** Hands bytes over again, in a later task. */
    public void resume() {
        paused = false;
        hub.wake(this);
    }

    /** Hands over what there is. */
    void serve() {
        if (context != null) PacketLoop.dispatch(context, this, SERVE);
    }

    private void hand() {
        if (broken) tellBroken();
        boolean some = false;
        while (bytesHandler != null && !paused && !ended && !broken && !cancelled) {
            int n = hub.read(stream);
            ended = n < 0;
            if (n <= 0) break;
            some = true;
            bytesHandler.take(hub.chunk(), n);
        }
        if (some && batchHandler != null) batchHandler.run();
        if (ended && endHandler != null) {
            Runnable handler = endHandler;
            endHandler = null;
            handler.run();
        }
    }

    /** The stream is no more. */
    void onBroken() {
        broken = true;
        forget();
        onGone();
        if (context != null) PacketLoop.dispatch(context, this, TELL);
    }

    private void tellBroken() {
        if (brokenTold || cancelled) return;
        brokenTold = true;
        if (brokenHandler != null) {
            brokenHandler.accept(new Problem(
                    "upstream-unreachable", "the stream was broken off by the peer or with its link", null));
        }
    }

    private void call(@Nullable Runnable handler) {
        if (context != null && handler != null) PacketLoop.dispatch(context, handler, RUN);
    }

    // ---- datagrams --------------------------------------------------------------------------------------------------

    /** The longest datagram that {@link #sendDatagram} takes to the other end now, in bytes; it grows with the path. */
    public int maxDatagramBytes() {
        return stream.maxDatagramBytes();
    }

    /** Datagrams to that node that have not left yet, in bytes. */
    public long datagramBytes() {
        return broken || cancelled ? 0 : stream.datagramBytes();
    }

    /** Sends a datagram, which the caller must not touch again; false when the stream is closed. May be lost all the same. */
    public boolean sendDatagram(byte[] data) {
        if (broken || cancelled) return false;
        hub.schedule();
        return stream.sendDatagram(System.nanoTime(), Bytes.owning(data));
    }

    /** Takes what comes as datagrams, also while paused; before there is a handler they are lost. */
    public StreamPort datagramHandler(Consumer<byte[]> handler) {
        datagramHandler = handler;
        return this;
    }

    /** Hands a datagram over; false when nobody takes it. */
    boolean receive(byte[] data) {
        Consumer<byte[]> handler = datagramHandler;
        if (handler == null || context == null || cancelled) return false;
        PacketLoop.dispatch(context, data, handler::accept);
        return true;
    }
}
