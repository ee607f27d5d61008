package mcc.sim;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import mcc.consortium.Policy;
import mcc.core.Bytes;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Invariant;
import mcc.core.Rng;
import mcc.dht.Dht;
import mcc.link.LinkInput;
import mcc.link.LinkOutput;
import mcc.overlay.Letter;
import mcc.overlay.Wiring;
import mcc.registry.Registry;
import mcc.wire.Contact;
import mcc.wire.Message;
import mcc.wire.Rpc;

/**
 * A whole network in one thread and virtual time: a queue of (time, order, node, what happens), the DHT and registry cores as
 * they ship, their wiring as it ships, and links that are nothing but latency and loss.
 */
final class World {
    static final long MS = 1_000_000;
    static final long SECOND = 1_000 * MS;
    static final long MINUTE = 60 * SECOND;
    static final Bytes NETWORK = Bytes.utf8("sim");
    private static final long EPOCH_MS = 1_800_000_000_000L;
    /** One message in so many passes through the real codec. */
    private static final int CODEC_EVERY = 64;

    /** What happens to a node, or to the world where the node is null. */
    private record Event(long atNs, long order, int node, int life, Object what) implements Comparable<Event> {
        @Override
        public int compareTo(Event other) {
            int c = Long.compare(atNs, other.atNs);
            return c != 0 ? c : Long.compare(order, other.order);
        }
    }

    private record Tick() {}

    /** What the host of a node hears: everything that the wiring sends outside. */
    interface Host {
        void heard(SimNode node, Object output);
    }

    private static final Tick TICK = new Tick();

    final Options options;
    final Rng rng;
    final List<SimNode> nodes = new ArrayList<>();
    private final Rng network;
    private final Host host;
    private final Map<Id, SimNode> byId = new HashMap<>(); // Looked up, never iterated.
    private final Map<Id, Id> positions = SimSigning.positions();
    private final PriorityQueue<Event> queue = new PriorityQueue<>();
    private final Counters codec = new Counters();
    private long order;
    private long nowNs;
    private long hash = Hash.START;
    private long delivered;
    private long messages;

    World(int count, long seed, Options options, Host host) {
        this.options = options;
        this.host = host;
        rng = Rng.seeded(seed);
        network = rng.split();
        for (int i = 0; i < count; i++) {
            Rng own = rng.split();
            Id id = Id.random(own);
            SimNode node = new SimNode(i, id, own, dht(id, own), registry(id, own));
            nodes.add(node);
            byId.put(id, node);
        }
    }

    private Dht dht(Id id, Rng own) {
        return new Dht(
                mcc.dht.Config.of(NETWORK),
                id,
                new SimSigning(id, positions),
                Policy.open(),
                own.split(),
                new Counters());
    }

    private Registry registry(Id id, Rng own) {
        return new Registry(mcc.registry.Config.of(NETWORK, "open"), id, Policy.open(), own.split(), new Counters());
    }

    long nowNs() {
        return nowNs;
    }

    long delivered() {
        return delivered;
    }

    String traceHash() {
        return String.format("%016x", hash);
    }

    Id position(Id node) {
        return new SimSigning(node, positions).position(node);
    }

    /** Runs {@code what} at a time of the world. */
    void at(long atNs, Runnable what) {
        queue.add(new Event(Math.max(atNs, nowNs), order++, -1, 0, what));
    }

    /** Lets time pass. */
    void runUntil(long untilNs) {
        for (Event event = queue.peek(); event != null && event.atNs <= untilNs; event = queue.peek()) {
            queue.remove();
            nowNs = event.atNs;
            happen(event);
        }
        nowNs = untilNs;
    }

    private void happen(Event event) {
        if (event.node < 0) {
            ((Runnable) event.what).run();
            return;
        }
        SimNode node = nodes.get(event.node);
        if (!node.up || node.life != event.life) return;
        switch (event.what) {
            case Tick _ -> tick(node, event.atNs);
            case LinkOutput output -> {
                delivered++;
                deliver(node, Wiring.route(output));
            }
            default -> throw new IllegalStateException("nobody takes " + event.what);
        }
        arm(node);
    }

    private void tick(SimNode node, long atNs) {
        if (node.armedNs != atNs) return;
        node.armedNs = Core.NEVER;
        if (node.dht.deadlineNs() <= nowNs) handle(node, new Dht.Input.Tick());
        if (node.registry.deadlineNs() <= nowNs) handle(node, new Registry.Input.Tick());
    }

    private void arm(SimNode node) {
        long deadlineNs = Math.min(node.dht.deadlineNs(), node.registry.deadlineNs());
        if (deadlineNs >= node.armedNs) return;
        node.armedNs = Math.max(deadlineNs, nowNs);
        queue.add(new Event(node.armedNs, order++, node.index, node.life, TICK));
    }

    /** Hands an input to a node from outside. */
    void input(SimNode node, Dht.Input input) {
        handle(node, input);
        arm(node);
    }

    /** Hands an input to a node from outside. */
    void input(SimNode node, Registry.Input input) {
        handle(node, input);
        arm(node);
    }

    private void handle(SimNode node, Dht.Input input) {
        hash = Hash.mix(Hash.mix(hash, nowNs + node.index), input);
        node.dht.handle(nowNs, input);
        for (Dht.Output output = node.dht.poll(); output != null; output = node.dht.poll()) {
            if (output instanceof Dht.Output.Joined && node.joinedNs == Core.NEVER) node.joinedNs = nowNs;
            deliver(node, Wiring.route(output));
        }
    }

    private void handle(SimNode node, Registry.Input input) {
        hash = Hash.mix(Hash.mix(hash, nowNs + node.index), input);
        node.registry.handle(nowNs, input);
        for (Registry.Output output = node.registry.poll(); output != null; output = node.registry.poll()) {
            deliver(node, Wiring.route(output));
        }
    }

    private void deliver(SimNode node, List<Letter> letters) {
        for (Letter letter : letters) {
            switch (letter.content()) {
                case Dht.Input input -> handle(node, input);
                case Registry.Input input -> handle(node, input);
                case LinkInput.Ask ask -> ask(node, ask);
                case LinkInput.Reply reply -> reply(node, reply);
                case Object output -> host.heard(node, output);
            }
        }
    }

    private void ask(SimNode from, LinkInput.Ask ask) {
        from.sent(ask.call(), nowNs);
        SimNode to = byId.get(ask.to().node());
        if (to == null || !to.up || isLost()) return;
        Message request = coded(ask.call(), ask.request());
        send(from, to, new LinkOutput.Asked(from.id, from.address(), ask.call(), request));
    }

    private void reply(SimNode from, LinkInput.Reply reply) {
        SimNode to = byId.get(reply.to());
        if (to == null || !to.up || isLost()) return;
        long latencyNs = latencyNs(from, to);
        long sentNs = to.sentNs(reply.call());
        if (sentNs < 0) return;
        Message answer = coded(reply.call(), reply.answer());
        long rttNs = nowNs + latencyNs - sentNs;
        var answered = new LinkOutput.Answered(from.id, from.address(), reply.call(), answer, rttNs);
        queue.add(new Event(nowNs + latencyNs, order++, to.index, to.life, answered));
    }

    private void send(SimNode from, SimNode to, LinkOutput what) {
        queue.add(new Event(nowNs + latencyNs(from, to), order++, to.index, to.life, what));
    }

    private boolean isLost() {
        return network.chance(options.lossPpm());
    }

    private Message coded(long call, Message message) {
        if (++messages % CODEC_EVERY != 0) return message;
        byte[] bytes = Rpc.encode(new Rpc(call, message)).toArray();
        Rpc back = Rpc.decode(bytes, 0, bytes.length, codec);
        Invariant.check(back != null && back.body().equals(message), "what is sent is what arrives");
        return message;
    }

    /** Each pair has its own latency, the same both ways, give or take a tenth. */
    private long latencyNs(SimNode a, SimNode b) {
        int low = Math.min(a.index, b.index);
        int high = Math.max(a.index, b.index);
        long pair = Hash.mix(Hash.mix(Hash.START, low), high) >>> 1;
        long baseNs = (options.minLatencyMs() + pair % (options.maxLatencyMs() - options.minLatencyMs() + 1)) * MS;
        return baseNs - baseNs / 10 + network.below(baseNs / 5 + 1);
    }

    /** Starts a node by way of three random ones that are up; the first node needs none. */
    void start(SimNode node) {
        List<Contact> bootstrap = new ArrayList<>();
        for (int tries = 0; tries < 30 && bootstrap.size() < 3; tries++) {
            SimNode other = nodes.get(rng.below(nodes.size()));
            if (other.up && other != node && !bootstrap.contains(other.contact)) bootstrap.add(other.contact);
        }
        for (int i = 0; bootstrap.isEmpty() && i < nodes.size(); i++) {
            if (nodes.get(i).up) bootstrap.add(nodes.get(i).contact);
        }
        node.up = true;
        node.diedNs = Core.NEVER;
        node.joinedNs = Core.NEVER;
        node.armedNs = Core.NEVER;
        long epochMs = EPOCH_MS + nowNs / MS;
        input(node, new Dht.Input.Start(node.contact, bootstrap, List.of(), epochMs));
        input(node, new Registry.Input.SelfAddresses(node.contact.addresses()));
    }

    /** Ends a node without a word; its cores forget everything. */
    void kill(SimNode node) {
        node.up = false;
        node.life++;
        node.diedNs = nowNs;
        node.dht = dht(node.id, node.rng);
        node.registry = registry(node.id, node.rng);
    }

    /** Starts all nodes one after the other, the first ones with more time between them, and from then on lets them die. */
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

    /** Looks at every node in turn, a sixteenth of them every two seconds, until the run ends. */
    void checkAlways() {
        check(0);
    }

    private void check(int turn) {
        for (int i = turn & 15; i < nodes.size(); i += 16) {
            SimNode node = nodes.get(i);
            if (!node.up) continue;
            node.dht.check();
            node.registry.check();
            for (Dht.BucketView bucket : node.dht.buckets()) {
                Invariant.check(bucket.size() <= options.bucketLimit(), "a bucket within the checker's limit");
            }
        }
        at(nowNs + 2 * SECOND, () -> check(turn + 1));
    }
}
