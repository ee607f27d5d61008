package mcc.lab;

import mcc.core.Address;

/** Addresses in an IP packet without an Ethernet header: read, and for UDP and TCP over IPv4 rewritten with their checksums. */
final class Packet {
    static final int ICMP = 1;
    static final int TCP = 6;
    static final int UDP = 17;
    private static final int V4_BYTES = 20;
    private static final int V6_BYTES = 40;

    private Packet() {}

    /** Whether it says its own length right, and has whole headers of IP and of UDP or TCP where that is inside. */
    static boolean isSound(byte[] b, int length) {
        int version = length < V4_BYTES ? 0 : b[0] >> 4 & 0xf;
        if (version != 4 && version != 6) return false;
        if (version == 6 && length < V6_BYTES) return false;
        int header = version == 4 ? header(b) : V6_BYTES;
        int said = version == 4 ? get16(b, 2) : get16(b, 4) + V6_BYTES;
        if (said != length || header < V4_BYTES || header > length) return false;
        int transport = !hasPorts(b) ? 0 : protocol(b) == UDP ? 8 : 20;
        return header + transport <= length;
    }

    static boolean isV4(byte[] b) {
        return (b[0] >> 4 & 0xf) == 4;
    }

    /** The protocol of IPv4 that is inside; of IPv6, the type of its first next header. */
    static int protocol(byte[] b) {
        return isV4(b) ? b[9] & 0xff : b[6] & 0xff;
    }

    /** Whether it is UDP or TCP, and has the ports: not a later fragment. */
    static boolean hasPorts(byte[] b) {
        boolean later = isV4(b) && (get16(b, 6) & 0x1fff) != 0;
        return !later && (protocol(b) == UDP || protocol(b) == TCP);
    }

    /** Whence it comes; the port is 0 where it has none. */
    static Address source(byte[] b) {
        return isV4(b) ? v4(b, 12, 0) : v6(b, 8, 0);
    }

    /** Where it goes. */
    static Address destination(byte[] b) {
        return isV4(b) ? v4(b, 16, 2) : v6(b, 24, 2);
    }

    private static Address v4(byte[] b, int at, int port) {
        return Address.v4(get16(b, at) << 16 | get16(b, at + 2), hasPorts(b) ? get16(b, header(b) + port) : 0);
    }

    private static Address v6(byte[] b, int at, int port) {
        long high = 0;
        long low = 0;
        for (int i = 0; i < 8; i++) {
            high = high << 8 | b[at + i] & 0xff;
            low = low << 8 | b[at + 8 + i] & 0xff;
        }
        return new Address(high, low, hasPorts(b) ? get16(b, V6_BYTES + port) : 0);
    }

    /** Rewrites the source of a packet of UDP or TCP over IPv4. */
    static void source(byte[] b, Address to) {
        rewrite(b, 12, 0, to);
    }

    /** Rewrites its destination. */
    static void destination(byte[] b, Address to) {
        rewrite(b, 16, 2, to);
    }

    private static void rewrite(byte[] b, int at, int port, Address to) {
        int transport = header(b);
        int sum = transport + (protocol(b) == UDP ? 6 : 16);
        boolean unchecked = protocol(b) == UDP && get16(b, sum) == 0;
        int bits = to.v4Bits();
        int[][] words = {{at, bits >>> 16}, {at + 2, bits & 0xffff}, {transport + port, to.port()}};
        for (int[] word : words) {
            if (word[0] < transport) replaced(b, 10, get16(b, word[0]), word[1]);
            if (!unchecked) replaced(b, sum, get16(b, word[0]), word[1]);
            put16(b, word[0], word[1]);
        }
        // A sum that comes out as 0 is sent as all ones, because 0 says that there is none (RFC 768).
        if (protocol(b) == UDP && !unchecked && get16(b, sum) == 0) put16(b, sum, 0xffff);
    }

    /** Corrects a checksum for one word that changes, RFC 1624 equation 3. */
    private static void replaced(byte[] b, int sumAt, int was, int is) {
        int sum = (~get16(b, sumAt) & 0xffff) + (~was & 0xffff) + is;
        sum = (sum & 0xffff) + (sum >>> 16);
        sum = (sum & 0xffff) + (sum >>> 16);
        put16(b, sumAt, ~sum & 0xffff);
    }

    /** Takes so many hops off its life, but leaves it one: whoever forwards it next then says that it ended. */
    static void age(byte[] b, int hops) {
        int was = get16(b, 8);
        b[isV4(b) ? 8 : 7] = (byte) Math.max(1, life(b) - hops);
        if (isV4(b)) replaced(b, 10, was, get16(b, 8));
    }

    /** How many hops more it may go. */
    static int life(byte[] b) {
        return isV4(b) ? b[8] & 0xff : b[7] & 0xff;
    }

    private static int header(byte[] b) {
        return (b[0] & 0xf) * 4;
    }

    private static int get16(byte[] b, int at) {
        return (b[at] & 0xff) << 8 | b[at + 1] & 0xff;
    }

    private static void put16(byte[] b, int at, int value) {
        b[at] = (byte) (value >> 8);
        b[at + 1] = (byte) value;
    }
}
