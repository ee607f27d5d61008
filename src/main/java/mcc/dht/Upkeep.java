package mcc.dht;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import mcc.core.Id;
import mcc.wire.Contact;
import mcc.wire.Message;

/**
 * Keeps the node in the network: joins, and joins again when nobody answers any longer; fills the buckets; asks contacts that
 * were silent for long whether they are there, and some of them soon when all are silent; remembers who answered, for the day
 * when nobody does.
 *
 * <pre>
 * outside: on an answered lookup of ourselves -> inside
 * inside:  on the last contact lost           -> outside, {@link Dht.Output.Alone}
 * </pre>
 * Outside it knocks at the bootstrap nodes and at some of those it remembers, others each time, with pauses that grow to a few
 * seconds; at once when something is heard, or when the addresses of this host change.
 */
final class Upkeep {
    private static final long FIRST_PAUSE_NS = Config.SECOND;
    /** Longest pause while a node is alone, and after {@link #LONG_NS} of it. */
    private static final long PAUSE_NS = 5 * Config.SECOND;

    private static final long LONG_PAUSE_NS = 30 * Config.SECOND;
    private static final long LONG_NS = 10 * Config.MINUTE;
    private static final long SELF_NS = 10 * Config.MINUTE;
    private static final int CHECKS = 32;
    private static final int REFRESHING = 2;
    /** Contacts remembered. */
    private static final int SNAPSHOT = 200;
    /** Bootstrap nodes remembered, and of other contacts how many are tried at a time. */
    private static final int BOOTSTRAP = 16;
    /** How many neighbours are asked for the time of day after each look at the neighbourhood. */
    private static final int CLOCKS = 3;
    /** Where nothing was heard for so long, a few contacts are asked whether they are there, and more for each silent one. */
    private static final long SILENCE_NS = 15 * Config.SECOND;

    private static final int SUSPECTS = 3;

    private final Shared shared;
    private final Calls calls;
    private final Lookups lookups;
    /** By whom to join; at most {@link #BOOTSTRAP}, the last one told of first. */
    private final List<Contact> bootstrap = new ArrayList<>();
    /** Who answered, the last one last; at most {@link #SNAPSHOT}. */
    private final LinkedHashMap<Id, Contact> remembered = new LinkedHashMap<>();
    /** Positions being checked; at most {@link #CHECKS}. */
    private final List<Id> checking = new ArrayList<>();
    /** Buckets still to be filled; at most one entry per bucket. */
    private final ArrayDeque<Integer> unfilled = new ArrayDeque<>();

    private int refreshing;
    private boolean joining;
    /** Whether another look is wanted when the present one has ended. */
    private boolean again;

    private boolean joined;
    private boolean alone;
    private long aloneSinceNs;
    private long pauseNs = FIRST_PAUSE_NS;
    /** Counts planned attempts to join; an earlier one is void. */
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
        for (Contact contact : snapshot.reversed()) remember(contact);
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
        return !bootstrap.isEmpty() || !remembered.isEmpty();
    }

    private void addBootstrap(Contact contact) {
        if (contact.addresses().isEmpty() || contact.node().equals(shared.self)) return;
        // Whoever is there now is there instead of who was: a node that was made anew, or a name that moved.
        bootstrap.removeIf(
                old -> old.node().equals(contact.node()) || old.addresses().equals(contact.addresses()));
        bootstrap.addFirst(contact);
        if (bootstrap.size() > BOOTSTRAP) bootstrap.removeLast();
    }

    /** Something came from another node. */
    void heard() {
        heardNs = shared.nowNs;
    }

    /** This machine slept, or its clock was set: asks a few contacts whether they are there, and what time it is. */
    void doubt() {
        heardNs = shared.nowNs - SILENCE_NS;
        silent();
    }

    /** A node did not answer: if all are silent, asks more of them, so that a node that is cut off knows it soon. */
    void silent() {
        if (shared.nowNs - heardNs < SILENCE_NS) return;
        List<Entry> all = shared.table.closest(shared.position, SNAPSHOT);
        for (int i = 0; i < Math.min(SUSPECTS, all.size()); i++) {
            Entry entry = all.get(suspect++ % all.size());
            check(entry.contact, entry.position);
        }
    }

    /** A node answered. */
    void remember(Contact contact) {
        if (contact.addresses().isEmpty() || contact.node().equals(shared.self)) return;
        remembered.remove(contact.node());
        if (remembered.size() == SNAPSHOT) remembered.pollFirstEntry();
        remembered.put(contact.node(), contact);
    }

    /**
     * Takes up nodes that were met after the start: to join by, or, where one of them is a stranger though we are in a
     * network, to find whom it knows.
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

    /** Those that are in none of our buckets: they may be in another part of the network, or in another network by now. */
    private List<Contact> strangers(List<Contact> contacts) {
        List<Contact> out = new ArrayList<>(contacts);
        out.removeIf(each -> each.node().equals(shared.self) || shared.table.find(shared.position(each)) != null);
        return out;
    }

    /** The table has its first contact: join by it at once, not when the pause is over. */
    void firstContact() {
        if (!joined) hurry();
    }

    /** Something says that trying again may help now. */
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

    /** Looks for our own neighbourhood from all contacts there are, and bootstrap nodes of whom nobody has told us. */
    private void join() {
        look(shared.table.size() < shared.config.k() ? seeds() : strangers(bootstrap));
    }

    private void look(List<Contact> seeds) {
        if (joining) return;
        joining = true;
        again = false;
        // Neighbours that join while we do are found by a second look soon after the first.
        selfAtNs = shared.nowNs + shared.jittered(joined ? SELF_NS : shared.config.maintainNs());
        lookups.start(shared.position, new LookupGoal.Self(), seeds);
    }

    /** The bootstrap nodes, and of those we remember a few, others each time. */
    private List<Contact> seeds() {
        List<Contact> out = new ArrayList<>(bootstrap);
        List<Contact> all = List.copyOf(remembered.sequencedValues().reversed());
        int count = Math.min(BOOTSTRAP, all.size());
        for (int i = 0; i < count; i++) out.add(all.get(tried++ % all.size()));
        return out;
    }

    /** The lookup for our neighbourhood has ended; returns whether we are in the network as of now. */
    boolean found(Lookup lookup) {
        joining = false;
        List<Contact> neighbours = lookup.responded(shared.config.k());
        if (neighbours.isEmpty()) {
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
            join(); // by whom was met meanwhile: without it, those who met each other first stay among themselves
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
        if (shared.table.size() == 0) return;
        if (shared.nowNs >= selfAtNs) join();
        silent();
        checkSilent();
        refreshOldest();
        if (shared.nowNs < snapshotAtNs) return;
        snapshotAtNs = shared.nowNs + SELF_NS;
        snapshot();
    }

    /** Hands over our neighbours and whom else we remember: never nobody, which would be no better than what was told before. */
    void snapshot() {
        LinkedHashMap<Id, Contact> out = new LinkedHashMap<>();
        for (Entry entry : shared.table.closest(shared.position, SNAPSHOT))
            out.put(entry.contact.node(), entry.contact);
        for (Contact contact : remembered.sequencedValues().reversed()) {
            if (out.size() < SNAPSHOT) out.putIfAbsent(contact.node(), contact);
        }
        if (!out.isEmpty()) shared.emit(new Dht.Output.Persist(List.copyOf(out.values())));
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
