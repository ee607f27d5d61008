package mcc.it;

import static mcc.it.TwoHosts.A;
import static mcc.it.TwoHosts.B;
import static mcc.it.TwoHosts.in;
import static mcc.it.TwoHosts.java;
import static mcc.it.TwoHosts.run;
import static mcc.it.TwoHosts.sh;
import static mcc.it.TwoHosts.works;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import mcc.core.Rng;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Unmodified programs reach an endpoint by its address: two nodes in namespaces, apps that listen on loopback alone. */
@Tag("long")
class EndpointAddressIT {
    @TempDir
    Path folder;

    private TwoHosts hosts;
    private String left;
    private String right;

    @BeforeEach
    void link() throws Exception {
        Needs.program("curl", "curl");
        Needs.program("dig", "bind9-dnsutils");
        hosts = TwoHosts.withTun("e");
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

    private Process app(String... command) throws Exception {
        return hosts.start(left, command);
    }

    /** Offers an app of the left host; returns the address of its endpoint. */
    private String offer(String service, int port, String protocol) throws Exception {
        return offer(service, "\"port\":" + port + ",\"protocol\":\"" + protocol + "\"");
    }

    private String offer(String service, String ports) throws Exception {
        String body = "{\"service\":\"" + service + "\"," + ports + "}";
        String out = sh(in(
                left,
                "curl -s -X PUT http://127.0.0.1:8080/api/v1/registrations/" + service
                        + " -H 'Content-Type: application/json' -d '" + body + "'"));
        JsonNode made = new ObjectMapper().readTree(out);
        assertThat(made.path("address").asText()).as(out).startsWith("fd");
        return made.get("address").asText();
    }

    @Test
    void appsOnLoopbackAreReachedAtTheirEndpointsAddressesAndNothingElseIs() throws Exception {
        Files.write(folder.resolve("file"), Rng.seeded(21).bytes(8 << 20));
        for (int port : new int[] {7000, 7001}) {
            app(java("jwebserver"), "-b", "127.0.0.1", "-p", "" + port, "-d", folder.toString());
        }
        app(java("java"), "-cp", classes(), "mcc.it.NameServer", "5353", "by address");
        try (RealNode one = node(left, "one", A);
                RealNode two = node(right, "two", B, "--bootstrap", A + ":9376")) {
            String web = offer("web", 7000, "http");
            String dns = offer("dns", 5353, "udp");
            Path got = folder.resolve("got");
            String fetch = "curl -s --max-time 10 http://[" + web + "]:7000/file -o " + got;
            RealNode.await("the web server answers at its endpoint's address", () -> works(right, fetch));
            assertThat(Files.mismatch(got, folder.resolve("file"))).isEqualTo(-1);
            String ask = "dig @" + dns + " -p 5353 TXT a.test +short +timeout=1 +tries=1";
            RealNode.await("the name server does, too", () -> works(right, ask));
            assertThat(sh(in(right, ask))).isEqualTo("\"by address\"\n");
            assertThat(sh(in(right, "dig @" + dns + " -p 5353 TXT a12.test +short +bufsize=4096 +tries=1"))
                            .lines())
                    .as("an answer of 3 kB, in fragments")
                    .hasSize(13);
            assertThat(works(left, fetch)).as("from the provider's own host").isTrue();
            assertThat(sh(in(right, "curl -s 'http://127.0.0.1:8080/api/v1/services/web/providers'")))
                    .as("what discover shows")
                    .contains(web);
            assertThat(sh0(right, "dig +tcp @" + dns + " -p 5353 TXT a.test +timeout=5 +tries=1"))
                    .as("TCP to a service of UDP")
                    .contains("connection refused");
            String both =
                    "\"ports\":[{\"port\":5353,\"protocol\":\"udp\"},{\"port\":5353},{\"port\":7000,\"endPort\":7010}]";
            assertThat(offer("dns", both)).as("the same endpoint").isEqualTo(dns);
            String byTcp = ask + " +tcp";
            RealNode.await("TCP and UDP at one address", () -> sh0(right, byTcp).equals("\"by address\"\n"));
            assertThat(sh(in(right, ask))).isEqualTo("\"by address\"\n");
            assertThat(works(right, "curl -s --max-time 10 http://[" + dns + "]:7001/file -o " + got))
                    .isTrue();
            assertThat(run(in(right, "curl --max-time 5 http://[" + dns + "]:7009/"))
                            .code())
                    .as("a port of the range at which no app listens: refused (7), or, where the reset finds the"
                            + " connection already made, reset (56)")
                    .isIn(7, 56);
            for (String ns : List.of(right, left)) {
                String other = "curl --max-time 5 http://[" + web + "]:7001/file -o /dev/null";
                assertThat(run(in(ns, other)).code()).as("another port").isEqualTo(7);
            }
            assertThat(works(right, "ping -6 -c 1 -W 1 " + web)).isFalse();
            assertThat(sh(in(left, "curl -s http://127.0.0.1:8080/metrics")))
                    .containsPattern("mcc_tun_in_denied_total [1-9]");
            assertThat(sh("ip -n " + left + " -6 addr show dev mcc0"))
                    .as("where the node listens is never chosen as a source, and no endpoint's")
                    .containsPattern("/128 scope global .*deprecated")
                    .doesNotContain(web)
                    .doesNotContain(dns);
            sh(in(left, "curl -s -X DELETE http://127.0.0.1:8080/api/v1/registrations/web"));
            RealNode.await("its address is gone", () -> !works(right, fetch));
            assertThat(sh(in(right, ask))).as("the other stays").isEqualTo("\"by address\"\n");
            assertThat(two.id).isNotEqualTo(one.id);
        }
    }

    /** Redis and a name server listen on every address, so they need their ports on all that the host has. */
    @Test
    void whatListensOnEveryAddressRestartsWheneverItLikesAndIsReached() throws Exception {
        Needs.program("redis-server", "redis-server");
        app(java("java"), "-cp", classes(), "mcc.it.NameServer", "5353", "everywhere", "::");
        String[] redis = {
            "redis-server", "--bind", "0.0.0.0", "::", "--port", "6379", "--protected-mode", "no", "--save", ""
        };
        try (RealNode one = node(left, "one", A);
                RealNode two = node(right, "two", B, "--bootstrap", A + ":9376")) {
            String kv = offer("kv", 6379, "tcp");
            String dns = offer("dns", 5353, "udp");
            String ask = "dig @" + dns + " -p 5353 TXT a.test +short +timeout=1 +tries=1";
            RealNode.await("the name server answers from its endpoint's address", () -> works(right, ask));
            String ping = "timeout 5 redis-cli -h " + kv + " ping";
            for (int i = 0; i < 12; i++) {
                Process server = app(redis);
                String local = "timeout 1 redis-cli -h ::1 ping";
                RealNode.await(
                        "Redis is there",
                        () -> !server.isAlive() || sh0(left, local).contains("PONG"));
                assertThat(server.isAlive()).as("start " + i).isTrue();
                if (i % 4 == 0)
                    RealNode.await("and reached", () -> sh0(right, ping).contains("PONG"));
                server.destroy();
                assertThat(server.waitFor(10, TimeUnit.SECONDS)).isTrue();
                long until = uptimeMs() + (i % 4 == 0 ? 1_300 : 0);
                RealNode.await("the node has looked at its endpoints again", () -> uptimeMs() > until);
            }
            assertThat(two.id).isNotEqualTo(one.id);
        }
    }

    private long uptimeMs() {
        String out = sh0(left, "curl -s http://127.0.0.1:8080/api/v1/node");
        return Long.parseLong(out.replaceAll("(?s).*\"uptimeMs\":(\\d+).*", "$1"));
    }

    private static String sh0(String ns, String command) {
        try {
            return run(in(ns, command)).out();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static String classes() {
        return Arrays.stream(System.getProperty("java.class.path").split(":"))
                .filter(path -> path.endsWith("test-classes"))
                .findFirst()
                .orElseThrow();
    }
}
