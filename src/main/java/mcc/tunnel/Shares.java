package mcc.tunnel;

import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
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
    private final Holders<K> holders = new Holders<>();

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
        return holders.of(who);
    }

    /** Whether a holder would get one more place. */
    boolean hasRoom(K who) {
        return all.size() < max || holders.giver(who) != null;
    }

    /** Takes a place, for which there must be room; returns what lost its place to it, or null. */
    @Nullable
    T add(K who, T one) {
        T gone = null;
        if (all.size() >= max) {
            K giver = holders.giver(who);
            if (giver == null) throw new IllegalStateException("no room");
            gone = newest(giver);
            remove(gone);
        }
        all.put(one, who);
        held.computeIfAbsent(who, _ -> new LinkedHashSet<>()).add(one);
        holders.add(who);
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
        holders.remove(who);
        return true;
    }
}
