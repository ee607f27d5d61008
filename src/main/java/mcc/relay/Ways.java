package mcc.relay;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import mcc.core.Address;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.wire.Contact;
import mcc.wire.Limits;
import mcc.wire.Message;
import mcc.wire.Message.Relaying;
import org.jspecify.annotations.Nullable;

/**
 * Circuits to nodes that this one does not reach: asks their relays for one, all of them at once, and where such a relay does not
 * answer either, a relay of its own for a way through both.
 *
 * <p>Limit: {@link #ASKED_MAX} requests; a relay is asked for a way to the same node once in {@link #AGAIN_NS}.
 */
final class Ways {
    /** Requests under way or made lately. */
    static final int ASKED_MAX = 512;
    /** How soon the same is asked again. */
    static final long AGAIN_NS = 1_000_000_000L;
    /** How long an answer is awaited before a way through two relays is asked for. */
    static final long PATIENCE_NS = 2_000_000_000L;

    private record Asked(Id node, Contact relay, List<Contact> via, long sinceNs) {}

    private final Id self;
    private final Rng rng;
    private final Counters counters;
    private final Consumer<Relay.Output> out;
    private final Shelter shelter;
    /** By call number, oldest first. */
    private final Map<Long, Asked> asked = new LinkedHashMap<>();

    Ways(Id self, Rng rng, Counters counters, Consumer<Relay.Output> out, Shelter shelter) {
        this.self = self;
        this.rng = rng;
        this.counters = counters;
        this.out = out;
        this.shelter = shelter;
    }

    /**
     * Asks for a circuit to a node.
     *
     * @param addresses where a relay of this node may reach it, if this node has nothing but a carrier
     */
    void wanted(long nowNs, Id node, List<Contact> relays, List<Address> addresses) {
        List<Contact> carried = shelter.carried(nowNs);
        if (!carried.isEmpty()) {
            for (Contact own : carried) wantedBy(nowNs, own, node, relays, addresses);
            return;
        }
        for (Contact relay : relays) {
            if (!relay.node().equals(self) && !relay.node().equals(node)) ask(nowNs, node, relay, List.of());
        }
    }

    /** Nothing of UDP leaves this host: only a relay that has a carrier can be asked, for the node itself and for its relays. */
    private void wantedBy(long nowNs, Contact own, Id node, List<Contact> relays, List<Address> addresses) {
        if (own.node().equals(node)) return;
        for (Contact relay : relays) {
            boolean same = relay.node().equals(own.node());
            if (!relay.node().equals(self)) ask(nowNs, node, own, same ? List.of() : List.of(relay));
        }
        if (!addresses.isEmpty()) ask(nowNs, node, own, List.of(new Contact(node, addresses)));
    }

    private void ask(long nowNs, Id node, Contact relay, List<Contact> via) {
        for (Asked known : asked.values()) {
            boolean same = known.node.equals(node) && known.relay.node().equals(relay.node()) && known.via.equals(via);
            if (same && nowNs - known.sinceNs < AGAIN_NS) return;
        }
        if (asked.size() >= ASKED_MAX) {
            counters.add("relay.ways.dropped");
            asked.remove(asked.keySet().iterator().next());
        }
        long call = rng.nextLong();
        asked.put(call, new Asked(node, relay, via, nowNs));
        counters.add("relay.ways.asked");
        out.accept(new Relay.Output.Ask(relay, call, new Message.Connect(node, via)));
    }

    /** A relay answered, or will not; false when nobody waits for this. */
    boolean answered(long nowNs, Id from, long call, Message.@Nullable Connected answer) {
        Asked was = asked.get(call);
        if (was == null || !was.relay.node().equals(from)) return false;
        asked.remove(call);
        if (answer == null) {
            around(nowNs, was);
        } else if (answer.verdict() == Relaying.OK) {
            counters.add("relay.ways.made");
            out.accept(new Relay.Output.Way(was.node, from, answer.circuit()));
        } else {
            counters.add("relay.ways.refused");
        }
        return true;
    }

    /** The relay is out of reach too: asks the relays where this node keeps a place for a way through both. */
    private void around(long nowNs, Asked was) {
        if (was.via.size() >= Limits.RELAYS || !was.via.isEmpty()) return;
        for (Contact own : shelter.kept()) {
            if (!own.node().equals(was.relay.node())) ask(nowNs, was.node, own, List.of(was.relay));
        }
    }

    void tick(long nowNs) {
        for (var each : new ArrayList<>(asked.entrySet())) {
            if (nowNs - each.getValue().sinceNs < PATIENCE_NS) return;
            answered(nowNs, each.getValue().relay.node(), each.getKey(), null);
        }
    }

    long deadlineNs() {
        for (Asked first : asked.values()) return first.sinceNs + PATIENCE_NS;
        return Core.NEVER;
    }
}
