package mcc.sys;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * What the kernel says about earlier datagrams of a socket: that nobody listens at a destination (ICMP port unreachable; RFC
 * 792, RFC 4443 section 3.1). Whoever sees the traffic, or guesses both ports, can forge such a message.
 */
public final class UdpRefusals {
    private static final int MSG_ERRQUEUE = 0x2000;
    /** Entries of the queue that are read at most in one call. */
    private static final int ERRORS_MAX = 64;

    private final Libc libc;
    private final int fd;
    private final boolean v4;
    private final MemorySegment header;
    /** The destination concerned. */
    private final MemorySegment name;
    /** {@code struct sock_extended_err}, after other cmsgs. */
    private final MemorySegment control;

    UdpRefusals(Libc libc, int fd, boolean v4, Arena arena) {
        this.libc = libc;
        this.fd = fd;
        this.v4 = v4;
        header = arena.allocate(56, 8);
        name = arena.allocate(UdpDescriptor.NAME, 8);
        control = arena.allocate(2L * UdpDescriptor.CONTROL, 8);
        header.set(ADDRESS, 0, name);
        header.set(ADDRESS, 32, control);
    }

    /** Reads up to the next refusal; false if there is none. */
    boolean next() {
        int level = v4 ? UdpDescriptor.IPPROTO_IP : UdpDescriptor.IPPROTO_IPV6;
        int type = v4 ? UdpDescriptor.IP_RECVERR : UdpDescriptor.IPV6_RECVERR;
        for (int i = 0; i < ERRORS_MAX; i++) {
            header.set(JAVA_INT, 8, UdpDescriptor.NAME);
            header.set(JAVA_LONG, 40, control.byteSize());
            if (libc.recvmsg(fd, header, UdpDescriptor.MSG_DONTWAIT | MSG_ERRQUEUE) < 0) return false;
            long at = KernelStructs.control(control, 0, header.get(JAVA_LONG, 40), level, type);
            if (at >= 0 && control.get(JAVA_INT, at) == UdpErrors.ECONNREFUSED) return true;
        }
        return false;
    }

    /** The upper 64 bits of the destination, as in {@link UdpDescriptor#fromHigh}. */
    public long high() {
        return KernelStructs.high(v4, name, 0);
    }

    /** Its lower 64 bits. */
    public long low() {
        return KernelStructs.low(v4, name, 0);
    }

    /** Its port. */
    public int port() {
        return KernelStructs.port(name, 0);
    }
}
