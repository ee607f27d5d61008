package mcc.link;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import mcc.consortium.Policy;
import mcc.consortium.PolicyEpoch;
import mcc.consortium.Subject;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.crypto.Aead;
import mcc.crypto.Ed25519;
import mcc.crypto.Identity;
import mcc.session.Handshake;
import mcc.stream.StreamConfig;
import mcc.wire.Handshakes;
import mcc.wire.Message;
import mcc.wire.Provider;
import mcc.wire.Record;
import mcc.wire.Rpc;
import mcc.wire.TransportParameters;
import mcc.wire.pb.Datagram;
import mcc.wire.pb.ResponderPayload;
import mcc.wire.pb.TunnelOpen;
import mcc.wire.pb.TunnelOpened;
import org.junit.jupiter.api.Test;

/** Messages of nodes of version 1 are understood; they were recorded from the last build that spoke only that version. */
class VersionOneTest {
    private static final Address INITIATOR = Address.parse("192.0.2.1:40001");
    private static final long EPOCH_MS = 1_800_000_000_000L;

    private final JsonNode recorded = recorded();
    private final Identity initiator = Identity.fromSeed(seed(0));
    private final Identity responder = Identity.fromSeed(seed(0x20));
    private final Counters counters = new Counters();

    private static JsonNode recorded() {
        try (InputStream file = VersionOneTest.class.getResourceAsStream("/vectors/version-1.json")) {
            return new ObjectMapper().readTree(file);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void theirFirstMessagesAreAnsweredAndWhatRodeInThemIsAsked() throws Exception {
        Links node = node();
        Datagram answer = Datagram.parseFrom(answer(node, "initiation"));
        assertThat(answer.hasResponse()).isTrue();
        assertThat(node.poll())
                .isEqualTo(new LinkOutput.Asked(
                        Subject.of(initiator.id()), INITIATOR, 7, new Message.FindNode(Id.of(seed(0xe0)))));
        Datagram byAddress = Datagram.parseFrom(answer(node(), "xx_initiation"));
        assertThat(byAddress.hasXxResponse()).isTrue();
    }

    @Test
    void theirPayloadsTellOfVersionOneAndItsLimits() {
        Hello initiators = Hello.of(Handshakes.initiator(bytes("initiator_payload")));
        Hello responders = Hello.of(Handshakes.responder(bytes("responder_payload")));
        for (Hello hello : List.of(initiators, responders)) {
            assertThat(hello.speaksTwo()).isFalse();
            assertThat(hello.limits()).isEqualTo(TransportParameters.V1);
            assertThat(hello.instance()).isNotZero();
        }
    }

    @Test
    void theirResponseIsReadByTheKeysThatItAnswers() throws Exception {
        byte[] prologue = "mcc/1/open".getBytes(StandardCharsets.US_ASCII);
        Handshake handshake = new Handshake(
                Handshake.Pattern.IK,
                true,
                prologue,
                initiator.agreementPrivate(),
                responder.agreementPublic(),
                seed(0x40));
        byte[] sent = Datagram.parseFrom(bytes("hand_initiation"))
                .getInitiation()
                .getNoise()
                .toByteArray();
        Handshake reader =
                new Handshake(Handshake.Pattern.IK, false, prologue, responder.agreementPrivate(), null, seed(0x60));
        assertThat(handshake.write(reader.read(sent))).isEqualTo(sent);
        byte[] noise =
                Datagram.parseFrom(bytes("response")).getResponse().getNoise().toByteArray();
        byte[] clear = handshake.read(noise);
        assertThat(clear).isEqualTo(bytes("responder_payload"));
        assertThat(ResponderPayload.parseFrom(clear).getSuitesList()).hasSize(1);
    }

    @Test
    void theirRecordsHoldAndNameTheSameProvider() {
        Record record = Record.parse(Bytes.owning(bytes("record_content")), Bytes.owning(bytes("record_signature")));
        Record.Content content = record.content();
        assertThat(content.writer()).isEqualTo(initiator.id());
        assertThat(Ed25519.verify(content.writer(), record.signedBytes(Bytes.utf8("open")), record.signature()))
                .isTrue();
        assertThat(content.seq()).isEqualTo(EPOCH_MS);
        assertThat(content.beatMs()).isEqualTo(30_000);
        Provider provider = Provider.parse(content.slot(), content.body());
        assertThat(provider.node()).isEqualTo(initiator.id());
        assertThat(provider.addresses()).containsExactly(INITIATOR);
        assertThat(provider.protocol()).isEqualTo(Provider.Protocol.HTTP);
        assertThat(provider.tags()).containsExactly("blue");
        assertThat(provider.meta()).containsExactly(java.util.Map.entry("zone", "a"));
        assertThat(provider.service()).isEqualTo("web");
        assertThat(Record.sign(content, Bytes.utf8("open"), initiator::sign))
                .as("the same offer is the same bytes still")
                .isEqualTo(record);
    }

    @Test
    void theirRequestsAndAnswersAreUnderstoodAndSaidBackTheSame() {
        List<String> kinds = List.of(
                "ping", "pong", "findnode", "nodes", "findvalue", "values", "store", "stored", "beat", "beaten");
        for (String kind : kinds) {
            byte[] bytes = bytes("rpc_" + kind);
            Rpc rpc = Rpc.decode(bytes, 0, bytes.length, counters);
            assertThat(rpc).as(kind).isNotNull();
            assertThat(rpc.call()).isEqualTo(7);
            assertThat(rpc.body().getClass().getSimpleName()).isEqualToIgnoringCase(kind);
            assertThat(Rpc.encode(rpc).toArray()).as(kind).isEqualTo(bytes);
        }
    }

    @Test
    void theirTunnelsAreOpened() throws Exception {
        TunnelOpen open = TunnelOpen.parseFrom(bytes("tunnel_open"));
        assertThat(open.getEndpoint().size()).isEqualTo(32);
        assertThat(open.getPort()).as("any").isZero();
        assertThat(TunnelOpened.parseFrom(bytes("tunnel_opened")).getCode()).isEqualTo(TunnelOpened.Code.OK);
    }

    private Links node() {
        Links node = new Links(
                new LinkConfig(
                        "open",
                        List.of(Aead.Suite.AES_256_GCM, Aead.Suite.CHACHA20_POLY1305),
                        100,
                        StreamConfig.defaults()),
                responder,
                Rng.seeded(1),
                counters);
        node.handle(1, new LinkInput.NewPolicy(new PolicyEpoch(Policy.open(), 1)));
        node.handle(1, new LinkInput.WallClock(EPOCH_MS));
        return node;
    }

    private byte[] answer(Links node, String name) {
        byte[] datagram = bytes(name);
        node.receive(1, datagram, 0, datagram.length, INITIATOR);
        node.handle(1, new LinkInput.Tick());
        List<byte[]> out = new ArrayList<>();
        node.transmit(1, (to, buf, offset, length) -> out.add(Arrays.copyOfRange(buf, offset, offset + length)));
        assertThat(out).hasSize(1);
        return out.getFirst();
    }

    private byte[] bytes(String name) {
        return HexFormat.of().parseHex(recorded.get(name).asText());
    }

    private static byte[] seed(int first) {
        byte[] seed = new byte[32];
        for (int i = 0; i < 32; i++) seed[i] = (byte) (first + i);
        return seed;
    }
}
