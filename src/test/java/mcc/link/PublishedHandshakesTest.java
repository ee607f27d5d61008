package mcc.link;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.ByteString;
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
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.crypto.Aead;
import mcc.crypto.Identity;
import mcc.session.Handshake;
import mcc.session.Session;
import mcc.stream.StreamConfig;
import mcc.wire.Contact;
import mcc.wire.Message;
import mcc.wire.pb.Datagram;
import mcc.wire.pb.InitiatorPayload;
import mcc.wire.pb.ResponderPayload;
import mcc.wire.pb.Response;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A node sends what the published handshakes contain, except for what it draws itself: keys, indexes, instances. It also tells
 * its capabilities, of which the published ones have none.
 */
class PublishedHandshakesTest {
    private static final Address INITIATOR = Address.parse("192.0.2.1:40001");
    private static final Address RESPONDER = Address.parse("192.0.2.2:4100");

    private static final int CAPABILITIES_BYTES = 2;

    private JsonNode in;
    private JsonNode out;

    private void read(String name) {
        try (InputStream file = getClass().getResourceAsStream("/vectors/handshakes.json")) {
            JsonNode vector = new ObjectMapper().readTree(file).get(name);
            in = vector.get("inputs");
            out = vector.get("outputs");
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"ik-chacha20-poly1305", "ik-aes-256-gcm", "xx-chacha20-poly1305", "xx-aes-256-gcm"})
    void aNodeAnswersThem(String name) throws Exception {
        read(name);
        boolean ik = in.get("pattern").asText().equals("IK");
        Links node = node("responder");
        node.receive(1, bytes(out, "initiation"), 0, bytes(out, "initiation").length, INITIATOR);
        node.handle(1, new LinkInput.Tick());
        Datagram sent = Datagram.parseFrom(said(node).getFirst());
        Response response = ik ? sent.getResponse() : sent.getXxResponse();
        assertThat(response.getReceiver()).isEqualTo(in.get("initiator_index").asInt());
        Handshake initiator = handshake(true);
        if (ik) initiator.write(bytes(out, "payload_1"));
        else initiator.write(new byte[0]);
        ResponderPayload said =
                ResponderPayload.parseFrom(initiator.read(response.getNoise().toByteArray()));
        ResponderPayload published = ResponderPayload.parseFrom(bytes(out, "payload_2"));
        assertThat(said.getCapabilities()).isEqualTo(mcc.wire.Capabilities.ALWAYS);
        assertThat(said.toBuilder()
                        .setInstance(published.getInstance())
                        .clearCapabilities()
                        .build())
                .isEqualTo(published);
        if (!ik) {
            byte[] noise = initiator.write(bytes(out, "payload_3"));
            Datagram.Builder last = Datagram.newBuilder();
            last.getXxFinalBuilder().setReceiver(response.getSender()).setNoise(ByteString.copyFrom(noise));
            byte[] third = last.build().toByteArray();
            node.receive(1, third, 0, third.length, INITIATOR);
        }
        Session session = new Session(
                1, initiator.split(), suite(), true, in.get("initiator_index").asInt(), response.getSender());
        for (String packet : List.of("observed", "request")) {
            byte[] frames = bytes(out, packet + "_frames");
            byte[] datagram = new byte[frames.length + 29];
            session.seal((byte) 0x1a, frames, 0, frames.length, datagram, 0);
            node.receive(1, datagram, 0, datagram.length, INITIATOR);
        }
        List<LinkOutput> outputs = new ArrayList<>();
        for (LinkOutput o; (o = node.poll()) != null; ) outputs.add(o);
        Id peer = Id.of(bytes(out, "initiator_id"));
        assertThat(outputs)
                .contains(
                        new LinkOutput.Up(Subject.of(peer), INITIATOR, 0),
                        new LinkOutput.Observed(peer, INITIATOR, RESPONDER, 0, 1),
                        new LinkOutput.Asked(Subject.of(peer), INITIATOR, 7, new Message.Ping()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"ik-chacha20-poly1305", "ik-aes-256-gcm"})
    void aNodeCallsAsTheyDo(String name) throws Exception {
        read(name);
        Links node = node("initiator");
        Contact to = new Contact(Id.of(bytes(out, "responder_id")), List.of(RESPONDER));
        Message request = in.has("early_target")
                ? new Message.FindNode(Id.of(bytes(in, "early_target")))
                : new Message.Store(someRecord());
        node.handle(1, new LinkInput.Ask(to, 7, request));
        byte[] sent = said(node).getFirst();
        Datagram d = Datagram.parseFrom(sent);
        byte[] clear = handshake(false).read(d.getInitiation().getNoise().toByteArray());
        assertPayload(clear, "payload_1");
        String published = in.has("cookie_secret") ? "first_initiation" : "initiation";
        int padded = in.has("early_target") ? CAPABILITIES_BYTES : 0;
        assertThat(sent).hasSize(bytes(out, published).length + CAPABILITIES_BYTES - padded);
    }

    @ParameterizedTest
    @ValueSource(strings = {"xx-chacha20-poly1305", "xx-aes-256-gcm"})
    void aNodeDialsAsTheyDo(String name) throws Exception {
        read(name);
        Links node = node("initiator");
        node.handle(1, new LinkInput.Dial(1, RESPONDER));
        byte[] sent = said(node).getFirst();
        assertThat(sent).hasSameSizeAs(bytes(out, "initiation"));
        Datagram d = Datagram.parseFrom(sent);
        Handshake responder = handshake(false);
        assertThat(responder.read(d.getXxInitiation().getNoise().toByteArray())).isEmpty();
        Datagram.Builder response = Datagram.newBuilder();
        response.getXxResponseBuilder()
                .setSender(16)
                .setReceiver(d.getXxInitiation().getSender())
                .setNoise(ByteString.copyFrom(responder.write(bytes(out, "payload_2"))));
        byte[] second = response.build().toByteArray();
        node.receive(1, second, 0, second.length, RESPONDER);
        Datagram last = Datagram.parseFrom(said(node).getFirst());
        assertThat(last.getXxFinal().getReceiver()).isEqualTo(16);
        assertPayload(responder.read(last.getXxFinal().getNoise().toByteArray()), "payload_3");
    }

    private void assertPayload(byte[] clear, String name) throws Exception {
        InitiatorPayload said = InitiatorPayload.parseFrom(clear);
        InitiatorPayload published = InitiatorPayload.parseFrom(bytes(out, name));
        assertThat(said.getCapabilities()).isEqualTo(mcc.wire.Capabilities.ALWAYS);
        assertThat(said.toBuilder()
                        .setInstance(published.getInstance())
                        .clearCapabilities()
                        .build())
                .isEqualTo(published);
    }

    /** A node with one of the two keys, at the time that the handshake tells, with the suites that its side can do. */
    private Links node(String who) {
        boolean offers = who.equals("initiator") == in.get("pattern").asText().equals("IK");
        List<Aead.Suite> suites = new ArrayList<>();
        if (offers) for (JsonNode code : in.get("suites")) suites.add(suite(code.asInt()));
        else suites.add(suite());
        Links node = new Links(
                new LinkConfig(in.get("network").asText(), suites, 100, StreamConfig.defaults()),
                Identity.fromSeed(bytes(in, who + "_seed")),
                Rng.seeded(5),
                new Counters());
        node.handle(1, new LinkInput.NewPolicy(new PolicyEpoch(Policy.open(), 1)));
        node.handle(1, new LinkInput.WallClock(in.get("sent_at_ms").asLong()));
        return node;
    }

    private Handshake handshake(boolean initiator) {
        Handshake.Pattern pattern = Handshake.Pattern.valueOf(in.get("pattern").asText());
        String who = initiator ? "initiator" : "responder";
        return new Handshake(
                pattern,
                initiator,
                ("mcc/1/" + in.get("network").asText()).getBytes(StandardCharsets.UTF_8),
                bytes(out, who + "_static_private"),
                initiator && pattern == Handshake.Pattern.IK ? bytes(out, "responder_static_public") : null,
                bytes(in, who + "_ephemeral_private"));
    }

    private Aead.Suite suite() {
        return suite(in.get("chosen").asInt());
    }

    private static Aead.Suite suite(int code) {
        return code == Aead.Suite.AES_256_GCM.code() ? Aead.Suite.AES_256_GCM : Aead.Suite.CHACHA20_POLY1305;
    }

    private static mcc.wire.Record someRecord() {
        var content = new mcc.wire.Record.Content(
                Id.ZERO, Id.ZERO, Id.ZERO, 1, 1, 0, 0, mcc.core.Bytes.EMPTY, mcc.core.Bytes.EMPTY);
        return mcc.wire.Record.sign(content, mcc.core.Bytes.EMPTY, _ -> mcc.core.Bytes.owning(new byte[64]));
    }

    private static List<byte[]> said(Links node) {
        List<byte[]> all = new ArrayList<>();
        node.transmit(1, (to, buf, offset, length) -> all.add(Arrays.copyOfRange(buf, offset, offset + length)));
        assertThat(all).isNotEmpty();
        return all;
    }

    private static byte[] bytes(JsonNode from, String field) {
        return HexFormat.of().parseHex(from.get(field).asText());
    }
}
