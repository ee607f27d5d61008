package mcc.sim;

import java.util.Arrays;
import mcc.core.Core;
import org.jspecify.annotations.Nullable;

/**
 * Events in order of time and, at equal times, in order of planning: a heap with four children per parent, whose keys are in
 * arrays of their own, because with a hundred thousand nodes a heap is bound by memory latency.
 */
final class Timeline {
    private static final int CHILDREN = 4;

    /**
     * An event for one node, or for the world.
     *
     * @param node its index; −1 where {@code what} is a {@link Runnable} of the world
     * @param life the node's life; in a later one nothing happens
     * @param from the sending core, and {@code to} the receiving one, as {@link Mail} numbers them
     */
    record Event(int node, int life, int from, int to, Object what) {}

    private long[] atNs = new long[1_024];
    private long[] order = new long[1_024];
    private @Nullable Event[] events = new @Nullable Event[1_024];
    private int size;
    private long planned;

    void add(long at, Event event) {
        if (size == atNs.length) grow();
        long number = planned++;
        int hole = size++;
        while (hole > 0) {
            int parent = (hole - 1) / CHILDREN;
            if (atNs[parent] <= at) break; // planned before, so at an equal time it stays before
            move(parent, hole);
            hole = parent;
        }
        put(hole, at, number, event);
    }

    /** Returns when the next event is due; {@link Core#NEVER} when there is none. */
    long nextNs() {
        return size == 0 ? Core.NEVER : atNs[0];
    }

    /** Takes the next event off; null when there is none. */
    @Nullable
    Event poll() {
        if (size == 0) return null;
        Event first = events[0];
        int last = --size;
        Event event = events[last];
        events[last] = null;
        if (last > 0 && event != null) sink(atNs[last], order[last], event);
        return first;
    }

    private void sink(long at, long number, Event event) {
        int hole = 0;
        while (true) {
            int least = CHILDREN * hole + 1;
            if (least >= size) break;
            int end = Math.min(least + CHILDREN, size);
            for (int child = least + 1; child < end; child++) {
                if (isBefore(atNs[child], order[child], atNs[least], order[least])) least = child;
            }
            if (!isBefore(atNs[least], order[least], at, number)) break;
            move(least, hole);
            hole = least;
        }
        put(hole, at, number, event);
    }

    private static boolean isBefore(long at, long number, long otherAt, long otherNumber) {
        return at != otherAt ? at < otherAt : number < otherNumber;
    }

    private void move(int from, int to) {
        atNs[to] = atNs[from];
        order[to] = order[from];
        events[to] = events[from];
    }

    private void put(int at, long ns, long number, Event event) {
        atNs[at] = ns;
        order[at] = number;
        events[at] = event;
    }

    private void grow() {
        int length = 2 * size;
        atNs = Arrays.copyOf(atNs, length);
        order = Arrays.copyOf(order, length);
        events = Arrays.copyOf(events, length);
    }
}
