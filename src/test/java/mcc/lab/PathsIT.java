package mcc.lab;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import mcc.it.RealNode;
import mcc.it.TwoHosts;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two nodes behind home routers and a transfer between them, while the way that it goes dies, changes or sleeps. */
@Tag("long")
class PathsIT {
    private static final int ECHO_PORT = 7_000;
    /** Blocks of one transfer: more than all buffers on the way take. */
    private static final int BLOCKS = 400;

    @TempDir
    static Path folder;

    private static Lab lab;
    private static Site there;
    private static Site here;
    private static Host user;
    private static RealNode provider;
    private static RealNode neighbour;
    private static RealNode using;
    private static int port;

    @BeforeAll
    static void build() throws Exception {
        lab = new Lab("paths");
        lab.delay(5);
        List<Host> hosts = new ArrayList<>();
        for (int i = 0; i < 3; i++) hosts.add(lab.open());
        String bootstrap = hosts.getFirst().ip + ":" + Host.PORT;
        there = lab.site(2);
        here = lab.site(1);
        user = here.host();
        hosts.addAll(List.of(there.host(), user, there.hosts.get(1)));
        hosts.getFirst().node(folder.resolve("first"));
        List<CompletableFuture<RealNode>> starting = new ArrayList<>();
        for (Host host : hosts.subList(1, 6)) {
            Path own = folder.resolve("node" + starting.size());
            starting.add(CompletableFuture.supplyAsync(() -> host.node(own, "--bootstrap", bootstrap)));
        }
        for (CompletableFuture<RealNode> each : starting) each.get();
        provider = starting.get(2).get();
        using = starting.get(3).get();
        neighbour = starting.get(4).get();
        Echo.serve(there.host(), ECHO_PORT);
        provider.register("echo", "echo", ECHO_PORT);
        RealNode.await(
                "the provider keeps two places",
                () -> provider.get("/api/v1/relays").body().at("/kept").size() == 2,
                provider);
        RealNode.await("the provider is found", () -> using.providers("echo").contains(provider.id), using, provider);
        port = using.forward("echo");
    }

    @AfterAll
    static void remove() throws Exception {
        if (lab != null) lab.close();
    }

    /** Each test begins with nodes that reach each other straight. */
    @BeforeEach
    void goStraight() throws Exception {
        lab.blackHole(here.edge, there.edge, false);
        lab.blackHole(there.edge, here.edge, false);
        assertThat(Echo.exchange(user, port, block(1))).isEqualTo(block(1));
        awaitStraight(using, provider);
    }

    private static void awaitStraight(RealNode one, RealNode other) {
        RealNode.await("packets go straight", () -> way(one, other).equals("direct"), one, other);
        RealNode.await("and the answers", () -> way(other, one).equals("direct"), one, other);
    }

    private static String way(RealNode from, RealNode to) {
        for (JsonNode peer : from.get("/api/v1/peers").body().path("items")) {
            if (peer.path("id").asText().equals(to.id))
                return peer.at("/path/tx").asText();
        }
        return "";
    }

    private static byte[] block(int number) {
        byte[] out = new byte[32_768];
        for (int i = 0; i < out.length; i++) out[i] = (byte) (number * 7 + i * 31 >> 3);
        return out;
    }

    /** Sends blocks and reads them back, and in the middle does something; prints the longest time that no block came. */
    private static void transfer(String what, Lab.Act midway) throws Exception {
        user.ns.call(() -> {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                socket.setSoTimeout((int) (Lab.PATIENCE_NS / 1_000_000));
                Thread writer = Thread.ofVirtual().start(() -> write(socket));
                long longestNs = 0;
                for (int n = 0; n < BLOCKS; n++) {
                    long began = System.nanoTime();
                    assertThat(socket.getInputStream().readNBytes(32_768)).isEqualTo(block(n));
                    longestNs = Math.max(longestNs, System.nanoTime() - began);
                    if (n == BLOCKS / 2) midway.run();
                }
                writer.join();
                System.out.println("| " + what + ", longest pause | " + longestNs / 1_000_000 + " ms |");
            }
            return null;
        });
    }

    private static void write(Socket socket) {
        try {
            for (int n = 0; n < BLOCKS; n++) socket.getOutputStream().write(block(n));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void theRelayCarriesADirectionThatDies() throws Exception {
        transfer("one direction dead", () -> lab.blackHole(here.edge, there.edge, true));
        assertThat(way(using, provider)).isEqualTo("relay");
    }

    @Test
    void theRelayCarriesTheOtherDirection() throws Exception {
        transfer("the other direction dead", () -> lab.blackHole(there.edge, here.edge, true));
        assertThat(way(provider, using)).isEqualTo("relay");
    }

    @Test
    void theRelayCarriesBothDirections() throws Exception {
        transfer("both directions dead", () -> {
            lab.blackHole(here.edge, there.edge, true);
            lab.blackHole(there.edge, here.edge, true);
        });
        assertThat(way(provider, using)).isEqualTo("relay");
        assertThat(way(using, provider)).isEqualTo("relay");
    }

    @Test
    void aRouterThatForgetsItsFlowsCostsNoByte() throws Exception {
        transfer("the user's router restarted", here::reboot);
        transfer("the provider's router restarted", there::reboot);
    }

    @Test
    void aNodeThatSleptIsReachedStraightAgain() throws Exception {
        long pid = provider.process.pid();
        TwoHosts.run("kill -STOP " + pid);
        RealNode.await(
                "it sleeps beyond its lease", () -> !using.providers("echo").contains(provider.id), using);
        TwoHosts.run("kill -CONT " + pid);
        long woke = System.nanoTime();
        RealNode.await("it is reached", () -> reaches(), using, provider);
        long reached = System.nanoTime();
        awaitStraight(using, provider);
        System.out.println("| a node that slept, reached again after | " + (reached - woke) / 1_000_000
                + " ms, straight after " + (System.nanoTime() - woke) / 1_000_000 + " ms |");
    }

    private static boolean reaches() {
        try {
            return Echo.exchange(user, port, block(2)).length == 32_768;
        } catch (Exception e) {
            return false;
        }
    }

    @Test
    void neighboursBehindOneRouterUseTheirOwnNetwork() throws Exception {
        for (NatKind kind : List.of(NatKind.HOME, NatKind.HAIRPIN)) {
            there.become(kind);
            RealNode.await("it is found", () -> neighbour.providers("echo").contains(provider.id), neighbour, provider);
            assertThat(Echo.exchange(there.hosts.get(1), neighbour.forward("echo"), block(3)))
                    .isEqualTo(block(3));
            RealNode.await(kind.name(), () -> way(neighbour, provider).equals("lan"), neighbour, provider);
            RealNode.await(kind.name(), () -> way(provider, neighbour).equals("lan"), neighbour, provider);
        }
        there.become(NatKind.HOME);
    }
}
