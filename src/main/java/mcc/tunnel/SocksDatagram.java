package mcc.tunnel;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** A datagram between a client of a SOCKS5 proxy and the proxy (RFC 1928 section 7): to a host by its name, or from it. */
@SuppressWarnings("ArrayRecordComponent") // made here, read once
record SocksDatagram(String name, int port, byte[] bytes) {
    /** The bytes before the name: two unused, the number of the fragment, the kind of address, the length of the name. */
    private static final int HEAD_BYTES = 5;

    /** Parses a datagram; null for a fragment, for a host given by its IP address, and for anything malformed. */
    static @Nullable SocksDatagram parse(byte[] datagram) {
        if (datagram.length < HEAD_BYTES || datagram[2] != 0 || datagram[3] != SocksReader.NAME) return null;
        int at = HEAD_BYTES + (datagram[4] & 0xff);
        if (datagram.length < at + 2) return null;
        String name = new String(datagram, HEAD_BYTES, at - HEAD_BYTES, StandardCharsets.ISO_8859_1);
        int port = (datagram[at] & 0xff) << 8 | datagram[at + 1] & 0xff;
        return new SocksDatagram(name, port, Arrays.copyOfRange(datagram, at + 2, datagram.length));
    }

    /** Encodes a datagram from a host, under the name by which the client knows it. */
    static byte[] from(String host, int port, byte[] bytes) {
        byte[] name = host.getBytes(StandardCharsets.ISO_8859_1);
        int at = HEAD_BYTES + name.length;
        byte[] out = new byte[at + 2 + bytes.length];
        out[3] = SocksReader.NAME;
        out[4] = (byte) name.length;
        System.arraycopy(name, 0, out, HEAD_BYTES, name.length);
        out[at] = (byte) (port >>> 8);
        out[at + 1] = (byte) port;
        System.arraycopy(bytes, 0, out, at + 2, bytes.length);
        return out;
    }
}
