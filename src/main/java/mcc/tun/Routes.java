package mcc.tun;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Id;
import org.jspecify.annotations.Nullable;

/**
 * The inner addresses of nodes and endpoints on this host, and packets that wait until their node is found and has a session.
 * A node's IPv4 address is {@link InnerAddress#v4} or, if that is taken, the next free one.
 *
 * <p>Limits: {@link #ROUTES_MAX} nodes and {@link #ENDPOINTS_MAX} endpoints, the least recently used is evicted;
 * {@link #WAITING_MAX} addresses with waiting packets, the oldest is evicted; {@link #HELD_MAX} packets each, for
 * {@link #WAIT_NS}.
 */
public final class Routes {
    static final int ROUTES_MAX = 8_192;
    static final int ENDPOINTS_MAX = 8_192;
    static final int WAITING_MAX = 64;
    static final int HELD_MAX = 16;
    static final long WAIT_NS = 5_000_000_000L;

    /** A waiting packet. */
    @SuppressWarnings("ArrayRecordComponent") // made here, read once
    public record Held(boolean needsCsum, byte[] packet) {}

    private static final class Waiting {
        final long untilNs;
        final ArrayDeque<Held> held = new ArrayDeque<>();

        Waiting(long untilNs) {
            this.untilNs = untilNs;
        }
    }

    private final Map<InnerAddress, Id> routes = new HashMap<>();
    private final Map<Id, Addresses> addresses = new LinkedHashMap<>(64, 0.75f, true);
    private final Map<InnerAddress, Id> endpoints = new LinkedHashMap<>(64, 0.75f, true);
    private final Map<InnerAddress, Waiting> waiting = new LinkedHashMap<>();
    private final String network;
    private final InnerAddress own4;
    private final Counters counters;

    /**
     * A node's addresses on this host.
     *
     * @param own4 the IPv4 address that it has on its own host
     */
    public record Addresses(InnerAddress v6, InnerAddress v4, InnerAddress own4) {}

    /** @param self this node's address, whose IPv4 form no other node gets */
    public Routes(String network, InnerAddress self, Counters counters) {
        this.network = network;
        own4 = self.v4();
        this.counters = counters;
    }

    /** The node of an address, its own or an endpoint's; null if unknown. */
    public @Nullable Id node(InnerAddress address) {
        Id node = routes.get(address);
        if (node == null) return endpoints.isEmpty() ? null : endpoints.get(address);
        addresses.get(node); // marks it as used
        return node;
    }

    /** Returns the addresses of a node; from now on they are known. */
    public Addresses learn(Id node) {
        Addresses known = addresses.get(node);
        if (known != null) return known;
        if (addresses.size() >= ROUTES_MAX) forgetOne();
        InnerAddress v6 = InnerAddress.of(network, node);
        InnerAddress own = v6.v4();
        InnerAddress v4 = own;
        while (v4.equals(own4) || routes.containsKey(v4)) v4 = v4.next4(); // at most 8,192 of 4 million are taken
        Addresses made = new Addresses(v6, v4, own);
        routes.put(v6, node);
        routes.put(v4, node);
        addresses.put(node, made);
        return made;
    }

    /** A node has proved that one of its endpoints has this address. */
    public void learn(InnerAddress endpoint, Id node) {
        endpoints.put(endpoint, node);
        if (endpoints.size() > ENDPOINTS_MAX)
            endpoints.remove(endpoints.keySet().iterator().next());
    }

    private void forgetOne() {
        Iterator<Addresses> eldest = addresses.values().iterator();
        Addresses gone = eldest.next();
        eldest.remove();
        routes.remove(gone.v6);
        routes.remove(gone.v4);
    }

    /** The addresses of a known node, else null. */
    public @Nullable Addresses of(Id node) {
        return addresses.get(node);
    }

    /** Keeps a copy of a packet; true if it is the first that waits for this address, so that the caller must look it up. */
    public boolean hold(long nowNs, InnerAddress to, boolean needsCsum, byte[] b, int offset, int length) {
        Waiting w = waiting.get(to);
        boolean first = w == null;
        if (w == null) {
            if (waiting.size() >= WAITING_MAX) dropEldest();
            w = new Waiting(nowNs + WAIT_NS);
            waiting.put(to, w);
        }
        if (w.held.size() >= HELD_MAX) counters.add("tun.out.dropped");
        else w.held.add(new Held(needsCsum, Arrays.copyOfRange(b, offset, offset + length)));
        return first;
    }

    private void dropEldest() {
        Iterator<Waiting> eldest = waiting.values().iterator();
        counters.of("tun.out.dropped").add(eldest.next().held.size());
        eldest.remove();
    }

    /** The addresses with waiting packets. */
    public List<InnerAddress> waiting() {
        return waiting.isEmpty() ? List.of() : new ArrayList<>(waiting.keySet());
    }

    /** When the oldest wait ends; {@link Core#NEVER} if nothing waits. */
    public long deadlineNs() {
        return waiting.isEmpty() ? Core.NEVER : waiting.values().iterator().next().untilNs;
    }

    /** Whether packets have waited too long for this address. */
    public boolean isOverdue(long nowNs, InnerAddress address) {
        Waiting w = waiting.get(address);
        return w != null && nowNs >= w.untilNs;
    }

    /** Ends the wait for an address; returns its packets, oldest first. */
    public List<Held> release(InnerAddress address) {
        Waiting w = waiting.remove(address);
        return w == null ? List.of() : List.copyOf(w.held);
    }
}
