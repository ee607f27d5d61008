package mcc.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.Socket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import mcc.consortium.Policy;
import mcc.node.Node;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A provider with few places, peers that want all of them, and one that wants some. */
class FairnessTest {
    private static final int PLACES = 24;

    @TempDir
    Path folder;

    private Rig rig;
    private final List<Socket> sockets = new ArrayList<>();

    @BeforeEach
    void begin() {
        rig = new Rig(folder);
    }

    @AfterEach
    void end() throws Exception {
        for (Socket socket : sockets) socket.close();
        rig.close();
    }

    @Test
    void whoeverTakesAllPlacesGivesOneUpToWhoeverHasFewer() throws Exception {
        Node provider = rig.node(
                "provider",
                Policy.open(),
                List.of(parts ->
                        new TunnelVerticle(parts, System::currentTimeMillis, new Descriptors(10_000), PLACES, 100)));
        Rig.register(provider, "web", rig.echo().getLocalPort());
        List<Integer> greedy = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            Node node = rig.node("greedy" + i, Rig.meeting(provider));
            greedy.add(Rig.port(Rig.forward(node, "web")));
        }
        int served = 0;
        for (int i = 0; i < PLACES + 6; i++) if (echoes(greedy.getFirst())) served++;
        assertThat(served).as("of one alone, all places").isEqualTo(PLACES);
        for (int i = 0; i < PLACES; i++) echoes(greedy.getLast());
        Node honest = rig.node("honest", Rig.meeting(provider));
        int port = Rig.port(Rig.forward(honest, "web"));
        for (int i = 0; i < PLACES / 3; i++)
            assertThat(echoes(port)).as("fetch " + i).isTrue();
        assertThat(Rig.counted(provider, "tunnel.served.evicted")).isEqualTo(PLACES / 2 + PLACES / 3);
        assertThat(Rig.tunnels(provider, new TunnelVerticle.Query.Totals()).getInteger("servedConnections"))
                .isEqualTo(PLACES);
    }

    private boolean echoes(int port) throws Exception {
        Socket socket = Rig.connect(port);
        sockets.add(socket);
        try {
            socket.getOutputStream().write(7);
        } catch (java.io.IOException _) {
            return false; // reset
        }
        return Rig.read(socket) == 7;
    }
}
