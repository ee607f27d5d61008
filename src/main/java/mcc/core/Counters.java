package mcc.core;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/**
 * Named counts of what a core did and what it refused; they only grow. Belongs to one core and one thread; a
 * {@link #snapshot} may travel.
 *
 * <p>Names are dotted, room first: {@code session.replayed}. The set of names is fixed by the code, so it needs no limit.
 */
public final class Counters {
    /** One count, to be kept in a field where it is hot. */
    public static final class Counter {
        private long value;

        private Counter() {}

        /** Adds one. */
        public void add() {
            value++;
        }

        /** Adds {@code n}. */
        public void add(long n) {
            value += n;
        }

        /** Returns the count. */
        public long value() {
            return value;
        }
    }

    /** A name and its count at one moment. */
    public record Count(String name, long value) {}

    private final TreeMap<String, Counter> all = new TreeMap<>();

    /** Returns the counter of that name, made on first use. */
    public Counter of(String name) {
        return all.computeIfAbsent(name, _ -> new Counter());
    }

    /** Adds one to the counter of that name. */
    public void add(String name) {
        of(name).add();
    }

    /** Returns the value of the counter of that name; 0 when nothing was counted. */
    public long value(String name) {
        Counter counter = all.get(name);
        return counter == null ? 0 : counter.value;
    }

    /** Returns all counts, sorted by name. */
    public List<Count> snapshot() {
        List<Count> out = new ArrayList<>(all.size());
        all.forEach((name, counter) -> out.add(new Count(name, counter.value)));
        return List.copyOf(out);
    }
}
