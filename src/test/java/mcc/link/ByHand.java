package mcc.link;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import java.nio.charset.StandardCharsets;
import mcc.core.Id;
import mcc.crypto.Aead;
import mcc.crypto.Ed25519;
import mcc.crypto.Identity;
import mcc.session.Cookies;
import mcc.session.Handshake;
import mcc.session.Session;
import mcc.wire.TransportParameters;
import mcc.wire.pb.Datagram;
import mcc.wire.pb.Initiation;
import mcc.wire.pb.InitiatorPayload;
import mcc.wire.pb.ResponderPayload;
import mcc.wire.pb.XxFinal;

/** The initiator's side of handshakes, put together by hand: they say what a test wants them to say. */
final class ByHand {
    private final String network;
    private final Identity identity;
    private final byte[] prologue;

    /** The payload of the response, and the responder's index. */
    ResponderPayload answer;

    int responder;

    private Handshake handshake;
    private int index;

    ByHand(String network, Identity identity) {
        this.network = network;
        this.identity = identity;
        prologue = ("mcc/1/" + network).getBytes(StandardCharsets.UTF_8);
    }

    Id id() {
        return identity.id();
    }

    /** A payload as nodes of version 1 send it: three fields, and the suites. */
    InitiatorPayload.Builder payload(long instance, int... suites) {
        InitiatorPayload.Builder out = InitiatorPayload.newBuilder()
                .setIdentity(ByteString.copyFrom(identity.id().toBytes()))
                .setSentAtMs(1_800_000_000_000L)
                .setInstance(instance);
        for (int suite : suites) out.addSuites(suite);
        return out;
    }

    static TransportParameters limits(int streams) {
        return new TransportParameters(streams, 1 << 20, 1 << 22);
    }

    /** The first message of IK. */
    byte[] ik(Identity to, int index, byte[] ephemeral, InitiatorPayload payload) {
        byte[] peer = Ed25519.toX25519(to.id());
        handshake = new Handshake(Handshake.Pattern.IK, true, prologue, identity.agreementPrivate(), peer, ephemeral);
        this.index = index;
        byte[] noise = handshake.write(payload.toByteArray());
        Initiation.Builder initiation = initiation(Cookies.mac1Key(network, peer), noise);
        return Datagram.newBuilder().setInitiation(initiation).build().toByteArray();
    }

    /** The first message of XX. */
    byte[] xx(int index, byte[] ephemeral) {
        handshake = new Handshake(Handshake.Pattern.XX, true, prologue, identity.agreementPrivate(), null, ephemeral);
        this.index = index;
        byte[] noise = handshake.write(new byte[0]);
        Initiation.Builder initiation = initiation(Cookies.mac1KeyUnknown(network), noise)
                .setPadding(ByteString.copyFrom(new byte[200 - noise.length]));
        return Datagram.newBuilder().setXxInitiation(initiation).build().toByteArray();
    }

    private Initiation.Builder initiation(byte[] mac1Key, byte[] noise) {
        return Initiation.newBuilder()
                .setSender(index)
                .setNoise(ByteString.copyFrom(noise))
                .setMac1(ByteString.copyFrom(Cookies.mac(mac1Key, index, noise)));
    }

    /** Reads the second message of IK or XX. */
    ByHand read(byte[] datagram) {
        try {
            Datagram d = Datagram.parseFrom(datagram);
            var response = d.hasResponse() ? d.getResponse() : d.getXxResponse();
            assertThat(response.getReceiver()).isEqualTo(index);
            byte[] clear = handshake.read(response.getNoise().toByteArray());
            assertThat(clear).as("authentic").isNotNull();
            answer = ResponderPayload.parseFrom(clear);
            responder = response.getSender();
            return this;
        } catch (InvalidProtocolBufferException e) {
            throw new AssertionError(e);
        }
    }

    /** The third message of XX. */
    byte[] last(InitiatorPayload payload) {
        byte[] noise = handshake.write(payload.toByteArray());
        XxFinal last = XxFinal.newBuilder()
                .setReceiver(responder)
                .setNoise(ByteString.copyFrom(noise))
                .build();
        return Datagram.newBuilder().setXxFinal(last).build().toByteArray();
    }

    /** The session that both sides have after the handshake. */
    Session session(long nowNs, Aead.Suite suite) {
        return new Session(nowNs, handshake.split(), suite, true, index, responder);
    }
}
