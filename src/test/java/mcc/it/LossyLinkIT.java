package mcc.it;

import static mcc.it.TwoHosts.A6;
import static mcc.it.TwoHosts.B6;
import static mcc.it.TwoHosts.exec;
import static mcc.it.TwoHosts.in;
import static mcc.it.TwoHosts.sh;
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

/**
 * Two hosts joined by a link that loses one packet in twenty, each way, and that they use by IPv6: network namespaces of the
 * test's own, nftables for the loss.
 */
@Tag("long")
class LossyLinkIT {
    @TempDir
    Path folder;

    private TwoHosts hosts;

    @BeforeEach
    void lose() throws Exception {
        Needs.program("nft", "nftables");
        Needs.program("curl", "curl");
        hosts = new TwoHosts("l");
        hosts.ipv6();
        for (String ns : List.of(hosts.left, hosts.right)) {
            // One packet at a time, so that loss meets packets and not whole super-packets.
            sh("ip -n " + ns + " link set eth0 gso_max_segs 1 gso_max_size 1500");
            sh(in(ns, "nft add table inet loss"));
            sh(in(ns, "nft 'add chain inet loss in { type filter hook input priority 0 ; }'"));
            // The longest datagram that goes by IPv6 through an Ethernet, and its own header.
            sh(in(ns, "nft add rule inet loss in ip6 nexthdr udp udp length 1460 counter"));
            sh(in(ns, "nft add rule inet loss in meta l4proto udp numgen random mod 100 '<' 5 counter drop"));
        }
    }

    @AfterEach
    void unlink() throws Exception {
        if (hosts != null) hosts.close();
    }

    @Test
    void aFileArrivesWholeByIpv6OverALinkThatLosesOnePacketInTwenty() throws Exception {
        byte[] content = Rng.seeded(9).bytes(32 << 20);
        Path site = Files.createDirectory(folder.resolve("site"));
        Files.write(site.resolve("file"), content);
        String jwebserver =
                Path.of(System.getProperty("java.home"), "bin", "jwebserver").toString();
        Process web = new ProcessBuilder(
                        exec(hosts.left, jwebserver, "-b", "127.0.0.1", "-p", "8000", "-d", site.toString()))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        String at = "[" + A6 + "]:9376";
        try (RealNode one = RealNode.start(
                        exec(hosts.left), folder.resolve("one"), "--listen", at, "--http", "127.0.0.1:8080");
                RealNode two = RealNode.start(
                        exec(hosts.right),
                        folder.resolve("two"),
                        "--listen",
                        "[" + B6 + "]:9376",
                        "--http",
                        "127.0.0.1:8080",
                        "--bootstrap",
                        at)) {
            String curl = "curl -s --max-time 100 -H 'Content-Type: application/json' ";
            String api = "http://127.0.0.1:8080/api/v1";
            sh(in(hosts.left, curl + "-X PUT " + api + "/registrations/web -d '{\"service\":\"web\",\"port\":8000}'"));
            RealNode.await("web is found over the lossy link", () -> {
                try {
                    return sh(in(hosts.right, curl + api + "/services/web/providers"))
                            .contains(one.id);
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            });
            sh(in(
                    hosts.right,
                    curl + "-X POST " + api + "/tunnels -d '{\"service\":\"web\",\"listen\":\"127.0.0.1:9000\"}'"));
            Path got = folder.resolve("got");
            sh(in(hosts.right, "curl -sf --max-time 100 -o " + got + " http://127.0.0.1:9000/file"));
            assertThat(Files.mismatch(got, site.resolve("file"))).isEqualTo(-1);
            String seen = sh(in(hosts.right, "nft list ruleset"));
            assertThat(seen)
                    .as("packets were as long as can be, and some were lost")
                    .doesNotContain("packets 0 ");
            assertThat(two.id).isNotEqualTo(one.id);
        } finally {
            web.destroyForcibly();
        }
    }
}
