package mcc.portmap;

import mcc.core.Address;
import org.jspecify.annotations.Nullable;

/** The messages of NAT-PMP (RFC 6886), for IPv4 and UDP. It shares its port with {@link Pcp}. */
final class NatPmp {
    static final int OK = 0;
    private static final int RESPONSE = 0x80;
    private static final int ADDRESS = 0;
    private static final int MAP_UDP = 1;

    private NatPmp() {}

    /**
     * What a gateway said.
     *
     * @param external from an answer about the address, with port 0; else null
     * @param internalPort from an answer about a mapping; else 0
     */
    record Response(
            int result, long epochS, @Nullable Address external, int internalPort, int externalPort, long lifetimeS) {
        /** Whether it is about the gateway's external address. */
        boolean isAboutAddress() {
            return internalPort == 0;
        }
    }

    /** Asks for the external address. */
    static byte[] address() {
        return new byte[] {0, ADDRESS};
    }

    /** Asks for a mapping, or, with lifetime and external port 0, for its end. */
    static byte[] map(int internalPort, int externalPort, long lifetimeS) {
        byte[] out = new byte[12];
        out[1] = MAP_UDP;
        Pcp.put16(out, 4, internalPort);
        Pcp.put16(out, 6, externalPort);
        Pcp.put32(out, 8, lifetimeS);
        return out;
    }

    /** What such a datagram says; null where it is none. */
    static @Nullable Response response(byte[] b) {
        if (b.length < 8 || b.length > 16 || b[0] != 0) return null;
        int opcode = b[1] & 0xff;
        int result = Pcp.get16(b, 2);
        long epochS = Pcp.get32(b, 4);
        if (opcode == (RESPONSE | MAP_UDP)) {
            if (b.length < 16) return null;
            int internalPort = Pcp.get16(b, 8);
            if (internalPort == 0) return null;
            return new Response(result, epochS, null, internalPort, Pcp.get16(b, 10), Pcp.get32(b, 12));
        }
        if (opcode != (RESPONSE | ADDRESS)) return null;
        if (result != OK) return new Response(result, epochS, null, 0, 0, 0);
        if (b.length < 12) return null;
        return new Response(OK, epochS, Address.v4((int) Pcp.get32(b, 8), 0), 0, 0, 0);
    }

    /** Whether a gateway that knows this protocol alone answers a request of another version. */
    static boolean isUnsupportedVersion(byte[] b) {
        return b.length >= 4 && b[0] == 0 && (b[1] & RESPONSE) != 0 && Pcp.get16(b, 2) == Pcp.UNSUPPORTED_VERSION;
    }
}
