package mcc.lab;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import mcc.it.RealNode;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A home router that maps ports, by a daemon that real routers have: a node behind it is reached by strangers. */
@Tag("long")
class PortMapIT {
    private static final String NO_PCP = "udp dport 5351 @th,64,8 2";

    /** The daemon takes no address that is reserved for tests; this one never leaves the lab. */
    private static final String OUTSIDE = "11.0.0.1";

    @TempDir
    static Path folder;

    private static Lab lab;
    private static Site site;
    private static String bootstrap = "";

    @BeforeAll
    static void build() throws Exception {
        lab = new Lab("portmap");
        lab.delay(5);
        site = lab.site(1, OUTSIDE);
        bootstrap = lab.openNodes(3, folder).getFirst().bootstrap();
    }

    @AfterAll
    static void remove() throws Exception {
        if (lab != null) lab.close();
    }

    private static JsonNode mapping(RealNode node) {
        return node.get("/api/v1/nat").body().path("portMapping");
    }

    private static Path router(String name) throws Exception {
        return Files.createDirectories(folder.resolve("router-" + name));
    }

    /** A node behind the router gets a mapping by this protocol, and who never met it comes through. */
    private void isReachedBy(String protocol, String stranger) throws Exception {
        try (RealNode node = site.host().node(folder.resolve(protocol), "--bootstrap", bootstrap)) {
            RealNode.await(
                    "peers come through the mapping",
                    () -> mapping(node).path("state").asText().equals("ok"),
                    node);
            assertThat(mapping(node).path("protocol").asText()).isEqualTo(protocol);
            String mapped = mapping(node).path("address").asText();
            assertThat(mapped).startsWith(site.outside + ":").isNotEqualTo(site.at(Host.PORT) + "");
            RealNode.await(
                    "it is announced first",
                    () -> node.get("/api/v1/nat")
                            .body()
                            .at("/addresses/0")
                            .asText()
                            .equals(mapped),
                    node);
            assertThat(node.get("/api/v1/nat").body().at("/ipv4/reachable").asText())
                    .isEqualTo("yes");
            // It knows this address alone, and no node has ever sent to its own.
            Path data = folder.resolve(protocol + "-stranger");
            try (RealNode other = lab.open(stranger).node(data, "--bootstrap", node.id + "@" + mapped)) {
                RealNode.await(
                        "the stranger's first packet arrives",
                        () -> other.get("/api/v1/peers")
                                .body()
                                .path("items")
                                .findValuesAsText("id")
                                .contains(node.id),
                        other,
                        node);
                JsonNode path = other.get("/api/v1/peers/" + node.id).body().path("path");
                assertThat(path.path("address").asText()).isEqualTo(mapped);
            }
            assertThat(node.stop()).isZero();
        }
        assertThat(site.rules()).as("the mapping is given back").doesNotContain("dnat ip to");
    }

    @Test
    void byPcp() throws Exception {
        try (AutoCloseable _ =
                site.mapPorts(router("pcp"), "ext_ip=" + site.outside, "enable_natpmp=yes", "enable_upnp=no")) {
            isReachedBy("pcp", "198.18.7.1");
        }
    }

    @Test
    void byNatPmpWhereTheRouterKnowsNothingElse() throws Exception {
        try (AutoCloseable _ =
                site.mapPorts(router("pmp"), "ext_ip=" + site.outside, "enable_natpmp=yes", "enable_upnp=no")) {
            site.ignore(NO_PCP);
            isReachedBy("nat-pmp", "198.18.7.2");
        }
    }

    @Test
    void byUpnpWhereTheRouterKnowsNothingElse() throws Exception {
        try (AutoCloseable _ =
                site.mapPorts(router("upnp"), "ext_ip=" + site.outside, "enable_natpmp=no", "enable_upnp=yes")) {
            isReachedBy("upnp", "198.18.7.3");
        }
    }

    @Test
    void aRouterThatTellsAnotherAddressThanPeersSeeIsNotBelieved() throws Exception {
        try (AutoCloseable _ =
                        site.mapPorts(router("lying"), "ext_ip=11.0.0.77", "enable_natpmp=yes", "enable_upnp=no");
                RealNode node = site.host().node(folder.resolve("lying"), "--bootstrap", bootstrap)) {
            RealNode.await(
                    "there must be another NAT",
                    () -> mapping(node).path("state").asText().equals("second-nat"),
                    node);
            assertThat(node.get("/api/v1/nat").body().path("addresses").toString())
                    .doesNotContain("11.0.0.77");
        }
    }
}
