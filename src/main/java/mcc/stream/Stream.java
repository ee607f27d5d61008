package mcc.stream;

import mcc.core.Bytes;
import org.jspecify.annotations.Nullable;

/**
 * One stream, as its user holds it: its two directions, and which lists it waits in. An idle stream holds no buffers.
 *
 * <p>Calls on a stream that has ended, or whose connection has, have no effect.
 */
public final class Stream {
    private final Streams all;
    final long id;
    final boolean local;
    final SendHalf send;
    final ReceiveHalf receive;

    /** Whether it waits for its turn to send data. */
    boolean queued;
    /** Whether it is in the list of streams with control frames to send. */
    boolean controlQueued;

    boolean creditDue;
    boolean resetDue;
    boolean stopDue;
    int resetCode;
    int stopCode;

    boolean readableQueued;
    boolean wantsWritable;
    boolean resetTold;
    /** Its datagrams that wait to be sent; null if none do. */
    Datagrams.@Nullable Flow flow;
    /** Whether nobody at this end uses it any more, and the peer has yet to be told. */
    boolean givenUp;
    /** Whether both directions are done and acknowledged: no frame finds it any more. */
    boolean forgotten;

    Stream(Streams all, long id, boolean local, SendHalf send, ReceiveHalf receive) {
        this.all = all;
        this.id = id;
        this.local = local;
        this.send = send;
        this.receive = receive;
    }

    /** Its number, by which both ends know it. */
    public long id() {
        return id;
    }

    /** Queues bytes; returns how many were taken, 0 when the buffer is full, -1 when the stream is finished or gone. */
    public int write(byte[] src, int off, int length) {
        return isGone() || !send.isOpen() ? -1 : all.write(this, src, off, length);
    }

    /** Ends this side's direction behind what was written; reading goes on. */
    public void finish() {
        if (!isGone() && send.isOpen()) all.finish(this);
    }

    /**
     * Reads bytes and gives credit for them.
     *
     * @return how many; 0 when none are there yet, -1 at the end, -2 when the stream was reset or is gone. A stream is done
     *     only when -1 was returned
     */
    public int read(long nowNs, byte[] dst, int off, int length) {
        return isGone() || receive.isGone() ? -2 : all.read(nowNs, this, dst, off, length);
    }

    /** Abandons both directions; the peer is told the code. */
    public void reset(long nowNs, int code) {
        if (!isGone()) all.reset(nowNs, this, code);
    }

    /** Returns the bytes that were written and not acknowledged, counted from the first one that the peer lacks. */
    public long unacknowledged() {
        return isGone() ? 0 : send.heldBytes();
    }

    /**
     * Queues a datagram of the flow that the stream opened; false if there is no such stream any more. It may be dropped
     * here, as on the way: when it has waited too long, when too many wait, or when it is longer than {@link
     * #maxDatagramBytes}.
     */
    public boolean sendDatagram(long nowNs, Bytes data) {
        return all.sendDatagram(nowNs, this, data);
    }

    /** Returns the longest datagram that a packet of the path carries, in bytes; 0 when the peer is gone. */
    public int maxDatagramBytes() {
        return isLost() ? 0 : all.datagrams.maxBytes();
    }

    /** Returns the bytes of all streams' datagrams that wait to be sent to the peer. */
    public long datagramBytes() {
        return isLost() ? 0 : all.datagrams.bufferedBytes();
    }

    /** Whether its connection ended: the peer is gone, or lost its state. */
    public boolean isLost() {
        return all.isOver();
    }

    boolean isDone() {
        return send.isDone() && receive.isDone();
    }

    /** Whether datagrams of the flow that it opened may come and go. */
    boolean isLive() {
        return !isGone() && !receive.isGone();
    }

    private boolean isGone() {
        return forgotten || isLost();
    }

    @Override
    public String toString() {
        return "stream " + id;
    }
}
