package mcc.sys;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What systemd hears, on a socket of its kind. */
class SystemdTest {
    @TempDir
    Path folder;

    private final Libc libc = new Libc();

    /** A datagram socket bound to a name, as systemd's is. */
    private int bound(byte[] name) {
        int fd = libc.socket(1, 2 | 0x800 | 0x80000, 0);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = arena.allocate(110, 8);
            address.set(JAVA_SHORT, 0, (short) 1);
            MemorySegment.copy(name, 0, address, JAVA_BYTE, 2, name.length);
            assertThat(libc.bind(fd, address, 2 + name.length)).isZero();
        }
        return fd;
    }

    private String heard(int fd) {
        byte[] to = new byte[200];
        int n = libc.read(fd, MemorySegment.ofArray(to), to.length);
        return n < 0 ? "" : new String(to, 0, n, StandardCharsets.UTF_8);
    }

    @ParameterizedTest
    @ValueSource(strings = {"file", "abstract"})
    void systemdHearsHowTheProcessStands(String kind) {
        String path = folder.resolve("notify").toString();
        String variable = kind.equals("file") ? path : "@" + path;
        byte[] name = (kind.equals("file") ? path : "\0" + path).getBytes(StandardCharsets.UTF_8);
        int fd = bound(name);
        try {
            Systemd systemd = Systemd.of(Map.of("NOTIFY_SOCKET", variable));
            systemd.ready();
            assertThat(heard(fd)).isEqualTo("READY=1\nSTATUS=serving");
            systemd.beat();
            assertThat(heard(fd)).isEqualTo("WATCHDOG=1");
            systemd.stopping();
            assertThat(heard(fd)).startsWith("STOPPING=1\n");
            for (int i = 0; i < 10_000; i++) systemd.beat(); // a queue that nobody empties
        } finally {
            libc.close(fd);
        }
        Systemd.of(Map.of("NOTIFY_SOCKET", variable)).beat(); // a socket that nobody has
    }

    @Test
    void whereNobodyAskedNothingHappens() {
        Systemd.of(Map.of()).ready();
        Systemd.of(Map.of("NOTIFY_SOCKET", "relative")).beat();
        Systemd.of(Map.of("NOTIFY_SOCKET", "/" + "x".repeat(200))).beat();
    }
}
