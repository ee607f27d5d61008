package mcc.it;

import static mcc.it.TwoHosts.A;
import static mcc.it.TwoHosts.A6;
import static mcc.it.TwoHosts.B;
import static mcc.it.TwoHosts.B6;
import static mcc.it.TwoHosts.exec;
import static mcc.it.TwoHosts.in;
import static mcc.it.TwoHosts.java;
import static mcc.it.TwoHosts.run;
import static mcc.it.TwoHosts.sh;
import static mcc.it.TwoHosts.works;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import mcc.core.Rng;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Unmodified programs over the virtual interface: two nodes in namespaces of the test's own, joined by a veth pair. */
@Busy
class TunIT {
    @TempDir
    Path folder;

    private TwoHosts hosts;
    private String left;
    private String right;

    @BeforeEach
    void link() throws Exception {
        Needs.program("ping", "iputils-ping");
        Needs.program("curl", "curl");
        hosts = TwoHosts.withTun("t");
        left = hosts.left;
        right = hosts.right;
    }

    @AfterEach
    void unlink() throws Exception {
        if (hosts != null) hosts.close();
    }

    private RealNode node(String ns, String name, String ip, String... more) {
        return TwoHosts.tunNode(ns, folder.resolve(name), ip, more);
    }

    private static String address(String ns) throws Exception {
        for (String word :
                sh("ip -n " + ns + " -6 addr show dev mcc0 scope global").split("\\s+")) {
            if (word.startsWith("fd")) return word.replaceAll("/.*", "");
        }
        throw new AssertionError("mcc0 has no address");
    }

    private static String address4(String ns) throws Exception {
        String text = sh("ip -n " + ns + " -4 -o addr show dev mcc0");
        assertThat(text).contains("inet 100.", "/10 ");
        return text.replaceAll("(?s).*inet (\\S+)/10.*", "$1");
    }

    private static void awaitPing(String from, String to) {
        RealNode.await("the far end answers", () -> works(from, "ping -6 -c 1 -W 1 " + to));
    }

    /** Serves the folder by plain HTTP to whoever connects. */
    private void serve(String ns, int port) throws Exception {
        hosts.start(ns, java("jwebserver"), "-b", "::", "-p", "" + port, "-d", folder.toString());
        String get = "curl -s -o /dev/null --max-time 5 http://[::1]:" + port + "/file";
        RealNode.await("the web server answers", () -> works(ns, get));
    }

    private TwoHosts.Done fetch(String ns, String address, int port, Path to) throws Exception {
        return run(in(ns, "curl -s --max-time 30 http://[" + address + "]:" + port + "/file -o " + to));
    }

    private static boolean hasProblem(String ns, RealNode node, String code) {
        try {
            return sh(in(ns, "curl -s " + node.http + "/api/v1/node")).contains("\"" + code + "\"");
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    /** Echo requests that the kernel of a namespace has taken. */
    private static long echoes(String ns) throws Exception {
        for (String line : sh(in(ns, "cat /proc/net/snmp6")).split("\n")) {
            if (line.startsWith("Icmp6InEchos ")) return Long.parseLong(line.split("\\s+")[1]);
        }
        throw new AssertionError("no Icmp6InEchos");
    }

    /** A counter of a node, 0 before it has counted. */
    private static double counted(String ns, RealNode node, String name) throws Exception {
        for (String line : sh(in(ns, "curl -s " + node.http + "/metrics")).split("\n")) {
            if (line.startsWith(name + " ")) return Double.parseDouble(line.substring(name.length()));
        }
        return 0;
    }

    @Test
    void unmodifiedProgramsReachAnotherNodesAddress() throws Exception {
        Path file = folder.resolve("file");
        Files.write(file, Rng.seeded(11).bytes(64 << 20));
        try (RealNode one = node(left, "one", A, "--tun-inbound", "tcp:7000,tcp:22");
                RealNode two = node(right, "two", B, "--bootstrap", A + ":9376")) {
            String to = address(left);
            awaitPing(right, to);
            serve(left, 7000);
            Path got = folder.resolve("got");
            TwoHosts.Done done = fetch(right, to, 7000, got);
            assertThat(Files.mismatch(got, file)).as(done.out()).isEqualTo(-1);
            aSessionOfSshTakesAFileThereAndTcpdumpShowsWhoTalks(file);
            assertThat(sh(in(left, "curl -s " + one.http + "/api/v1/node"))).contains("\"mcc0\"", to);
            String to4 = address4(left);
            assertThat(sh(in(left, "curl -s " + one.http + "/api/v1/node"))).contains(to4);
            Path got4 = folder.resolve("got4");
            done = run(in(right, "curl -s --max-time 30 http://" + to4 + ":7000/file -o " + got4));
            assertThat(Files.mismatch(got4, file)).as("IPv4: " + done.out()).isEqualTo(-1);
            assertThat(sh(in(right, "curl -s " + two.http + "/api/v1/peers")))
                    .as("what the peers are called")
                    .contains("\"inner\":[\"" + to + "\",\"" + to4 + "\"]");
            sh("ip -n " + left + " link del mcc0");
            RealNode.await("the node says that its interface is gone", () -> hasProblem(left, one, "tun-gone"));
            assertThat(two.stop()).isZero();
            assertThat(run("ip -n " + right + " link show mcc0").code())
                    .as("gone with its node")
                    .isNotZero();
        }
    }

    /** On the interface an administrator sees packets, each once, between the addresses that programs use. */
    private void aSessionOfSshTakesAFileThereAndTcpdumpShowsWhoTalks(Path file) throws Exception {
        String to = address(left);
        String from = address(right);
        String to4 = address4(left);
        String from4 = address4(right);
        try (Sshd sshd = Sshd.start(exec(left), folder.resolve("ssh"), "::", 22);
                Capture inside =
                        Capture.start(folder, left, "mcc0", "-t", "icmp or icmp6 or (port 22 and ip6[53] & 2 != 0)")) {
            assertThat(inside.text()).contains("link-type RAW (Raw IP)");
            String said = sshd.run(exec(right), to, 22, file, "sha256sum; echo $SSH_CONNECTION");
            assertThat(said)
                    .startsWith(sh("sha256sum < " + file))
                    .containsPattern("\n" + from + " \\d+ " + to + " 22\n");
            sh(in(right, "ping -6 -c 2 -i 0.2 -W 5 " + to));
            sh(in(right, "ping -4 -c 2 -i 0.2 -W 5 " + to4));
            RealNode.await("tcpdump shows the last reply", () -> inside.count("ICMP echo reply") >= 2);
            assertThat(inside.text())
                    .containsPattern("IP6 " + from + "\\.\\d+ > " + to + "\\.22: Flags \\[S\\], .*mss 1360,")
                    .containsPattern("IP6 " + to + "\\.22 > " + from + "\\.\\d+: Flags \\[S\\.\\], .*mss 1360,");
            for (String echo : List.of(
                    "IP6 " + from + " > " + to + ": ICMP6, echo request,",
                    "IP6 " + to + " > " + from + ": ICMP6, echo reply,",
                    "IP " + from4 + " > " + to4 + ": ICMP echo request,",
                    "IP " + to4 + " > " + from4 + ": ICMP echo reply,")) {
                assertThat(inside.count(echo)).as(echo).isEqualTo(2);
            }
        }
    }

    @Tag("long")
    @Test
    void aPathThatCarriesLessThanTheInterfaceIsFoundOut() throws Exception {
        for (String ns : List.of(left, right)) sh("ip -n " + ns + " link set eth0 mtu 1400");
        Path file = folder.resolve("file");
        Files.write(file, Rng.seeded(13).bytes(8 << 20));
        try (RealNode one = node(left, "one", A, "--tun-inbound", "tcp:7000");
                RealNode two = node(right, "two", B, "--bootstrap", A + ":9376")) {
            String to = address(left);
            serve(left, 7000);
            awaitPing(right, to);
            Path got = folder.resolve("got");
            TwoHosts.Done done = fetch(right, to, 7000, got);
            assertThat(Files.mismatch(got, file)).as(done.out()).isEqualTo(-1);
            assertThat(counted(left, one, "mcc_link_mtu_black_hole_total"))
                    .as("at the server's, whose packets are long")
                    .isEqualTo(1);
            assertThat(run(in(right, "ping -6 -c 1 -W 2 -M do -s 1270 " + to)).code())
                    .as("fits: 1,352 bytes of UDP carry 1,323")
                    .isZero();
            assertThat(run(in(right, "ping -6 -c 1 -W 2 -M do -s 1300 " + to)).out())
                    .as("does not, and the sender is told")
                    .contains("mtu");
            assertThat(two.stop()).isZero();
        }
    }

    @Tag("long")
    @Test
    void whatNobodyAskedForStaysOutAndTheRestGoesByIpv6Too() throws Exception {
        hosts.ipv6();
        Path file = folder.resolve("file");
        Files.write(file, Rng.seeded(12).bytes(1 << 20));
        String at = "[" + A6 + "]";
        try (RealNode one = node(left, "one", at, "--tun-inbound", "tcp:7000");
                RealNode two = node(right, "two", "[" + B6 + "]", "--bootstrap", at + ":9376")) {
            String to = address(left);
            awaitPing(right, to);
            serve(left, 7000);
            serve(left, 7001);
            double denied = counted(left, one, "mcc_tun_in_denied_total");
            assertThat(run(in(right, "curl -s -o /dev/null --max-time 3 http://[" + to + "]:7001/file"))
                            .code())
                    .as("a port without a rule")
                    .isNotZero();
            assertThat(counted(left, one, "mcc_tun_in_denied_total"))
                    .as("refused by rule")
                    .isGreaterThan(denied);
            Path got = folder.resolve("got");
            fetch(right, to, 7000, got);
            assertThat(Files.mismatch(got, file)).as("a port with a rule").isEqualTo(-1);
            assertThat(run(in(right, "ping -6 -c 1 -W 5 -M do -s 1372 " + to)).code())
                    .as("as long as the interface takes, in 1,497 bytes of the path")
                    .isZero();
            assertThat(counted(left, one, "mcc_link_mtu_black_hole_total")).isZero();
            String spoofed = to.substring(0, to.length() - 1) + (to.endsWith("1") ? "2" : "1");
            String own = address(right);
            sh("ip -n " + right + " addr add " + spoofed + "/128 dev mcc0 nodad");
            long before = echoes(left);
            assertThat(run(in(right, "ping -6 -c 2 -W 1 -I " + spoofed + " " + to))
                            .code())
                    .as("an address that is not the sender's")
                    .isNotZero();
            assertThat(echoes(left))
                    .as("never arrived, which is more than finding no way back")
                    .isEqualTo(before);
            assertThat(run(in(right, "ping -6 -c 3 -W 1 -I " + own + " " + to)).code())
                    .as("the sender's own")
                    .isZero();
            assertThat(echoes(left)).isGreaterThan(before);
            assertThat(two.id).isNotEqualTo(one.id);
        }
    }

    private static long captured(Capture capture, int length) {
        return capture.text()
                .lines()
                .filter(line -> line.endsWith("UDP, length " + length))
                .count();
    }

    @Tag("long")
    @Test
    void aPacketCostsTwentyNineBytesAndTheInterfaceIsSeenWhileItsNodeLives() throws Exception {
        try (RealNode one = node(left, "one", A)) {
            try (RealNode two = node(right, "two", B, "--bootstrap", A + ":9376");
                    Capture capture = Capture.start(folder, left, "eth0", "-q", "udp port 9376")) {
                String to = address(left);
                awaitPing(right, to);
                for (int payload : new int[] {1, 101, 1_003}) {
                    int inner = 40 + 8 + payload;
                    sh(in(right, "ping -6 -c 1 -W 5 -s " + payload + " " + to));
                    RealNode.await("its datagrams are seen", () -> captured(capture, inner + 29) >= 2);
                }
                int inner4 = 20 + 8 + 555;
                sh(in(right, "ping -4 -c 1 -W 5 -s 555 " + address4(left)));
                RealNode.await("its datagrams are seen", () -> captured(capture, inner4 + 29) >= 2);
                assertThat(sh("ip -n " + right + " addr show dev mcc0"))
                        .contains("mtu 1420", "qlen 4000", "inet6 fd", "/48 scope global", "inet 100.", "/10 ");
                List<String> status = exec(left, RealNode.command("status").toArray(String[]::new));
                assertThat(sh(String.join(" ", status)))
                        .contains("interface mcc0  " + to + "  " + address4(left) + "  MTU 1420");
                two.kill();
                RealNode.await("the interface is gone with its node", () -> isMissing(right));
            }
            aRouteThatHoldsANodesOwnAddressIsTold(one);
        }
    }

    private static boolean isMissing(String ns) {
        try {
            return run("ip -n " + ns + " link show mcc0").code() != 0;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    /** Into the tunnel itself: the kernel would send each datagram back to the node. */
    private void aRouteThatHoldsANodesOwnAddressIsTold(RealNode one) throws Exception {
        try (RealNode two = node(right, "two", B, "--bootstrap", A + ":9376", "--tun-routes", A + "/32@" + one.id)) {
            RealNode.await("the node says so", () -> hasProblem(right, two, "tun-route-loop"));
            assertThat(counted(right, two, "mcc_tun_out_looped_total")).isPositive();
            assertThat(sh(in(right, "curl -s " + two.http + "/api/v1/node"))).contains(A + "/32");
            assertThat(counted(right, two, "mcc_tun_out_packets_total")).isZero();
        }
    }
}
