package mcc.wire;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import mcc.core.Address;
import mcc.wire.pb.Control;
import mcc.wire.pb.Datagram;
import mcc.wire.pb.Endpoint;
import mcc.wire.pb.InitiatorPayload;
import mcc.wire.pb.ResponderPayload;
import org.jspecify.annotations.Nullable;

/** Parses what is rare: handshake datagrams, their payloads and link control; null for what is malformed. */
public final class Handshakes {
    /** Until the path's MTU is known, no datagram is longer. */
    public static final int DATAGRAM_BYTES = 1200;
    /** The longest early data. */
    public static final int EARLY_BYTES = 512;
    /** The longest certificate chain. */
    public static final int CERTIFICATE_BYTES = 480;
    /** Most suites in an offer. */
    public static final int SUITES = 8;

    private static final int NOISE_BYTES = 1100;

    private Handshakes() {}

    /** Parses a handshake datagram whose fields are within their limits. */
    public static @Nullable Datagram datagram(byte[] in, int offset, int length) {
        if (length > DATAGRAM_BYTES) return null;
        try {
            Datagram d = Datagram.parser().parseFrom(in, offset, length);
            boolean sound = switch (d.getKindCase()) {
                case INITIATION -> isSound(d.getInitiation());
                case XX_INITIATION -> isSound(d.getXxInitiation());
                case RESPONSE -> d.getResponse().getNoise().size() <= NOISE_BYTES;
                case XX_RESPONSE -> d.getXxResponse().getNoise().size() <= NOISE_BYTES;
                case XX_FINAL -> d.getXxFinal().getNoise().size() <= NOISE_BYTES;
                case COOKIE ->
                    d.getCookie().getSalt().size() == 16
                            && d.getCookie().getBox().size() == 32;
                case FRAMES, PACKET, PACKET_NEEDS_CSUM, PACKET_PART, RELAYED, KIND_NOT_SET -> false;
            };
            return sound ? d : null;
        } catch (InvalidProtocolBufferException _) {
            return null; // an outsider's bytes; the caller counts them
        }
    }

    /** Parses an initiator's payload. */
    public static @Nullable InitiatorPayload initiator(byte[] in) {
        try {
            InitiatorPayload p = InitiatorPayload.parseFrom(in);
            boolean sound = p.getIdentity().size() == 32
                    && p.getSuitesCount() <= SUITES
                    && p.getEarly().size() <= EARLY_BYTES
                    && p.getCertificate().size() <= CERTIFICATE_BYTES;
            return sound ? p : null;
        } catch (InvalidProtocolBufferException _) {
            return null; // authentic, but not of this protocol; the caller counts it
        }
    }

    /** Parses a responder's payload. */
    public static @Nullable ResponderPayload responder(byte[] in) {
        try {
            ResponderPayload p = ResponderPayload.parseFrom(in);
            boolean sound = p.getIdentity().size() == 32
                    && p.getSuitesCount() <= SUITES
                    && p.getCertificate().size() <= CERTIFICATE_BYTES;
            return sound ? p : null;
        } catch (InvalidProtocolBufferException _) {
            return null; // authentic, but not of this protocol; the caller counts it
        }
    }

    /** Parses a control frame's body. */
    public static @Nullable Control control(byte[] in, int offset, int length) {
        try {
            return Control.parser().parseFrom(in, offset, length);
        } catch (InvalidProtocolBufferException _) {
            return null; // authentic, but not of this protocol; the caller counts it
        }
    }

    /** Writes an address. */
    public static Endpoint endpoint(Address address) {
        return Endpoint.newBuilder()
                .setIp(ByteString.copyFrom(address.ip()))
                .setPort(address.port())
                .build();
    }

    /** Reads an address; null if no datagram can be sent to it. */
    public static @Nullable Address address(Endpoint endpoint) {
        int size = endpoint.getIp().size();
        if (size != 4 && size != 16) return null;
        Address address = Address.of(endpoint.getIp().toByteArray(), endpoint.getPort());
        return address != null && address.isUnicast() ? address : null;
    }

    private static boolean isSound(mcc.wire.pb.Initiation i) {
        return i.getNoise().size() <= NOISE_BYTES
                && i.getMac1().size() == 16
                && i.getMac2().size() <= 16;
    }
}
