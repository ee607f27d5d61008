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
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * An app behind a NAT, used from behind another one: through relays, which are found and lost. Both NATs give each flow a port of
 * its own, so that there is no other way.
 */
@Tag("long")
class RelayIT {
    private static final int ECHO_PORT = 7_000;
    /** Blocks of one transfer: more than all buffers on the way take. */
    private static final int BLOCKS = 400;

    @TempDir
    static Path folder;

    private static Lab lab;
    private static Host user;
    private static final List<RealNode> relays = new ArrayList<>();
    private static RealNode provider;
    private static RealNode using;
    private static int port;

    @BeforeAll
    static void build() throws Exception {
        lab = new Lab("relay");
        lab.delay(5);
        List<Host> open = new ArrayList<>();
        for (int i = 0; i < 3; i++) open.add(lab.open());
        String bootstrap = open.getFirst().ip + ":" + Host.PORT;
        Site there = lab.site(1);
        Site here = lab.site(1);
        there.become(NatKind.RANDOM);
        here.become(NatKind.RANDOM);
        user = here.host();
        Echo.serve(there.host(), ECHO_PORT);
        relays.add(open.getFirst().node(folder.resolve("relay0")));
        List<CompletableFuture<RealNode>> starting = new ArrayList<>();
        for (Host host : List.of(open.get(1), open.get(2), there.host(), user)) {
            Path own = folder.resolve("node" + starting.size());
            starting.add(CompletableFuture.supplyAsync(() -> host.node(own, "--bootstrap", bootstrap)));
        }
        relays.add(starting.get(0).get());
        relays.add(starting.get(1).get());
        provider = starting.get(2).get();
        using = starting.get(3).get();
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

    @Test
    void bytesGoThroughARelayWhereThereIsNoOtherWay() throws Exception {
        byte[] sent = new byte[300_000];
        for (int i = 0; i < sent.length; i++) sent[i] = (byte) (i * 31 >> 3);
        assertThat(Echo.exchange(user, port, sent)).isEqualTo(sent);
        assertThat(via()).isIn(relays.stream().map(relay -> relay.id).toList());
        double relayed = 0;
        for (RealNode relay : relays) relayed += relay.counted("mcc_relay_bytes_total");
        assertThat(relayed).isGreaterThan(600_000);
    }

    @Test
    void whyARelayIsOnTheWayIsToldAndWhoCouldChangeIt() throws Exception {
        byte[] sent = {1, 2, 3};
        assertThat(Echo.exchange(user, port, sent)).isEqualTo(sent);
        String path = "/api/v1/peers/" + provider.id + "/path";
        RealNode.await(
                "the user's side is told what to do",
                () -> using.get(path)
                        .body()
                        .at("/advice/0/text")
                        .asText()
                        .contains("gives every destination another port"),
                using);
        JsonNode told = using.get(path).body();
        assertThat(told.at("/path/tx").asText()).isEqualTo("relay");
        assertThat(told.at("/verdict").asText()).startsWith("A relay (").contains("carries the packets");
        assertThat(told.at("/here/mapping").asText()).contains("dependent").isNotEqualTo("endpoint-independent");
        JsonNode changes = told.at("/changes");
        assertThat(changes.get(changes.size() - 1).at("/relay").asText())
                .isIn(relays.stream().map(relay -> relay.id).toList());
        assertThat(told.at("/tries").findValuesAsText("state")).contains("silent", "in-use");
    }

    /** The relay that carries what the user's node sends to the provider's; empty for none. */
    private static String via() {
        for (JsonNode peer : using.get("/api/v1/peers").body().path("items")) {
            if (!peer.path("id").asText().equals(provider.id)) continue;
            return peer.at("/path/via/0").asText();
        }
        return "";
    }

    private static byte[] block(int number) {
        byte[] out = new byte[32_768];
        for (int i = 0; i < out.length; i++) out[i] = (byte) (number * 7 + i * 31 >> 3);
        return out;
    }

    /** A node notices within half a minute of silence that a relay of its is gone. */
    @Test
    void aRelayThatDiesCostsNoByteOfAStream() throws Exception {
        user.ns.call(() -> {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                socket.setSoTimeout((int) (Lab.PATIENCE_NS / 1_000_000));
                Thread writer = Thread.ofVirtual().start(() -> write(socket));
                long longestNs = 0;
                for (int n = 0; n < BLOCKS; n++) {
                    long began = System.nanoTime();
                    assertThat(socket.getInputStream().readNBytes(32_768)).isEqualTo(block(n));
                    longestNs = Math.max(longestNs, System.nanoTime() - began);
                    if (n == BLOCKS / 2) kill(via());
                }
                writer.join();
                System.out.println("| relay killed, longest pause | " + longestNs / 1_000_000 + " ms |");
            }
            return null;
        });
        RealNode.await(
                "the provider keeps a place at another relay",
                () -> provider.get("/api/v1/relays").body().at("/kept").size() == 2,
                provider);
        byte[] sent = block(9);
        assertThat(Echo.exchange(user, port, sent)).as("and is found by it").isEqualTo(sent);
    }

    private static void write(Socket socket) {
        try {
            for (int n = 0; n < BLOCKS; n++) socket.getOutputStream().write(block(n));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void kill(String id) {
        for (RealNode relay : List.copyOf(relays)) {
            if (!relay.id.equals(id)) continue;
            relay.kill();
            relays.remove(relay);
        }
    }
}
