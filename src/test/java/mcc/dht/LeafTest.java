package mcc.dht;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import mcc.core.Bytes;
import mcc.core.Id;
import mcc.dht.DhtNet.Node;
import mcc.wire.Contact;
import mcc.wire.Message;
import org.junit.jupiter.api.Test;

/** Nodes that strangers do not reach, among others and alone, in virtual time. */
class LeafTest {
    private static final long SECOND = DhtConfig.SECOND;
    private static final Bytes BODY = Bytes.utf8("service");

    private final List<Node> leaves = new ArrayList<>();
    private int blind;

    @Test
    void leavesAreNobodysContactsKeepNothingAndAreCalledByNobodyWhomTheyDoNotKnow() {
        for (int seed = 1; seed <= 2; seed++) {
            DhtNet net = network(seed, 20, 12);
            assertNoLeafIsKnown(net);
            watch(net);
            for (Node node : net.nodes) node.put(key(node), BODY);
            net.runFor(10 * SECOND);
            for (Node by : net.nodes) assertFound(by, leaves.get(by.index % leaves.size()));
            net.runFor(1_800 * SECOND);
            for (Node leaf : leaves) assertThat(leaf.core().status().records()).isZero();
            for (Node by : leaves) assertFound(by, leaves.getFirst());
            assertThat(blind)
                    .as("calls to nodes that cannot hear them, seed %d", seed)
                    .isZero();
            assertNoLeafIsKnown(net);
        }
    }

    @Test
    void whoBecomesALeafIsForgottenAndItsRecordsMoveAndWhoIsNoneAnyLongerIsKnownAgain() {
        for (int seed = 1; seed <= 3; seed++) {
            DhtNet net = network(seed, 30, 3);
            Node writer = leaves.getFirst();
            writer.put(key(writer), BODY);
            net.runFor(5 * SECOND);
            Node changed = net.nodes.get(7);
            assertThat(knowing(net, changed)).isGreaterThan(5);
            int holders = holders(net, writer);
            become(changed, true);
            net.runFor(30 * SECOND);
            assertThat(knowing(net, changed))
                    .as("those that it never asked, seed %d", seed)
                    .isLessThan(3);
            assertThat(holders(net, writer)).isGreaterThanOrEqualTo(Math.min(holders, 4));
            net.runFor(720 * SECOND);
            assertThat(knowing(net, changed)).as("seed %d", seed).isZero();
            become(changed, false);
            net.runFor(30 * SECOND);
            assertThat(knowing(net, changed)).as("seed %d", seed).isGreaterThan(5);
            assertFound(net.nodes.get(3), writer);
        }
    }

    @Test
    void afterARestartALeafIsForgottenAsSoonAsItKnowsAgainThatItIsOne() {
        DhtNet net = network(3, 20, 6);
        Node leaf = leaves.getLast();
        leaf.start(List.of(net.nodes.getFirst().contact()), List.of(), false);
        net.runFor(20 * SECOND);
        assertThat(knowing(net, leaf)).as("nobody knows yet that it is one").isGreaterThan(5);
        become(leaf, true);
        net.runFor(20 * SECOND);
        assertThat(knowing(net, leaf)).isZero();
    }

    @Test
    void whereOnlyTheFirstNodeIsReachedAllGoesByIt() {
        for (int seed = 1; seed <= 2; seed++) {
            DhtNet net = network(seed, 1, 12);
            watch(net);
            for (Node node : net.nodes) node.put(key(node), BODY);
            net.runFor(1_800 * SECOND);
            for (Node by : net.nodes) {
                for (Node of : net.nodes) assertFound(by, of);
            }
            assertThat(blind).as("seed %d", seed).isZero();
            Node first = net.nodes.getFirst();
            assertThat(first.core().status().joined()).isTrue();
            assertThat(first.all(Dht.Output.Alone.class)).isEmpty();
        }
    }

    @Test
    void theOnlyNodeThatIsReachedFindsItsNetworkAgainAfterARestart() {
        DhtNet net = network(2, 1, 5);
        for (Node node : net.nodes) node.put(key(node), BODY);
        net.runFor(60 * SECOND);
        Node first = net.nodes.getFirst();
        first.start(List.of(), List.of(), false);
        first.put(key(first), BODY);
        net.runFor(120 * SECOND);
        for (Node by : net.nodes) {
            for (Node of : net.nodes) assertFound(by, of);
        }
    }

    @Test
    void leavesThatAreLeftAloneKeepRecordsForEachOther() {
        for (int count : new int[] {2, 5, 20}) {
            DhtNet net = network(count, 4, count);
            for (Node a : leaves) {
                for (Node b : leaves) if (a != b) a.input(new Dht.Input.Meet(List.of(b.contact())));
                net.runFor(SECOND);
            }
            leaves.forEach(leaf -> leaf.filtered = false); // they are on one link
            for (Node leaf : leaves) leaf.put(key(leaf), BODY);
            net.runFor(10 * SECOND);
            for (Node node : net.nodes) node.cut = !leaves.contains(node);
            net.runFor(180 * SECOND);
            for (Node by : leaves) {
                assertThat(by.core().status().joined()).as("of %d", count).isTrue();
                assertFound(by, leaves.get((by.index + 1) % count));
            }
            for (Node node : net.nodes) node.cut = false;
            net.runFor(120 * SECOND);
            assertNoLeafIsKnown(net);
            for (Node by : net.nodes) assertFound(by, leaves.get(by.index % count));
        }
    }

    @Test
    void whoFalselySaysThatItIsReachedIsDroppedAsAnySilentNode() {
        DhtNet net = network(4, 12, 2);
        Node liar = leaves.getFirst();
        become(liar, false);
        net.runFor(20 * SECOND);
        assertThat(knowing(net, liar)).isPositive();
        liar.dht = null;
        for (Node node : net.nodes) node.met.remove(liar.id);
        net.runFor(1_800 * SECOND);
        assertThat(knowing(net, liar)).isZero();
    }

    @Test
    void whoChangesItsMindWithEachRequestIsPingedNoMoreOftenThanItAsks() {
        DhtNet net = network(5, 3, 0);
        Node node = net.nodes.getFirst();
        Node fickle = net.lie((_, _, request) -> request instanceof Message.Ping ? new Message.Pong() : null);
        int[] pings = {0};
        net.spy = (_, ask) -> {
            if (ask.to().node().equals(fickle.id)) pings[0]++;
        };
        for (int i = 0; i < 100; i++) {
            var subject = mcc.consortium.Subject.of(fickle.id);
            node.input(new Dht.Input.Asked(subject, fickle.at, i, new Message.Ping(), i % 2 == 0));
            net.runFor(SECOND);
            node.core().check();
        }
        assertThat(pings[0]).isBetween(1, 100);
    }

    /** Full members first, which are everybody's bootstrap nodes, then leaves, all of which know what they are. */
    private DhtNet network(int seed, int full, int count) {
        leaves.clear();
        blind = 0;
        DhtNet net = new DhtNet(seed);
        for (int i = 0; i < full; i++) net.join();
        for (int i = 0; i < count; i++) {
            List<Contact> bootstrap = new ArrayList<>();
            for (Node node : net.nodes.subList(0, Math.min(3, full))) bootstrap.add(node.contact());
            Node leaf = net.add();
            leaf.filtered = true;
            leaf.start(bootstrap, List.of(), false);
            net.runFor(2 * SECOND);
            become(leaf, true);
            leaves.add(leaf);
        }
        net.runFor(60 * SECOND);
        return net;
    }

    private static void become(Node node, boolean leaf) {
        node.input(new Dht.Input.Leaf(leaf));
    }

    /** Counts requests to leaves that never sent anything to who asks. */
    private void watch(DhtNet net) {
        net.spy = (from, ask) -> {
            for (Node leaf : leaves) {
                if (leaf.id.equals(ask.to().node()) && !leaf.met.contains(from.id)) blind++;
            }
        };
    }

    private void assertNoLeafIsKnown(DhtNet net) {
        for (Node leaf : leaves) {
            assertThat(knowing(net, leaf)).as("leaf %d", leaf.index).isZero();
        }
    }

    private static int knowing(DhtNet net, Node which) {
        int count = 0;
        for (Node node : net.nodes) {
            Dht dht = node.dht;
            if (dht == null || node == which) continue;
            for (Dht.BucketView bucket : dht.buckets()) {
                for (Dht.ContactView view : bucket.contacts())
                    if (view.contact().node().equals(which.id)) count++;
            }
        }
        return count;
    }

    private static int holders(DhtNet net, Node writer) {
        int count = 0;
        for (Node node : net.nodes) if (node != writer && node.core().status().records() > 0) count++;
        return count;
    }

    private static Id key(Node node) {
        byte[] bytes = node.id.toBytes();
        bytes[0] ^= 0x55;
        return Id.of(bytes);
    }

    private static void assertFound(Node by, Node of) {
        Dht.Output.Found found = Objects.requireNonNull(by.find(key(of), 20 * SECOND));
        assertThat(found.records())
                .as("node %d looks for the record of node %d", by.index, of.index)
                .singleElement()
                .satisfies(holding ->
                        assertThat(holding.record().content().writer()).isEqualTo(of.id));
    }
}
