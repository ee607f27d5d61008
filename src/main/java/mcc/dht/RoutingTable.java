package mcc.dht;

import java.util.Arrays;
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
 *
 * <p>Leaves, which strangers do not reach, are contacts only as long as nobody else is.
 */
final class RoutingTable {
    /** Most contacts of one prefix in one bucket. */
    static final int PER_PREFIX = 2;
    /** A contact that was silent this many times in a row is dropped. */
    static final int FAILURES = 2;

    private static final class Bucket {
        final IdList<Entry> entries = new IdList<>(Bucket::position);
        final IdList<Entry> replacements = new IdList<>(Bucket::position);
        long lookedUpNs = Long.MIN_VALUE;

        private static Id position(Entry entry) {
            return entry.position;
        }
    }

    private final Id self;
    private final int k;
    private final Counters counters;
    private final @Nullable Bucket[] buckets = new @Nullable Bucket[Id.BITS];
    private int size;
    /** How many of them are no leaves. */
    private int members;

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
     * @param leaf whether it says that it is a leaf
     * @return whether it is a new contact
     */
    boolean heard(long nowNs, Contact contact, Id position, long rttNs, boolean leaf) {
        if (position.equals(self)) return false;
        said(position, leaf);
        if (leaf && members > 0) {
            counters.add("dht.leaves.refused");
            return false;
        }
        if (!leaf && members == 0) removeLeaves();
        Bucket bucket = bucketOf(position);
        int known = bucket.entries.indexOf(position);
        if (known >= 0) {
            Entry entry = bucket.entries.remove(known);
            refresh(entry, nowNs, contact, rttNs);
            bucket.entries.add(entry);
            return false;
        }
        Entry entry = new Entry(contact, position);
        entry.leaf = leaf;
        refresh(entry, nowNs, contact, rttNs);
        bucket.replacements.remove(position);
        if (bucket.entries.size() < k && isDiverse(bucket, contact)) {
            bucket.entries.add(entry);
            size++;
            if (!leaf) members++;
            changes++;
            deepest = Math.max(deepest, self.sharedBits(position));
            return true;
        }
        counters.add("dht.bucketFull");
        if (bucket.replacements.size() == k) bucket.replacements.remove(0);
        bucket.replacements.add(entry);
        return false;
    }

    /** Notes that a node says whether it is a leaf. A leaf leaves the table if others are left that are none. */
    void said(Id position, boolean leaf) {
        Entry entry = find(position);
        if (entry == null || entry.leaf == leaf) return;
        if (leaf && members > 1) {
            drop(position);
            return;
        }
        entry.leaf = leaf;
        members += leaf ? -1 : 1;
        if (!leaf) removeLeaves();
    }

    private void removeLeaves() {
        for (int i = 0; i <= deepest && members < size; i++) {
            Bucket bucket = buckets[i];
            if (bucket == null) continue;
            for (Entry entry : bucket.entries.toList()) {
                if (!entry.leaf) continue;
                bucket.entries.remove(entry.position);
                size--;
                changes++;
            }
            for (Entry entry : bucket.replacements.toList()) if (entry.leaf) bucket.replacements.remove(entry.position);
        }
    }

    private void refresh(Entry entry, long nowNs, Contact contact, long rttNs) {
        if (!entry.contact.equals(contact)) {
            // The order of a contact's addresses says which was heard last. If two take turns, the contact has not
            // changed.
            if (!entry.contact.addresses().containsAll(contact.addresses())) changes++;
            entry.contact = contact;
        }
        entry.heardNs = nowNs;
        entry.failures = 0;
        entry.measured(rttNs);
    }

    /**
     * Notes that a contact did not answer a request. Those that were in flight at the same time are one sign of silence: one
     * lost moment of the path loses them all.
     *
     * @return whether the contact was dropped
     */
    boolean silent(long nowNs, Id position, long sentNs) {
        Entry entry = find(position);
        if (entry == null || entry.failures > 0 && sentNs < entry.failedNs) return false;
        entry.failedNs = nowNs;
        entry.failures++;
        return entry.failures >= FAILURES && drop(position);
    }

    /** Removes a contact; returns whether it was one. */
    boolean drop(Id position) {
        Bucket bucket = peek(self.sharedBits(position));
        int index = bucket == null ? -1 : bucket.entries.indexOf(position);
        if (bucket == null || index < 0) return false;
        if (!bucket.entries.remove(index).leaf) members--;
        size--;
        changes++;
        promote(bucket);
        return true;
    }

    private void promote(Bucket bucket) {
        for (int i = bucket.replacements.size() - 1; i >= 0; i--) {
            if (!isDiverse(bucket, bucket.replacements.get(i).contact)) continue;
            Entry next = bucket.replacements.remove(i);
            bucket.entries.add(0, next);
            size++;
            if (!next.leaf) members++;
            if (!next.leaf && members < size) removeLeaves();
            return;
        }
    }

    /** Returns whether an unknown node would be added if it answered. */
    boolean hasRoomFor(Address at, Id position) {
        if (position.equals(self)) return false;
        Bucket bucket = peek(self.sharedBits(position));
        if (bucket == null) return true;
        return bucket.entries.size() < k && bucket.entries.indexOf(position) < 0 && isDiverse(bucket, at);
    }

    @Nullable
    Entry find(Id position) {
        if (position.equals(self)) return null;
        Bucket bucket = peek(self.sharedBits(position));
        return bucket == null ? null : bucket.entries.find(position);
    }

    /**
     * Returns the {@code count} contacts nearest to {@code target}, nearest first; contacts in doubt only if there are too few
     * others.
     */
    List<Entry> closest(Id target, int count) {
        List<Entry> out = new Near(target, count, null, false).list();
        return out.size() < count && out.size() < size ? new Near(target, count, null, true).list() : out;
    }

    /**
     * Returns the {@code count} contacts nearest to {@code target}, nearest first, without those in doubt and without the node
     * at {@code without}.
     */
    List<Entry> closest(Id target, int count, Id without) {
        return new Near(target, count, without, false).list();
    }

    /** The contacts nearest to a target. */
    private final class Near {
        private final Id target;
        private final int count;
        private final @Nullable Id without;
        private final boolean doubtful;
        private final Entry[] entries;
        private final long[] distances;
        private int found;

        Near(Id target, int count, @Nullable Id without, boolean doubtful) {
            this.target = target;
            this.count = Math.min(count, size);
            this.without = without;
            this.doubtful = doubtful;
            entries = new Entry[this.count];
            distances = new long[this.count];
            gather();
        }

        List<Entry> list() {
            return Arrays.asList(found == count ? entries : Arrays.copyOf(entries, found));
        }

        /**
         * Bucket d, to which the target itself belongs, is nearer to it than all deeper buckets, those together are nearer than
         * bucket d − 1, and so on: only within one of these groups is there anything to sort.
         */
        private void gather() {
            int d = index(target);
            take(d, 0);
            int from = found;
            for (int i = d + 1; i <= deepest && from < count; i++) take(i, from);
            for (int i = d - 1; i >= 0 && found < count; i--) take(i, found);
        }

        /** Adds a bucket's contacts to the group that begins at {@code from}. */
        private void take(int index, int from) {
            Bucket bucket = peek(index);
            if (bucket == null) return;
            IdList<Entry> all = bucket.entries;
            for (int i = 0; i < all.size(); i++) {
                long distance = target.w0() ^ all.first(i);
                if (found == count && Long.compareUnsigned(distance, distances[count - 1]) > 0) continue;
                if (without != null
                        && all.first(i) == without.w0()
                        && all.get(i).position.equals(without)) continue;
                Entry entry = all.get(i);
                if (doubtful || entry.failures == 0) insert(distance, entry, from);
            }
        }

        /** Insertion sort: the runs are short. */
        private void insert(long distance, Entry entry, int from) {
            int j = found;
            if (j < count) found++;
            else if (!isNearer(distance, entry, --j)) return;
            for (; j > from && isNearer(distance, entry, j - 1); j--) {
                entries[j] = entries[j - 1];
                distances[j] = distances[j - 1];
            }
            entries[j] = entry;
            distances[j] = distance;
        }

        private boolean isNearer(long distance, Entry entry, int than) {
            int c = Long.compareUnsigned(distance, distances[than]);
            return c != 0 ? c < 0 : target.compareDistance(entry.position, entries[than].position) < 0;
        }
    }

    /** Returns the contact of a bucket that was not heard for the longest time; null when the bucket is empty. */
    @Nullable
    Entry leastRecentlyHeard(int index) {
        Bucket bucket = peek(index);
        return bucket == null || bucket.entries.size() == 0 ? null : bucket.entries.get(0);
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

    /** Returns when something was last looked up in that bucket; {@link Long#MIN_VALUE} if never. */
    long lookedUpNs(int index) {
        Bucket bucket = peek(index);
        return bucket == null ? Long.MIN_VALUE : bucket.lookedUpNs;
    }

    /** Returns how many contacts there are. */
    int size() {
        return size;
    }

    /** Returns how many contacts are no leaves: all of them, or none. */
    int members() {
        return members;
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
        return bucket == null ? List.of() : bucket.entries.toList();
    }

    /** Checks what must always hold; for the simulator and tests. */
    void check() {
        int sum = 0;
        int leaves = 0;
        for (int i = 0; i < Id.BITS; i++) {
            Bucket bucket = peek(i);
            if (bucket == null) continue;
            sum += bucket.entries.size();
            Invariant.check(bucket.entries.size() <= k, "a bucket has at most k contacts");
            Invariant.check(bucket.replacements.size() <= k, "a bucket has at most k replacements");
            for (int j = 0; j < bucket.entries.size(); j++) {
                Entry entry = bucket.entries.get(j);
                Invariant.check(self.sharedBits(entry.position) == i, "a contact stands in its bucket");
                if (entry.leaf) leaves++;
            }
        }
        Invariant.check(sum == size, "the table knows its size");
        Invariant.check(members == sum - leaves, "the table knows how many contacts are no leaves");
        Invariant.check(leaves == 0 || members == 0, "no leaf is a contact beside others");
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
        List<Address> addresses = contact.addresses();
        return addresses.isEmpty() || isDiverse(bucket, addresses.getFirst());
    }

    private static boolean isDiverse(Bucket bucket, Address address) {
        if (address.isLocal()) return true;
        int same = 0;
        for (int i = 0; i < bucket.entries.size(); i++) {
            List<Address> theirs = bucket.entries.get(i).contact.addresses();
            if (!theirs.isEmpty() && samePrefix(address, theirs.getFirst())) same++;
        }
        return same < PER_PREFIX;
    }

    private static boolean samePrefix(Address a, Address b) {
        if (a.isV4() != b.isV4()) return false;
        return a.isV4() ? (a.v4Bits() >>> 8) == (b.v4Bits() >>> 8) : (a.high() >>> 16) == (b.high() >>> 16);
    }
}
