package mcc.node;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import mcc.crypto.Aead.Suite;

/** The ciphers that this machine does well: AES-256-GCM only if the processor has AES instructions. */
final class Suites {
    private Suites() {}

    static List<Suite> ofThisMachine() {
        return hasAes() ? List.of(Suite.AES_256_GCM, Suite.CHACHA20_POLY1305) : List.of(Suite.CHACHA20_POLY1305);
    }

    private static boolean hasAes() {
        Path cpus = Path.of("/proc/cpuinfo");
        if (!Files.isReadable(cpus)) return !System.getProperty("os.arch", "").startsWith("arm");
        try (Stream<String> lines = Files.lines(cpus)) {
            return lines.anyMatch(line ->
                    (line.startsWith("flags") || line.startsWith("Features")) && (line + " ").contains(" aes "));
        } catch (IOException _) {
            return false; // if unknown, the cipher that is fast everywhere
        }
    }
}
