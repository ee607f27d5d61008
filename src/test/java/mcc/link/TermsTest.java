package mcc.link;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import mcc.core.Address;
import mcc.crypto.Aead;
import mcc.session.Session;
import mcc.stream.Stream;
import mcc.wire.Contact;
import mcc.wire.Frames;
import mcc.wire.FramesReader;
import mcc.wire.FramesWriter;
import mcc.wire.Transport;
import mcc.wire.pb.Datagram;
import mcc.wire.pb.InitiatorPayload;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What two ends agree on in a handshake, suite and version, and that nobody between them can change it. */
class TermsTest extends VirtualNet {
    private static final int CHACHA = Aead.Suite.CHACHA20_POLY1305.code();
    private static final int AES = Aead.Suite.AES_256_GCM.code();
    private static final Address FROM = Address.parse("203.0.113.5:5");

    private final Host b = host("192.0.2.2:1");
    private final ByHand hand = new ByHand("test", mcc.crypto.Identity.fromSeed(rng.bytes(32)));

    // ---- suites -----------------------------------------------------------------------------------------------------

    @Test
    void theFirstOfferThatTheResponderKnowsIsChosenAndAloneInItsAnswer() {
        for (int[] offer : new int[][] {{AES, CHACHA}, {CHACHA, AES}, {77, AES}, {CHACHA}}) {
            int chosen = offer[0] == 77 ? AES : offer[0];
            byte[] answer = answer(ik(hand.payload(1, offer).build()));
            assertThat(hand.read(answer).answer.getSuitesList()).containsExactly(chosen);
        }
        for (int[] offer : new int[][] {{}, {77}, {0, 9}}) {
            long before = b.counters.value("link.initiation.suite");
            assertThat(answers(ik(hand.payload(1, offer).build()))).isEmpty();
            assertThat(b.counters.value("link.initiation.suite")).isEqualTo(before + 1);
        }
    }

    @Test
    void aThirdMessageNamesOneSuiteAndThatAlone() {
        assertThat(hand.read(answer(hand.xx(16, rng.bytes(32)))).answer.getSuitesList())
                .as("all that the responder knows, best first")
                .containsExactly(AES, CHACHA);
        for (int[] choice : new int[][] {{}, {AES, CHACHA}, {77}, {AES, AES}}) {
            finish(choice);
            assertThat(b.links.peers()).as(Arrays.toString(choice)).isEmpty();
        }
        finish(CHACHA);
        assertThat(b.links.peers())
                .singleElement()
                .satisfies(p -> assertThat(p.suite()).isEqualTo("CHACHA20_POLY1305"));
    }

    private void finish(int... choice) {
        byte[] last = hand.read(answer(hand.xx(16, rng.bytes(32))))
                .last(hand.payload(1, choice).build());
        b.links.receive(now, last, 0, last.length, FROM);
        b.turn();
    }

    // ---- versions ---------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @CsvSource({"0, 20", "1, 20", "2, 7", "3, 7", "-1, 7"})
    void bothGoByTheLowerOfTheirVersions(int version, int opened) {
        InitiatorPayload.Builder payload = hand.payload(1, AES);
        if (version != 0) payload.setVersion(version).setLimits(ByHand.limits(7).payload());
        byte[] answer = answer(ik(payload.build()));
        assertThat(hand.read(answer).answer.getVersion())
                .as("what the responder speaks, whatever it hears")
                .isEqualTo(2);
        Session session = hand.session(now, Aead.Suite.AES_256_GCM);
        prove(session);
        for (int i = 0; i < 20; i++) {
            Stream stream = b.links.open(now, new Contact(hand.id(), List.of(FROM)));
            stream.write(new byte[1], 0, 1);
        }
        assertThat(streams(session)).hasSize(opened);
    }

    private void prove(Session session) {
        byte[] frames = new byte[100];
        FramesWriter writer = new FramesWriter();
        writer.begin(frames, 0, 100);
        writer.packetNumber(1);
        writer.ping();
        byte[] datagram = new byte[200];
        int n = session.seal(Transport.FRAMES, frames, 0, writer.length(), datagram, 0);
        b.links.receive(now, datagram, 0, n, FROM);
        b.turn();
        flights.clear();
        assertThat(b.links.peer(hand.id()).established()).isTrue();
    }

    /** The streams that the node has reported. */
    private Set<Long> streams(Session session) {
        Set<Long> out = new TreeSet<>();
        for (byte[] datagram : answers(new byte[0])) {
            byte[] plain = new byte[1_200];
            int n = session.open(datagram, 0, datagram.length, plain, 0);
            assertThat(n).isPositive();
            FramesReader reader = new FramesReader();
            reader.begin(plain, 0, n);
            while (reader.next()) if (reader.kind() == Frames.STREAM) out.add(reader.value());
        }
        return out;
    }

    /** All that an initiator says, its version and limits too, is sealed to the responder's key and bound to its own. */
    @Test
    void noBitOfAnInitiationCanBeChangedOrLeftOutOnTheWay() {
        Host a = host("192.0.2.1:1");
        a.links.open(now, b.contact());
        a.turn();
        byte[] initiation = flights.poll().bytes();
        for (int bit = 0; bit < 8 * initiation.length; bit++) {
            byte[] bad = initiation.clone();
            bad[bit / 8] ^= (byte) (1 << bit % 8);
            assertThat(answers(bad)).as("bit " + bit).isEmpty();
        }
        for (int length = 0; length < initiation.length; length++) {
            assertThat(answers(Arrays.copyOf(initiation, length))).isEmpty();
        }
        assertThat(answers(initiation)).as("as it was").hasSize(1);
    }

    @Test
    void noBitOfAResponseCanBeChangedOrLeftOutOnTheWay() throws Exception {
        int length = response(host("192.0.2.1:1")).length;
        int noise = Datagram.parseFrom(response(host("192.0.2.3:1")))
                .getResponse()
                .getNoise()
                .size();
        for (int at = length - noise; at < length; at++) {
            Host a = host("192.0.2.4:" + at);
            byte[] bad = response(a);
            bad[at] ^= (byte) (1 << at % 8);
            a.links.receive(now, bad, 0, bad.length, b.at);
            assertThat(a.links.peer(b.identity.id()).established()).isFalse();
            assertThat(a.counters.value("link.response.forged")).isEqualTo(1);
            hosts.remove(a);
        }
        Host a = host("192.0.2.5:1");
        byte[] good = response(a);
        a.links.receive(now, good, 0, good.length, b.at);
        assertThat(a.links.peer(b.identity.id()).established()).as("as it was").isTrue();
    }

    /** The response to a node's first attempt. */
    private byte[] response(Host a) {
        now += 20 * MS;
        a.links.open(now, b.contact());
        a.turn();
        return answer(flights.poll().bytes());
    }

    private byte[] ik(InitiatorPayload payload) {
        return hand.ik(b.identity, 16, rng.bytes(32), payload);
    }

    private byte[] answer(byte[] datagram) {
        return answers(datagram).getFirst();
    }

    /** What the node sends after it received this. */
    private List<byte[]> answers(byte[] datagram) {
        now += 20 * MS; // so that it asks for no cookies
        List<byte[]> out = new ArrayList<>();
        b.links.receive(now, datagram, 0, datagram.length, FROM);
        b.links.handle(now, new LinkInput.Tick());
        b.links.transmit(now, (to, buf, offset, length) -> out.add(Arrays.copyOfRange(buf, offset, offset + length)));
        return out;
    }
}
