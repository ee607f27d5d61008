package mcc.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import mcc.plugin.Jars;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A node's process ends when it is asked to, and when it is of no use any more: with a word and the documented code. */
class EndIT {
    @TempDir
    Path folder;

    private static int end(Process process) throws InterruptedException {
        assertThat(process.waitFor(RealNode.PATIENCE_MS, TimeUnit.MILLISECONDS))
                .as("it ends")
                .isTrue();
        return process.exitValue();
    }

    @Test
    void aNodeWithoutMemoryEndsWithAWord() throws Exception {
        try (RealNode node = RealNode.start(folder.resolve("n"))) {
            put(node.data, "hog", "mcc.plugin.sample.Hog");
            assertThat(end(node.process)).isEqualTo(3);
            assertThat(node.log()).contains("Terminating due to java.lang.OutOfMemoryError");
        }
    }

    /** At every moment of its start, from its first line of log on. */
    @Tag("long")
    @Test
    void aNodeThatIsAskedToEndBeforeItIsReadyDoesAndLeavesNothing() throws Exception {
        Path data = folder.resolve("n");
        for (int lines = 1; lines <= 3; lines++) {
            Path log = folder.resolve("log" + lines);
            Process process = new ProcessBuilder(command(data))
                    .redirectError(log.toFile())
                    .redirectOutput(folder.resolve("out").toFile())
                    .start();
            int seen = lines;
            RealNode.await("it logs", () -> count(log) >= seen);
            process.destroy();
            assertThat(end(process)).as("asked after line " + lines).isZero();
            assertThat(Files.readString(log)).doesNotContain("Exception", "mcc: ");
        }
        List<String> careless = List.of("sh", "-c", "umask 000; exec \"$0\" \"$@\"");
        try (RealNode again = RealNode.start(careless, data)) {
            assertNobodyElseWrites(data);
            assertThat(again.stop()).isZero();
        }
        try (Stream<Path> left = Files.list(data)) {
            assertThat(left.map(f -> f.getFileName().toString()))
                    .contains("format", "lock", "node.key", "admin.token", "plugins", "store.mv", "store.generation")
                    .doesNotContain("cache");
        }
    }

    /** Its standard error is a pipe that is full, and stays so. */
    @Test
    void aNodeWhoseErrorsNobodyReadsServesAndEnds() throws Exception {
        Path data = folder.resolve("n");
        put(data, "loud", "mcc.plugin.sample.Loud");
        Process process = new ProcessBuilder(command(data)).start();
        try {
            String ready = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))
                    .readLine();
            URI metrics = URI.create(ready.substring(ready.indexOf("http=") + 5) + "/metrics");
            RealNode.await("lines are lost and counted", () -> value(metrics, "mcc_log_dropped_total") > 0);
            process.destroy();
            assertThat(end(process)).isZero();
        } finally {
            process.destroyForcibly();
        }
    }

    private static void assertNobodyElseWrites(Path data) throws IOException {
        try (Stream<Path> all = Files.walk(data)) {
            for (Path each : all.toList()) {
                assertThat(Files.getPosixFilePermissions(each))
                        .as(each.toString())
                        .doesNotContain(PosixFilePermission.GROUP_WRITE, PosixFilePermission.OTHERS_WRITE);
            }
        }
    }

    private static List<String> command(Path data) {
        return RealNode.command("run", "--data", data.toString(), "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0");
    }

    private static void put(Path data, String name, String verticle) {
        byte[] jar =
                Jars.jar(Jars.manifest(name, verticle, List.of(), List.of()).encode(), verticle);
        Jars.put(data.resolve("plugins"), name, jar);
    }

    private static double value(URI metrics, String name) {
        try {
            HttpRequest request = HttpRequest.newBuilder(metrics).build();
            String text = HttpClient.newHttpClient()
                    .send(request, HttpResponse.BodyHandlers.ofString())
                    .body();
            return text.lines()
                    .filter(line -> line.startsWith(name))
                    .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
                    .findFirst()
                    .orElse(-1);
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static long count(Path log) {
        try {
            return Files.readString(log, StandardCharsets.UTF_8).lines().count();
        } catch (IOException e) {
            return 0;
        }
    }
}
