package mcc.node;

import io.vertx.core.Context;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.WebSocketBase;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;
import mcc.core.Address;
import org.jspecify.annotations.Nullable;

/**
 * A WebSocket as a carrier: each binary message is one datagram. It lives on an event loop of its own, so that neither TLS nor
 * a connection that stalls holds up the packet loop; datagrams change loops in queues.
 *
 * <p>Both queues are bounded: what does not fit is lost, as on any network, and counted. What waits to be sent counts from when
 * the packet loop hands it over until the system has taken it.
 */
final class CarrierLine {
    /** The longest datagram: what Ethernet carries. More would not get through behind the relay. */
    static final int DATAGRAM_MAX = 1_500;
    /** Bytes that may wait for the other side's TCP, and for the packet loop. */
    static final int QUEUE_BYTES = 128 << 10;
    /** What a datagram counts for besides its bytes. */
    private static final int COST = 64;

    private static final short UNSUPPORTED = 1003;

    private final WebSocketBase socket;
    private final Context home;
    private final Queue<Buffer> outbound = new ConcurrentLinkedQueue<>();
    private final AtomicInteger outboundBytes = new AtomicInteger();
    private final AtomicBoolean sending = new AtomicBoolean();
    private final Queue<Buffer> inbound = new ConcurrentLinkedQueue<>();
    private final AtomicInteger inboundBytes = new AtomicInteger();
    private final AtomicInteger inboundLost = new AtomicInteger();
    private volatile boolean closed;
    private @Nullable Runnable told;
    /** Has the packet loop take what came; null before it knows this line. */
    private volatile @Nullable Runnable waker;

    /** What stands for it in paths; known on the packet loop. */
    @Nullable
    Address address;

    /** Whether something waits for {@link #flush}; known on the packet loop. */
    boolean touched;

    /** @param home the socket's context, on which this is called */
    CarrierLine(WebSocketBase socket, Context home) {
        this.socket = socket;
        this.home = home;
        socket.binaryMessageHandler(this::received);
        socket.textMessageHandler(_ -> socket.close(UNSUPPORTED));
        socket.exceptionHandler(_ -> {}); // it is closed after that, which is what counts
    }

    // ---- on the event loop of the socket ----------------------------------------------------------------------------

    private void received(Buffer datagram) {
        int length = datagram.length();
        boolean fits = length > 0 && length <= DATAGRAM_MAX;
        if (!fits || inboundBytes.get() + length + COST > QUEUE_BYTES) {
            inboundLost.incrementAndGet();
            return;
        }
        inboundBytes.addAndGet(length + COST);
        inbound.add(datagram);
        wake();
    }

    private void wake() {
        Runnable waker = this.waker;
        if (waker != null) waker.run();
    }

    /** Has {@code waker} called from now on whenever a datagram came; it may be called again before it has taken the first. */
    void wakes(Runnable waker) {
        this.waker = waker;
        wake(); // for what came before
    }

    private void drain() {
        sending.set(false);
        for (Buffer each; (each = outbound.poll()) != null; ) {
            int cost = each.length() + COST;
            if (closed || socket.isClosed()) outboundBytes.addAndGet(-cost);
            else socket.writeBinaryMessage(each).onComplete(_ -> outboundBytes.addAndGet(-cost));
        }
    }

    /** The connection has ended. */
    void closed() {
        closed = true;
        Runnable told = this.told;
        if (told != null) told.run();
    }

    /** Calls {@code told} once the connection has ended, which may be at once. */
    void onClosed(Runnable told) {
        home.runOnContext(_ -> {
            this.told = told;
            if (closed && socket.isClosed()) told.run();
        });
    }

    // ---- on any thread ----------------------------------------------------------------------------------------------

    /** Closes the connection. */
    void close() {
        closed = true;
        post(socket::close);
    }

    private void post(Runnable step) {
        try {
            home.runOnContext(_ -> step.run());
        } catch (RejectedExecutionException _) {
            closed = true; // the loop has ended, and the connection with it
        }
    }

    // ---- on the packet loop -----------------------------------------------------------------------------------------

    /** Takes a datagram to be sent; false if it is lost. */
    boolean send(byte[] bytes, int offset, int length) {
        int cost = length + COST;
        if (closed || length > DATAGRAM_MAX || outboundBytes.get() + cost > QUEUE_BYTES) return false;
        outboundBytes.addAndGet(cost);
        outbound.add(Buffer.buffer(length).appendBytes(bytes, offset, length));
        return true;
    }

    /** Has what was taken sent. */
    void flush() {
        if (sending.compareAndSet(false, true)) post(this::drain);
    }

    /** Hands over each datagram that came, until {@code taker} has had enough; returns how many were lost since the last call. */
    int take(BiFunction<byte[], Integer, Boolean> taker) {
        for (Buffer each; (each = inbound.poll()) != null; ) {
            inboundBytes.addAndGet(-each.length() - COST);
            if (!taker.apply(each.getBytes(), each.length())) break;
        }
        return inboundLost.getAndSet(0);
    }

    /** Bytes that wait to be sent. */
    int waitingBytes() {
        return outboundBytes.get();
    }
}
