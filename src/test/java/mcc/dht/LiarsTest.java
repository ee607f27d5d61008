package mcc.dht;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.wire.Contact;
import mcc.wire.Message;
import mcc.wire.Ports;
import mcc.wire.Provider;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Lookups among liars, in virtual time, over many seeds. */
class LiarsTest {
    private static final Bytes BODY = Bytes.utf8("service");
    /** Lookups for each seed. */
    private static final int LOOKUPS = 20;

    /** Which contacts a liar names when it is asked for some. */
    enum Lie {
        /** Nodes that do not exist, nearer to the target than anybody. */
        NOBODY,
        /** Nodes that exist, at addresses where they are not. */
        ELSEWHERE,
        /** Some of both kinds, and a few true ones. */
        MIXED,
        /** Nodes that do not exist; all liars name the same ones. */
        CONSPIRACY,
        /** Contacts without an address. */
        NOWHERE
    }

    @ParameterizedTest
    @EnumSource(Lie.class)
    void oneLiarAmongSixCostsNoLookup(Lie lie) {
        for (int seed = 1; seed <= 12; seed++) {
            DhtNet net = network(seed, 6, 1, lie);
            Id key = Id.random(net.rng);
            honest(net).getFirst().put(key, BODY);
            net.runFor(3 * DhtConfig.SECOND);
            for (DhtNet.Node node : honest(net)) {
                Dht.Output.Found found = node.find(key, 4 * DhtConfig.SECOND);
                assertThat(found)
                        .as("seed %d, node %d ends in time", seed, node.index)
                        .isNotNull();
                assertThat(live(found))
                        .as("seed %d, node %d", seed, node.index)
                        .containsExactly(honest(net).getFirst().id);
            }
        }
    }

    @Test
    void aLiarThatTakesItsTimeHoldsNobodyUp() {
        for (int seed = 1; seed <= 6; seed++) {
            DhtNet net = network(seed, 6, 1, Lie.MIXED);
            net.nodes.getLast().delayNs = 1_300 * DhtConfig.MS;
            Id key = Id.random(net.rng);
            honest(net).getFirst().put(key, BODY);
            net.runFor(5 * DhtConfig.SECOND);
            for (DhtNet.Node node : honest(net)) {
                Dht.Output.Found found = node.find(key, 5 * DhtConfig.SECOND);
                assertThat(found)
                        .as("seed %d, node %d ends in time", seed, node.index)
                        .isNotNull();
                assertThat(live(found)).containsExactly(honest(net).getFirst().id);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Lie.class)
    void aFifthOfAHundredNodesCostsNoLookupEither(Lie lie) {
        assertThat(missesAmongAHundred(lie, 3)).isEmpty();
    }

    /** Liars fill most places of some tables here before honest nodes do, and all eight nearest nodes may lie. */
    @ParameterizedTest
    @EnumSource(Lie.class)
    @Tag("sim")
    void overManySeedsTheyCostLessThanTwoOfAThousand(Lie lie) {
        assertThat(missesAmongAHundred(lie, 60)).hasSizeLessThan(2 * 60 * LOOKUPS / 1_000 + 1);
    }

    private static List<String> missesAmongAHundred(Lie lie, int seeds) {
        List<String> misses = new ArrayList<>();
        for (int seed = 1; seed <= seeds; seed++) {
            DhtNet net = network(seed, 100, 20, lie);
            List<DhtNet.Node> honest = honest(net);
            for (int i = 0; i < LOOKUPS; i++) {
                DhtNet.Node writer = honest.get(net.rng.below(honest.size()));
                Id key = Id.random(net.rng);
                writer.put(key, BODY);
                net.runFor(4 * DhtConfig.SECOND);
                DhtNet.Node reader = honest.get(net.rng.below(honest.size()));
                Dht.Output.Found found = reader.find(key, 6 * DhtConfig.SECOND);
                if (found == null || !live(found).contains(writer.id)) misses.add("seed " + seed + ", " + i);
            }
        }
        return misses;
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aThousandRecordsOfTwoIdentitiesUnderItsKeyHideNoService(boolean junkIsWellFormed) {
        DhtNet net = network(8, 6, 1, Lie.MIXED);
        Id key = Id.random(net.rng);
        DhtNet.Node early = honest(net).getFirst();
        DhtNet.Node late = honest(net).get(1);
        early.put(key, provider(early));
        net.runFor(3 * DhtConfig.SECOND);
        for (int i = 0; i < 2; i++) {
            DhtNet.Node junk = net.lie(new Liar(net, Lie.NOBODY)::answer);
            Bytes body = junkIsWellFormed ? provider(junk) : Bytes.utf8("x".repeat(600));
            for (int j = 0; j < 600; j++) {
                var record = new Message.Store(net.record(junk, key, Id.random(net.rng), body, j + 1));
                for (DhtNet.Node node : honest(net))
                    node.input(new Dht.Input.Asked(mcc.consortium.Subject.of(junk.id), junk.at, j, record));
            }
        }
        late.put(key, provider(late));
        net.runFor(3 * DhtConfig.SECOND);
        for (DhtNet.Node node : honest(net)) {
            long ticket = 1_000_000 + node.index;
            node.input(new Dht.Input.FindValue(Ticket.ofHost(ticket), key, Dht.Input.ALL, 256, true));
            net.runFor(6 * DhtConfig.SECOND);
            assertThat(node.all(Dht.Output.Found.class))
                    .filteredOn(found -> found.ticket().number() == ticket)
                    .singleElement()
                    .satisfies(found -> assertThat(found.records())
                            .extracting(h -> h.record().content().writer())
                            .contains(early.id, late.id));
        }
    }

    private static Bytes provider(DhtNet.Node node) {
        return new Provider(
                        node.id,
                        node.id,
                        Id.ZERO,
                        List.of(node.at),
                        Provider.Protocol.TCP,
                        Ports.UNKNOWN,
                        1,
                        0,
                        List.of(),
                        Map.of(),
                        "open",
                        "web")
                .encode();
    }

    @Test
    void aNodeThatOneLiarAloneNamedIsAskedOnce() {
        DhtNet net = network(5, 6, 1, Lie.NOBODY);
        Map<Id, Integer> asked = new HashMap<>();
        net.spy = (_, ask) -> asked.merge(ask.to().node(), 1, Integer::sum);
        honest(net).getFirst().closest(Id.random(net.rng), 20 * DhtConfig.SECOND);
        net.nodes.forEach(node -> asked.remove(node.id));
        assertThat(asked)
                .isNotEmpty()
                .allSatisfy((_, times) -> assertThat(times).isEqualTo(1));
        assertThat(asked.size()).as("a liar is believed on credit").isLessThanOrEqualTo(8);
    }

    @Test
    void contactsWithoutAnAddressAreNotAsked() {
        DhtNet net = network(5, 6, 1, Lie.NOWHERE);
        List<Contact> asked = new ArrayList<>();
        net.spy = (_, ask) -> asked.add(ask.to());
        honest(net).getFirst().closest(Id.random(net.rng), 20 * DhtConfig.SECOND);
        assertThat(asked)
                .isNotEmpty()
                .allSatisfy(to -> assertThat(to.addresses()).isNotEmpty());
    }

    private static List<Id> live(Dht.Output.Found found) {
        return found.records().stream()
                .filter(Holding::live)
                .filter(h -> h.record().content().body().equals(BODY))
                .map(h -> h.record().content().writer())
                .toList();
    }

    private static List<DhtNet.Node> honest(DhtNet net) {
        return net.nodes.stream().filter(node -> node.liar == null).toList();
    }

    private static DhtNet network(long seed, int size, int liars, Lie lie) {
        DhtNet net = new DhtNet(seed);
        net.add().start(List.of(), List.of(), false);
        for (int i = 1; i < size; i++) {
            if (i % (size / liars) == size / liars - 1) net.lie(new Liar(net, lie)::answer);
            else net.join();
        }
        net.intrude();
        net.runFor(70 * DhtConfig.SECOND);
        return net;
    }

    /** Says that it keeps records and keeps none, answers lookups for records with junk, and names contacts as it likes. */
    private record Liar(DhtNet net, Lie lie) {
        Message answer(DhtNet.Node liar, Id asker, Message request) {
            return switch (request) {
                case Message.Ping _ -> new Message.Pong();
                case Message.FindNode m -> Message.Nodes.fitting(contacts(m.target()));
                case Message.FindValue m -> {
                    var junk =
                            new Message.Held(net.record(liar, m.key(), Id.random(net.rng), Bytes.utf8("junk"), 1), 0);
                    yield Message.Values.of(List.of(junk), contacts(m.key()), 1_000, 7);
                }
                case Message.Store _ -> new Message.Stored(Message.Verdict.KEPT);
                case Message.Beat _ -> new Message.Beaten(true);
                default -> throw new IllegalStateException("asked " + request);
            };
        }

        private List<Contact> contacts(Id target) {
            List<Contact> out = new ArrayList<>();
            Rng rng = lie == Lie.CONSPIRACY ? Rng.seeded(target.w1()) : net.rng;
            for (int i = 0; i < 16; i++) out.add(contact(target, i, rng));
            out.sort((a, b) -> target.compareDistance(a.node(), b.node()));
            return out;
        }

        private Contact contact(Id target, int i, Rng rng) {
            Address dead = Address.v4(0x30000001 + (rng.below(1 << 12) << 8), 9);
            Id near = new Id(target.w0() ^ rng.below(1 << 20), rng.nextLong(), rng.nextLong(), rng.nextLong());
            DhtNet.Node node = net.nodes.get(i % net.nodes.size());
            return switch (lie) {
                case NOBODY, CONSPIRACY -> new Contact(near, List.of(dead));
                case ELSEWHERE -> new Contact(node.id, List.of(dead));
                case MIXED -> i % 3 == 0 ? node.contact() : new Contact(i % 3 == 1 ? near : node.id, List.of(dead));
                case NOWHERE -> new Contact(near, List.of());
            };
        }
    }
}
