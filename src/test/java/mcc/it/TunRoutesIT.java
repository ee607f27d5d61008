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

/** The virtual interface among three hosts, with packets that were not born on the host that sends them, and their marks. */
@Tag("long")
class TunRoutesIT {
    private final List<Process> servers = new ArrayList<>();

    @TempDir
    Path folder;

    private Star star;
    private String behind;

    @BeforeEach
    void link() throws Exception {
        Needs.program("ping", "iputils-ping");
        Needs.program("curl", "curl");
        Needs.program("nft", "nftables");
        Needs.program("ethtool", "ethtool");
        if (!Files.exists(Path.of("/dev/net/tun"))) Needs.missing("there is no /dev/net/tun");
        star = new Star("r", 3);
        behind = "mcc-rb-" + ProcessHandle.current().pid();
    }

    @AfterEach
    void unlink() throws Exception {
        for (Process server : servers) server.destroyForcibly().waitFor();
        run("ip netns del " + behind);
        if (star != null) star.close();
    }

    private String host(int i) {
        return star.hosts.get(i);
    }

    private RealNode node(int host, String... more) {
        List<String> options = new ArrayList<>(List.of(
                "--listen", Star.ip(host) + ":9376", "--http", "127.0.0.1:8080", "--tun", "--tun-allow", "all"));
        if (host > 0) options.addAll(List.of("--bootstrap", Star.ip(0) + ":9376"));
        options.addAll(List.of(more));
        return RealNode.start(exec(host(host)), folder.resolve("n" + host), options.toArray(String[]::new));
    }

    private String address(int host, int family) throws Exception {
        String text = sh("ip -n " + host(host) + " -" + family + " -o addr show dev mcc0 scope global");
        return text.replaceAll("(?s).*inet6? (\\S+)/.*", "$1");
    }

    private static boolean passes(String command) {
        try {
            return run(command).code() == 0;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private void await(int from, String to) {
        RealNode.await("host " + from + " reaches " + to, () -> passes(in(host(from), "ping -c 1 -W 1 " + to)));
    }

    /** A host behind host 1, which forwards for it; it fills in its checksums itself. */
    private void putBehindOne() throws Exception {
        sh("ip netns add " + behind + " && ip -n " + behind + " link set lo up");
        sh("ip -n " + behind + " link add eth0 type veth peer name lan netns " + host(1));
        sh("ip -n " + behind + " addr add 192.0.2.2/24 dev eth0 && ip -n " + behind + " link set eth0 up");
        sh("ip -n " + behind + " addr add 2001:db8:1::2/64 dev eth0 nodad");
        sh("ip -n " + host(1) + " addr add 192.0.2.1/24 dev lan && ip -n " + host(1) + " link set lan up");
        sh("ip -n " + host(1) + " addr add 2001:db8:1::1/64 dev lan nodad");
        sh("ip -n " + behind + " route add default via 192.0.2.1 && ip -n " + behind
                + " route add default via 2001:db8:1::1");
        sh(in(host(1), "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1"));
        sh(in(behind, "ethtool -K eth0 tx off"));
    }

    private void serve(String ns) throws Exception {
        String web =
                Path.of(System.getProperty("java.home"), "bin", "jwebserver").toString();
        servers.add(new ProcessBuilder(exec(ns, web, "-b", "::", "-p", "7000", "-d", folder.toString()))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start());
        RealNode.await("the web server answers", () -> passes(in(ns, "curl -s -o /dev/null http://[::1]:7000/small")));
    }

    private void fetches(String ns, String address, Path file) throws Exception {
        Path got = folder.resolve("got");
        Files.deleteIfExists(got);
        TwoHosts.Done done = run(in(ns, "curl -s --max-time 50 http://" + address + ":7000/file -o " + got));
        assertThat(done.code()).as(address + " " + done.out()).isZero();
        assertThat(Files.mismatch(got, file)).isEqualTo(-1);
    }

    private Path file() throws Exception {
        Path file = folder.resolve("file");
        Files.write(file, Rng.seeded(19).bytes(16 << 20));
        Files.write(folder.resolve("small"), new byte[1]);
        return file;
    }

    private double counted(int host, String name) throws Exception {
        for (String line :
                sh(in(host(host), "curl -s http://127.0.0.1:8080/metrics")).split("\n")) {
            if (line.startsWith(name + " ")) return Double.parseDouble(line.substring(name.length()));
        }
        return 0;
    }

    /** A counter of the kernel's for IPv6, which on these hosts is inner traffic alone. */
    private long kernel(int host, String name) throws Exception {
        for (String line : sh(in(host(host), "cat /proc/net/snmp6")).split("\n")) {
            if (line.startsWith(name + " ")) return Long.parseLong(line.split("\\s+")[1]);
        }
        throw new AssertionError("no " + name);
    }

    /** Packets one by one, with their sums, at a node of such a kernel: in what it takes and in what it gives. */
    private void theHostWithoutOffloadsGivesWhole(Path file) throws Exception {
        assertThat(sh("ip -n " + host(2) + " -d link show mcc0")).contains("vnet_hdr off");
        assertThat(sh("ip -n " + host(0) + " -d link show mcc0")).contains("vnet_hdr on");
        serve(host(2));
        fetches(host(0), "[" + address(2, 6) + "]", file);
        fetches(host(0), address(2, 4), file);
        assertThat(longDatagrams(2)).as("nothing for the kernel to cut").isZero();
        assertThat(longDatagrams(1)).as("the other nodes leave that to it").isPositive();
    }

    /** Has the router count datagrams of nodes that are longer than its links carry, which the kernel has yet to cut. */
    private void countLongDatagrams() throws Exception {
        sh(in(star.router, "nft 'add table ip g; add chain ip g pass { type filter hook forward priority 0; }'"));
        for (int host = 1; host < 3; host++) {
            String rule =
                    "add rule ip g pass ip saddr " + Star.ip(host) + " udp length gt 1500 counter comment h" + host;
            sh(in(star.router, "nft '" + rule + "'"));
        }
    }

    private long longDatagrams(int host) throws Exception {
        String rules = sh(in(star.router, "nft list table ip g"));
        return Long.parseLong(
                rules.replaceAll("(?s).*counter packets (\\d+) bytes \\d+ comment \"h" + host + "\".*", "$1"));
    }

    @Test
    void eachOfThreeHostsReachesTheOthersAndANetworkBehindOne() throws Exception {
        putBehindOne();
        countLongDatagrams();
        Path file = file();
        try (RealNode zero = node(0);
                RealNode one = node(1, "--tun-routes", "192.0.2.0/24,2001:db8:1::/64");
                RealNode two = node(
                        2,
                        "--tun-routes",
                        "192.0.2.0/24@" + one.id + ",2001:db8:1::/64@" + one.id,
                        "--tun-offload",
                        "off",
                        "--udp-offload",
                        "off")) {
            for (int family : new int[] {6, 4}) {
                for (int from = 0; from < 3; from++) {
                    for (int to = 0; to < 3; to++) if (from != to) await(from, address(to, family));
                }
            }
            await(2, "192.0.2.2");
            await(2, "2001:db8:1::2");
            serve(behind);
            fetches(host(2), "192.0.2.2", file);
            fetches(host(2), "[2001:db8:1::2]", file);
            theHostWithoutOffloadsGivesWhole(file);
            assertThat(run(in(host(2), "ping -c 1 -W 2 -t 1 192.0.2.2")).out())
                    .as("host 1 is a router on the way")
                    .contains("Time to live exceeded");
            assertThat(run(in(host(2), "ping -c 1 -W 2 -t 1 2001:db8:1::2")).out())
                    .contains("Time exceeded: Hop limit");
            assertThat(run(in(host(2), "ping -c 1 -W 2 -t 2 192.0.2.2")).out())
                    .as("64 at its start, and one router")
                    .contains("ttl=63");
            assertThat(passes(in(behind, "ping -c 1 -W 2 " + address(2, 6))))
                    .as("and the other way")
                    .isTrue();
            double astray = counted(1, "mcc_tun_in_astray_total");
            double refused = counted(0, "mcc_tun_out_refused_total");
            sh("ip -n " + host(0) + " route add 192.0.2.0/24 dev mcc0");
            assertThat(passes(in(host(0), "ping -c 1 -W 1 192.0.2.2")))
                    .as("host 0 was told of no network behind host 1")
                    .isFalse();
            assertThat(counted(0, "mcc_tun_out_refused_total")).isGreaterThan(refused);
            assertThat(counted(1, "mcc_tun_in_astray_total")).isEqualTo(astray);
            assertThat(zero.id).isNotEqualTo(two.id);
        }
    }

    @Test
    void whatAHostForwardsBehindItsOwnAddressPasses() throws Exception {
        putBehindOne();
        Path file = file();
        sh(in(
                host(1),
                "nft 'add table inet n; add chain inet n post { type nat hook postrouting priority 100; };"
                        + " add rule inet n post oifname mcc0 masquerade'"));
        try (RealNode zero = node(0);
                RealNode one = node(1)) {
            await(1, address(0, 6));
            serve(host(0));
            fetches(behind, "[" + address(0, 6) + "]", file);
            fetches(behind, address(0, 4), file);
            assertThat(zero.id).isNotEqualTo(one.id);
        }
    }

    /** As the sender chose them: for the packet the tunnel is a cable. */
    private void classAndHopLimitArrive() throws Exception {
        try (Capture there = Capture.start(folder, host(1), "mcc0", "-v", "icmp or icmp6")) {
            for (int family : new int[] {6, 4}) {
                sh(in(host(0), "ping -" + family + " -c 1 -W 5 -Q 0xb8 -t 37 " + address(1, family)));
            }
            RealNode.await("tcpdump shows the last of them", () -> there.count("ICMP echo reply") > 0);
            assertThat(there.text())
                    .containsPattern("IP6 \\(class 0xb8, .*hlim 37, .*echo request")
                    .containsPattern("IP \\(tos 0xb8, ttl 37, .*\n.*echo request");
        }
    }

    @Test
    void marksOfCongestionCrossTheTunnelAndItsPath() throws Exception {
        try (RealNode zero = node(0);
                RealNode one = node(1)) {
            String to = address(1, 6);
            await(0, to);
            classAndHopLimitArrive();
            long ect = kernel(1, "Ip6InECT0Pkts");
            sh(in(host(0), "ping -6 -c 3 -i 0.2 -W 2 -Q 2 " + to));
            assertThat(kernel(1, "Ip6InECT0Pkts")).as("as it was sent").isGreaterThanOrEqualTo(ect + 3);
            sh(in(
                    star.router,
                    "nft 'add table ip f; add chain ip f pass { type filter hook forward priority 0; };"
                            + " add rule ip f pass ip ecn ect0 counter ip ecn set ce'"));
            long ce = kernel(1, "Ip6InCEPkts");
            sh(in(host(0), "ping -6 -c 3 -i 0.2 -W 2 -Q 2 " + to));
            assertThat(sh(in(star.router, "nft list table ip f")))
                    .as("the datagrams have the packets' mark")
                    .doesNotContain("packets 0 ");
            assertThat(kernel(1, "Ip6InCEPkts")).as("marked on the way").isGreaterThanOrEqualTo(ce + 3);
            sh(in(star.router, "nft 'flush chain ip f pass; add rule ip f pass udp dport 9376 ip ecn set ce'"));
            assertThat(passes(in(host(0), "ping -6 -c 2 -i 0.2 -W 2 " + to)))
                    .as("who understands no mark sees a loss")
                    .isFalse();
            assertThat(counted(1, "mcc_tun_in_congested_total")).isPositive();
            assertThat(zero.id).isNotEqualTo(one.id);
        }
    }
}
