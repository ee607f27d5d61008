package mcc.dht;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.PriorityQueue;
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
 * The records that this node holds for others: under each key, of each writer and slot the newest version.
 *
 * <p>It believes the signature and its own monotonic clock, nothing else: {@code issuedAtMs} is only checked to be within
 * ten minutes. What expired or was withdrawn is remembered as a grave for 20 minutes, longer than a copy of it could still
 * pass that check, so that an old record cannot come back.
 */
final class RecordStore {
    /** How far {@code issuedAtMs} may be off, in milliseconds. */
    static final long ISSUED_SLACK_MS = 600_000;
    /** How long the version of a record that is gone is remembered. */
    static final long GRAVE_NS = 20 * Config.MINUTE;
    /** Contacts that each page of records leaves room for, where it can. */
    private static final int CONTACTS = 4;

    private record Instance(Id key, Id writer, Id slot) {
        static Instance of(Record record) {
            return new Instance(
                    record.content().key(),
                    record.content().writer(),
                    record.content().slot());
        }
    }

    private record Grave(Instance instance, long seq, long untilNs) {}

    /** Names a record that is gone. */
    record Gone(Id key, Id writer, Id slot) {}

    private static final class Item {
        final Record record;
        final long expiresNs;
        long beatNs;

        Item(Record record, long expiresNs, long beatNs) {
            this.record = record;
            this.expiresNs = expiresNs;
            this.beatNs = beatNs;
        }
    }

    private static final Comparator<Item> BY_INSTANCE = Comparator.comparing(
                    (Item item) -> item.record.content().writer())
            .thenComparing(item -> item.record.content().slot());

    private final Config config;
    private final Signing signing;
    private final Rng rng;
    private final Counters counters;
    private final LinkedHashMap<Id, List<Item>> shelves = new LinkedHashMap<>();
    private final LinkedHashMap<Id, Integer> perWriter = new LinkedHashMap<>();
    private final PriorityQueue<Item> expiries = new PriorityQueue<>(Comparator.comparingLong(item -> item.expiresNs));
    private final LinkedHashMap<Instance, Grave> graves = new LinkedHashMap<>();
    private final ArrayDeque<Grave> graveQueue = new ArrayDeque<>();
    private int count;
    private long bytes;

    RecordStore(Config config, Signing signing, Rng rng, Counters counters) {
        this.config = config;
        this.signing = signing;
        this.rng = rng;
        this.counters = counters;
    }

    /** Judges a record and keeps it if it may be kept; a lease of 0 withdraws. */
    Verdict store(long nowNs, long epochMs, Record record) {
        Verdict verdict = judge(nowNs, epochMs, record);
        counters.add(
                switch (verdict) {
                    case KEPT -> "dht.storeKept";
                    case OLD -> "dht.storeOld";
                    case INVALID -> "dht.storeInvalid";
                    case FULL -> "dht.storeFull";
                });
        return verdict;
    }

    private Verdict judge(long nowNs, long epochMs, Record record) {
        expire(nowNs, null);
        Record.Content c = record.content();
        if (Math.abs(c.issuedAtMs() - epochMs) > ISSUED_SLACK_MS) return Verdict.INVALID;
        Instance instance = Instance.of(record);
        Item held = find(instance);
        if (held != null && held.record.equals(record)) return Verdict.KEPT;
        if (held != null && held.record.content().seq() >= c.seq()) return Verdict.OLD;
        Grave grave = graves.get(instance);
        if (grave != null && grave.seq >= c.seq()) return c.leaseMs() == 0 ? Verdict.KEPT : Verdict.OLD;
        if (held == null && c.leaseMs() > 0 && !hasRoom(record)) return Verdict.FULL;
        if (!isSigned(record, config.network(), signing)) return Verdict.INVALID;
        if (held != null) remove(held);
        if (c.leaseMs() == 0) bury(instance, c.seq(), nowNs);
        else put(new Item(record, nowNs + Math.min(c.leaseMs(), Limits.LEASE_MS) * Config.MS, nowNs));
        return Verdict.KEPT;
    }

    private boolean hasRoom(Record record) {
        List<Item> shelf = shelves.get(record.content().key());
        return count < config.limits().records()
                && bytes + record.raw().size() <= config.limits().recordBytes()
                && (shelf == null || shelf.size() < config.limits().recordsPerKey())
                && perWriter.getOrDefault(record.content().writer(), 0)
                        < config.limits().recordsPerWriter();
    }

    /** Notes that the writer still stands behind a version; false when that version is not held. */
    boolean beat(long nowNs, Id from, Message.Beat beat) {
        Item item = find(new Instance(beat.key(), from, beat.slot()));
        if (item == null || item.expiresNs <= nowNs || item.record.content().seq() != beat.seq()) return false;
        item.beatNs = nowNs;
        return true;
    }

    /**
     * Answers a {@link Message.FindValue}: one page of records and the nearest contacts. The first page of a set that needs
     * several begins at a random place, so that of a hot key each reader sees another sample.
     */
    Message.Values find(long nowNs, Id key, long cursor, List<Contact> nearest) {
        expire(nowNs, null);
        List<Item> shelf = shelves.getOrDefault(key, List.of());
        int total = shelf.size();
        int left = cursor == 0 ? total : (int) Math.min(cursor >>> 32, total);
        if (left == 0) return Message.Values.of(List.of(), nearest, total, 0);
        int at = cursor == 0 ? start(total) : (int) ((cursor & 0xffff_ffffL) % total);
        List<Held> page = new ArrayList<>();
        for (int i = 0; i < Math.min(left, Limits.RECORDS); i++) {
            Item item = shelf.get((at + i) % total);
            page.add(new Held(item.record, (nowNs - item.beatNs) / Config.MS));
        }
        List<Contact> few = nearest.subList(0, Math.min(CONTACTS, nearest.size()));
        int fitting = Message.Values.fitting(page, few);
        int rest = left - fitting;
        long next = rest == 0 ? 0 : (long) rest << 32 | (at + fitting) % total;
        return Message.Values.of(page.subList(0, fitting), nearest, total, next);
    }

    /** Adds to {@code harvest} all that is held under {@code key}; returns whether there is anything. */
    boolean collect(long nowNs, Id key, Harvest harvest) {
        expire(nowNs, null);
        List<Item> shelf = shelves.getOrDefault(key, List.of());
        for (Item item : shelf) harvest.add(item.record, item.beatNs);
        return !shelf.isEmpty();
    }

    private int start(int total) {
        return total <= 2 ? 0 : rng.below(total);
    }

    /** Drops what has expired; names it in {@code gone} where that is wanted. */
    void expire(long nowNs, @Nullable List<Gone> gone) {
        while (!expiries.isEmpty() && expiries.peek().expiresNs <= nowNs) {
            Item item = expiries.remove();
            Instance instance = Instance.of(item.record);
            if (find(instance) != item) continue;
            remove(item);
            bury(instance, item.record.content().seq(), nowNs);
            counters.add("dht.recordExpired");
            if (gone != null) gone.add(new Gone(instance.key, instance.writer, instance.slot));
        }
        while (!graveQueue.isEmpty() && graveQueue.peek().untilNs <= nowNs) forget(graveQueue.remove());
    }

    /** Returns when something expires next; {@link Long#MAX_VALUE} when nothing does. */
    long nextExpiryNs() {
        return expiries.isEmpty() ? Long.MAX_VALUE : expiries.peek().expiresNs;
    }

    int size() {
        return count;
    }

    /** Checks what must always hold; for the simulator and tests. */
    void check(long nowNs) {
        Invariant.check(count <= config.limits().records(), "records within their limit");
        Invariant.check(bytes <= config.limits().recordBytes(), "record bytes within their limit");
        Invariant.check(graves.size() <= config.limits().graves(), "graves within their limit");
        Invariant.check(graveQueue.size() <= 2 * config.limits().graves(), "grave queue within its limit");
        Invariant.check(expiries.size() <= 4 * (count + 64), "expiries within their limit");
        for (Item item : expiries) {
            boolean overdue = item.expiresNs + Config.SECOND < nowNs;
            Invariant.check(!overdue || find(Instance.of(item.record)) != item, "no record outlives its lease");
        }
    }

    private void put(Item item) {
        List<Item> shelf = shelves.computeIfAbsent(item.record.content().key(), _ -> new ArrayList<>(2));
        int at = Collections.binarySearch(shelf, item, BY_INSTANCE);
        shelf.add(-at - 1, item);
        perWriter.merge(item.record.content().writer(), 1, Integer::sum);
        count++;
        bytes += item.record.raw().size();
        expiries.add(item);
        if (expiries.size() > 2 * (count + 32)) expiries.removeIf(old -> find(Instance.of(old.record)) != old);
    }

    private void remove(Item item) {
        Id key = item.record.content().key();
        List<Item> shelf = shelves.get(key);
        if (shelf == null) return;
        shelf.remove(Collections.binarySearch(shelf, item, BY_INSTANCE));
        if (shelf.isEmpty()) shelves.remove(key);
        perWriter.computeIfPresent(item.record.content().writer(), (_, n) -> n == 1 ? null : n - 1);
        count--;
        bytes -= item.record.raw().size();
    }

    private @Nullable Item find(Instance instance) {
        List<Item> shelf = shelves.get(instance.key);
        if (shelf == null) return null;
        int low = 0;
        int high = shelf.size() - 1;
        while (low <= high) {
            int mid = (low + high) >>> 1;
            Record.Content c = shelf.get(mid).record.content();
            int order = c.writer().compareTo(instance.writer);
            if (order == 0) order = c.slot().compareTo(instance.slot);
            if (order == 0) return shelf.get(mid);
            if (order < 0) low = mid + 1;
            else high = mid - 1;
        }
        return null;
    }

    private void bury(Instance instance, long seq, long nowNs) {
        Grave grave = new Grave(instance, seq, nowNs + GRAVE_NS);
        if (graves.size() >= config.limits().graves() && !graves.containsKey(instance)) {
            counters.add("dht.gravesFull");
            while (graves.size() >= config.limits().graves()) forget(graveQueue.remove());
        }
        graves.put(instance, grave);
        graveQueue.add(grave);
        if (graveQueue.size() > 2 * config.limits().graves())
            graveQueue.removeIf(g -> !g.equals(graves.get(g.instance)));
    }

    private void forget(Grave grave) {
        graves.remove(grave.instance, grave);
    }

    /** Returns whether the signature of {@code record} is that of its writer. */
    static boolean isSigned(Record record, Bytes network, Signing signing) {
        return signing.verify(record.content().writer(), record.signedBytes(network), record.signature());
    }
}
