package mcc;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 6, unit = TimeUnit.MINUTES)
final class LauncherIT {
    @TempDir
    private Path folder;

    @Test
    void itRunsFromAnywhereThroughChainsOfSymlinks() throws Exception {
        Path bin = Files.createDirectories(folder.resolve("a b/bin"));
        Path first = Files.createSymbolicLink(folder.resolve("first"), Launched.LAUNCHER);
        Path second = Files.createSymbolicLink(bin.resolve("mcc"), bin.relativize(first));
        Launched.Result result = Launched.await(folder, Launched.start(folder, second, List.of(), "--version"));
        assertThat(result.err()).doesNotContain("error");
        assertThat(result.out()).matches("mcc \\S+ \\(Java 2[5-9].*\\)\n");
        assertThat(result.exit()).isZero();
    }

    /** Whoever has run {@code mvn package} does not wait for a second build. What was packaged is no program here, to save time. */
    @Test
    @Tag("long")
    void whatMavenPackagedIsTakenUnlessASourceIsNewer() throws Exception {
        String tree = "set -e; cd \"$1\"; mkdir -p tree/src/main tree/target/lib; cp \"$2\" tree/; touch tree/pom.xml;"
                + " lst=tree/target/maven-status/maven-compiler-plugin/compile/default-compile/inputFiles.lst;"
                + " mkdir -p \"${lst%/*}\"; touch -d '1 minute ago' tree/pom.xml tree/mcc tree/src tree/src/main;"
                + " touch -d '30 seconds ago' $lst; touch tree/target/mcc-1.jar";
        Process making = new ProcessBuilder("bash", "-c", tree, "make", folder.toString(), Launched.LAUNCHER.toString())
                .inheritIO()
                .start();
        assertThat(making.waitFor()).isZero();
        Launched.Result taken = withoutMaven();
        assertThat(taken.err()).contains("mcc: built in").doesNotContain("Maven");
        Files.writeString(folder.resolve("tree/src/main/New.java"), "// a source");
        Launched.Result refused = withoutMaven();
        assertThat(refused.err()).contains("Maven is needed to build MCC");
        assertThat(refused.exit()).isEqualTo(1);
    }

    private Launched.Result withoutMaven() throws Exception {
        String hidden = "command() { [[ $2 != mvn ]] && builtin command \"$@\"; };"
                + " export -f command; exec \"$0\" --version";
        String launcher = folder.resolve("tree/mcc").toString();
        return Launched.await(folder, Launched.start(folder, Path.of("/bin/bash"), List.of(), "-c", hidden, launcher));
    }

    @Test
    void theExitCodeOfTheProgramIsItsOwn() throws Exception {
        Launched.Result result = Launched.await(folder, Launched.start(folder, Launched.LAUNCHER, List.of(), "bogus"));
        assertThat(result.exit()).isEqualTo(2);
        assertThat(result.out()).isEmpty();
    }

    @Test
    void aSpoiltArchiveIsPassedOverInSilence() throws Exception {
        Path spoilt = Files.writeString(folder.resolve("spoilt.aot"), "this is no archive");
        List<String> options = List.of("-XX:AOTCache=" + spoilt);
        Launched.Result result =
                Launched.await(folder, Launched.start(folder, Launched.LAUNCHER, options, "--version"));
        assertThat(result.out()).startsWith("mcc ").hasLineCount(1);
        assertThat(result.err()).doesNotContain("aot");
        assertThat(result.exit()).isZero();
    }

    @Test
    void aSimulationTooLargeForTheMemorySaysSo() throws Exception {
        Process process =
                Launched.start(folder, Launched.LAUNCHER, List.of("-Xmx24m"), "sim", "lookups", "--nodes", "10000");
        Launched.Result result = Launched.await(folder, process);
        assertThat(result.err()).contains("10000 nodes do not fit the heap", "MCC_JAVA_OPTS=-Xmx8g");
        assertThat(result.err()).doesNotContain("OutOfMemoryError").doesNotContain("\tat ");
        assertThat(result.out()).isEmpty();
        assertThat(result.exit()).isEqualTo(1);
    }

    @Test
    void aSmallerHeapTakesOneOption() throws Exception {
        Launched.Result result =
                Launched.await(folder, Launched.start(folder, Launched.LAUNCHER, List.of("-Xmx48m"), "run", "--help"));
        assertThat(result.err()).isEmpty();
        assertThat(result.exit()).isZero();
    }

    @Test
    void aPathBeyondAsciiIsOneWithoutALocaleToo() throws Exception {
        String script = "d=$(printf 'b\\303\\274ro'); mkdir \"$d\"; echo 'nmae: x' > \"$d/node.yaml\";"
                + " unset LANG LC_ALL LC_CTYPE; exec \"$0\" config check --config \"$d/node.yaml\"";
        Launched.Result result = Launched.await(
                folder,
                Launched.start(folder, Path.of("/bin/sh"), List.of(), "-c", script, Launched.LAUNCHER.toString()));
        assertThat(result.exit()).isEqualTo(1);
        assertThat(result.out() + result.err()).contains("unknown key 'nmae'", "did you mean 'name'?");
    }

    @Test
    void aNodeSaysThatItIsReadyAndEndsWellWhenAskedTo() throws Exception {
        Path data = folder.resolve("data");
        Process process = Launched.start(
                folder,
                Launched.LAUNCHER,
                List.of(),
                "run",
                "--data",
                data.toString(),
                "--listen",
                "127.0.0.1:0",
                "--http",
                "127.0.0.1:0");
        awaitLine(process);
        process.destroy();
        Launched.Result result = Launched.await(folder, process);
        assertThat(result.out())
                .matches("ready node=[a-z2-7]{52} udp=127\\.0\\.0\\.1:\\d+ http=http://127\\.0\\.0\\.1:\\d+\n");
        assertThat(result.exit()).isZero();
    }

    private void awaitLine(Process process) throws IOException, InterruptedException {
        while (process.isAlive() && !Files.readString(folder.resolve("out")).endsWith("\n")) {
            process.waitFor(20, TimeUnit.MILLISECONDS); // the pause between two looks, ended early by the end
        }
    }
}
