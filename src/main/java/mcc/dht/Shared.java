package mcc.dht;

import java.util.ArrayDeque;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.wire.Contact;

/** What all parts of one {@link Dht} have in common: its parameters, table, agenda, clock and the queue of its outputs. */
final class Shared {
    final DhtConfig config;
    final Id self;
    final Id position;
    final Signing signing;
    final Rng rng;
    final Counters counters;
    final RoutingTable table;
    final RecordStore store;
    final Rtts rtts;
    final Agenda agenda = new Agenda();
    final ArrayDeque<Dht.Output> outputs = new ArrayDeque<>();
    long nowNs;
    /** Whether strangers do not reach this node. */
    boolean leaf;

    private long epochMs;
    private long epochAtNs;

    Shared(DhtConfig config, Id self, Signing signing, Rng rng, Counters counters) {
        this.config = config;
        this.self = self;
        this.signing = signing;
        this.rng = rng;
        this.counters = counters;
        position = signing.position(self);
        table = new RoutingTable(position, config.k(), counters);
        store = new RecordStore(config, position, signing, rng.split(), counters);
        rtts = new Rtts(config.minTimeoutNs(), config.maxTimeoutNs());
    }

    void emit(Dht.Output output) {
        outputs.add(output);
    }

    void clock(long epochMs) {
        this.epochMs = epochMs;
        epochAtNs = nowNs;
    }

    /** The wall clock; 0 before it was told. */
    long epochMs() {
        return epochMs == 0 ? 0 : epochMs + (nowNs - epochAtNs) / DhtConfig.MS;
    }

    Id position(Contact contact) {
        return signing.position(contact.node());
    }

    /**
     * Whether this node takes part in the DHT only by asking: it is a leaf and knows nodes that are none. Leaves that know only
     * leaves keep records for each other.
     */
    boolean isGuest() {
        return leaf && table.members() > 0;
    }

    /** Whether its contacts are those that keep records: a node that is no leaf has leaves for contacts only to stay in touch. */
    boolean countsContacts() {
        return leaf || table.members() > 0;
    }

    /** Returns how many contacts may keep records. */
    int members() {
        return countsContacts() ? table.size() : 0;
    }

    /** Returns {@code ns} give or take a tenth. */
    long jittered(long ns) {
        return ns - ns / 10 + rng.below(ns / 5 + 1);
    }
}
