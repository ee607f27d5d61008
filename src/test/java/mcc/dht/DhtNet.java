package mcc.dht;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.function.BiConsumer;
import mcc.consortium.PolicyEpoch;
import mcc.consortium.Subject;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.wire.Contact;
import mcc.wire.Message;
import mcc.wire.Record;
import org.jspecify.annotations.Nullable;

/**
 * A small network of DHT cores in virtual time, with links as a node has them: a request goes to the addresses in the contact,
 * unless the two nodes have met already, and is given up after seven seconds if it reaches nobody. Some nodes may be liars,
 * some machines unreachable.
 */
final class DhtNet {
    static final Bytes NETWORK = Bytes.utf8("test");
    static final long EPOCH = 1_800_000_000_000L;
    private static final long PATIENCE_NS = 7_100 * DhtConfig.MS;

    /** One machine: an honest core, or a liar. */
    final class Node {
        final int index;
        final Id id;
        final Counters counters = new Counters();
        final List<Dht.Output> said = new ArrayList<>();
        final Set<Id> met = new HashSet<>(); // Looked up, never iterated.
        Address at;

        @Nullable
        Dht dht;

        @Nullable
        Liar liar;
        /** How long a liar takes to answer. */
        long delayNs;
        /** Whether its link is cut. */
        boolean cut;
        /** Whether a NAT lets in only those to whom it has sent. */
        boolean filtered;
        /** How far its clock is ahead. */
        long aheadMs;

        long armedNs = Long.MAX_VALUE;

        Node(int index, Id id) {
            this.index = index;
            this.id = id;
            at = Address.v4(0x20000001 + (index << 8), 9376);
        }

        Contact contact() {
            return new Contact(id, List.of(at));
        }

        /** Starts the node, or starts it again, with nothing but these contacts. */
        void start(List<Contact> bootstrap, List<Contact> snapshot, boolean meets) {
            met.clear();
            armedNs = Long.MAX_VALUE;
            dht = new Dht(DhtConfig.of(NETWORK), id, new Cheap(id), rng.split(), counters);
            input(new Dht.Input.NewPolicy(PolicyEpoch.open()));
            input(new Dht.Input.Start(contact(), bootstrap, snapshot, meets, epochMs(this)));
        }

        void input(Dht.Input input) {
            Dht core = dht;
            if (core == null) return;
            core.handle(nowNs, input);
            for (Dht.Output o = core.poll(); o != null; o = core.poll()) output(this, o);
            long dueNs = core.deadlineNs();
            if (dueNs >= armedNs) return;
            armedNs = dueNs;
            at(dueNs, () -> {
                if (dht != core || armedNs != dueNs) return;
                armedNs = Long.MAX_VALUE;
                input(new Dht.Input.Tick());
            });
        }

        <T extends Dht.Output> List<T> all(Class<T> type) {
            return said.stream().filter(type::isInstance).map(type::cast).toList();
        }

        /** What is found under a key; null when the lookup did not end in time. */
        Dht.Output.@Nullable Found find(Id key, long withinNs) {
            long ticket = tickets++;
            input(new Dht.Input.FindValue(ticket, key, Dht.Input.ALL, 256));
            return found(ticket, withinNs);
        }

        Dht.Output.@Nullable Found closest(Id target, long withinNs) {
            long ticket = tickets++;
            input(new Dht.Input.FindNode(ticket, target));
            return found(ticket, withinNs);
        }

        private Dht.Output.@Nullable Found found(long ticket, long withinNs) {
            for (long endNs = nowNs + withinNs; nowNs < endNs; runFor(10 * DhtConfig.MS)) {
                for (Dht.Output.Found f : all(Dht.Output.Found.class))
                    if (f.ticket().number() == ticket) return f;
            }
            return null;
        }

        void put(Id key, Bytes body) {
            input(new Dht.Input.Put(Ticket.ofHost(tickets++), key, id, body, 30_000, true));
        }

        /** The core; only honest nodes have one. */
        Dht core() {
            return Objects.requireNonNull(dht);
        }
    }

    /** Answers a request as it likes; null for no answer. */
    interface Liar {
        @Nullable
        Message answer(Node liar, Id asker, Message request);
    }

    private record Call(int to, Id from, long number) {}

    private record Event(long atNs, long order, Runnable what) implements Comparable<Event> {
        @Override
        public int compareTo(Event other) {
            int c = Long.compare(atNs, other.atNs);
            return c != 0 ? c : Long.compare(order, other.order);
        }
    }

    final Rng rng;
    final List<Node> nodes = new ArrayList<>();
    private final Map<Id, Node> byId = new HashMap<>(); // Looked up, never iterated.
    private final PriorityQueue<Event> queue = new PriorityQueue<>();
    private final Map<Call, Node> askers = new HashMap<>(); // Looked up, never iterated.
    private final Set<Long> cancelled = new HashSet<>(); // Looked up, never iterated.
    /** Is told of every request that is sent: who asks, and what. */
    BiConsumer<Node, Dht.Output.Ask> spy = (_, _) -> {};

    long nowNs = 1;
    long minLatencyNs = 5 * DhtConfig.MS;
    long maxLatencyNs = 40 * DhtConfig.MS;
    int lossPpm;
    private long order;
    private long tickets;

    DhtNet(long seed) {
        rng = Rng.seeded(seed);
    }

    Node add() {
        Node node = new Node(nodes.size(), Id.random(rng));
        nodes.add(node);
        byId.put(node.id, node);
        return node;
    }

    /** Adds a node that joins through the nodes that exist already. */
    Node join() {
        List<Contact> bootstrap = new ArrayList<>();
        for (Node node : nodes) if (node.liar == null && bootstrap.size() < 3) bootstrap.add(node.contact());
        Node node = add();
        node.start(bootstrap, List.of(), false);
        runFor(200 * DhtConfig.MS);
        return node;
    }

    /** Adds another machine with the same key. */
    Node twin(Node of) {
        Node node = new Node(nodes.size(), of.id);
        nodes.add(node);
        node.start(List.of(nodes.getFirst().contact()), List.of(), false);
        runFor(3 * DhtConfig.SECOND);
        return node;
    }

    /** Adds a liar, which makes itself known to everybody. */
    Node lie(Liar liar) {
        Node node = add();
        node.liar = liar;
        return node;
    }

    /** Lets the liars open a link to every other node, as anybody would who wants to be in their tables. */
    void intrude() {
        for (Node liar : nodes) {
            if (liar.liar == null) continue;
            for (Node node : nodes) if (node != liar) node.input(new Dht.Input.Up(liar.id, liar.at));
        }
    }

    void at(long atNs, Runnable what) {
        queue.add(new Event(Math.max(atNs, nowNs), order++, what));
    }

    void runFor(long ns) {
        long untilNs = nowNs + ns;
        for (Event e = queue.peek(); e != null && e.atNs <= untilNs; e = queue.peek()) {
            queue.remove();
            nowNs = Math.max(nowNs, e.atNs);
            e.what.run();
        }
        nowNs = untilNs;
    }

    long epochMs(Node node) {
        return EPOCH + nowNs / DhtConfig.MS + node.aheadMs;
    }

    private void output(Node node, Dht.Output output) {
        switch (output) {
            case Dht.Output.Ask ask -> ask(node, ask);
            case Dht.Output.Cancel cancel -> cancelled.add(cancel.call());
            case Dht.Output.Reply reply -> {
                Node to = askers.remove(new Call(node.index, reply.to(), reply.call()));
                if (to != null)
                    send(
                            node,
                            to,
                            new Dht.Input.Answered(node.id, node.at, reply.call(), reply.answer(), 1, reply.leaf()));
            }
            default -> node.said.add(output);
        }
    }

    private void ask(Node from, Dht.Output.Ask ask) {
        spy.accept(from, ask);
        Node to = byId.get(ask.to().node());
        boolean met = to != null && from.met.contains(to.id);
        boolean reached =
                to != null && (met || !to.filtered && ask.to().addresses().contains(to.at));
        if (!reached || to.cut || from.cut) {
            at(nowNs + PATIENCE_NS, () -> {
                if (!cancelled.contains(ask.call()))
                    from.input(new Dht.Input.Unanswered(ask.to().node(), ask.call()));
            });
            return;
        }
        from.met.add(to.id);
        to.met.add(from.id);
        if (to.liar == null) {
            askers.put(new Call(to.index, from.id, ask.call()), from);
            send(from, to, new Dht.Input.Asked(Subject.of(from.id), from.at, ask.call(), ask.request(), ask.leaf()));
            return;
        }
        Message answer = to.liar.answer(to, from.id, ask.request());
        if (answer != null) {
            long rttNs = 2 * latencyNs() + to.delayNs;
            at(nowNs + rttNs, () -> from.input(new Dht.Input.Answered(to.id, to.at, ask.call(), answer, rttNs)));
        }
    }

    private void send(Node from, Node to, Dht.Input input) {
        if (from.cut || rng.chance(lossPpm)) return;
        long sentNs = nowNs;
        at(nowNs + latencyNs(), () -> {
            if (to.cut) return;
            switch (input) {
                case Dht.Input.Answered a ->
                    to.input(new Dht.Input.Answered(
                            a.from(), a.at(), a.call(), a.answer(), 2 * (nowNs - sentNs), a.leaf()));
                default -> to.input(input);
            }
        });
    }

    private long latencyNs() {
        return minLatencyNs + rng.below((int) (maxLatencyNs - minLatencyNs));
    }

    /** Signs by a hash; a node's position is its ID, so that a liar can make up neighbours of any target. */
    record Cheap(Id self) implements Signing {
        @Override
        public Bytes sign(byte[] message) {
            return mark(self, message);
        }

        @Override
        public boolean verify(Id writer, byte[] message, Bytes signature) {
            return mark(writer, message).equals(signature);
        }

        @Override
        public Id position(Id node) {
            return node;
        }

        private static Bytes mark(Id writer, byte[] message) {
            byte[] out = new byte[mcc.wire.Limits.SIGNATURE_BYTES];
            writer.write(out, 0);
            int hash = Arrays.hashCode(message);
            for (int i = 0; i < 4; i++) out[32 + i] = (byte) (hash >>> 8 * i);
            return Bytes.owning(out);
        }
    }

    Record record(Node writer, Id key, Id slot, Bytes body, long seq) {
        var content = new Record.Content(
                key, writer.id, slot, seq, EPOCH + nowNs / DhtConfig.MS, 600_000, 30_000, Bytes.EMPTY, body);
        return Record.sign(content, NETWORK, new Cheap(writer.id)::sign);
    }
}
