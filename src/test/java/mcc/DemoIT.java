package mcc;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Tag("long")
@Timeout(value = 6, unit = TimeUnit.MINUTES)
final class DemoIT {
    @Test
    void theDemoShowsEveryStepAndLeavesNothingBehind(@TempDir Path folder) throws Exception {
        Path temp = Files.createDirectory(folder.resolve("temp"));
        List<String> options = List.of("-Djava.io.tmpdir=" + temp);
        Launched.Result result = Launched.await(
                folder, Launched.start(folder, Launched.LAUNCHER, options, "demo", "--once", "--nodes", "3"));
        assertThat(result.exit()).as(result.out() + result.err()).isZero();
        assertThat(result.out().lines().filter(line -> line.startsWith("ok "))).hasSize(8);
        assertThat(result.out())
                .contains(
                        "3 nodes up",
                        "found by name from node3",
                        "100 MB fetched",
                        "killed (SIGKILL)",
                        "left the list");
        try (Stream<Path> left = Files.list(temp)) {
            assertThat(left).isEmpty();
        }
        assertThat(ProcessHandle.allProcesses()
                        .flatMap(p -> p.info().commandLine().stream())
                        .filter(line -> line.contains(temp.toString())))
                .isEmpty();
    }
}
