package mcc.dht;

import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeSet;
import mcc.core.Address;
import mcc.core.Id;
import mcc.core.Invariant;
import org.jspecify.annotations.Nullable;

/**
 * How much of the store each network of addresses (/24, /48) takes, and in it each writer.
 *
 * <p>When the store is full the largest network gives way to smaller ones, and in it the largest writer to smaller ones; of
 * that writer's records, the one whose key is farthest from this node, as other nodes are nearer to it. So whoever fills the
 * store loses what exceeds its share to any newcomer, and nothing to those who have as much.
 */
final class Shares {
    private static final class Writer {
        final Id id;
        final TreeSet<Item> items;
        long bytes;

        Writer(Id id, Comparator<Item> byDistance) {
            this.id = id;
            items = new TreeSet<>(byDistance);
        }
    }

    private static final class Network {
        final Address address;
        final Map<Id, Writer> writers = new LinkedHashMap<>();
        final TreeSet<Writer> bySize =
                new TreeSet<>(Comparator.comparingLong((Writer w) -> w.bytes).thenComparing(w -> w.id));
        final TreeSet<Item> items;
        long bytes;

        Network(Address address, Comparator<Item> byDistance) {
            this.address = address;
            items = new TreeSet<>(byDistance);
        }
    }

    private final Id position;
    private final Comparator<Item> byDistance;
    private final Map<Address, Network> networks = new LinkedHashMap<>();
    private final TreeSet<Network> bySize = new TreeSet<>(Comparator.comparingLong((Network n) -> n.bytes)
            .thenComparing(
                    n -> n.address, Comparator.comparingLong(Address::high).thenComparingLong(Address::low)));
    private long bytes;

    /** @param position this node's position in the key space */
    Shares(Id position) {
        this.position = position;
        byDistance = Comparator.comparing(Item::key, position.byDistance()).thenComparingLong(item -> item.number);
    }

    /** Returns the bytes of all records together. */
    long bytes() {
        return bytes;
    }

    void add(Item item) {
        Network network = networks.computeIfAbsent(item.network, n -> new Network(n, byDistance));
        Writer writer = network.writers.computeIfAbsent(item.writer(), w -> new Writer(w, byDistance));
        writer.items.add(item);
        network.items.add(item);
        grow(network, writer, item.bytes());
    }

    void remove(Item item) {
        Network network = networks.get(item.network);
        Writer writer = network == null ? null : network.writers.get(item.writer());
        Invariant.check(writer != null && writer.items.remove(item), "what is held is charged to its writer");
        if (network == null || writer == null) return;
        network.items.remove(item);
        grow(network, writer, -item.bytes());
    }

    private void grow(Network network, Writer writer, int by) {
        bySize.remove(network);
        network.bySize.remove(writer);
        bytes += by;
        network.bytes += by;
        writer.bytes += by;
        if (writer.items.isEmpty()) network.writers.remove(writer.id);
        else network.bySize.add(writer);
        if (network.items.isEmpty()) networks.remove(network.address);
        else bySize.add(network);
    }

    /** Returns the record that gives way to a newcomer, or null when none must. */
    @Nullable
    Item giveWay(Address from, Id by, Id key, int size) {
        if (bySize.isEmpty()) return null;
        Network largest = bySize.last();
        Network own = networks.get(from);
        if (own != largest && (own == null ? 0 : own.bytes) + size < largest.bytes) {
            return largest.bySize.last().items.last();
        }
        if (own == null) return null;
        Writer most = own.bySize.last();
        Writer writer = own.writers.get(by);
        if (writer != most && (writer == null ? 0 : writer.bytes) + size < most.bytes) return most.items.last();
        Item farthest = writer == null ? own.items.last() : writer.items.last();
        return position.compareDistance(key, farthest.key()) < 0 ? farthest : null;
    }

    /** Checks what must always hold; for the simulator and tests. */
    void check() {
        long sum = 0;
        for (Network network : networks.values()) {
            long within = 0;
            for (Writer writer : network.writers.values()) {
                long each = 0;
                for (Item item : writer.items) each += item.bytes();
                Invariant.check(each == writer.bytes, "a writer is charged for what it has");
                within += each;
            }
            Invariant.check(within == network.bytes, "a network is charged for what it has");
            sum += within;
        }
        Invariant.check(sum == bytes, "the store knows its size");
        Invariant.check(bySize.size() == networks.size(), "each network is ranked");
    }
}
