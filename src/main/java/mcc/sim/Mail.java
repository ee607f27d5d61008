package mcc.sim;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import mcc.core.Rng;
import mcc.overlay.Delivery;
import mcc.overlay.Mailbox;

/**
 * The messages on their way between the cores of one node. In a real node each core is in a verticle of its own with a mailbox
 * of its own, so messages keep their order only from one sender to one receiver; which of the waiting messages is read next is
 * drawn.
 */
final class Mail {
    static final int LINKS = 0;
    static final int DHT = 1;
    static final int REGISTRY = 2;
    static final int NAT = 3;
    static final int RELAY = 4;
    static final int PUNCH = 5;
    static final int MAILBOXES = 6;
    /** The sender of what comes from no core: from the network, the clock, or whoever uses the node. */
    static final int OUTSIDE = 6;

    /** Events of the clock. */
    enum Signal {
        /** A deadline has come. */
        TICK,
        /** A stalled core reads again. */
        WAKE
    }

    private final List<ArrayDeque<Object>> queues = new ArrayList<>();
    /** The queues that are not empty, in no order. */
    private final int[] waiting = new int[(MAILBOXES + 1) * MAILBOXES];

    private int count;
    private int drawn;

    Mail() {
        for (int i = 0; i < waiting.length; i++) queues.add(new ArrayDeque<>());
    }

    /** Returns the mailbox that a message goes to; −1 where it is for the sender's own host, which needs none. */
    static int mailbox(Delivery delivery) {
        return switch (delivery.to()) {
            case LINKS -> LINKS;
            case DHT, DHT_HOST -> DHT;
            case REGISTRY -> REGISTRY;
            case NAT -> NAT;
            case RELAY -> RELAY;
            case PUNCH -> PUNCH;
            case PORTMAP, CARRIERS, ALL, HOST -> -1; // a simulated host has no router to ask, and no TCP
        };
    }

    /** Returns the mailbox of that number. */
    static Mailbox mailbox(int number) {
        return switch (number) {
            case LINKS -> Mailbox.LINKS;
            case DHT -> Mailbox.DHT;
            case REGISTRY -> Mailbox.REGISTRY;
            case NAT -> Mailbox.NAT;
            case RELAY -> Mailbox.RELAY;
            default -> Mailbox.PUNCH;
        };
    }

    void post(int from, int to, Object content) {
        int number = from * MAILBOXES + to;
        ArrayDeque<Object> queue = queues.get(number);
        if (queue.isEmpty()) waiting[count++] = number;
        queue.add(content);
    }

    boolean isEmpty() {
        return count == 0;
    }

    /** Takes the next message of a queue that {@code rng} draws; then {@link #from} and {@link #to} name that queue's ends. */
    Object take(Rng rng) {
        int at = count == 1 ? 0 : rng.below(count);
        drawn = waiting[at];
        ArrayDeque<Object> queue = queues.get(drawn);
        Object content = queue.remove();
        if (queue.isEmpty()) waiting[at] = waiting[--count];
        return content;
    }

    /** The sender of the message that was taken last. */
    int from() {
        return drawn / MAILBOXES;
    }

    /** Its receiver. */
    int to() {
        return drawn % MAILBOXES;
    }
}
