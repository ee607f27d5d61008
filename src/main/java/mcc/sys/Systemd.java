package mcc.sys;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * Tells systemd the state of the process, by datagrams to the socket named by {@code NOTIFY_SOCKET} (sd_notify(3)): ready,
 * alive, about to stop. Does nothing if systemd did not ask for it, and never fails: what cannot be sent is left out.
 */
public final class Systemd {
    private static final int AF_UNIX = 1;
    private static final int SOCK_DGRAM_NONBLOCK_CLOEXEC = 2 | 0x800 | 0x80000;
    /** The longest name of a socket, in bytes (unix(7)). */
    private static final int PATH_BYTES = 108;

    private final byte[] path;

    private Systemd(byte[] path) {
        this.path = path;
    }

    /** @param environment the process's environment */
    public static Systemd of(Map<String, String> environment) {
        String name = environment.getOrDefault("NOTIFY_SOCKET", "");
        byte[] path = name.getBytes(StandardCharsets.UTF_8);
        boolean usable = (name.startsWith("/") || name.startsWith("@")) && path.length < PATH_BYTES;
        if (usable && path[0] == '@') path[0] = 0; // an abstract name (unix(7))
        return new Systemd(usable ? path : new byte[0]);
    }

    /** The node is ready. */
    public void ready() {
        send("READY=1\nSTATUS=serving");
    }

    /** Every event loop makes progress; for systemd's watchdog. */
    public void beat() {
        send("WATCHDOG=1");
    }

    /** The node withdraws from the network, and stops. */
    public void stopping() {
        send("STOPPING=1\nSTATUS=withdrawing from the network");
    }

    private void send(String text) {
        if (path.length == 0) return;
        Libc libc = new Libc();
        int fd = libc.socket(AF_UNIX, SOCK_DGRAM_NONBLOCK_CLOEXEC, 0);
        if (fd < 0) return;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = arena.allocate(2 + PATH_BYTES, 8);
            address.set(JAVA_SHORT, 0, (short) AF_UNIX);
            MemorySegment.copy(path, 0, address, JAVA_BYTE, 2, path.length);
            if (libc.connect(fd, address, 2 + path.length) < 0) return;
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            libc.write(fd, MemorySegment.ofArray(bytes), bytes.length);
        } finally {
            libc.close(fd);
        }
    }
}
