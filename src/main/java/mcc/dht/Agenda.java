package mcc.dht;

import java.util.TreeSet;
import mcc.core.Core;
import org.jspecify.annotations.Nullable;

/** What one DHT core will do, and when; tasks for the same time run in the order of planning. */
final class Agenda {
    /** A planned task; whether it still matters is checked when it is due, unless it was withdrawn. */
    sealed interface Task {
        /** A request is slow. */
        record Slow(Call call) implements Task {}

        /** A request has failed. */
        record Timeout(Call call) implements Task {}

        /** A record of our own is to be stored again. */
        record Republish(Publication publication, int round) implements Task {}

        /** A heartbeat of a record of our own is due. */
        record Renew(Publication publication, int round) implements Task {}

        /** The network is to be joined, or joined again. */
        record Join(long attempt) implements Task {}

        /** The table is to be looked after. */
        record Maintain() implements Task {}
    }

    /** A task and its time: what {@link #withdraw} needs to know. */
    static final class Planned implements Comparable<Planned> {
        private final long atNs;
        private final long order;
        private final Task task;

        private Planned(long atNs, long order, Task task) {
            this.atNs = atNs;
            this.order = order;
            this.task = task;
        }

        @Override
        public int compareTo(Planned other) {
            int c = Long.compare(atNs, other.atNs);
            return c != 0 ? c : Long.compare(order, other.order);
        }
    }

    private final TreeSet<Planned> queue = new TreeSet<>();
    private long order;

    Planned add(long atNs, Task task) {
        Planned planned = new Planned(atNs, order++, task);
        queue.add(planned);
        return planned;
    }

    /** Takes a task off that no longer matters, so that nobody is woken for it; nothing where it was taken before. */
    void withdraw(Planned planned) {
        queue.remove(planned);
    }

    long nextNs() {
        return queue.isEmpty() ? Core.NEVER : queue.first().atNs;
    }

    /** Returns a task that is due and takes it off, or null. */
    @Nullable
    Task due(long nowNs) {
        return nextNs() > nowNs || queue.isEmpty() ? null : queue.removeFirst().task;
    }
}
