package mcc.dht;

import java.util.PriorityQueue;
import mcc.core.Core;
import org.jspecify.annotations.Nullable;

/** What one DHT core will do, and when; tasks for the same time run in the order of planning. */
final class Agenda {
    /** A planned task; whether it still matters is checked when it is due. */
    sealed interface Task {
        /** A request is slow. */
        record Slow(long call) implements Task {}

        /** A request has failed. */
        record Timeout(long call) implements Task {}

        /** A record of our own is to be stored again. */
        record Republish(Publication publication, int round) implements Task {}

        /** A heartbeat of a record of our own is due. */
        record Renew(Publication publication, int round) implements Task {}

        /** The network is to be joined, or joined again. */
        record Join(long attempt) implements Task {}

        /** The table is to be looked after. */
        record Maintain() implements Task {}
    }

    private record Entry(long atNs, long order, Task task) implements Comparable<Entry> {
        @Override
        public int compareTo(Entry other) {
            int c = Long.compare(atNs, other.atNs);
            return c != 0 ? c : Long.compare(order, other.order);
        }
    }

    private final PriorityQueue<Entry> queue = new PriorityQueue<>();
    private long order;

    void add(long atNs, Task task) {
        queue.add(new Entry(atNs, order++, task));
    }

    long nextNs() {
        Entry entry = queue.peek();
        return entry == null ? Core.NEVER : entry.atNs;
    }

    /** Returns a task that is due and takes it off, or null. */
    @Nullable
    Task due(long nowNs) {
        Entry entry = queue.peek();
        if (entry == null || entry.atNs > nowNs) return null;
        queue.remove();
        return entry.task;
    }
}
