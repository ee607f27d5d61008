package mcc.stream;

/** One stream: its two directions, and which lists it waits in. An idle stream holds no buffers. */
final class Stream {
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
    /** Whether nobody at this end uses it any more, and the peer has yet to be told. */
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
