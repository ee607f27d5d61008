package mcc.sys;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.MemorySegment;

/** Reads what Linux writes about a datagram: {@code struct sockaddr_in}, {@code sockaddr_in6}, and control messages (cmsg(3)). */
final class KernelStructs {
    private KernelStructs() {}

    /** The upper 64 bits of an address; IPv4 as IPv4-mapped IPv6. */
    static long high(boolean v4, MemorySegment in, long at) {
        return v4 ? 0 : Long.reverseBytes(in.get(JAVA_LONG, at + 8));
    }

    static long low(boolean v4, MemorySegment in, long at) {
        if (v4) return UdpDescriptor.MAPPED | Integer.reverseBytes(in.get(JAVA_INT, at + 4)) & 0xffffffffL;
        return Long.reverseBytes(in.get(JAVA_LONG, at + 16));
    }

    static int port(MemorySegment in, long at) {
        return Short.reverseBytes(in.get(JAVA_SHORT, at + 2)) & 0xffff;
    }

    /** Where the data of the control message of a kind begins; negative if there is none. */
    static long control(MemorySegment in, long at, long length, int level, int type) {
        long end = at + length;
        while (at + UdpDescriptor.CMSG < end) {
            if (in.get(JAVA_INT, at + 8) == level && in.get(JAVA_INT, at + 12) == type) return at + UdpDescriptor.CMSG;
            at += Math.max(UdpDescriptor.CMSG, in.get(JAVA_LONG, at) + 7 & ~7L);
        }
        return -1;
    }
}
