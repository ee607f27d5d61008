package mcc.lab;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import mcc.it.RealNode;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A node behind a router that lets no UDP pass, and nodes elsewhere that have nothing else. */
@Tag("long")
class CarrierIT {
    private static final int ECHO_PORT = 7_000;
    private static final int WEB_SOCKETS = 443;

    @TempDir
    static Path folder;

    private static Lab lab;
    private static Host relayHost;
    private static Host openHost;
    private static Site site;
    private static RealNode relay;
    private static RealNode open;
    private static RealNode blocked;

    @BeforeAll
    static void build() throws Exception {
        lab = new Lab("carrier");
        lab.delay(5);
        relayHost = lab.open();
        openHost = lab.open();
        site = lab.site(2).become(NatKind.ONLY_443);
        Echo.serve(openHost, ECHO_PORT);
        Echo.serve(site.host(), ECHO_PORT);
        relay = startRelay();
        String gate = "wss://" + relayHost.ip + ":" + WEB_SOCKETS + "#" + relay.id;
        String udp = relayHost.ip + ":" + Host.PORT;
        CompletableFuture<RealNode> opening =
                CompletableFuture.supplyAsync(() -> openHost.node(folder.resolve("open"), "--bootstrap", udp));
        blocked = site.host().node(folder.resolve("blocked"), "--bootstrap", udp + "," + gate);
        open = opening.get();
    }

    private static RealNode startRelay() {
        return relayHost.node(folder.resolve("relay"), "--relay-websocket", relayHost.ip + ":" + WEB_SOCKETS);
    }

    @AfterAll
    static void remove() throws Exception {
        if (lab != null) lab.close();
    }

    private static byte[] bytes(int length) {
        byte[] out = new byte[length];
        for (int i = 0; i < out.length; i++) out[i] = (byte) (i * 31 >> 3);
        return out;
    }

    /** How its peers are reached. */
    private static Set<String> paths(RealNode node) {
        Set<String> out = new TreeSet<>();
        for (JsonNode peer : node.get("/api/v1/peers").body().path("items")) {
            out.add(peer.at("/path/tx").asText());
        }
        return out;
    }

    @Test
    void aNodeWithoutUdpOffersAndUsesServicesByARelay() throws Exception {
        blocked.register("there", "there", ECHO_PORT);
        open.register("here", "here", ECHO_PORT);
        RealNode.await("it finds", () -> blocked.providers("here").contains(open.id), blocked, open, relay);
        RealNode.await("it is found", () -> open.providers("there").contains(blocked.id), blocked, open, relay);
        int port = blocked.forward("here");
        byte[] one = {1};
        long began = System.nanoTime();
        assertThat(Echo.exchange(site.host(), port, one)).isEqualTo(one);
        long firstNs = System.nanoTime();
        byte[] sent = bytes(1_000_000);
        assertThat(Echo.exchange(site.host(), port, sent)).isEqualTo(sent);
        long allNs = System.nanoTime();
        System.out.println(
                "| no UDP: first byte there and back by a relay | " + (firstNs - began) / 1_000_000 + " ms |");
        System.out.println("| no UDP: 1 MB there and back by a relay | " + (allNs - firstNs) / 1_000_000 + " ms |");
        assertThat(Echo.exchange(openHost, open.forward("there"), sent)).isEqualTo(sent);
        assertThat(paths(blocked)).as("none claims to be direct").isSubsetOf("carrier", "relay", "none");
        JsonNode nat = blocked.get("/api/v1/nat").body();
        assertThat(nat.at("/udp").asText()).isEqualTo("blocked");
        assertThat(nat.at("/verdict").asText()).startsWith("UDP is blocked; all goes through wss://" + relayHost.ip);
        assertThat(nat.at("/carriers/0/state").asText()).isEqualTo("linked");
        assertThat(nat.at("/carriers/0/relay").asText()).isEqualTo(relay.id);
        String why = blocked.get("/api/v1/peers/" + open.id + "/path")
                .body()
                .at("/verdict")
                .asText();
        assertThat(why).contains("UDP gets nowhere").contains("wss://");
    }

    @Test
    void aRelayThatWasKilledIsUsedAgainOnceItIsUp() throws Exception {
        open.register("again", "again", ECHO_PORT);
        RealNode.await("it finds", () -> blocked.providers("again").contains(open.id), blocked, open, relay);
        int port = blocked.forward("again");
        byte[] sent = bytes(10_000);
        assertThat(Echo.exchange(site.host(), port, sent)).isEqualTo(sent);
        relay.kill();
        RealNode.await("the loss is told", () -> problems(blocked).contains("no-carrier"), blocked);
        relay = startRelay();
        long began = System.nanoTime();
        RealNode.await("the relay answers", () -> paths(blocked).contains("carrier"), blocked, relay);
        System.out.println("| relay up again, linked after | " + (System.nanoTime() - began) / 1_000_000 + " ms |");
        RealNode.await("bytes flow", () -> flows(port, sent), blocked, open, relay);
        assertThat(problems(blocked)).doesNotContain("no-carrier");
    }

    @Test
    void whoMetARelayByUdpFindsItsConnectionsLaterWithoutBeingTold() throws Exception {
        Host host = site.hosts.getLast();
        Path data = folder.resolve("roaming");
        site.become(NatKind.HOME);
        RealNode before = host.node(data, "--bootstrap", relayHost.ip + ":" + Host.PORT);
        String url = "wss://" + relayHost.ip;
        RealNode.await(
                "it is told the port",
                () -> before.get("/api/v1/nat")
                        .body()
                        .at("/carriers/0/url")
                        .asText()
                        .equals(url),
                before);
        assertThat(before.stop()).isZero();
        site.become(NatKind.ONLY_443);
        RealNode after = host.node(data);
        RealNode.await("it goes by TCP", () -> paths(after).contains("carrier"), after, relay);
        RealNode.await(
                "and joins",
                () -> after.get("/api/v1/node").body().at("/joined").asBoolean(),
                after);
    }

    private static boolean flows(int port, byte[] sent) {
        try {
            return java.util.Arrays.equals(Echo.exchange(site.host(), port, sent), sent);
        } catch (Exception e) {
            return false;
        }
    }

    private static List<String> problems(RealNode node) {
        List<String> out = new ArrayList<>();
        for (JsonNode each : node.get("/api/v1/node").body().path("problems"))
            out.add(each.path("code").asText());
        return out;
    }

    @Test
    void whereUdpPassesAgainThePathIsDirectAndTheConnectionEnds() throws Exception {
        RealNode.await("it goes by TCP", () -> paths(blocked).contains("carrier"), blocked);
        site.become(NatKind.HOME);
        try {
            RealNode.await(
                    "the path to the relay is direct", () -> paths(blocked).contains("direct"), blocked, relay);
            RealNode.await(
                    "the connection ends",
                    () -> blocked.get("/api/v1/nat")
                            .body()
                            .at("/carriers/0/state")
                            .asText()
                            .equals("idle"),
                    blocked);
        } finally {
            site.become(NatKind.ONLY_443);
        }
        RealNode.await("it goes by TCP again", () -> paths(blocked).contains("carrier"), blocked);
    }
}
