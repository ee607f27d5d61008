package mcc.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.util.List;
import mcc.it.RealNode;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The virtual interface reaches an endpoint behind a NAT, from behind another one, without any forward. */
@Tag("long")
class TunByRelayIT {
    @Test
    void anEndpointIsReachedByItsAddressThroughARelay(@TempDir Path folder) throws Exception {
        try (Lab lab = new Lab("tunrelay")) {
            List<RealNode> open = lab.openNodes(3, folder);
            Host there = lab.site(1).become(NatKind.RANDOM).host();
            Host here = lab.site(1).become(NatKind.RANDOM).host();
            Pair pair = new Pair(open, folder, there, here, "--tun");
            byte[] sent = {1, 2, 3, 4};
            RealNode.await(
                    "the app answers at its endpoint's address",
                    () -> answers(here, pair.registration.path("address").asText(), sent),
                    pair.using,
                    pair.provider);
        }
    }

    private static boolean answers(Host from, String address, byte[] sent) {
        try {
            return from.ns.call(() -> {
                try (Socket socket = new Socket()) {
                    socket.connect(new InetSocketAddress(address, Pair.ECHO_PORT), 5_000);
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
