package mcc.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.Socket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import mcc.consortium.Policy;
import mcc.node.Node;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The sockets of tunnels may use a part of the process's descriptors, and no more. */
class DescriptorsTest {
    @TempDir
    Path folder;

    private Rig rig;

    @AfterEach
    void end() {
        if (rig != null) rig.close();
    }

    @Test
    void tunnelsLeaveTheRestOfTheNodeItsShareOfAnyLimit() {
        assertThat(Descriptors.part(1_024)).isEqualTo(576);
        assertThat(Descriptors.part(20_000)).isEqualTo(14_808);
        assertThat(Descriptors.part(0)).isEqualTo(64);
        assertThat(Descriptors.part(Long.MAX_VALUE)).isPositive();
    }

    @Test
    void noSideTakesTheLastQuarterFromTheOthers() {
        Descriptors few = new Descriptors(100);
        int taken = 0;
        while (few.take(Descriptors.Side.USER)) taken++;
        assertThat(taken).isEqualTo(75);
        while (few.take(Descriptors.Side.PROVIDER)) taken++;
        assertThat(taken).isEqualTo(100);
        assertThat(few.take(Descriptors.Side.HOSTED)).isFalse();
        few.give(Descriptors.Side.USER);
        assertThat(few.take(Descriptors.Side.HOSTED)).isTrue();
        assertThat(few.all()).isEqualTo(100);
    }

    @Test
    void connectionsBeyondTheLimitAreResetAndCountedAndLaterOnesServed() throws Exception {
        rig = new Rig(folder);
        Descriptors few = new Descriptors(40);
        Node node = rig.node(
                "n",
                Policy.open(),
                List.of(parts -> new TunnelVerticle(parts, System::currentTimeMillis, few, Provider.OPEN_MAX, 100)));
        Rig.register(node, "web", rig.echo().getLocalPort());
        int port = Rig.port(Rig.forward(node, "web"));
        List<Socket> users = new ArrayList<>();
        try {
            int served = 0;
            for (int i = 0; i < 40; i++) {
                users.add(Rig.connect(port));
                if (echoes(users.getLast())) served++;
            }
            assertThat(served).as("two sockets for each, and one that listens").isEqualTo(14);
            assertThat(Rig.counted(node, "tunnel.descriptors.refused")).isEqualTo(26);
        } finally {
            for (Socket user : users) user.close();
        }
        Rig.await("a place is free again", () -> {
            try (Socket user = Rig.connect(port)) {
                return echoes(user);
            } catch (java.io.IOException _) {
                return false;
            }
        });
        Rig.tunnels(node, new TunnelVerticle.Query.Close(Rig.only(node).getString("id")));
        Rig.await("every descriptor is given back", () -> few.all() == 0);
    }

    private static boolean echoes(Socket user) {
        try {
            user.getOutputStream().write(7);
        } catch (java.io.IOException _) {
            return false;
        }
        return Rig.read(user) == 7;
    }
}
