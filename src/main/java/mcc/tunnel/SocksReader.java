package mcc.tunnel;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The messages of a SOCKS5 client before the connection's own bytes (RFC 1928 sections 3 to 5), reassembled from any chunks.
 * Pure; holds at most one message and a chunk.
 */
final class SocksReader {
    static final int VERSION = 5;
    static final int CONNECT = 1;
    static final int ASSOCIATE = 3;
    static final int IPV4 = 1;
    static final int NAME = 3;
    static final int IPV6 = 4;

    private static final int NO_PASSWORD = 0;

    /** One message. */
    sealed interface Said {
        /** The client's authentication methods: whether "no authentication" is among them. */
        record Hello(boolean withoutPassword) implements Said {}

        /**
         * What it wants.
         *
         * @param name the host, as a name; null if it is an IP address
         */
        @SuppressWarnings("ArrayRecordComponent") // made here, read once
        record Wish(int command, @Nullable String name, byte[] ip, int port) implements Said {}

        /** It does not speak SOCKS5. */
        record Nonsense() implements Said {}
    }

    private byte[] held = new byte[0];
    private boolean greeted;

    /** Takes a chunk. */
    void take(byte[] chunk, int length) {
        int old = held.length;
        held = Arrays.copyOf(held, old + length);
        System.arraycopy(chunk, 0, held, old, length);
    }

    /** The next message; null until it is whole. */
    @Nullable
    Said next() {
        if (held.length == 0) return null;
        if (held[0] != VERSION) return new Said.Nonsense();
        return greeted ? wish() : hello();
    }

    /** What came behind the last message. */
    byte[] rest() {
        return held;
    }

    private @Nullable Said hello() {
        if (held.length < 2 || held.length < 2 + (held[1] & 0xff)) return null;
        int end = 2 + (held[1] & 0xff);
        boolean open = false;
        for (int i = 2; i < end; i++) open |= held[i] == NO_PASSWORD;
        greeted = true;
        skip(end);
        return new Said.Hello(open);
    }

    private @Nullable Said wish() {
        if (held.length < 5) return null;
        int command = held[1] & 0xff;
        int at = held[3] == NAME ? 5 : 4;
        int length = length(held[3], held[4]);
        if (length < 0) return new Said.Nonsense();
        if (held.length < at + length + 2) return null;
        byte[] address = Arrays.copyOfRange(held, at, at + length);
        int port = (held[at + length] & 0xff) << 8 | held[at + length + 1] & 0xff;
        String name = held[3] == NAME ? new String(address, StandardCharsets.ISO_8859_1) : null;
        skip(at + length + 2);
        return new Said.Wish(command, name, name == null ? address : new byte[0], port);
    }

    /** The length of an address of that kind in bytes; −1 for an unknown kind. */
    static int length(byte kind, byte first) {
        return switch (kind) {
            case IPV4 -> 4;
            case IPV6 -> 16;
            case NAME -> first & 0xff;
            default -> -1;
        };
    }

    private void skip(int bytes) {
        held = Arrays.copyOfRange(held, bytes, held.length);
    }
}
