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
 * A stream to or from a peer, and the datagrams of the flow that it opened. To be used by its {@link Resident} on the packet
 * loop only.
 *
 * <p>Written bytes go into the stream at once; what it has no room for waits here, so a writer that checks {@link #isFull} has
 * at most its last write waiting. Bytes are read from the stream when they are handed over: a user that pauses stops the
 * remote sender by flow control, and after {@link #resume} bytes are handed over in a later task.
 */
public final class StreamPort {
    /** The error code of a stream that its user broke off. */
    public static final int CANCELLED = 1;

    /** Takes bytes. */
    @FunctionalInterface
    public interface Taker {
        /** @param bytes lent, valid from 0 to {@code length} during the call only */
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
    /** How many bytes of the first waiting array the stream has taken. */
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

    /** Who opened it, as proved by the handshake; only for a stream that a peer opened. */
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
     * Takes over the port: from now on all handlers are called on this context of the packet loop, and the stream is broken
     * off when the context's verticle ends.
     */
    public StreamPort attach(Context context) {
        this.context = context;
        hub.tie(context);
        hub.wake(this);
        return this;
    }

    /**
     * Bytes that a user may let wait between this port and a slower reader, in one direction; fewer the more ports there are.
     */
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

    /** How many written bytes the other end has not acknowledged yet; 0 once the stream is gone. */
    public long unacknowledgedBytes() {
        long bytes = stream.unacknowledged() - takenBytes;
        for (byte[] data : waiting) bytes += data.length;
        return bytes;
    }

    /** Called when the stream has room again. */
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

    /** Breaks off the stream in both directions; what waits is dropped, and no handler is called any more. */
    public void cancel() {
        if (cancelled) return;
        cancelled = true;
        forget();
        hub.cancel(stream);
        onGone();
    }

    /** Breaks off the stream, and tells its user so as if the peer had done it. */
    public void sever() {
        if (cancelled || broken) return;
        hub.cancel(stream);
        onBroken();
    }

    /** Called once the stream has ended, whoever ended it; at once if it already has. */
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

    /** Takes the bytes. */
    public StreamPort bytesHandler(@Nullable Taker handler) {
        bytesHandler = handler;
        if (handler != null) hub.wake(this);
        return this;
    }

    /** Called after all bytes that arrived together were handed over, so that they can be written out at once. */
    public StreamPort batchHandler(@Nullable Runnable handler) {
        batchHandler = handler;
        return this;
    }

    /** Called when the other end will send no more. */
    public StreamPort endHandler(@Nullable Runnable handler) {
        endHandler = handler;
        return this;
    }

    /** Called when the peer, or the loss of the link, broke off the stream; no other handler is called then. */
    public StreamPort brokenHandler(@Nullable Consumer<Problem> handler) {
        brokenHandler = handler;
        brokenTold = false;
        if (broken) hub.wake(this);
        return this;
    }

    /** Hands over no bytes until {@link #resume}. */
    public void pause() {
        paused = true;
    }

    /** Hands over bytes again, in a later task. */
    public void resume() {
        paused = false;
        hub.wake(this);
    }

    /** Hands over the bytes that are there. */
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

    /** The stream was broken off. */
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
                    "upstream-unreachable", "the stream was broken off by the peer or by the loss of its link", null));
        }
    }

    private void call(@Nullable Runnable handler) {
        if (context != null && handler != null) PacketLoop.dispatch(context, handler, RUN);
    }

    // ---- datagrams --------------------------------------------------------------------------------------------------

    /** The longest datagram that {@link #sendDatagram} can send now, in bytes; may grow while the path is probed. */
    public int maxDatagramBytes() {
        return stream.maxDatagramBytes();
    }

    /** Bytes of datagrams to that node that are not sent yet. */
    public long datagramBytes() {
        return broken || cancelled ? 0 : stream.datagramBytes();
    }

    /** Sends a datagram, whose array must not be changed afterwards; false if the stream is closed. It may get lost. */
    public boolean sendDatagram(byte[] data) {
        if (broken || cancelled) return false;
        hub.schedule();
        return stream.sendDatagram(System.nanoTime(), Bytes.owning(data));
    }

    /** Takes datagrams, even while paused; those that come before there is a handler are lost. */
    public StreamPort datagramHandler(Consumer<byte[]> handler) {
        datagramHandler = handler;
        return this;
    }

    /** Passes a datagram to the handler; false if there is none. */
    boolean receive(byte[] data) {
        Consumer<byte[]> handler = datagramHandler;
        if (handler == null || context == null || cancelled) return false;
        PacketLoop.dispatch(context, data, handler::accept);
        return true;
    }
}
