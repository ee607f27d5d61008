package mcc.sim;

import mcc.consortium.PolicyEpoch;
import mcc.core.Core;
import mcc.dht.Dht;
import mcc.dht.DhtConfig;
import mcc.nat.Nat;
import mcc.registry.Registry;
import mcc.registry.RegistryConfig;
import org.jspecify.annotations.Nullable;

/** The cores of one node during one of its lives, and what a real node's verticles do beside them. */
final class Cores {
    private static final DhtConfig DHT = DhtConfig.of(World.NETWORK);
    private static final PolicyEpoch OPEN = PolicyEpoch.open();
    private static final RegistryConfig REGISTRY = RegistryConfig.of(World.NETWORK);

    final Dht dht;
    final Registry registry;
    final LinkLayer links;
    /** Only at packet fidelity; at message fidelity a node knows its own address. */
    final @Nullable Nat nat;

    final FirstContact first;

    Cores(World world, SimNode node) {
        dht = new Dht(DHT, node.id, node.signing, node.rng.split(), world.counters);
        registry = new Registry(REGISTRY, node.subject, node.rng.split(), world.counters);
        // A verticle too hands its core a policy before anything else.
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
