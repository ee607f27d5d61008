package mcc.link;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import mcc.core.Address;
import mcc.core.Id;
import mcc.core.Knock;
import mcc.stream.Stream;
import mcc.wire.Contact;
import mcc.wire.Message;
import mcc.wire.Relayed;
import org.junit.jupiter.api.Test;

/** Two nodes with several ways to each other, of which one fails while it is in use: as a whole, or in one direction. */
class LivenessTest extends VirtualNet {
    private static final long FOR_A = 0x1111_2222_3333_4444L;
    private static final long FOR_B = 0x5555_6666_7777_8888L;

    private final Host a = host("192.0.2.1:1");
    private final Host b = host("198.51.100.2:2");
    private final Host first = host("203.0.113.3:3");
    private final Host second = host("203.0.113.4:4");
    /** What does not pass between a and b without a relay. */
    private Predicate<Flight> lost = _ -> false;
    /** When a byte of a stream last came, at either end, and the longest that none came. */
    private long arrivedNs;

    private long stallNs;
    private int arrived;

    LivenessTest() {
        first.links.relayBy(first.sink);
        second.links.relayBy(second.sink);
        carried = f -> isOfARelay(f.from()) || isOfARelay(f.to()) || !lost.test(f);
        carries = 1_400;
    }

    private boolean isOfARelay(Address at) {
        return at.equals(first.at) || at.equals(second.at);
    }

    private static Id id(Host host) {
        return host.identity.id();
    }

    private static Link link(Host at, Host to) {
        Link link = at.links.find(id(to));
        assertThat(link).isNotNull();
        return link;
    }

    private void meetTheRelays() {
        for (Host relay : List.of(first, second)) {
            for (Host host : List.of(a, b)) host.input(new LinkInput.Ask(relay.contact(), 1, new Message.Ping()));
        }
        run(SECOND);
        b.input(new LinkInput.Welcome(List.of(id(first), id(second))));
    }

    /** Gives a and b a circuit by a relay. */
    private void join(Host relay, int number) {
        relay.input(new LinkInput.Bind(id(a), FOR_A + number, id(b), FOR_B + number, 0));
        a.input(new LinkInput.Way(id(b), id(relay), FOR_A + number));
    }

    /** A stream from a to b that goes by the first relay, with the second as another way. */
    private Stream byRelays() {
        lost = _ -> true;
        meetTheRelays();
        Stream stream = a.links.open(now, new Contact(id(b), List.of(), List.of(first.contact(), second.contact())));
        a.turn();
        join(first, 0);
        run(SECOND);
        join(second, 1);
        run(SECOND);
        assertThat(way(a, b)).isEqualTo("relay");
        return stream;
    }

    /** A stream from a to b that goes straight, with the first relay as another way. */
    private Stream straight() {
        meetTheRelays();
        Stream stream =
                a.links.open(now, new Contact(id(b), List.of(b.at), List.of(first.contact(), second.contact())));
        a.turn();
        run(4 * SECOND); // until it tries its addresses: no relay brings it there
        join(first, 0);
        run(SECOND);
        assertThat(way(a, b)).isEqualTo("direct");
        assertThat(way(b, a)).isEqualTo("direct");
        return stream;
    }

    private static String way(Host from, Host to) {
        return from.links.peer(id(to)).kind();
    }

    private static Id via(Host from, Host to) {
        return from.links.peer(id(to)).relay();
    }

    /** Sends by a stream as fast as it takes, for so long; what did not arrive then must arrive later. */
    private List<Byte> load(Host from, Stream stream, long forNs) {
        List<Byte> sent = new ArrayList<>();
        long end = now + forNs;
        while (now < end) {
            byte[] chunk = rng.bytes(2_000);
            int n = Math.max(0, stream.write(chunk, 0, chunk.length));
            for (int i = 0; i < n; i++) sent.add(chunk[i]);
            from.turn();
            run(5 * MS);
            watch(stream);
        }
        return sent;
    }

    private void watch(Stream stream) {
        int all = 0;
        for (Host host : List.of(a, b)) all += host.received.getOrDefault(stream.id(), new byte[0]).length;
        if (all != arrived || arrivedNs == 0) arrivedNs = now;
        arrived = all;
        stallNs = Math.max(stallNs, now - arrivedNs);
    }

    private void assertWhole(Host at, Stream stream, List<Byte> sent) {
        BooleanSupplier whole = () -> at.received.getOrDefault(stream.id(), new byte[0]).length == sent.size();
        run(20 * SECOND, whole);
        byte[] got = at.received.get(stream.id());
        assertThat(got).hasSize(sent.size());
        for (int i = 0; i < got.length; i++)
            if (got[i] != sent.get(i)) assertThat(i).as("differs").isNegative();
        assertThat(at.all(LinkOutput.StreamsLost.class))
                .extracting(LinkOutput.StreamsLost::peer)
                .doesNotContain(id(a), id(b));
    }

    @Test
    void aRelayThatDiesUnderLoadIsLeftAfterThreeProbeTimeouts() {
        Stream stream = byRelays();
        List<Byte> sent = load(a, stream, 2 * SECOND);
        long ptoNs = link(a, b).path.ptoNs();
        stallNs = 0;
        Host dies = via(a, b).equals(id(first)) ? first : second;
        Host spare = dies == first ? second : first;
        dies.silent = true;
        sent.addAll(load(a, stream, 2 * SECOND));
        assertThat(via(a, b)).isEqualTo(id(spare));
        assertThat(via(b, a)).isEqualTo(id(spare));
        assertThat(stallNs).as("three probe time-outs and a few round trips").isLessThan(3 * ptoNs + 250 * MS);
        assertWhole(b, stream, sent);
    }

    @Test
    void aRelayThatComesBackWithNewKeysIsLeftForTheNext() {
        Stream stream = byRelays();
        List<Byte> sent = load(a, stream, SECOND);
        Host used = via(a, b).equals(id(first)) ? first : second;
        used.restart();
        used.links.relayBy(used.sink);
        sent.addAll(load(a, stream, 5 * SECOND));
        assertThat(via(a, b)).isEqualTo(id(used == first ? second : first));
        assertThat(link(a, b).circuits).hasSize(1);
        assertThat(a.links.peer(id(used)).established())
                .as("and is known to be another")
                .isTrue();
        assertThat(a.counters.value("link.peer.restarted")).isEqualTo(1);
        assertWhole(b, stream, sent);
    }

    @Test
    void theOnlyRelayThatComesBackWithNewKeysIsUsedAgain() {
        lost = _ -> true;
        for (Host host : List.of(a, b)) host.input(new LinkInput.Ask(first.contact(), 1, new Message.Ping()));
        run(SECOND);
        b.input(new LinkInput.Welcome(List.of(id(first))));
        Stream stream = a.links.open(now, new Contact(id(b), List.of(), List.of(first.contact())));
        a.turn();
        join(first, 0);
        List<Byte> sent = load(a, stream, SECOND);
        first.restart();
        first.links.relayBy(first.sink);
        int asked = a.all(LinkOutput.WayWanted.class).size();
        long died = now;
        for (int i = 1; now < died + 10 * SECOND; i++) {
            sent.addAll(load(a, stream, SECOND / 2));
            boolean wanted = a.all(LinkOutput.WayWanted.class).size() > asked;
            boolean back = first.links.peer(id(a)) != null && first.links.peer(id(b)) != null;
            asked = a.all(LinkOutput.WayWanted.class).size();
            if (wanted && back) join(first, i);
        }
        assertThat(a.received.isEmpty() && way(a, b).equals("relay")).isTrue();
        assertWhole(b, stream, sent);
    }

    @Test
    void aDirectPathThatDiesUnderLoadIsLeftForTheRelay() {
        Stream stream = straight();
        List<Byte> sent = load(a, stream, 2 * SECOND);
        stallNs = 0;
        lost = _ -> true;
        sent.addAll(load(a, stream, 2 * SECOND));
        assertThat(way(a, b)).isEqualTo("relay");
        assertThat(stallNs).isLessThan(500 * MS);
        assertWhole(b, stream, sent);
    }

    @Test
    void theRelayCarriesTheDirectionThatIsDeadAndTheOtherGoesStraight() {
        Stream stream = straight();
        List<Byte> sent = load(a, stream, 2 * SECOND);
        stallNs = 0;
        lost = f -> f.from().equals(a.at); // b is heard, and hears nothing
        sent.addAll(load(a, stream, 5 * SECOND));
        assertThat(way(a, b)).isEqualTo("relay");
        assertThat(way(b, a)).as("what b sends arrives").isEqualTo("direct");
        assertThat(stallNs).isLessThan(2 * SECOND);
        assertThat(a.counters.value("link.path.changed.relay.direct"))
                .as("it stays there")
                .isZero();
        assertWhole(b, stream, sent);
    }

    @Test
    void acknowledgementsThatAreLostInOneDirectionGoByTheRelay() {
        Stream stream = straight();
        List<Byte> sent = load(a, stream, 2 * SECOND);
        stallNs = 0;
        lost = f -> f.from().equals(b.at); // b hears all, and a hears nothing
        sent.addAll(load(a, stream, 5 * SECOND));
        assertThat(way(b, a)).isEqualTo("relay");
        assertThat(way(a, b)).as("what a sends arrives").isEqualTo("direct");
        assertThat(stallNs).isLessThan(2 * SECOND);
        assertWhole(b, stream, sent);
    }

    @Test
    void aDeadDirectionIsFoundWhileTheRelayIsHeard() {
        Stream stream = straight();
        load(a, stream, 2 * SECOND);
        lost = f -> f.from().equals(a.at);
        long began = now;
        Address circuit = link(b, a).paths.stream()
                .map(path -> path.remote)
                .filter(Address::isCircuit)
                .findFirst()
                .orElseThrow();
        List<Byte> sent = new ArrayList<>();
        while (now < began + 2 * SECOND) {
            // b is heard by the relay all the time, whatever becomes of the direct path
            b.links.outbound.sendControl(
                    now,
                    link(b, a),
                    PacketSink.ANY,
                    circuit,
                    mcc.wire.pb.Control.newBuilder().setKeepalive(true));
            b.turn();
            sent.addAll(load(a, stream, 20 * MS));
        }
        assertThat(way(a, b)).isEqualTo("relay");
    }

    @Test
    void aDirectionThatLivesAgainIsUsedAgain() {
        Stream stream = straight();
        List<Byte> sent = load(a, stream, SECOND);
        lost = f -> f.from().equals(a.at);
        sent.addAll(load(a, stream, 3 * SECOND));
        assertThat(way(a, b)).isEqualTo("relay");
        lost = _ -> false;
        a.input(new LinkInput.Knock(id(b), b.at, PacketSink.ANY, Knock.PLAIN));
        sent.addAll(load(a, stream, SECOND));
        assertThat(way(a, b)).isEqualTo("direct");
        assertWhole(b, stream, sent);
    }

    /** Each chooses its own way: who is idle learns by the other's one packet that the straight way lives. */
    @Test
    void whoHearsAnIdlePeerStraightGoesStraightToo() {
        straight();
        for (int deadS = 1; deadS <= 16; deadS *= 2) {
            lost = _ -> true;
            for (int i = 0; i < 10 * deadS; i++) {
                a.links.paths.probe(now, link(a, b));
                b.links.paths.probe(now, link(b, a));
                run(100 * MS);
            }
            assertThat(List.of(way(a, b), way(b, a))).containsOnly("relay");
            lost = _ -> false;
            a.input(new LinkInput.Knock(id(b), b.at, PacketSink.ANY, Knock.PLAIN));
            run(SECOND);
            assertThat(way(a, b)).isEqualTo("direct");
            run(2 * deadS * SECOND, () -> way(b, a).equals("direct"));
            assertThat(way(b, a)).as("after %d s", deadS).isEqualTo("direct");
        }
    }

    /** A laptop that leaves its cable: peers whose NATs do not know its new address are reached by a relay that does not care. */
    @Test
    void aHostThatLosesAnInterfaceGoesOnByARelayFromAnother() {
        Address lostEnd = Address.parse("192.0.2.99:9");
        a.ends.put(7, lostEnd);
        for (Host each : List.of(first, second, b)) {
            each.input(new LinkInput.Ask(new Contact(id(a), List.of(lostEnd)), 1, new Message.Ping()));
            if (each != b) b.input(new LinkInput.Ask(each.contact(), 1, new Message.Ping()));
        }
        run(SECOND);
        b.input(new LinkInput.Welcome(List.of(id(first), id(second))));
        Stream stream = a.links.open(now, new Contact(id(b), List.of(), List.of(first.contact(), second.contact())));
        assertThat(stream).isNotNull();
        a.turn();
        List<Byte> sent = load(a, stream, 2 * SECOND);
        assertThat(way(a, b)).isEqualTo("direct");
        stallNs = 0;
        lost = _ -> true;
        Predicate<Flight> before = carried;
        carried = f -> !f.from().equals(lostEnd) && !f.to().equals(lostEnd) && before.test(f);
        int ways = a.all(LinkOutput.WayWanted.class).size();
        for (int i = 0; i < 100 && a.all(LinkOutput.WayWanted.class).size() == ways; i++)
            sent.addAll(load(a, stream, 10 * MS));
        a.input(new LinkInput.Ask(first.contact(), 2, new Message.Ping())); // for a circuit
        sent.addAll(load(a, stream, 300 * MS));
        assertThat(a.all(LinkOutput.Answered.class))
                .as("the relay is reached from elsewhere already")
                .anyMatch(each -> each.call() == 2);
        join(first, 0);
        sent.addAll(load(a, stream, 2 * SECOND));
        assertThat(way(a, b)).isEqualTo("relay");
        assertThat(stallNs).isLessThan(SECOND);
        assertWhole(b, stream, sent);
    }

    @Test
    void lostAnswersHereAndThereMoveNoPath() {
        Stream stream = straight();
        List<Byte> sent = load(a, stream, 2 * SECOND);
        for (int i = 0; i < 40; i++) {
            boolean toB = i % 2 == 0;
            long until = now + 60 * MS; // everything in one direction, for more than a round trip
            lost = f -> now < until && f.from().equals(toB ? a.at : b.at);
            sent.addAll(load(a, stream, 500 * MS));
        }
        assertThat(a.counters.value("link.path.changed.direct.relay")).isZero();
        assertThat(b.counters.value("link.path.changed.direct.relay")).isZero();
        assertWhole(b, stream, sent);
    }

    @Test
    void anIdlePathWhoseProbeIsLostOnceStays() {
        Stream stream = straight();
        load(a, stream, SECOND);
        int[] challenges = {0};
        lost = f -> !Relayed.looksLike(f.bytes(), 0, f.bytes().length) && challenges[0]++ % 3 == 0;
        run(300 * SECOND);
        assertThat(way(a, b)).isEqualTo("direct");
        assertThat(a.counters.value("link.path.changed.direct.relay")).isZero();
    }

    @Test
    void anIdlePairSendsLittle() {
        Stream stream = straight();
        load(a, stream, SECOND);
        run(30 * SECOND);
        int before = datagrams;
        run(600 * SECOND);
        assertThat(datagrams - before)
                .as("a challenge and its answer in 15 s, and what keeps two relays")
                .isLessThan(2 * 600 / 15 + 2 * 2 * 600 / 20 + 40);
    }

    @Test
    void aReaderWhoseNatForgetsItIsFoundAgainAtOnce() {
        straight();
        Stream stream = b.links.open(now, new Contact(id(a), List.of(a.at)));
        load(b, stream, 2 * SECOND);
        long ptoNs = link(a, b).path.ptoNs();
        Address old = a.at;
        a.at = Address.parse("192.0.2.1:77");
        stallNs = 0;
        List<Byte> sent = load(b, stream, 3 * SECOND);
        assertThat(link(b, a).path.remote).isEqualTo(a.at).isNotEqualTo(old);
        assertThat(stallNs).as("three probe time-outs").isLessThan(3 * ptoNs + 100 * MS);
        assertThat(sent).isNotEmpty();
    }

    @Test
    void aTickThatComesLateBecauseTheHostIsBusyEndsNoLink() {
        for (long lateNs : new long[] {60 * MS, 120 * MS, 250 * MS, SECOND}) {
            Host c = host("192.0.2.9:" + lateNs / MS);
            Stream stream = c.links.open(now, b.contact());
            assertThat(stream).isNotNull();
            stream.write(rng.bytes(20_000), 0, 20_000);
            c.turn();
            run(SECOND);
            b.silent = true;
            stream.write(rng.bytes(20_000), 0, 20_000);
            c.turn();
            for (int i = 0; i < 8; i++) {
                now += lateNs;
                c.links.handle(now, new LinkInput.Tick());
                c.turn();
                assertThat(c.counters.value("link.deadline.stuck"))
                        .as("%d ms late", lateNs / MS)
                        .isZero();
            }
            b.silent = false;
            c.silent = true;
            hosts.remove(c);
        }
    }
}
