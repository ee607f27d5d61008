package mcc.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.node.SessionVerticle.EndpointPort;
import mcc.node.Status;
import mcc.registry.Health;
import mcc.registry.Registration;
import mcc.registry.Registry;
import mcc.registry.ServiceName;
import mcc.tun.InnerAddress;
import mcc.wire.Ports;
import mcc.wire.Provider.Protocol;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Listeners for endpoints, here at an address of loopback; the test makes each second by hand. */
class HostedTest {
    private static final InnerAddress LOOPBACK = new InnerAddress(0, 0xffff_7f00_0001L);
    /** Makes 25 listeners, a quarter. */
    private static final int DESCRIPTORS = 100;

    private static final int FLOWS = 4;

    @TempDir
    Path folder;

    private final Vertx vertx = Vertx.vertx(new VertxOptions().setPreferNativeTransport(true));
    private final Context context = vertx.getOrCreateContext();
    private final Counters counters = new Counters();
    private Rig rig;
    private Status status;
    private Hosted hosted;
    private volatile Map<EndpointPort, Integer> told = Map.of();

    @BeforeEach
    void begin() {
        rig = new Rig(folder);
        status = rig.node("n").parts().status();
        Sockets sockets = new Sockets(vertx, context, "open", new Descriptors(DESCRIPTORS), 0, () -> null, counters);
        hosted = new Hosted(sockets, status, LOOPBACK, 60_000, FLOWS, new Totals(), ports -> told = ports);
    }

    @AfterEach
    void end() {
        onContext(hosted::close);
        Rig.get(vertx.close());
        rig.close();
    }

    private void onContext(Runnable task) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        context.runOnContext(_ -> {
            task.run();
            done.complete(null);
        });
        done.orTimeout(Rig.PATIENCE_S, TimeUnit.SECONDS).join();
    }

    private void second(Registry.LocalView... registered) {
        onContext(() -> hosted.second(System.nanoTime(), List.of(registered)));
    }

    private static Registry.LocalView service(String name, Protocol protocol, int first, int last) {
        Registration app = new Registration(
                name,
                new ServiceName("open", name),
                "127.0.0.1",
                new Ports(List.of(new Ports.Range(first, last, protocol))),
                100,
                List.of(),
                Map.of(),
                30_000,
                Registration.Check.NONE,
                Registration.Delivery.PLAIN);
        return new Registry.LocalView(app, app.endpoint(Id.ZERO), Health.PASS, "", 0, 0);
    }

    /** The local port that stands for a service's first one; 0 while there is none. */
    private int at(Registry.LocalView view) {
        Ports.Range range = view.registration().ports().ranges().getFirst();
        return told.getOrDefault(new EndpointPort(view.endpoint(), range.isUdp(), range.first()), 0);
    }

    @ParameterizedTest
    @EnumSource(
            value = Protocol.class,
            names = {"TCP", "UDP"})
    void aPortThatTheSystemChoseIsLeftToTheAppThatRegistersIt(Protocol protocol) {
        Registry.LocalView web = service("web", protocol, 80, 80);
        second(web);
        Rig.await("it has a listener", () -> at(web) > 0);
        int chosen = at(web);
        assertThat(isFree(protocol, chosen)).isFalse();
        Registry.LocalView other = service("other", protocol, chosen - 1, chosen + 1);
        Rig.await("both have listeners", () -> {
            second(web, other);
            return at(web) > 0 && at(other) > 0 && at(web) != chosen;
        });
        assertThat(isFree(protocol, chosen)).as("the app can have its port").isTrue();
    }

    private static boolean isFree(Protocol protocol, int port) {
        InetAddress loopback = InetAddress.getLoopbackAddress();
        try (AutoCloseable socket =
                protocol == Protocol.UDP ? new DatagramSocket(port, loopback) : new ServerSocket(port, 1, loopback)) {
            return socket != null;
        } catch (Exception _) {
            return false;
        }
    }

    @Test
    void portsWithoutListenersAreAProblemUntilThereAreFewerPorts() {
        second(service("many", Protocol.TCP, 8_000, 8_000 + DESCRIPTORS / 4));
        assertThat(problems()).contains("26 ports", "only 25");
        second(service("many", Protocol.TCP, 8_001, 8_000 + DESCRIPTORS / 4));
        assertThat(problems()).doesNotContain("endpoint-ports");
    }

    private String problems() {
        return status.problems().encode();
    }

    @Test
    void aCrowdAtOnePortLeavesRoomForTheOthers() throws Exception {
        try (DatagramSocket crowded = socket();
                DatagramSocket quiet = socket();
                DatagramSocket user = socket()) {
            Registry.LocalView busy = service("busy", Protocol.UDP, crowded.getLocalPort(), crowded.getLocalPort());
            Registry.LocalView calm = service("calm", Protocol.UDP, quiet.getLocalPort(), quiet.getLocalPort());
            second(busy, calm);
            Rig.await("both have listeners", () -> at(busy) > 0 && at(calm) > 0);
            for (int i = 0; i < FLOWS; i++) crowd(busy, crowded);
            int flow = through(user, at(calm), quiet);
            for (int i = 0; i < 2 * FLOWS; i++) crowd(busy, crowded);
            assertThat(through(user, at(calm), quiet)).as("its flow goes on").isEqualTo(flow);
        }
        long[] evicted = {0};
        onContext(() -> evicted[0] = counters.value("tunnel.flow.evicted"));
        assertThat(evicted[0]).as("each newcomer took the place of one").isEqualTo(1 + 2 * FLOWS);
    }

    private void crowd(Registry.LocalView service, DatagramSocket app) throws IOException {
        DatagramSocket one = socket();
        rig.add(one); // until the end: another would get its port
        through(one, at(service), app);
    }

    /** Sends a datagram to a listener; returns the port from which the app then gets it, which tells flows apart. */
    private static int through(DatagramSocket user, int port, DatagramSocket app) throws IOException {
        user.send(new DatagramPacket(new byte[1], 1, InetAddress.getLoopbackAddress(), port));
        DatagramPacket got = new DatagramPacket(new byte[10], 10);
        app.receive(got);
        return got.getPort();
    }

    private static DatagramSocket socket() throws IOException {
        DatagramSocket socket = new DatagramSocket(0, InetAddress.getLoopbackAddress());
        socket.setSoTimeout(Rig.PATIENCE_S * 1_000);
        return socket;
    }
}
