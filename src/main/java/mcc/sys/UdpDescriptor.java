package mcc.sys;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;

/**
 * A bound UDP socket of Linux that never blocks, never fragments, and sends and receives super-packets (UDP GSO and GRO).
 * Belongs to one thread.
 */
public final class UdpDescriptor implements AutoCloseable {
    /** The kernel's queue is full. */
    public static final int AGAIN = 11;
    /** The path's device cannot segment. */
    public static final int EIO = 5;

    public static final int EINVAL = 22;
    /** A datagram is longer than the path's device takes. */
    public static final int EMSGSIZE = 90;

    private static final int EADDRNOTAVAIL = 99;
    private static final int ENETUNREACH = 101;
    private static final int EHOSTUNREACH = 113;
    private static final int MESSAGES = 8;
    private static final int BYTES = 65_536;
    private static final int BUFFER_BYTES = 4 << 20;
    private static final int AF_INET = 2;
    private static final int AF_INET6 = 10;
    private static final int SOCK_DGRAM_NONBLOCK_CLOEXEC = 2 | 0x800 | 0x80000;
    private static final int SOL_SOCKET = 1;
    private static final int SO_SNDBUF = 7;
    private static final int SO_RCVBUF = 8;
    private static final int SO_SNDBUFFORCE = 32;
    private static final int SO_RCVBUFFORCE = 33;
    private static final int IPPROTO_IP = 0;
    private static final int IPPROTO_IPV6 = 41;
    private static final int IP_MTU_DISCOVER = 10;
    private static final int IPV6_MTU_DISCOVER = 23;
    private static final int IPV6_V6ONLY = 26;
    private static final int PMTUDISC_PROBE = 3;
    private static final int IP_TOS = 1;
    private static final int IP_RECVTOS = 13;
    private static final int IPV6_RECVTCLASS = 66;
    private static final int IPV6_TCLASS = 67;
    private static final int IP_PKTINFO = 8;
    private static final int IPV6_RECVPKTINFO = 49;
    private static final int IPV6_PKTINFO = 50;
    private static final int SOL_UDP = 17;
    private static final int UDP_SEGMENT = 103;
    private static final int UDP_GRO = 104;
    private static final int MSG_DONTWAIT = 0x40;
    /** Sizes of {@code struct mmsghdr}, {@code msghdr}, {@code iovec}, {@code sockaddr_in6} with padding, and a cmsg. */
    private static final int MMSG = 64;

    private static final int NAME = 32;
    private static final int CONTROL = 96;
    /** A cmsg's header and, with its padding, one of a number. */
    private static final int CMSG = 16;

    private static final int CMSG_INT = 24;
    /** With {@code struct in_pktinfo} and {@code struct in6_pktinfo}, with padding. */
    private static final int CMSG_INFO4 = 32;

    private static final int CMSG_INFO6 = 40;
    private static final long MAPPED = 0xffffL << 32;

    private final Libc libc;
    private final int fd;
    private final boolean v4;
    private final boolean segments;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment headers = arena.allocate((long) MMSG * MESSAGES, 8);
    private final MemorySegment names = arena.allocate((long) NAME * MESSAGES, 8);
    private final MemorySegment vectors = arena.allocate(16L * MESSAGES, 8);
    private final MemorySegment controls = arena.allocate((long) CONTROL * MESSAGES, 8);
    private final MemorySegment buffers = arena.allocate((long) BYTES * MESSAGES, 4096);
    private final byte[] heap = new byte[BYTES];
    private final MemorySegment outHeader = arena.allocate(56, 8);
    private final MemorySegment outName = arena.allocate(NAME, 8);
    private final MemorySegment outVector = arena.allocate(16, 8);
    private final MemorySegment outControl = arena.allocate(2L * CMSG_INT + CMSG_INFO6, 8);
    private final MemorySegment outBytes = arena.allocate(BYTES + 2048, 4096);
    private final MemorySegment errno = arena.allocate(Linker.Option.captureStateLayout());
    private boolean closed;
    private long sourceHigh;
    private long sourceLow;
    private int sourceScope;

    private UdpDescriptor(Libc libc, int fd, boolean v4, boolean segments) {
        this.libc = libc;
        this.fd = fd;
        this.v4 = v4;
        this.segments = segments;
        for (int i = 0; i < MESSAGES; i++) {
            vectors.set(ADDRESS, 16L * i, buffers.asSlice((long) BYTES * i, BYTES));
            vectors.set(JAVA_LONG, 16L * i + 8, BYTES);
            headers.set(ADDRESS, (long) MMSG * i, names.asSlice((long) NAME * i, NAME));
            headers.set(ADDRESS, (long) MMSG * i + 16, vectors.asSlice(16L * i, 16));
            headers.set(JAVA_LONG, (long) MMSG * i + 24, 1);
            headers.set(ADDRESS, (long) MMSG * i + 32, controls.asSlice((long) CONTROL * i, CONTROL));
        }
        outVector.set(ADDRESS, 0, outBytes);
        outName.set(JAVA_SHORT, 0, (short) (v4 ? AF_INET : AF_INET6));
        outHeader.set(ADDRESS, 0, outName);
        outHeader.set(JAVA_INT, 8, v4 ? 16 : 28);
        outHeader.set(ADDRESS, 16, outVector);
        outHeader.set(JAVA_LONG, 24, 1);
    }

    /**
     * Binds.
     *
     * @param ip 4 or 16 bytes
     * @param port 0 for any that is free
     * @param offload whether to let the kernel cut and join super-packets, where it can
     * @throws SysError when the system refuses
     */
    public static UdpDescriptor bind(byte[] ip, int port, boolean offload) throws SysError {
        return bind(new Libc(), ip, port, offload);
    }

    static UdpDescriptor bind(Libc libc, byte[] ip, int port, boolean offload) throws SysError {
        if (!ByteOrder.nativeOrder().equals(ByteOrder.LITTLE_ENDIAN)) throw SysError.of("a fast socket", EINVAL);
        boolean v4 = ip.length == 4;
        int fd = libc.socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM_NONBLOCK_CLOEXEC, 0);
        if (fd < 0) throw SysError.of("opening a UDP socket", -fd);
        for (int option : new int[] {SO_SNDBUF, SO_RCVBUF, SO_SNDBUFFORCE, SO_RCVBUFFORCE}) {
            libc.setsockopt(fd, SOL_SOCKET, option, BUFFER_BYTES); // the last two need privileges
        }
        if (!v4) libc.setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
        if (v4) libc.setsockopt(fd, IPPROTO_IP, IP_RECVTOS, 1);
        else libc.setsockopt(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
        if (v4) libc.setsockopt(fd, IPPROTO_IP, IP_PKTINFO, 1);
        else libc.setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
        if (v4) libc.setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, PMTUDISC_PROBE);
        else libc.setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, PMTUDISC_PROBE);
        if (offload) libc.setsockopt(fd, SOL_UDP, UDP_GRO, 1); // refused by old kernels: then each datagram comes alone
        boolean segments = offload && libc.setsockopt(fd, SOL_UDP, UDP_SEGMENT, 0) >= 0; // 0: by cmsg alone
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = arena.allocate(NAME, 8);
            name.set(JAVA_SHORT, 0, (short) (v4 ? AF_INET : AF_INET6));
            name.set(JAVA_SHORT, 2, Short.reverseBytes((short) port));
            MemorySegment.copy(ip, 0, name, JAVA_BYTE, v4 ? 4 : 8, ip.length);
            int r = libc.bind(fd, name, v4 ? 16 : 28);
            if (r < 0) {
                libc.close(fd);
                throw SysError.of("binding a UDP socket", -r);
            }
        }
        return new UdpDescriptor(libc, fd, v4, segments);
    }

    /** The descriptor, for a loop to watch. */
    public int descriptor() {
        return fd;
    }

    /** Whether {@link #send} takes super-packets at all; a path may refuse them all the same. */
    public boolean segments() {
        return segments;
    }

    /** The port that is bound. */
    public int port() {
        try (Arena scratch = Arena.ofConfined()) {
            MemorySegment name = scratch.allocate(NAME, 8);
            MemorySegment size = scratch.allocateFrom(JAVA_INT, NAME);
            return libc.getsockname(fd, name, size) < 0 ? 0 : Short.reverseBytes(name.get(JAVA_SHORT, 2)) & 0xffff;
        }
    }

    /** Receives what is there, up to a batch; returns how many messages, to be read by their numbers. */
    public int receive() {
        if (closed) return 0;
        for (int i = 0; i < MESSAGES; i++) {
            headers.set(JAVA_INT, (long) MMSG * i + 8, NAME);
            headers.set(JAVA_LONG, (long) MMSG * i + 40, CONTROL);
        }
        return Math.max(0, libc.recvmmsg(fd, headers, MESSAGES, MSG_DONTWAIT));
    }

    /** The length of message {@code i} in bytes. */
    public int length(int i) {
        return headers.get(JAVA_INT, (long) MMSG * i + 56);
    }

    /** The length of each datagram in message {@code i} but the last. */
    public int segment(int i) {
        long at = control(i, SOL_UDP, UDP_GRO);
        return at < 0 ? length(i) : controls.get(JAVA_INT, at);
    }

    /** The mark of congestion notification that message {@code i} came with, 0 to 3. */
    public int ecn(int i) {
        long at = control(i, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TOS : IPV6_TCLASS);
        return at < 0 ? 0 : controls.get(JAVA_BYTE, at) & 3; // little-endian, so the low byte of an int too
    }

    /** Where the data of a control message is that message {@code i} came with; negative when it has none of the kind. */
    private long control(int i, int level, int type) {
        long at = (long) CONTROL * i;
        long end = at + Math.min(CONTROL, headers.get(JAVA_LONG, (long) MMSG * i + 40));
        while (at + CMSG < end) {
            if (controls.get(JAVA_INT, at + 8) == level && controls.get(JAVA_INT, at + 12) == type) return at + CMSG;
            at += Math.max(CMSG, controls.get(JAVA_LONG, at) + 7 & ~7L);
        }
        return -1;
    }

    /** The bytes of message {@code i}, from 0, until the next call. */
    public byte[] message(int i) {
        MemorySegment.copy(buffers, JAVA_BYTE, (long) BYTES * i, heap, 0, length(i));
        return heap;
    }

    /** The upper 64 bits of the sender's IP address of message {@code i}; IPv4 as IPv4-mapped IPv6. */
    public long fromHigh(int i) {
        return v4 ? 0 : Long.reverseBytes(names.get(JAVA_LONG, (long) NAME * i + 8));
    }

    /** The lower 64 bits of it. */
    public long fromLow(int i) {
        long at = (long) NAME * i;
        if (v4) return MAPPED | Integer.reverseBytes(names.get(JAVA_INT, at + 4)) & 0xffffffffL;
        return Long.reverseBytes(names.get(JAVA_LONG, at + 16));
    }

    /**
     * The upper 64 bits of the address of this host's that message {@code i} came to, as {@link #fromHigh}; both halves are 0
     * where the kernel does not say.
     */
    public long localHigh(int i) {
        long at = v4 ? -1 : control(i, IPPROTO_IPV6, IPV6_PKTINFO);
        return at < 0 ? 0 : Long.reverseBytes(controls.get(JAVA_LONG, at));
    }

    /** The lower 64 bits of it. */
    public long localLow(int i) {
        long at = v4 ? control(i, IPPROTO_IP, IP_PKTINFO) : control(i, IPPROTO_IPV6, IPV6_PKTINFO);
        if (at < 0) return 0;
        if (!v4) return Long.reverseBytes(controls.get(JAVA_LONG, at + 8));
        return MAPPED | Integer.reverseBytes(controls.get(JAVA_INT, at + 4)) & 0xffffffffL;
    }

    /** The index of the interface that message {@code i} came to; 0 where the kernel does not say, and for IPv4. */
    public int localScope(int i) {
        long at = v4 ? -1 : control(i, IPPROTO_IPV6, IPV6_PKTINFO);
        return at < 0 ? 0 : controls.get(JAVA_INT, at + 16);
    }

    /**
     * What is sent from now on leaves from this address of the host's; from any that the kernel likes where both halves are 0.
     *
     * @param scope the index of the interface to leave by; 0 for any
     */
    public void leaveFrom(long high, long low, int scope) {
        sourceHigh = high;
        sourceLow = low;
        sourceScope = scope;
    }

    /** Whether an error may mean that the host has the address of {@link #leaveFrom} no longer, or no way from it. */
    public static boolean mayBeOfSource(int error) {
        return switch (error) {
            case EINVAL, EADDRNOTAVAIL, ENETUNREACH, EHOSTUNREACH -> true;
            default -> false;
        };
    }

    /** The sender's port of message {@code i}. */
    public int fromPort(int i) {
        return Short.reverseBytes(names.get(JAVA_SHORT, (long) NAME * i + 2)) & 0xffff;
    }

    /**
     * Sends one datagram, or a super-packet of datagrams of {@code segment} bytes, the last of which may be short.
     *
     * @param high the upper 64 bits of the IP address; IPv4 as IPv4-mapped IPv6
     * @param low the lower 64 bits
     * @param segment 0 for one datagram
     * @param ecn the mark of congestion notification, 0 to 3
     * @return 0, or the error's number
     */
    public int send(long high, long low, int port, byte[] bytes, int offset, int length, int segment, int ecn) {
        if (closed || v4 != (high == 0 && low >>> 32 == MAPPED >>> 32)) return EINVAL;
        outName.set(JAVA_SHORT, 2, Short.reverseBytes((short) port));
        if (v4) {
            outName.set(JAVA_INT, 4, Integer.reverseBytes((int) low));
        } else {
            outName.set(JAVA_LONG, 8, Long.reverseBytes(high));
            outName.set(JAVA_LONG, 16, Long.reverseBytes(low));
        }
        MemorySegment.copy(bytes, offset, outBytes, JAVA_BYTE, 0, length);
        outVector.set(JAVA_LONG, 8, length);
        int controlled = 0;
        if (segment > 0) {
            putControl(controlled, CMSG + 2, SOL_UDP, UDP_SEGMENT);
            outControl.set(JAVA_SHORT, controlled + CMSG, (short) segment);
            controlled += CMSG_INT;
        }
        if (ecn > 0) {
            putControl(controlled, CMSG + 4, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TOS : IPV6_TCLASS);
            outControl.set(JAVA_INT, controlled + CMSG, ecn);
            controlled += CMSG_INT;
        }
        if (sourceLow != 0 || sourceHigh != 0) controlled = putSource(controlled);
        outHeader.set(ADDRESS, 32, controlled > 0 ? outControl : MemorySegment.NULL);
        outHeader.set(JAVA_LONG, 40, controlled);
        return libc.sendmsg(errno, fd, outHeader) < 0 ? errno.get(JAVA_INT, 0) : 0;
    }

    private int putSource(int at) {
        if (v4) {
            putControl(at, CMSG + 12, IPPROTO_IP, IP_PKTINFO);
            outControl.set(JAVA_INT, at + CMSG, 0);
            outControl.set(JAVA_INT, at + CMSG + 4, Integer.reverseBytes((int) sourceLow));
            outControl.set(JAVA_INT, at + CMSG + 8, 0);
            return at + CMSG_INFO4;
        }
        putControl(at, CMSG + 20, IPPROTO_IPV6, IPV6_PKTINFO);
        outControl.set(JAVA_LONG, at + CMSG, Long.reverseBytes(sourceHigh));
        outControl.set(JAVA_LONG, at + CMSG + 8, Long.reverseBytes(sourceLow));
        outControl.set(JAVA_INT, at + CMSG + 16, sourceScope);
        return at + CMSG_INFO6;
    }

    private void putControl(int at, int length, int level, int type) {
        outControl.set(JAVA_LONG, at, length);
        outControl.set(JAVA_INT, at + 8, level);
        outControl.set(JAVA_INT, at + 12, type);
    }

    @Override
    public void close() {
        if (closed) return;
        closed = true;
        libc.close(fd);
        arena.close();
    }
}
