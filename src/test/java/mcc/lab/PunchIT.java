package mcc.lab;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import mcc.it.RealNode;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Two nodes behind home routers: what they send straight to each other meets, as first contacts that cross or as punches, and a
 * direct path takes over from the relay. ({@code PunchTest} and {@code CircuitTest} are about punches alone.)
 */
@Tag("long")
class PunchIT {
    private static final int ECHO_PORT = 7_000;

    @TempDir
    static Path folder;

    private static Lab lab;
    private static RealNode provider;
    private static RealNode using;
    private static Host user;

    @BeforeAll
    static void build() throws Exception {
        lab = new Lab("punch");
        lab.delay(5);
        List<Host> hosts = new ArrayList<>();
        for (int i = 0; i < 3; i++) hosts.add(lab.open());
        String bootstrap = hosts.getFirst().ip + ":" + Host.PORT;
        for (int i = 0; i < 2; i++) {
            Site site = lab.site(1);
            site.become(NatKind.HOME);
            hosts.add(site.host());
        }
        user = hosts.getLast();
        hosts.getFirst().node(folder.resolve("first"));
        List<CompletableFuture<RealNode>> starting = new ArrayList<>();
        for (Host host : hosts.subList(1, 5)) {
            Path own = folder.resolve("node" + starting.size());
            starting.add(CompletableFuture.supplyAsync(() -> host.node(own, "--bootstrap", bootstrap)));
        }
        for (CompletableFuture<RealNode> each : starting) each.get();
        provider = starting.get(2).get();
        using = starting.get(3).get();
        Echo.serve(hosts.get(3), ECHO_PORT);
        provider.register("echo", "echo", ECHO_PORT);
        RealNode.await(
                "the provider keeps two places",
                () -> provider.get("/api/v1/relays").body().at("/kept").size() == 2,
                provider);
        RealNode.await("the provider is found", () -> using.providers("echo").contains(provider.id), using, provider);
    }

    @AfterAll
    static void remove() throws Exception {
        if (lab != null) lab.close();
    }

    private static String way(RealNode from, RealNode to) {
        for (JsonNode peer : from.get("/api/v1/peers").body().path("items")) {
            if (peer.path("id").asText().equals(to.id))
                return peer.at("/path/tx").asText();
        }
        return "";
    }

    @Test
    void twoHomeRoutersLetADirectPathThrough() throws Exception {
        byte[] sent = {1, 2, 3, 4};
        assertThat(Echo.exchange(user, using.forward("echo"), sent)).isEqualTo(sent);
        RealNode.await(
                "the user's packets go straight", () -> way(using, provider).equals("direct"), using, provider);
        RealNode.await("and the answers", () -> way(provider, using).equals("direct"), using, provider);
        JsonNode told = using.get("/api/v1/peers/" + provider.id + "/path").body();
        assertThat(told.at("/verdict").asText()).startsWith("Packets go straight to the peer");
        JsonNode changes = told.at("/changes");
        assertThat(changes.get(changes.size() - 1).at("/path").asText()).isEqualTo("direct");
        assertThat(told.at("/tries").findValuesAsText("state")).contains("in-use");
        assertThat(told.at("/advice")).isEmpty();
    }
}
