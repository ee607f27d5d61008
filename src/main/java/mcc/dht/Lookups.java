package mcc.dht;

import java.util.List;
import java.util.function.Consumer;
import mcc.core.Id;
import mcc.wire.Contact;
import mcc.wire.Message;
import mcc.wire.Provider;
import mcc.wire.Record;

/** The lookups under way, fed with answers and failures. */
final class Lookups {
    /** Most pages asked of one holder. */
    private static final int PAGES = 8;
    /** A lookup older than this asks for no further page, so that a holder that is slow with each page holds nobody up. */
    private static final long PAGES_NS = 3 * DhtConfig.SECOND;

    private final Shared shared;
    private final Calls calls;
    private final Consumer<Lookup> finished;
    /** How many are under way. */
    private int running;

    private long next;

    Lookups(Shared shared, Calls calls, Consumer<Lookup> finished) {
        this.shared = shared;
        this.calls = calls;
        this.finished = finished;
    }

    /** Begins a lookup from the nearest contacts of the table and from {@code seeds}; it may end before this returns. */
    void start(Id target, LookupGoal goal, List<Contact> seeds) {
        start(target, goal, seeds, _ -> {});
    }

    /** The same; {@code prepare} may add what is known locally. */
    void start(Id target, LookupGoal goal, List<Contact> seeds, Consumer<Lookup> prepare) {
        Lookup lookup = new Lookup(next++, target, goal, shared.config, shared.nowNs);
        prepare.accept(lookup);
        if (running >= shared.config.limits().lookups()) {
            shared.counters.add("dht.lookupsFull");
            finished.accept(lookup);
            return;
        }
        lookup.runs = true;
        running++;
        shared.counters.add("dht.lookups");
        shared.table.lookedUp(shared.nowNs, target);
        if (shared.countsContacts() || goal instanceof LookupGoal.Self) {
            for (Entry entry : shared.table.closest(target, shared.config.k()))
                lookup.add(entry.contact, entry.position);
        }
        for (Contact seed : seeds) {
            if (!seed.node().equals(shared.self) && !seed.addresses().isEmpty())
                lookup.add(seed, shared.position(seed));
        }
        advance(lookup);
    }

    int size() {
        return running;
    }

    private void advance(Lookup lookup) {
        while (lookup.runs) {
            Lookup.Peer peer = lookup.next();
            if (peer == null) break;
            lookup.asked(peer, shared.nowNs);
            Message request = lookup.goal instanceof LookupGoal.Values
                    ? new Message.FindValue(lookup.target, 0)
                    : new Message.FindNode(lookup.target);
            if (!calls.ask(peer.contact, peer.position, request, new Call.Use.Step(lookup, peer))) {
                lookup.failed(peer, shared.nowNs, true);
            }
        }
        if (!lookup.runs || !lookup.isDone()) return;
        lookup.runs = false;
        running--;
        // Requests to our own contacts go on, because they show whether the contacts still answer; other answers are no
        // longer needed.
        for (Lookup.Peer peer : lookup.waiting()) {
            if (shared.table.find(peer.position) == null) calls.giveUp(peer.call);
        }
        finished.accept(lookup);
    }

    void slow(Call.Use.Step step) {
        step.lookup().slow(step.peer());
        advance(step.lookup());
    }

    void failed(Call.Use.Step step, boolean unreachable) {
        step.lookup().failed(step.peer(), shared.nowNs, unreachable);
        advance(step.lookup());
    }

    void nodes(Call.Use.Step step, Message.Nodes nodes) {
        int news = learn(step.lookup(), nodes.contacts(), step.peer());
        step.lookup().answered(step.peer(), shared.nowNs, Trace.Result.CLOSER, news);
        advance(step.lookup());
    }

    void values(Call.Use.Step step, Message.Values values) {
        Lookup lookup = step.lookup();
        int news = learn(lookup, values.contacts(), step.peer());
        boolean has = collect(lookup, values, step.peer().contact.node());
        if (has) lookup.found.answered();
        lookup.answered(
                step.peer(),
                shared.nowNs,
                has ? Trace.Result.VALUES : Trace.Result.CLOSER,
                has ? values.records().size() : news);
        page(lookup, step.peer().contact, step.peer().position, values, 1);
        advance(lookup);
    }

    void page(Call.Use.Page use, Call call, Message.Values values) {
        collect(use.lookup(), values, call.to.node());
        use.lookup().pageEnded();
        page(use.lookup(), call.to, call.position, values, use.page() + 1);
        advance(use.lookup());
    }

    void pageFailed(Call.Use.Page use) {
        use.lookup().pageEnded();
        advance(use.lookup());
    }

    private void page(Lookup lookup, Contact to, Id position, Message.Values values, int page) {
        boolean more = values.cursor() != 0 && page < PAGES && lookup.found.wants(to.node());
        boolean late = shared.nowNs - lookup.startNs > PAGES_NS;
        if (!more || late || !lookup.runs) return;
        Message request = new Message.FindValue(lookup.target, values.cursor());
        if (calls.ask(to, position, request, new Call.Use.Page(lookup, page))) lookup.pageAsked();
    }

    /**
     * Adds the contacts that a peer named. A node in our own table keeps the addresses that we know; a node without any
     * address is left out.
     */
    private int learn(Lookup lookup, List<Contact> contacts, Lookup.Peer namer) {
        int news = 0;
        for (Contact contact : contacts) {
            if (contact.node().equals(shared.self)) continue;
            Id position = shared.position(contact);
            Entry own = shared.table.find(position);
            if (own == null && contact.addresses().isEmpty()) continue;
            if (lookup.add(own == null ? contact : own.contact, position, namer, own != null)) news++;
        }
        return news;
    }

    /** Adds the records whose key and signature are right; returns whether there was one. */
    private boolean collect(Lookup lookup, Message.Values values, Id holder) {
        boolean any = false;
        for (Message.Held held : values.records()) {
            Record record = held.record();
            if (wantsProviders(lookup) && !isProvider(record)) {
                shared.counters.add("dht.foundNoProvider");
                continue;
            }
            if (!record.content().key().equals(lookup.target) || !isSigned(lookup, record)) {
                shared.counters.add("dht.foundInvalid");
                continue;
            }
            any = true;
            long ageNs = Math.min(held.beatAgeMs(), mcc.wire.Limits.LEASE_MS) * DhtConfig.MS;
            lookup.found.add(record, shared.nowNs - ageNs, holder);
        }
        return any;
    }

    private static boolean wantsProviders(Lookup lookup) {
        return lookup.goal instanceof LookupGoal.Values goal && goal.providers();
    }

    /** Whether a record is a provider's, and was written by the node that it describes. */
    private static boolean isProvider(Record record) {
        Provider provider =
                Provider.parse(record.content().slot(), record.content().body());
        return provider != null && provider.node().equals(record.content().writer());
    }

    private boolean isSigned(Lookup lookup, Record record) {
        return lookup.found.has(record) || RecordStore.isSigned(record, shared.config.network(), shared.signing);
    }
}
