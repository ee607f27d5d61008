package mcc;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import mcc.node.Watchdog;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The last steps of a process, in processes of their own: whatever blocks, it ends, and with its code. */
class EndingTest {
    private static Process start(String how) throws Exception {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-XX:+UseSerialGC",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Child.class.getName(),
                        how)
                .redirectErrorStream(true)
                .start();
    }

    private static int end(Process process) throws InterruptedException {
        boolean ended = process.waitFor(60, TimeUnit.SECONDS);
        process.destroyForcibly();
        assertThat(ended).as("it ends").isTrue();
        return process.exitValue();
    }

    @ParameterizedTest
    @CsvSource({"STUCK, 70", "MEMORY, 3"})
    void whatTheWatchdogFoundEndsTheProcessThoughNobodyTakesTheWord(String cause, int code) throws Exception {
        assertThat(end(start(cause))).isEqualTo(code);
    }

    @ParameterizedTest
    @CsvSource({"closes, 0", "hangs, 70", "starts, 0", "starts-blocked, 0"})
    void aSignalEndsTheProcessWhateverTheNodeDoes(String how, int code) throws Exception {
        Process process = start(how);
        BufferedReader out =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        assertThat(out.readLine()).isEqualTo("up");
        process.destroy();
        assertThat(end(process)).isEqualTo(code);
    }

    @Test
    void aSignalDuringTheStartInterruptsItSoThatItCleansUp() throws Exception {
        Process process = start("cleans-up");
        BufferedReader out =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        assertThat(out.readLine()).isEqualTo("up");
        process.toHandle().destroy(); // the process's own method would close what it says
        assertThat(out.readLine()).isEqualTo("cleaned up");
        assertThat(end(process)).isZero();
    }

    @Test
    void aStartThatFailedKeepsItsOwnCode() throws Exception {
        assertThat(end(start("fails"))).isEqualTo(5);
    }

    /** The program under test: its argument says what goes on when the end comes. */
    static final class Child {
        private Child() {}

        public static void main(String[] args) {
            CountDownLatch never = new CountDownLatch(1);
            boolean hasTime = args[0].equals("cleans-up");
            Ending ending = new Ending(_ -> await(never), hasTime ? 60_000 : 300);
            ending.install();
            switch (args[0]) {
                case "STUCK", "MEMORY" ->
                    ending.end(new Watchdog.Finding(Watchdog.Cause.valueOf(args[0]), "a word that nobody takes"));
                case "closes" -> ending.isAskedBefore(() -> {});
                case "hangs" -> ending.isAskedBefore(() -> await(never));
                default -> {}
            }
            if (!args[0].equals("fails")) {
                System.out.println("up");
                if (args[0].equals("starts-blocked")) while (true) await(never);
                await(never);
                if (hasTime) System.out.println("cleaned up");
            }
            ending.startIsOver();
            System.exit(5);
        }

        private static void await(CountDownLatch never) {
            try {
                never.await();
            } catch (InterruptedException _) {
                // goes on
            }
        }
    }
}
