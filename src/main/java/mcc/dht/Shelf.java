package mcc.dht;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import mcc.core.Address;
import mcc.core.Id;
import org.jspecify.annotations.Nullable;

/** The records under one key, sorted by writer and slot. */
final class Shelf {
    private static final Comparator<Item> BY_RANK = Comparator.comparingInt(item -> item.rank);

    private final List<Item> items = new ArrayList<>(2);

    int size() {
        return items.size();
    }

    List<Item> items() {
        return items;
    }

    void add(Item item) {
        items.add(-Collections.binarySearch(items, item, Item.BY_INSTANCE) - 1, item);
    }

    void remove(Item item) {
        items.remove(Collections.binarySearch(items, item, Item.BY_INSTANCE));
    }

    @Nullable
    Item find(Id writer, Id slot) {
        int low = 0;
        int high = items.size() - 1;
        while (low <= high) {
            int mid = (low + high) >>> 1;
            Item.Instance there = items.get(mid).instance;
            int order = there.writer().compareTo(writer);
            if (order == 0) order = there.slot().compareTo(slot);
            if (order == 0) return items.get(mid);
            if (order < 0) low = mid + 1;
            else high = mid - 1;
        }
        return null;
    }

    /**
     * Returns all in an order in which networks of addresses take turns, and within each its writers: whoever reads the first
     * pages sees something of everybody, however much some have stored here. Equal salts give equal orders.
     */
    List<Item> fair(int salt) {
        List<Item> out = new ArrayList<>(items);
        for (Item item : out) item.rank = mix(salt, item.instance);
        out.sort(BY_RANK);
        takeTurns(out, Item::writer);
        takeTurns(out, item -> item.network);
        return out;
    }

    private static <T> void takeTurns(List<Item> items, Function<Item, T> whose) {
        Map<T, Integer> turns = new HashMap<>(); // looked up, never iterated
        for (Item item : items) item.rank = turns.merge(whose.apply(item), 1, Integer::sum);
        items.sort(BY_RANK);
    }

    private static int mix(int salt, Item.Instance instance) {
        int x = (instance.writer().hashCode() * 31 + instance.slot().hashCode()) ^ salt;
        x = (x ^ x >>> 16) * 0x85ebca6b;
        x = (x ^ x >>> 13) * 0xc2b2ae35;
        return x ^ x >>> 16;
    }

    /**
     * Returns the record that gives way to a newcomer when the shelf is full: one that is no longer live; otherwise one of the
     * network with the most records, and in it of the writer with the most. Null if these have no more than the newcomer's own
     * would have.
     */
    @Nullable
    Item giveWay(long nowNs, Address network, Id writer) {
        Item stalest = items.getFirst();
        for (Item item : items) if (item.heardNs < stalest.heardNs) stalest = item;
        for (Item item : items) {
            if (!item.isLive(nowNs) && (stalest.isLive(nowNs) || item.heardNs < stalest.heardNs)) stalest = item;
        }
        if (!stalest.isLive(nowNs)) return stalest;
        Map<Address, Integer> networks = new HashMap<>(); // looked up, never iterated
        for (Item item : items) networks.merge(item.network, 1, Integer::sum);
        Address most = network;
        int own = networks.getOrDefault(network, 0) + 1;
        for (Item item : items) {
            if (networks.getOrDefault(item.network, 0) > Math.max(own, networks.getOrDefault(most, 0)))
                most = item.network;
        }
        return giveWay(most, most.equals(network) ? writer : null);
    }

    /** Returns a record of the writer with most in that network, if it has more than {@code writer} would have with one more. */
    private @Nullable Item giveWay(Address network, @Nullable Id writer) {
        Map<Id, Integer> writers = new HashMap<>(); // looked up, never iterated
        for (Item item : items) if (item.network.equals(network)) writers.merge(item.writer(), 1, Integer::sum);
        int own = writer == null ? 0 : writers.getOrDefault(writer, 0) + 1;
        Item victim = null;
        int most = own;
        for (Item item : items) {
            if (!item.network.equals(network)) continue;
            int share = writers.getOrDefault(item.writer(), 0);
            if (share > most || victim != null && share == most && item.heardNs < victim.heardNs) {
                victim = item;
                most = share;
            }
        }
        return victim;
    }
}
