package mcc.sys;

import static org.assertj.core.api.Assertions.assertThat;

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

    @ParameterizedTest
    @ValueSource(strings = {"file", "abstract"})
    void systemdHearsHowTheProcessStands(String kind) {
        String path = folder.resolve("notify").toString();
        String variable = kind.equals("file") ? path : "@" + path;
        try (NotifySocket socket = new NotifySocket(kind.equals("file") ? path : "\0" + path)) {
            Systemd systemd = Systemd.of(Map.of("NOTIFY_SOCKET", variable));
            systemd.ready();
            assertThat(socket.heard()).isEqualTo("READY=1\nSTATUS=serving");
            systemd.beat();
            assertThat(socket.heard()).isEqualTo("WATCHDOG=1");
            systemd.stopping();
            assertThat(socket.heard()).startsWith("STOPPING=1\n");
            for (int i = 0; i < 10_000; i++) systemd.beat(); // a queue that nobody empties
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
