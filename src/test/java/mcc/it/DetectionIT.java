package mcc.it;

import static mcc.it.TwoHosts.A;
import static mcc.it.TwoHosts.B;
import static mcc.it.TwoHosts.exec;
import static mcc.it.TwoHosts.in;
import static mcc.it.TwoHosts.run;
import static mcc.it.TwoHosts.sh;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A node at a public address finds out with five others, at other IP addresses, whether anybody reaches it. Its loss is noticed within a minute. */
@Tag("long")
class DetectionIT {
    private static final int OTHERS = 5;

    @TempDir
    Path folder;

    private String left = "";

    private JsonNode nat() {
        try {
            return new ObjectMapper()
                    .readTree(run(in(left, "curl -s http://127.0.0.1:8080/api/v1/nat"))
                            .out());
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private boolean is(String field, String value) {
        return nat().path(field).asText().equals(value);
    }

    @Test
    void aNodeIsOpenUntilAFirewallClosesIt() throws Exception {
        Needs.program("nft", "nftables");
        Needs.program("curl", "curl");
        List<RealNode> others = new ArrayList<>();
        try (TwoHosts hosts = new TwoHosts("d")) {
            left = hosts.left;
            sh("ip -n " + hosts.left + " route add default via " + B);
            for (int i = 1; i <= OTHERS; i++) {
                String ip = "20." + i + ".0.1";
                sh("ip -n " + hosts.right + " addr add " + ip + "/32 dev lo");
                List<String> options =
                        new ArrayList<>(List.of("--listen", ip + ":9376", "--http", "127.0.0.1:" + (8_080 + i)));
                if (i > 1) options.addAll(List.of("--bootstrap", "20.1.0.1:9376"));
                others.add(
                        RealNode.start(exec(hosts.right), folder.resolve("other" + i), options.toArray(String[]::new)));
            }
            try (RealNode node = RealNode.start(
                    exec(hosts.left),
                    folder.resolve("node"),
                    "--listen",
                    A + ":9376",
                    "--http",
                    "127.0.0.1:8080",
                    "--bootstrap",
                    "20.1.0.1:9376")) {
                RealNode.await("it is open", () -> is("reachable", "yes"), node);
                assertThat(nat().path("mapping").asText()).isEqualTo("none");
                assertThat(nat().path("filtering").asText()).isEqualTo("endpoint-independent");
                assertThat(nat().path("udp").asText()).isEqualTo("ok");
                assertThat(nat().path("ipv4").path("address").asText()).isEqualTo(A + ":9376");
                for (String rule : List.of(
                        "add table inet f",
                        "add chain inet f in { type filter hook input priority 0; policy drop; }",
                        "add rule inet f in iif lo accept",
                        "add rule inet f in ct state established accept")) sh(in(hosts.left, "nft '" + rule + "'"));
                RealNode.await("the firewall is noticed", () -> is("reachable", "no"), node);
                assertThat(nat().path("filtering").asText()).isEqualTo("address-and-port-dependent");
                assertThat(nat().path("mapping").asText()).isEqualTo("none");
            }
        } finally {
            others.forEach(RealNode::close);
        }
    }
}
