package mcc.sim;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import mcc.core.Rng;
import mcc.overlay.Letter;

/**
 * The letters under way between the desks of one node. Each core is a verticle of its own in production, with a mailbox of its
 * own, so that only what one desk writes to one other stays in order: which of the waiting letters is read next is drawn.
 */
final class Mail {
    static final int LINKS = 0;
    static final int DHT = 1;
    static final int REGISTRY = 2;
    static final int NAT = 3;
    static final int DESKS = 4;
    /** Who is no desk but writes to them: the network, the clock, and whoever uses the node. */
    static final int OUTSIDE = 4;

    /** What comes from the clock. */
    enum Signal {
        /** A deadline has come. */
        TICK,
        /** A desk reads again. */
        WAKE
    }

    private final List<ArrayDeque<Object>> queues = new ArrayList<>();
    /** The queues that are not empty, in no order. */
    private final int[] waiting = new int[(DESKS + 1) * DESKS];

    private int count;
    private int drawn;

    Mail() {
        for (int i = 0; i < waiting.length; i++) queues.add(new ArrayDeque<>());
    }

    /** Returns the desk of a letter; −1 where it is for the sender's own host, and so needs no mailbox. */
    static int desk(Letter letter) {
        return switch (letter.to()) {
            case LINKS -> LINKS;
            case DHT, DHT_HOST -> DHT;
            case REGISTRY -> REGISTRY;
            case NAT -> NAT;
            case ALL, HOST -> -1;
        };
    }

    void post(int from, int to, Object content) {
        int number = from * DESKS + to;
        ArrayDeque<Object> queue = queues.get(number);
        if (queue.isEmpty()) waiting[count++] = number;
        queue.add(content);
    }

    boolean isEmpty() {
        return count == 0;
    }

    /** Takes the next letter of a queue that {@code rng} draws; {@link #from} and {@link #to} tell which. */
    Object take(Rng rng) {
        int at = count == 1 ? 0 : rng.below(count);
        drawn = waiting[at];
        ArrayDeque<Object> queue = queues.get(drawn);
        Object content = queue.remove();
        if (queue.isEmpty()) waiting[at] = waiting[--count];
        return content;
    }

    /** Who wrote the letter that was taken last. */
    int from() {
        return drawn / DESKS;
    }

    /** Whose it is. */
    int to() {
        return drawn % DESKS;
    }
}
