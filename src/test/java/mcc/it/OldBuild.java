package mcc.it;

import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The last build that spoke version 1 of the protocol alone, made from this repository's own history below {@code target}, once.
 * Where the history is not there, as in a shallow clone, the test that wants it is skipped.
 */
final class OldBuild {
    private static final String COMMIT = "690975214d547fca0dd890b1c344958bfa8fa6d4";
    private static final Path FOLDER = Path.of("target", "old-build", COMMIT).toAbsolutePath();

    private OldBuild() {}

    /** Its launcher, which has built it. */
    static synchronized Path launcher() throws Exception {
        Path launcher = FOLDER.resolve("mcc");
        if (Files.exists(launcher)) return launcher;
        if (run(Path.of("."), "git", "cat-file", "-e", COMMIT + "^{commit}") != 0) {
            abort("the history has no commit " + COMMIT + ", so there is no old build to mix with");
        }
        Path fresh = FOLDER.resolveSibling("new");
        run(Path.of("."), "rm", "-rf", fresh.toString());
        Files.createDirectories(fresh);
        String unpack = "git archive " + COMMIT + " | tar x -C " + fresh;
        if (run(Path.of("."), "bash", "-c", "set -o pipefail; " + unpack) != 0
                || run(fresh, "./mcc", "--version") != 0) {
            Needs.missing("the old build cannot be made; its last words are in " + fresh.resolve(".build/build.log"));
        }
        Files.move(fresh, FOLDER);
        return launcher;
    }

    private static int run(Path folder, String... command) throws IOException, InterruptedException {
        return new ProcessBuilder(List.of(command))
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor();
    }
}
