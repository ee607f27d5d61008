package mcc.link;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import mcc.core.Address;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Knock;
import mcc.stream.Stream;
import mcc.wire.Contact;
import mcc.wire.Handshakes;
import mcc.wire.Message;
import mcc.wire.Relayed;
import mcc.wire.pb.Control;
import org.junit.jupiter.api.Test;

/** Two nodes that do not reach each other, and a relay that both reach. */
class CircuitTest extends VirtualNet {
    private static final long FOR_A = 0x1111_2222_3333_4444L;
    private static final long FOR_B = 0x5555_6666_7777_8888L;

    private final Host a = host("192.0.2.1:1");
    private final Host b = host("198.51.100.2:2");
    private final Host relay = host("203.0.113.3:3");
    /** Whether a and b reach each other without the relay. */
    private boolean direct;

    CircuitTest() {
        relay.links.relayBy(relay.sink);
        carried = f -> direct || f.from().equals(relay.at) || f.to().equals(relay.at);
        carries = 1_300;
    }

    private static Id id(Host host) {
        return host.identity.id();
    }

    /** What a knows of b: nothing but the relay. */
    private Contact behind() {
        return new Contact(id(b), List.of(), List.of(relay.contact()));
    }

    private void meetTheRelay() {
        for (Host host : List.of(a, b)) host.input(new LinkInput.Ask(relay.contact(), 1, new Message.Ping()));
        run(SECOND);
        b.input(new LinkInput.Welcome(List.of(id(relay))));
    }

    private void bind() {
        relay.input(new LinkInput.Bind(id(a), FOR_A, id(b), FOR_B, 0));
    }

    /** A stream from a to b, by the relay. */
    private Stream open() {
        meetTheRelay();
        Stream stream = a.links.open(now, behind());
        a.turn();
        assertThat(a.all(LinkOutput.WayWanted.class))
                .first()
                .isEqualTo(new LinkOutput.WayWanted(id(b), List.of(relay.contact()), List.of()));
        bind();
        a.input(new LinkInput.Way(id(b), id(relay), FOR_A));
        assertThat(stream).isNotNull();
        return stream;
    }

    private byte[] send(Stream stream, int bytes) {
        byte[] content = rng.bytes(bytes);
        int written = 0;
        while (written < bytes) {
            written += Math.max(0, stream.write(content, written, bytes - written));
            a.turn();
            run(50 * MS);
        }
        run(2 * SECOND);
        return content;
    }

    private static Link link(Host at, Host to) {
        Link link = at.links.find(id(to));
        assertThat(link).isNotNull();
        return link;
    }

    @Test
    void aStreamGoesThroughARelayThatCannotReadIt() {
        Set<Long> circuits = new HashSet<>();
        List<byte[]> relayed = new ArrayList<>();
        tap = f -> {
            if (!Relayed.isWellFormed(f.bytes(), 0, f.bytes().length)) return;
            circuits.add(Relayed.circuit(f.bytes(), 0));
            relayed.add(f.bytes());
        };
        Stream stream = open();
        byte[] content = send(stream, 100_000);
        assertThat(b.received.get(stream.id())).isEqualTo(content);
        assertThat(circuits).as("each end has a number of its own").containsExactlyInAnyOrder(FOR_A, FOR_B);
        assertThat(a.links.peer(id(b)).kind()).isEqualTo("relay");
        assertThat(a.links.peer(id(b)).relay()).isEqualTo(id(relay));
        assertThat(a.links.peer(id(b)).at())
                .as("a relay's address is not the peer's")
                .isNull();
        assertThat(b.links.peer(id(a)).relay()).isEqualTo(id(relay));
        for (byte[] each : relayed) {
            assertThat(indexOf(each, Arrays.copyOf(content, 16))).as("sealed").isNegative();
        }
        assertThat(relay.counters.value("relay.bytes")).isGreaterThan(100_000);
        assertThat(a.all(LinkOutput.Observed.class)).allMatch(o -> o.by().equals(id(relay)));
    }

    private static int indexOf(byte[] in, byte[] what) {
        for (int i = 0; i + what.length <= in.length; i++) {
            if (Arrays.equals(Arrays.copyOfRange(in, i, i + what.length), what)) return i;
        }
        return -1;
    }

    @Test
    void theHeaderOfARelayCountsInTheLongestDatagram() {
        carries = 1_320;
        Stream stream = open();
        send(stream, 200_000);
        assertThat(link(a, b).path.mtu.proven()).as("1,309 and 12 are too long").isEqualTo(1_232);
    }

    @Test
    void aDirectPathTakesOverAndNothingIsLost() {
        Stream stream = open();
        byte[] first = send(stream, 50_000);
        direct = true;
        link(b, a).learn(a.at);
        Link atA = link(a, b);
        atA.learn(b.at);
        atA.relays = List.of(); // where it has some, first attempts go by them alone
        a.links.initiator.begin(now, atA);
        a.turn();
        byte[] second = send(stream, 50_000);
        byte[] both = Arrays.copyOf(first, 100_000);
        System.arraycopy(second, 0, both, 50_000, 50_000);
        assertThat(b.received.get(stream.id())).isEqualTo(both);
        assertThat(a.links.peer(id(b)).kind()).isEqualTo("direct");
        assertThat(a.all(LinkOutput.StreamsLost.class)).isEmpty();
    }

    @Test
    void aKnockAtEachOthersNatOpensADirectPath() {
        Stream stream = open();
        send(stream, 10_000);
        Set<List<Address>> opened = new HashSet<>();
        carried = f -> {
            if (f.from().equals(relay.at) || f.to().equals(relay.at)) return true;
            opened.add(List.of(f.from(), f.to()));
            return opened.contains(List.of(f.to(), f.from())); // port-restricted, both
        };
        a.input(new LinkInput.Knock(id(b), b.at, PacketSink.ANY, Knock.PLAIN));
        b.input(new LinkInput.Knock(id(a), a.at, PacketSink.ANY, Knock.PLAIN));
        run(SECOND);
        assertThat(a.links.peer(id(b)).kind()).isEqualTo("direct");
        assertThat(b.links.peer(id(a)).kind()).isEqualTo("direct");
        assertThat(a.all(LinkOutput.Moved.class))
                .extracting(LinkOutput.Moved::at)
                .contains(b.at);
        assertThat(link(a, b).paths).as("one to b's address, one by the relay").hasSize(2);
    }

    @Test
    void littleIsSentToAnAddressThatNobodyProved() {
        Stream stream = open();
        send(stream, 1_000);
        direct = true;
        Address victim = Address.parse("203.0.113.66:6");
        int[] bytes = {0};
        tap = f -> {
            if (f.to().sameIp(victim)) bytes[0] += f.bytes().length + 28;
        };
        for (int i = 0; i < 6_000; i++) {
            a.input(new LinkInput.Knock(
                    id(b), new Address(victim.high(), victim.low(), 1 + i % 60_000), PacketSink.ANY, Knock.PLAIN));
            run(10 * MS);
        }
        assertThat(bytes[0]).as("in a minute").isBetween(500, 1_500);
    }

    @Test
    void aStrangersDatagramsAreNotRelayed() {
        open();
        run(SECOND);
        Host stranger = host("192.0.2.9:9");
        byte[] datagram = new byte[Relayed.HEADER_BYTES + 40];
        Relayed.writeHeader(datagram, 0, FOR_A, 40);
        long before = relay.counters.value("relay.packets");
        int[] back = {0};
        tap = f -> {
            if (f.to().equals(stranger.at)) back[0] += f.bytes().length;
        };
        for (int i = 0; i < 100; i++) {
            stranger.sink.send(relay.at, datagram, 0, datagram.length);
            run(10 * MS);
        }
        assertThat(relay.counters.value("relay.packets"))
                .as("it has the number, not the address")
                .isEqualTo(before);
        assertThat(relay.counters.value("relay.stray")).isEqualTo(100);
        assertThat(back[0]).as("at most three times what it sent").isLessThanOrEqualTo(3 * 100 * datagram.length);
        assertThat(link(relay, a).path.remote).as("and nothing has moved").isEqualTo(a.at);
    }

    @Test
    void aHandshakeIsSentByACircuitAsSoonAsThereIsOne() {
        meetTheRelay();
        long began = now;
        a.links.open(now, behind());
        a.turn();
        run(20 * MS); // the relay answers
        bind();
        a.input(new LinkInput.Way(id(b), id(relay), FOR_A));
        run(SECOND, () -> link(a, b).path != null);
        assertThat(now - began).as("before the next attempt").isLessThan(Initiator.RETRY_NS[0]);
    }

    @Test
    void aDatagramOfACircuitComesFromItsRelay() {
        Stream stream = open();
        send(stream, 1_000);
        byte[] datagram = new byte[Relayed.HEADER_BYTES + 40];
        Relayed.writeHeader(datagram, 0, FOR_B, 40);
        b.links.receive(now, datagram, 0, datagram.length, Address.parse("192.0.2.9:9"));
        assertThat(b.counters.value("link.relayed.stray")).isEqualTo(1);
    }

    @Test
    void aDirectPathThatIsProvedIsUsedThoughTheRelayIsHeard() {
        Stream stream = open();
        send(stream, 10_000);
        direct = true;
        byte[] content = rng.bytes(1 << 20);
        int written = 0;
        for (int i = 0; i < 100; i++) {
            written += Math.max(0, stream.write(content, written, content.length - written));
            if (i == 20)
                a.links.outbound.sendControl(
                        now,
                        link(a, b),
                        PacketSink.ANY,
                        b.at,
                        Control.newBuilder().setKeepalive(true));
            a.turn();
            run(10 * MS);
        }
        assertThat(a.links.peer(id(b)).kind()).isEqualTo("direct");
    }

    @Test
    void whoseAddressChangedIsFoundByItsNextDatagram() {
        Stream stream = open();
        send(stream, 10_000);
        Address moved = Address.parse("192.0.2.77:7");
        a.at = moved; // its NAT made a new mapping
        byte[] more = rng.bytes(10_000);
        stream.write(more, 0, more.length);
        a.turn();
        run(2 * SECOND);
        assertThat(b.received.get(stream.id())).hasSize(20_000);
        assertThat(link(relay, a).path.remote).isEqualTo(moved);
    }

    @Test
    void circuitsOfARelayWithoutAPlaceAreNotTaken() {
        meetTheRelay();
        b.input(new LinkInput.Welcome(List.of()));
        bind();
        a.links.open(now, behind());
        a.input(new LinkInput.Way(id(b), id(relay), FOR_A));
        run(5 * SECOND);
        assertThat(b.links.find(id(a))).isNull();
        assertThat(b.counters.value("link.relayed.unknown")).isPositive();
    }

    @Test
    void aCircuitEndsWithTheLinkToItsRelay() {
        Stream stream = open();
        send(stream, 1_000);
        a.links.end(now, link(a, relay), LinkOutput.Reason.CLOSED);
        a.turn();
        assertThat(link(a, b).path).isNull();
        assertThat(link(a, b).circuits).isEmpty();
        run(SECOND);
        assertThat(relay.all(LinkOutput.Unbound.class)).hasSize(1);
        assertThat(relay.all(LinkOutput.Unbound.class).getFirst().bytes()).isPositive();
    }

    @Test
    void aCircuitThatNobodyUsesEnds() {
        Stream stream = open();
        send(stream, 1_000);
        stream.reset(now, 0);
        a.turn();
        run(Forwards.IDLE_NS + 20 * SECOND);
        assertThat(relay.all(LinkOutput.Unbound.class)).hasSize(1);
    }

    @Test
    void aCircuitsRateIsLimited() {
        meetTheRelay();
        Stream stream = a.links.open(now, behind());
        a.turn();
        relay.input(new LinkInput.Bind(id(a), FOR_A, id(b), FOR_B, 100_000));
        a.input(new LinkInput.Way(id(b), id(relay), FOR_A));
        byte[] content = new byte[2_000_000];
        int[] written = {0};
        for (int i = 0; i < 100; i++) {
            written[0] += Math.max(0, stream.write(content, written[0], content.length - written[0]));
            a.turn();
            run(100 * MS);
        }
        assertThat(relay.counters.value("relay.bytes")).isBetween(500_000L, 1_030_000L);
        assertThat(relay.counters.value("relay.limited")).isPositive();
    }

    @Test
    void oneRelayBringsSoManyCircuitsAndNoMore() {
        meetTheRelay();
        byte[] datagram = new byte[Relayed.HEADER_BYTES + 40];
        for (int i = 1; i <= 1_000; i++) {
            Relayed.writeHeader(datagram, 0, i, 40);
            b.links.receive(now, datagram, 0, datagram.length, relay.at);
        }
        assertThat(b.counters.value("link.circuit.made")).isEqualTo(1_000);
        assertThat(b.counters.value("link.circuit.evicted")).isEqualTo(1_000 - Circuits.MAX);
    }

    @Test
    void aCircuitThatGivesWayIsNoPathAnyLonger() {
        Stream stream = open();
        send(stream, 1_000);
        assertThat(link(b, a).path.remote.isCircuit()).isTrue();
        byte[] datagram = new byte[Relayed.HEADER_BYTES + 40];
        for (int i = 1; i <= Circuits.MAX; i++) {
            Relayed.writeHeader(datagram, 0, i, 40);
            b.links.receive(now, datagram, 0, datagram.length, relay.at);
        }
        assertThat(link(b, a).path).isNull();
        assertThat(link(b, a).paths).isEmpty();
        assertThat(link(b, a).circuits).isEmpty();
    }

    @Test
    void aRelayedDatagramInARelayedOneIsMalformed() {
        meetTheRelay();
        byte[] datagram = new byte[2 * Relayed.HEADER_BYTES + 40];
        Relayed.writeHeader(datagram, 0, 7, Relayed.HEADER_BYTES + 40);
        Relayed.writeHeader(datagram, Relayed.HEADER_BYTES, 8, 40);
        b.links.receive(now, datagram, 0, datagram.length, relay.at);
        assertThat(b.counters.value("link.relayed.malformed")).isEqualTo(1);
    }

    @Test
    void whatComesByACircuitSaysNothingAboutAddresses() {
        Stream stream = open();
        send(stream, 1_000);
        Address circuit = link(a, b).path.remote;
        a.input(new LinkInput.Probe(id(b), PacketSink.ANY, circuit, LinkInput.Probe.Kind.DIAL_BACK, 5));
        a.input(new LinkInput.Probe(id(b), PacketSink.ANY, circuit, LinkInput.Probe.Kind.ECHO, 6));
        run(SECOND);
        assertThat(b.all(LinkOutput.DialledBack.class))
                .as("nobody reached b at an address")
                .isEmpty();
        assertThat(a.all(LinkOutput.Echoed.class)).isEmpty();
        assertThat(b.counters.value("link.datagram.malformed")).isEqualTo(2);
        Control.Builder observed = Control.newBuilder().setObserved(Handshakes.endpoint(Address.v4(0x01020304, 5)));
        a.links.outbound.sendControl(now, link(a, b), PacketSink.ANY, circuit, observed);
        a.turn();
        run(SECOND);
        assertThat(b.all(LinkOutput.Observed.class)).allMatch(o -> o.by().equals(id(relay)));
    }

    @Test
    void garbageDoesNoHarm() {
        open();
        run(SECOND);
        Counters counters = b.counters;
        for (int i = 0; i < 20_000; i++) {
            byte[] junk = rng.bytes(1 + rng.below(80));
            junk[0] = 0x79;
            if (junk.length > 12 && rng.below(2) == 0) {
                Relayed.writeHeader(junk, 0, rng.below(2) == 0 ? FOR_B : rng.nextLong(), junk.length - 12);
            }
            b.links.receive(now, junk, 0, junk.length, relay.at);
            relay.links.receive(now, junk, 0, junk.length, a.at);
        }
        assertThat(counters.value("link.relayed.malformed")).isPositive();
    }
}
