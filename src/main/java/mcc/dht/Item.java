package mcc.dht;

import java.util.Comparator;
import mcc.consortium.Subject;
import mcc.core.Address;
import mcc.core.Id;
import mcc.wire.Record;
import org.jspecify.annotations.Nullable;

/** A record that this node holds for another. */
final class Item {
    /** What identifies a record: there is one for each writer and slot under a key. */
    record Instance(Id key, Id writer, Id slot) {
        static Instance of(Record record) {
            Record.Content c = record.content();
            return new Instance(c.key(), c.writer(), c.slot());
        }
    }

    /** By writer and slot, for items of one key. */
    static final Comparator<Item> BY_INSTANCE =
            Comparator.comparing(Item::writer).thenComparing(item -> item.instance.slot);

    static final Comparator<Item> BY_EXPIRY =
            Comparator.comparingLong((Item item) -> item.expiresNs).thenComparingLong(item -> item.number);

    /** The memory that a record takes besides its bytes: its IDs, and its entries in the indexes of {@link RecordStore}. */
    private static final int OVERHEAD_BYTES = 768;

    final Record record;
    final Instance instance;
    /** The peer that stored it; null for this node. */
    final @Nullable Subject by;
    /** The network of the address that it came from, see {@link #network}. */
    final Address network;
    /** Tells the items of one store apart. */
    final long number;

    final long expiresNs;
    long heardNs;
    /** Working storage of {@link Shelf#fair}. */
    int rank;

    Item(Record record, @Nullable Subject by, Address network, long number, long expiresNs, long heardNs) {
        this.record = record;
        instance = Instance.of(record);
        this.by = by;
        this.network = network;
        this.number = number;
        this.expiresNs = expiresNs;
        this.heardNs = heardNs;
    }

    Id key() {
        return instance.key;
    }

    Id writer() {
        return instance.writer;
    }

    /** How much of {@link DhtConfig.Limits#recordBytes} it uses: its content is held twice, encoded and decoded. */
    int bytes() {
        return bytes(record);
    }

    static int bytes(Record record) {
        return 2 * record.raw().size() + OVERHEAD_BYTES;
    }

    /** Whether it needs no heartbeat, or one came in time. */
    boolean isLive(long nowNs) {
        long beatMs = record.content().beatMs();
        return beatMs == 0 || nowNs - heardNs < beatMs * DhtConfig.MS;
    }

    /** The network that an address belongs to, for shares: its /24 (IPv4) or /48 (IPv6). */
    static Address network(Address at) {
        return at.network(24, 48);
    }
}
