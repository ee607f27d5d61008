package mcc.portmap;

import java.util.Arrays;
import mcc.core.Address;
import mcc.core.Bytes;
import org.jspecify.annotations.Nullable;

/**
 * The messages of the Port Control Protocol (RFC 6887) that this node speaks: MAP for UDP, and ANNOUNCE as far as gateways send
 * it.
 */
final class Pcp {
    static final int PORT = 5351;
    static final int NONCE_BYTES = 12;
    static final int VERSION = 2;
    static final int OK = 0;
    static final int UNSUPPORTED_VERSION = 1;
    static final int ADDRESS_MISMATCH = 12;

    private static final int ANNOUNCE = 0;
    private static final int MAP = 1;
    private static final int RESPONSE = 0x80;
    private static final int UDP = 17;
    private static final int HEADER = 24;
    private static final int MAP_BYTES = HEADER + 36;
    private static final int BYTES_MAX = 1_100;

    private Pcp() {}

    /** What a gateway said; {@code external} is null in anything but a successful answer to MAP. */
    record Response(
            int result,
            long lifetimeS,
            long epochS,
            @Nullable Address external) {
        /** Whether it is about no mapping: an announcement that the gateway was started again. */
        boolean isAnnouncement() {
            return result == OK && external == null;
        }
    }

    /**
     * A request for a mapping, or, with lifetime 0, for its end.
     *
     * @param internal this host's own address and port
     * @param external what is wished for; its IP address may be unspecified
     */
    static byte[] map(Bytes nonce, Address internal, Address external, long lifetimeS) {
        byte[] out = new byte[MAP_BYTES];
        out[0] = VERSION;
        out[1] = MAP;
        put32(out, 4, lifetimeS);
        putIp(out, 8, internal);
        nonce.write(out, HEADER);
        out[HEADER + 12] = UDP;
        put16(out, HEADER + 16, internal.port());
        put16(out, HEADER + 18, external.port());
        putIp(out, HEADER + 20, external);
        return out;
    }

    /** The answer to such a request, or an announcement; null for anything else. */
    static @Nullable Response response(byte[] b, Bytes nonce, Address internal) {
        if (b.length < HEADER || b.length > BYTES_MAX || b.length % 4 != 0 || b[0] != VERSION) return null;
        int opcode = b[1] & 0xff;
        int result = b[3] & 0xff;
        long lifetimeS = get32(b, 4);
        long epochS = get32(b, 8);
        if (opcode == (RESPONSE | ANNOUNCE)) return new Response(result, lifetimeS, epochS, null);
        if (opcode != (RESPONSE | MAP)) return null;
        if (b.length < MAP_BYTES) return result == OK ? null : new Response(result, lifetimeS, epochS, null);
        boolean mine = nonce.equals(Bytes.copyOf(b, HEADER, NONCE_BYTES))
                && b[HEADER + 12] == UDP
                && get16(b, HEADER + 16) == internal.port();
        if (!mine) return null;
        if (result != OK) return new Response(result, lifetimeS, epochS, null);
        Address external = Address.of(Arrays.copyOfRange(b, HEADER + 20, HEADER + 36), get16(b, HEADER + 18));
        return external == null ? null : new Response(OK, lifetimeS, epochS, external);
    }

    private static void putIp(byte[] out, int at, Address address) {
        for (int i = 0; i < 8; i++) {
            out[at + i] = (byte) (address.high() >>> (56 - 8 * i));
            out[at + 8 + i] = (byte) (address.low() >>> (56 - 8 * i));
        }
    }

    static void put16(byte[] out, int at, int value) {
        out[at] = (byte) (value >>> 8);
        out[at + 1] = (byte) value;
    }

    static void put32(byte[] out, int at, long value) {
        put16(out, at, (int) (value >>> 16) & 0xffff);
        put16(out, at + 2, (int) value & 0xffff);
    }

    static int get16(byte[] b, int at) {
        return (b[at] & 0xff) << 8 | (b[at + 1] & 0xff);
    }

    static long get32(byte[] b, int at) {
        return (long) get16(b, at) << 16 | get16(b, at + 2);
    }
}
