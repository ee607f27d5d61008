package mcc.dht;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import mcc.core.Bytes;
import mcc.core.Id;
import mcc.wire.Message;
import org.junit.jupiter.api.Test;

/** Version numbers of records, clocks that are off, and records that too few nodes keep. */
class NumbersTest {
    private static final long SECOND = DhtConfig.SECOND;
    private static final Bytes BODY = Bytes.utf8("service");

    @Test
    void afterAClockWasSetBackRecordsAreFoundAtOnceAndItIsSaid() {
        DhtNet net = network(1, 22);
        DhtNet.Node writer = net.nodes.get(4);
        writer.aheadMs = 300_000;
        restart(net, writer);
        Id key = Id.random(net.rng);
        writer.put(key, BODY);
        net.runFor(5 * SECOND);
        writer.aheadMs = 0;
        restart(net, writer);
        net.runFor(31 * SECOND); // the old record's lease is over
        writer.said.clear();
        writer.put(key, BODY);
        net.runFor(5 * SECOND);
        assertThat(writer.all(Dht.Output.Stored.class).getLast().replicas()).isGreaterThanOrEqualTo(8);
        assertThat(writer.all(Dht.Output.Renumbered.class)).isNotEmpty();
        assertThat(writer.all(Dht.Output.Twin.class)).isEmpty();
        for (DhtNet.Node reader : net.nodes.subList(6, 12)) {
            assertThat(reader.find(key, 5 * SECOND).records())
                    .singleElement()
                    .satisfies(h -> assertThat(h.live()).isTrue());
        }
    }

    @Test
    void whatWasPublishedAheadOfTimeCanBeWithdrawn() {
        DhtNet net = network(2, 10);
        DhtNet.Node writer = net.nodes.get(4);
        writer.aheadMs = 300_000;
        restart(net, writer);
        Id key = Id.random(net.rng);
        writer.put(key, BODY);
        net.runFor(5 * SECOND);
        writer.aheadMs = 0;
        restart(net, writer);
        writer.put(key, BODY);
        writer.input(new Dht.Input.Remove(Ticket.ofHost(77), key, writer.id));
        net.runFor(10 * SECOND);
        assertThat(net.nodes.get(7).find(key, 5 * SECOND).records()).isEmpty();
    }

    @Test
    void aHolderThatClaimsAnAbsurdNumberIsNotBelieved() {
        for (long claim : new long[] {Long.MAX_VALUE, DhtNet.EPOCH + 400 * 24 * 3_600_000L, 3}) {
            DhtNet net = network(3, 5);
            net.lie((liar, _, request) -> switch (request) {
                case Message.Ping _ -> new Message.Pong();
                case Message.Store _ -> new Message.Stored(Message.Verdict.OLD, claim, 0);
                default -> new Message.Nodes(List.of());
            });
            net.intrude();
            net.runFor(5 * SECOND);
            DhtNet.Node writer = net.nodes.get(2);
            writer.put(Id.random(net.rng), BODY);
            net.runFor(20 * SECOND);
            assertThat(writer.all(Dht.Output.Renumbered.class)).isEmpty();
            assertThat(writer.all(Dht.Output.Stored.class).getLast().replicas()).isGreaterThanOrEqualTo(4);
        }
    }

    @Test
    void aHolderThatAlwaysClaimsMoreCostsNoEndlessRace() {
        DhtNet net = network(4, 5);
        net.lie((liar, _, request) -> switch (request) {
            case Message.Ping _ -> new Message.Pong();
            case Message.Store m ->
                new Message.Stored(Message.Verdict.OLD, m.record().content().seq() + 1, 0);
            default -> new Message.Nodes(List.of());
        });
        net.intrude();
        net.runFor(5 * SECOND);
        DhtNet.Node writer = net.nodes.get(2);
        Id key = Id.random(net.rng);
        writer.put(key, BODY);
        net.runFor(60 * SECOND);
        assertThat(writer.all(Dht.Output.Renumbered.class)).hasSizeLessThan(10);
        assertThat(net.nodes.get(1).find(key, 5 * SECOND).records()).hasSize(1);
        assertThat(writer.all(Dht.Output.Twin.class))
                .as("one alone accuses nobody")
                .isEmpty();
    }

    @Test
    void oneKeyOnTwoMachinesIsNoticedByBothWithinAMinute() {
        DhtNet net = network(5, 12);
        DhtNet.Node one = net.nodes.get(4);
        DhtNet.Node twin = net.twin(one);
        Id key = Id.random(net.rng);
        one.put(key, BODY);
        net.runFor(5 * SECOND);
        twin.put(key, Bytes.utf8("another"));
        net.runFor(60 * SECOND);
        assertThat(one.all(Dht.Output.Twin.class)).isNotEmpty();
        assertThat(twin.all(Dht.Output.Twin.class)).isNotEmpty();
    }

    @Test
    void aClockThatIsOffIsNamedAndOneThatIsRightIsNot() {
        for (long aheadMs : new long[] {700_000, -700_000, 120_000}) {
            DhtNet net = network(6, 8);
            DhtNet.Node node = net.nodes.get(4);
            node.aheadMs = aheadMs;
            restart(net, node);
            net.runFor(60 * SECOND);
            assertThat(node.all(Dht.Output.ClockOff.class))
                    .as("%d ms", aheadMs)
                    .singleElement()
                    .satisfies(off -> {
                        assertThat(off.aheadMs()).isBetween(aheadMs - 1_000, aheadMs + 1_000);
                        assertThat(off.nodes()).isPositive();
                    });
            for (DhtNet.Node each : net.nodes) {
                if (each != node)
                    assertThat(each.all(Dht.Output.ClockOff.class)).isEmpty();
            }
            node.aheadMs = 0;
            node.input(new Dht.Input.Clock(net.epochMs(node)));
            net.runFor(5 * SECOND);
            assertThat(node.all(Dht.Output.ClockOff.class).getLast().aheadMs()).isZero();
        }
    }

    @Test
    void aMachineThatSleptAccusesNoClockAndAsksWhoIsThere() {
        DhtNet net = network(6, 8);
        for (DhtNet.Node node : net.nodes) node.aheadMs = 600_000; // their monotonic clocks stood still
        int[] pings = {0};
        net.spy = (_, ask) -> {
            if (ask.request() instanceof Message.Ping) pings[0]++;
        };
        for (DhtNet.Node node : net.nodes) node.input(new Dht.Input.Clock(net.epochMs(node)));
        assertThat(pings[0]).isGreaterThanOrEqualTo(net.nodes.size());
        net.runFor(700 * SECOND);
        for (DhtNet.Node node : net.nodes)
            assertThat(node.all(Dht.Output.ClockOff.class)).isEmpty();
    }

    @Test
    void aMachineThatSleptPublishesAnew() {
        DhtNet net = network(9, 8);
        DhtNet.Node writer = net.nodes.get(3);
        Id key = Id.random(net.rng);
        writer.put(key, BODY);
        net.runFor(20 * SECOND);
        writer.cut = true;
        net.runFor(20 * SECOND);
        // While it sleeps its cores stand still, and holders forget the record.
        for (DhtNet.Node node : net.nodes) node.aheadMs = 3_600_000;
        for (DhtNet.Node node : net.nodes) {
            if (node != writer) restart(net, node);
        }
        writer.cut = false;
        writer.input(new Dht.Input.Clock(net.epochMs(writer)));
        net.runFor(60 * SECOND);
        assertThat(net.nodes.get(6).find(key, 5 * SECOND).records())
                .singleElement()
                .satisfies(h -> assertThat(h.live()).isTrue());
    }

    /** Who never heard of a record gets it anew, not the old version, whose time of issue nobody accepts any more. */
    @Test
    void aRecordThatIsTooOldForNewHoldersIsIssuedAgainWithTheNextHeartbeats() {
        DhtNet net = network(10, 8);
        DhtNet.Node writer = net.nodes.get(3);
        Id key = Id.random(net.rng);
        writer.put(key, BODY);
        net.runFor(5 * SECOND);
        for (DhtNet.Node node : net.nodes) node.aheadMs = 3_600_000;
        writer.input(new Dht.Input.Clock(net.epochMs(writer)));
        for (DhtNet.Node node : net.nodes) {
            if (node != writer)
                node.start(List.of(writer.contact(), net.nodes.getFirst().contact()), List.of(), false);
        }
        net.runFor(15 * SECOND); // one round of heartbeats, long before half of the lease is over
        writer.cut = true; // it has the record itself
        assertThat(net.nodes.get(6).find(key, 5 * SECOND).records())
                .singleElement()
                .satisfies(h -> assertThat(h.live()).isTrue());
    }

    @Test
    void oneNodeWithAWrongClockAccusesNobody() {
        DhtNet net = network(7, 6);
        net.lie((_, _, request) -> request instanceof Message.Ping
                ? new Message.Pong(DhtNet.EPOCH + 900_000)
                : new Message.Nodes(List.of()));
        net.intrude();
        net.runFor(700 * SECOND);
        for (DhtNet.Node node : net.nodes)
            assertThat(node.all(Dht.Output.ClockOff.class)).isEmpty();
    }

    @Test
    void aRecordThatTooFewKeepIsTold() {
        DhtNet net = new DhtNet(8);
        DhtNet.Node writer = net.add();
        writer.start(List.of(), List.of(), false);
        boolean[] full = {true};
        for (int i = 0; i < 6; i++) {
            net.lie((_, _, request) -> switch (request) {
                case Message.Ping _ -> new Message.Pong();
                case Message.Store _ -> new Message.Stored(full[0] ? Message.Verdict.FULL : Message.Verdict.KEPT);
                case Message.Beat _ -> new Message.Beaten(true);
                default -> new Message.Nodes(List.of());
            });
        }
        net.intrude();
        net.runFor(5 * SECOND);
        writer.put(Id.random(net.rng), BODY);
        writer.put(Id.random(net.rng), BODY);
        net.runFor(10 * SECOND);
        assertThat(writer.all(Dht.Output.Thin.class).getLast()).isEqualTo(new Dht.Output.Thin(2));
        full[0] = false;
        net.runFor(10 * SECOND);
        assertThat(writer.all(Dht.Output.Thin.class).getLast()).isEqualTo(new Dht.Output.Thin(0));
    }

    private static void restart(DhtNet net, DhtNet.Node node) {
        node.start(List.of(net.nodes.getFirst().contact(), net.nodes.get(1).contact()), List.of(), false);
        net.runFor(3 * SECOND);
    }

    private static DhtNet network(long seed, int size) {
        DhtNet net = new DhtNet(seed);
        net.add().start(List.of(), List.of(), false);
        while (net.nodes.size() < size) net.join();
        net.runFor(40 * SECOND);
        return net;
    }
}
