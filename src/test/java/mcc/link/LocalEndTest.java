package mcc.link;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import mcc.core.Address;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.crypto.Aead;
import mcc.crypto.Identity;
import mcc.stream.Stream;
import mcc.stream.StreamConfig;
import mcc.wire.Contact;
import mcc.wire.Message;
import mcc.wire.Transport;
import org.junit.jupiter.api.Test;

/**
 * A host with two addresses, of which its kernel prefers the first, and a peer behind a firewall that lets in only answers to
 * what the peer sent. What the peer sends to the second address must be answered from that address.
 */
class LocalEndTest {
    private static final Address CLIENT = Address.parse("192.0.2.1:1");
    private static final Address MOVED = Address.parse("192.0.2.2:2");
    private static final List<Address> ENDS =
            List.of(Address.parse("198.51.100.1:9376"), Address.parse("203.0.113.1:9376"));

    private record Flight(Address from, Address to, byte[] bytes) {}

    private final Rng rng = Rng.seeded(5);
    private final Identity serverIdentity = Identity.fromSeed(rng.bytes(32));
    private final Links server = links(serverIdentity);
    private final Links client = links(Identity.fromSeed(rng.bytes(32)));
    private final Set<List<Address>> opened = new HashSet<>();
    private final ArrayDeque<Flight> flights = new ArrayDeque<>();
    private Address clientAt = CLIENT;
    private long now = 1;
    private int refused;
    /** The host has lost its second address. */
    private boolean secondIsGone;

    private boolean hasFirewall = true;
    private int answered;

    private Links links(Identity identity) {
        LinkConfig config = new LinkConfig("test", List.of(Aead.Suite.CHACHA20_POLY1305), 10, StreamConfig.defaults());
        Links made = OpenLinks.of(config, identity, rng.split(), new Counters());
        made.handle(1, new LinkInput.WallClock(1_800_000_000_000L));
        return made;
    }

    private final PacketSink fromServer = new PacketSink() {
        @Override
        public void send(Address to, byte[] buf, int offset, int length) {
            throw new AssertionError("without saying from where");
        }

        @Override
        public void send(int local, Address to, byte[] buf, int offset, int length, int ecn) {
            Address from = ENDS.get(Math.max(0, local - 1)); // the kernel prefers the first
            flights.add(new Flight(from, to, Arrays.copyOfRange(buf, offset, offset + length)));
        }
    };

    private final PacketSink fromClient = (to, buf, offset, length) -> {
        opened.add(List.of(clientAt, to));
        flights.add(new Flight(clientAt, to, Arrays.copyOfRange(buf, offset, offset + length)));
    };

    /** Runs both until neither has sent anything for a while. */
    private void settle() {
        for (int idle = 0; idle < 40; idle++) {
            now += 10_000_000;
            for (Links each : List.of(server, client)) {
                if (each.deadlineNs() <= now) each.handle(now, new LinkInput.Tick());
                for (LinkOutput o; (o = each.poll()) != null; ) {
                    if (o instanceof LinkOutput.Asked a) {
                        each.handle(now, new LinkInput.Reply(a.from().node(), a.call(), new Message.Pong()));
                    }
                    if (o instanceof LinkOutput.Answered) answered++;
                    if (o instanceof LinkOutput.Dialled) answered++;
                }
                each.transmit(now, each == server ? fromServer : fromClient);
            }
            for (Flight f; (f = flights.poll()) != null; ) {
                int end = ENDS.indexOf(f.to());
                if (secondIsGone && (end == 1 || f.from().equals(ENDS.get(1)))) continue;
                if (end >= 0) server.receive(now, f.bytes(), 0, f.bytes().length, f.from(), end + 1, 0);
                else if (!hasFirewall || opened.contains(List.of(f.to(), f.from())) && f.to().equals(clientAt)) {
                    client.receive(now, f.bytes(), 0, f.bytes().length, f.from());
                } else if (f.to().equals(clientAt)) refused++;
            }
        }
    }

    private void ping(Id node, List<Address> at, long call) {
        client.handle(now, new LinkInput.Ask(new Contact(node, at), call, new Message.Ping()));
        settle();
    }

    @Test
    void aFirstRequestToTheSecondAddressIsAnsweredFromThere() {
        ping(serverIdentity.id(), List.of(ENDS.get(1)), 1);
        assertThat(answered)
                .as("with keys that came early and with those that stand")
                .isEqualTo(1);
        ping(serverIdentity.id(), List.of(), 2);
        assertThat(answered).isEqualTo(2);
        assertThat(refused).isZero();
    }

    @Test
    void aNodeThatKnowsAnAddressAloneJoinsByTheSecond() {
        client.handle(now, new LinkInput.Dial(7, ENDS.get(1)));
        settle();
        assertThat(answered).isEqualTo(1);
        assertThat(refused).isZero();
    }

    @Test
    void aHostThatLosesAnAddressGoesOnFromTheOther() {
        ping(serverIdentity.id(), List.of(ENDS.get(1)), 1);
        Id peer = server.peers().getFirst().id();
        secondIsGone = true;
        hasFirewall = false;
        server.handle(now, new LinkInput.Ask(new Contact(peer, List.of()), 9, new Message.Ping()));
        for (int i = 0; i < 6; i++) settle(); // within 2.4 s it notices
        server.handle(now, new LinkInput.Ask(new Contact(peer, List.of()), 10, new Message.Ping()));
        settle();
        assertThat(answered).isEqualTo(2);
    }

    @Test
    void whatIsAskedOfAPeerThatMovedLeavesFromWhereItWasHeard() {
        ping(serverIdentity.id(), List.of(ENDS.get(1)), 1);
        clientAt = MOVED;
        ping(serverIdentity.id(), List.of(), 2);
        ping(serverIdentity.id(), List.of(), 3);
        assertThat(answered)
                .as("what crossed the move went to where it was before")
                .isBetween(2, 3);
        assertThat(server.peers().getFirst().at()).isEqualTo(MOVED);
        assertThat(refused).isZero();
    }

    /** What the server itself sends under existing keys leaves from there as well: streams, packets, probes. */
    @Test
    void whatTheHostBeginsLeavesFromWhereThePeerIsHeard() {
        ping(serverIdentity.id(), List.of(ENDS.get(1)), 1);
        Id peer = server.peers().getFirst().id();
        server.handle(now, new LinkInput.Ask(new Contact(peer, List.of()), 9, new Message.Ping()));
        Stream stream = server.open(now, new Contact(peer, List.of()));
        byte[] much = rng.bytes(100_000);
        stream.write(much, 0, much.length);
        settle();
        byte[] packet = new byte[60];
        packet[0] = 0x45;
        assertThat(server.packets().send(now, peer, Transport.PACKET, packet, 0, 60, fromServer))
                .isTrue();
        settle();
        assertThat(answered).isEqualTo(2);
        assertThat(refused).isZero();
    }
}
