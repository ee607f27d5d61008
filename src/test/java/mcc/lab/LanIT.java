package mcc.lab;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import mcc.it.Capture;
import mcc.it.RealNode;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Hosts on one Ethernet behind one router, whose nodes are told of nobody. */
@Tag("long")
class LanIT {
    @TempDir
    Path folder;

    private static List<String> peers(RealNode node) {
        List<String> out = new ArrayList<>();
        for (JsonNode each : node.get("/api/v1/peers").body().path("items"))
            out.add(each.path("id").asText());
        return out;
    }

    @Test
    void nodesOfOneNetworkFindEachOtherAndOthersLearnNothing() throws Exception {
        try (Lab lab = new Lab("lan")) {
            Site site = lab.site(5);
            Host silent = site.hosts.get(3);
            Host foreign = site.hosts.get(2);
            try (Capture heard = Capture.start(folder, site.hosts.get(4).ns.name, "eth0", "-A", "udp port 19376")) {
                RealNode off = silent.node(folder.resolve("off"), "--network", "office", "--lan-discovery=false");
                RealNode one = site.hosts.get(0).node(folder.resolve("one"), "--network", "office");
                RealNode two = site.hosts.get(1).node(folder.resolve("two"), "--network", "office");
                RealNode.await(
                        "they meet",
                        () -> peers(one).contains(two.id) && peers(two).contains(one.id),
                        one,
                        two);
                RealNode other = foreign.node(folder.resolve("other"), "--network", "workshop");
                RealNode.await(
                        "all that a node says at first was said",
                        () -> heard.count("IP " + foreign.ip + ".19376 >") >= 4,
                        other);
                assertThat(peers(other)).isEmpty();
                assertThat(peers(off)).as("it neither speaks nor hears").isEmpty();
                assertThat(heard.count("IP " + silent.ip + ".")).isZero();
                assertThat(heard.text()).doesNotContain("office").doesNotContain("workshop");
                assertThat(other.get("/metrics").raw().body())
                        .contains("mcc_lan_heard_foreign_total")
                        .doesNotContain("mcc_lan_dials_total");
            }
        }
    }
}
