package mcc.dht;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.TreeSet;
import java.util.function.Predicate;
import mcc.consortium.Subject;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Invariant;
import mcc.core.Rng;
import mcc.wire.Contact;
import mcc.wire.Limits;
import mcc.wire.Message;
import mcc.wire.Message.Held;
import mcc.wire.Message.Verdict;
import mcc.wire.Record;
import org.jspecify.annotations.Nullable;

/**
 * The records that this node holds for others: under each key, the newest version of each writer and slot.
 *
 * <p>It trusts the signature and its own monotonic clock, nothing else: {@code issuedAtMs} is only checked to be within
 * ten minutes. A record that expired or was withdrawn leaves a tombstone, its version, for 20 minutes: longer than a copy of it
 * could still pass that check, so that an old version cannot come back.
 *
 * <p>There is no limit for one writer while there is room. When a key or the whole store is full, whoever takes most gives
 * way: {@link Shelf#giveWay} and {@link Shares#giveWay}.
 */
final class RecordStore {
    /** How far {@code issuedAtMs} may be off, in milliseconds. */
    static final long ISSUED_SLACK_MS = 600_000;
    /** How long a tombstone is kept. */
    static final long TOMBSTONE_NS = 20 * DhtConfig.MINUTE;
    /** Contacts for which each page of records leaves room, if it can. */
    private static final int CONTACTS = 4;

    private record Tombstone(Item.Instance instance, long seq, long untilNs) {}

    /** Names a record that is gone. */
    record Gone(Id key, Id writer, Id slot) {}

    private final DhtConfig config;
    private final Signing signing;
    private final Rng rng;
    private final Counters counters;
    private final LinkedHashMap<Id, Shelf> shelves = new LinkedHashMap<>();
    private final Shares shares;
    private final TreeSet<Item> expiries = new TreeSet<>(Item.BY_EXPIRY);
    private final LinkedHashMap<Item.Instance, Tombstone> tombstones = new LinkedHashMap<>();
    private final ArrayDeque<Tombstone> tombstoneQueue = new ArrayDeque<>();
    private long number;

    /** @param position this node's position in the key space */
    RecordStore(DhtConfig config, Id position, Signing signing, Rng rng, Counters counters) {
        this.config = config;
        this.signing = signing;
        this.rng = rng;
        this.counters = counters;
        shares = new Shares(position);
    }

    /**
     * Judges a record and keeps it if it may be kept; a lease of 0 withdraws.
     *
     * @param by the peer that stores it; null for this node
     * @param from the address that it came from
     */
    Verdict store(long nowNs, long epochMs, @Nullable Subject by, Address from, Record record) {
        Verdict verdict = judge(nowNs, epochMs, by, Item.network(from), record);
        counters.add(
                switch (verdict) {
                    case KEPT -> "dht.storeKept";
                    case OLD -> "dht.storeOld";
                    case INVALID -> "dht.storeInvalid";
                    case FULL -> "dht.storeFull";
                });
        return verdict;
    }

    /** The same for this node itself. */
    Verdict store(long nowNs, long epochMs, Address from, Record record) {
        return store(nowNs, epochMs, null, from, record);
    }

    /** Returns the highest version number known for that key, writer and slot; 0 when none is known. */
    long newest(Record record) {
        Item.Instance instance = Item.Instance.of(record);
        Item held = find(instance);
        Tombstone tombstone = tombstones.get(instance);
        return Math.max(held == null ? 0 : held.record.content().seq(), tombstone == null ? 0 : tombstone.seq);
    }

    private Verdict judge(long nowNs, long epochMs, @Nullable Subject by, Address network, Record record) {
        expire(nowNs, null);
        Record.Content c = record.content();
        if (Math.abs(c.issuedAtMs() - epochMs) > ISSUED_SLACK_MS) return Verdict.INVALID;
        Item.Instance instance = Item.Instance.of(record);
        Item held = find(instance);
        if (held != null && held.record.equals(record)) return Verdict.KEPT;
        if (held != null && held.record.content().seq() >= c.seq()) return Verdict.OLD;
        Tombstone tombstone = tombstones.get(instance);
        if (tombstone != null && tombstone.seq >= c.seq()) return c.leaseMs() == 0 ? Verdict.KEPT : Verdict.OLD;
        // The cheap checks first: checking a signature costs more than all of them.
        boolean keeps = c.leaseMs() > 0;
        if (keeps && held == null && isFullFor(nowNs, network, record)) return Verdict.FULL;
        if (!isSigned(record, config.network(), signing)) return Verdict.INVALID;
        if (held != null) remove(held);
        if (keeps && makeRoom(nowNs, network, record)) {
            long expiresNs = nowNs + Math.min(c.leaseMs(), Limits.LEASE_MS) * DhtConfig.MS;
            put(new Item(record, by, network, number++, expiresNs, nowNs));
            return Verdict.KEPT;
        }
        bury(instance, keeps ? c.seq() - 1 : c.seq(), nowNs);
        return keeps ? Verdict.FULL : Verdict.KEPT;
    }

    private boolean isFullFor(long nowNs, Address network, Record record) {
        Shelf shelf = shelves.get(record.content().key());
        if (isFull(shelf)) return victim(nowNs, shelf, network, record) == null;
        return isFull(record) && victim(network, record) == null;
    }

    private boolean isFull(@Nullable Shelf shelf) {
        return shelf != null && shelf.size() >= config.limits().recordsPerKey();
    }

    private boolean isFull(Record record) {
        DhtConfig.Limits limits = config.limits();
        return size() >= limits.records() || shares.bytes() + Item.bytes(record) > limits.recordBytes();
    }

    private static @Nullable Item victim(long nowNs, @Nullable Shelf shelf, Address network, Record record) {
        return shelf == null
                ? null
                : shelf.giveWay(nowNs, network, record.content().writer());
    }

    private @Nullable Item victim(Address network, Record record) {
        Record.Content c = record.content();
        return shares.giveWay(network, c.writer(), c.key(), Item.bytes(record));
    }

    /** Makes room for a record if the store is full; false if no other record has to give way to it. */
    private boolean makeRoom(long nowNs, Address network, Record record) {
        Shelf shelf = shelves.get(record.content().key());
        if (isFull(shelf) && !giveWay(nowNs, victim(nowNs, shelf, network, record))) return false;
        while (isFull(record)) if (!giveWay(nowNs, victim(network, record))) return false;
        return true;
    }

    private boolean giveWay(long nowNs, @Nullable Item item) {
        if (item == null) return false;
        drop(nowNs, item);
        counters.add("dht.recordGaveWay");
        return true;
    }

    /** Drops a record; the same version may come back, an older one may not. */
    private void drop(long nowNs, Item item) {
        remove(item);
        bury(item.instance, item.record.content().seq() - 1, nowNs);
    }

    /** Drops the records of peers that may not store any here; returns how many. */
    int retain(long nowNs, Predicate<Subject> may) {
        int dropped = 0;
        for (Item item : List.copyOf(expiries)) {
            if (item.by == null || may.test(item.by)) continue;
            drop(nowNs, item);
            dropped++;
        }
        counters.of("policy.ended.records").add(dropped);
        return dropped;
    }

    /** Takes a heartbeat of a version; false when that version is not held. */
    boolean renew(long nowNs, Id from, Message.Beat beat) {
        Item item = find(new Item.Instance(beat.key(), from, beat.slot()));
        if (item == null || item.expiresNs <= nowNs || item.record.content().seq() != beat.seq()) return false;
        item.heardNs = nowNs;
        return true;
    }

    /**
     * Answers a {@link Message.FindValue}: one page of records and the nearest contacts. Where there are several pages, their
     * order gives every writer its turn, and differs for each reader. The cursor says where the next page begins; its upper half
     * is the salt of the order.
     */
    Message.Values find(long nowNs, Id key, long cursor, List<Contact> nearest) {
        expire(nowNs, null);
        Shelf shelf = shelves.get(key);
        int total = shelf == null ? 0 : shelf.size();
        int at = (int) Math.min(cursor & 0xffff_ffffL, total);
        if (shelf == null || at == total) return Message.Values.of(List.of(), nearest, total, 0);
        int salt = cursor == 0 && total > 2 ? rng.nextInt() : (int) (cursor >>> 32);
        List<Item> items = total > 2 ? shelf.fair(salt) : shelf.items();
        List<Held> page = new ArrayList<>();
        for (Item item : items.subList(at, Math.min(total, at + Limits.RECORDS))) {
            page.add(new Held(item.record, (nowNs - item.heardNs) / DhtConfig.MS));
        }
        List<Contact> few = nearest.subList(0, Math.min(CONTACTS, nearest.size()));
        int fitting = Message.Values.fitting(page, few);
        int next = at + fitting;
        long more = next == total ? 0 : (long) salt << 32 | next;
        return Message.Values.of(page.subList(0, fitting), nearest, total, more);
    }

    /** Adds to {@code found} all that is held under {@code key}; returns whether there is anything. */
    boolean collect(long nowNs, Id key, Id self, FoundRecords found) {
        expire(nowNs, null);
        Shelf shelf = shelves.get(key);
        if (shelf == null) return false;
        for (Item item : shelf.fair(rng.nextInt())) found.add(item.record, item.heardNs, self);
        return true;
    }

    /** Drops what has expired, and adds it to {@code gone} if that is not null. */
    void expire(long nowNs, @Nullable List<Gone> gone) {
        while (!expiries.isEmpty() && expiries.first().expiresNs <= nowNs) {
            Item item = expiries.first();
            remove(item);
            bury(item.instance, item.record.content().seq(), nowNs);
            counters.add("dht.recordExpired");
            if (gone != null) gone.add(new Gone(item.key(), item.writer(), item.instance.slot()));
        }
        while (!tombstoneQueue.isEmpty() && tombstoneQueue.peek().untilNs <= nowNs) forget(tombstoneQueue.remove());
    }

    int size() {
        return expiries.size();
    }

    /** Checks what must always hold; for the simulator and tests. */
    void check(long nowNs) {
        Invariant.check(size() <= config.limits().records(), "records within their limit");
        Invariant.check(shares.bytes() <= config.limits().recordBytes(), "record bytes within their limit");
        Invariant.check(tombstones.size() <= config.limits().tombstones(), "tombstones within their limit");
        Invariant.check(tombstoneQueue.size() <= 2 * config.limits().tombstones(), "tombstone queue within its limit");
        boolean overdue = !expiries.isEmpty() && expiries.first().expiresNs + DhtConfig.MINUTE < nowNs;
        Invariant.check(!overdue, "no record outlives its lease");
        int shelved = 0;
        for (Shelf shelf : shelves.values()) shelved += shelf.size();
        Invariant.check(shelved == size(), "every record expires");
        shares.check();
    }

    private void put(Item item) {
        shelves.computeIfAbsent(item.key(), _ -> new Shelf()).add(item);
        shares.add(item);
        expiries.add(item);
    }

    private void remove(Item item) {
        Shelf shelf = shelves.get(item.key());
        Invariant.check(shelf != null && expiries.remove(item), "what is removed is held");
        if (shelf == null) return;
        shelf.remove(item);
        if (shelf.size() == 0) shelves.remove(item.key());
        shares.remove(item);
    }

    private @Nullable Item find(Item.Instance instance) {
        Shelf shelf = shelves.get(instance.key());
        return shelf == null ? null : shelf.find(instance.writer(), instance.slot());
    }

    private void bury(Item.Instance instance, long seq, long nowNs) {
        Tombstone old = tombstones.get(instance);
        Tombstone tombstone = new Tombstone(instance, old == null ? seq : Math.max(seq, old.seq), nowNs + TOMBSTONE_NS);
        if (tombstones.size() >= config.limits().tombstones() && old == null) {
            counters.add("dht.tombstonesFull");
            while (tombstones.size() >= config.limits().tombstones()) forget(tombstoneQueue.remove());
        }
        tombstones.put(instance, tombstone);
        tombstoneQueue.add(tombstone);
        if (tombstoneQueue.size() > 2 * config.limits().tombstones())
            tombstoneQueue.removeIf(g -> !g.equals(tombstones.get(g.instance)));
    }

    private void forget(Tombstone tombstone) {
        tombstones.remove(tombstone.instance, tombstone);
    }

    /** Returns whether the signature of {@code record} is that of its writer. */
    static boolean isSigned(Record record, Bytes network, Signing signing) {
        return signing.verify(record.content().writer(), record.signedBytes(network), record.signature());
    }
}
