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
 * Who has which inner addresses on this host, and the packets that wait until their node is found and keys stand. A node's IPv4
 * address is {@link InnerAddress#v4} or, where that is taken, the next that is free.
 *
 * <p>Limits: {@link #ROUTES_MAX} nodes and {@link #ENDPOINTS_MAX} endpoints, the one unused for longest gives way; {@link
 * #WAITING_MAX} addresses waited for, the eldest gives way, {@link #HELD_MAX} packets each, for {@link #WAIT_NS}.
 */
public final class Routes {
    static final int ROUTES_MAX = 8_192;
    static final int ENDPOINTS_MAX = 8_192;
    static final int WAITING_MAX = 64;
    static final int HELD_MAX = 16;
    static final long WAIT_NS = 5_000_000_000L;

    /** A packet that waits. */
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
     * What a node is called on this host.
     *
     * @param own4 the IPv4 address that it has on its own
     */
    public record Addresses(InnerAddress v6, InnerAddress v4, InnerAddress own4) {}

    /** @param self this node's address, whose IPv4 form no other gets */
    public Routes(String network, InnerAddress self, Counters counters) {
        this.network = network;
        own4 = self.v4();
        this.counters = counters;
    }

    /** The node that has an address, or an endpoint with it; null while unknown. */
    public @Nullable Id node(InnerAddress address) {
        Id node = routes.get(address);
        if (node == null) return endpoints.isEmpty() ? null : endpoints.get(address);
        addresses.get(node); // is in use
        return node;
    }

    /** The addresses of a node, which are known from now on. */
    public Addresses learn(Id node) {
        Addresses known = addresses.get(node);
        if (known != null) return known;
        if (addresses.size() >= ROUTES_MAX) forgetOne();
        InnerAddress v6 = InnerAddress.of(network, node);
        InnerAddress own = v6.v4();
        InnerAddress v4 = own;
        while (v4.equals(own4) || routes.containsKey(v4)) v4 = v4.next4(); // of 4 million at most 8,192 are taken
        Addresses made = new Addresses(v6, v4, own);
        routes.put(v6, node);
        routes.put(v4, node);
        addresses.put(node, made);
        return made;
    }

    /** A node has proved that an endpoint of its has this address. */
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

    /** The addresses of a node that is known; null else. */
    public @Nullable Addresses of(Id node) {
        return addresses.get(node);
    }

    /** Keeps a copy of a packet; true when its address was not waited for yet, so that the caller looks for it. */
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

    /** The addresses that are waited for. */
    public List<InnerAddress> waiting() {
        return waiting.isEmpty() ? List.of() : new ArrayList<>(waiting.keySet());
    }

    /** When the oldest wait ends; {@link Core#NEVER} when nothing waits. */
    public long deadlineNs() {
        return waiting.isEmpty() ? Core.NEVER : waiting.values().iterator().next().untilNs;
    }

    /** Whether this address was waited for too long. */
    public boolean isOverdue(long nowNs, InnerAddress address) {
        Waiting w = waiting.get(address);
        return w != null && nowNs >= w.untilNs;
    }

    /** Ends the wait for an address, and gives what waited, oldest first. */
    public List<Held> release(InnerAddress address) {
        Waiting w = waiting.remove(address);
        return w == null ? List.of() : List.copyOf(w.held);
    }
}
