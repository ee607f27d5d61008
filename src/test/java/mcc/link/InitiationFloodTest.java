package mcc.link;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import mcc.core.Address;
import mcc.core.Counters;
import mcc.core.Rng;
import mcc.crypto.Aead;
import mcc.crypto.Identity;
import mcc.session.Cookies;
import mcc.stream.StreamConfig;
import mcc.wire.Contact;
import mcc.wire.Message;
import mcc.wire.pb.Cookie;
import mcc.wire.pb.Datagram;
import mcc.wire.pb.Initiation;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A responder that gets more initiations than it can answer; in virtual time, in which it has one turn each millisecond. */
class InitiationFloodTest {
    private static final long MS = 1_000_000L;
    private static final int PER_MS = 10;
    private static final long RTT_NS = 50 * MS;

    private record Sent(Address to, byte[] bytes) {}

    private final Rng rng = Rng.seeded(1);
    private final Counters counters = new Counters();
    private final Identity identity = Identity.fromSeed(rng.bytes(Identity.SEED_BYTES));
    private final Links responder = links(identity, counters);
    private final byte[] mac1Key = Cookies.mac1Key("test", identity.agreementPublic());
    private final Queue<Sent> sent = new ArrayDeque<>();
    private long now = 1;

    private Links links(Identity of, Counters counters) {
        LinkConfig config = new LinkConfig("test", List.of(Aead.Suite.AES_256_GCM), 100, StreamConfig.defaults());
        Links links = OpenLinks.of(config, of, rng.split(), counters);
        links.handle(1, new LinkInput.WallClock(1_800_000_000_000L));
        return links;
    }

    private static PacketSink to(Queue<Sent> queue) {
        return (to, buf, offset, length) -> {
            queue.add(new Sent(to, Arrays.copyOfRange(buf, offset, offset + length)));
        };
    }

    /** Gives the responder its turn, and goes on to the next millisecond. */
    private void turn() {
        responder.handle(now, new LinkInput.Tick());
        for (LinkOutput o; (o = responder.poll()) != null; ) {
            if (o instanceof LinkOutput.Asked a) {
                responder.handle(now, new LinkInput.Reply(a.from().node(), a.call(), new Message.Pong()));
            }
        }
        responder.transmit(now, to(sent));
        now += MS;
    }

    /** Sends an initiation of which only mac1 is valid, so that it costs the responder a key agreement. */
    private byte[] initiate(String from, byte[] cookie) {
        byte[] noise = rng.bytes(180);
        byte[] mac1 = Cookies.mac(mac1Key, 7, noise);
        Initiation.Builder initiation = Initiation.newBuilder()
                .setSender(7)
                .setNoise(ByteString.copyFrom(noise))
                .setMac1(ByteString.copyFrom(mac1));
        if (cookie.length > 0) initiation.setMac2(ByteString.copyFrom(Cookies.mac(cookie, 7, noise)));
        byte[] bytes = Datagram.newBuilder().setInitiation(initiation).build().toByteArray();
        responder.receive(now, bytes, 0, bytes.length, Address.parse(from));
        return mac1;
    }

    /** Has an address ask while there are too many initiations, and returns the cookie that it gets. */
    private byte[] cookie(String address) throws Exception {
        Address at = Address.parse(address);
        for (int i = 0; i < Responder.CALM_PER_SECOND; i++) initiate("198.51.100.1:" + (i + 1), new byte[0]);
        byte[] mac1 = initiate(address, new byte[0]);
        responder.transmit(now, to(sent));
        Sent reply = sent.stream().filter(s -> s.to().equals(at)).findFirst().orElseThrow();
        Cookie cookie = Datagram.parseFrom(reply.bytes()).getCookie();
        return Objects.requireNonNull(Cookies.open(
                mac1Key, mac1, cookie.getSalt().toByteArray(), cookie.getBox().toByteArray()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"203.0.113.1:9376", "[2001:db8::1]:9376"})
    void whoFloodsWithACookieHasItsShareAndOthersHaveTheirs(String attacker) throws Exception {
        byte[] cookie = cookie(attacker);
        for (int i = 0; i < 1_000; i++) {
            for (int j = 0; j < PER_MS; j++) initiate(attacker, cookie);
            turn();
        }
        int share = Responder.SOURCE_BURST + Responder.SOURCE_PER_SECOND;
        assertThat(counters.value("link.initiation.source")).isBetween(10_000L - share, 10_001L - share);
        assertThat(counters.value("link.initiation.queue-full")).isZero();
        for (int j = 0; j < 300; j++) initiate(attacker, cookie);
        assertThat(isAnswered("192.0.2.1:9376")).isTrue();
    }

    /** An IPv6 host may have all addresses of a /64. */
    @Test
    void theAddressesOfANetworkOfIPv6AreOneSource() throws Exception {
        byte[] one = cookie("[2001:db8::1]:9376");
        byte[] two = cookie("[2001:db8::2]:9376");
        byte[] other = cookie("[2001:db8:0:1::1]:9376");
        for (int i = 0; i < Responder.SOURCE_BURST; i++) initiate("[2001:db8::1]:9376", one);
        assertThat(counters.value("link.initiation.source")).isZero();
        initiate("[2001:db8::2]:9376", two);
        assertThat(counters.value("link.initiation.source")).isEqualTo(1);
        initiate("[2001:db8:0:1::1]:9376", other);
        assertThat(counters.value("link.initiation.source")).isEqualTo(1);
    }

    /**
     * The first second uses up what is answered without cookies. A node that comes later is asked for a cookie, and has to
     * wait for nothing else.
     */
    @Test
    void strangersWaitTwoRoundTripsWhileTenThousandASecondAreSpoofed() {
        List<Stranger> strangers = new ArrayList<>();
        for (int ms = 0; ms < 3_000; ms++) {
            if (ms >= 1_000 && ms % 50 == 0)
                strangers.add(new Stranger("203.0.113." + (strangers.size() + 1) + ":9376"));
            for (int j = 0; j < PER_MS; j++) {
                int source = (ms * PER_MS + j) % 4_096;
                initiate("198.18." + (source >> 8) + "." + (source & 0xff) + ":9376", new byte[0]);
            }
            for (Stranger each : strangers) each.arriveThere();
            turn();
            for (Sent each : sent) for (Stranger to : strangers) to.returns(each);
            sent.clear();
            for (Stranger each : strangers) each.turn();
        }
        assertThat(counters.value("link.cookie.sent")).isGreaterThan(25_000);
        strangers.removeIf(s -> s.beganNs + 3 * RTT_NS > now);
        assertThat(strangers)
                .hasSizeGreaterThan(30)
                .allSatisfy(s -> assertThat(s.answeredNs - s.beganNs).isBetween(RTT_NS, 2 * RTT_NS));
    }

    /**
     * An honest node, half a round trip away, that sends its first request to the responder. It has its turn after the
     * responder's.
     */
    private final class Stranger {
        private record Under(long dueNs, byte[] bytes) {}

        private final Address at;
        private final Address there = Address.parse("192.0.2.2:9376");
        private final Links links = links(Identity.fromSeed(rng.bytes(Identity.SEED_BYTES)), new Counters());
        private final Queue<Sent> out = new ArrayDeque<>();
        private final Queue<Under> going = new ArrayDeque<>();
        private final Queue<Under> coming = new ArrayDeque<>();
        private final long beganNs = now;
        private long answeredNs = Long.MAX_VALUE;

        Stranger(String at) {
            this.at = Address.parse(at);
            Contact contact = new Contact(identity.id(), List.of(there));
            links.handle(now, new LinkInput.Ask(contact, 1, new Message.Ping()));
            send();
        }

        private void send() {
            links.transmit(now, to(out));
            for (Sent s; (s = out.poll()) != null; ) going.add(new Under(now + RTT_NS / 2, s.bytes()));
        }

        void arriveThere() {
            while (!going.isEmpty() && going.peek().dueNs() <= now) {
                byte[] bytes = going.remove().bytes();
                responder.receive(now, bytes, 0, bytes.length, at);
            }
        }

        void returns(Sent each) {
            // the responder's turn was a millisecond ago
            if (each.to().equals(at)) coming.add(new Under(now + RTT_NS / 2 - MS, each.bytes()));
        }

        void turn() {
            while (!coming.isEmpty() && coming.peek().dueNs() <= now) {
                byte[] bytes = coming.remove().bytes();
                links.receive(now, bytes, 0, bytes.length, there);
            }
            links.handle(now, new LinkInput.Tick());
            for (LinkOutput o; (o = links.poll()) != null; ) {
                if (o instanceof LinkOutput.Answered) answeredNs = Math.min(answeredNs, now);
            }
            send();
        }
    }

    /** Whether an honest node is answered at once. */
    private boolean isAnswered(String address) {
        Address at = Address.parse(address);
        Links honest = links(Identity.fromSeed(rng.bytes(Identity.SEED_BYTES)), new Counters());
        Contact contact = new Contact(identity.id(), List.of(Address.parse("192.0.2.2:9376")));
        honest.handle(now, new LinkInput.Ask(contact, 1, new Message.Ping()));
        Queue<Sent> asked = new ArrayDeque<>();
        honest.transmit(now, to(asked));
        sent.clear();
        for (Sent ask : asked) responder.receive(now, ask.bytes(), 0, ask.bytes().length, at);
        turn();
        for (Sent each : sent) {
            if (each.to().equals(at))
                honest.receive(
                        now,
                        each.bytes(),
                        0,
                        each.bytes().length,
                        contact.addresses().getFirst());
        }
        for (LinkOutput o; (o = honest.poll()) != null; ) if (o instanceof LinkOutput.Answered) return true;
        return false;
    }
}
