package mcc.dht;

import java.util.TreeSet;
import mcc.core.Core;
import org.jspecify.annotations.Nullable;

/** What one DHT core will do, and when; tasks for the same time run in the order of planning. */
final class Agenda {
    /** A planned task. Unless it was withdrawn, it is checked when it is due, because it may no longer matter. */
    sealed interface Task {
        /** A request has become slow. */
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

    /** A task and the time for which it is planned; {@link #withdraw} takes it back. */
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

    /** Removes a task that no longer matters, so that nobody is woken for it; does nothing if it was removed before. */
    void withdraw(Planned planned) {
        queue.remove(planned);
    }

    long nextNs() {
        return queue.isEmpty() ? Core.NEVER : queue.first().atNs;
    }

    /** Removes and returns a task that is due; null when none is. */
    @Nullable
    Task due(long nowNs) {
        return nextNs() > nowNs || queue.isEmpty() ? null : queue.removeFirst().task;
    }
}
