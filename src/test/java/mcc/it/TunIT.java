package mcc.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import mcc.core.Rng;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Unmodified programs over the virtual interface: two nodes in namespaces of the test's own, joined by a veth pair. */
class TunIT {
    private static final String A = "198.18.0.1";
    private static final String B = "198.18.0.2";
    private final String left = "mcc-tl-" + ProcessHandle.current().pid();
    private final String right = "mcc-tr-" + ProcessHandle.current().pid();
    private final List<Process> servers = new ArrayList<>();

    @TempDir
    Path folder;

    @BeforeEach
    void link() throws Exception {
        Needs.root();
        Needs.program("ip", "iproute2");
        Needs.program("ping", "iputils-ping");
        Needs.program("curl", "curl");
        if (!Files.exists(Path.of("/dev/net/tun"))) Needs.missing("there is no /dev/net/tun");
        for (String ns : List.of(left, right)) sh("ip netns add " + ns + " && ip -n " + ns + " link set lo up");
        sh("ip -n " + left + " link add eth0 type veth peer name eth0 netns " + right);
        for (String[] end : new String[][] {{left, A}, {right, B}}) {
            sh("ip -n " + end[0] + " addr add " + end[1] + "/24 dev eth0 && ip -n " + end[0] + " link set eth0 up");
        }
    }

    @AfterEach
    void unlink() throws Exception {
        for (Process server : servers) server.destroyForcibly().waitFor();
        for (String ns : List.of(left, right)) run("ip netns del " + ns);
    }

    private record Done(int code, String out) {}

    private static Done run(String command) throws Exception {
        Process process = new ProcessBuilder("sh", "-c", command)
                .redirectErrorStream(true)
                .start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return new Done(process.exitValue(), out);
    }

    private static String sh(String command) throws Exception {
        Done done = run(command);
        assertThat(done.code()).as(command + "\n" + done.out()).isZero();
        return done.out();
    }

    private static String exec(String ns, String command) {
        return "ip netns exec " + ns + " " + command;
    }

    private RealNode node(String ns, String name, String ip, String... more) {
        List<String> options = new ArrayList<>(List.of("--listen", ip + ":9376", "--http", "127.0.0.1:8080", "--tun"));
        options.addAll(List.of(more));
        return RealNode.start(List.of("ip", "netns", "exec", ns), folder.resolve(name), options.toArray(String[]::new));
    }

    private static String address(String ns) throws Exception {
        for (String word :
                sh("ip -n " + ns + " -6 addr show dev mcc0 scope global").split("\\s+")) {
            if (word.startsWith("fd")) return word.replaceAll("/.*", "");
        }
        throw new AssertionError("mcc0 has no address");
    }

    private static void awaitPing(String from, String to) {
        RealNode.await("the far end answers", () -> {
            try {
                return run(exec(from, "ping -6 -c 1 -W 1 " + to)).code() == 0;
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
    }

    /** Serves the folder by plain HTTP to whoever connects. */
    private void serve(String ns, int port) throws Exception {
        String web =
                Path.of(System.getProperty("java.home"), "bin", "jwebserver").toString();
        Process server = new ProcessBuilder(
                        "ip", "netns", "exec", ns, web, "-b", "::", "-p", "" + port, "-d", folder.toString())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        servers.add(server);
        RealNode.await("the web server answers", () -> {
            try {
                return run(exec(ns, "curl -s -o /dev/null --max-time 5 http://[::1]:" + port + "/file"))
                                .code()
                        == 0;
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
    }

    private Done fetch(String ns, String address, int port, Path to) throws Exception {
        return run(exec(ns, "curl -s --max-time 30 http://[" + address + "]:" + port + "/file -o " + to));
    }

    @Test
    void unmodifiedProgramsReachAnotherNodesAddress() throws Exception {
        Path file = folder.resolve("file");
        Files.write(file, Rng.seeded(11).bytes(64 << 20));
        try (RealNode one = node(left, "one", A, "--tun-inbound", "tcp:7000");
                RealNode two = node(right, "two", B, "--bootstrap", A + ":9376")) {
            String to = address(left);
            awaitPing(right, to);
            serve(left, 7000);
            Path got = folder.resolve("got");
            Done done = fetch(right, to, 7000, got);
            assertThat(Files.mismatch(got, file)).as(done.out()).isEqualTo(-1);
            assertThat(sh(exec(left, "curl -s " + one.http + "/api/v1/node"))).contains("\"mcc0\"", to);
            assertThat(two.stop()).isZero();
            assertThat(run("ip -n " + right + " link show mcc0").code())
                    .as("gone with its node")
                    .isNotZero();
        }
    }

    @Test
    void whatNobodyAskedForStaysOut() throws Exception {
        Path file = folder.resolve("file");
        Files.write(file, Rng.seeded(12).bytes(1 << 20));
        try (RealNode one = node(left, "one", A, "--tun-inbound", "tcp:7000");
                RealNode two = node(right, "two", B, "--bootstrap", A + ":9376")) {
            String to = address(left);
            awaitPing(right, to);
            serve(left, 7000);
            serve(left, 7001);
            assertThat(run(exec(right, "curl -s -o /dev/null --max-time 3 http://[" + to + "]:7001/file"))
                            .code())
                    .as("a port without a rule")
                    .isNotZero();
            Path got = folder.resolve("got");
            fetch(right, to, 7000, got);
            assertThat(Files.mismatch(got, file)).as("a port with a rule").isEqualTo(-1);
            String spoofed = to.substring(0, to.length() - 1) + (to.endsWith("1") ? "2" : "1");
            String own = address(right);
            sh("ip -n " + right + " addr add " + spoofed + "/128 dev mcc0");
            assertThat(run(exec(right, "ping -6 -c 2 -W 1 -I " + spoofed + " " + to))
                            .code())
                    .as("an address that is not the sender's")
                    .isNotZero();
            assertThat(run(exec(right, "ping -6 -c 3 -W 1 -I " + own + " " + to))
                            .code())
                    .as("the sender's own")
                    .isZero();
            assertThat(two.id).isNotEqualTo(one.id);
        }
    }
}
