package mcc.link;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mcc.core.Address;
import mcc.core.Counters;
import mcc.core.Counters.Counter;
import mcc.core.Id;
import mcc.wire.Relayed;
import org.jspecify.annotations.Nullable;

/**
 * The circuits that end at this node. Each has a number here, which stands in a path's place of an address
 * ({@link Address#circuit}); what is sent there gets a header and goes to the relay, by the path that its own link uses.
 *
 * <p>A circuit is made by this node's request ({@link #open}), or by the first datagram that a relay brings by it, if this node
 * keeps a place there ({@link #welcome}). It ends with the link to its relay. Limit: {@link #MAX} of each relay, of which the one
 * that was used least recently gives way.
 */
final class Circuits {
    /** Circuits by one relay. */
    static final int MAX = 128;

    private record Circuit(Id relay, long token, Address address) {}

    private final Links links;
    private final Counters counters;
    private final Counter malformed;
    private final Counter unknown;
    private final Counter stray;
    private final Map<Id, LinkedHashMap<Long, Circuit>> byRelay = new HashMap<>(); // looked up, never iterated
    private final Map<Long, Circuit> byToken = new HashMap<>(); // looked up, never iterated
    private final Map<Address, Circuit> byAddress = new HashMap<>(); // looked up, never iterated
    /** Whose path or handshake goes by a circuit. */
    private final Map<Address, Link> users = new HashMap<>(); // looked up, never iterated

    private final byte[] buffer = new byte[Relayed.HEADER_BYTES + PathMtu.TOP];
    private List<Id> welcome = List.of();
    private int made;

    Circuits(Links links, Counters counters) {
        this.links = links;
        this.counters = counters;
        malformed = counters.of("link.relayed.malformed");
        unknown = counters.of("link.relayed.unknown");
        stray = counters.of("link.relayed.stray");
    }

    /** From now on these relays may bring circuits that others asked for. */
    void welcome(List<Id> relays) {
        welcome = List.copyOf(relays);
    }

    /** A link goes by this circuit from now on, and is told when it ends. */
    void use(Address circuit, Link link) {
        if (byAddress.containsKey(circuit)) users.put(circuit, link);
    }

    /** Whether this node keeps a place at this peer, so that the link to it is kept up. */
    boolean isWelcome(Id relay) {
        return welcome.contains(relay);
    }

    /** Whether a relay where this node keeps a place is reached by a carrier, as when nothing of UDP passes. */
    boolean isCarried() {
        for (Id id : welcome) {
            Link relay = links.find(id);
            if (relay != null && relay.path != null && relay.path.remote.isCarrier()) return true;
        }
        return false;
    }

    /** Takes a circuit that a relay made at this node's request, or for somebody else; returns what stands for it. */
    Address open(Id relay, long token) {
        Circuit known = byToken.get(token);
        if (known != null && known.relay.equals(relay)) return known.address;
        return add(relay, token).address;
    }

    /** A relay made a circuit to a peer at this node's request. */
    void way(long nowNs, LinkInput.Way w) {
        Link link = links.find(w.peer());
        if (link == null || links.find(w.relay()) == null) return;
        Address circuit = open(w.relay(), w.token());
        link.learn(circuit);
        use(circuit, link);
        links.initiator.way(nowNs, link, circuit);
        if (link.canSend(nowNs)) links.paths.challenge(nowNs, link, circuit);
    }

    /** Which relay a circuit goes by; null when the circuit is gone. */
    @Nullable
    Id relay(Address circuit) {
        Circuit known = byAddress.get(circuit);
        return known == null ? null : known.relay;
    }

    /** Takes a relayed datagram; its inner one goes to {@link Links#receive} as from the circuit. */
    void receive(long nowNs, byte[] buf, int offset, int length, Address from, int local, int ecn) {
        if (!Relayed.isWellFormed(buf, offset, length)) {
            malformed.add();
            return;
        }
        long token = Relayed.circuit(buf, offset);
        if (links.forwards.forward(nowNs, token, buf, offset, length, from, local, ecn)) return;
        Circuit circuit = byToken.get(token);
        if (circuit == null) circuit = brought(token, from, local);
        if (circuit == null) {
            unknown.add();
            return;
        }
        Link relay = links.find(circuit.relay);
        if (relay == null || !Paths.isProven(relay, local, from)) {
            stray.add();
            return;
        }
        int inner = length - Relayed.HEADER_BYTES;
        links.receive(nowNs, buf, offset + Relayed.HEADER_BYTES, inner, circuit.address, PacketSink.ANY, ecn);
    }

    /** A circuit that somebody else asked for, if it comes from a relay where this node keeps a place. */
    private @Nullable Circuit brought(long token, Address from, int local) {
        for (Id id : welcome) {
            Link relay = links.find(id);
            if (relay != null && Paths.isProven(relay, local, from)) return add(id, token);
        }
        return null;
    }

    private Circuit add(Id relay, long token) {
        LinkedHashMap<Long, Circuit> of = byRelay.computeIfAbsent(relay, _ -> new LinkedHashMap<>(16, 0.75f, true));
        if (of.size() >= MAX) {
            counters.add("link.circuit.evicted");
            end(of.values().iterator().next());
        }
        Circuit circuit = new Circuit(relay, token, Address.circuit(made++ & Integer.MAX_VALUE));
        of.put(token, circuit);
        byToken.put(token, circuit);
        byAddress.put(circuit.address, circuit);
        byRelay.put(relay, of); // ending the last one has taken it out
        counters.add("link.circuit.made");
        return circuit;
    }

    /** Sends a datagram by a circuit; one that is gone drops it, and counts it. */
    void send(long nowNs, PacketSink out, Address to, byte[] bytes, int length, int ecn) {
        Circuit circuit = byAddress.get(to);
        Link relay = circuit == null ? null : links.find(circuit.relay);
        Path path = relay == null ? null : relay.path;
        if (circuit == null || path == null || path.remote.isCircuit()) {
            counters.add("link.circuit.dropped");
            return;
        }
        LinkedHashMap<Long, Circuit> of = byRelay.get(circuit.relay);
        if (of != null) of.get(circuit.token); // the newest in the order of use
        Relayed.writeHeader(buffer, 0, circuit.token, length);
        System.arraycopy(bytes, 0, buffer, Relayed.HEADER_BYTES, length);
        links.contacted.sent(nowNs, path.local, path.remote);
        links.ledger.sent(path.remote, Relayed.HEADER_BYTES + length);
        out.send(path.local, path.remote, buffer, 0, Relayed.HEADER_BYTES + length, ecn);
    }

    /** The link to a relay ended, and so did its circuits. */
    void lost(Id relay) {
        LinkedHashMap<Long, Circuit> of = byRelay.get(relay);
        if (of == null) return;
        for (Circuit circuit : List.copyOf(of.values())) end(circuit);
    }

    private void end(Circuit circuit) {
        byToken.remove(circuit.token);
        byAddress.remove(circuit.address);
        LinkedHashMap<Long, Circuit> of = byRelay.get(circuit.relay);
        if (of != null) {
            of.remove(circuit.token);
            if (of.isEmpty()) byRelay.remove(circuit.relay);
        }
        Link user = users.remove(circuit.address);
        if (user != null && !user.gone) links.paths.ended(user, circuit.address);
    }
}
