package mcc.lab;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import mcc.it.RealNode;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The virtual interface reaches an endpoint behind a NAT, from behind another one, without any forward. */
@Tag("long")
class TunByRelayIT {
    private static final int ECHO_PORT = 7_000;

    @Test
    void anEndpointIsReachedByItsAddressThroughARelay(@TempDir Path folder) throws Exception {
        try (Lab lab = new Lab("tunrelay")) {
            List<Host> hosts = new ArrayList<>();
            for (int i = 0; i < 3; i++) hosts.add(lab.open());
            for (int i = 0; i < 2; i++)
                hosts.add(lab.site(1).become(NatKind.RANDOM).host());
            String bootstrap = hosts.getFirst().ip + ":" + Host.PORT;
            hosts.getFirst().node(folder.resolve("first"));
            List<CompletableFuture<RealNode>> starting = new ArrayList<>();
            for (Host host : hosts.subList(1, 5)) {
                Path own = folder.resolve("node" + starting.size());
                String tun = starting.size() < 2 ? "--tun=false" : "--tun";
                starting.add(CompletableFuture.supplyAsync(() -> host.node(own, "--bootstrap", bootstrap, tun)));
            }
            for (CompletableFuture<RealNode> each : starting) each.get();
            RealNode provider = starting.get(2).get();
            RealNode user = starting.get(3).get();
            Echo.serve(hosts.get(3), ECHO_PORT);
            JsonNode made = provider.put(
                            "/api/v1/registrations/echo", "{\"service\":\"echo\",\"port\":" + ECHO_PORT + "}")
                    .body();
            RealNode.await(
                    "the provider keeps two places",
                    () -> provider.get("/api/v1/relays").body().at("/kept").size() == 2,
                    provider);
            RealNode.await("the provider is found", () -> user.providers("echo").contains(provider.id), user, provider);
            byte[] sent = {1, 2, 3, 4};
            RealNode.await(
                    "the app answers at its endpoint's address",
                    () -> answers(hosts.get(4), made.path("address").asText(), sent),
                    user,
                    provider);
        }
    }

    private static boolean answers(Host from, String address, byte[] sent) {
        try {
            return from.ns.call(() -> {
                try (Socket socket = new Socket()) {
                    socket.connect(new InetSocketAddress(address, ECHO_PORT), 5_000);
                    socket.setSoTimeout(5_000);
                    socket.getOutputStream().write(sent);
                    assertThat(socket.getInputStream().readNBytes(sent.length)).isEqualTo(sent);
                    return true;
                } catch (IOException e) {
                    return false;
                }
            });
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }
}
