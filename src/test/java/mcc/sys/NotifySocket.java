package mcc.sys;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/** A datagram socket bound to a name, as systemd's is, at which it hears how a process stands. */
final class NotifySocket implements AutoCloseable {
    private final Libc libc = new Libc();
    private final int fd = libc.socket(1, 2 | 0x800 | 0x80000, 0);

    /** @param name a file's, or an abstract one that begins with zero */
    NotifySocket(String name) {
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = arena.allocate(110, 8);
            address.set(JAVA_SHORT, 0, (short) 1);
            MemorySegment.copy(bytes, 0, address, JAVA_BYTE, 2, bytes.length);
            assertThat(libc.bind(fd, address, 2 + bytes.length)).isZero();
        }
    }

    /** The next datagram; empty where none waits. */
    String heard() {
        byte[] to = new byte[200];
        int n = libc.read(fd, MemorySegment.ofArray(to), to.length);
        return n < 0 ? "" : new String(to, 0, n, StandardCharsets.UTF_8);
    }

    @Override
    public void close() {
        libc.close(fd);
    }
}
