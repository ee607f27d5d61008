package mcc.dht;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import mcc.core.Address;
import mcc.core.Id;
import mcc.wire.Contact;
import mcc.wire.Message;

/**
 * Keeps the node in the network: joins, and joins again when nobody answers any longer; fills the buckets; pings contacts that
 * were silent for long, and some of them sooner when all are silent; remembers nodes that answered, to join by them when no
 * contact is left.
 *
 * <pre>
 * outside: on an answered lookup of ourselves, with a contact left at its end -> inside
 * inside:  on the last contact lost                                            -> outside, {@link Dht.Output.Alone}
 * </pre>
 * While outside, it tries the bootstrap nodes and some of the nodes that it remembers, others each time, with pauses that grow
 * to a few seconds; and at once when something is heard, or when the addresses of this host change.
 */
final class Upkeep {
    private static final long FIRST_PAUSE_NS = DhtConfig.SECOND;
    /** The longest pause while a node is alone, and the longest after {@link #LONG_NS} of that. */
    private static final long PAUSE_NS = 5 * DhtConfig.SECOND;

    private static final long LONG_PAUSE_NS = 30 * DhtConfig.SECOND;
    private static final long LONG_NS = 10 * DhtConfig.MINUTE;
    private static final long SELF_NS = 10 * DhtConfig.MINUTE;
    private static final int CHECKS = 32;
    private static final int REFRESHING = 2;
    /** Contacts remembered. */
    private static final int SNAPSHOT = 200;
    /** Bootstrap nodes remembered, and of other contacts how many are tried at a time. */
    private static final int BOOTSTRAP = 16;
    /** Leaves remembered. */
    private static final int LEAVES = 64;
    /** How many of those that answered last are told that we have become a leaf, or none: they may have us for a contact. */
    private static final int TOLD = 64;
    /** How many neighbours are asked for the time of day after each look at the neighbourhood. */
    private static final int CLOCKS = 3;
    /** When nothing was heard for this long, a few contacts are pinged, and more for each that does not answer. */
    private static final long SILENCE_NS = 15 * DhtConfig.SECOND;

    private static final int SUSPECTS = 3;

    private final Shared shared;
    private final Calls calls;
    private final Lookups lookups;
    /** Nodes to join by; at most {@link #BOOTSTRAP}, the newest first. */
    private final List<Contact> bootstrap = new ArrayList<>();
    /** Nodes that answered, the most recent last; at most {@link #SNAPSHOT}. */
    private final IdList<Contact> remembered = new IdList<>(Contact::node);
    /** Leaves that answered, the most recent last: tried when nobody else is left. At most {@link #LEAVES}. */
    private final IdList<Contact> leaves = new IdList<>(Contact::node);
    /** Nodes that are still to hear whether we are a leaf; at most {@link #TOLD}. */
    private final ArrayDeque<Contact> untold = new ArrayDeque<>();
    /** Positions being checked; at most {@link #CHECKS}. */
    private final List<Id> checking = new ArrayList<>();
    /** Buckets still to be filled; at most one entry per bucket. */
    private final ArrayDeque<Integer> unfilled = new ArrayDeque<>();

    private int refreshing;
    private boolean joining;
    /** Whether another lookup of our neighbourhood is wanted after the present one. */
    private boolean again;

    private boolean joined;
    private boolean alone;
    private long aloneSinceNs;
    private long pauseNs = FIRST_PAUSE_NS;
    /** Counts planned attempts to join; only the latest is carried out. */
    private long attempt;

    private int tried;
    private long heardNs;
    private int suspect;
    private long selfAtNs;
    private long snapshotAtNs;
    private int hand;

    Upkeep(Shared shared, Calls calls, Lookups lookups) {
        this.shared = shared;
        this.calls = calls;
        this.lookups = lookups;
    }

    void start(List<Contact> bootstrap, List<Contact> snapshot, boolean meets) {
        bootstrap.forEach(this::addBootstrap);
        for (Contact contact : snapshot.reversed()) remember(contact, false);
        shared.agenda.add(shared.nowNs + shared.jittered(shared.config.maintainNs()), new Agenda.Task.Maintain());
        snapshotAtNs = shared.nowNs + SELF_NS;
        aloneSinceNs = shared.nowNs;
        heardNs = shared.nowNs;
        if (knowsAnybody()) {
            join();
            return;
        }
        if (meets) return;
        joined = true;
        shared.emit(new Dht.Output.Joined(List.of()));
    }

    private boolean knowsAnybody() {
        return !bootstrap.isEmpty() || remembered.size() > 0 || leaves.size() > 0;
    }

    private void addBootstrap(Contact contact) {
        if (contact.addresses().isEmpty() || contact.node().equals(shared.self)) return;
        // A node replaces an earlier one at the same address, which got a new key, and itself at another address.
        bootstrap.removeIf(
                old -> old.node().equals(contact.node()) || old.addresses().equals(contact.addresses()));
        bootstrap.addFirst(contact);
        if (bootstrap.size() > BOOTSTRAP) bootstrap.removeLast();
    }

    /** Something came from another node. */
    void heard() {
        heardNs = shared.nowNs;
    }

    /** This machine slept, or its clock was set: pings a few contacts, and asks what time it is. */
    void doubt() {
        heardNs = shared.nowNs - SILENCE_NS;
        silent();
    }

    /** A node did not answer: if all are silent, pings more of them, so that a node that is cut off soon knows it. */
    void silent() {
        if (shared.nowNs - heardNs < SILENCE_NS) return;
        List<Entry> all = shared.table.closest(shared.position, SNAPSHOT);
        for (int i = 0; i < Math.min(SUSPECTS, all.size()); i++) {
            Entry entry = all.get(suspect++ % all.size());
            check(entry.contact, entry.position);
        }
    }

    /** A node answered, and said whether it is a leaf. If its bucket is full, the oldest contact there may have to go. */
    void answered(Contact contact, Id position, long rttNs, boolean leaf) {
        heard();
        remember(contact, leaf);
        shared.table.heard(shared.nowNs, contact, position, rttNs, leaf);
        if (leaf || shared.table.find(position) != null) return;
        Entry oldest = shared.table.leastRecentlyHeard(shared.table.index(position));
        if (oldest != null && shared.nowNs - oldest.heardNs > shared.config.staleNs() / 2) {
            check(oldest.contact, oldest.position);
        }
    }

    private void remember(Contact contact, boolean leaf) {
        if (contact.addresses().isEmpty() || contact.node().equals(shared.self)) return;
        remembered.remove(contact.node());
        leaves.remove(contact.node());
        IdList<Contact> list = leaf ? leaves : remembered;
        if (list.size() == (leaf ? LEAVES : SNAPSHOT)) list.remove(0);
        list.add(contact);
    }

    /** Whether a node said last that it is a leaf; false where that is not known any longer. */
    boolean isLeaf(Id node) {
        return leaves.find(node) != null;
    }

    /** We have become a leaf, or none: those hear of it at once who may have us for a contact. */
    void tell() {
        untold.clear();
        List<Contact> all = remembered.toList().reversed();
        untold.addAll(all.subList(0, Math.min(TOLD, all.size())));
        tellSome();
    }

    private void tellSome() {
        while (!untold.isEmpty() && checking.size() < CHECKS / 2) {
            Contact contact = untold.remove();
            check(contact, shared.position(contact));
        }
    }

    /**
     * Takes nodes that were met after the start: to join by; or, if we are in a network already and one of them is unknown
     * there, to find the nodes that it knows.
     */
    void meet(List<Contact> contacts) {
        contacts.forEach(this::addBootstrap);
        if (!joined) {
            hurry();
            return;
        }
        List<Contact> strangers = strangers(contacts);
        if (strangers.isEmpty()) return;
        if (joining) again = true;
        else look(strangers);
    }

    /** Returns the contacts in none of our buckets: the network may have split, and they may be in another part of it. */
    private List<Contact> strangers(List<Contact> contacts) {
        List<Contact> out = new ArrayList<>(contacts);
        out.removeIf(each -> each.node().equals(shared.self) || shared.table.find(shared.position(each)) != null);
        return out;
    }

    /** The table has its first contact: joins by it at once, not when the pause is over. */
    void firstContact() {
        if (!joined) hurry();
    }

    /** Trying again may help now: ends the pause. */
    void hurry() {
        if (joined) return;
        pauseNs = FIRST_PAUSE_NS;
        again = true;
        if (!joining && knowsAnybody()) join();
    }

    /** The table has lost its last contact. */
    void lostAll() {
        joined = false;
        pauseNs = FIRST_PAUSE_NS;
        aloneSinceNs = shared.nowNs;
        tellAlone();
        joinLater(FIRST_PAUSE_NS);
    }

    private void tellAlone() {
        if (alone) return;
        alone = true;
        shared.emit(new Dht.Output.Alone());
    }

    boolean isJoined() {
        return joined;
    }

    private void joinLater(long pauseNs) {
        shared.agenda.add(shared.nowNs + shared.jittered(pauseNs), new Agenda.Task.Join(++attempt));
    }

    void join(Agenda.Task.Join task) {
        if (task.attempt() == attempt && !joined) join();
    }

    /**
     * Looks our own neighbourhood up, from all contacts and from the bootstrap nodes that are not among them; with few
     * contacts, also from nodes remembered.
     */
    private void join() {
        look(shared.table.size() < shared.config.k() ? seeds() : strangers(bootstrap));
    }

    private void look(List<Contact> seeds) {
        if (joining) return;
        joining = true;
        again = false;
        // Neighbours that join at the same time are found by a second lookup soon after the first.
        selfAtNs = shared.nowNs + shared.jittered(joined ? SELF_NS : shared.config.maintainNs());
        lookups.start(shared.position, new LookupGoal.Self(), seeds);
    }

    /** The bootstrap nodes, and a few of the nodes that we remember, others each time; leaves where nobody else is left. */
    private List<Contact> seeds() {
        List<Contact> out = new ArrayList<>(bootstrap);
        List<Contact> all = remembered.toList().reversed();
        int count = Math.min(BOOTSTRAP, all.size());
        for (int i = 0; i < count; i++) out.add(all.get(tried++ % all.size()));
        if (shared.table.size() == 0)
            out.addAll(leaves.toList().reversed().subList(0, Math.min(BOOTSTRAP, leaves.size())));
        return out;
    }

    /** The lookup of our neighbourhood has ended; returns whether we joined the network by it. */
    boolean found(Lookup lookup) {
        joining = false;
        List<Contact> neighbours = lookup.responded(shared.config.k());
        // Neighbours that answered and were lost since do not count: without a contact nothing else would try again.
        if (neighbours.isEmpty() || shared.table.size() == 0) {
            if (joined) return false;
            if (again) {
                joinLater(0);
                again = false;
                return false;
            }
            if (shared.table.size() == 0) tellAlone();
            joinLater(pauseNs);
            boolean isLong = shared.nowNs - aloneSinceNs > LONG_NS;
            pauseNs = Math.min(2 * pauseNs, isLong ? LONG_PAUSE_NS : PAUSE_NS);
            return false;
        }
        pauseNs = FIRST_PAUSE_NS;
        if (unfilled.isEmpty()) {
            for (int i = 0; i <= shared.table.deepest(); i++) {
                if (shared.table.size(i) < shared.config.k() / 2) unfilled.add(i);
            }
        }
        fill();
        askTheTime(neighbours);
        if (again)
            join(); // by nodes met meanwhile: otherwise nodes that met each other first would stay among themselves
        if (joined) return false;
        joined = true;
        alone = false;
        shared.emit(new Dht.Output.Joined(neighbours));
        return true;
    }

    private void askTheTime(List<Contact> neighbours) {
        for (Contact contact : neighbours.subList(0, Math.min(CLOCKS, neighbours.size()))) {
            check(contact, shared.position(contact));
        }
    }

    void refreshed() {
        refreshing--;
        fill();
    }

    private void fill() {
        while (refreshing < REFRESHING && !unfilled.isEmpty()) {
            int index = unfilled.remove();
            if (shared.table.size(index) >= shared.config.k() / 2) continue;
            // The lookup of our own position has shown that nobody is nearer than our nearest neighbours.
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

    /** A node sent us something: if the table has room for it, or another address of it, pings it to see whether it answers. */
    void consider(Id node, Address at, Id position) {
        if (!at.isUnicast()) return; // only relays reach it
        Entry known = shared.table.find(position);
        if (known != null && !known.contact.addresses().contains(at)) check(known.contact.heardAt(at), position);
        else if (known == null && shared.table.hasRoomFor(at, position))
            check(new Contact(node, List.of(at)), position);
    }

    /** Pings a node. */
    void check(Contact contact, Id position) {
        if (checking.size() >= CHECKS || checking.contains(position)) {
            shared.counters.add("dht.checksFull");
            return;
        }
        if (calls.ask(contact, position, new Message.Ping(), new Call.Use.Check())) checking.add(position);
    }

    void checked(Id position) {
        checking.remove(position);
        tellSome();
    }

    void maintain() {
        shared.agenda.add(shared.nowNs + shared.jittered(shared.config.maintainNs()), new Agenda.Task.Maintain());
        List<RecordStore.Gone> gone = new ArrayList<>();
        shared.store.expire(shared.nowNs, gone);
        gone.forEach(g -> shared.emit(new Dht.Output.Expired(g.key(), g.writer(), g.slot())));
        if (shared.table.size() == 0) return;
        if (shared.nowNs >= selfAtNs) join();
        silent();
        checkSilent();
        refreshOldest();
        if (shared.nowNs < snapshotAtNs) return;
        snapshotAtNs = shared.nowNs + SELF_NS;
        snapshot();
    }

    /**
     * Hands over our neighbours and other nodes that we remember; never an empty list, because the earlier one would be
     * better.
     */
    void snapshot() {
        LinkedHashMap<Id, Contact> out = new LinkedHashMap<>();
        for (Entry entry : shared.table.closest(shared.position, SNAPSHOT))
            out.put(entry.contact.node(), entry.contact);
        for (Contact contact : remembered.toList().reversed()) {
            if (out.size() < SNAPSHOT) out.putIfAbsent(contact.node(), contact);
        }
        if (!out.isEmpty()) shared.emit(new Dht.Output.Persist(List.copyOf(out.values())));
    }

    /** Pings the contact not heard for the longest time in each of the next two buckets where that contact is stale. */
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
