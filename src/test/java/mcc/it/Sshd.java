package mcc.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A real {@code sshd} with keys of its own, which lets in the user that runs the test; ends with the test. */
final class Sshd implements AutoCloseable {
    private final Path keys;
    private final Process process;

    private Sshd(Path keys, Process process) {
        this.keys = keys;
        this.process = process;
    }

    /**
     * Starts it and waits until it listens.
     *
     * @param prefix such as {@code ip netns exec NAME}
     * @param keys a folder that is not there yet
     * @param address where to listen, as its manual writes it
     */
    static Sshd start(List<String> prefix, Path keys, String address, int port) throws Exception {
        String sshd = Needs.program("sshd", "openssh-server");
        String keygen = Needs.program("ssh-keygen", "openssh-client");
        Files.createDirectory(keys);
        for (String name : List.of("host", "user")) {
            TwoHosts.sh(keygen + " -q -t ed25519 -N '' -f " + keys.resolve(name));
        }
        Path authorized = Files.copy(keys.resolve("user.pub"), keys.resolve("authorized"));
        Files.setPosixFilePermissions(authorized, PosixFilePermissions.fromString("rw-------"));
        Files.createDirectories(Path.of("/run/sshd"));
        Path log = keys.resolve("log");
        List<String> command = new ArrayList<>(prefix);
        command.addAll(List.of(sshd, "-D", "-e", "-f", "/dev/null", "-p", "" + port));
        command.addAll(List.of("-h", keys.resolve("host").toString()));
        for (String option : List.of(
                "ListenAddress=" + address,
                "AuthorizedKeysFile=" + authorized,
                "StrictModes=no",
                "UsePAM=no",
                "PidFile=none")) {
            command.addAll(List.of("-o", option));
        }
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        Sshd started = new Sshd(keys, process);
        try {
            RealNode.await("sshd listens", () -> Capture.text(log).contains("Server listening on"));
        } catch (AssertionError e) {
            started.close();
            throw new AssertionError(Capture.text(log), e);
        }
        return started;
    }

    /**
     * Logs in and runs a command; returns what it printed.
     *
     * @param prefix of the client, such as {@code ip netns exec NAME}
     * @param input what the command reads
     */
    String run(List<String> prefix, String host, int port, Path input, String what) throws Exception {
        List<String> command = new ArrayList<>(prefix);
        command.addAll(List.of(Needs.program("ssh", "openssh-client"), "-q", "-F", "none"));
        command.addAll(List.of("-i", keys.resolve("user").toString(), "-p", "" + port));
        command.addAll(List.of("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"));
        command.addAll(List.of("-o", "ConnectTimeout=30", System.getProperty("user.name") + "@" + host, what));
        Process ssh = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectInput(input.toFile())
                .start();
        String out = new String(ssh.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(ssh.waitFor(RealNode.PATIENCE_MS, TimeUnit.MILLISECONDS)).isTrue();
        return out;
    }

    @Override
    public void close() {
        process.destroyForcibly().onExit().join();
    }
}
