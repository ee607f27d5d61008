package mcc.core;

import org.jspecify.annotations.Nullable;

/**
 * An IP address and UDP port. IPv4 is held as IPv4-mapped IPv6 (RFC 4291 section 2.5.5.2), so that both families are one
 * kind of value; names are never resolved here.
 *
 * @param high the upper 64 bits of the IPv6 address
 * @param low the lower 64 bits
 * @param port 0 to 65,535
 */
public record Address(long high, long low, int port) {
    private static final long MAPPED = 0x0000_ffff_0000_0000L;
    private static final long CIRCUIT = 0xff01_0000L << 32;
    private static final long CARRIER = 0xff01_0001L << 32;

    /** Refuses a port outside 0 to 65,535. */
    public Address {
        if (port < 0 || port > 0xffff) throw new IllegalArgumentException("a port is 0 to 65535, not " + port);
    }

    /** An IPv4 address from its 32 bits, most significant first. */
    public static Address v4(int bits, int port) {
        return new Address(0, MAPPED | (bits & 0xffffffffL), port);
    }

    /**
     * Stands for a way through relays, which has no address of its own: a number that means something at this node alone. It is
     * no unicast address, so it is never published or dialled; interface-local multicast, which no datagram ever has as a source
     * (RFC 4291 section 2.7), is what it is made of.
     *
     * @param number at least 0
     */
    public static Address circuit(int number) {
        return new Address(CIRCUIT | number, 0, 0);
    }

    /** Returns whether this stands for a way through relays. */
    public boolean isCircuit() {
        return (high & -1L << 32) == CIRCUIT && low == 0;
    }

    /**
     * Stands for a carrier, a connection of TCP that brings datagrams and takes them. Like {@link #circuit} it means something at
     * this node alone, and is never published or dialled.
     *
     * @param number at least 0
     */
    public static Address carrier(int number) {
        return new Address(CARRIER | number, 0, 0);
    }

    /** Returns whether this stands for a carrier. */
    public boolean isCarrier() {
        return (high & -1L << 32) == CARRIER && low == 0;
    }

    /** Returns whether this stands for a way that has no address, a circuit or a carrier. */
    public boolean isStandIn() {
        return isCircuit() || isCarrier();
    }

    /** Returns the number of a circuit or a carrier; meaningful only when {@link #isStandIn}. */
    public int number() {
        return (int) high;
    }

    /** An address from 4 or 16 bytes, most significant first; null for any other length or a port out of range. */
    public static @Nullable Address of(byte[] ip, int port) {
        if (port < 0 || port > 0xffff) return null;
        if (ip.length == 4) {
            return v4((ip[0] & 0xff) << 24 | (ip[1] & 0xff) << 16 | (ip[2] & 0xff) << 8 | (ip[3] & 0xff), port);
        }
        if (ip.length != 16) return null;
        long high = 0;
        long low = 0;
        for (int i = 0; i < 8; i++) high = high << 8 | (ip[i] & 0xff);
        for (int i = 8; i < 16; i++) low = low << 8 | (ip[i] & 0xff);
        return new Address(high, low, port);
    }

    /** Parses {@code 192.0.2.1:9376} or {@code [2001:db8::1]:9376}; null when it is neither. */
    public static @Nullable Address parse(String text) {
        int colon = text.lastIndexOf(':');
        if (colon < 1) return null;
        int port = decimal(text.substring(colon + 1), 0xffff);
        if (port < 0) return null;
        String host = text.substring(0, colon);
        if (host.startsWith("[") && host.endsWith("]")) return v6(host.substring(1, host.length() - 1), port);
        return v4Text(host, port);
    }

    /** Returns whether this is an IPv4 address. */
    public boolean isV4() {
        return high == 0 && (low & 0xffff_ffff_0000_0000L) == MAPPED;
    }

    /** Returns the IPv4 bits; meaningful only when {@link #isV4}. */
    public int v4Bits() {
        return (int) low;
    }

    /** Returns the 4 or 16 bytes of the IP address. */
    public byte[] ip() {
        if (isV4()) return new byte[] {(byte) (low >>> 24), (byte) (low >>> 16), (byte) (low >>> 8), (byte) low};
        byte[] out = new byte[16];
        for (int i = 0; i < 8; i++) {
            out[i] = (byte) (high >>> (56 - 8 * i));
            out[8 + i] = (byte) (low >>> (56 - 8 * i));
        }
        return out;
    }

    /** Returns whether both have the same IP address, whatever the ports. */
    public boolean sameIp(Address other) {
        return high == other.high && low == other.low;
    }

    /** Returns what one owner usually has, to be counted as one source: the IPv4 address, or the /64 of IPv6 (RFC 6177). */
    public long source() {
        return isV4() ? low : high;
    }

    /**
     * Returns the network of this address, without a port: its first {@code v4Bits} or {@code v6Bits} bits, at most 32 and 64.
     */
    public Address network(int v4Bits, int v6Bits) {
        if (isV4()) return v4((int) (v4Bits() & 0xffffffffL << (32 - v4Bits)), 0);
        return new Address(v6Bits == 0 ? 0 : high & -1L << (64 - v6Bits), 0, 0);
    }

    /** Returns whether this is 127.0.0.0/8 or ::1. */
    public boolean isLoopback() {
        return isV4() ? (v4Bits() >>> 24) == 127 : high == 0 && low == 1;
    }

    /** Returns whether this is the unspecified address, 0.0.0.0 or ::. */
    public boolean isUnspecified() {
        return isV4() ? v4Bits() == 0 : high == 0 && low == 0;
    }

    /**
     * Returns whether a datagram can be sent to it as a single host: not unspecified, multicast or broadcast, and port not 0.
     */
    public boolean isUnicast() {
        if (port == 0 || isUnspecified()) return false;
        if (isV4()) return (v4Bits() >>> 28) < 0xe;
        return (high >>> 56) != 0xff;
    }

    /**
     * Returns whether only nearby hosts can reach it: private (RFC 1918), shared (RFC 6598), link-local, unique local (RFC
     * 4193) or loopback.
     */
    public boolean isLocal() {
        if (isLoopback()) return true;
        if (!isV4()) return (high >>> 57) == 0x7e || (high >>> 54) == 0x3fa;
        int b = v4Bits();
        return (b >>> 24) == 10
                || (b >>> 20) == 0xac1
                || (b >>> 16) == 0xc0a8
                || (b >>> 16) == 0xa9fe
                || (b >>> 22) == 0x191;
    }

    /** The IP address alone, without port or brackets. */
    public String host() {
        if (isV4()) {
            int b = v4Bits();
            return (b >>> 24) + "." + (b >>> 16 & 0xff) + "." + (b >>> 8 & 0xff) + "." + (b & 0xff);
        }
        int[] groups = new int[8];
        for (int i = 0; i < 4; i++) {
            groups[i] = (int) (high >>> (48 - 16 * i)) & 0xffff;
            groups[4 + i] = (int) (low >>> (48 - 16 * i)) & 0xffff;
        }
        return v6Text(groups);
    }

    @Override
    public String toString() {
        if (isCircuit()) return "circuit " + number();
        if (isCarrier()) return "carrier " + number();
        return isV4() ? host() + ":" + port : "[" + host() + "]:" + port;
    }

    /** RFC 5952 section 4: the longest run of at least two zero groups becomes "::". */
    private static String v6Text(int[] groups) {
        int best = -1;
        int bestLength = 1;
        for (int i = 0; i < 8; i++) {
            int n = 0;
            while (i + n < 8 && groups[i + n] == 0) n++;
            if (n > bestLength) {
                best = i;
                bestLength = n;
            }
        }
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < 8; i++) {
            if (i == best) {
                out.append("::");
                i += bestLength - 1;
                continue;
            }
            if (!out.isEmpty() && out.charAt(out.length() - 1) != ':') out.append(':');
            out.append(Integer.toHexString(groups[i]));
        }
        return out.toString();
    }

    private static @Nullable Address v4Text(String host, int port) {
        String[] parts = host.split("\\.", -1);
        if (parts.length != 4) return null;
        int bits = 0;
        for (String part : parts) {
            int v = decimal(part, 255);
            if (v < 0) return null;
            bits = bits << 8 | v;
        }
        return v4(bits, port);
    }

    private static @Nullable Address v6(String host, int port) {
        int gap = host.indexOf("::");
        String[] front = groups(gap < 0 ? host : host.substring(0, gap));
        String[] back = gap < 0 ? new String[0] : groups(host.substring(gap + 2));
        int count = front.length + back.length;
        if (gap < 0 ? count != 8 : count > 7) return null;
        byte[] ip = new byte[16];
        if (!write(front, ip, 0) || !write(back, ip, 16 - 2 * back.length)) return null;
        return of(ip, port);
    }

    private static String[] groups(String text) {
        return text.isEmpty() ? new String[0] : text.split(":", -1);
    }

    private static boolean write(String[] groups, byte[] ip, int at) {
        for (String group : groups) {
            if (group.isEmpty() || group.length() > 4) return false;
            int v = 0;
            for (int i = 0; i < group.length(); i++) {
                char c = group.charAt(i);
                int digit = Character.digit(c, 16);
                if (digit < 0 || c > 'f') return false;
                v = v << 4 | digit;
            }
            ip[at++] = (byte) (v >>> 8);
            ip[at++] = (byte) v;
        }
        return true;
    }

    private static int decimal(String text, int max) {
        if (text.isEmpty() || text.length() > 5) return -1;
        int v = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < '0' || c > '9') return -1;
            v = v * 10 + (c - '0');
        }
        return v <= max ? v : -1;
    }
}
