package mcc.sim;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.Invariant;
import mcc.core.Rng;
import mcc.wire.Contact;
import org.jspecify.annotations.Nullable;

/**
 * What lies between the nodes, at both fidelities: a latency for each pair of nodes, give or take a tenth, so that messages
 * may overtake each other; loss; nodes that are cut off; firewalls that admit only peers that their node sent to lately.
 */
final class Network {
    /** How long a firewall remembers a peer (RFC 4787 section 4.3 asks for two minutes). */
    static final long FIREWALL_NS = 120 * World.SECOND;

    /** The longest UDP payload that fits Ethernet with IPv4; longer datagrams are lost. */
    private static final int MTU_BYTES = 1_472;

    private static final int TWICE_PPM = 1_000;
    /**
     * The most datagrams that anybody honest sends to the address that liars name, and how many more every ten seconds:
     * challenges and guesses of hole punching.
     */
    private static final int VICTIM_MOST = 630;

    private static final int VICTIM_MORE = 2;
    static final int PORT = 9_376;
    /** Each node has a /24 of its own, and neighbours in number are in different /16, as nodes of a wide network are. */
    private static final int FIRST = 0x20000001;

    private static final int INSIDE = 0x0a000005;
    private static final int SILENT = 0x10000001;

    /** A datagram as it arrives, with the addresses that it has outside of NATs. */
    record Datagram(Address from, Address to, Bytes bytes) {}

    private final World world;
    private final List<SimNode> nodes;
    private final Options options;
    private final Rng rng;

    /** Shares {@code nodes} with the world, which fills it. */
    Network(World world, List<SimNode> nodes, Options options, Rng rng) {
        this.world = world;
        this.nodes = nodes;
        this.options = options;
        this.rng = rng;
    }

    static Address address(int index) {
        int spread = (index >>> 16) << 24 | (index & 0xff) << 16 | (index >>> 8 & 0xff) << 8;
        return Address.v4(FIRST + spread, PORT);
    }

    /** An address where nobody is. */
    static Address silent(int number) {
        return Address.v4(SILENT + (number << 8), PORT);
    }

    /** The address of a node's own end inside of its NAT. */
    static Address inside(int index, int port) {
        return Address.v4(INSIDE + (index << 8), port);
    }

    /** The node at an address; null when there is none. */
    @Nullable
    SimNode at(Address address) {
        return address.port() == PORT ? behind(address) : null;
    }

    /** The node whose public IP address it is, its own or its NAT's. */
    @Nullable
    SimNode behind(Address address) {
        if (!address.isV4()) return null;
        int bits = address.v4Bits() - FIRST;
        int index = (bits >>> 24) << 16 | (bits >>> 8 & 0xff) << 8 | bits >>> 16 & 0xff;
        return (bits & 0xff) != 0 || index >= nodes.size() ? null : nodes.get(index);
    }

    /** The node of a contact if one of the contact's addresses is right; else null. */
    @Nullable
    SimNode find(Contact contact) {
        for (Address address : contact.addresses()) {
            SimNode node = at(address);
            if (node != null && node.id.equals(contact.node())) return node;
        }
        return null;
    }

    /** Notes that something is sent; returns whether it arrives. */
    boolean carries(SimNode from, SimNode to) {
        if (from.oneWay) remember(from, to);
        return to.up && !isCut(from) && !isCut(to) && admits(to, from) && !rng.chance(options.lossPpm());
    }

    private static boolean isCut(SimNode node) {
        return node.cut || node.deaf;
    }

    private void remember(SimNode from, SimNode to) {
        Map<Integer, Long> spoke = from.spokeTo;
        if (spoke == null) {
            spoke = new LinkedHashMap<>();
            from.spokeTo = spoke;
        }
        spoke.remove(to.index);
        spoke.put(to.index, world.nowNs());
        var eldest = spoke.entrySet().iterator();
        if (eldest.next().getValue() < world.nowNs() - FIREWALL_NS) eldest.remove();
    }

    private boolean admits(SimNode to, SimNode from) {
        if (!to.oneWay) return true;
        Long spoke = to.spokeTo == null ? null : to.spokeTo.get(from.index);
        return spoke != null && spoke >= world.nowNs() - FIREWALL_NS;
    }

    /** Each pair has its own latency, the same both ways, give or take a tenth. */
    long latencyNs(SimNode a, SimNode b) {
        int low = Math.min(a.index, b.index);
        int high = Math.max(a.index, b.index);
        long pair = Hash.mix(Hash.mix(Hash.START, low), high) >>> 1;
        long baseNs =
                (options.minLatencyMs() + pair % (options.maxLatencyMs() - options.minLatencyMs() + 1)) * World.MS;
        return baseNs - baseNs / 10 + rng.below(baseNs / 5 + 1);
    }

    /**
     * Carries a datagram to an address, now and then twice, or loses it.
     *
     * @param port of the socket that it comes from
     * @param isShort it ends behind the sender's NAT
     */
    void carry(SimNode from, int port, Address address, byte[] datagram, boolean isShort) {
        Address source = from.leaves(world.nowNs(), port, address);
        SimNode to = behind(address);
        if (!from.liar && address.sameIp(Liars.VICTIM)) {
            long most = VICTIM_MOST + VICTIM_MORE * (1 + world.nowNs() / (10 * World.SECOND));
            Invariant.check(++from.toVictim <= most, "liars make nobody send much to an address that they name");
        }
        if (source == null || isShort || to == null || datagram.length > MTU_BYTES || !carries(from, to)) return;
        int copies = rng.chance(TWICE_PPM) ? 2 : 1;
        var arrives = new Datagram(source, address, Bytes.owning(datagram));
        for (int i = 0; i < copies; i++) world.arrive(to, latencyNs(from, to), arrives);
    }
}
