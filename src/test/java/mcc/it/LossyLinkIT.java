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

/**
 * Two hosts joined by a link that loses one packet in twenty, each way: network namespaces of the test's own, nftables for
 * the loss, benchmark addresses (RFC 2544).
 */
class LossyLinkIT {
    private static final String A = "198.18.0.1";
    private static final String B = "198.18.0.2";

    private final String left = "mcc-l-" + ProcessHandle.current().pid();
    private final String right = "mcc-r-" + ProcessHandle.current().pid();

    @TempDir
    Path folder;

    @BeforeEach
    void link() throws Exception {
        Needs.root();
        Needs.program("ip", "iproute2");
        Needs.program("nft", "nftables");
        Needs.program("curl", "curl");
        for (String ns : List.of(left, right)) sh("ip netns add " + ns + " && ip -n " + ns + " link set lo up");
        sh("ip -n " + left + " link add eth0 type veth peer name eth0 netns " + right);
        for (String[] end : new String[][] {{left, A}, {right, B}}) {
            // One packet at a time, so that loss meets packets and not whole super-packets.
            sh("ip -n " + end[0] + " link set eth0 gso_max_segs 1 gso_max_size 1500");
            sh("ip -n " + end[0] + " addr add " + end[1] + "/24 dev eth0 && ip -n " + end[0] + " link set eth0 up");
            sh("ip netns exec " + end[0] + " nft add table inet loss");
            sh("ip netns exec " + end[0] + " nft 'add chain inet loss in { type filter hook input priority 0 ; }'");
            sh("ip netns exec " + end[0]
                    + " nft add rule inet loss in meta l4proto udp numgen random mod 100 '<' 5 counter drop");
        }
    }

    @AfterEach
    void unlink() throws Exception {
        for (String ns : List.of(left, right)) {
            new ProcessBuilder("ip", "netns", "del", ns)
                    .redirectErrorStream(true)
                    .start()
                    .waitFor();
        }
    }

    private static String sh(String command) throws Exception {
        Process process = new ProcessBuilder("sh", "-c", command)
                .redirectErrorStream(true)
                .start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(command + "\n" + out).isZero();
        return out;
    }

    private static String in(String ns, String command) throws Exception {
        return sh("ip netns exec " + ns + " " + command);
    }

    @Test
    void aFileArrivesWholeOverALinkThatLosesOnePacketInTwenty() throws Exception {
        byte[] content = Rng.seeded(9).bytes(32 << 20);
        Path site = Files.createDirectory(folder.resolve("site"));
        Files.write(site.resolve("file"), content);
        String jwebserver =
                Path.of(System.getProperty("java.home"), "bin", "jwebserver").toString();
        Process web = new ProcessBuilder(exec(left, jwebserver, "-b", "127.0.0.1", "-p", "8000", "-d", site.toString()))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        try (RealNode one = RealNode.start(
                        exec(left), folder.resolve("one"), "--listen", A + ":9376", "--http", "127.0.0.1:8080");
                RealNode two = RealNode.start(
                        exec(right),
                        folder.resolve("two"),
                        "--listen",
                        B + ":9376",
                        "--http",
                        "127.0.0.1:8080",
                        "--bootstrap",
                        A + ":9376")) {
            String curl = "curl -s --max-time 100 -H 'Content-Type: application/json' ";
            String api = "http://127.0.0.1:8080/api/v1";
            in(left, curl + "-X PUT " + api + "/registrations/web -d '{\"service\":\"web\",\"port\":8000}'");
            RealNode.await("web is found over the lossy link", () -> {
                try {
                    return in(right, curl + api + "/services/web/providers").contains(one.id);
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            });
            in(right, curl + "-X POST " + api + "/tunnels -d '{\"service\":\"web\",\"listen\":\"127.0.0.1:9000\"}'");
            Path got = folder.resolve("got");
            in(right, "curl -sf --max-time 100 -o " + got + " http://127.0.0.1:9000/file");
            assertThat(Files.mismatch(got, site.resolve("file"))).isEqualTo(-1);
            String dropped = in(right, "nft list ruleset");
            assertThat(dropped).as("packets were lost").doesNotContain("packets 0 ");
            assertThat(two.id).isNotEqualTo(one.id);
        } finally {
            web.destroyForcibly();
        }
    }

    private static List<String> exec(String ns, String... command) {
        List<String> out = new ArrayList<>(List.of("ip", "netns", "exec", ns));
        out.addAll(List.of(command));
        return out;
    }
}
