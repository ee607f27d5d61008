package mcc.dht;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import mcc.core.Id;
import mcc.wire.Contact;
import mcc.wire.Message;

/**
 * Keeps the node in the network: joins, with growing pauses where nobody answers; fills the buckets; asks contacts that were
 * silent for long whether they are there.
 */
final class Upkeep {
    private static final long FIRST_PAUSE_NS = Config.SECOND;
    private static final long LAST_PAUSE_NS = 60 * Config.SECOND;
    private static final long SELF_NS = 10 * Config.MINUTE;
    private static final int CHECKS = 32;
    private static final int REFRESHING = 2;
    private static final int SNAPSHOT = 200;

    private final Shared shared;
    private final Calls calls;
    private final Lookups lookups;
    private final List<Contact> known = new ArrayList<>();
    /** Positions being checked; at most {@link #CHECKS}. */
    private final List<Id> checking = new ArrayList<>();
    /** Buckets still to be filled; at most one entry per bucket. */
    private final ArrayDeque<Integer> unfilled = new ArrayDeque<>();

    private int refreshing;
    private boolean joining;
    private boolean joined;
    private long pauseNs = FIRST_PAUSE_NS;
    private long selfAtNs;
    private long snapshotAtNs;
    private int hand;

    Upkeep(Shared shared, Calls calls, Lookups lookups) {
        this.shared = shared;
        this.calls = calls;
        this.lookups = lookups;
    }

    void start(List<Contact> bootstrap, List<Contact> snapshot, boolean meets) {
        known.addAll(bootstrap.subList(0, Math.min(bootstrap.size(), SNAPSHOT)));
        known.addAll(snapshot.subList(0, Math.min(snapshot.size(), SNAPSHOT)));
        shared.agenda.add(shared.nowNs + shared.jittered(shared.config.maintainNs()), new Agenda.Task.Maintain());
        snapshotAtNs = shared.nowNs + SELF_NS;
        if (!known.isEmpty()) {
            join();
            return;
        }
        if (meets) return;
        joined = true;
        shared.emit(new Dht.Output.Joined(List.of()));
    }

    /** Joins by nodes that were met after the start; who has no contact is not in the network, whatever it thought. */
    void meet(List<Contact> contacts) {
        for (Contact contact : contacts) {
            known.removeIf(old -> old.node().equals(contact.node()));
            known.addFirst(contact);
            if (known.size() > SNAPSHOT) known.removeLast();
        }
        if (shared.table.size() == 0) joined = false;
        join();
    }

    /** Somebody found us before we found anybody: join by them at once, not when the pause is over. */
    void firstContact() {
        if (!joined) join();
    }

    boolean isJoined() {
        return joined;
    }

    /** Looks for our own neighbourhood from all contacts there are. */
    void join() {
        if (joining) return;
        joining = true;
        // Neighbours that join while we do are found by a second look soon after the first.
        selfAtNs = shared.nowNs + shared.jittered(joined ? SELF_NS : shared.config.maintainNs());
        lookups.start(
                shared.position, new LookupGoal.Self(), shared.table.size() < shared.config.k() ? known : List.of());
    }

    /** The lookup for our neighbourhood has ended; returns whether we are in the network as of now. */
    boolean found(Lookup lookup) {
        joining = false;
        List<Contact> neighbours = lookup.responded(shared.config.k());
        if (neighbours.isEmpty()) {
            if (!known.isEmpty()) shared.agenda.add(shared.nowNs + shared.jittered(pauseNs), new Agenda.Task.Join());
            pauseNs = Math.min(2 * pauseNs, LAST_PAUSE_NS);
            return false;
        }
        pauseNs = FIRST_PAUSE_NS;
        if (unfilled.isEmpty()) {
            for (int i = 0; i <= shared.table.deepest(); i++) {
                if (shared.table.size(i) < shared.config.k() / 2) unfilled.add(i);
            }
        }
        fill();
        if (joined) return false;
        joined = true;
        shared.emit(new Dht.Output.Joined(neighbours));
        return true;
    }

    void refreshed() {
        refreshing--;
        fill();
    }

    private void fill() {
        while (refreshing < REFRESHING && !unfilled.isEmpty()) {
            int index = unfilled.remove();
            if (shared.table.size(index) >= shared.config.k() / 2) continue;
            // Deeper than our nearest neighbours there is nobody; a lookup of ourselves has shown that.
            if (index > 0 && shared.table.size(index) > 0 && isSparse(index)) continue;
            refresh(index);
        }
    }

    private boolean isSparse(int index) {
        int deeper = 0;
        for (int i = index; i <= shared.table.deepest(); i++) deeper += shared.table.size(i);
        return deeper <= shared.config.k();
    }

    private void refresh(int index) {
        refreshing++;
        lookups.start(inBucket(index), new LookupGoal.Refresh(), List.of());
    }

    /** Returns a random position that shares exactly {@code index} leading bits with ours. */
    private Id inBucket(int index) {
        byte[] own = shared.position.toBytes();
        byte[] out = shared.rng.bytes(Id.BYTES);
        for (int bit = 0; bit <= index; bit++) {
            int mask = 0x80 >>> (bit & 7);
            boolean set = ((own[bit >>> 3] & mask) != 0) != (bit == index);
            if (set) out[bit >>> 3] |= (byte) mask;
            else out[bit >>> 3] &= (byte) ~mask;
        }
        return Id.of(out);
    }

    /** A node was heard of from itself: if it has a place in the table, ask it whether it answers, too. */
    void consider(Contact contact) {
        Id position = shared.position(contact);
        if (shared.table.hasRoomFor(contact, position)) check(contact, position);
    }

    /** Asks a node whether it is there. */
    void check(Contact contact, Id position) {
        if (checking.size() >= CHECKS || checking.contains(position)) {
            shared.counters.add("dht.checksFull");
            return;
        }
        if (calls.ask(contact, position, new Message.Ping(), new Call.Use.Check())) checking.add(position);
    }

    void checked(Id position) {
        checking.remove(position);
    }

    void maintain() {
        shared.agenda.add(shared.nowNs + shared.jittered(shared.config.maintainNs()), new Agenda.Task.Maintain());
        List<RecordStore.Gone> gone = new ArrayList<>();
        shared.store.expire(shared.nowNs, gone);
        gone.forEach(g -> shared.emit(new Dht.Output.Expired(g.key(), g.writer(), g.slot())));
        if (shared.table.size() == 0 && known.isEmpty()) return;
        if (shared.nowNs >= selfAtNs) join();
        checkSilent();
        refreshOldest();
        if (shared.nowNs < snapshotAtNs) return;
        snapshotAtNs = shared.nowNs + SELF_NS;
        snapshot();
    }

    void snapshot() {
        List<Contact> out = new ArrayList<>();
        for (Entry entry : shared.table.closest(shared.position, SNAPSHOT)) out.add(entry.contact);
        shared.emit(new Dht.Output.Persist(List.copyOf(out)));
    }

    /** The contact not heard for longest in the next two buckets. */
    private void checkSilent() {
        int count = shared.table.deepest() + 1;
        int checks = 0;
        for (int i = 0; i < count && checks < 2; i++) {
            hand = hand + 1 >= count ? 0 : hand + 1;
            Entry entry = shared.table.leastRecentlyHeard(hand);
            if (entry == null || shared.nowNs - entry.heardNs < shared.config.staleNs()) continue;
            check(entry.contact, entry.position);
            checks++;
        }
    }

    private void refreshOldest() {
        if (refreshing > 0) return;
        for (int i = 0; i <= shared.table.deepest(); i++) {
            long lookedUpNs = shared.table.lookedUpNs(i);
            if (shared.table.size(i) == 0 || isSparse(i) || lookedUpNs > shared.nowNs - shared.config.refreshNs())
                continue;
            refresh(i);
            return;
        }
    }
}
