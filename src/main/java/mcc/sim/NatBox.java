package mcc.sim;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import mcc.core.Address;
import mcc.core.Invariant;
import mcc.core.Rng;
import org.jspecify.annotations.Nullable;

/**
 * A NAT for UDP: says what becomes of a datagram's addresses on its way out and on its way in. Pure, so that it serves in
 * virtual time as well as between real sockets; whoever owns it carries the datagrams.
 *
 * <p>Limits: as many mappings, inside hosts and flows of the NAT's own host as {@link NatBehavior#mappingsMax} says. Only
 * datagrams from inside prolong a mapping's life (RFC 4787 section 4.3, REQ-6).
 */
public final class NatBox {
    /** The ports that one inside host gets of a NAT that gives out blocks. */
    public static final int BLOCK = 512;

    private static final int FIRST_PORT = 1_024;
    private static final int PORTS = 0x10000 - FIRST_PORT;
    /** Draws of a random port before all ports are tried one after the other. */
    private static final int DRAWS = 64;

    /** What a mapping is for: an inside address, and as much of the destination as the mapping depends on. */
    private record Key(Address inside, Address destination) {}

    /** An outside address and the other end of a datagram. */
    private record Flow(Address outside, Address other) {}

    private static final class Mapping {
        final Key key;
        final Address outside;
        final long madeNs;
        long usedNs;
        /** To whom datagrams went, as far as the filter tells them apart. */
        final Set<Address> sentTo = new HashSet<>(); // looked up, never iterated

        Mapping(Key key, Address outside, long nowNs) {
            this.key = key;
            this.outside = outside;
            madeNs = nowNs;
        }
    }

    private static final Address ANY = Address.v4(0, 0);

    private final NatBehavior behavior;
    private final Address first;
    private final Rng rng;
    /** In the order of their last datagram from inside. */
    private final LinkedHashMap<Key, Mapping> mappings = new LinkedHashMap<>(16, 0.75f, true);

    private final Map<Address, Mapping> byOutside = new HashMap<>(); // looked up, never iterated
    /** The flows that the NAT's own host took, and when they began. */
    private final LinkedHashMap<Flow, Long> strays = new LinkedHashMap<>();
    /** The inside hosts in the order in which they came: which outside IP address and which block is theirs. */
    private final Map<Address, Integer> hosts = new HashMap<>(); // looked up, never iterated

    private int nextPort;

    /** @param outside its first outside IP address, whatever the port; the others follow it */
    public NatBox(NatBehavior behavior, Address outside, Rng rng) {
        this.behavior = behavior;
        this.rng = rng;
        first = at(outside, 0);
        nextPort = FIRST_PORT + rng.below(PORTS);
    }

    /** Whether an address is one of its outside addresses, whatever the port. */
    public boolean owns(Address address) {
        for (int i = 0; i < behavior.addresses(); i++) if (outsideIp(i).sameIp(address)) return true;
        return false;
    }

    /**
     * A host inside sends a datagram.
     *
     * @return the address that it leaves from; null where no port is free, or no room for another mapping
     */
    public @Nullable Address out(long nowNs, Address inside, Address to) {
        forget(nowNs);
        Key key = new Key(inside, part(behavior.mapping(), to));
        Mapping mapping = mappings.get(key);
        // A flow that the own host took cannot be mapped to the same two ends: Linux gives it another port.
        if (mapping != null && strays.containsKey(new Flow(mapping.outside, to))) {
            key = new Key(inside, to);
            mapping = mappings.get(key);
        }
        if (mapping == null) {
            Address outside = mappings.size() < behavior.mappingsMax() ? choose(inside, to) : null;
            if (outside == null) return null;
            mapping = new Mapping(key, outside, nowNs);
            mappings.put(key, mapping);
            byOutside.put(outside, mapping);
        }
        mapping.usedNs = nowNs;
        mapping.sentTo.add(part(behavior.filtering(), to));
        return mapping.outside;
    }

    /**
     * A datagram comes from outside, or from inside to one of the outside addresses, where {@code from} is then the address
     * that {@link #out} gave it.
     *
     * @return the inside address that it goes to; null where it is dropped
     */
    public @Nullable Address in(long nowNs, Address from, Address to) {
        forget(nowNs);
        if (owns(from) && !behavior.hairpinning()) return null;
        Mapping mapping = byOutside.get(to);
        if (mapping != null && mapping.sentTo.contains(part(behavior.filtering(), from))) return mapping.key.inside;
        if (behavior.takesStrays() && strays.size() < behavior.mappingsMax())
            strays.putIfAbsent(new Flow(to, from), nowNs);
        return null;
    }

    /** Forgets all mappings, as a NAT that is started again. */
    public void restart() {
        mappings.clear();
        byOutside.clear();
        strays.clear();
        hosts.clear();
        nextPort = FIRST_PORT + rng.below(PORTS);
    }

    /** Its kind. */
    public NatBehavior behavior() {
        return behavior;
    }

    /** How many mappings it keeps. */
    public int size() {
        return mappings.size();
    }

    private void forget(long nowNs) {
        for (Iterator<Mapping> it = mappings.values().iterator(); it.hasNext(); ) {
            Mapping mapping = it.next();
            boolean idle = nowNs - mapping.usedNs >= behavior.idleNs();
            boolean old = nowNs - mapping.madeNs >= behavior.ageNs();
            if (!idle && !old) {
                if (behavior.ageNs() == Long.MAX_VALUE) break; // all others were used later
                continue;
            }
            it.remove();
            byOutside.remove(mapping.outside);
        }
        for (Iterator<Long> it = strays.values().iterator(); it.hasNext(); ) {
            if (nowNs - it.next() < behavior.idleNs()) return;
            it.remove();
        }
    }

    /** As much of the other end's address as a mapping or a filter of that scope tells apart. */
    private static Address part(NatBehavior.Scope scope, Address other) {
        return switch (scope) {
            case ENDPOINT_INDEPENDENT -> ANY;
            case ADDRESS_DEPENDENT -> at(other, 0);
            case ADDRESS_AND_PORT_DEPENDENT -> other;
        };
    }

    private @Nullable Address choose(Address inside, Address to) {
        Integer host = hosts.get(at(inside, 0));
        if (host == null) {
            if (hosts.size() == behavior.mappingsMax()) return null;
            host = hosts.size();
            hosts.put(at(inside, 0), host);
        }
        // Hosts that keep to different addresses may have the same block of ports.
        int sharing = behavior.paired() ? behavior.addresses() : 1;
        Address ip = outsideIp(behavior.paired() ? host % sharing : rng.below(behavior.addresses()));
        return switch (behavior.ports()) {
            case PRESERVED -> {
                Address same = at(ip, inside.port());
                yield isFree(same, to) ? same : random(ip, to, FIRST_PORT, PORTS);
            }
            case SEQUENTIAL -> sequential(ip, to);
            case BLOCK -> random(ip, to, FIRST_PORT + host / sharing * BLOCK % PORTS, BLOCK);
            case RANDOM -> random(ip, to, FIRST_PORT, PORTS);
        };
    }

    private @Nullable Address sequential(Address ip, Address to) {
        for (int i = 0; i < PORTS; i++) {
            Address outside = at(ip, nextPort);
            nextPort = nextPort == 0xffff ? FIRST_PORT : nextPort + 1;
            if (isFree(outside, to)) return outside;
        }
        return null;
    }

    private @Nullable Address random(Address ip, Address to, int firstPort, int ports) {
        for (int i = 0; i < DRAWS; i++) {
            Address outside = at(ip, firstPort + rng.below(ports));
            if (isFree(outside, to)) return outside;
        }
        for (int i = 0; i < ports; i++) {
            Address outside = at(ip, firstPort + i);
            if (isFree(outside, to)) return outside;
        }
        return null;
    }

    private boolean isFree(Address outside, Address to) {
        return !byOutside.containsKey(outside) && !strays.containsKey(new Flow(outside, to));
    }

    private Address outsideIp(int index) {
        return first.isV4() ? Address.v4(first.v4Bits() + index, 0) : new Address(first.high(), first.low() + index, 0);
    }

    private static Address at(Address ip, int port) {
        return new Address(ip.high(), ip.low(), port);
    }

    /** Throws {@link Invariant.Broken} unless all that must always hold does. */
    void check() {
        Invariant.check(mappings.size() <= behavior.mappingsMax(), "a NAT keeps no more mappings than it has room for");
        Invariant.check(mappings.size() == byOutside.size(), "no two mappings have one outside address");
    }
}
