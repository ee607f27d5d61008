package mcc.sys;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * For what ioctl cannot do: gives an interface an address that the host never chooses as a source (rtnetlink(7); RFC 6724 rule
 * 3).
 */
final class Netlink {
    private static final int AF_NETLINK = 16;
    private static final byte AF_INET6 = 10;
    private static final int SOCK_RAW_NONBLOCK_CLOEXEC = 3 | 0x800 | 0x80000;
    private static final short RTM_NEWADDR = 20;
    private static final short REQUEST_ACK = 1 | 4;
    private static final short REPLACE_CREATE = 0x100 | 0x400;
    private static final byte NODAD = 2;
    private static final short IFA_ADDRESS = 1;
    private static final short IFA_LOCAL = 2;
    private static final short IFA_CACHEINFO = 6;
    private static final int MESSAGE_BYTES = 84;
    private static final int ERROR = 16;

    private Netlink() {}

    /** Gives an interface a deprecated IPv6 address with a 128-bit prefix. */
    static void address(Libc libc, int index, byte[] ip) throws SysError {
        String doing = "giving an endpoint its address";
        int socket = libc.socket(AF_NETLINK, SOCK_RAW_NONBLOCK_CLOEXEC, 0);
        if (socket < 0) throw SysError.of(doing, -socket);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment m = message(arena, index, ip);
            if (libc.write(socket, m, MESSAGE_BYTES) != MESSAGE_BYTES) throw SysError.of(doing, 1);
            MemorySegment answer = arena.allocate(512, 4); // the kernel has answered when write returns
            int n = libc.read(socket, answer, 512);
            int error = n < ERROR + 4 ? -5 : answer.get(JAVA_INT, ERROR);
            if (error < 0) throw SysError.of(doing, -error);
        } finally {
            libc.close(socket);
        }
    }

    /** A {@code struct nlmsghdr}, a {@code struct ifaddrmsg} and three attributes. */
    private static MemorySegment message(Arena arena, int index, byte[] ip) {
        MemorySegment m = arena.allocate(MESSAGE_BYTES, 4);
        m.set(JAVA_INT, 0, MESSAGE_BYTES);
        m.set(JAVA_SHORT, 4, RTM_NEWADDR);
        m.set(JAVA_SHORT, 6, (short) (REQUEST_ACK | REPLACE_CREATE));
        m.set(JAVA_INT, 8, 1);
        m.set(JAVA_BYTE, 16, AF_INET6);
        m.set(JAVA_BYTE, 17, (byte) 128);
        m.set(JAVA_BYTE, 18, NODAD);
        m.set(JAVA_INT, 20, index);
        attribute(m, 24, IFA_LOCAL);
        MemorySegment.copy(ip, 0, m, JAVA_BYTE, 28, 16);
        attribute(m, 44, IFA_ADDRESS);
        MemorySegment.copy(ip, 0, m, JAVA_BYTE, 48, 16);
        attribute(m, 64, IFA_CACHEINFO);
        m.set(JAVA_INT, 68, 0); // preferred for no time: deprecated
        m.set(JAVA_INT, 72, -1); // valid for ever
        return m;
    }

    private static void attribute(MemorySegment m, int at, short type) {
        m.set(JAVA_SHORT, at, (short) 20);
        m.set(JAVA_SHORT, at + 2, type);
    }
}
