package mcc.sim;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mcc.core.Invariant;
import mcc.registry.Health;
import mcc.registry.Offer;
import mcc.registry.Registry;
import mcc.registry.ServiceName;
import mcc.sim.NatBehavior.Ports;
import mcc.sim.NatBehavior.Scope;
import org.jspecify.annotations.Nullable;

/**
 * With real keys and bytes: half of the nodes are behind NATs of all 36 kinds of RFC 4787, offer a service each, and use each
 * other's. Then a third of the NATs are started again, a fifth of the open nodes die, which were relays of somebody, and all is
 * used once more. Every byte arrives, at the second try at the latest, and where one of two NATs shows all the same address, and
 * hundreds of ports are not needed, the two end without a relay.
 */
final class NatsScenario implements Scenario {
    private static final long SETTLE_NS = 60 * World.SECOND;
    private static final long USE_NS = 60 * World.SECOND;
    private static final long HEAL_NS = 120 * World.SECOND;
    private static final long LEASE_MS = 600_000;
    private static final int CONTENT_BYTES = 20_000;
    /** Least share of uses that must succeed: a lookup may miss, a relay may be lost in the very moment. */
    private static final int SUCCESS_PERMILLE = 980;
    /** Least share of the pairs that can meet that must have met. */
    private static final int DIRECT_PERMILLE = 900;
    /** The largest share of the steps of lookups that call a node behind a NAT with which there is no link. */
    private static final int BLIND_PERMILLE = 10;

    /** A service that a node uses. */
    private static final class Use {
        final SimNode by;
        final SimNode of;
        final long atNs;
        /** Null until its provider is found. */
        Traffic.@Nullable Transfer transfer;

        Use(SimNode by, SimNode of, long atNs) {
            this.by = by;
            this.of = of;
            this.atNs = atNs;
        }

        boolean isDone() {
            return transfer != null && transfer.isWhole();
        }

        @Override
        public String toString() {
            return atNs / World.SECOND + " s: " + name(by) + " of " + name(of) + (transfer == null ? " not found" : "");
        }

        private static String name(SimNode node) {
            NatBehavior kind = node.nat == null ? null : node.nat.behavior();
            return kind == null
                    ? node.index + ""
                    : node.index + " (" + kind.mapping() + ", " + kind.filtering() + ", " + kind.ports() + ")";
        }
    }

    private final World world;
    private final List<SimNode> hidden = new ArrayList<>();
    private final Map<Long, Use> open = new LinkedHashMap<>();
    private final List<Use> uses = new ArrayList<>();
    private long ticket;
    /** The steps of lookups until the uses begin, and how many called somebody behind a NAT. */
    private long[] before = new long[2];

    NatsScenario(int nodes, long seed, Options options) {
        if (options.fidelity() != Options.Fidelity.PACKETS) {
            throw new IllegalArgumentException("NATs need real links; leave --fidelity out");
        }
        if (nodes < 12) throw new IllegalArgumentException("relays and voters are needed: 12 nodes at least");
        world = new World(nodes, seed, options.withoutChurn(), this::heard);
        List<NatBehavior> kinds = kinds();
        for (SimNode node : world.nodes) {
            boolean open = node.index < 6 || node.index % 2 == 0;
            if (open) continue;
            node.nat = new NatBox(kinds.get(hidden.size() % kinds.size()), node.address(), world.rng.split());
            hidden.add(node);
        }
    }

    private static List<NatBehavior> kinds() {
        List<NatBehavior> out = new ArrayList<>();
        for (Ports ports : Ports.values()) {
            for (Scope mapping : Scope.values()) {
                for (Scope filtering : Scope.values()) out.add(NatBehavior.of(mapping, filtering, ports));
            }
        }
        return out;
    }

    @Override
    public Outcome run() {
        world.checkAlways();
        long joinedNs = world.startAll() + SETTLE_NS;
        for (SimNode node : hidden) {
            world.at(
                    joinedNs - SETTLE_NS / 2,
                    () -> world.register(node, ticket++, SimNode.app("app", service(node), List.of(), LEASE_MS)));
        }
        world.at(joinedNs, () -> before = calls());
        use(joinedNs);
        long troubleNs = joinedNs + USE_NS;
        world.at(troubleNs, this::trouble);
        use(troubleNs + HEAL_NS);
        world.runUntil(troubleNs + HEAL_NS + 2 * USE_NS);
        List<Use> failed = uses.stream().filter(use -> !use.isDone()).toList();
        int permille = permille(failed, uses.size());
        Invariant.check(
                permille >= SUCCESS_PERMILLE, "only " + permille + " of 1000 uses went through: not " + some(failed));
        List<Use> can = uses.stream().filter(this::canMeet).toList();
        List<Use> apart = can.stream().filter(use -> !way(use).equals("direct")).toList();
        int direct = permille(apart, can.size());
        Invariant.check(
                direct >= DIRECT_PERMILLE,
                "only " + direct + " of 1000 pairs that can meet have met: not " + some(apart));
        long finds = calls()[0] - before[0];
        long blind = calls()[1] - before[1];
        Invariant.check(
                blind * 1_000 <= finds * BLIND_PERMILLE,
                blind + " of " + finds + " steps of lookups called a node behind a NAT");
        return new Outcome(uses.size(), permille, 0, 0, world.traceHash(), world.delivered(), world.nowNs() / World.MS);
    }

    /** How many of 1,000 are not among the few. */
    private static int permille(List<Use> not, int of) {
        return of == 0 ? 1_000 : (of - not.size()) * 1_000 / of;
    }

    private static String some(List<Use> uses) {
        return uses.subList(0, Math.min(10, uses.size())) + " of " + uses.size();
    }

    private long[] calls() {
        return new long[] {world.counters.value(RealLinks.FINDS), world.counters.value(RealLinks.BLIND)};
    }

    private static ServiceName service(SimNode node) {
        return new ServiceName(ServiceName.OPEN, "service-" + node.index);
    }

    /** Each node behind a NAT uses the service of another one, unless it lies. */
    private void use(long atNs) {
        for (SimNode node : hidden) {
            if (node.liar) continue;
            world.at(atNs + world.rng.below(USE_NS / 2), () -> {
                SimNode of;
                do {
                    of = hidden.get(world.rng.below(hidden.size()));
                } while (of == node || of.liar);
                Use use = new Use(node, of, world.nowNs());
                uses.add(use);
                open.put(ticket, use);
                world.input(node, new Registry.Input.Resolve(ticket++, service(of)));
            });
        }
    }

    private void trouble() {
        for (int i = 0; i < hidden.size(); i += 3) {
            NatBox nat = hidden.get(i).nat;
            if (nat != null) nat.restart();
        }
        // The first ones are everybody's way in.
        for (SimNode node : world.nodes)
            if (node.nat == null && node.index >= 6 && node.index % 10 == 0) world.kill(node);
    }

    private void heard(SimNode node, Object output) {
        if (!(output instanceof Registry.Output.Providers providers)) return;
        Use use = open.remove(providers.ticket());
        if (use == null) return;
        for (Offer offer : providers.items()) {
            if (offer.health() != Health.PASS || !offer.contact().node().equals(use.of.id)) continue;
            var transfer = new Traffic.Transfer(node, use.of, offer.contact(), world.rng.bytes(CONTENT_BYTES));
            transfer.triesMore = 1; // a peer that gave the link up while a NAT was started again lost its state
            use.transfer = transfer;
            world.input(node, new RealLinks.Use.Send(transfer));
            return;
        }
    }

    /** How the user reaches the provider now; "" where they have no link any longer. */
    private static String way(Use use) {
        return use.by.cores.links instanceof RealLinks links ? links.way(use.of.id) : "";
    }

    private boolean canMeet(Use use) {
        NatBox from = use.by.nat;
        NatBox to = use.of.nat;
        boolean linked = use.transfer != null && !way(use).isEmpty(); // else idle since, and given up
        return linked && from != null && to != null && canMeet(from.behavior(), to.behavior());
    }

    private static boolean canMeet(NatBehavior a, NatBehavior b) {
        boolean sharedA = a.mapping() == Scope.ENDPOINT_INDEPENDENT;
        boolean sharedB = b.mapping() == Scope.ENDPOINT_INDEPENDENT;
        if (sharedA && sharedB) return true;
        if (!sharedA && !sharedB) return false;
        // Two attempts in ten minutes with hundreds of ports are not made, and one may miss.
        return (sharedA ? b : a).ports() != Ports.RANDOM;
    }
}
