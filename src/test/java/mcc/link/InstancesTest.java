package mcc.link;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import mcc.core.Address;
import mcc.crypto.Aead;
import mcc.crypto.Identity;
import mcc.stream.Stream;
import mcc.wire.Message;
import mcc.wire.pb.Datagram;
import org.junit.jupiter.api.Test;

/**
 * Which instance of a peer a link belongs to, and what ends its streams: another instance, if it is proven, and nothing else.
 */
class InstancesTest extends VirtualNet {
    private static final int AES = Aead.Suite.AES_256_GCM.code();

    private Host a;
    private Host b;
    private Stream stream;

    /** Two nodes with a stream between them whose keys have died of age, in an outage. */
    private void keysDie() {
        a = host("192.0.2.1:1");
        b = host("192.0.2.2:1");
        stream = a.links.open(now, b.contact());
        send();
        run(3_585 * SECOND);
        a.silent = true;
        run(20 * SECOND);
        a.silent = false;
        for (Host h : hosts) assertThat(h.links.find(other(h)).canSend(now)).isFalse();
    }

    private mcc.core.Id other(Host h) {
        return (h == a ? b : a).identity.id();
    }

    private void send() {
        stream.write(new byte[1_000], 0, 1_000);
        a.turn();
    }

    @Test
    void aDialOfAPeerWhoseKeysDiedBreaksNoStream() {
        keysDie();
        a.input(new LinkInput.Dial(3, b.at));
        run(SECOND, () -> !a.all(LinkOutput.Dialled.class).isEmpty());
        assertThat(a.all(LinkOutput.Dialled.class)).containsExactly(new LinkOutput.Dialled(3, b.identity.id(), b.at));
        send();
        run(SECOND);
        assertThat(b.received.get(stream.id())).hasSize(2_000);
        for (Host h : hosts) assertThat(h.all(LinkOutput.StreamsLost.class)).isEmpty();
    }

    @Test
    void aDialEndsThoughThePeerShowsItselfAndThenGoes() {
        keysDie();
        a.input(new LinkInput.Dial(3, b.at));
        run(15 * MS); // its response is on the way
        b.silent = true;
        run(60 * SECOND);
        assertThat(a.all(LinkOutput.NotDialled.class)).hasSize(1);
        assertThat(a.all(LinkOutput.StreamsLost.class)).as("after 30 s").hasSize(1);
        assertThat(a.links.peers()).isEmpty();
    }

    @Test
    void aThirdMessageOfTheSameInstanceBreaksNoStreamWithoutKeysEither() {
        keysDie();
        Host elsewhere = host("203.0.113.5:5"); // where a is now, and can be reached
        elsewhere.silent = true;
        List<Flight> seen = new ArrayList<>();
        tap = seen::add;
        dial(a.links.find(b.identity.id()).instance, elsewhere.at);
        assertThat(b.all(LinkOutput.StreamsLost.class)).isEmpty();
        assertThat(b.links.find(a.identity.id()).remoteKnown).isTrue();
        assertThat(seen)
                .as("it is called by its key there, so that each end hears which state the other has")
                .anySatisfy(f -> {
                    assertThat(f.to()).isEqualTo(elsewhere.at);
                    assertThat(Datagram.parseFrom(f.bytes()).hasInitiation()).isTrue();
                });
    }

    @Test
    void aThirdMessageOfTheSameInstanceChangesNothingOfALinkThatStands() {
        a = host("192.0.2.1:1");
        b = host("192.0.2.2:1");
        stream = a.links.open(now, b.contact());
        send();
        run(SECOND);
        long before = b.links.find(a.identity.id()).instance;
        dial(a.links.find(b.identity.id()).instance, Address.parse("203.0.113.5:5"));
        assertThat(b.links.find(a.identity.id()).instance).isEqualTo(before);
        assertThat(b.links.peer(a.identity.id()).at()).isEqualTo(a.at);
        send();
        run(SECOND);
        assertThat(b.received.get(stream.id())).hasSize(2_000);
        assertThat(b.all(LinkOutput.StreamsLost.class)).isEmpty();
    }

    @Test
    void aThirdMessageOfAnotherInstanceIsProofAndEndsStreams() {
        a = host("192.0.2.1:1");
        b = host("192.0.2.2:1");
        stream = a.links.open(now, b.contact());
        send();
        run(SECOND);
        hosts.remove(a);
        dial(a.links.find(b.identity.id()).instance + 1, a.at);
        assertThat(b.all(LinkOutput.StreamsLost.class)).hasSize(1);
    }

    @Test
    void streamsThatNobodyHeardOfSurviveTheThirdMessageOfAnotherInstance() {
        a = host("192.0.2.1:1");
        b = host("192.0.2.2:1");
        stream = b.links.open(now, a.contact());
        stream.write(new byte[1_000], 0, 1_000);
        b.turn();
        run(15 * MS);
        hosts.remove(a); // its response arrives, and it is gone
        run(SECOND);
        assertThat(b.links.find(a.identity.id()).remoteKnown).isTrue();
        dial(4711, a.at);
        assertThat(b.all(LinkOutput.StreamsLost.class)).isEmpty();
        assertThat(b.links.find(a.identity.id()).remoteInstance).isEqualTo(4711);
    }

    @Test
    void aResponderNamesTheInstanceOfItsLinkByKeyAndAFreshOneByAddress() {
        a = host("192.0.2.1:1");
        b = host("192.0.2.2:1");
        a.input(new LinkInput.Ask(b.contact(), 1, new Message.Ping()));
        run(SECOND);
        long linked = b.links.find(a.identity.id()).instance;
        ByHand hand = new ByHand("test", a.identity);
        byte[] ik = hand.ik(b.identity, 16, rng.bytes(32), hand.payload(9, AES).build());
        assertThat(hand.read(answer(ik)).answer.getInstance()).isEqualTo(linked);
        byte[] xx = hand.xx(32, rng.bytes(32));
        long first = hand.read(answer(xx)).answer.getInstance();
        assertThat(first).isNotEqualTo(linked);
        long second = hand.read(answer(hand.xx(32, rng.bytes(32)))).answer.getInstance();
        assertThat(second).isNotEqualTo(first).isNotEqualTo(linked);
        Identity stranger = Identity.fromSeed(rng.bytes(32));
        ByHand other = new ByHand("test", stranger);
        byte[] again =
                other.ik(b.identity, 48, rng.bytes(32), other.payload(9, AES).build());
        assertThat(other.read(answer(again)).answer.getInstance()).isNotEqualTo(linked);
        assertThat(b.links.find(a.identity.id()).remoteInstance)
                .as("what an initiation says counts for nothing before a packet proves it")
                .isNotEqualTo(9);
    }

    /** A first contact by address in the name of {@link #a}, whatever {@code a} itself does. */
    private void dial(long instance, Address from) {
        ByHand hand = new ByHand("test", a.identity);
        byte[] response = answer(hand.xx(64, rng.bytes(32)), from);
        byte[] last = hand.read(response).last(hand.payload(instance, AES).build());
        b.links.receive(now, last, 0, last.length, from);
        b.turn();
    }

    private byte[] answer(byte[] datagram) {
        return answer(datagram, Address.parse("203.0.113.5:5"));
    }

    /** What {@link #b} sends in answer to a datagram. */
    private byte[] answer(byte[] datagram, Address from) {
        List<byte[]> out = new ArrayList<>();
        b.links.receive(now, datagram, 0, datagram.length, from);
        b.links.handle(now, new LinkInput.Tick());
        b.links.transmit(now, (to, buf, offset, length) -> {
            if (to.equals(from)) out.add(java.util.Arrays.copyOfRange(buf, offset, offset + length));
        });
        assertThat(out).isNotEmpty();
        return out.getFirst();
    }
}
