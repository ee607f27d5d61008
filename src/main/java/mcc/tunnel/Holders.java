package mcc.tunnel;

import java.util.LinkedHashSet;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * Holders of something by how much they hold, so that the largest is found without a search.
 *
 * @param <K> a holder
 */
final class Holders<K> {
    private final NavigableMap<Integer, LinkedHashSet<K>> byCount = new TreeMap<>();

    /** Notes that a holder has another number now. */
    void move(K who, int from, int to) {
        LinkedHashSet<K> old = byCount.get(from);
        if (old != null && old.remove(who) && old.isEmpty()) byCount.remove(from);
        if (to > 0) byCount.computeIfAbsent(to, _ -> new LinkedHashSet<>()).add(who);
    }

    /** The most that anybody holds; 0 where nobody holds anything. */
    int most() {
        return byCount.isEmpty() ? 0 : byCount.lastKey();
    }

    /** Who holds most; there must be somebody. */
    K largest() {
        return byCount.lastEntry().getValue().getFirst();
    }
}
