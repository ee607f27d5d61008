package mcc.lab;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import mcc.core.Address;
import mcc.core.Rng;
import mcc.sim.NatBehavior;
import mcc.sim.NatBox;
import mcc.wan.Wire;

/**
 * What lies between sites: a link from each to each, and the NATs that sites have at their edge. Takes IP packets and gives
 * them back when and where they arrive; knows no clock. Who sends from an address that nobody was given is not heard.
 */
final class Internet {
    /** Routers between two edges, beside the one that is a namespace: who sends with a life of 4 must not reach the other's. */
    static final int HOPS = 4;

    private static final long SECOND_NS = 1_000_000_000L;
    private static final long TCP_IDLE_NS = 7_440 * SECOND_NS; // RFC 5382 REQ-5

    /** One end of links: a site, or an open host. */
    static final class Edge {
        private final int number;
        /** Its first public address. */
        private final Address outside;
        /** A NAT for UDP, and one for TCP, where the edge has them: others may share them. */
        private Translation translation;

        private Edge(int number, Address outside) {
            this.number = number;
            this.outside = outside;
        }
    }

    private static final class Translation {
        private final NatBehavior behavior;
        private final Edge at;
        private NatBox udp;
        private NatBox tcp;

        private Translation(NatBehavior behavior, Edge at) {
            this.behavior = behavior;
            this.at = at;
        }
    }

    /** A link's two ends. */
    private record Way(Edge from, Edge to) {}

    /** How many packets came to the end of a link, and of these, how many the NAT there dropped. */
    private static final class Count {
        private long arrived;
        private long refused;
    }

    private final Rng rng;
    private final List<Edge> edges = new ArrayList<>();
    private final Map<Address, Edge> owners = new HashMap<>();
    private final Set<Address> publicAddresses = new HashSet<>();
    private final Map<Way, Wire> wires = new LinkedHashMap<>();
    private final Map<Way, Count> counts = new HashMap<>();
    private final List<String> everywhere = new ArrayList<>();
    private long natAheadNs;
    private long dropped;

    Internet(long seed) {
        rng = Rng.seeded(seed);
    }

    /** One more end with a first public address. */
    Edge join(Address outside) {
        Edge edge = new Edge(edges.size(), ip(outside));
        edges.add(edge);
        own(edge, outside, true);
        return edge;
    }

    /** Says that an address is reached by this edge: from all others, or behind its NAT only. */
    void own(Edge edge, Address address, boolean isPublic) {
        Edge other = owners.putIfAbsent(ip(address), edge);
        if (other != null && other != edge) throw new IllegalArgumentException(address.host() + " is taken");
        if (isPublic) publicAddresses.add(ip(address));
    }

    private static Address ip(Address address) {
        return new Address(address.high(), address.low(), 0);
    }

    // ---- what can be changed ----------------------------------------------------------------------------------------

    /** Gives an edge a NAT without any mappings, or none where {@code behavior} is null. */
    void translate(Edge edge, NatBehavior behavior) {
        if (edge.translation != null && edge.translation.at == edge) {
            for (Edge each : edges) if (each != edge && each.translation == edge.translation) each.translation = null;
        }
        edge.translation = behavior == null ? null : new Translation(behavior, edge);
        if (behavior != null) restart(edge);
    }

    /** Puts an edge behind the NAT of another, as two customers of one carrier are. */
    void share(Edge edge, Edge carrier) {
        if (carrier.translation == null) throw new IllegalArgumentException("there is no NAT to share");
        edge.translation = carrier.translation;
    }

    /** Lets an edge's NAT begin anew: all mappings are forgotten. */
    void restart(Edge edge) {
        Translation nat = edge.translation;
        if (nat == null) return;
        NatBehavior udp = nat.behavior;
        nat.udp = new NatBox(udp, nat.at.outside, rng.split());
        nat.tcp = new NatBox(udp.lasting(TCP_IDLE_NS, Long.MAX_VALUE), nat.at.outside, rng.split());
    }

    /** Lets so much time pass for all NATs at once. */
    void age(long ns) {
        natAheadNs += ns;
    }

    /** Shapes all links between two edges, those that are yet to come as well, in the words of {@link mcc.wan.Shape}. */
    void shapeAll(String words) {
        everywhere.add(words);
        wires.forEach((way, wire) -> {
            if (way.from != way.to) shape(wire, words);
        });
    }

    /** Shapes one direction between two edges. */
    void shape(Edge from, Edge to, String words) {
        shape(wire(from, to), words);
    }

    private static void shape(Wire wire, String words) {
        for (String word : words.split(" ")) wire.shape.set(word);
    }

    private Wire wire(Edge from, Edge to) {
        return wires.computeIfAbsent(new Way(from, to), way -> {
            Wire wire = new Wire(from.number * 1_000L + to.number);
            if (from != to) for (String words : everywhere) shape(wire, words);
            return wire;
        });
    }

    // ---- packets ----------------------------------------------------------------------------------------------------

    /** Takes a packet of {@code length} bytes, which it changes. */
    void offer(long nowNs, byte[] b, int length) {
        if (!send(nowNs, b, length)) dropped++;
    }

    private boolean send(long nowNs, byte[] b, int length) {
        if (!Packet.isSound(b, length)) return false;
        Address source = Packet.source(b);
        Address destination = Packet.destination(b);
        Edge from = owners.get(ip(source));
        Edge to = owners.get(ip(destination));
        if (from == null || to == null || !publicAddresses.contains(ip(destination))) return false;
        if (!publicAddresses.contains(ip(source))) {
            Translation nat = from.translation;
            if (nat == null || !Packet.hasPorts(b)) return false;
            Address outside = box(nat, b).out(nowNs + natAheadNs, source, destination);
            if (outside == null) return false;
            Packet.source(b, outside);
        }
        Packet.age(b, HOPS);
        wire(from, to).offer(nowNs, b, length);
        return true;
    }

    private static NatBox box(Translation nat, byte[] b) {
        return Packet.protocol(b) == Packet.TCP ? nat.tcp : nat.udp;
    }

    /** The next packet that arrives, to be handed to {@code done} with its bytes; returns whether there was one. */
    boolean poll(long nowNs, Arrival done) throws Throwable {
        for (Map.Entry<Way, Wire> each : wires.entrySet()) {
            Wire wire = each.getValue();
            Wire.Packet packet = wire.poll(nowNs);
            if (packet == null) continue;
            Count count = counts.computeIfAbsent(each.getKey(), way -> new Count());
            if (admit(nowNs, each.getKey().to, packet.bytes)) done.take(packet.bytes, packet.length);
            else count.refused++;
            count.arrived++;
            wire.recycle(packet);
            return true;
        }
        return false;
    }

    /** Takes a packet that arrived; it is the taker's until it returns. */
    @FunctionalInterface
    interface Arrival {
        void take(byte[] packet, int length) throws Throwable;
    }

    private boolean admit(long nowNs, Edge to, byte[] b) {
        Translation nat = to.translation;
        if (nat == null || !Packet.isV4(b) || !nat.udp.owns(Packet.destination(b))) return true;
        if (!Packet.hasPorts(b) || Packet.life(b) <= 1) return false; // its life ended on the way
        Address inside = box(nat, b).in(nowNs + natAheadNs, Packet.source(b), Packet.destination(b));
        if (inside != null) Packet.destination(b, inside);
        return inside != null;
    }

    /** When something will arrive; {@link Long#MAX_VALUE} for never. */
    long deadlineNs() {
        long next = Long.MAX_VALUE;
        for (Wire wire : wires.values()) next = Math.min(next, wire.deadlineNs());
        return next;
    }

    /** How many packets came to the end of this direction, whatever was done with them there. */
    long arrived(Edge from, Edge to) {
        Count count = counts.get(new Way(from, to));
        return count == null ? 0 : count.arrived;
    }

    /** How many of them the NAT at its end dropped. */
    long refused(Edge from, Edge to) {
        Count count = counts.get(new Way(from, to));
        return count == null ? 0 : count.refused;
    }

    /** How many were given to nobody, because of their addresses or because a NAT had no mapping for them. */
    long dropped() {
        return dropped;
    }

    /** How many mappings an edge's NAT has for UDP. */
    int mappings(Edge edge) {
        return edge.translation == null ? 0 : edge.translation.udp.size();
    }
}
