package mcc.stream;

import java.util.ArrayDeque;
import mcc.core.Bytes;
import mcc.core.Counters;
import mcc.wire.Frames;
import mcc.wire.FramesWriter;

/** Messages, which are never sent again: those that wait to be sent, and how many came that the host has not polled yet. */
final class Messages {
    private static final int MAX_OUT = 256;
    private static final int MAX_IN = 1_024;

    private final ArrayDeque<Bytes> waiting = new ArrayDeque<>();
    private final Counters.Counter refused;
    private final Counters.Counter dropped;
    private int in;

    Messages(Counters counters) {
        refused = counters.of("stream.message.refused");
        dropped = counters.of("stream.message.dropped");
    }

    /** Queues a message; false, and counted, when it is too long or too many wait. */
    boolean add(Bytes message) {
        if (message.size() > Frames.MAX_MESSAGE_BYTES || waiting.size() >= MAX_OUT) {
            refused.add();
            return false;
        }
        waiting.addLast(message);
        return true;
    }

    boolean isEmpty() {
        return waiting.isEmpty();
    }

    /** Writes the messages that fit; one that does not fit into an empty packet is dropped. */
    void write(FramesWriter out, int emptyLength) {
        for (Bytes message = waiting.peekFirst(); message != null; message = waiting.peekFirst()) {
            if (!out.message(message)) {
                if (out.length() > emptyLength) return;
                dropped.add();
            }
            waiting.removeFirst();
        }
    }

    /** Counts a message that came; false when too many wait to be polled. */
    boolean takesOne() {
        if (in >= MAX_IN) {
            dropped.add();
            return false;
        }
        in++;
        return true;
    }

    /** The host polled one. */
    void polled() {
        in--;
    }
}
