package mcc.tunnel;

import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A limited number of places, handed out while any is free. When none is, the holder of most places gives its newest one up to
 * a newcomer that would then hold no more than it does, so that nobody can keep the others out. Pure.
 *
 * @param <K> who holds places
 * @param <T> what takes a place, told apart by identity
 */
final class Shares<K, T> {
    private final Map<T, K> all = new HashMap<>();
    private final Map<K, LinkedHashSet<T>> held = new HashMap<>();
    /** The holders by their number of places, so that the largest is found without a search. */
    private final NavigableMap<Integer, LinkedHashSet<K>> byCount = new TreeMap<>();

    private final int max;

    Shares(int max) {
        this.max = max;
    }

    /** Places taken. */
    int size() {
        return all.size();
    }

    /** What has a place. A copy. */
    List<T> all() {
        return List.copyOf(all.keySet());
    }

    /** How many places a holder has. */
    int of(K who) {
        LinkedHashSet<T> own = held.get(who);
        return own == null ? 0 : own.size();
    }

    /** Whether a holder would get one more place. */
    boolean hasRoom(K who) {
        return all.size() < max || !byCount.isEmpty() && byCount.lastKey() > of(who) + 1;
    }

    /** Takes a place, for which there must be room; returns what lost its place to it, or null. */
    @Nullable
    T add(K who, T one) {
        T gone = null;
        if (all.size() >= max) {
            K most = byCount.lastEntry().getValue().getFirst();
            gone = newest(most);
            remove(gone);
        }
        all.put(one, who);
        LinkedHashSet<T> own = held.computeIfAbsent(who, _ -> new LinkedHashSet<>());
        own.add(one);
        move(who, own.size() - 1, own.size());
        return gone;
    }

    private T newest(K who) {
        LinkedHashSet<T> own = held.get(who);
        if (own == null) throw new IllegalStateException("holds nothing");
        return own.getLast();
    }

    /** Gives a place back; false if it was given back before. */
    boolean remove(T one) {
        K who = all.remove(one);
        if (who == null) return false;
        LinkedHashSet<T> own = held.get(who);
        if (own == null || !own.remove(one)) throw new IllegalStateException("counted wrongly");
        if (own.isEmpty()) held.remove(who);
        move(who, own.size() + 1, own.size());
        return true;
    }

    private void move(K who, int from, int to) {
        LinkedHashSet<K> old = byCount.get(from);
        if (old != null && old.remove(who) && old.isEmpty()) byCount.remove(from);
        if (to > 0) byCount.computeIfAbsent(to, _ -> new LinkedHashSet<>()).add(who);
    }
}
