package mcc.sim;

import java.util.ArrayList;
import java.util.List;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Invariant;
import mcc.core.Rng;
import mcc.crypto.Identity;
import mcc.dht.Dht;
import mcc.dht.Signing;
import mcc.link.LinkInput;
import mcc.link.LinkOutput;
import mcc.nat.Nat;
import mcc.registry.Registration;
import mcc.registry.Registry;
import mcc.wire.Contact;

/**
 * A whole network in one thread and virtual time: nodes with the shipped cores and wiring, and a network between them. Only
 * the links differ between the two fidelities.
 */
final class World {
    static final long MS = 1_000_000;
    static final long SECOND = 1_000 * MS;
    static final long MINUTE = 60 * SECOND;
    static final Bytes NETWORK = Bytes.utf8("sim");
    /** Real keys cost too much time for more nodes. */
    static final int PACKET_NODES_MAX = 1_000;

    private static final long EPOCH_MS = 1_800_000_000_000L;
    private static final int BOOTSTRAPS = 3;
    private static final int WORLD = -1;

    /** Hears everything that the wiring sends to the host of a node. */
    interface Host {
        void heard(SimNode node, Object output);
    }

    final Options options;
    final Rng rng;
    final List<SimNode> nodes;
    final Network network;
    final Liars liars;
    final Mailboxes mailboxes;
    final Traffic traffic = new Traffic();
    /** The counts of all nodes together; for a single node, look at its outputs. */
    final Counters counters = new Counters();

    private final Host host;
    private final Timeline timeline = new Timeline();
    private long nowNs;
    private long delivered;
    private long messages;
    private long calls = -1;
    private int up;

    World(int count, long seed, Options options, Host host) {
        boolean packets = options.fidelity() == Options.Fidelity.PACKETS;
        if (packets && count > PACKET_NODES_MAX) {
            throw new IllegalArgumentException(
                    "packets are simulated for at most " + PACKET_NODES_MAX + " nodes; use lookups");
        }
        this.options = options;
        this.host = host;
        rng = Rng.seeded(seed);
        nodes = new ArrayList<>(count);
        network = new Network(this, nodes, options, rng.split());
        liars = new Liars(this, rng.split());
        mailboxes = new Mailboxes(this, rng.split(), liars, options.stallPpm());
        for (int i = 0; i < count; i++) {
            Rng own = rng.split();
            SimNode node = packets ? real(i, own) : cheap(i, own);
            // The first node is everybody's way in, so it has no such fault.
            Faults faults = options.faults();
            node.liar = i > 0 && own.below(1_000) < faults.liarsPermille();
            node.oneWay = i > 0 && own.below(1_000) < faults.oneWayPermille();
            node.stale = own.below(1_000) < faults.staleAddressPermille();
            nodes.add(node);
        }
    }

    private SimNode real(int index, Rng own) {
        Identity identity = Identity.fromSeed(own.bytes(Identity.SEED_BYTES));
        return new SimNode(this, index, identity.id(), own, Signing.of(identity), identity);
    }

    private SimNode cheap(int index, Rng own) {
        Id id = Id.random(own);
        return new SimNode(this, index, id, own, new SimSigning(id), null);
    }

    long nowNs() {
        return nowNs;
    }

    long epochMs() {
        return EPOCH_MS + nowNs / MS;
    }

    /** Returns how many messages arrived; at packet fidelity, how many datagrams. */
    long delivered() {
        return delivered;
    }

    String traceHash() {
        return String.format("%016x", mailboxes.hash());
    }

    /** Counts a message that is about to be sent. */
    long countMessage() {
        return ++messages;
    }

    /** A number for a request of the scenario's own; the answer goes to the scenario. */
    long nextCall() {
        return calls--;
    }

    // ---- time -------------------------------------------------------------------------------------------------------

    /** Runs {@code what} at a point of virtual time. */
    void at(long atNs, Runnable what) {
        timeline.add(Math.max(atNs, nowNs), new Timeline.Event(WORLD, 0, 0, 0, what));
    }

    /** Hands something to the links of a node after a delay, unless the node dies before. */
    void arrive(SimNode to, long afterNs, Object what) {
        plan(to, nowNs + afterNs, Mail.OUTSIDE, Mail.LINKS, what);
    }

    private void plan(SimNode node, long atNs, int from, int to, Object what) {
        timeline.add(atNs, new Timeline.Event(node.index, node.life, from, to, what));
    }

    /** Runs everything that happens up to a point of virtual time. */
    void runUntil(long untilNs) {
        while (timeline.nextNs() <= untilNs) {
            nowNs = timeline.nextNs();
            Timeline.Event event = timeline.poll();
            if (event == null) break;
            if (event.node() == WORLD) ((Runnable) event.what()).run();
            else happen(nodes.get(event.node()), event);
        }
        nowNs = untilNs;
    }

    private void happen(SimNode node, Timeline.Event event) {
        if (!node.up || node.life != event.life()) return;
        if (event.what() == Mail.Signal.TICK) {
            if (node.armedNs != nowNs) return; // an earlier one was planned since
            node.armedNs = Core.NEVER;
            mailboxes.tick(node);
        } else if (event.what() == Mail.Signal.WAKE) {
            mailboxes.wake(node, event.to());
        } else {
            if (event.from() == Mail.OUTSIDE && event.to() == Mail.LINKS) delivered++;
            mailboxes.post(event.from(), event.to(), event.what());
        }
        arm(node, mailboxes.turn(node));
    }

    private void arm(SimNode node, int read) {
        long dueNs = node.dueNs(read);
        if (dueNs >= node.armedNs) return;
        node.armedNs = Math.max(dueNs, nowNs);
        plan(node, node.armedNs, Mail.OUTSIDE, Mail.OUTSIDE, Mail.Signal.TICK);
    }

    void wake(SimNode node, int mailbox, long afterNs) {
        plan(node, nowNs + afterNs, Mail.OUTSIDE, mailbox, Mail.Signal.WAKE);
    }

    // ---- what nodes do ----------------------------------------------------------------------------------------------

    /** Hands an input to a node from outside, now, but after everything that was planned for now. */
    void input(SimNode node, Dht.Input input) {
        plan(node, nowNs, Mail.OUTSIDE, Mail.DHT, input);
    }

    /** As for the DHT, to the registry. */
    void input(SimNode node, Registry.Input input) {
        plan(node, nowNs, Mail.OUTSIDE, Mail.REGISTRY, input);
    }

    /** As for the DHT, to the links. */
    void input(SimNode node, LinkInput input) {
        plan(node, nowNs, Mail.LINKS, Mail.LINKS, input);
    }

    /** Lets the links of a node use a stream or send a packet of the virtual interface; at packet fidelity. */
    void input(SimNode node, RealLinks.Use use) {
        plan(node, nowNs, Mail.LINKS, Mail.LINKS, use);
    }

    /** Whether a call is one of the scenario's own: those of the nodes' cores are any numbers, negative ones too. */
    boolean isOwn(long call) {
        return call < 0 && call > calls;
    }

    void heard(SimNode node, Object output) {
        host.heard(node, output);
    }

    void said(SimNode node, LinkOutput output) {
        mailboxes.said(node, output);
    }

    void joined(SimNode node) {
        if (node.joinedNs == Core.NEVER) node.joinedNs = nowNs;
    }

    /** A random node that is up and behaves as it should. */
    SimNode anyHonest() {
        SimNode node;
        do {
            node = nodes.get(rng.below(nodes.size()));
        } while (!node.isHonest());
        return node;
    }

    // ---- lives ------------------------------------------------------------------------------------------------------

    /** Starts a node that joins by three random nodes that are up; the first node needs none. */
    void start(SimNode node) {
        List<Address> bootstrap = bootstrap(node);
        node.up = true;
        up++;
        boolean meets = !bootstrap.isEmpty();
        input(node, new LinkInput.WallClock(epochMs()));
        input(node, new Registry.Input.Clock(epochMs()));
        input(node, new Dht.Input.Start(node.contact, List.of(), List.of(), meets, epochMs()));
        tellAddresses(node);
        if (meets) node.cores.first.begin(bootstrap);
        if (node.liar) liars.begin(node);
    }

    private void tellAddresses(SimNode node) {
        if (node.cores.nat == null) {
            input(node, new Dht.Input.SelfAddresses(node.told()));
            input(node, new Registry.Input.SelfAddresses(node.told()));
        } else {
            plan(node, nowNs, Mail.OUTSIDE, Mail.NAT, new Nat.Input.Local(node.told()));
        }
    }

    /**
     * Restarts one core of a node, as a node does with a verticle that threw: it knows nothing but what its verticle has, and
     * what others tell it again.
     */
    void restart(SimNode node, int mailbox) {
        boolean none =
                mailbox == Mail.NAT && node.cores.nat == null || mailbox == Mail.RELAY && node.cores.relay == null;
        if (!node.up || none) return;
        node.cores.replace(mailbox, this, node);
        mailboxes.replaced(node, mailbox);
        switch (mailbox) {
            case Mail.LINKS -> input(node, new LinkInput.WallClock(epochMs()));
            case Mail.DHT -> {
                node.joinedNs = Core.NEVER;
                var self = new Contact(node.id, List.of());
                input(node, new Dht.Input.Start(self, List.of(), List.of(), true, epochMs()));
                node.cores.first.begin(bootstrap(node));
            }
            case Mail.REGISTRY -> {
                input(node, new Registry.Input.Clock(epochMs()));
                input(node, new Registry.Input.Restore(List.copyOf(node.saved)));
            }
            default -> {}
        }
        // The interfaces are read when the links or NAT detection began; without NAT detection a node knows its
        // address.
        if (node.cores.nat == null || mailbox == Mail.LINKS || mailbox == Mail.NAT) tellAddresses(node);
        at(nowNs, () -> {
            if (!node.up) return;
            mailboxes.begun(node, mailbox);
            arm(node, mailboxes.turn(node) | 1 << mailbox);
        });
    }

    /** An app registers beside a node, which remembers it on its disk. */
    void register(SimNode node, long ticket, Registration registration) {
        node.saved.add(registration);
        input(node, new Registry.Input.Register(ticket, registration));
    }

    /** Returns the addresses by which a node joins; at least one answers, if any node is up. */
    private List<Address> bootstrap(SimNode node) {
        List<Address> out = new ArrayList<>();
        if (up == 0) return out;
        for (int tries = 0; tries < 30 && out.size() < BOOTSTRAPS; tries++) {
            SimNode other = nodes.get(rng.below(nodes.size()));
            boolean serves = other.isHonest() && other != node && !out.contains(other.address());
            if (serves) out.add(other.address());
        }
        for (int i = 0; out.isEmpty() && i < nodes.size(); i++) {
            if (nodes.get(i).up) out.add(nodes.get(i).address());
        }
        for (int i = 1; i < out.size(); i++) {
            if (rng.below(1_000) < options.faults().deadBootstrapsPermille()) out.set(i, Network.silent(1 << 16 | i));
        }
        return out;
    }

    /** Ends a node without a word; its cores forget everything. */
    void kill(SimNode node) {
        if (node.up) up--;
        node.up = false;
        node.life++;
        node.forget(this);
    }

    /** Cuts a node off for a time. Its cores go on. */
    void cut(SimNode node, long forNs) {
        node.cut = true;
        at(nowNs + forNs, () -> {
            node.cut = false;
            node.backNs = nowNs;
        });
    }

    /**
     * Starts all nodes one after the other, the first ones with longer pauses; from then on they may die. Returns when the
     * last has started.
     */
    long startAll() {
        long atNs = 0;
        for (SimNode node : nodes) {
            at(atNs, () -> {
                start(node);
                live(node);
            });
            atNs += 10 * MS + 5 * SECOND / (node.index + 1);
        }
        return atNs;
    }

    /** Cuts some nodes off for a minute or two, each at a random moment of the given time. */
    void cutSome(long fromNs, long untilNs) {
        for (SimNode node : nodes) {
            if (rng.below(1_000) >= options.faults().cutOffPermille()) continue;
            long forNs = MINUTE + rng.below(MINUTE);
            at(fromNs + rng.below(untilNs - fromNs), () -> cut(node, forNs));
        }
    }

    private void live(SimNode node) {
        if (options.churnMedianMin() == 0) return;
        double halfLives = -StrictMath.log((node.rng.below(1_000_000) + 1) / 1e6) / StrictMath.log(2);
        long lifeNs = (long) (halfLives * options.churnMedianMin() * MINUTE);
        int life = node.life;
        at(nowNs + lifeNs, () -> {
            if (node.life != life) return;
            kill(node);
            at(nowNs + MINUTE + node.rng.below(4 * MINUTE), () -> {
                start(node);
                live(node);
            });
        });
    }

    /** Checks a sixteenth of the nodes every two seconds, in turn, until the run ends. */
    void checkAlways() {
        check(0);
    }

    private void check(int turn) {
        for (int i = turn & 15; i < nodes.size(); i += 16) {
            SimNode node = nodes.get(i);
            if (!node.up) continue;
            node.cores.dht.check();
            node.cores.registry.check();
            for (Dht.BucketView bucket : node.cores.dht.buckets()) {
                Invariant.check(bucket.size() <= options.bucketLimit(), "a bucket within the checker's limit");
            }
        }
        at(nowNs + 2 * SECOND, () -> check(turn + 1));
    }
}
