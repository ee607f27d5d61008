package mcc.link;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import mcc.core.Address;
import mcc.core.Id;
import mcc.stream.Stream;
import mcc.wire.Contact;
import mcc.wire.Message;
import org.junit.jupiter.api.Test;

/** A node that has nothing but a connection of TCP to a relay, and one that has UDP. */
class CarrierTest extends VirtualNet {
    private static final Address HERE = Address.carrier(0);
    private static final Address THERE = Address.carrier(1);
    private static final Address AGAIN = Address.carrier(2);
    private static final long FOR_A = 0x1111_2222_3333_4444L;
    private static final long FOR_B = 0x5555_6666_7777_8888L;

    private final Host a = host("192.0.2.1:1");
    private final Host relay = host("203.0.113.3:3");
    private final Host b = host("198.51.100.2:2");
    /** Whether UDP of a gets through. */
    private boolean udp;

    private final List<Flight> leaked = new ArrayList<>();

    CarrierTest() {
        relay.links.relayBy(relay.sink);
        carries = 1_500;
        carried = f -> {
            boolean ofA = f.from().equals(a.at) || f.to().equals(a.at);
            if (ofA && !udp) leaked.add(f);
            return udp || !ofA;
        };
    }

    private static Id id(Host host) {
        return host.identity.id();
    }

    /** A connection between a and the relay, and the handshake through it. */
    private void connect(Address there) {
        a.carriers.put(HERE, there);
        relay.carriers.put(there, HERE);
        a.input(new LinkInput.Carried(id(relay), HERE));
        run(SECOND);
    }

    private void disconnect(Address there) {
        a.carriers.remove(HERE);
        relay.carriers.remove(there);
        relay.input(new LinkInput.CarrierEnded(there));
    }

    private static Link link(Host at, Host to) {
        Link link = at.links.find(id(to));
        assertThat(link).isNotNull();
        return link;
    }

    private void send(Stream stream, byte[] content) {
        int written = 0;
        while (written < content.length) {
            written += Math.max(0, stream.write(content, written, content.length - written));
            a.turn();
            run(50 * MS);
        }
        run(3 * SECOND);
    }

    @Test
    void theLinkToTheRelayIsLikeAnyOther() {
        connect(THERE);
        assertThat(a.all(LinkOutput.Up.class)).extracting(LinkOutput.Up::at).containsExactly(HERE);
        assertThat(relay.all(LinkOutput.Up.class)).extracting(LinkOutput.Up::at).containsExactly(THERE);
        assertThat(a.links.peer(id(relay)).kind()).isEqualTo("carrier");
        Stream stream = a.links.open(now, new Contact(id(relay), List.of()));
        byte[] content = rng.bytes(300_000);
        send(stream, content);
        assertThat(relay.received.get(stream.id())).isEqualTo(content);
        assertThat(link(a, relay).path.mtu.proven())
                .as("a message carries what Ethernet does")
                .isEqualTo(1_472);
    }

    @Test
    void nothingIsSaidOfAddressesAndNobodyIsAStranger() {
        connect(THERE);
        run(20 * SECOND);
        for (Host host : List.of(a, relay)) {
            assertThat(host.all(LinkOutput.Observed.class)).isEmpty();
            assertThat(host.all(LinkOutput.Unsolicited.class)).isEmpty();
        }
        assertThat(a.links.udpHeardNs()).isEqualTo(Long.MIN_VALUE);
        relay.input(new LinkInput.Probe(id(a), PacketSink.ANY, THERE, LinkInput.Probe.Kind.ECHO, 7));
        run(SECOND);
        assertThat(relay.all(LinkOutput.Echoed.class))
                .as("an echo by a carrier")
                .isEmpty();
    }

    @Test
    void whoIsBehindACarrierIsFoundOutByADial() {
        a.carriers.put(HERE, THERE);
        relay.carriers.put(THERE, HERE);
        a.input(new LinkInput.Dial(5, HERE));
        run(SECOND);
        assertThat(a.all(LinkOutput.Dialled.class)).containsExactly(new LinkOutput.Dialled(5, id(relay), HERE));
        assertThat(a.links.peer(id(relay)).kind()).isEqualTo("carrier");
    }

    @Test
    void aDialFindsThePathForALinkThatIsThereAlready() {
        udp = true;
        a.input(new LinkInput.Ask(relay.contact(), 1, new Message.Ping()));
        run(SECOND);
        udp = false;
        run(SECOND);
        a.carriers.put(HERE, THERE);
        relay.carriers.put(THERE, HERE);
        a.input(new LinkInput.Dial(5, HERE));
        run(SECOND);
        assertThat(a.links.peer(id(relay)).kind()).isEqualTo("carrier");
    }

    @Test
    void aBrokenConnectionThatIsMadeAgainCostsNoByte() {
        connect(THERE);
        Stream stream = a.links.open(now, new Contact(id(relay), List.of()));
        byte[] content = rng.bytes(200_000);
        int half = content.length / 2;
        send(stream, java.util.Arrays.copyOf(content, half));
        disconnect(THERE);
        assertThat(relay.links.peer(id(a)).kind()).isEqualTo("none");
        stream.write(content, half, 1_000);
        a.turn();
        run(2 * SECOND);
        connect(AGAIN);
        send(stream, java.util.Arrays.copyOfRange(content, half + 1_000, content.length));
        assertThat(relay.received.get(stream.id())).isEqualTo(content);
        assertThat(a.all(LinkOutput.StreamsLost.class)).isEmpty();
        assertThat(relay.links.peer(id(a)).kind()).isEqualTo("carrier");
    }

    @Test
    void aRelayThatWasStartedAgainIsKnownAtOnce() {
        connect(THERE);
        disconnect(THERE);
        relay.restart();
        relay.links.relayBy(relay.sink);
        connect(AGAIN);
        assertThat(relay.links.peer(id(a)).kind()).isEqualTo("carrier");
        assertThat(a.all(LinkOutput.StreamsLost.class)).as("it lost its state").isNotEmpty();
    }

    @Test
    void oneThatIsNotNoticedToBeBrokenDoesNotHoldUpTheNext() {
        connect(THERE);
        relay.carriers.remove(THERE);
        a.carriers.remove(HERE);
        run(5 * SECOND);
        connect(AGAIN);
        assertThat(link(relay, a).path.remote).isEqualTo(AGAIN);
    }

    @Test
    void packetsGoByUdpAsSoonAsItWorks() {
        connect(THERE);
        a.input(new LinkInput.Ask(relay.contact(), 1, new Message.Ping())); // its address is known after that
        run(SECOND);
        a.input(new LinkInput.TryAddresses(id(relay)));
        run(2 * SECOND);
        assertThat(a.links.peer(id(relay)).kind()).isEqualTo("carrier");
        udp = true;
        a.input(new LinkInput.TryAddresses(id(relay)));
        run(2 * SECOND);
        assertThat(a.links.peer(id(relay)).kind()).isEqualTo("direct");
        assertThat(relay.links.peer(id(a)).kind()).isEqualTo("direct");
        assertThat(a.links.udpHeardNs()).isPositive();
        a.input(new LinkInput.CarrierEnded(HERE));
        disconnect(THERE);
        run(2 * SECOND);
        assertThat(a.links.peer(id(relay)).kind()).isEqualTo("direct");
    }

    @Test
    void whereUdpStopsPacketsGoByTheCarrier() {
        udp = true;
        a.input(new LinkInput.Ask(relay.contact(), 1, new Message.Ping()));
        run(SECOND);
        Stream stream = a.links.open(now, relay.contact());
        byte[] content = rng.bytes(100_000);
        send(stream, java.util.Arrays.copyOf(content, 50_000));
        udp = false;
        run(SECOND);
        connect(THERE);
        send(stream, java.util.Arrays.copyOfRange(content, 50_000, 100_000));
        assertThat(relay.received.get(stream.id())).isEqualTo(content);
        assertThat(a.links.peer(id(relay)).kind()).isEqualTo("carrier");
    }

    @Test
    void neighboursSayNothingOfTheFirewall() {
        Host near = host("192.168.1.2:2");
        udp = true;
        a.input(new LinkInput.Ask(near.contact(), 1, new Message.Ping()));
        run(SECOND);
        assertThat(a.all(LinkOutput.Up.class)).hasSize(1);
        assertThat(a.links.udpHeardNs()).isEqualTo(Long.MIN_VALUE);
        a.input(new LinkInput.Ask(b.contact(), 2, new Message.Ping()));
        run(SECOND);
        assertThat(a.links.udpHeardNs()).isPositive();
    }

    @Test
    void aCircuitLeadsThroughTheCarrierToAnybody() {
        connect(THERE);
        relay.input(new LinkInput.Ask(b.contact(), 1, new Message.Ping()));
        run(SECOND);
        a.input(new LinkInput.Welcome(List.of(id(relay))));
        Stream stream = a.links.open(now, b.contact());
        a.turn();
        assertThat(a.all(LinkOutput.WayWanted.class))
                .as("though it has no relay")
                .contains(new LinkOutput.WayWanted(id(b), List.of(), List.of(b.at)));
        b.input(new LinkInput.Take(id(relay), FOR_B)); // b keeps no place there
        relay.input(new LinkInput.Bind(id(a), FOR_A, id(b), FOR_B, 0));
        a.input(new LinkInput.Way(id(b), id(relay), FOR_A));
        byte[] content = rng.bytes(100_000);
        send(stream, content);
        assertThat(b.received.get(stream.id())).isEqualTo(content);
        assertThat(a.links.peer(id(b)).kind()).isEqualTo("relay");
        assertThat(b.links.peer(id(a)).kind()).isEqualTo("relay");
        assertThat(leaked).as("it was tried").isNotEmpty();
    }

    @Test
    void aCircuitOfAnAskerThatRestsGivesWay() {
        connect(THERE);
        relay.input(new LinkInput.Ask(b.contact(), 1, new Message.Ping()));
        run(SECOND);
        relay.input(new LinkInput.Bind(id(a), FOR_A, id(b), FOR_B, 0));
        relay.input(new LinkInput.Spare(id(b)));
        relay.input(new LinkInput.Spare(id(a)));
        assertThat(relay.all(LinkOutput.Unbound.class))
                .as("not its own, and in use")
                .isEmpty();
        run(10 * SECOND);
        relay.input(new LinkInput.Spare(id(a)));
        assertThat(relay.all(LinkOutput.Unbound.class)).hasSize(1);
    }
}
