package mcc.tunnel;

import io.vertx.core.Future;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import mcc.consortium.Policy;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.node.Ask;
import mcc.node.Bus;
import mcc.node.Node;
import mcc.node.Registrations;
import mcc.node.RegistryVerticle;
import mcc.node.Settings;
import mcc.registry.Registration;

/** Real nodes in this process with their tunnels, and their apps and users on loopback. Closing the rig ends all of them. */
final class Rig implements AutoCloseable {
    static final int PATIENCE_S = Integer.getInteger("test.patience", 60);

    private final Path folder;
    private final List<AutoCloseable> open = new ArrayList<>();

    Rig(Path folder) {
        this.folder = folder;
    }

    /** @param options settings besides those that every node of a test has: name, value, name, value… */
    Node node(String name, String... options) {
        return node(name, Policy.open(), List.of(TunnelVerticle::new), options);
    }

    Node node(String name, Policy policy, List<Node.Edge> edges, String... options) {
        Map<String, String> values = new LinkedHashMap<>();
        values.put("data", folder.resolve(name).toString());
        values.put("name", name);
        values.put("listen", "127.0.0.1:0");
        for (int i = 0; i < options.length; i += 2) values.put(options[i], options[i + 1]);
        Node node = Node.start(Settings.load(values, Map.of(), null), policy, edges);
        open.add(node);
        return node;
    }

    /** Something else that ends with the test. */
    void add(AutoCloseable one) {
        open.add(one);
    }

    /** Ends a node before the test does. */
    void stop(Node node) {
        open.remove(node);
        node.close();
    }

    /** @return the option by which another node meets this one */
    static String[] meeting(Node node) {
        return new String[] {"bootstrap", node.parts().status().udp().getFirst()};
    }

    /** An app that does with each connection what the test says, on a thread of its own. */
    ServerSocket app(Consumer<Socket> serve) {
        try {
            ServerSocket server = new ServerSocket(0, 1_024, InetAddress.getLoopbackAddress());
            open.add(server);
            Thread.ofVirtual().start(() -> accept(server, serve));
            return server;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    ServerSocket echo() {
        return app(socket -> {
            try (socket) {
                socket.getInputStream().transferTo(socket.getOutputStream());
            } catch (IOException _) {
                // cut off: what some test is about
            }
        });
    }

    private static void accept(ServerSocket server, Consumer<Socket> serve) {
        while (!server.isClosed()) {
            try {
                Socket socket = server.accept();
                Thread.ofVirtual().start(() -> serve.accept(socket));
            } catch (IOException _) {
                return; // closed at the end of the test
            }
        }
    }

    /** Offers a service; {@code more} are further fields as REST names them. */
    static Id register(Node at, String service, int port, JsonObject more) {
        JsonObject body =
                new JsonObject().put("service", service).put("port", port).mergeIn(more);
        var parsed = (Registration.Parsed.Valid) Registrations.parse(service, body);
        return get(at.parts().bus().ask(Bus.REGISTRY, new RegistryVerticle.Query.Register(parsed.registration())))
                .registration()
                .endpoint();
    }

    static Id register(Node at, String service, int port) {
        return register(at, service, port, new JsonObject());
    }

    static <Q extends TunnelVerticle.Query & Ask<JsonObject>> JsonObject tunnels(Node at, Q query) {
        return get(at.parts().bus().ask(TunnelVerticle.ASK, query));
    }

    /** Opens a forward, once the service is found. */
    static JsonObject forward(Node at, String service, String listen, String protocol) {
        await(service + " is found", () -> {
            return !get(at.parts().bus().ask(Bus.REGISTRY, new RegistryVerticle.Query.Resolve(name(service), 0)))
                    .picks()
                    .isEmpty();
        });
        return tunnels(at, new TunnelVerticle.Query.Open(Target.parse(service, null), 0, listen, protocol, 0));
    }

    private static mcc.registry.ServiceName name(String service) {
        return Target.parse(service, null).name();
    }

    static JsonObject forward(Node at, String service) {
        return forward(at, service, "127.0.0.1:0", null);
    }

    static int port(JsonObject tunnel) {
        String listen = tunnel.getString("listen");
        return Integer.parseInt(listen.substring(listen.lastIndexOf(':') + 1));
    }

    static JsonObject only(Node at) {
        return get(at.parts().bus().ask(TunnelVerticle.ASK, new TunnelVerticle.Query.All()))
                .getJsonObject(0);
    }

    static long counted(Node node, String name) {
        List<Counters.Count> counts =
                get(node.parts().bus().ask(TunnelVerticle.ASK, new TunnelVerticle.Query.Counts()));
        for (Counters.Count each : counts) if (each.name().equals(name)) return each.value();
        return 0;
    }

    /** A port that nobody listened on just now. */
    static int free() {
        try (ServerSocket any = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return any.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Socket connect(int port) throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(PATIENCE_S * 1_000);
        return socket;
    }

    /** The next byte; −1 at the end, or after a reset. */
    static int read(Socket socket) {
        try {
            return socket.getInputStream().read();
        } catch (java.net.SocketTimeoutException e) {
            throw new AssertionError("nothing came, and no end", e);
        } catch (IOException _) {
            return -1;
        }
    }

    static <T> T get(Future<T> future) {
        return future.toCompletionStage()
                .toCompletableFuture()
                .orTimeout(PATIENCE_S, TimeUnit.SECONDS)
                .join();
    }

    /** Waits until something has happened; polls, because it happens on other threads. */
    static void await(String what, BooleanSupplier condition) {
        long end = System.nanoTime() + PATIENCE_S * 1_000_000_000L;
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > end) throw new AssertionError("did not happen: " + what);
            java.util.concurrent.locks.LockSupport.parkNanos(5_000_000);
        }
    }

    @Override
    public void close() {
        for (AutoCloseable each : open.reversed()) {
            try {
                each.close();
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        }
    }
}
