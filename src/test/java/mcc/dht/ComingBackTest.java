package mcc.dht;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.Id;
import mcc.wire.Contact;
import org.junit.jupiter.api.Test;

/** Nodes that lose their network and find it again, in virtual time. */
class ComingBackTest {
    private static final long SECOND = DhtConfig.SECOND;
    private static final Bytes BODY = Bytes.utf8("service");

    @Test
    void aNodeThatWasCutOffIsBackSecondsAfterItsLink() {
        for (int seed = 1; seed <= 10; seed++) {
            DhtNet net = network(seed, 6);
            DhtNet.Node lost = net.nodes.get(3);
            lost.cut = true;
            loseAll(net, lost);
            net.runFor(90 * SECOND);
            assertThat(lost.core().status().joined()).as("seed %d", seed).isFalse();
            assertThat(lost.all(Dht.Output.Alone.class)).hasSize(1);
            lost.cut = false;
            net.runFor(15 * SECOND);
            assertThat(lost.core().status().joined()).as("seed %d", seed).isTrue();
            assertThat(lost.core().status().contacts()).isGreaterThanOrEqualTo(4);
        }
    }

    @Test
    void aNodeThatAsksNothingNoticesWithinAMinuteThatItIsAlone() {
        for (int size : new int[] {2, 6, 60}) {
            DhtNet net = network(12, size);
            net.runFor(900 * SECOND);
            DhtNet.Node lost = net.nodes.getLast();
            lost.cut = true;
            net.runFor(75 * SECOND);
            assertThat(lost.core().status().joined()).as("of %d", size).isFalse();
        }
    }

    @Test
    void aNodeThatHearsOthersPingsNobody() {
        DhtNet net = network(13, 3);
        net.runFor(60 * SECOND);
        int[] pings = {0};
        net.spy = (_, ask) -> {
            if (ask.request() instanceof mcc.wire.Message.Ping) pings[0]++;
        };
        net.runFor(300 * SECOND);
        assertThat(pings[0]).as("of three nodes in five minutes").isLessThan(3 * 10 * 3 * 2);
    }

    @Test
    void afterHoursAloneItStillComesBack() {
        DhtNet net = network(1, 4);
        DhtNet.Node lost = net.nodes.get(3);
        lost.cut = true;
        loseAll(net, lost);
        net.runFor(3 * 3_600 * SECOND);
        lost.cut = false;
        net.runFor(60 * SECOND);
        assertThat(lost.core().status().joined()).isTrue();
    }

    @Test
    void theFirstPacketOrAnotherAddressEndsTheWaiting() {
        for (boolean byPacket : new boolean[] {true, false}) {
            DhtNet net = network(2, 4);
            DhtNet.Node lost = net.nodes.get(3);
            lost.cut = true;
            loseAll(net, lost);
            net.runFor(3_600 * SECOND);
            lost.cut = false;
            DhtNet.Node first = net.nodes.getFirst();
            if (byPacket) lost.input(new Dht.Input.Up(first.id, first.at));
            else lost.input(new Dht.Input.SelfAddresses(List.of(Address.v4(0x0a000001, 9))));
            net.runFor(10 * SECOND);
            assertThat(lost.core().status().joined())
                    .as("by packet: %s", byPacket)
                    .isTrue();
        }
    }

    @Test
    void whoeverAnsweredOnceIsTriedAgainAndNotTheBootstrapNodesAlone() {
        DhtNet net = network(3, 20);
        DhtNet.Node lost = net.nodes.getLast();
        net.nodes.subList(0, 10).forEach(node -> node.cut = true);
        lost.cut = true;
        loseAll(net, lost);
        net.runFor(120 * SECOND);
        lost.cut = false;
        net.runFor(30 * SECOND);
        assertThat(lost.core().status().joined()).isTrue();
    }

    @Test
    void aStartWithoutANetworkForgetsNobody() {
        DhtNet net = network(4, 6);
        DhtNet.Node node = net.nodes.getLast();
        node.input(new Dht.Input.Snapshot());
        List<Contact> saved = node.all(Dht.Output.Persist.class).getLast().snapshot();
        assertThat(saved).hasSizeGreaterThanOrEqualTo(4);
        node.cut = true;
        node.said.clear();
        node.start(List.of(), saved, false);
        net.runFor(700 * SECOND);
        node.input(new Dht.Input.Snapshot());
        assertThat(node.all(Dht.Output.Persist.class))
                .isNotEmpty()
                .allSatisfy(kept -> assertThat(kept.snapshot()).containsExactlyInAnyOrderElementsOf(saved));
        node.cut = false;
        net.runFor(40 * SECOND);
        assertThat(node.core().status().joined()).isTrue();
    }

    @Test
    void aNodeWithoutContactsSavesNone() {
        DhtNet net = new DhtNet(5);
        DhtNet.Node first = net.add();
        first.start(List.of(), List.of(), false);
        first.input(new Dht.Input.Snapshot());
        assertThat(first.all(Dht.Output.Persist.class)).isEmpty();
    }

    @Test
    void aBootstrapNodeMadeAnewIsJoinedByWhoMeetsItAndByItsOldNeighbours() {
        DhtNet net = network(6, 5);
        DhtNet.Node old = net.nodes.getFirst();
        old.cut = true;
        DhtNet.Node fresh = net.add();
        fresh.at = old.at;
        fresh.start(List.of(), List.of(), false);
        net.runFor(30 * SECOND);
        for (DhtNet.Node node : net.nodes.subList(1, 5)) node.input(new Dht.Input.Meet(List.of(fresh.contact())));
        net.runFor(10 * SECOND);
        assertThat(fresh.core().status().contacts()).isEqualTo(4);
    }

    @Test
    void twoNetworksBecomeOneWhenAnyTwoMeet() {
        DhtNet net = network(7, 5);
        List<DhtNet.Node> others = another(net, 5);
        net.nodes.get(2).input(new Dht.Input.Meet(List.of(others.get(1).contact())));
        net.runFor(700 * SECOND);
        for (DhtNet.Node node : net.nodes)
            assertThat(node.core().status().contacts()).isGreaterThanOrEqualTo(8);
    }

    @Test
    void aNodeMetDuringTheFirstLookupIsAskedToo() {
        DhtNet net = network(10, 4);
        List<DhtNet.Node> others = another(net, 4);
        DhtNet.Node late = net.add();
        late.start(List.of(), List.of(), true);
        late.input(new Dht.Input.Meet(List.of(net.nodes.getFirst().contact())));
        net.runFor(DhtConfig.MS);
        late.input(new Dht.Input.Meet(List.of(others.getFirst().contact())));
        net.runFor(10 * SECOND);
        assertThat(late.core().status().contacts()).isEqualTo(8);
    }

    @Test
    void twoLargeNetworksBecomeOneByABootstrapNodeThatWasAway() {
        DhtNet net = network(11, 20);
        List<DhtNet.Node> others = another(net, 20);
        Id key = Id.random(net.rng);
        others.get(7).put(key, BODY);
        DhtNet.Node away = others.getFirst();
        away.cut = true;
        DhtNet.Node late = net.add();
        late.start(List.of(net.nodes.getFirst().contact(), away.contact()), List.of(), false);
        net.runFor(60 * SECOND);
        assertThat(late.find(key, 10 * SECOND).records())
                .as("nobody has told it")
                .isEmpty();
        away.cut = false;
        net.runFor(900 * SECOND);
        assertThat(late.find(key, 10 * SECOND).records()).isNotEmpty();
    }

    /** Another network, which knows nothing of the first. */
    private static List<DhtNet.Node> another(DhtNet net, int size) {
        DhtNet.Node first = net.add();
        first.start(List.of(), List.of(), false);
        List<DhtNet.Node> out = new ArrayList<>(List.of(first));
        while (out.size() < size) {
            DhtNet.Node node = net.add();
            node.start(List.of(first.contact()), List.of(), false);
            out.add(node);
            net.runFor(SECOND);
        }
        net.runFor(40 * SECOND);
        return out;
    }

    @Test
    void servicesAreFoundAgainAfterEverybodyWasCutOff() {
        DhtNet net = network(8, 6);
        Id key = Id.random(net.rng);
        net.nodes.get(2).put(key, BODY);
        net.runFor(20 * SECOND);
        net.nodes.forEach(node -> node.cut = true);
        net.runFor(300 * SECOND);
        net.nodes.forEach(node -> node.cut = false);
        net.runFor(60 * SECOND);
        for (DhtNet.Node node : net.nodes) {
            Dht.Output.Found found = node.find(key, 10 * SECOND);
            assertThat(found).isNotNull();
            assertThat(found.records())
                    .as("node %d", node.index)
                    .anySatisfy(h -> assertThat(h.live()).isTrue());
        }
    }

    @Test
    void aNodeWhoseSeedsAreDeadAsksTheLivingWithinSeconds() {
        DhtNet net = network(9, 3);
        List<Contact> seeds = new ArrayList<>();
        for (int i = 0; i < 12; i++) seeds.add(new Contact(Id.random(net.rng), List.of(Address.v4(0x30000001 + i, 9))));
        seeds.add(7, net.nodes.getFirst().contact());
        DhtNet.Node late = net.add();
        late.start(seeds, List.of(), false);
        net.runFor(10 * SECOND);
        assertThat(late.core().status().joined()).isTrue();
    }

    /** The node asks every contact for something, and so learns that none answers. */
    private static void loseAll(DhtNet net, DhtNet.Node node) {
        for (int i = 0; i < 4; i++) node.closest(Id.random(net.rng), 6 * SECOND);
        net.runFor(10 * SECOND);
        assertThat(node.core().status().contacts()).isZero();
    }

    private static DhtNet network(long seed, int size) {
        DhtNet net = new DhtNet(seed);
        net.add().start(List.of(), List.of(), false);
        while (net.nodes.size() < size) net.join();
        net.runFor(40 * SECOND);
        return net;
    }
}
