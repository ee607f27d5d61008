package mcc.tunnel;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import java.util.Arrays;
import mcc.core.Id;
import mcc.wire.pb.Measured;
import mcc.wire.pb.TunnelOpen;
import mcc.wire.pb.TunnelOpened;
import org.jspecify.annotations.Nullable;

/** The length-prefixed message that comes first in each direction of a tunnel's stream; reassembled from any chunks. */
final class Envelope {
    /** Length and message together. */
    static final int MAX_BYTES = 514;

    private byte[] bytes = new byte[0];
    private @Nullable TunnelOpen open;

    /** Takes a chunk; true once the message is whole. */
    boolean take(byte[] chunk, int length) {
        int old = bytes.length;
        bytes = Arrays.copyOf(bytes, old + length);
        System.arraycopy(chunk, 0, bytes, old, length);
        return isWhole();
    }

    private boolean isWhole() {
        int at = header();
        return at > 0 && bytes.length >= at + length();
    }

    /** Whether what came cannot become a message. */
    boolean isMalformed() {
        int at = header();
        return at < 0 || at > 0 && length() > MAX_BYTES - 2 || at == 0 && bytes.length > 2;
    }

    /** What came behind the message. */
    byte[] rest() {
        return Arrays.copyOfRange(bytes, header() + length(), bytes.length);
    }

    private TunnelOpen open() {
        TunnelOpen open = this.open;
        if (open != null) return open;
        try {
            open = TunnelOpen.parser().parseFrom(bytes, header(), length());
        } catch (InvalidProtocolBufferException _) {
            open = TunnelOpen.getDefaultInstance(); // a peer's bytes: without an endpoint, refused by the caller
        }
        this.open = open;
        return open;
    }

    /** The endpoint that is asked for; null if the message names none. */
    @Nullable
    Id endpoint() {
        ByteString endpoint = open().getEndpoint();
        return endpoint.size() == Id.BYTES ? Id.of(endpoint.toByteArray()) : null;
    }

    /** Whether a measurement is asked for. */
    boolean isMeasure() {
        return open().getMeasure();
    }

    /** Whether a flow of datagrams is asked for, rather than a connection. */
    boolean isDatagrams() {
        return open().getDatagrams();
    }

    /** The port of the service that is asked for; 0 for the first of the protocol. */
    int port() {
        return open().getPort();
    }

    /** What the far end of a measurement counted; null if the message is malformed. */
    @Nullable
    Measured measured() {
        try {
            return Measured.parser().parseFrom(bytes, header(), length());
        } catch (InvalidProtocolBufferException _) {
            return null; // a peer's bytes: refused by the caller
        }
    }

    /** The provider's answer; null if the message is malformed. */
    @Nullable
    TunnelOpened answer() {
        try {
            return TunnelOpened.parser().parseFrom(bytes, header(), length());
        } catch (InvalidProtocolBufferException _) {
            return null; // a peer's bytes: refused by the caller
        }
    }

    /** @param port of the service; 0 for the first of the protocol */
    static byte[] open(Id endpoint, boolean datagrams, int port) {
        return wrap(TunnelOpen.newBuilder()
                .setEndpoint(ByteString.copyFrom(endpoint.toBytes()))
                .setDatagrams(datagrams)
                .setPort(port)
                .build()
                .toByteArray());
    }

    static byte[] measure() {
        return wrap(TunnelOpen.newBuilder().setMeasure(true).build().toByteArray());
    }

    static byte[] measured(long bytes, long tookNs, long cpuNs) {
        return wrap(Measured.newBuilder()
                .setBytes(bytes)
                .setTookNs(tookNs)
                .setCpuNs(cpuNs)
                .build()
                .toByteArray());
    }

    static byte[] opened(TunnelOpened.Code code, String detail) {
        String text = detail.length() > 100 ? detail.substring(0, 100) : detail;
        return wrap(
                TunnelOpened.newBuilder().setCode(code).setDetail(text).build().toByteArray());
    }

    private static byte[] wrap(byte[] message) {
        int head = message.length < 128 ? 1 : 2;
        byte[] out = new byte[head + message.length];
        out[0] = (byte) (head == 1 ? message.length : message.length | 0x80);
        if (head == 2) out[1] = (byte) (message.length >>> 7);
        System.arraycopy(message, 0, out, head, message.length);
        return out;
    }

    /** Length of the length: 1 or 2, 0 while unknown, −1 where it is too long. */
    private int header() {
        if (bytes.length == 0) return 0;
        if (bytes[0] >= 0) return 1;
        if (bytes.length == 1) return 0;
        return bytes[1] >= 0 ? 2 : -1;
    }

    private int length() {
        return header() == 1 ? bytes[0] : (bytes[0] & 0x7f) | bytes[1] << 7;
    }
}
