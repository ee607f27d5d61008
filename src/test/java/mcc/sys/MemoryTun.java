package mcc.sys;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** The kernel's side of a virtual interface that is no more than arrays: gives one packet again and again, and takes any. */
public final class MemoryTun extends Libc {
    private static final int MAX = 70_000;

    private final MemorySegment taken = MemorySegment.ofArray(new byte[MAX]);
    private MemorySegment packet = taken;
    private int left;
    private int takenBytes;
    private long writes;

    /** The interface, as a node gets it. */
    public TunDevice device(TunDevice.Offload offload) {
        return new TunDevice(this, -1, "mcc9", offload);
    }

    /** Has so many copies of a packet to be read. */
    public void gives(byte[] packet, int times) {
        this.packet = MemorySegment.ofArray(packet);
        left = times;
    }

    /** Copies not read yet. */
    public int left() {
        return left;
    }

    /** How often something was written. */
    public long writes() {
        return writes;
    }

    /** What was written last. */
    public byte[] last() {
        return Arrays.copyOf((byte[]) taken.heapBase().orElseThrow(), takenBytes);
    }

    @Override
    int read(int fd, MemorySegment to, long max) {
        if (left == 0) return -11; // nothing to read
        left--;
        MemorySegment.copy(packet, 0, to, 0, packet.byteSize());
        return (int) packet.byteSize();
    }

    @Override
    int write(int fd, MemorySegment from, long length) {
        writes++;
        takenBytes = (int) length;
        MemorySegment.copy(from, 0, taken, 0, length);
        return takenBytes;
    }

    /** No addresses here. */
    @Override
    int socket(int family, int type, int protocol) {
        return -1;
    }

    @Override
    void close(int fd) {}

    @Override
    int ioctl(int fd, long request, MemorySegment argument) {
        return 0;
    }
}
