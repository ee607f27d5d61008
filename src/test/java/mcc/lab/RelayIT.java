package mcc.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import mcc.it.RealNode;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * An app behind a NAT, used from behind another one: through relays, which are found and lost. Both NATs give each flow a port of
 * its own, so that there is no other way.
 */
class RelayIT {
    private static final int ECHO_PORT = 7_000;

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

    private static byte[] exchange(byte[] sent) throws Exception {
        return user.ns.call(() -> {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                socket.setSoTimeout((int) (Lab.PATIENCE_NS / 1_000_000));
                socket.getOutputStream().write(sent);
                return socket.getInputStream().readNBytes(sent.length);
            }
        });
    }

    @Test
    void bytesGoThroughARelayWhereThereIsNoOtherWay() throws Exception {
        byte[] sent = new byte[300_000];
        for (int i = 0; i < sent.length; i++) sent[i] = (byte) (i * 31 >> 3);
        assertThat(exchange(sent)).isEqualTo(sent);
        assertThat(using.get("/api/v1/peers").body().toString()).contains("\"tx\":\"relay\"");
        double relayed = 0;
        for (RealNode relay : relays) relayed += relay.counted("mcc_relay_bytes_total");
        assertThat(relayed).isGreaterThan(600_000);
    }
}
