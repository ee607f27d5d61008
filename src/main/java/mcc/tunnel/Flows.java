package mcc.tunnel;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Flows by the client they serve, in the order of their last use. UDP does not say when a flow is over, so one ends after some
 * time without use, and if there are too many, the one unused for the longest time gives way. Pure: the caller tells the time.
 */
final class Flows<K, F> {
    private static final class Held<F> {
        final F flow;
        long usedNs;

        Held(F flow, long usedNs) {
            this.flow = flow;
            this.usedNs = usedNs;
        }
    }

    private final Map<K, Held<F>> all = new LinkedHashMap<>(16, 0.75f, true);
    private final int max;
    private final long idleNs;

    Flows(int max, long idleNs) {
        this.max = max;
        this.idleNs = idleNs;
    }

    /** The flow of a client, which counts as used now; null if there is none. */
    @Nullable
    F use(long nowNs, K key) {
        Held<F> held = all.get(key);
        if (held == null) return null;
        held.usedNs = nowNs;
        return held.flow;
    }

    /** Adds a flow; returns the one that gave way, or null. */
    @Nullable
    F add(long nowNs, K key, F flow) {
        F gone = all.size() >= max ? removeEldest() : null;
        all.put(key, new Held<>(flow, nowNs));
        return gone;
    }

    /** Removes and returns the flow unused for longest; null if there is none. */
    @Nullable
    F removeEldest() {
        Iterator<Held<F>> eldest = all.values().iterator();
        if (!eldest.hasNext()) return null;
        F gone = eldest.next().flow;
        eldest.remove();
        return gone;
    }

    /** Removes a flow, if the client still has this one. */
    void remove(K key, F flow) {
        Held<F> held = all.get(key);
        if (held != null && held.flow.equals(flow)) all.remove(key);
    }

    /** Removes flows that were unused for too long. */
    void expire(long nowNs, Consumer<F> gone) {
        while (!all.isEmpty() && nowNs - all.values().iterator().next().usedNs >= idleNs) {
            F eldest = removeEldest();
            if (eldest != null) gone.accept(eldest);
        }
    }

    int size() {
        return all.size();
    }

    /** All of them. A copy. */
    List<F> all() {
        List<F> out = new ArrayList<>(all.size());
        for (Held<F> held : all.values()) out.add(held.flow);
        return out;
    }
}
