package mcc.core;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/**
 * Named counts of what a core did and refused; they only grow. Belongs to one core and one thread; a {@link #snapshot} may be
 * passed on.
 *
 * <p>Names are dotted, the room first: {@code session.replayed}. The code fixes the set of names, so it needs no limit.
 */
public final class Counters {
    /** One count, to be kept in a field where it is used often. */
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

    /** Returns the counter of a name, created on first use. */
    public Counter of(String name) {
        return all.computeIfAbsent(name, _ -> new Counter());
    }

    /** Adds one to the counter of a name. */
    public void add(String name) {
        of(name).add();
    }

    /** Returns the value of a counter; 0 if nothing was counted. */
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
