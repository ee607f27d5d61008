package mcc.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import mcc.consortium.Action;
import mcc.consortium.Grant;
import mcc.consortium.Policy;
import mcc.core.Address;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.node.Bus;
import mcc.node.Node;
import mcc.node.NodeEvent;
import mcc.node.RegistryVerticle;
import mcc.node.Resident;
import mcc.node.SessionVerticle;
import mcc.node.Settings;
import mcc.node.StreamPort;
import mcc.registry.Registration;
import mcc.registry.Registry;
import mcc.registry.ServiceName;
import mcc.wire.Contact;
import mcc.wire.Ports;
import mcc.wire.Provider;
import mcc.wire.pb.TunnelOpened;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real nodes in this process: what the provider's policy lets through to an app, and what a peer is told that it denies. */
class AdmissionTest {
    private static final long ENDS = 1_800_000_000_000L;
    private static final Id NOWHERE = new Id(1, 2, 3, 4);
    private static final int PATIENCE_S = 60;

    @TempDir
    Path folder;

    private final List<AutoCloseable> open = new ArrayList<>();
    private final AtomicLong clock = new AtomicLong(ENDS - 1);
    private final Map<Node, Visitor> visitors = new HashMap<>();

    @AfterEach
    void end() throws Exception {
        for (AutoCloseable each : open.reversed()) each.close();
    }

    @Test
    void whoMayNotUseAServiceHearsWhatItWouldHearIfThereWereNone() throws IOException {
        Node provider = node(may(Action.SIGNAL, Action.SEE), "provider");
        Id endpoint = register(provider);
        CompletableFuture<NodeEvent> told = new CompletableFuture<>();
        provider.parts().bus().on(Bus.EVENTS, event -> {
            if (event.type().equals("policy.denied")) told.complete(event);
        });
        Node user = node(Policy.open(), "user");
        assertThat(ask(user, provider, endpoint).bytes())
                .isEqualTo(ask(user, provider, NOWHERE).bytes());
        NodeEvent event = told.orTimeout(PATIENCE_S, TimeUnit.SECONDS).join();
        assertThat(event.data().getString("peer")).isEqualTo(user.parts().id().toString());
        assertThat(event.data().getString("reason")).isEqualTo("other-action");
        assertThat(event.data().getString("ref")).startsWith("D-");
        assertThat(denied(provider)).as("the other was never asked about").isEqualTo(1);
    }

    @Test
    void whoAsksForNothingThatCanBeReadHearsWhatItWouldHearIfThereWereNone() throws IOException {
        Node provider = node(Policy.open(), "provider");
        Node user = node(Policy.open(), "user");
        byte[] nowhere = ask(user, provider, NOWHERE).bytes();
        byte[] tooLong = {(byte) 0xff, 0x7f};
        byte[] threeBytesOfLength = {(byte) 0x80, (byte) 0x80, 1};
        for (byte[] garbled : List.of(tooLong, threeBytesOfLength, new byte[] {1, 0x0b}, new byte[] {2, 0x0a, 5})) {
            assertThat(ask(user, provider, garbled).bytes()).isEqualTo(nowhere);
        }
        byte[] empty = {0};
        byte[] shortId = {3, 0x0a, 1, 7};
        for (byte[] none : List.of(empty, shortId)) {
            assertThat(ask(user, provider, none).bytes()).isEqualTo(nowhere);
        }
    }

    @Test
    void theAppsOwnNodeIsAskedAboutToo() throws IOException {
        Node provider = node(may(Action.SIGNAL, Action.SEE), "provider");
        register(provider);
        var query = new TunnelVerticle.Query.Open(
                new Target.Service(new ServiceName("open", "echo"), null, null), "127.0.0.1:0", null);
        String listen =
                get(provider.parts().bus().ask(TunnelVerticle.ASK, query)).getString("listen");
        try (Socket socket = connect(Integer.parseInt(listen.substring(listen.lastIndexOf(':') + 1)))) {
            assertThat(read(socket)).isEqualTo(-1);
        }
        assertThat(denied(provider)).isEqualTo(1);
    }

    @Test
    void aConnectionEndsWithTheRightThatLetItIn() throws IOException {
        Node provider = node(may(Action.SIGNAL, Action.SEE, Action.USE), "provider");
        Id endpoint = register(provider);
        Node user = node(Policy.open(), "user");
        Conversation talk = ask(user, provider, endpoint);
        assertThat(talk.answer().getCode()).isEqualTo(TunnelOpened.Code.OK);
        talk.run(() -> talk.port.write(new byte[] {42}));
        assertThat(talk.next())
                .as("the echo, under a right looked at again each millisecond")
                .isEqualTo(42);
        clock.set(ENDS);
        assertThat(talk.next()).as("the stream is cut off").isEqualTo(-1);
        assertThat(denied(provider)).isEqualTo(1);
    }

    @Test
    void aFlowIsJudgedByItsOwnProtocolAndEndsWithItsRight() throws IOException {
        Node provider =
                node(may(List.of(new Grant.Ports(17, 1, 65_535)), Action.SIGNAL, Action.SEE, Action.USE), "provider");
        Id tcp = register(provider);
        Id udp = registerUdp(provider);
        Node user = node(Policy.open(), "user");
        byte[] nothing = ask(user, provider, NOWHERE).bytes();
        assertThat(ask(user, provider, tcp).bytes()).as("a right for UDP alone").isEqualTo(nothing);
        assertThat(ask(user, provider, udp).bytes())
                .as("a connection to a service of UDP")
                .isEqualTo(nothing);
        assertThat(ask(user, provider, tcp, true).bytes())
                .as("a flow to a service of TCP")
                .isEqualTo(nothing);
        Conversation talk = ask(user, provider, udp, true);
        assertThat(talk.answer().getCode()).isEqualTo(TunnelOpened.Code.OK);
        talk.run(() -> talk.port.sendDatagram(new byte[] {42}));
        assertThat(talk.next()).as("the echo, in a datagram").isEqualTo(42);
        talk.run(() -> talk.port.write(Capsules.wrap(new byte[] {43})));
        assertThat(talk.next()).as("the echo of what came in the stream").isEqualTo(43);
        clock.set(ENDS);
        assertThat(talk.next()).as("the flow is cut off").isEqualTo(-1);
    }

    @Test
    void onlyAPeerThatMayUseAPortLearnsThatTheServiceLacksIt() throws IOException {
        Node provider = node(Policy.open(), "provider");
        Node user = node(Policy.open(), "user");
        Id udp = registerUdp(provider);
        for (int port : new int[] {0, 9}) {
            Conversation talk = ask(user, provider, udp, false, port);
            assertThat(talk.answer().getCode()).isEqualTo(TunnelOpened.Code.UPSTREAM);
        }
        assertThat(ask(user, provider, udp, true, 1).answer().getDetail()).contains("no such port; it has ", "/udp");
        assertThat(counted(provider, "tunnel.port.refused")).isEqualTo(3);
        Node closed = node(may(Action.SIGNAL, Action.SEE), "closed");
        Id hidden = registerUdp(closed);
        byte[] nothing = ask(user, closed, NOWHERE).bytes();
        assertThat(ask(user, closed, hidden, true, 1).bytes()).isEqualTo(nothing);
        assertThat(ask(user, closed, hidden, true, 0).bytes()).isEqualTo(nothing);
    }

    /** Nodes before version 0.2 name no port, and go by the protocol. */
    @Test
    void whoNamesNoPortGetsTheFirstOfTheProtocol() throws IOException {
        Node provider = node(Policy.open(), "provider");
        Node user = node(Policy.open(), "user");
        registerUdp(provider);
        register(provider);
        Map<String, Integer> ports = new HashMap<>();
        for (Registry.LocalView each :
                get(provider.parts().bus().ask(Bus.REGISTRY, new RegistryVerticle.Query.Registrations()))) {
            ports.put(each.registration().id(), each.registration().port());
        }
        Id both = register(
                provider,
                "both",
                new Ports(List.of(
                        new Ports.Range(ports.get("udp"), ports.get("udp"), Provider.Protocol.UDP),
                        new Ports.Range(ports.get("echo"), ports.get("echo"), Provider.Protocol.TCP))));
        for (int port : new int[] {0, ports.get("echo")}) {
            Conversation talk = ask(user, provider, both, false, port);
            assertThat(talk.answer().getCode()).isEqualTo(TunnelOpened.Code.OK);
            talk.run(() -> talk.port.write(new byte[] {42}));
            assertThat(talk.next()).isEqualTo(42);
        }
        Conversation flow = ask(user, provider, both, true, 0);
        assertThat(flow.answer().getCode()).isEqualTo(TunnelOpened.Code.OK);
        flow.run(() -> flow.port.sendDatagram(new byte[] {43}));
        assertThat(flow.next()).isEqualTo(43);
    }

    @Test
    void whoAsksForNothingShutsNobodyElseOut() throws IOException {
        Node provider = node(Policy.open(), "provider");
        Id endpoint = register(provider);
        Node silent = node(Policy.open(), "silent");
        Node user = node(Policy.open(), "user");
        List<StreamPort> begun = new ArrayList<>();
        assertThat(beginThousand(silent, provider, endpoint, begun)).isTrue();
        List<StreamPort> first = List.copyOf(begun);
        visitors.get(silent).home().runOnContext(_ -> first.forEach(StreamPort::cancel));
        boolean answered = beginThousand(silent, provider, endpoint, begun);
        assertThat(answered).as("those that were broken off count no more").isTrue();
        for (int i = 1; i < 10; i++) answered = beginThousand(silent, provider, endpoint, begun);
        assertThat(ask(user, provider, endpoint).answer().getCode()).isEqualTo(TunnelOpened.Code.OK);
        assertThat(answered).as("to whom they are too many").isFalse();
    }

    @Test
    void aStreamThatNeverAsksIsEnded() throws IOException {
        Node provider = node(Policy.open(), "provider");
        byte[] lengthOfWhatDoesNotFollow = {100};
        assertThat(ask(node(Policy.open(), "user"), provider, lengthOfWhatDoesNotFollow)
                        .next())
                .isEqualTo(-1);
    }

    /**
     * Opens as many streams that ask for nothing as the bus takes at once, and then one that asks. Its answer, or its end,
     * comes when all were taken; returns whether it was answered.
     */
    private boolean beginThousand(Node user, Node provider, Id endpoint, List<StreamPort> begun) {
        for (int i = 1; i < 1_000; i++) {
            StreamPort port = open(user, provider);
            begun.add(port);
            // the length of a message that does not follow
            visitors.get(user).home().runOnContext(_ -> port.write(new byte[] {100}));
        }
        Conversation talk = ask(user, provider, endpoint);
        begun.add(talk.port);
        return talk.next() != -1;
    }

    private Id registerUdp(Node at) throws IOException {
        DatagramSocket echo = new DatagramSocket(0, InetAddress.getLoopbackAddress());
        open.add(echo);
        Thread.ofVirtual().start(() -> {
            DatagramPacket packet = new DatagramPacket(new byte[100], 100);
            while (!echo.isClosed()) {
                try {
                    echo.receive(packet);
                    echo.send(packet);
                } catch (IOException _) {
                    return; // closed at the end of the test
                }
            }
        });
        return register(at, "udp", Provider.Protocol.UDP, echo.getLocalPort());
    }

    // ---- nodes and streams ------------------------------------------------------------------------------------------

    /**
     * A policy that grants these actions to anyone: the use of services until {@link #ENDS} by the test's clock, all else for
     * ever.
     */
    private static Policy may(Action... actions) {
        return may(List.of(), actions);
    }

    /** The same, with the use of services granted on some ports only. */
    private static Policy may(List<Grant.Ports> ports, Action... actions) {
        List<Grant> grants = new ArrayList<>();
        for (Action action : actions) {
            Grant.What what = action == Action.SIGNAL ? new Grant.What.Nodes() : new Grant.What.Services();
            long untilMs = action == Action.USE ? ENDS : Long.MAX_VALUE;
            grants.add(new Grant(
                    Policy.OPEN,
                    what,
                    new Grant.Whom.Anyone(),
                    Set.of(action),
                    action == Action.USE ? ports : List.of(),
                    0,
                    untilMs,
                    0,
                    0));
        }
        return new Policy(grants);
    }

    private Node node(Policy policy, String name) {
        Map<String, String> values =
                Map.of("data", folder.resolve(name).toString(), "name", name, "listen", "127.0.0.1:0");
        Visitor visitor = new Visitor();
        Node node = Node.start(
                Settings.load(values, Map.of(), null),
                policy,
                List.of(
                        parts -> new TunnelVerticle(parts, clock::get, Descriptors.ofProcess(), 10_000, 100),
                        _ -> visitor));
        visitors.put(node, visitor);
        open.add(node);
        return node;
    }

    /** Makes streams on the context on which its packets are handled. */
    private static final class Visitor extends VerticleBase implements Resident {
        Context home() {
            return context;
        }
    }

    private Id register(Node at) throws IOException {
        ServerSocket echo = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        open.add(echo);
        Thread.ofVirtual().start(() -> serve(echo));
        return register(at, "echo", Provider.Protocol.TCP, echo.getLocalPort());
    }

    private static Id register(Node at, String name, Provider.Protocol protocol, int port) {
        return register(at, name, Ports.of(port, protocol));
    }

    private static Id register(Node at, String name, Ports ports) {
        var check = new Registration.Check(Registration.CheckType.NONE, "/", 1_000, 400, 2);
        Registration app = new Registration(
                name,
                new ServiceName("open", name),
                "127.0.0.1",
                ports,
                100,
                List.of(),
                Map.of(),
                30_000,
                check,
                Registration.Delivery.PLAIN);
        return get(at.parts().bus().ask(Bus.REGISTRY, new RegistryVerticle.Query.Register(app)))
                .registration()
                .endpoint();
    }

    private static void serve(ServerSocket echo) {
        while (!echo.isClosed()) {
            try {
                Socket socket = echo.accept();
                Thread.ofVirtual().start(() -> {
                    try (socket) {
                        socket.getInputStream().transferTo(socket.getOutputStream());
                    } catch (IOException _) {
                        // cut off: what the test is about
                    }
                });
            } catch (IOException _) {
                return; // closed at the end of the test
            }
        }
    }

    private Conversation ask(Node user, Node provider, Id endpoint) {
        return ask(user, provider, endpoint, false);
    }

    private Conversation ask(Node user, Node provider, Id endpoint, boolean datagrams) {
        return ask(user, provider, endpoint, datagrams, 0);
    }

    private Conversation ask(Node user, Node provider, Id endpoint, boolean datagrams, int port) {
        return ask(user, provider, Envelope.open(endpoint, datagrams, port));
    }

    private Conversation ask(Node user, Node provider, byte[] first) {
        StreamPort port = open(user, provider);
        Context home = visitors.get(user).home();
        Conversation talk = new Conversation(home, port);
        talk.run(() -> {
            port.brokenHandler(_ -> talk.add(-1));
            port.endHandler(() -> talk.add(-1));
            port.bytesHandler((bytes, length) -> {
                for (int i = 0; i < length; i++) talk.add(bytes[i] & 0xff);
            });
            port.datagramHandler(bytes -> talk.add(bytes[0]));
            port.attach(home);
            port.write(first);
        });
        return talk;
    }

    private static StreamPort open(Node user, Node provider) {
        Contact to = new Contact(
                provider.parts().id(),
                List.of(Address.parse(provider.parts().status().udp().getFirst())));
        return get(user.parts().bus().ask(Bus.SESSION, new SessionVerticle.Query.Open(to)));
    }

    /** What came back on a stream, byte by byte; −1 for its end. */
    private static final class Conversation {
        final StreamPort port;
        private final Context home;
        private final java.util.concurrent.LinkedBlockingQueue<Integer> heard =
                new java.util.concurrent.LinkedBlockingQueue<>();

        Conversation(Context home, StreamPort port) {
            this.home = home;
            this.port = port;
        }

        void run(Runnable task) {
            home.runOnContext(_ -> task.run());
        }

        void add(int b) {
            heard.add(b);
        }

        int next() {
            try {
                Integer next = heard.poll(PATIENCE_S, TimeUnit.SECONDS);
                if (next == null) throw new AssertionError("nothing came");
                return next;
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }

        TunnelOpened answer() {
            Envelope envelope = new Envelope();
            while (!envelope.take(new byte[] {(byte) next()}, 1))
                assertThat(envelope.isMalformed()).isFalse();
            return envelope.answer();
        }

        byte[] bytes() {
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            for (int b; (b = next()) != -1; ) all.write(b);
            return all.toByteArray();
        }
    }

    private static Socket connect(int port) throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(PATIENCE_S * 1_000);
        return socket;
    }

    private static int read(Socket socket) {
        try {
            InputStream in = socket.getInputStream();
            return in.read();
        } catch (java.net.SocketTimeoutException e) {
            throw new UncheckedIOException(e);
        } catch (IOException _) {
            return -1; // reset
        }
    }

    private static long denied(Node node) {
        return counted(node, "policy.denied");
    }

    private static long counted(Node node, String name) {
        List<Counters.Count> counts =
                get(node.parts().bus().ask(TunnelVerticle.ASK, new TunnelVerticle.Query.Counts()));
        for (Counters.Count each : counts) if (each.name().equals(name)) return each.value();
        return 0;
    }

    private static <T> T get(Future<T> future) {
        return future.toCompletionStage()
                .toCompletableFuture()
                .orTimeout(PATIENCE_S, TimeUnit.SECONDS)
                .join();
    }
}
