package mcc.link;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.crypto.Aead;
import mcc.crypto.Identity;
import mcc.session.Cookies;
import mcc.session.Handshake;
import mcc.session.Session;
import mcc.stream.StreamConfig;
import mcc.wire.Frames;
import mcc.wire.FramesReader;
import mcc.wire.Handshakes;
import mcc.wire.Message;
import mcc.wire.Outside;
import mcc.wire.Record;
import mcc.wire.Rpc;
import mcc.wire.pb.Datagram;
import mcc.wire.pb.Initiation;
import mcc.wire.pb.InitiatorPayload;
import mcc.wire.pb.Response;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A responder and an initiator that puts anything into its early data. An attacker who recorded an initiation can send it
 * again, so only a request that may be repeated must be processed.
 */
class EarlyDataTest {
    private static final long EPOCH_MS = 1_800_000_000_000L;
    private static final long CALL = 7;
    private static final Address THERE = Address.parse("192.0.2.1:1");
    private static final Aead.Suite SUITE = Aead.Suite.AES_256_GCM;

    private final Rng rng = Rng.seeded(21);
    private final LinkConfig config = new LinkConfig("test", List.of(SUITE), 100, StreamConfig.defaults());
    private final Identity initiator = Identity.fromSeed(rng.bytes(Identity.SEED_BYTES));
    private final Identity responder = Identity.fromSeed(rng.bytes(Identity.SEED_BYTES));
    private final Counters counters = new Counters();
    private final Links links = OpenLinks.of(config, responder, rng.split(), counters);
    private final List<Message> asked = new ArrayList<>();
    private final List<byte[]> posted = new ArrayList<>();
    private long now = 1;

    static List<Message> idempotent() {
        return List.of(new Message.Ping(), new Message.FindNode(Id.ZERO), new Message.FindValue(Id.ZERO, 0));
    }

    static List<Message> others() {
        Identity writer = Identity.fromSeed(new byte[Identity.SEED_BYTES]);
        Record.Content content = new Record.Content(
                Id.ZERO, writer.id(), Id.ZERO, 1, EPOCH_MS, 600_000, 0, Bytes.EMPTY, Bytes.utf8("body"));
        Record record = Record.sign(content, Bytes.utf8("test"), writer::sign);
        return List.of(
                new Message.Store(record),
                new Message.Beat(Id.ZERO, Id.ZERO, 1),
                new Message.Pong(),
                new Message.Nodes(List.of()),
                new Message.Values(List.of(), List.of(), 0, 0),
                new Message.Stored(Message.Verdict.KEPT),
                new Message.Beaten(true),
                new Message.DialBack(Address.v4(0x01020304, 5), 6, false),
                new Message.DialedBack(Message.Dialed.SENT),
                new Message.Reserve(),
                new Message.Reserved(Message.Relaying.OK, 1, 0),
                new Message.Connect(Id.ZERO, List.of()),
                new Message.Connected(Message.Relaying.OK, 1),
                new Message.Punch(List.of(), true, true, Outside.UNKNOWN),
                new Message.Punching(List.of(), Outside.UNKNOWN));
    }

    @Test
    void everyKindOfMessageIsOneOrTheOther() {
        Set<Class<?>> kinds = new HashSet<>();
        Stream.of(idempotent(), others()).flatMap(List::stream).forEach(m -> kinds.add(m.getClass()));
        assertThat(kinds).containsExactlyInAnyOrder(Message.class.getPermittedSubclasses());
    }

    @ParameterizedTest
    @MethodSource("idempotent")
    void anIdempotentRequestIsAnsweredBeforeTheProof(Message request) {
        Session session = initiate(Rpc.encode(new Rpc(CALL, request)).toArray());
        assertThat(asked).containsExactly(request);
        assertThat(counters.value("link.early.accepted")).isEqualTo(1);
        assertThat(counters.value("link.early.refused")).isZero();
        assertThat(answer(session)).isEqualTo(new Rpc(CALL, new Message.Pong()));
    }

    @ParameterizedTest
    @MethodSource("others")
    void whatMayNotBeRepeatedIsRefusedAndTheHandshakeGoesOn(Message message) {
        byte[] early = Rpc.encode(new Rpc(CALL, message)).toArray();
        assertThat(early.length).as("not refused for its length").isLessThanOrEqualTo(Handshakes.EARLY_BYTES);
        assertRefused(early);
    }

    @Test
    void whatIsNoMessageIsRefusedToo() {
        assertRefused(rng.bytes(100));
    }

    private void assertRefused(byte[] early) {
        initiate(early);
        assertThat(asked).isEmpty();
        assertThat(counters.value("link.early.refused")).isEqualTo(1);
        assertThat(counters.value("link.early.accepted")).isZero();
        assertThat(posted).as("nothing but the response").hasSize(1);
    }

    /** Begins a handshake with these bytes as early data, which must be answered; returns the initiator's session. */
    private Session initiate(byte[] early) {
        links.handle(now, new LinkInput.WallClock(EPOCH_MS));
        Handshake handshake = new Handshake(
                Handshake.Pattern.IK,
                true,
                config.prologue(),
                initiator.agreementPrivate(),
                responder.agreementPublic(),
                rng.bytes(32));
        byte[] payload = InitiatorPayload.newBuilder()
                .setIdentity(ByteString.copyFrom(initiator.id().toBytes()))
                .setSentAtMs(EPOCH_MS)
                .addSuites(SUITE.code())
                .setInstance(1)
                .setEarly(ByteString.copyFrom(early))
                .build()
                .toByteArray();
        byte[] noise = handshake.write(payload);
        int index = rng.nextInt();
        byte[] mac1 = Cookies.mac(Cookies.mac1Key(config.network(), responder.agreementPublic()), index, noise);
        receive(Datagram.newBuilder()
                .setInitiation(Initiation.newBuilder()
                        .setSender(index)
                        .setNoise(ByteString.copyFrom(noise))
                        .setMac1(ByteString.copyFrom(mac1)))
                .build()
                .toByteArray());
        assertThat(posted).as("the handshake goes on").isNotEmpty();
        byte[] first = posted.getFirst();
        Response response = Handshakes.datagram(first, 0, first.length).getResponse();
        assertThat(handshake.read(response.getNoise().toByteArray())).isNotNull();
        return new Session(now, handshake.split(), SUITE, true, index, response.getSender());
    }

    /** Lets the responder work off one datagram; every request that it processes is answered with a Pong. */
    private void receive(byte[] datagram) {
        links.receive(now, datagram, 0, datagram.length, THERE);
        for (; links.deadlineNs() <= now; now++) {
            links.handle(now, new LinkInput.Tick());
            for (LinkOutput o; (o = links.poll()) != null; ) {
                if (!(o instanceof LinkOutput.Asked request)) continue;
                asked.add(request.request());
                links.handle(now, new LinkInput.Reply(request.from().node(), request.call(), new Message.Pong()));
            }
            links.transmit(now, sink);
        }
    }

    private Rpc answer(Session session) {
        assertThat(posted).hasSize(2);
        byte[] sealed = posted.getLast();
        byte[] plain = new byte[sealed.length];
        FramesReader frames = new FramesReader();
        frames.begin(plain, 0, session.open(sealed, 0, sealed.length, plain, 0));
        assertThat(frames.next()).isTrue();
        assertThat(frames.kind()).isEqualTo(Frames.MESSAGE);
        byte[] message = frames.message().toArray();
        return Rpc.decode(message, 0, message.length, counters);
    }

    private final PacketSink sink = (to, buf, offset, length) -> {
        assertThat(to).isEqualTo(THERE);
        posted.add(Arrays.copyOfRange(buf, offset, offset + length));
    };
}
