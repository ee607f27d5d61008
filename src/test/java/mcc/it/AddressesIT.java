package mcc.it;

import static mcc.it.TwoHosts.A;
import static mcc.it.TwoHosts.B;
import static mcc.it.TwoHosts.exec;
import static mcc.it.TwoHosts.in;
import static mcc.it.TwoHosts.run;
import static mcc.it.TwoHosts.sh;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A node on every address of a host with two interfaces, and one behind a firewall that lets in answers alone. */
@Tag("long")
class AddressesIT {
    private static final String SECOND = "198.19.0.1";

    @TempDir
    Path folder;

    private static boolean says(String ns, String command, String what) {
        try {
            return run(in(ns, command)).out().contains(what);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void whoSpeaksToTheSecondInterfaceIsAnsweredFromThere() throws Exception {
        Needs.program("nft", "nftables");
        Needs.program("curl", "curl");
        try (TwoHosts hosts = new TwoHosts("a")) {
            sh("ip -n " + hosts.left + " link add eth1 type veth peer name eth2");
            sh("ip -n " + hosts.left + " link set eth2 up");
            sh("ip -n " + hosts.left + " addr add " + SECOND + "/24 dev eth1");
            sh("ip -n " + hosts.left + " link set eth1 up");
            sh("ip -n " + hosts.right + " route add 198.19.0.0/24 via " + A);
            for (String rule : new String[] {
                "add table inet f", "add chain inet f in { type filter hook input priority 0; policy drop; }",
                "add rule inet f in iif lo accept", "add rule inet f in ct state established accept"
            }) sh(in(hosts.right, "nft '" + rule + "'"));
            try (RealNode left = RealNode.start(
                            exec(hosts.left),
                            folder.resolve("left"),
                            "--listen",
                            "0.0.0.0:9376",
                            "--http",
                            "127.0.0.1:8080");
                    RealNode right = RealNode.start(
                            exec(hosts.right),
                            folder.resolve("right"),
                            "--listen",
                            B + ":9376",
                            "--http",
                            "127.0.0.1:8080",
                            "--bootstrap",
                            SECOND + ":9376")) {
                String peers = "curl -s http://127.0.0.1:8080/api/v1/peers";
                RealNode.await("it joins", () -> says(hosts.right, peers, left.id));
                assertThat(says(hosts.right, peers, SECOND)).isTrue();
                assertThat(right.id).isNotEqualTo(left.id);
            }
        }
    }
}
