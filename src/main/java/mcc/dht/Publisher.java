package mcc.dht;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Set;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.Id;
import mcc.core.Invariant;
import mcc.wire.Contact;
import mcc.wire.Message;
import mcc.wire.Record;

/**
 * Keeps records of our own in the network: stores them at the k nearest nodes, and again after half of their lease; for live
 * ones sends heartbeats to the nearest holders, three in the time for which one counts; withdraws them by a newer version with
 * a lease of 0.
 */
final class Publisher {
    /** The address from which our own records count as stored. */
    private static final Address OWN = Address.v4(0x7f000001, 0);

    private static final int ATTEMPTS = 2;
    private static final int WITHDRAW_ATTEMPTS = 4;
    private static final long RETRY_NS = 5 * DhtConfig.SECOND;
    /** Lookups for holders at a time: the rest of {@link DhtConfig.Limits#lookups} is for lookups that somebody waits for. */
    private static final int LOOKING = 64;
    /** How far above the wall clock a holder's version number may be, in milliseconds: no node's clock is off by more. */
    private static final long PLAUSIBLE_MS = 24 * 3_600_000L;
    /** How often one placement is repeated with a higher number. */
    private static final int RENUMBERINGS = 3;
    /** How many holders must report that another node publishes with our key. */
    private static final int TWIN_WITNESSES = 2;

    private static final long TWIN_PAUSE_NS = DhtConfig.MINUTE;

    private final Shared shared;
    private final Calls calls;
    private final Lookups lookups;
    private final LinkedHashMap<Place, Publication> all = new LinkedHashMap<>();
    /** Publications that wait for one of the {@link #LOOKING} lookups for holders; each at most once. */
    private final ArrayDeque<Publication> queued = new ArrayDeque<>();

    private int looking;
    private boolean starting;
    private int thin;
    private long twinToldNs = Long.MIN_VALUE;

    Publisher(Shared shared, Calls calls, Lookups lookups) {
        this.shared = shared;
        this.calls = calls;
        this.lookups = lookups;
    }

    void put(Dht.Input.Put put) {
        var name = new Place(put.key(), put.slot());
        Publication publication = all.get(name);
        if (publication == null) {
            if (all.size() >= shared.config.limits().publications()) {
                shared.counters.add("dht.publicationsFull");
                shared.emit(new Dht.Output.Stored(put.ticket(), 0, 0));
                return;
            }
            publication = new Publication(name, put.body(), put.leaseMs(), put.live());
            all.put(name, publication);
        }
        settle(publication);
        publication.body = put.body();
        publication.leaseMs = put.leaseMs();
        publication.live = put.live();
        publication.withdrawn = false;
        publication.ticket = put.ticket();
        place(publication);
    }

    void remove(Dht.Input.Remove remove) {
        Publication publication = all.get(new Place(remove.key(), remove.slot()));
        if (publication == null || publication.withdrawn) {
            shared.emit(new Dht.Output.Stored(remove.ticket(), 0, 0));
            return;
        }
        settle(publication);
        publication.ticket = remove.ticket();
        withdraw(publication);
    }

    private void withdraw(Publication publication) {
        publication.withdrawn = true;
        publication.body = Bytes.EMPTY;
        issue(publication);
        if (!publication.looking) send(publication, List.copyOf(publication.targets.values()));
    }

    /** Withdraws all that is not among {@code places}. */
    void retain(List<Place> places) {
        Set<Place> kept = new HashSet<>(places); // looked up, never iterated
        for (Publication publication : List.copyOf(all.values())) {
            if (publication.withdrawn || kept.contains(publication.name)) continue;
            settle(publication);
            withdraw(publication);
        }
    }

    /** Answers whoever still waits for an earlier version. */
    private void settle(Publication publication) {
        Ticket ticket = publication.ticket;
        publication.ticket = null;
        if (ticket != null) shared.emit(new Dht.Output.Stored(ticket, publication.kept, publication.asked));
    }

    /** Adds our own records under {@code key} to what a lookup finds; returns whether there is one. */
    boolean collect(Id key, FoundRecords found) {
        boolean any = false;
        for (Publication publication : all.values()) {
            Record record = publication.record;
            if (record == null
                    || publication.withdrawn
                    || !publication.name.key().equals(key)) continue;
            found.add(record, shared.nowNs, shared.self);
            any = true;
        }
        return any;
    }

    /** Places the records again that nobody holds: there may be holders now. */
    void joined() {
        for (Publication publication : List.copyOf(all.values())) {
            if (publication.holders.isEmpty() && !publication.looking && !publication.placing) place(publication);
        }
    }

    int size() {
        return all.size();
    }

    private void place(Publication publication) {
        publication.renumberings = 0;
        issue(publication);
        if (publication.looking) return;
        publication.looking = true;
        queued.add(publication);
        lookForHolders();
    }

    private void lookForHolders() {
        if (starting) return; // a lookup that ends at once calls this again
        starting = true;
        while (looking < LOOKING && !queued.isEmpty()) {
            Publication publication = queued.remove();
            looking++;
            lookups.start(publication.name.key(), new LookupGoal.Place(publication), List.of());
        }
        starting = false;
    }

    /**
     * Signs the next version. Its {@code seq} is the wall clock in milliseconds, so that nothing need be stored for a restart.
     * It is at least one more than before, and one more than holders know, in case the clock was set back or was ahead in an
     * earlier run.
     */
    private void issue(Publication publication) {
        publication.round++;
        publication.lost = 0;
        publication.placing = false;
        publication.open = 0;
        Record old = publication.record;
        long epochMs = Math.max(0, shared.epochMs());
        long seq = Math.max(epochMs, publication.known + 1);
        if (old != null) seq = Math.max(seq, old.content().seq() + 1);
        long leaseMs =
                publication.withdrawn ? 0 : publication.live ? shared.config.storeLeaseMs() : publication.leaseMs;
        long beatMs = publication.live && !publication.withdrawn ? publication.leaseMs : 0;
        var name = publication.name;
        var content = new Record.Content(
                name.key(), shared.self, name.slot(), seq, epochMs, leaseMs, beatMs, Bytes.EMPTY, publication.body);
        publication.record = Record.sign(content, shared.config.network(), shared.signing::sign);
    }

    /** The lookup for holders has ended. */
    void found(Publication publication, Lookup lookup) {
        publication.looking = false;
        looking--;
        lookForHolders();
        if (all.get(publication.name) != publication) return;
        List<Contact> nearest = new ArrayList<>(lookup.standing(shared.config.k(), shared.leaf && !shared.isGuest()));
        if (publication.withdrawn) {
            for (Contact contact : publication.targets.values()) {
                if (!nearest.contains(contact)) nearest.add(contact);
            }
        }
        send(publication, nearest);
    }

    private void send(Publication publication, List<Contact> nearest) {
        Record record = current(publication);
        publication.kept = 0;
        publication.asked = 0;
        publication.placing = true;
        if (isHolder(publication, nearest)) {
            publication.asked++;
            Message.Verdict verdict = shared.store.store(shared.nowNs, shared.epochMs(), OWN, record);
            if (verdict == Message.Verdict.KEPT) publication.kept++;
        }
        if (!publication.withdrawn) publication.targets.clear();
        publication.holders.clear();
        for (Contact contact : nearest) {
            publication.asked++;
            publication.targets.put(shared.position(contact), contact);
            store(publication, contact, shared.position(contact), 1);
        }
        if (publication.open == 0) placed(publication);
        else if (publication.live && !publication.withdrawn) renewLater(publication);
    }

    /** We keep a copy ourselves when we are among the k nearest; a withdrawal always reaches our own store. */
    private boolean isHolder(Publication publication, List<Contact> nearest) {
        if (publication.withdrawn) return true;
        if (shared.isGuest()) return false;
        if (nearest.size() < shared.config.k()) return true;
        Id farthest = shared.position(nearest.getLast());
        return publication.name.key().compareDistance(shared.position, farthest) < 0;
    }

    private static Record current(Publication publication) {
        Record record = publication.record;
        Invariant.check(record != null, "a publication is signed before it is sent");
        return java.util.Objects.requireNonNull(record);
    }

    private void store(Publication publication, Contact to, Id position, int attempt) {
        var use = new Call.Use.Place(publication, publication.round, attempt);
        if (calls.ask(to, position, new Message.Store(current(publication)), use)) publication.open++;
    }

    void stored(Call.Use.Place use, Call call, Message.Stored answer) {
        Publication publication = use.publication();
        if (use.round() != publication.round) {
            if (answer.verdict() == Message.Verdict.OLD) accuse(publication, call.position, answer.newest());
            return;
        }
        publication.open--;
        switch (answer.verdict()) {
            case KEPT -> {
                publication.kept++;
                if (!publication.withdrawn) publication.holders.put(call.position, call.to);
            }
            case OLD -> {
                if (overtaken(publication, call.position, answer.newest())) return;
            }
            case INVALID, FULL -> {}
        }
        if (publication.open == 0 && publication.placing) placed(publication);
    }

    /** A holder knows a higher number than we do: publishes above it at once, to the same nodes. */
    private boolean overtaken(Publication publication, Id holder, long newest) {
        long seq = current(publication).content().seq();
        // A holder of version 1 does not say which number it knows. It accepted that number and ours by the same clock,
        // so the two are at most twice the slack apart.
        long known = newest == 0 ? shared.epochMs() + 2 * RecordStore.ISSUED_SLACK_MS : newest;
        if (known < seq || known - shared.epochMs() > PLAUSIBLE_MS) {
            shared.counters.add("dht.newestImplausible");
            return false;
        }
        publication.own = seq;
        publication.known = known;
        accuse(publication, holder, known);
        if (publication.renumberings++ >= RENUMBERINGS) return false;
        shared.counters.add("dht.renumbered");
        issue(publication);
        shared.emit(new Dht.Output.Renumbered(
                publication.name.key(), current(publication).content().seq()));
        send(publication, List.copyOf(publication.targets.values()));
        return true;
    }

    /**
     * Notes a holder with a higher number. Once enough holders took our numbers since the start, a higher one cannot be from
     * an earlier run of this node, so another node has our key.
     */
    private void accuse(Publication publication, Id holder, long newest) {
        boolean foreign = newest > publication.own && newest <= publication.known;
        if (!publication.established || !foreign) return;
        publication.accusers.add(holder);
        if (publication.accusers.size() < Math.min(TWIN_WITNESSES, shared.members())) return;
        publication.accusers.clear();
        if (twinToldNs != Long.MIN_VALUE && shared.nowNs - twinToldNs < TWIN_PAUSE_NS) return;
        twinToldNs = shared.nowNs;
        shared.emit(new Dht.Output.Twin());
    }

    void storeFailed(Call.Use.Place use, Call call, boolean unreachable) {
        Publication publication = use.publication();
        if (use.round() != publication.round) return;
        publication.open--;
        int attempts = publication.withdrawn ? WITHDRAW_ATTEMPTS : ATTEMPTS;
        if (!unreachable && use.attempt() < attempts) store(publication, call.to, call.position, use.attempt() + 1);
        if (publication.open == 0 && publication.placing) placed(publication);
    }

    private void placed(Publication publication) {
        publication.placing = false;
        settle(publication);
        if (publication.withdrawn) {
            all.remove(publication.name, publication);
            thin(publication, false);
            return;
        }
        boolean enough = publication.holders.size() >= Math.min(shared.config.nearest(), shared.members());
        thin(publication, !enough);
        if (enough && !publication.holders.isEmpty()) publication.established = true;
        long leaseMs = current(publication).content().leaseMs();
        long inNs = enough && !publication.holders.isEmpty() ? leaseMs * DhtConfig.MS / 2 : RETRY_NS;
        shared.agenda.add(
                shared.nowNs + shared.jittered(inNs), new Agenda.Task.Republish(publication, publication.round));
    }

    private void thin(Publication publication, boolean isThin) {
        if (publication.thin == isThin) return;
        publication.thin = isThin;
        thin += isThin ? 1 : -1;
        shared.emit(new Dht.Output.Thin(thin));
    }

    void republish(Agenda.Task.Republish task) {
        Publication publication = task.publication();
        boolean present = all.get(publication.name) == publication && !publication.withdrawn;
        if (present && task.round() == publication.round) place(publication);
    }

    private void renewLater(Publication publication) {
        long inNs = publication.leaseMs * DhtConfig.MS / 3;
        shared.agenda.add(shared.nowNs + shared.jittered(inNs), new Agenda.Task.Renew(publication, publication.round));
    }

    void renew(Agenda.Task.Renew task) {
        Publication publication = task.publication();
        boolean present = all.get(publication.name) == publication && !publication.withdrawn;
        if (!present || task.round() != publication.round) return;
        renewLater(publication);
        Record.Content content = current(publication).content();
        var beat = new Message.Beat(content.key(), content.slot(), content.seq());
        shared.store.renew(shared.nowNs, shared.self, beat);
        int sent = 0;
        for (var holder : publication.holders.entrySet()) {
            if (sent++ == shared.config.renewedHolders()) break;
            calls.ask(holder.getValue(), holder.getKey(), beat, new Call.Use.Renew(publication, publication.round));
        }
        boolean settled = !publication.placing && !publication.looking;
        // If no holder is left, none can answer.
        boolean alone = publication.holders.isEmpty() && shared.members() > 0;
        if (settled && (alone || isOvertaken(publication))) place(publication);
    }

    /**
     * Whether one of the nearest nodes in the table was never sent the record: readers ask the nearest, so the record must
     * move.
     */
    private boolean isOvertaken(Publication publication) {
        if (!shared.countsContacts()) return false;
        int count = shared.config.renewedHolders();
        for (Entry entry : shared.table.closest(publication.name.key(), count)) {
            if (!publication.targets.containsKey(entry.position)) return true;
        }
        return false;
    }

    void renewed(Call.Use.Renew use, Call call, boolean known, boolean leaf) {
        Publication publication = use.publication();
        if (use.round() != publication.round || publication.withdrawn) return;
        if (!known && leaf && shared.table.members() > 0) { // it has become a leaf, and keeps nothing any longer
            publication.lose(call.position);
            replace(publication);
            return;
        }
        publication.heard(call.position);
        // A node that was cut off gave up its nearest holders one by one, and heartbeats would go where no reader asks.
        // After the machine slept, or its clock was set, no holder accepts the record's time of issue any longer.
        boolean astray = publication.lost >= shared.config.renewedHolders() / 2;
        long ageMs = Math.abs(shared.epochMs() - current(publication).content().issuedAtMs());
        boolean outdated = !known && ageMs > RecordStore.ISSUED_SLACK_MS * 3 / 4;
        if (astray || outdated) {
            if (!publication.placing && !publication.looking) place(publication);
        } else if (!known) {
            store(publication, call.to, call.position, ATTEMPTS);
        }
    }

    void renewalFailed(Call.Use.Renew use, Call call) {
        Publication publication = use.publication();
        if (use.round() != publication.round || publication.withdrawn) return;
        if (publication.missed(call.position)) replace(publication);
    }

    /** A holder is lost: places the record again if too few are left. */
    private void replace(Publication publication) {
        boolean few = publication.holders.size() < Math.min(shared.config.renewedHolders(), shared.members());
        if (few && !publication.placing && !publication.looking) place(publication);
    }
}
