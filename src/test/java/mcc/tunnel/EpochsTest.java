package mcc.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Future;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import mcc.consortium.Action;
import mcc.consortium.Grant;
import mcc.consortium.Policy;
import mcc.node.Bus;
import mcc.node.Node;
import mcc.node.NodeEvent;
import mcc.node.Policies;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real nodes in this process, one of which gets another policy while connections, flows and measurements are open. */
class EpochsTest {
    @TempDir
    Path folder;

    private Rig rig;
    private final List<AutoCloseable> open = new ArrayList<>();
    private final BlockingQueue<NodeEvent> ended = new LinkedBlockingQueue<>();

    @BeforeEach
    void begin() {
        rig = new Rig(folder);
    }

    @AfterEach
    void end() throws Exception {
        for (AutoCloseable each : open) each.close();
        rig.close();
    }

    private static Grant nodes(Grant.Whom to, Action... actions) {
        return Grant.of(Policy.OPEN, new Grant.What.Nodes(), to, EnumSet.copyOf(List.of(actions)));
    }

    private static Grant service(String name, Grant.Whom to, Action... actions) {
        return Grant.of(Policy.OPEN, new Grant.What.Service(name), to, EnumSet.copyOf(List.of(actions)));
    }

    private static Grant.Whom anyone() {
        return new Grant.Whom.Anyone();
    }

    private static Grant.Whom only(Node node) {
        return new Grant.Whom.Node(node.parts().id());
    }

    private long replace(Node at, Grant... grants) {
        return replace(at, new Policy(List.of(grants)));
    }

    private long replace(Node at, Policy policy) {
        at.parts().bus().on(Bus.EVENTS, event -> {
            if (event.type().equals("policy.ended")) ended.add(event);
        });
        return Rig.get(at.parts().bus().ask(Bus.POLICY, new Policies.Query.Replace(policy)))
                .number();
    }

    private JsonObject told(String what) throws InterruptedException {
        for (NodeEvent event; (event = ended.poll(Rig.PATIENCE_S, TimeUnit.SECONDS)) != null; ) {
            if (event.data().getString("what").equals(what)) return event.data();
        }
        throw new AssertionError("nobody told of ended " + what);
    }

    /** A connection through a forward; its first byte has come back. */
    private Socket talk(Node user, String service) throws IOException {
        Socket socket = Rig.connect(Rig.port(Rig.forward(user, service)));
        open.add(socket);
        assertThat(echo(socket)).isTrue();
        return socket;
    }

    private static boolean echo(Socket socket) {
        try {
            socket.getOutputStream().write(42);
        } catch (IOException _) {
            return false;
        }
        return Rig.read(socket) == 42;
    }

    /** A program with a flow through a UDP forward; its first datagram has come back. */
    private DatagramSocket flow(Node user, String service) throws IOException {
        DatagramSocket socket = new DatagramSocket(0, InetAddress.getLoopbackAddress());
        open.add(socket);
        socket.connect(new InetSocketAddress(
                InetAddress.getLoopbackAddress(), Rig.port(Rig.forward(user, service, "127.0.0.1:0", "udp"))));
        socket.setSoTimeout(500);
        Rig.await("the flow is open", () -> answers(socket));
        return socket;
    }

    private static boolean answers(DatagramSocket socket) {
        byte[] bytes = {7};
        try {
            socket.send(new DatagramPacket(bytes, 1));
            socket.receive(new DatagramPacket(new byte[9], 9));
            return true;
        } catch (SocketTimeoutException _) {
            return false; // lost, as UDP may be, or not let in
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private void registerUdp(Node at, String service) throws IOException {
        DatagramSocket app = new DatagramSocket(0, InetAddress.getLoopbackAddress());
        open.add(app);
        Thread.ofVirtual().start(() -> {
            DatagramPacket packet = new DatagramPacket(new byte[100], 100);
            while (!app.isClosed()) {
                try {
                    app.receive(packet);
                    app.send(packet);
                } catch (IOException _) {
                    return; // closed at the end of the test
                }
            }
        });
        Rig.register(at, service, app.getLocalPort(), new JsonObject().put("protocol", "udp"));
    }

    @Test
    void aProviderCutsOffWhomANewPolicyDeniesAndNobodyElse() throws Exception {
        Node provider = rig.node("provider");
        Node alice = rig.node("alice", Rig.meeting(provider));
        Node bob = rig.node("bob", Rig.meeting(provider));
        Rig.register(provider, "echo", rig.echo().getLocalPort());
        registerUdp(provider, "udp");
        Socket hers = talk(alice, "echo");
        Socket his = talk(bob, "echo");
        DatagramSocket herFlow = flow(alice, "udp");
        DatagramSocket hisFlow = flow(bob, "udp");

        long epoch = replace(
                provider,
                nodes(anyone(), Action.SIGNAL, Action.STORE),
                service("echo", only(alice), Action.SEE, Action.USE),
                service("udp", only(alice), Action.SEE, Action.USE));
        assertThat(Rig.read(his)).as("it was cut off").isEqualTo(-1);
        assertThat(told("served"))
                .isEqualTo(new JsonObject()
                        .put("epoch", epoch)
                        .put("what", "served")
                        .put("count", 2));
        assertThat(echo(hers)).isTrue();
        assertThat(answers(herFlow)).isTrue();
        assertThat(answers(hisFlow)).isFalse();
        Socket again = Rig.connect(Rig.port(Rig.only(bob)));
        open.add(again);
        assertThat(Rig.read(again)).isEqualTo(-1);
        assertThat(Rig.counted(provider, "policy.ended.served")).isEqualTo(2);

        replace(provider, new Policy(List.of(nodes(new Grant.Whom.Node(null), Action.SIGNAL))));
        assertThat(Rig.read(hers)).as("a policy that fails denies").isEqualTo(-1);
        replace(provider, Policy.open());
        Rig.await("both are let in again", () -> reaches(bob) && reaches(alice));
    }

    private static boolean reaches(Node user) {
        try (Socket socket = Rig.connect(Rig.port(Rig.only(user)))) {
            return echo(socket);
        } catch (IOException _) {
            return false; // asked again
        }
    }

    @Test
    void whatItsUsersMaySeeNoLongerEndsAtTheirNodeToo() throws Exception {
        Node provider = rig.node("provider");
        Node user = rig.node("user", Rig.meeting(provider));
        Rig.register(provider, "echo", rig.echo().getLocalPort());
        Rig.register(provider, "other", rig.echo().getLocalPort());
        Rig.register(user, "own", rig.echo().getLocalPort());
        registerUdp(provider, "udp");
        registerUdp(user, "own-udp");
        Socket lost = talk(user, "echo");
        Socket kept = talk(user, "other");
        Socket own = talk(user, "own");
        DatagramSocket flow = flow(user, "udp");
        DatagramSocket ownFlow = flow(user, "own-udp");

        replace(
                user,
                nodes(anyone(), Action.SIGNAL, Action.STORE),
                service("other", anyone(), Action.SEE, Action.USE),
                service("own", anyone(), Action.SEE));
        assertThat(Rig.read(lost)).isEqualTo(-1);
        assertThat(Rig.read(own)).as("its own node may not use it").isEqualTo(-1);
        assertThat(told("used").getInteger("count")).isEqualTo(4);
        assertThat(echo(kept)).isTrue();
        assertThat(answers(flow)).isFalse();
        assertThat(answers(ownFlow)).isFalse();
        assertThat(Rig.counted(provider, "policy.ended.served")).isZero();

        replace(user, service("other", anyone(), Action.SEE, Action.USE));
        assertThat(told("links").getInteger("count")).isPositive();
        assertThat(Rig.read(kept)).as("whoever answers is judged too").isEqualTo(-1);
    }

    @Test
    void aMeasurementEndsWithTheRightToIt() throws Exception {
        Node there = rig.node("there");
        MeasuredTest.Stranger stranger = new MeasuredTest.Stranger();
        Node here = rig.node("here", Policy.open(), List.of(_ -> stranger));
        MeasuredTest.Stranger favoured = new MeasuredTest.Stranger();
        Node other = rig.node("other", Policy.open(), List.of(_ -> favoured));
        stranger.measure(here, there);
        favoured.measure(other, there);
        replace(there, nodes(anyone(), Action.SIGNAL), nodes(only(other), Action.MEASURE));
        assertThat(told("measurements").getInteger("count")).isEqualTo(1);
        assertThat(Rig.counted(there, "tunnel.measure.cut")).isEqualTo(1);
    }

    @Test
    void aPolicyThatIsTooLargeIsRefusedAndTheOneInForceStays() {
        Node node = rig.node("node", "tun.inbound", "tcp:22");
        List<Grant> many = new ArrayList<>();
        for (int i = 0; i < Policy.GRANTS_MAX; i++) many.add(service("s" + i, anyone(), Action.SEE));
        var asked = node.parts().bus().ask(Bus.POLICY, new Policies.Query.Replace(new Policy(many)));
        assertThat(asked.transform(done -> Future.succeededFuture(done.failed()))
                        .toCompletionStage()
                        .toCompletableFuture()
                        .join())
                .isTrue();
        assertThat(Rig.get(node.parts().bus().ask(Bus.POLICY, new Policies.Query.InForce()))
                        .number())
                .isEqualTo(1);
    }
}
