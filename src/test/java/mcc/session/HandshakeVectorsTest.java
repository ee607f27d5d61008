package mcc.session;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.protobuf.ByteString;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import mcc.core.Address;
import mcc.crypto.Aead;
import mcc.crypto.Ed25519;
import mcc.crypto.Hkdf;
import mcc.crypto.Identity;
import mcc.crypto.X25519;
import mcc.wire.Frames;
import mcc.wire.Handshakes;
import mcc.wire.Transport;
import mcc.wire.TransportParameters;
import mcc.wire.pb.Control;
import mcc.wire.pb.Cookie;
import mcc.wire.pb.Datagram;
import mcc.wire.pb.FindNode;
import mcc.wire.pb.Initiation;
import mcc.wire.pb.InitiatorPayload;
import mcc.wire.pb.Nodes;
import mcc.wire.pb.Ping;
import mcc.wire.pb.ResponderPayload;
import mcc.wire.pb.Response;
import mcc.wire.pb.Rpc;
import mcc.wire.pb.XxFinal;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Whole handshakes with fixed keys: everything in {@code vectors/handshakes.json} follows from the inputs that stand there, as
 * appendix A of {@code docs/protocol.md} tells.
 */
class HandshakeVectorsTest {
    static final String FILE = "/vectors/handshakes.json";

    private static final Address OBSERVED = Address.parse("192.0.2.1:40001");
    private static final Address RESPONDER = Address.parse("192.0.2.2:4100");

    private JsonNode in;
    private ObjectNode out;
    private byte[] prologue;
    private Identity initiator;
    private Identity responder;

    static JsonNode vectors() {
        try (InputStream file = HandshakeVectorsTest.class.getResourceAsStream(FILE)) {
            return new ObjectMapper().readTree(file);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"ik-chacha20-poly1305", "ik-aes-256-gcm", "xx-chacha20-poly1305", "xx-aes-256-gcm"})
    void everythingFollowsFromTheKeys(String name) {
        JsonNode all = vectors().get(name);
        JsonNode computed = compute(all.get("inputs"));
        assertThat(computed.toPrettyString()).isEqualTo(all.get("outputs").toPrettyString());
    }

    @Test
    void thePageTakesTheFirstApartByteForByte() throws IOException {
        String page = Files.readString(Path.of("docs/protocol.md"));
        String block = page.substring(page.indexOf("```", page.indexOf("The first of them, IK")) + 4);
        Map<String, String> told = new LinkedHashMap<>();
        String name = "";
        for (String line : block.substring(0, block.indexOf("```")).lines().toList()) {
            if (line.startsWith("  ")) told.merge(name, line.strip().split(" ")[0], String::concat);
            else name = line.substring(0, line.indexOf(','));
            if (!line.startsWith("  ")) told.put(name, "");
        }
        JsonNode outputs = vectors().get("ik-chacha20-poly1305").get("outputs");
        assertThat(told).hasSizeGreaterThan(20);
        told.forEach((output, hex) ->
                assertThat(hex).as(output).isEqualTo(outputs.path(output).asText()));
    }

    @Test
    void theWorkedExamplesHold() throws IOException {
        String page = Files.readString(Path.of("docs/protocol.md")).replaceAll("\\s", "");
        byte[] split = new byte[32];
        for (int i = 0; i < 32; i++) split[i] = (byte) i;
        byte[] frames = HexFormat.of().parseHex("0807" + "120a080910dc0b1a03020106" + "220b08021801220568656c6c6f");
        for (Aead.Suite suite : Aead.Suite.values()) {
            byte[] label = suite.label().getBytes(StandardCharsets.US_ASCII);
            assertThat(page).contains(HexFormat.of().formatHex(Hkdf.derive(new byte[0], split, label, 32)));
            Session session = new Session(1, new byte[][] {split.clone(), split.clone()}, suite, true, 1, 0x12345670);
            byte[] datagram = new byte[frames.length + Transport.OVERHEAD_BYTES];
            for (int i = 0; i < 3; i++) session.seal(Transport.FRAMES, frames, 0, frames.length, datagram, 0);
            assertThat(page).contains(HexFormat.of().formatHex(datagram, 13, datagram.length));
            assertThat(HexFormat.of().formatHex(datagram, 0, 13)).isEqualTo("0d70563412" + "1502000000" + "1aab00");
        }
        byte[] key = Cookies.mac1KeyUnknown("open");
        assertThat(page).contains(HexFormat.of().formatHex(key));
        assertThat(page).contains(HexFormat.of().formatHex(Cookies.mac(key, 0x12345670, new byte[32])));
    }

    private JsonNode compute(JsonNode inputs) {
        in = inputs;
        out = new ObjectMapper().createObjectNode();
        prologue = ("mcc/1/" + in.get("network").asText()).getBytes(StandardCharsets.UTF_8);
        initiator = identity("initiator");
        responder = identity("responder");
        put("prologue", prologue);
        if (in.get("pattern").asText().equals("IK")) ik();
        else xx();
        return out;
    }

    // ---- IK
    // -----------------------------------------------------------------------------------------------------------

    private void ik() {
        byte[] key = Cookies.mac1Key(in.get("network").asText(), responder.agreementPublic());
        put("mac1_key", key);
        byte[] cookie = in.has("cookie_secret") ? askedForACookie(key) : null;
        Handshake i = handshake(Handshake.Pattern.IK, true, bytes("initiator_ephemeral_private"));
        Handshake r = handshake(Handshake.Pattern.IK, false, bytes("responder_ephemeral_private"));
        InitiatorPayload.Builder payload = initiatorPayload();
        for (JsonNode suite : in.get("suites")) payload.addSuites(suite.asInt());
        boolean early = in.has("early_target");
        if (early) {
            byte[] request = rpc(Rpc.newBuilder()
                    .setFindNode(FindNode.newBuilder().setTarget(ByteString.copyFrom(bytes("early_target")))));
            payload.setEarly(ByteString.copyFrom(request));
        }
        byte[] noise = write("1", i, r, payload.build().toByteArray());
        Initiation.Builder initiation = initiation(number("initiator_index"), noise, key, "");
        if (cookie != null) {
            byte[] mac2 = Cookies.mac(cookie, number("initiator_index"), noise);
            put("mac2", mac2);
            initiation.setMac2(ByteString.copyFrom(mac2));
        }
        if (early) initiation.setPadding(ByteString.copyFrom(new byte[420 - noise.length]));
        put(
                "initiation",
                Datagram.newBuilder().setInitiation(initiation).build().toByteArray());
        int chosen = in.get("chosen").asInt();
        Response response = response(
                write("2", r, i, responderPayload().addSuites(chosen).build().toByteArray()));
        put("response", Datagram.newBuilder().setResponse(response).build().toByteArray());
        traffic(i, r, early);
    }

    /** The responder wants proof of the address first: the initiator's first attempt is answered with a cookie. */
    private byte[] askedForACookie(byte[] key) {
        Handshake first = handshake(Handshake.Pattern.IK, true, bytes("first_ephemeral_private"));
        InitiatorPayload.Builder payload = initiatorPayload();
        for (JsonNode suite : in.get("suites")) payload.addSuites(suite.asInt());
        byte[] noise = first.write(payload.build().toByteArray());
        put("first_noise", noise);
        int index = number("first_index");
        Initiation.Builder initiation = initiation(index, noise, key, "first_");
        put(
                "first_initiation",
                Datagram.newBuilder().setInitiation(initiation).build().toByteArray());
        byte[] mac1 = Cookies.mac(key, index, noise);
        byte[] port = {(byte) (OBSERVED.port() >>> 8), (byte) OBSERVED.port()};
        byte[] cookie = Arrays.copyOf(Hkdf.hmac(bytes("cookie_secret"), OBSERVED.ip(), port), Cookies.MAC_BYTES);
        put("cookie", cookie);
        byte[] salt = bytes("cookie_salt");
        byte[] info = join(salt, mac1);
        byte[] boxKey = Hkdf.derive("mcc/cookie/1".getBytes(StandardCharsets.US_ASCII), key, info, Aead.KEY_BYTES);
        put("cookie_key", boxKey);
        byte[] box = new byte[Cookies.MAC_BYTES + Aead.TAG_BYTES];
        new Aead(Aead.Suite.CHACHA20_POLY1305, boxKey).seal(new byte[12], mac1, cookie, 0, 16, box, 0);
        assertThat(Cookies.open(key, mac1, salt, box)).isEqualTo(cookie);
        Cookie reply = Cookie.newBuilder()
                .setReceiver(index)
                .setSalt(ByteString.copyFrom(salt))
                .setBox(ByteString.copyFrom(box))
                .build();
        put("cookie_reply", Datagram.newBuilder().setCookie(reply).build().toByteArray());
        return cookie;
    }

    // ---- XX
    // -----------------------------------------------------------------------------------------------------------

    private void xx() {
        byte[] key = Cookies.mac1KeyUnknown(in.get("network").asText());
        put("mac1_key", key);
        Handshake i = handshake(Handshake.Pattern.XX, true, bytes("initiator_ephemeral_private"));
        Handshake r = handshake(Handshake.Pattern.XX, false, bytes("responder_ephemeral_private"));
        byte[] noise = write("1", i, r, new byte[0]);
        Initiation.Builder initiation = initiation(number("initiator_index"), noise, key, "")
                .setPadding(ByteString.copyFrom(new byte[200 - noise.length]));
        put(
                "initiation",
                Datagram.newBuilder().setXxInitiation(initiation).build().toByteArray());
        ResponderPayload.Builder payload = responderPayload();
        for (JsonNode suite : in.get("suites")) payload.addSuites(suite.asInt());
        Response response = response(write("2", r, i, payload.build().toByteArray()));
        put("response", Datagram.newBuilder().setXxResponse(response).build().toByteArray());
        byte[] last =
                initiatorPayload().addSuites(in.get("chosen").asInt()).build().toByteArray();
        XxFinal third = XxFinal.newBuilder()
                .setReceiver(number("responder_index"))
                .setNoise(ByteString.copyFrom(write("3", i, r, last)))
                .build();
        put("final", Datagram.newBuilder().setXxFinal(third).build().toByteArray());
        traffic(i, r, false);
    }

    // ---- traffic
    // ------------------------------------------------------------------------------------------------------

    private void traffic(Handshake i, Handshake r, boolean early) {
        assertThat(r.remoteStatic()).isEqualTo(initiator.agreementPublic());
        assertThat(i.remoteStatic()).isEqualTo(responder.agreementPublic());
        assertThat(i.hash()).isEqualTo(r.hash());
        put("handshake_hash", i.hash());
        byte[][] split = i.split();
        assertThat(r.split()).isDeepEqualTo(split);
        put("split_initiator_to_responder", split[0]);
        put("split_responder_to_initiator", split[1]);
        Aead.Suite suite = in.get("chosen").asInt() == 2 ? Aead.Suite.AES_256_GCM : Aead.Suite.CHACHA20_POLY1305;
        byte[] label = suite.label().getBytes(StandardCharsets.US_ASCII);
        put("packet_key_initiator_to_responder", Hkdf.derive(new byte[0], split[0], label, 32));
        put("packet_key_responder_to_initiator", Hkdf.derive(new byte[0], split[1], label, 32));
        byte[][] again = {split[0].clone(), split[1].clone()};
        Session a = new Session(1, split, suite, true, number("initiator_index"), number("responder_index"));
        Session b = new Session(1, again, suite, false, number("responder_index"), number("initiator_index"));
        if (early) {
            byte[] nodes = rpc(Rpc.newBuilder().setNodes(Nodes.getDefaultInstance()));
            packet("early_answer", b, a, join(new byte[] {0x1a, (byte) nodes.length}, nodes));
        }
        Control seen =
                Control.newBuilder().setObserved(Handshakes.endpoint(RESPONDER)).build();
        packet("observed", a, b, Frames.control(seen.toByteArray()));
        byte[] ping = rpc(Rpc.newBuilder().setPing(Ping.getDefaultInstance()));
        packet("request", a, b, join(new byte[] {8, 1, 0x1a, (byte) ping.length}, ping));
        packet("ping", b, a, new byte[] {8, 1, 0x12, 5, 8, 1, 0x1a, 1, 1, 0x50, 1});
    }

    private void packet(String name, Session from, Session to, byte[] frames) {
        byte[] datagram = new byte[frames.length + Transport.OVERHEAD_BYTES];
        from.seal(Transport.FRAMES, frames, 0, frames.length, datagram, 0);
        byte[] opened = new byte[frames.length];
        assertThat(to.open(datagram, 0, datagram.length, opened, 0)).isEqualTo(frames.length);
        assertThat(opened).isEqualTo(frames);
        put(name + "_frames", frames);
        put(name + "_datagram", datagram);
    }

    private byte[] rpc(Rpc.Builder rpc) {
        return rpc.setCall(in.get("call").asLong()).build().toByteArray();
    }

    // ---- parts
    // --------------------------------------------------------------------------------------------------------

    private Identity identity(String who) {
        Identity identity = Identity.fromSeed(bytes(who + "_seed"));
        put(who + "_id", identity.id().toBytes());
        put(who + "_static_private", identity.agreementPrivate());
        put(who + "_static_public", identity.agreementPublic());
        assertThat(Ed25519.toX25519(identity.id())).isEqualTo(identity.agreementPublic());
        put(who + "_ephemeral_public", X25519.publicKey(bytes(who + "_ephemeral_private")));
        return identity;
    }

    private Handshake handshake(Handshake.Pattern pattern, boolean first, byte[] ephemeral) {
        byte[] known = first && pattern == Handshake.Pattern.IK ? responder.agreementPublic() : null;
        byte[] own = (first ? initiator : responder).agreementPrivate();
        return new Handshake(pattern, first, prologue, own, known, ephemeral);
    }

    private byte[] write(String number, Handshake from, Handshake to, byte[] payload) {
        put("payload_" + number, payload);
        byte[] noise = from.write(payload);
        assertThat(to.read(noise)).isEqualTo(payload);
        put("noise_" + number, noise);
        return noise;
    }

    private Initiation.Builder initiation(int index, byte[] noise, byte[] key, String prefix) {
        byte[] mac1 = Cookies.mac(key, index, noise);
        put(prefix + "mac1", mac1);
        return Initiation.newBuilder()
                .setSender(index)
                .setNoise(ByteString.copyFrom(noise))
                .setMac1(ByteString.copyFrom(mac1));
    }

    private Response response(byte[] noise) {
        return Response.newBuilder()
                .setSender(number("responder_index"))
                .setReceiver(number("initiator_index"))
                .setNoise(ByteString.copyFrom(noise))
                .build();
    }

    private InitiatorPayload.Builder initiatorPayload() {
        return InitiatorPayload.newBuilder()
                .setIdentity(ByteString.copyFrom(initiator.id().toBytes()))
                .setSentAtMs(in.get("sent_at_ms").asLong())
                .setInstance(in.get("initiator_instance").asLong())
                .setVersion(2)
                .setLimits(limits());
    }

    private ResponderPayload.Builder responderPayload() {
        return ResponderPayload.newBuilder()
                .setIdentity(ByteString.copyFrom(responder.id().toBytes()))
                .setInstance(in.get("responder_instance").asLong())
                .setObserved(Handshakes.endpoint(OBSERVED))
                .setVersion(2)
                .setLimits(limits());
    }

    private static mcc.wire.pb.TransportParameters limits() {
        return new TransportParameters(100, 262_144, 1_048_576).payload();
    }

    private byte[] bytes(String input) {
        return HexFormat.of().parseHex(in.get(input).asText());
    }

    private int number(String input) {
        return in.get(input).asInt();
    }

    private void put(String output, byte[] value) {
        out.put(output, HexFormat.of().formatHex(value));
    }

    private static byte[] join(byte[] a, byte[] b) {
        byte[] all = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, all, a.length, b.length);
        return all;
    }
}
