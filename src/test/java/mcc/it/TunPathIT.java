package mcc.it;

import static mcc.it.TwoHosts.exec;
import static mcc.it.TwoHosts.in;
import static mcc.it.TwoHosts.run;
import static mcc.it.TwoHosts.sh;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import mcc.core.Rng;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The virtual interface over a path that gets narrower while it is used: two hosts, and a router between them. */
@Tag("long")
class TunPathIT {
    private final List<Process> started = new ArrayList<>();

    @TempDir
    Path folder;

    private Star star;
    private String left;
    private String right;

    @BeforeEach
    void link() throws Exception {
        Needs.program("ping", "iputils-ping");
        Needs.program("curl", "curl");
        Needs.program("nft", "nftables");
        if (!Files.exists(Path.of("/dev/net/tun"))) Needs.missing("there is no /dev/net/tun");
        star = new Star("m", 2);
        left = star.hosts.get(0);
        right = star.hosts.get(1);
    }

    @AfterEach
    void unlink() throws Exception {
        for (Process process : started) process.destroyForcibly().waitFor();
        if (star != null) star.close();
    }

    private RealNode node(int host, String... more) {
        List<String> options = new ArrayList<>(List.of(
                "--listen", Star.ip(host) + ":9376", "--http", "127.0.0.1:8080", "--tun", "--tun-allow", "all"));
        options.addAll(List.of(more));
        return RealNode.start(exec(star.hosts.get(host)), folder.resolve("n" + host), options.toArray(String[]::new));
    }

    private static String address(String ns, int family) throws Exception {
        String text = sh("ip -n " + ns + " -" + family + " -o addr show dev mcc0 scope global");
        return text.replaceAll("(?s).*inet6? (\\S+)/.*", "$1");
    }

    private static boolean passes(String command) {
        try {
            return run(command).code() == 0;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    /** Serves the folder by plain HTTP. */
    private void serve(String ns) throws Exception {
        String web =
                Path.of(System.getProperty("java.home"), "bin", "jwebserver").toString();
        start(exec(ns, web, "-b", "::", "-p", "7000", "-d", folder.toString()));
        RealNode.await("the web server answers", () -> passes(in(ns, "curl -s --max-time 5 http://[::1]:7000/small")));
    }

    private Process start(List<String> command) throws Exception {
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        started.add(process);
        return process;
    }

    private static long size(Path file) {
        try {
            return Files.exists(file) ? Files.size(file) : 0;
        } catch (java.io.IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Waits for the end of a transfer; returns the longest time in which its file did not grow. */
    private static long stillNs(Process transfer, Path file) {
        long[] seen = {size(file), System.nanoTime(), 0};
        RealNode.await("the transfer ends", () -> {
            long nowNs = System.nanoTime();
            long size = size(file);
            seen[2] = Math.max(seen[2], nowNs - seen[1]);
            if (size != seen[0]) seen[1] = nowNs;
            seen[0] = size;
            return !transfer.isAlive();
        });
        return seen[2];
    }

    /** A counter of a node, 0 before it has counted. */
    private static double counted(String ns, String name) throws Exception {
        for (String line : sh(in(ns, "curl -s http://127.0.0.1:8080/metrics")).split("\n")) {
            if (line.startsWith(name + " ")) return Double.parseDouble(line.substring(name.length()));
        }
        return 0;
    }

    @ParameterizedTest
    @CsvSource({"1300, 4, true", "1240, 6, false"})
    void aTransferGoesOnWhenItsPathShrinks(int mtu, int family, boolean icmp) throws Exception {
        transfer(mtu, family, icmp);
    }

    /** The rest of the matrix. */
    @Tag("bench")
    @ParameterizedTest
    @CsvSource({"1400, 6, true", "1300, 6, false", "1280, 6, true", "1240, 4, false"})
    void aTransferGoesOnHoweverItsPathShrinks(int mtu, int family, boolean icmp) throws Exception {
        transfer(mtu, family, icmp);
    }

    private void transfer(int mtu, int family, boolean icmp) throws Exception {
        Path file = folder.resolve("file");
        Files.write(file, Rng.seeded(17).bytes(24 << 20));
        Files.write(folder.resolve("small"), new byte[1]);
        if (!icmp) {
            sh(in(
                    star.router,
                    "nft 'add table ip f; add chain ip f out { type filter hook output priority 0; };"
                            + " add rule ip f out icmp type destination-unreachable drop'"));
        }
        try (RealNode one = node(0);
                RealNode two = node(1, "--bootstrap", Star.ip(0) + ":9376")) {
            String to = address(left, family);
            // What waits for curl has crossed the path already: without a bound it may be all of the file.
            sh(in(right, "sysctl -qw 'net.ipv4.tcp_rmem=4096 131072 1048576'"));
            serve(left);
            RealNode.await("the far end answers", () -> passes(in(right, "ping -c 1 -W 1 " + to)));
            Path got = folder.resolve("got");
            String url = "http://" + (family == 6 ? "[" + to + "]" : to) + ":7000/file";
            Process curl = start(
                    exec(right, "curl", "-s", "--limit-rate", "3M", "--max-time", "55", "-o", got.toString(), url));
            RealNode.await("the transfer is under way", () -> size(got) > 4 << 20);
            star.mtu(mtu);
            assertThat(size(got)).as("narrowed in the middle").isLessThan(20 << 20);
            System.out.printf("a path of %d bytes: stood still for %.1f s%n", mtu, stillNs(curl, got) / 1e9);
            assertThat(curl.exitValue()).isZero();
            assertThat(Files.mismatch(got, file)).isEqualTo(-1);
            assertThat(counted(left, "mcc_link_mtu_black_hole_total")).isEqualTo(1);
            assertThat(one.id).isNotEqualTo(two.id);
        }
    }

    @Test
    void whatEveryLinkMustCarryIsCarriedInTwoParts() throws Exception {
        star.mtu(1_240);
        try (RealNode one = node(0);
                RealNode two = node(1, "--bootstrap", Star.ip(0) + ":9376")) {
            String to = address(left, 6);
            String to4 = address(left, 4);
            RealNode.await("short ones pass", () -> passes(in(right, "ping -c 1 -W 1 " + to)));
            RealNode.await(
                    "IPv6 of 1,280 bytes passes", () -> passes(in(right, "ping -6 -c 1 -W 1 -M do -s 1232 " + to)));
            assertThat(run(in(right, "ping -6 -c 2 -W 2 -M do -s 1252 " + to)).out())
                    .as("more does not, and no sender is told less than 1,280")
                    .contains("mtu=1280");
            assertThat(run(in(right, "ping -4 -c 2 -W 2 -M do -s 1250 " + to4)).out())
                    .as("IPv4 that must not be fragmented")
                    .contains("mtu=1171");
            assertThat(run(in(right, "ping -4 -c 2 -W 2 -M dont -s 1250 " + to4))
                            .code())
                    .as("IPv4 that may be")
                    .isZero();
            assertThat(counted(left, "mcc_link_part_malformed_total")).isZero();
            assertThat(one.id).isNotEqualTo(two.id);
        }
    }
}
