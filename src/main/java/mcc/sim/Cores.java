package mcc.sim;

import mcc.consortium.PolicyEpoch;
import mcc.core.Core;
import mcc.core.Rng;
import mcc.dht.Dht;
import mcc.dht.DhtConfig;
import mcc.nat.Nat;
import mcc.punch.Punch;
import mcc.registry.Registry;
import mcc.registry.RegistryConfig;
import mcc.relay.Relay;
import mcc.relay.RelayConfig;
import org.jspecify.annotations.Nullable;

/** The cores of one node during one of its lives, and what a real node's verticles do beside them. */
final class Cores {
    private static final DhtConfig DHT = DhtConfig.of(World.NETWORK);
    private static final PolicyEpoch OPEN = PolicyEpoch.open();
    private static final RegistryConfig REGISTRY = RegistryConfig.of(World.NETWORK);

    Dht dht;
    Registry registry;
    LinkLayer links;
    /** Only at packet fidelity; at message fidelity a node knows its own address. */
    @Nullable
    Nat nat;

    /** Only at packet fidelity: relays carry packets. */
    @Nullable
    Relay relay;

    /** As for relays. */
    @Nullable
    Punch punch;

    FirstContact first;

    Cores(World world, SimNode node) {
        dht = dht(world, node);
        registry = registry(world, node);
        links = links(world, node);
        nat = nat(world, node);
        relay = relay(world, node);
        punch = punch(world, node);
        first = new FirstContact(world, node);
    }

    /** Replaces the core of a mailbox by one that knows nothing. */
    void replace(int mailbox, World world, SimNode node) {
        switch (mailbox) {
            case Mail.LINKS -> links = links(world, node);
            case Mail.DHT -> {
                dht = dht(world, node);
                first = new FirstContact(world, node);
            }
            case Mail.REGISTRY -> registry = registry(world, node);
            case Mail.NAT -> nat = nat(world, node);
            case Mail.RELAY -> relay = relay(world, node);
            default -> punch = punch(world, node);
        }
    }

    // A verticle too hands its core a policy before anything else.

    private static Dht dht(World world, SimNode node) {
        Dht dht = new Dht(DHT, node.id, node.signing, node.rng.split(), world.counters);
        dht.handle(world.nowNs(), new Dht.Input.NewPolicy(OPEN));
        return dht;
    }

    private static Registry registry(World world, SimNode node) {
        Registry registry = new Registry(REGISTRY, node.subject, node.rng.split(), world.counters);
        registry.handle(world.nowNs(), new Registry.Input.NewPolicy(OPEN));
        return registry;
    }

    private static LinkLayer links(World world, SimNode node) {
        return node.identity == null ? new Latency(world, node) : new RealLinks(world, node, node.identity);
    }

    private static @Nullable Nat nat(World world, SimNode node) {
        return node.identity == null ? null : new Nat(Rng.seeded(node.id.w0()), world.counters);
    }

    private static @Nullable Relay relay(World world, SimNode node) {
        if (node.identity == null) return null;
        Relay relay = new Relay(RelayConfig.DEFAULT, node.id, node.rng.split(), world.counters);
        relay.handle(world.nowNs(), new Relay.Input.NewPolicy(OPEN));
        return relay;
    }

    private static @Nullable Punch punch(World world, SimNode node) {
        return node.identity == null ? null : new Punch(node.id, node.rng.split(), world.counters);
    }

    /** Whether a node of this fidelity has the core of a mailbox. */
    boolean has(int mailbox) {
        return switch (mailbox) {
            case Mail.NAT -> nat != null;
            case Mail.RELAY -> relay != null;
            case Mail.PUNCH -> punch != null;
            default -> true;
        };
    }

    long deadlineNs(int mailbox) {
        return switch (mailbox) {
            case Mail.LINKS -> links.deadlineNs();
            case Mail.DHT -> dht.deadlineNs();
            case Mail.REGISTRY -> registry.deadlineNs();
            case Mail.NAT -> nat == null ? Core.NEVER : nat.deadlineNs();
            case Mail.RELAY -> relay == null ? Core.NEVER : relay.deadlineNs();
            default -> punch == null ? Core.NEVER : punch.deadlineNs();
        };
    }
}
