package mcc.sys;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A bound UDP socket of Linux that never blocks, never fragments, and sends and receives super-packets (UDP GSO and GRO).
 * Belongs to one thread.
 */
public final class UdpDescriptor implements AutoCloseable {
    /** The kernel's queue is full. */
    public static final int AGAIN = 11;
    /** The device of the path cannot segment. */
    public static final int EIO = 5;

    public static final int EINVAL = 22;
    /** A datagram is longer than the device of the path takes. */
    public static final int EMSGSIZE = 90;

    private static final int EINTR = 4;
    private static final int MESSAGES = 8;
    /** For sockets that receive one message at a time. */
    private static final int MESSAGES_FEW = 2;

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
    static final int IPPROTO_IP = 0;
    static final int IPPROTO_IPV6 = 41;
    private static final int IP_MTU_DISCOVER = 10;
    private static final int IPV6_MTU_DISCOVER = 23;
    private static final int IPV6_V6ONLY = 26;
    private static final int PMTUDISC_PROBE = 3;
    private static final int IP_TTL = 2;
    private static final int IPV6_UNICAST_HOPS = 16;
    private static final int IPV6_HOPLIMIT = 52;
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
    static final int MSG_DONTWAIT = 0x40;
    static final int IP_RECVERR = 11;
    static final int IPV6_RECVERR = 25;
    /** Sizes of {@code struct mmsghdr}, {@code msghdr}, {@code iovec}, {@code sockaddr_in6} with padding, and a cmsg. */
    private static final int MMSG = 64;

    static final int NAME = 32;
    static final int CONTROL = 96;
    /** Size of a cmsg's header, and of a cmsg with a number, including padding. */
    static final int CMSG = 16;

    private static final int CMSG_INT = 24;
    /** Sizes of a cmsg with {@code struct in_pktinfo}, and with {@code struct in6_pktinfo}, including padding. */
    private static final int CMSG_INFO4 = 32;

    private static final int CMSG_INFO6 = 40;
    static final long MAPPED = 0xffffL << 32;

    private final Libc libc;
    private final int fd;
    private final boolean v4;
    private final boolean segments;
    private final boolean both;
    private final int messages;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment headers;
    private final MemorySegment names;
    private final MemorySegment vectors;
    private final MemorySegment controls;
    private final MemorySegment buffers;
    private final byte[] heap = new byte[BYTES];
    private final MemorySegment outHeader = arena.allocate(56, 8);
    private final MemorySegment outName = arena.allocate(NAME, 8);
    private final MemorySegment outVector = arena.allocate(16, 8);
    private final MemorySegment outControl = arena.allocate(3L * CMSG_INT + CMSG_INFO6, 8);
    private final MemorySegment outBytes = arena.allocate(BYTES + 2048, 4096);
    private final UdpRefusals refusals;
    private final List<String> refused = new ArrayList<>();
    private int port;
    private boolean batches = true;
    private int error;
    private boolean closed;
    private long sourceHigh;
    private long sourceLow;
    private int sourceScope;
    private int hops;

    private UdpDescriptor(Libc libc, int fd, boolean v4, boolean segments, boolean both) {
        this.both = both;
        messages = both ? MESSAGES_FEW : MESSAGES;
        headers = arena.allocate((long) MMSG * messages, 8);
        names = arena.allocate((long) NAME * messages, 8);
        vectors = arena.allocate(16L * messages, 8);
        controls = arena.allocate((long) CONTROL * messages, 8);
        buffers = arena.allocate((long) BYTES * messages, 4096);
        this.libc = libc;
        this.fd = fd;
        this.v4 = v4;
        this.segments = segments;
        for (int i = 0; i < messages; i++) {
            vectors.set(ADDRESS, 16L * i, buffers.asSlice((long) BYTES * i, BYTES));
            vectors.set(JAVA_LONG, 16L * i + 8, BYTES);
            headers.set(ADDRESS, (long) MMSG * i, names.asSlice((long) NAME * i, NAME));
            headers.set(ADDRESS, (long) MMSG * i + 16, vectors.asSlice(16L * i, 16));
            headers.set(JAVA_LONG, (long) MMSG * i + 24, 1);
            headers.set(ADDRESS, (long) MMSG * i + 32, controls.asSlice((long) CONTROL * i, CONTROL));
        }
        refusals = new UdpRefusals(libc, fd, v4, arena);
        outVector.set(ADDRESS, 0, outBytes);
        outName.set(JAVA_SHORT, 0, (short) (v4 ? AF_INET : AF_INET6));
        outHeader.set(ADDRESS, 0, outName);
        outHeader.set(JAVA_INT, 8, v4 ? 16 : 28);
        outHeader.set(ADDRESS, 16, outVector);
        outHeader.set(JAVA_LONG, 24, 1);
    }

    /**
     * Binds a socket.
     *
     * @param ip 4 or 16 bytes
     * @param port 0 for any free one
     * @param offload whether the kernel is to cut and join super-packets, where it can
     * @throws SysError if the system refuses
     */
    public static UdpDescriptor bind(byte[] ip, int port, boolean offload) throws SysError {
        return bind(new Libc(), ip, port, offload);
    }

    /**
     * Binds a socket for other programs: long datagrams are sent in fragments, and super-packets are not used; a socket at
     * {@code ::} takes both families, with IPv4 as IPv4-mapped IPv6.
     *
     * @throws SysError if the system refuses
     */
    public static UdpDescriptor bindForPrograms(byte[] ip, int port) throws SysError {
        return bind(new Libc(), ip, port, false, true);
    }

    static UdpDescriptor bind(Libc libc, byte[] ip, int port, boolean offload) throws SysError {
        return bind(libc, ip, port, offload, false);
    }

    private static UdpDescriptor bind(Libc libc, byte[] ip, int port, boolean offload, boolean programs)
            throws SysError {
        if (!ByteOrder.nativeOrder().equals(ByteOrder.LITTLE_ENDIAN)) throw SysError.of("a fast socket", EINVAL);
        boolean v4 = ip.length == 4;
        int fd = libc.socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM_NONBLOCK_CLOEXEC, 0);
        if (fd < 0) throw SysError.of("opening a UDP socket", -fd);
        for (int option : new int[] {SO_SNDBUF, SO_RCVBUF, SO_SNDBUFFORCE, SO_RCVBUFFORCE}) {
            libc.setsockopt(fd, SOL_SOCKET, option, BUFFER_BYTES); // the last two need privileges
        }
        if (!v4) libc.setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, programs ? 0 : 1);
        boolean segments = offload && libc.setsockopt(fd, SOL_UDP, UDP_SEGMENT, 0) >= 0; // 0: by cmsg alone
        UdpDescriptor made = new UdpDescriptor(libc, fd, v4, segments, programs);
        if (offload && !segments) made.refused.add("UDP_SEGMENT");
        made.option("IP_RECVTOS", v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_RECVTOS : IPV6_RECVTCLASS, 1);
        made.option("IP_PKTINFO", v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_PKTINFO : IPV6_RECVPKTINFO, 1);
        int discover = v4 ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER;
        if (!programs) {
            made.option("IP_MTU_DISCOVER", v4 ? IPPROTO_IP : IPPROTO_IPV6, discover, PMTUDISC_PROBE);
            made.option("IP_RECVERR", v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_RECVERR : IPV6_RECVERR, 1);
        }
        if (offload) made.option("UDP_GRO", SOL_UDP, UDP_GRO, 1); // without it each datagram comes alone
        try {
            made.tryReceiving();
            made.bind(ip, port);
            made.trySending();
            return made;
        } catch (SysError e) {
            made.close();
            throw e;
        }
    }

    private void option(String name, int level, int option, int value) {
        if (libc.setsockopt(fd, level, option, value) < 0) refused.add(name);
    }

    private void bind(byte[] ip, int port) throws SysError {
        try (Arena scratch = Arena.ofConfined()) {
            MemorySegment name = scratch.allocate(NAME, 8);
            name.set(JAVA_SHORT, 0, (short) (v4 ? AF_INET : AF_INET6));
            name.set(JAVA_SHORT, 2, Short.reverseBytes((short) port));
            MemorySegment.copy(ip, 0, name, JAVA_BYTE, v4 ? 4 : 8, ip.length);
            int r = libc.bind(fd, name, v4 ? 16 : 28);
            if (r < 0) throw SysError.of("binding a UDP socket", -r);
            r = libc.getsockname(fd, name, scratch.allocateFrom(JAVA_INT, NAME));
            if (r < 0) throw SysError.of("asking for the port of a UDP socket", -r);
            this.port = Short.reverseBytes(name.get(JAVA_SHORT, 2)) & 0xffff;
        }
    }

    /** A sandbox may refuse calls (seccomp(2)): a socket that could never send or receive must be an error. */
    private void tryReceiving() throws SysError {
        receive();
        if (UdpErrors.isRefusal(error)) throw SysError.of("receiving UDP datagrams", error);
    }

    private void trySending() throws SysError {
        outHeader.set(JAVA_INT, 8, 0); // to nobody: sends nothing
        outHeader.set(ADDRESS, 0, MemorySegment.NULL);
        int r = -libc.sendmsg(fd, outHeader);
        outHeader.set(JAVA_INT, 8, v4 ? 16 : 28);
        outHeader.set(ADDRESS, 0, outName);
        if (UdpErrors.isRefusal(r)) throw SysError.of("sending UDP datagrams", r);
    }

    /** The descriptor, for a loop to watch. */
    public int descriptor() {
        return fd;
    }

    /** Whether {@link #send} takes super-packets; a path may refuse them nevertheless. */
    public boolean segments() {
        return segments;
    }

    /** The bound port. */
    public int port() {
        return port;
    }

    /** The options that the kernel refused, by their IPv4 names; the socket works without them. */
    public List<String> refused() {
        return List.copyOf(refused);
    }

    /** Whether {@link #receive} gets several messages per call, which a system may refuse. */
    public boolean batches() {
        return batches;
    }

    /** The error of the last {@link #receive}; 0 for none. */
    public int error() {
        return error;
    }

    /** Receives the messages that are there, at most a batch; returns their number. They are then read by index. */
    public int receive() {
        if (closed) return 0;
        for (int i = 0; i < messages; i++) {
            headers.set(JAVA_INT, (long) MMSG * i + 8, NAME);
            headers.set(JAVA_LONG, (long) MMSG * i + 40, CONTROL);
        }
        int n = receiveOnce();
        if (n < 0 && UdpErrors.mayBeOfAnother(-n)) n = receiveOnce();
        if (batches && n < 0 && UdpErrors.isRefusal(-n)) {
            batches = false;
            n = receiveOnce();
        }
        error = n >= 0 || n == -AGAIN || n == -EINTR ? 0 : -n;
        return Math.max(0, n);
    }

    private int receiveOnce() {
        return batches ? libc.recvmmsg(fd, headers, messages, MSG_DONTWAIT) : receiveOneByOne();
    }

    /** The next refusal of an earlier datagram, to be read before the next call; null for none. */
    public @Nullable UdpRefusals nextRefusal() {
        return closed || !refusals.next() ? null : refusals;
    }

    private int receiveOneByOne() {
        for (int i = 0; i < messages; i++) {
            int n = libc.recvmsg(fd, headers.asSlice((long) MMSG * i, MMSG), MSG_DONTWAIT);
            if (n < 0) return i > 0 ? i : n;
            headers.set(JAVA_INT, (long) MMSG * i + 56, n);
        }
        return messages;
    }

    /** The length of message {@code i} in bytes. */
    public int length(int i) {
        return headers.get(JAVA_INT, (long) MMSG * i + 56);
    }

    /** The length of each datagram in message {@code i}; the last one may be shorter. */
    public int segment(int i) {
        long at = control(i, SOL_UDP, UDP_GRO);
        return at < 0 ? length(i) : controls.get(JAVA_INT, at);
    }

    /** The ECN bits of message {@code i}, 0 to 3. */
    public int ecn(int i) {
        long at = control(i, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TOS : IPV6_TCLASS);
        return at < 0 ? 0 : controls.get(JAVA_BYTE, at) & 3; // little-endian, so the low byte of an int too
    }

    /** Where the data of message {@code i}'s control message of a kind begins; negative if there is none. */
    private long control(int i, int level, int type) {
        long length = Math.min(CONTROL, headers.get(JAVA_LONG, (long) MMSG * i + 40));
        return KernelStructs.control(controls, (long) CONTROL * i, length, level, type);
    }

    /** The bytes of message {@code i}, from index 0, valid until the next call. */
    public byte[] message(int i) {
        MemorySegment.copy(buffers, JAVA_BYTE, (long) BYTES * i, heap, 0, length(i));
        return heap;
    }

    /** The upper 64 bits of message {@code i}'s sender address; IPv4 as IPv4-mapped IPv6. */
    public long fromHigh(int i) {
        return KernelStructs.high(v4, names, (long) NAME * i);
    }

    /** Its lower 64 bits. */
    public long fromLow(int i) {
        return KernelStructs.low(v4, names, (long) NAME * i);
    }

    /**
     * The upper 64 bits of this host's address that message {@code i} came to, as in {@link #fromHigh}; both halves are 0 if
     * the kernel does not tell.
     */
    public long localHigh(int i) {
        long at = v4 ? -1 : control(i, IPPROTO_IPV6, IPV6_PKTINFO);
        return at < 0 ? 0 : Long.reverseBytes(controls.get(JAVA_LONG, at));
    }

    /** Its lower 64 bits. */
    public long localLow(int i) {
        long at = v4 ? control(i, IPPROTO_IP, IP_PKTINFO) : control(i, IPPROTO_IPV6, IPV6_PKTINFO);
        if (at < 0) return 0;
        if (!v4) return Long.reverseBytes(controls.get(JAVA_LONG, at + 8));
        return MAPPED | Integer.reverseBytes(controls.get(JAVA_INT, at + 4)) & 0xffffffffL;
    }

    /** The index of the interface that message {@code i} came to; 0 if the kernel does not tell, and for IPv4. */
    public int localScope(int i) {
        long at = v4 ? -1 : control(i, IPPROTO_IPV6, IPV6_PKTINFO);
        return at < 0 ? 0 : controls.get(JAVA_INT, at + 16);
    }

    /**
     * From now on sends from this address of the host; the kernel chooses one if both halves are 0.
     *
     * @param scope the index of the interface to send by; 0 for any
     */
    public void leaveFrom(long high, long low, int scope) {
        sourceHigh = high;
        sourceLow = low;
        sourceScope = scope;
    }

    /** From now on what is sent ends after so many hops (the IP header's TTL); 0 for as many as usual. */
    public void endAfter(int hops) {
        this.hops = hops;
    }

    /** The same for another socket, given by its descriptor. */
    public static void endAfter(int fd, boolean v4, int hops) {
        int value = hops == 0 ? -1 : hops; // -1: as the system has it
        new Libc().setsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TTL : IPV6_UNICAST_HOPS, value);
    }

    /** The port of message {@code i}'s sender. */
    public int fromPort(int i) {
        return KernelStructs.port(names, (long) NAME * i);
    }

    /**
     * Sends one datagram, or a super-packet of datagrams of {@code segment} bytes, the last of which may be shorter.
     *
     * @param high the upper 64 bits of the IP address; IPv4 as IPv4-mapped IPv6
     * @param low the lower 64 bits
     * @param segment 0 for one datagram
     * @param ecn the ECN bits, 0 to 3
     * @return 0, or the error number
     */
    public int send(long high, long low, int port, byte[] bytes, int offset, int length, int segment, int ecn) {
        boolean toV4 = high == 0 && low >>> 32 == MAPPED >>> 32;
        if (closed || v4 != toV4 && (v4 || !both)) return EINVAL;
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
        if (ecn > 0 && v4 == toV4) {
            controlled = putNumber(controlled, v4 ? IP_TOS : IPV6_TCLASS, ecn);
        }
        if (hops > 0 && v4 == toV4) {
            controlled = putNumber(controlled, v4 ? IP_TTL : IPV6_HOPLIMIT, hops);
        }
        if (sourceLow != 0 || sourceHigh != 0) controlled = putSource(controlled);
        outHeader.set(ADDRESS, 32, controlled > 0 ? outControl : MemorySegment.NULL);
        outHeader.set(JAVA_LONG, 40, controlled);
        int error = -libc.sendmsg(fd, outHeader);
        if (UdpErrors.mayBeOfAnother(error)) error = -libc.sendmsg(fd, outHeader);
        return Math.max(0, error);
    }

    private int putNumber(int at, int type, int value) {
        putControl(at, CMSG + 4, v4 ? IPPROTO_IP : IPPROTO_IPV6, type);
        outControl.set(JAVA_INT, at + CMSG, value);
        return at + CMSG_INT;
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
