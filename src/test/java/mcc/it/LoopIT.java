package mcc.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.util.List;
import java.util.function.BooleanSupplier;
import mcc.bench.Figures;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A forward whose service leads, by another node, into the forward again: no node of the two can know. */
@Tag("long")
class LoopIT {
    /** What each node may have open. */
    private static final int LIMIT = 1_024;
    /** What of it the users of tunnels have, and also the apps that peers use. */
    private static final int SHARE = (LIMIT - 256) / 4 * 3 / 4 * 3;
    /** The node's own, which come and go. */
    private static final int OWN = 30;

    @TempDir
    static Path folder;

    private static Echo echo;
    private static RealNode one;
    private static RealNode two;

    @BeforeAll
    static void start() {
        echo = new Echo();
        List<String> few = List.of("sh", "-c", "ulimit -n " + LIMIT + "; exec \"$0\" \"$@\"");
        one = RealNode.start(few, folder.resolve("one"), "--udp-idle", "2");
        two = RealNode.start(few, folder.resolve("two"), "--udp-idle", "2", "--bootstrap", one.bootstrap());
    }

    @AfterAll
    static void end() throws IOException {
        if (two != null) two.close();
        if (one != null) one.close();
        echo.close();
    }

    @Test
    void oneConnectionTakesTheUsersShareOfDescriptorsAtMostAndAllComeBack() throws Exception {
        int loop = loop("tcp");
        int other = forward("echo");
        int[] before = descriptors();
        double refused = refused();
        try (Socket client = new Socket(InetAddress.getLoopbackAddress(), loop)) {
            client.setSoTimeout(1);
            assertServedUntil(before, refused, () -> isOver(client));
        }
        Echo.assertEchoes(other, new byte[1_000]);
    }

    @Test
    void oneDatagramTakesNoMoreAndAllComeBackWhenItsFlowsAreIdle() throws Exception {
        int loop = loop("udp");
        int other = forward("echo");
        int[] before = descriptors();
        double refused = refused();
        try (DatagramSocket client = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
            client.send(new DatagramPacket(new byte[1], 1, InetAddress.getLoopbackAddress(), loop));
            assertServedUntil(before, refused, () -> refused() > refused);
        }
        Echo.assertEchoes(other, new byte[1_000]);
    }

    /** The port of a forward that leads to the other node and from there to itself. */
    private int loop(String protocol) {
        String service = "loop-" + protocol;
        register(service, protocol, echo.port());
        register("echo", "tcp", echo.port());
        int loop = forward(service);
        register(service, protocol, loop);
        return loop;
    }

    private void register(String service, String protocol, int port) {
        String body = "{\"service\":\"%s\",\"port\":%d,\"protocol\":\"%s\"}".formatted(service, port, protocol);
        assertThat(two.put("/api/v1/registrations/" + service, body).status()).isLessThan(300);
    }

    private int forward(String service) {
        RealNode.await(service + " is found", () -> !one.providers(service).isEmpty());
        return one.forward(service);
    }

    /** REST answers all the while, and what tunnels hold stays within their users' share and goes back to what it was. */
    private void assertServedUntil(int[] before, double refused, BooleanSupplier over) {
        do {
            for (RealNode node : List.of(one, two)) {
                assertThat(node.get("/api/v1/node").status()).isEqualTo(200);
                assertThat(node.get("/health/live").status()).isEqualTo(200);
            }
            for (int i = 0; i < 2; i++) assertThat(descriptors()[i] - before[i]).isLessThanOrEqualTo(SHARE + OWN);
        } while (!over.getAsBoolean());
        assertThat(refused()).as("what ended it").isGreaterThan(refused);
        RealNode.await(
                "all are given back",
                () -> descriptors()[0] < before[0] + OWN && descriptors()[1] < before[1] + OWN,
                one,
                two);
    }

    private static double refused() {
        String name = "mcc_tunnel_descriptors_refused_total";
        return one.counted(name) + two.counted(name);
    }

    private static int[] descriptors() {
        return new int[] {Figures.descriptors(one.process), Figures.descriptors(two.process)};
    }

    private static boolean isOver(Socket client) {
        try {
            return client.getInputStream().read() < 0;
        } catch (java.net.SocketTimeoutException _) {
            return false;
        } catch (IOException _) {
            return true; // a reset
        }
    }
}
