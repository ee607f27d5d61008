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

/**
 * With real keys and bytes: half of the nodes are behind NATs of all 36 kinds of RFC 4787, offer a service each, and use each
 * other's. Then a third of the NATs are started again, a fifth of the open nodes die, which were relays of somebody, and all is
 * used once more. Every byte arrives, and where one of two NATs shows all the same address, and hundreds of ports are not needed,
 * the two end without a relay.
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

    private record Asked(SimNode by, SimNode of) {}

    private final World world;
    private final List<SimNode> hidden = new ArrayList<>();
    private final Map<Long, Asked> open = new LinkedHashMap<>();
    private final List<Traffic.Transfer> transfers = new ArrayList<>();
    private long ticket;
    private int notFound;
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
        int whole = 0;
        for (Traffic.Transfer each : transfers) if (each.isWhole()) whole++;
        int asked = transfers.size() + notFound;
        int permille = asked == 0 ? 0 : whole * 1_000 / asked;
        Invariant.check(
                permille >= SUCCESS_PERMILLE,
                "only " + permille + " of 1000 uses went through: " + whole + " of " + asked + ", " + notFound
                        + " not found");
        int direct = directPermille();
        Invariant.check(direct >= DIRECT_PERMILLE, "only " + direct + " of 1000 pairs that can meet have met");
        long finds = calls()[0] - before[0];
        long blind = calls()[1] - before[1];
        Invariant.check(
                blind * 1_000 <= finds * BLIND_PERMILLE,
                blind + " of " + finds + " steps of lookups called a node behind a NAT");
        return new Outcome(asked, permille, 0, 0, world.traceHash(), world.delivered(), world.nowNs() / World.MS);
    }

    private long[] calls() {
        return new long[] {world.counters.value(RealLinks.FINDS), world.counters.value(RealLinks.BLIND)};
    }

    private static ServiceName service(SimNode node) {
        return new ServiceName(ServiceName.OPEN, "service-" + node.index);
    }

    /** Each node behind a NAT uses the service of another one. */
    private void use(long atNs) {
        for (SimNode node : hidden) {
            world.at(atNs + world.rng.below(USE_NS / 2), () -> {
                SimNode of;
                do {
                    of = hidden.get(world.rng.below(hidden.size()));
                } while (of == node);
                open.put(ticket, new Asked(node, of));
                notFound++;
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
        Asked asked = open.remove(providers.ticket());
        if (asked == null) return;
        for (Offer offer : providers.items()) {
            if (offer.health() != Health.PASS || !offer.contact().node().equals(asked.of.id)) continue;
            var transfer = new Traffic.Transfer(node, asked.of, offer.contact(), world.rng.bytes(CONTENT_BYTES));
            transfers.add(transfer);
            notFound--;
            world.input(node, new RealLinks.Use.Send(transfer));
            return;
        }
    }

    private int directPermille() {
        int can = 0;
        int met = 0;
        for (Traffic.Transfer each : transfers) {
            NatBox from = each.from.nat;
            NatBox to = each.to.nat;
            if (from == null || to == null || !canMeet(from.behavior(), to.behavior())) continue;
            String way = each.from.cores.links instanceof RealLinks links ? links.way(each.to.id) : "";
            if (way.isEmpty()) continue; // idle since, and given up
            can++;
            if (way.equals("direct")) met++;
        }
        return can == 0 ? 1_000 : met * 1_000 / can;
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
