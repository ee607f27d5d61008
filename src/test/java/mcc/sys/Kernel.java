package mcc.sys;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntUnaryOperator;

/** Linux, but for what it refuses. */
public final class Kernel extends Libc {
    /** An option of sockets for UDP, of udp(7). */
    public static final int UDP_SEGMENT = 103;

    public static final int UDP_GRO = 104;

    private static final int SOL_UDP = 17;

    private static final int ENOSYS = 38;

    private final List<String> refusedCalls = new ArrayList<>();
    private final List<Integer> refused = new ArrayList<>();
    private IntUnaryOperator error = _ -> 0;
    private volatile int deaf;
    private int sent;
    private int superPackets;

    /** It does not know an option. */
    public Kernel without(int option) {
        refused.add(option);
        return this;
    }

    /** @param error which error comes, 0 for none, when it is to send a super-packet, 1, or a datagram, 0 */
    public Kernel failing(IntUnaryOperator error) {
        this.error = error;
        return this;
    }

    /** From now on it answers with an error when it is asked for datagrams. */
    public void deafen(int errno) {
        deaf = errno;
    }

    /** How often it was asked to send. */
    public int sent() {
        return sent;
    }

    /** How often a super-packet. */
    public int superPackets() {
        return superPackets;
    }

    /** A socket of this kernel's. */
    public UdpDescriptor bind(byte[] ip, boolean offload) throws SysError {
        return UdpDescriptor.bind(this, ip, 0, offload);
    }

    @Override
    int setsockopt(int fd, int level, int option, int value) {
        return refused.contains(option) ? -92 : super.setsockopt(fd, level, option, value);
    }

    @Override
    @SuppressWarnings("restricted") // the control messages are where the header says
    int sendmsg(int fd, MemorySegment header) {
        if (header.get(JAVA_INT, 8) == 0) return refusedCalls.contains("sendmsg") ? -ENOSYS : super.sendmsg(fd, header);
        sent++;
        boolean segmented = header.get(JAVA_LONG, 40) > 0
                && header.get(ADDRESS, 32).reinterpret(16).get(JAVA_INT, 8) == SOL_UDP; // of several it is the first
        if (segmented) superPackets++;
        int refusal = error.applyAsInt(segmented ? 1 : 0);
        return refusal == 0 ? super.sendmsg(fd, header) : -refusal;
    }

    /** It refuses a call, as a sandbox does. */
    public Kernel refusing(String call) {
        refusedCalls.add(call);
        return this;
    }

    @Override
    int recvmmsg(int fd, MemorySegment headers, int count, int flags) {
        if (deaf != 0) return -deaf;
        return refusedCalls.contains("recvmmsg") ? -ENOSYS : super.recvmmsg(fd, headers, count, flags);
    }

    @Override
    int recvmsg(int fd, MemorySegment header, int flags) {
        return refusedCalls.contains("recvmsg") ? -ENOSYS : super.recvmsg(fd, header, flags);
    }
}
