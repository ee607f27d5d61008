package mcc.relay;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;
import mcc.core.Address;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.wire.Contact;
import mcc.wire.Message;
import mcc.wire.Message.Relaying;
import org.jspecify.annotations.Nullable;

/**
 * This node as a relay: the places that others keep here, and the circuits that it makes.
 *
 * <p>Limits: {@link RelayConfig#placesMax}, of which the nodes of one network have a quarter at most (a /16 of IPv4, a /32 of
 * IPv6); {@link RelayConfig#circuitsMax}, {@link #CIRCUITS_EACH} for each asker; {@link #NEXT_MAX} requests to the next relay
 * of a way. What they refuse is counted.
 */
final class Places {
    /** How long a place is kept. */
    static final long LEASE_NS = 600_000_000_000L;
    /** Circuits that one asker may have. */
    static final int CIRCUITS_EACH = 32;
    /** Requests to the next relay of a way that may be under way. */
    static final int NEXT_MAX = 64;
    /** How long the next relay may take. */
    static final long NEXT_NS = 5_000_000_000L;

    private record Place(Address network, long endsNs) {}

    /** A request that waits for the next relay. */
    private record Next(Id asker, long call, Id relay, long diesNs) {}

    private final Id self;
    private final RelayConfig config;
    private final Rng rng;
    private final Counters counters;
    private final Consumer<Relay.Output> out;
    /** In the order in which they end. */
    private final LinkedHashMap<Id, Place> places = new LinkedHashMap<>();
    /** Who asked for the circuit with this number, and the number at its other end. */
    private final Map<Long, Id> askers = new LinkedHashMap<>();

    private final Map<Long, Next> next = new LinkedHashMap<>();

    Places(Id self, RelayConfig config, Rng rng, Counters counters, Consumer<Relay.Output> out) {
        this.self = self;
        this.config = config;
        this.rng = rng;
        this.counters = counters;
        this.out = out;
    }

    /** @param addresses where others reach this node, for an asker that cannot know it */
    Message.Reserved reserve(long nowNs, Id from, Address at, List<Address> addresses) {
        Address network = at.network(16, 32);
        places.remove(from);
        if (places.size() >= config.placesMax() || of(network) >= Math.max(4, config.placesMax() / 4)) {
            counters.add("relay.places.full");
            return new Message.Reserved(Relaying.FULL, 0, load());
        }
        places.put(from, new Place(network, nowNs + LEASE_NS));
        return new Message.Reserved(Relaying.OK, LEASE_NS / 1_000_000, load(), addresses);
    }

    /** In thousandths of what {@link RelayConfig} allows: of places or of circuits, whichever are scarcer. */
    private int load() {
        long places = 1_000L * this.places.size() / config.placesMax();
        return (int) Math.min(1_000, Math.max(places, 1_000L * circuits() / config.circuitsMax()));
    }

    private int of(Address network) {
        int n = 0;
        for (Place place : places.values()) if (place.network.equals(network)) n++;
        return n;
    }

    /** Makes a circuit, or asks the next relay for its part of it; what is answered at once is returned. */
    @Nullable
    Message connect(long nowNs, Id from, long call, Message.Connect asked) {
        int own = 0;
        for (Id asker : askers.values()) if (asker.equals(from)) own++;
        if (circuits() >= config.circuitsMax() || own / 2 >= CIRCUITS_EACH || next.size() >= NEXT_MAX) {
            counters.add("relay.circuits.full");
            if (own / 2 >= CIRCUITS_EACH) out.accept(new Relay.Output.Spare(from));
            return refused(Relaying.FULL);
        }
        if (asked.to().equals(from) || asked.to().equals(self)) return refused(Relaying.NOT_HERE);
        if (asked.via().isEmpty()) {
            if (!places.containsKey(asked.to())) return refused(Relaying.NOT_HERE);
            return bind(from, asked.to(), token());
        }
        if (loops(from, asked)) {
            counters.add("relay.loops");
            return refused(Relaying.REFUSED);
        }
        Contact relay = asked.via().getFirst();
        long number = rng.nextLong();
        next.put(number, new Next(from, call, relay.node(), nowNs + NEXT_NS));
        List<Contact> rest = asked.via().subList(1, asked.via().size());
        out.accept(new Relay.Output.Ask(relay, number, new Message.Connect(asked.to(), rest)));
        return null;
    }

    /** Whether a node occurs twice, but for the one that is meant: it may be named as the last, with its addresses. */
    private boolean loops(Id from, Message.Connect asked) {
        List<Contact> via = asked.via();
        boolean named = via.getLast().node().equals(asked.to());
        List<Id> way = new ArrayList<>(List.of(self, from, asked.to()));
        for (Contact relay : named ? via.subList(0, via.size() - 1) : via) {
            if (way.contains(relay.node())) return true;
            way.add(relay.node());
        }
        return false;
    }

    /** Makes a circuit that ends at this node: its number is drawn here, as by the last relay of a way. */
    Message.Connected take(Id relay) {
        long token = token();
        counters.add("relay.circuits.taken");
        out.accept(new Relay.Output.Take(relay, token));
        return new Message.Connected(Relaying.OK, token);
    }

    /** The next relay answered; false when nobody waits for this. */
    boolean answered(Id from, long call, Message.@Nullable Connected answer) {
        Next waits = next.get(call);
        if (waits == null || !waits.relay.equals(from)) return false;
        next.remove(call);
        boolean made = answer != null && answer.verdict() == Relaying.OK && !askers.containsKey(answer.circuit());
        Message reply = refused(Relaying.NOT_HERE);
        if (answer != null && made) reply = bind(waits.asker, from, answer.circuit());
        out.accept(new Relay.Output.Reply(waits.asker, waits.call, reply));
        return true;
    }

    private Message.Connected bind(Id from, Id to, long otherToken) {
        long token = token();
        askers.put(token, from);
        askers.put(otherToken, from);
        counters.add("relay.circuits.made");
        out.accept(new Relay.Output.Bind(from, token, to, otherToken, config.bytesPerSecond()));
        return new Message.Connected(Relaying.OK, token);
    }

    private long token() {
        while (true) {
            long token = rng.nextLong();
            if (token != 0 && !askers.containsKey(token)) return token;
        }
    }

    static Message.Connected refused(Relaying why) {
        return new Message.Connected(why, 0);
    }

    void unbound(long token, long otherToken) {
        askers.remove(token);
        askers.remove(otherToken);
    }

    /** The link to a node ended, and so did what it had here; its circuits end where the datagrams go. */
    void down(Id peer) {
        places.remove(peer);
    }

    /** No node has a link any longer. */
    void clear() {
        places.clear();
        askers.clear();
    }

    /** Ends the places and circuits of all nodes that may not stay; returns how many nodes had any. */
    int judge(Predicate<Id> mayStay) {
        Set<Id> goes = new HashSet<>(places.keySet()); // asked, never iterated
        goes.addAll(askers.values());
        goes.removeIf(mayStay);
        places.keySet().removeAll(goes);
        for (var each : new ArrayList<>(askers.entrySet())) {
            if (goes.contains(each.getValue())) out.accept(new Relay.Output.Unbind(each.getKey()));
        }
        return goes.size();
    }

    void tick(long nowNs) {
        places.values().removeIf(place -> place.endsNs <= nowNs);
        for (var each : new ArrayList<>(next.entrySet())) {
            if (each.getValue().diesNs <= nowNs) answered(each.getValue().relay, each.getKey(), null);
        }
    }

    long deadlineNs() {
        long first = Core.NEVER;
        for (Place place : places.values()) {
            first = place.endsNs;
            break;
        }
        for (Next waits : next.values()) return Math.min(first, waits.diesNs);
        return first;
    }

    List<Id> holders() {
        return List.copyOf(places.keySet());
    }

    /** Each has a number at both of its ends. */
    int circuits() {
        return askers.size() / 2;
    }
}
