package mcc.sys;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A virtual interface of the kernel whose packets this process reads and writes; it disappears with the process. Its
 * descriptor never blocks. Belongs to one thread once it is open.
 */
public final class TunDevice implements AutoCloseable {
    private static final int O_RDWR = 2;
    private static final int O_NONBLOCK = 0x800;
    private static final int O_CLOEXEC = 0x80000;
    private static final int AF_INET = 2;
    private static final int AF_INET6 = 10;
    private static final int SOCK_DGRAM = 2;

    private static final long TUNSETIFF = 0x400454ca;
    private static final long TUNGETIFF = 0x800454d2L;
    private static final long TUNSETOFFLOAD = 0x400454d0;
    private static final int EINTR = 4;
    private static final int EIO = 5;
    private static final int EAGAIN = 11;
    private static final int EINVAL = 22;
    private static final int ENOBUFS = 105;
    private static final int IFF_TUN = 0x0001;
    private static final int IFF_NO_PI = 0x1000;
    private static final int IFF_VNET_HDR = 0x4000;
    /** Offloads: checksums and TCP super-packets of both families; then UDP super-packets. */
    private static final int TSO = 0x01 | 0x02 | 0x04;

    private static final int USO = 0x20 | 0x40;

    private static final long SIOCADDRT = 0x890b;
    private static final int RTF_UP = 1;
    private static final long SIOCGIFFLAGS = 0x8913;
    private static final long SIOCSIFFLAGS = 0x8914;
    private static final long SIOCSIFADDR = 0x8916;
    private static final long SIOCSIFNETMASK = 0x891c;
    private static final long SIOCSIFMTU = 0x8922;
    private static final long SIOCGIFINDEX = 0x8933;
    private static final long SIOCSIFTXQLEN = 0x8943;
    private static final int IFF_UP = 1;
    /**
     * Packets that may wait for their reader: as many as arrive in 40 ms at a gigabit per second, while the reader is not
     * scheduled.
     */
    private static final int QUEUE = 4_000;
    /** Offset of the value in {@code struct ifreq}, and the struct's size. */
    private static final int VALUE = 16;

    private static final int IFREQ_BYTES = 40;

    /** How much cutting, joining and checksumming of packets the kernel leaves to this process. */
    public enum Offload {
        /** None: each packet is complete. */
        NONE,
        /** For TCP, with a header before each packet. */
        TCP,
        /** For UDP too; since Linux 6.2. */
        ALL
    }

    private final Libc libc;
    private final int fd;
    private final String name;
    private final Offload offload;
    /** The arrays used last, as memory segments: callers pass the same few arrays every time. */
    private byte[] read = new byte[0];

    private byte[] written = read;
    private int writtenFrom;
    private int error;
    private MemorySegment reading = MemorySegment.NULL;
    private MemorySegment writing = MemorySegment.NULL;

    TunDevice(Libc libc, int fd, String name, Offload offload) {
        this.libc = libc;
        this.fd = fd;
        this.name = name;
        this.offload = offload;
    }

    /**
     * An address for an interface, and the length of the prefix that its neighbours share.
     *
     * @param ip 4 or 16 bytes
     */
    @SuppressWarnings("ArrayRecordComponent") // read once
    public record Prefix(byte[] ip, int bits) {}

    /**
     * Creates an interface, switches it on and gives it addresses. If the kernel supports fewer offloads than asked for, uses
     * those.
     *
     * @param name at most 15 letters and digits
     * @param most the offloads asked for
     * @throws SysError if the system refuses; everything is undone then
     */
    public static TunDevice open(String name, int mtu, List<Prefix> addresses, Offload most) throws SysError {
        return open(new Libc(), name, mtu, addresses, most);
    }

    static TunDevice open(Libc libc, String name, int mtu, List<Prefix> addresses, Offload most) throws SysError {
        boolean linux = System.getProperty("os.name").equals("Linux");
        if (!linux || !ByteOrder.nativeOrder().equals(ByteOrder.LITTLE_ENDIAN)) {
            throw new SysError("a virtual interface needs Linux on a little-endian machine", "use mcc tunnel");
        }
        try (Arena arena = Arena.ofConfined()) {
            TunDevice made = most == Offload.NONE ? null : offloaded(libc, arena, name, most);
            if (made == null) made = plain(libc, arena, name);
            try {
                configure(libc, arena, name, mtu, addresses);
                return made;
            } catch (SysError e) {
                made.close();
                throw e;
            }
        }
    }

    private static int open(Libc libc, Arena arena) throws SysError {
        MemorySegment path = arena.allocateFrom("/dev/net/tun");
        return checked("opening /dev/net/tun", libc.open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC));
    }

    /** Creates the interface with offloads; null if the kernel has none. */
    private static @Nullable TunDevice offloaded(Libc libc, Arena arena, String name, Offload most) throws SysError {
        int fd = open(libc, arena);
        int r = make(libc, arena, fd, name, IFF_VNET_HDR);
        if (r < 0) {
            libc.close(fd);
            if (r != -EINVAL) throw SysError.of("making the interface " + name, -r);
            return null; // a kernel without these headers
        }
        if (most == Offload.ALL && libc.ioctl(fd, TUNSETOFFLOAD, TSO | USO) >= 0) {
            return new TunDevice(libc, fd, name, Offload.ALL);
        }
        if (libc.ioctl(fd, TUNSETOFFLOAD, TSO) >= 0) return new TunDevice(libc, fd, name, Offload.TCP);
        libc.close(fd); // removes the interface
        return null;
    }

    private static TunDevice plain(Libc libc, Arena arena, String name) throws SysError {
        int fd = open(libc, arena);
        int r = make(libc, arena, fd, name, 0);
        if (r >= 0) return new TunDevice(libc, fd, name, Offload.NONE);
        libc.close(fd);
        throw SysError.of("making the interface " + name, -r);
    }

    private static int make(Libc libc, Arena arena, int fd, String name, int flags) {
        MemorySegment request = request(arena, name);
        request.set(JAVA_SHORT, VALUE, (short) (IFF_TUN | IFF_NO_PI | flags));
        return libc.ioctl(fd, TUNSETIFF, request);
    }

    private static void configure(Libc libc, Arena arena, String name, int mtu, List<Prefix> addresses)
            throws SysError {
        MemorySegment request = request(arena, name);
        int socket = checked("opening a socket", libc.socket(AF_INET, SOCK_DGRAM, 0));
        try {
            request.set(JAVA_INT, VALUE, mtu);
            checked("setting the MTU of " + name, libc.ioctl(socket, SIOCSIFMTU, request));
            request.set(JAVA_INT, VALUE, QUEUE);
            checked("setting the queue of " + name, libc.ioctl(socket, SIOCSIFTXQLEN, request));
            checked("reading the flags of " + name, libc.ioctl(socket, SIOCGIFFLAGS, request));
            request.set(JAVA_SHORT, VALUE, (short) (request.get(JAVA_SHORT, VALUE) | IFF_UP));
            checked("switching on " + name, libc.ioctl(socket, SIOCSIFFLAGS, request));
            for (Prefix prefix : addresses)
                if (prefix.ip.length == 4) give4(libc, socket, request(arena, name), name, prefix);
            checked("reading the index of " + name, libc.ioctl(socket, SIOCGIFINDEX, request));
        } finally {
            libc.close(socket);
        }
        for (Prefix prefix : addresses) {
            if (prefix.ip.length == 16) give6(libc, arena, name, request.get(JAVA_INT, VALUE), prefix);
        }
    }

    private static void give4(Libc libc, int socket, MemorySegment request, String name, Prefix prefix)
            throws SysError {
        request.set(JAVA_SHORT, VALUE, (short) AF_INET);
        MemorySegment.copy(prefix.ip, 0, request, JAVA_BYTE, VALUE + 4, 4);
        checked("giving " + name + " its IPv4 address", libc.ioctl(socket, SIOCSIFADDR, request));
        request.set(JAVA_INT, VALUE + 4, Integer.reverseBytes(-1 << 32 - prefix.bits));
        checked("giving " + name + " its IPv4 mask", libc.ioctl(socket, SIOCSIFNETMASK, request));
    }

    private static void give6(Libc libc, Arena arena, String name, int index, Prefix prefix) throws SysError {
        int socket = checked("opening a socket for IPv6", libc.socket(AF_INET6, SOCK_DGRAM, 0));
        try {
            MemorySegment where = arena.allocate(24, 8); // struct in6_ifreq: address, prefix length, index
            MemorySegment.copy(prefix.ip, 0, where, JAVA_BYTE, 0, 16);
            where.set(JAVA_INT, 16, prefix.bits);
            where.set(JAVA_INT, 20, index);
            checked("giving " + name + " its address", libc.ioctl(socket, SIOCSIFADDR, where));
        } finally {
            libc.close(socket);
        }
    }

    /**
     * Makes the kernel route packets to a network into this interface.
     *
     * @throws SysError if the system refuses, as it does if another interface has that network
     */
    public void route(Prefix to) throws SysError {
        boolean v4 = to.ip.length == 4;
        int socket = checked("opening a socket", libc.socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM, 0));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment entry = v4 ? route4(arena, to) : route6(arena, socket, to);
            checked("routing a network of tun.routes to " + name, libc.ioctl(socket, SIOCADDRT, entry));
        } finally {
            libc.close(socket);
        }
    }

    /**
     * Gives the interface one more address, at which this host can be reached but which it never chooses as a source.
     *
     * @param ip 16 bytes
     * @throws SysError if the system refuses
     */
    public void host(byte[] ip) throws SysError {
        Netlink.address(libc, index(), ip);
    }

    private int index() throws SysError {
        int socket = checked("opening a socket", libc.socket(AF_INET, SOCK_DGRAM, 0));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment request = request(arena, name);
            checked("reading the index of " + name, libc.ioctl(socket, SIOCGIFINDEX, request));
            return request.get(JAVA_INT, VALUE);
        } finally {
            libc.close(socket);
        }
    }

    /** A {@code struct rtentry}. */
    private MemorySegment route4(Arena arena, Prefix to) {
        MemorySegment entry = arena.allocate(120, 8);
        for (int sockaddr : new int[] {8, 24, 40}) entry.set(JAVA_SHORT, sockaddr, (short) AF_INET);
        MemorySegment.copy(to.ip, 0, entry, JAVA_BYTE, 12, 4);
        entry.set(JAVA_INT, 44, Integer.reverseBytes(-1 << 32 - to.bits));
        entry.set(JAVA_SHORT, 56, (short) RTF_UP);
        entry.set(ADDRESS, 88, arena.allocateFrom(name));
        return entry;
    }

    /** A {@code struct in6_rtmsg}. */
    private MemorySegment route6(Arena arena, int socket, Prefix to) throws SysError {
        MemorySegment request = request(arena, name);
        checked("reading the index of " + name, libc.ioctl(socket, SIOCGIFINDEX, request));
        MemorySegment entry = arena.allocate(80, 8);
        MemorySegment.copy(to.ip, 0, entry, JAVA_BYTE, 0, 16);
        entry.set(JAVA_SHORT, 52, (short) to.bits);
        entry.set(JAVA_INT, 56, 1);
        entry.set(JAVA_INT, 72, RTF_UP);
        entry.set(JAVA_INT, 76, request.get(JAVA_INT, VALUE));
        return entry;
    }

    private static MemorySegment request(Arena arena, String name) {
        MemorySegment request = arena.allocate(IFREQ_BYTES, 8);
        request.setString(0, name);
        return request;
    }

    private static int checked(String doing, int result) throws SysError {
        if (result < 0) throw SysError.of(doing, -result);
        return result;
    }

    /** The descriptor, for an event loop. */
    public int descriptor() {
        return fd;
    }

    public String name() {
        return name;
    }

    /** What the kernel leaves to this process. */
    public Offload offload() {
        return offload;
    }

    /** The error of the last read or write; 0 for none, and if there was nothing to read or no room. */
    public int error() {
        return error;
    }

    /** Reads one packet to the beginning of {@code to}; −1 if there is none. */
    @SuppressWarnings("ReferenceEquality") // the same array, not an equal one
    public int read(byte[] to, int max) {
        if (to != read) {
            read = to;
            reading = MemorySegment.ofArray(to);
        }
        int n = libc.read(fd, reading, max);
        return n >= 0 ? n : failed(n);
    }

    /** Writes one packet; false if the kernel refuses it. */
    @SuppressWarnings("ReferenceEquality") // the same array, not an equal one
    public boolean write(byte[] from, int offset, int length) {
        if (from != written || offset != writtenFrom) {
            written = from;
            writtenFrom = offset;
            writing = MemorySegment.ofArray(from).asSlice(offset);
        }
        int n = libc.write(fd, writing, length);
        return n == length || failed(n) == 0;
    }

    private int failed(int result) {
        error = result == -EAGAIN || result == -EINTR || result == -ENOBUFS ? 0 : Math.max(-result, EIO);
        return -1;
    }

    /** Whether somebody else removed the interface. Costs a system call: to be used when there was nothing to read. */
    public boolean isGone() {
        try (Arena arena = Arena.ofConfined()) {
            return libc.ioctl(fd, TUNGETIFF, request(arena, name)) < 0;
        }
    }

    /** Removes the interface. */
    @Override
    public void close() {
        libc.close(fd);
    }
}
