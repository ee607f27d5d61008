package mcc.stream;

/** One stream: its two directions, and which turns and frames it waits for. An idle one holds no buffers. */
final class Stream {
    final long id;
    final boolean local;
    final SendHalf send;
    final ReceiveHalf receive;

    /** Waits for a turn to send data. */
    boolean queued;
    /** Waits, in the list of those that have other frames to send. */
    boolean controlQueued;

    boolean creditDue;
    boolean resetDue;
    boolean stopDue;
    int resetCode;
    int stopCode;

    boolean readableQueued;
    boolean wantsWritable;
    boolean resetTold;
    /** Nobody at this end uses it any more; the peer is still to learn so. */
    boolean givenUp;

    Stream(long id, boolean local, SendHalf send, ReceiveHalf receive) {
        this.id = id;
        this.local = local;
        this.send = send;
        this.receive = receive;
    }

    boolean isDone() {
        return send.isDone() && receive.isDone();
    }
}
