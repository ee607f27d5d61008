package mcc.sim;

import mcc.consortium.PolicyEpoch;
import mcc.core.Core;
import mcc.dht.Dht;
import mcc.nat.Nat;
import mcc.registry.Registry;
import org.jspecify.annotations.Nullable;

/** The cores of one node in one of its lives, and what stands beside them in the verticles of a real node. */
final class Cores {
    private static final mcc.dht.Config DHT = mcc.dht.Config.of(World.NETWORK);
    private static final PolicyEpoch OPEN = PolicyEpoch.open();
    private static final mcc.registry.Config REGISTRY = mcc.registry.Config.of(World.NETWORK, "open");

    final Dht dht;
    final Registry registry;
    final LinkLayer links;
    /** At packet fidelity; at the other a node knows its address. */
    final @Nullable Nat nat;

    final FirstContact first;

    Cores(World world, SimNode node) {
        dht = new Dht(DHT, node.id, node.signing, node.rng.split(), world.counters);
        registry = new Registry(REGISTRY, node.subject, node.rng.split(), world.counters);
        // As a verticle has it before it begins.
        dht.handle(world.nowNs(), new Dht.Input.NewPolicy(OPEN));
        registry.handle(world.nowNs(), new Registry.Input.NewPolicy(OPEN));
        links = node.identity == null ? new Latency(world, node) : new RealLinks(world, node, node.identity);
        nat = node.identity == null ? null : new Nat(world.counters);
        first = new FirstContact(world, node);
    }

    long deadlineNs(int mailbox) {
        return switch (mailbox) {
            case Mail.LINKS -> links.deadlineNs();
            case Mail.DHT -> dht.deadlineNs();
            case Mail.REGISTRY -> registry.deadlineNs();
            default -> nat == null ? Core.NEVER : nat.deadlineNs();
        };
    }
}
