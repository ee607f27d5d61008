package mcc.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import mcc.api.ApiVerticle;
import mcc.consortium.Action;
import mcc.consortium.Grant;
import mcc.consortium.Policy;
import mcc.consortium.PolicyEpoch;
import mcc.consortium.Subject;
import mcc.core.Address;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.dht.Dht;
import mcc.link.LinkInput;
import mcc.nat.NatReport;
import mcc.registry.Offer;
import mcc.registry.Registration;
import mcc.registry.Registry;
import mcc.registry.ServiceName;
import mcc.tunnel.Target;
import mcc.tunnel.TunnelVerticle;
import mcc.wire.Message;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two nodes in this process, of which one loses a verticle after the other: what others told it is told again. */
class NodeTest {
    private static final long PATIENCE_NS = 60_000_000_000L;

    @TempDir
    Path folder;

    private final BlockingQueue<NodeEvent> events = new LinkedBlockingQueue<>();
    private Node one;
    private Node two;
    private ServerSocket app;
    private int round;

    @BeforeEach
    void start() throws IOException {
        app = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Thread.ofVirtual().start(this::serve);
        one = start("1", "");
        two = start("2", one.parts().status().udp().getFirst());
        two.parts().bus().on(Bus.EVENTS, events::add);
    }

    private Node start(String name, String bootstrap) {
        Map<String, String> values = Map.of(
                "data",
                folder.resolve(name).toString(),
                "listen",
                "127.0.0.1:0",
                "http",
                "127.0.0.1:0",
                "bootstrap",
                bootstrap);
        Settings settings = Settings.load(values, Map.of(), null);
        return Node.start(settings, Policy.open(), List.of(TunnelVerticle::new, ApiVerticle::new));
    }

    /** Says one byte to whoever connects. */
    private void serve() {
        while (!app.isClosed()) {
            try (Socket socket = app.accept()) {
                socket.getOutputStream().write('x');
            } catch (IOException _) {
                // closed, or a client that left
            }
        }
    }

    @AfterEach
    void stop() throws IOException {
        if (two != null) two.close();
        if (one != null) one.close();
        app.close();
    }

    private static <A, Q extends RegistryVerticle.Query & Ask<A>> A ask(Node node, Q query) {
        return Node.await(node.parts().bus().ask(Bus.REGISTRY, query), 20_000);
    }

    private void register(Node node, String id) {
        register(node, id, app.getLocalPort());
    }

    private static void register(Node node, String id, int port) {
        JsonObject body = new JsonObject().put("service", id).put("port", port);
        var valid = (Registration.Parsed.Valid) Registrations.parse(id, body);
        ask(node, new RegistryVerticle.Query.Register(valid.registration()));
    }

    private static boolean finds(Node node, String service, Node provider) {
        var query = new RegistryVerticle.Query.Resolve(new ServiceName("open", service), 0);
        return ask(node, query).picks().stream()
                .anyMatch(o -> o.contact().node().equals(provider.parts().id())
                        && !o.contact().addresses().isEmpty());
    }

    private static int forward(Node node, String service) {
        return forward(node, new Target.Service(new ServiceName("open", service), null, null));
    }

    private static int forward(Node node, Target target) {
        var open = new TunnelVerticle.Query.Open(target, "127.0.0.1:0", null);
        JsonObject made = Node.await(node.parts().bus().ask(TunnelVerticle.ASK, open), 20_000);
        String listen = made.getString("listen");
        return Integer.parseInt(listen.substring(listen.lastIndexOf(':') + 1));
    }

    private static boolean connects(int port) {
        try (Socket socket = new Socket("127.0.0.1", port)) {
            socket.setSoTimeout(15_000);
            return socket.getInputStream().read() == 'x';
        } catch (IOException _) {
            return false; // asked again
        }
    }

    private static void await(String what, BooleanSupplier condition) {
        long end = System.nanoTime() + PATIENCE_NS;
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > end) throw new AssertionError("did not happen: " + what);
            LockSupport.parkNanos(20_000_000);
        }
    }

    private void awaitEvent(String type, String key, String value) throws InterruptedException {
        long end = System.nanoTime() + PATIENCE_NS;
        List<NodeEvent> seen = new ArrayList<>();
        while (System.nanoTime() < end) {
            NodeEvent event = events.poll(1, TimeUnit.SECONDS);
            if (event == null) continue;
            seen.add(event);
            if (event.type().equals(type) && value.equals(event.data().getString(key))) return;
        }
        throw new AssertionError("no " + type + " of " + value + " among " + seen);
    }

    private int publications() {
        return Node.await(two.parts().bus().ask(Bus.DHT, new DhtVerticle.Query.Status()), 20_000)
                .publications();
    }

    private List<Registry.LocalView> registrations() {
        return ask(two, new RegistryVerticle.Query.Registrations());
    }

    @Test
    void whateverVerticleIsKilledAllGoesOnAsBefore() throws InterruptedException {
        register(two, "theirs");
        register(one, "ours");
        await("each finds the other", () -> finds(one, "theirs", two) && finds(two, "ours", one));
        int there = forward(one, "theirs");
        int here = forward(two, "ours");
        ServiceWatches watches = new ServiceWatches(two.parts().bus(), "test");
        Node.await(watches.watch(new ServiceName("open", "late")), 20_000);
        List<String> udp = two.parts().status().udp();
        String http = two.parts().status().http();
        Bus bus = two.parts().bus();

        survives("nat", () -> nonsense(bus, Bus.NAT_CORE), there, here);
        survives("registry", () -> nonsense(bus, Bus.REGISTRY_CORE), there, here);
        survives("dht", () -> nonsense(bus, Bus.DHT_CORE), there, here);
        survives("session", () -> bus.send(Bus.LINKS, new LinkInput.Ask(null, 0, null)), there, here);
        survives("edge", () -> bus.send(Bus.INCOMING, null), there, here); // the tunnels
        nonsense(bus, Bus.EVENTS);
        goesOn("REST, which costs who asked and nobody else", there, here);
        assertThat(two.parts().status().udp()).as("the ports that others know").isEqualTo(udp);
        assertThat(two.parts().status().http()).isEqualTo(http);
    }

    /** What no reader there takes. */
    @SuppressWarnings("unchecked")
    private static void nonsense(Bus bus, Bus.Address<?> address) {
        bus.publish((Bus.Address<Object>) address, "nonsense");
    }

    private void survives(String verticle, Runnable blow, int there, int here) throws InterruptedException {
        events.clear();
        blow.run();
        awaitEvent("verticle.failed", "verticle", verticle);
        awaitEvent("verticle.restarted", "verticle", verticle);
        goesOn(verticle, there, here);
    }

    private void goesOn(String verticle, int there, int here) throws InterruptedException {
        String name = "new" + round++;
        register(two, name);
        int records = 2 * registrations().size();
        await(verticle + ": its publications are in the DHT", () -> publications() == records);
        await(verticle + ": and held there", () -> registrations().stream().allMatch(r -> r.replicas() > 0));
        await(verticle + ": what it offers is found", () -> finds(one, name, two) && finds(one, "theirs", two));
        await(verticle + ": and reached", () -> connects(there));
        await(verticle + ": it finds others", () -> finds(two, "ours", one));
        await(verticle + ": and reaches them", () -> connects(here));
        events.clear();
        register(one, "late");
        awaitEvent("service.joined", "service", "open/late");
        ask(one, new RegistryVerticle.Query.Deregister("late"));
        awaitEvent("service.left", "service", "open/late");
    }

    private void restarts(String verticle, Runnable blow) throws InterruptedException {
        events.clear();
        blow.run();
        awaitEvent("verticle.failed", "verticle", verticle);
        awaitEvent("verticle.restarted", "verticle", verticle);
        two.parts().bus().publish(Bus.EPOCHS, PolicyEpoch.open()); // late
    }

    private static long count(List<Counters.Count> counts, String name) {
        return counts.stream()
                .filter(c -> c.name().equals(name))
                .mapToLong(Counters.Count::value)
                .sum();
    }

    private <A extends Ask<List<Counters.Count>>> long denied(Bus.Address<? super A> at, A counts) {
        return count(Node.await(two.parts().bus().ask(at, counts), 20_000), "policy.denied");
    }

    private static Grant nodes(Grant.Whom to, Action... actions) {
        return Grant.of(Policy.OPEN, new Grant.What.Nodes(), to, EnumSet.copyOf(List.of(actions)));
    }

    @Test
    void whateverVerticleIsKilledJudgesByTheNewestPolicy() throws InterruptedException {
        register(two, "theirs");
        await("it is found", () -> finds(one, "theirs", two));
        int there = forward(one, "theirs");
        assertThat(connects(there)).isTrue();
        Bus bus = two.parts().bus();
        for (Policy each : List.of(new Policy(List.of()), Policy.open()))
            bus.ask(Bus.POLICY, new Policies.Query.Replace(each));
        Policy last = new Policy(List.of(nodes(new Grant.Whom.Anyone(), Action.SIGNAL)));
        PolicyEpoch inForce = Node.await(bus.ask(Bus.POLICY, new Policies.Query.Replace(last)), 20_000);
        assertThat(inForce.number()).isEqualTo(4);

        restarts("registry", () -> nonsense(bus, Bus.REGISTRY_CORE));
        assertThat(finds(two, "theirs", two)).isFalse();
        assertThat(denied(Bus.REGISTRY, new RegistryVerticle.Query.Counts())).isPositive();

        restarts("dht", () -> nonsense(bus, Bus.DHT_CORE));
        var beat = new Message.Beat(Id.ZERO, Id.ZERO, 1);
        Address somewhere = Address.v4(0x7f000001, 9);
        bus.send(Bus.DHT_CORE, new Dht.Input.Asked(Subject.of(one.parts().id()), somewhere, 1, beat));
        await("who may not store is denied", () -> denied(Bus.DHT, new DhtVerticle.Query.Counts()) > 0);

        restarts("edge", () -> bus.send(Bus.INCOMING, null));
        await("the path is up again, and the provider denies the connection", () -> {
            assertThat(connects(there)).isFalse();
            return denied(TunnelVerticle.ASK, new TunnelVerticle.Query.Counts()) > 0;
        });

        Node.await(bus.ask(Bus.POLICY, new Policies.Query.Replace(new Policy(List.of()))), 20_000);
        restarts("session", () -> bus.send(Bus.LINKS, new LinkInput.Ask(null, 0, null)));
        await("who dials it is denied", () -> {
            assertThat(connects(there)).isFalse();
            return denied(Bus.SESSION, new SessionVerticle.Query.Counts()) > 0;
        });
        assertThat(Node.await(bus.ask(Bus.SESSION, new SessionVerticle.Query.Peers()), 20_000))
                .noneMatch(mcc.link.Peer::established);
    }

    private static Offer offer(Node at, String service, Node provider) {
        var query = new RegistryVerticle.Query.Resolve(new ServiceName("open", service), 0);
        for (Offer offer : ask(at, query).items()) {
            if (offer.contact().node().equals(provider.parts().id())) return offer;
        }
        throw new AssertionError("it is not offered");
    }

    /** Both offer one service; all connections go to one of them, which stay open. */
    @Test
    void ofTwoProvidersTheIdleOneIsPreferredAndTheirDistanceIsKnown() throws IOException {
        String id = two.parts().id().toString();
        ServerSocket keeps = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        List<Socket> sockets = new ArrayList<>();
        try (keeps) {
            register(one, "web", keeps.getLocalPort());
            register(two, "web", keeps.getLocalPort());
            await("both are found", () -> finds(one, "web", one) && finds(one, "web", two));
            int port = forward(one, new Target.Service(new ServiceName("open", "web"), id, null));
            for (int i = 0; i < 30; i++) sockets.add(new Socket("127.0.0.1", port));
            for (int i = 0; i < 30; i++) sockets.add(keeps.accept());
            await("its load is told", () -> offer(one, "web", two).provider().loadPermille() > 600);
            Offer busy = offer(one, "web", two);
            Offer idle = offer(one, "web", one);
            assertThat(idle.provider().loadPermille()).isZero();
            assertThat(busy.score().share() * 2).isLessThan(idle.score().share());
            await("how far it is", () -> offer(one, "web", two).distance() != null);
            JsonObject shown = Registrations.offer(offer(one, "web", two), "open");
            assertThat(shown.getDouble("rttMs")).isPositive();
            assertThat(Registrations.offer(idle, "open").getValue("rttMs")).isNull();
            for (Socket socket : sockets) socket.close();
            await("it is idle again", () -> offer(one, "web", two).provider().loadPermille() == 0);
        }
    }

    @Test
    void aQuestionThatFailsIsAnsweredAndRestartsNothing() {
        List<String> failed = new ArrayList<>();
        two.parts().bus().on(Bus.EVENTS, event -> failed.add(event.type()));
        Bus bus = two.parts().bus();
        refused(() -> Node.await(bus.<Map<String, String>, StoreVerticle.Query.All>ask(Bus.STORE, null), 20_000));
        refused(() -> Node.await(bus.<Dht.Status, DhtVerticle.Query.Status>ask(Bus.DHT, null), 20_000));
        refused(() -> Node.await(bus.<StreamPort, SessionVerticle.Query.Open>ask(Bus.SESSION, null), 20_000));
        refused(() -> Node.await(
                bus.<Registry.Output.Located, RegistryVerticle.Query.Locate>ask(Bus.REGISTRY, null), 20_000));
        refused(() -> Node.await(bus.<NatReport, NatVerticle.Query.Report>ask(Bus.NAT, null), 20_000));
        refused(() -> Node.await(bus.<String, TunnelVerticle.Query.Measure>ask(TunnelVerticle.ASK, null), 20_000));
        register(two, "theirs");
        assertThat(failed).doesNotContain("verticle.failed");
    }

    private static void refused(Runnable question) {
        try {
            question.run();
        } catch (Problem p) {
            assertThat(p.hint()).contains("log");
            return;
        }
        throw new AssertionError("it was answered");
    }

    @Test
    void whoWaitsForACoreThatBreaksIsTold() {
        refused(() ->
                Node.await(two.parts().bus().ask(Bus.REGISTRY, new RegistryVerticle.Query.Resolve(null, 0)), 20_000));
        await("it is started again", () -> {
            try {
                register(two, "theirs");
                return true;
            } catch (Problem p) {
                return false;
            }
        });
    }
}
