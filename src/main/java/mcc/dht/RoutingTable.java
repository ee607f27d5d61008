package mcc.dht;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import mcc.core.Address;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Invariant;
import mcc.wire.Contact;
import org.jspecify.annotations.Nullable;

/**
 * The contacts of one node, in buckets by how many leading bits their position shares with its own.
 *
 * <p>Each bucket holds at most k contacts, least recently heard first, and at most k replacements, most recently heard last.
 * At most two contacts of one /24 (IPv4) or /48 (IPv6) are in one bucket, except for local addresses. Only nodes that
 * answered a request may be added: that is the caller's duty.
 */
final class RoutingTable {
    /** Most contacts of one prefix in one bucket. */
    static final int PER_PREFIX = 2;
    /** A contact that did not answer this many times in a row is dropped. */
    static final int FAILURES = 2;

    private static final class Bucket {
        final List<Entry> entries = new ArrayList<>(4);
        final ArrayDeque<Entry> replacements = new ArrayDeque<>(1);
        long lookedUpNs = Long.MIN_VALUE;
    }

    private final Id self;
    private final int k;
    private final Counters counters;
    private final @Nullable Bucket[] buckets = new @Nullable Bucket[Id.BITS];
    private int size;
    private long changes;
    private int deepest = -1;

    RoutingTable(Id selfPosition, int k, Counters counters) {
        self = selfPosition;
        this.k = k;
        this.counters = counters;
    }

    /**
     * Notes that a node answered.
     *
     * @param rttNs how long it took; 0 when not known
     * @return whether it is a new contact
     */
    boolean heard(long nowNs, Contact contact, Id position, long rttNs) {
        if (position.equals(self)) return false;
        Bucket bucket = bucketOf(position);
        for (int i = 0; i < bucket.entries.size(); i++) {
            Entry entry = bucket.entries.get(i);
            if (!entry.position.equals(position)) continue;
            refresh(entry, nowNs, contact, rttNs);
            bucket.entries.remove(i);
            bucket.entries.add(entry);
            return false;
        }
        Entry entry = new Entry(contact, position);
        refresh(entry, nowNs, contact, rttNs);
        if (bucket.entries.size() < k && isDiverse(bucket, contact)) {
            bucket.replacements.removeIf(e -> e.position.equals(position));
            bucket.entries.add(entry);
            size++;
            changes++;
            deepest = Math.max(deepest, self.sharedBits(position));
            return true;
        }
        counters.add("dht.bucketFull");
        bucket.replacements.removeIf(e -> e.position.equals(position));
        if (bucket.replacements.size() == k) bucket.replacements.removeFirst();
        bucket.replacements.addLast(entry);
        return false;
    }

    private void refresh(Entry entry, long nowNs, Contact contact, long rttNs) {
        if (!entry.contact.equals(contact)) {
            // Their order says who was heard last: where two take turns, that is no news.
            if (!entry.contact.addresses().containsAll(contact.addresses())) changes++;
            entry.contact = contact;
        }
        entry.heardNs = nowNs;
        entry.failures = 0;
        entry.measured(rttNs);
    }

    /** Notes {@code failures} missing answers; returns whether the contact was dropped. */
    boolean failed(Id position, int failures) {
        Bucket bucket = peek(self.sharedBits(position));
        Entry entry = bucket == null ? null : find(bucket, position);
        if (bucket == null || entry == null) return false;
        entry.failures += failures;
        if (entry.failures < FAILURES) return false;
        bucket.entries.remove(entry);
        size--;
        changes++;
        promote(bucket);
        return true;
    }

    private void promote(Bucket bucket) {
        for (Entry entry : List.copyOf(bucket.replacements).reversed()) {
            if (!isDiverse(bucket, entry.contact)) continue;
            bucket.replacements.remove(entry);
            bucket.entries.addFirst(entry);
            size++;
            return;
        }
    }

    /** Returns whether an unknown node would be added if it answered. */
    boolean hasRoomFor(Contact contact, Id position) {
        if (position.equals(self)) return false;
        Bucket bucket = peek(self.sharedBits(position));
        if (bucket == null) return true;
        return bucket.entries.size() < k && find(bucket, position) == null && isDiverse(bucket, contact);
    }

    @Nullable
    Entry find(Id position) {
        if (position.equals(self)) return null;
        Bucket bucket = peek(self.sharedBits(position));
        return bucket == null ? null : find(bucket, position);
    }

    private static @Nullable Entry find(Bucket bucket, Id position) {
        for (Entry entry : bucket.entries) {
            if (entry.position.equals(position)) return entry;
        }
        return null;
    }

    /**
     * Returns the {@code count} contacts nearest to {@code target}, nearest first; contacts in doubt only where others
     * are too few.
     */
    List<Entry> closest(Id target, int count) {
        List<Entry> out = new ArrayList<>(count);
        gather(target, count, out, false);
        if (out.size() < count && out.size() < size) {
            out.clear();
            gather(target, count, out, true);
        }
        return out;
    }

    /**
     * Bucket d, to which the target itself belongs, is nearer to it than all deeper buckets, those together are nearer than
     * bucket d − 1, and so on: only within one of these groups is there anything to sort.
     */
    private void gather(Id target, int count, List<Entry> out, boolean doubtful) {
        int d = Math.min(self.sharedBits(target), Id.BITS - 1);
        take(target, d, out, 0, count, doubtful);
        int from = out.size();
        for (int i = d + 1; i <= deepest && from < count; i++) take(target, i, out, from, count, doubtful);
        for (int i = d - 1; i >= 0 && out.size() < count; i--) take(target, i, out, out.size(), count, doubtful);
    }

    /** Adds a bucket's contacts to the group that begins at {@code from}, sorted, and no more in all than {@code count}. */
    private void take(Id target, int index, List<Entry> out, int from, int count, boolean doubtful) {
        Bucket bucket = peek(index);
        if (bucket == null) return;
        List<Entry> entries = bucket.entries;
        for (int i = 0, n = entries.size(); i < n; i++) {
            Entry entry = entries.get(i);
            if (doubtful || entry.failures == 0) insert(target, entry, out, from, count);
        }
    }

    /** Insertion sort: the runs are short. */
    private static void insert(Id target, Entry entry, List<Entry> out, int from, int count) {
        int j = out.size();
        boolean full = j == count;
        if (full && target.compareDistance(entry.position, out.get(j - 1).position) >= 0) return;
        if (full) j--;
        else out.add(entry);
        for (; j > from && target.compareDistance(entry.position, out.get(j - 1).position) < 0; j--) {
            out.set(j, out.get(j - 1));
        }
        out.set(j, entry);
    }

    /** Returns the contact of the bucket of {@code position} that was not heard for longest; null when the bucket is empty. */
    @Nullable
    Entry leastRecentlyHeard(int index) {
        Bucket bucket = peek(index);
        return bucket == null || bucket.entries.isEmpty() ? null : bucket.entries.getFirst();
    }

    /** Returns the index of the bucket of {@code position}. */
    int index(Id position) {
        return Math.min(self.sharedBits(position), Id.BITS - 1);
    }

    /** Notes that something was looked up in the bucket of {@code target}. */
    void lookedUp(long nowNs, Id target) {
        Bucket bucket = peek(index(target));
        if (bucket != null) bucket.lookedUpNs = nowNs;
    }

    /** Returns when something was last looked up in that bucket; the least value when never. */
    long lookedUpNs(int index) {
        Bucket bucket = peek(index);
        return bucket == null ? Long.MIN_VALUE : bucket.lookedUpNs;
    }

    /** Returns how many contacts there are. */
    int size() {
        return size;
    }

    /** Counts contacts that came or went, and those that have another address. */
    long changes() {
        return changes;
    }

    /** Returns how many contacts are in the bucket of that index. */
    int size(int index) {
        Bucket bucket = peek(index);
        return bucket == null ? 0 : bucket.entries.size();
    }

    /** Returns the index of the deepest bucket ever used; −1 when none was. */
    int deepest() {
        return deepest;
    }

    /** Returns the contacts of one bucket, least recently heard first. A copy. */
    List<Entry> entries(int index) {
        Bucket bucket = peek(index);
        return bucket == null ? List.of() : List.copyOf(bucket.entries);
    }

    /** Checks what must always hold; for the simulator and tests. */
    void check() {
        int sum = 0;
        for (int i = 0; i < Id.BITS; i++) {
            Bucket bucket = peek(i);
            if (bucket == null) continue;
            sum += bucket.entries.size();
            Invariant.check(bucket.entries.size() <= k, "a bucket has at most k contacts");
            Invariant.check(bucket.replacements.size() <= k, "a bucket has at most k replacements");
            for (Entry entry : bucket.entries) {
                Invariant.check(self.sharedBits(entry.position) == i, "a contact stands in its bucket");
            }
        }
        Invariant.check(sum == size, "the table knows its size");
    }

    private @Nullable Bucket peek(int index) {
        return index >= Id.BITS ? null : buckets[index];
    }

    private Bucket bucketOf(Id position) {
        int index = index(position);
        Bucket bucket = buckets[index];
        if (bucket == null) {
            bucket = new Bucket();
            buckets[index] = bucket;
        }
        return bucket;
    }

    private static boolean isDiverse(Bucket bucket, Contact contact) {
        if (contact.addresses().isEmpty()) return true;
        Address address = contact.addresses().getFirst();
        if (address.isLocal()) return true;
        int same = 0;
        for (Entry entry : bucket.entries) {
            List<Address> theirs = entry.contact.addresses();
            if (!theirs.isEmpty() && samePrefix(address, theirs.getFirst())) same++;
        }
        return same < PER_PREFIX;
    }

    private static boolean samePrefix(Address a, Address b) {
        if (a.isV4() != b.isV4()) return false;
        return a.isV4() ? (a.v4Bits() >>> 8) == (b.v4Bits() >>> 8) : (a.high() >>> 16) == (b.high() >>> 16);
    }
}
