package mcc.tunnel;

import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * How many of something each holder has, so that whoever has most is found without a search.
 *
 * @param <K> a holder
 */
final class Holders<K> {
    private final Map<K, Integer> counts = new HashMap<>();
    private final NavigableMap<Integer, LinkedHashSet<K>> byCount = new TreeMap<>();
    private int all;

    /** How many a holder has. */
    int of(K who) {
        return counts.getOrDefault(who, 0);
    }

    /** How many all of them have. */
    int all() {
        return all;
    }

    /** A holder has one more. */
    void add(K who) {
        move(who, 1);
    }

    /** A holder has one less. */
    void remove(K who) {
        if (of(who) == 0) throw new IllegalStateException("has none");
        move(who, -1);
    }

    private void move(K who, int by) {
        int from = of(who);
        int to = from + by;
        all += by;
        LinkedHashSet<K> old = byCount.get(from);
        if (old != null && old.remove(who) && old.isEmpty()) byCount.remove(from);
        if (to == 0) {
            counts.remove(who);
            return;
        }
        counts.put(who, to);
        byCount.computeIfAbsent(to, _ -> new LinkedHashSet<>()).add(who);
    }

    /** Who has most, and so gives one up to a holder that would then have no more than it; null if there is nobody. */
    @Nullable
    K giver(K coming) {
        Map.Entry<Integer, LinkedHashSet<K>> most = byCount.lastEntry();
        return most == null || most.getKey() <= of(coming) + 1
                ? null
                : most.getValue().getFirst();
    }
}
