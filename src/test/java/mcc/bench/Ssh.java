package mcc.bench;

import static mcc.it.TwoHosts.run;
import static mcc.it.TwoHosts.sh;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import mcc.it.RealNode;

/**
 * One connection of ssh that forwards ports of its own loopback to ports of its sshd's, sealed by the cipher that a tunnel uses
 * on this machine as well.
 */
final class Ssh implements AutoCloseable {
    /** The sshd, then the ssh. */
    final List<Process> processes = new ArrayList<>();
    /** Where the targets are reached, in their order. */
    final List<Integer> ports = new ArrayList<>();

    private final Path folder;

    /**
     * Starts both and waits until the forwards stand.
     *
     * @param atServer what a command of the server's side begins with, such as {@code ip netns exec NAME}
     * @param address of the server
     * @param targets TCP ports on the server's loopback
     */
    Ssh(Path parent, List<String> atServer, String address, List<String> atClient, int... targets) throws Exception {
        folder = Files.createTempDirectory(parent, "ssh");
        try {
            int at = serve(atServer, address);
            List<String> command = new ArrayList<>(atClient);
            command.addAll(List.of("ssh", "-N", "-F", "none", "-c", "aes256-gcm@openssh.com"));
            command.addAll(List.of("-i", folder.resolve("user.key").toString(), "-p", "" + at));
            for (String option : List.of(
                    "StrictHostKeyChecking=no",
                    "UserKnownHostsFile=/dev/null",
                    "ExitOnForwardFailure=yes",
                    "BatchMode=yes")) {
                command.addAll(List.of("-o", option));
            }
            for (int target : targets) {
                ports.add(Figures.free());
                command.addAll(List.of("-L", ports.getLast() + ":127.0.0.1:" + target));
            }
            command.add(address);
            start(command);
            for (int port : ports) listens(atClient, port);
        } catch (Exception | AssertionError e) {
            close();
            throw e;
        }
    }

    /** Whether this machine cannot have one; says so. */
    static boolean isMissing() throws Exception {
        return Figures.lacks("ssh -L", "sshd", "ssh", "ssh-keygen", "ss");
    }

    private int serve(List<String> prefix, String address) throws Exception {
        int at = Figures.free();
        sh("mkdir -p /run/sshd"); // where sshd drops its privileges
        for (String key : List.of("host.key", "user.key"))
            sh("ssh-keygen -q -t ed25519 -N '' -f " + folder.resolve(key));
        Path conf = folder.resolve("sshd.conf");
        Files.writeString(conf, """
                Port %1$d
                ListenAddress %3$s
                HostKey %2$s/host.key
                AuthorizedKeysFile %2$s/user.key.pub
                StrictModes no
                UsePAM no
                PidFile none
                PermitRootLogin prohibit-password
                AllowTcpForwarding yes
                """.formatted(at, folder, address));
        List<String> command = new ArrayList<>(prefix);
        command.addAll(List.of(sh("command -v sshd").strip(), "-D", "-e", "-f", conf.toString()));
        start(command);
        listens(prefix, at);
        return at;
    }

    private void start(List<String> command) throws IOException {
        processes.add(new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(Files.createTempFile(folder, "out", ".log").toFile())
                .start());
    }

    /** An ssh listens when it has a connection; asked of the kernel, so that no connection is made to find out. */
    private static void listens(List<String> prefix, int port) {
        String command = String.join(" ", prefix) + " ss -Hltn sport = :" + port;
        RealNode.await("port " + port + " listens", () -> {
            try {
                return !run(command).out().isBlank();
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
    }

    @Override
    public void close() throws Exception {
        for (Process process : processes) {
            process.descendants().forEach(ProcessHandle::destroy);
            process.destroy();
            process.waitFor();
        }
    }
}
