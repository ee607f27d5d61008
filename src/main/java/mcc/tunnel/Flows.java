package mcc.tunnel;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedSet;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Flows by the client they serve, in the order of their last use. UDP does not say when a flow is over, so one ends after some
 * time without use. If there are too many, whoever owns most of them loses the one that it has not used for longest, unless the
 * newcomer would then own more: so nobody can push out the flows of others. Pure: the caller tells the time.
 *
 * @param <K> tells flows apart
 * @param <F> a flow
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
    /** The keys of each owner, by last use. */
    private final Map<Object, LinkedHashSet<K>> owned = new LinkedHashMap<>();

    private final Holders<Object> owners = new Holders<>();

    private final int max;
    private final long idleNs;
    private final Function<K, Object> ownerOf;

    /** @param ownerOf whose a flow is, by its key */
    Flows(int max, long idleNs, Function<K, Object> ownerOf) {
        this.max = max;
        this.idleNs = idleNs;
        this.ownerOf = ownerOf;
    }

    /** The flow of a client, which counts as used now; null if there is none. */
    @Nullable
    F use(long nowNs, K key) {
        Held<F> held = all.get(key);
        if (held == null) return null;
        held.usedNs = nowNs;
        LinkedHashSet<K> keys = owned.get(ownerOf.apply(key));
        if (keys != null) keys.addLast(key);
        return held.flow;
    }

    /** Adds a flow; returns the one that gave way, or null. */
    @Nullable
    F add(long nowNs, K key, F flow) {
        F gone = all.size() >= max ? giveWay(key) : null;
        if (all.put(key, new Held<>(flow, nowNs)) != null) return gone;
        Object owner = ownerOf.apply(key);
        owned.computeIfAbsent(owner, _ -> new LinkedHashSet<>(4)).add(key);
        owners.add(owner);
        return gone;
    }

    /** Removes and returns the flow that makes room for a new one with this key; null if there is none. */
    @Nullable
    F giveWay(K coming) {
        if (all.isEmpty()) return null;
        Object owner = ownerOf.apply(coming);
        Object giver = owners.giver(owner);
        if (giver != null) return take(keys(giver).getFirst());
        LinkedHashSet<K> own = owned.get(owner);
        return own == null ? removeEldest() : take(own.getFirst());
    }

    /** Removes and returns the flow unused for longest; null if there is none. */
    @Nullable
    F removeEldest() {
        return all.isEmpty() ? null : take(all.keySet().iterator().next());
    }

    private SequencedSet<K> keys(Object owner) {
        LinkedHashSet<K> keys = owned.get(owner);
        if (keys == null) throw new IllegalStateException("owns nothing");
        return keys;
    }

    private @Nullable F take(K key) {
        Held<F> held = all.remove(key);
        if (held == null) return null;
        Object owner = ownerOf.apply(key);
        SequencedSet<K> keys = keys(owner);
        keys.remove(key);
        if (keys.isEmpty()) owned.remove(owner);
        owners.remove(owner);
        return held.flow;
    }

    /** Removes a flow, if the client still has this one. */
    void remove(K key, F flow) {
        Held<F> held = all.get(key);
        if (held != null && held.flow.equals(flow)) take(key);
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
