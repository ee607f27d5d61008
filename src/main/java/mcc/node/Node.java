package mcc.node;

import io.vertx.core.Deployable;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.ThreadingModel;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import mcc.carrier.Carriers;
import mcc.carrier.Gate;
import mcc.consortium.Policy;
import mcc.consortium.Subject;
import mcc.core.Address;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.crypto.Identity;
import mcc.link.LinkConfig;
import mcc.stream.StreamConfig;
import mcc.sys.SysError;
import mcc.sys.TunDevice;
import mcc.tun.InnerAddress;
import mcc.tun.Subnet;
import mcc.tun.VirtualInterface;
import mcc.udp.PacketLoop;
import mcc.udp.PacketThread;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One running node, wired by hand from top to bottom: data folder, identity, bus, and the verticles in the order in which they
 * need each other; stopped in reverse order.
 */
public final class Node implements AutoCloseable {
    /** What the rooms above need to build their verticles. */
    public record Parts(
            Bus bus, Settings settings, String name, Path data, String adminToken, Status status, Subject self) {
        /** The node's ID. */
        public Id id() {
            return self.node();
        }

        /** Takes the node out of service until its next start; completed when the network knows, or the time is over. */
        public Future<?> drain() {
            status.draining();
            return bus.ask(Bus.REGISTRY, new RegistryVerticle.Query.Drain());
        }
    }

    /** A verticle of a room above. */
    @FunctionalInterface
    public interface Edge {
        Deployable make(Parts parts);
    }

    private static final Logger LOG = LoggerFactory.getLogger(Node.class);
    private static final int LINKS_MAX = 4096;
    private static final long DRAIN_MS = 4_000;
    /** The longest that one part of the start may take: a machine that starts twenty nodes at once is slow, not broken. */
    static final long START_MS = 120_000;

    private static final long SLOW_MS = 10_000;

    private final Vertx vertx;
    private final DataFolder data;
    private final Parts parts;
    private final Supervisor supervisor;
    private final PacketThread packets;
    private final Logging logging;

    private Future<String> starting = Future.succeededFuture("");
    private @Nullable TunDevice device;
    private @Nullable Watchdog watchdog;

    private Node(Vertx vertx, PacketThread packets, DataFolder data, Parts parts, Logging logging) {
        this.logging = logging;
        this.vertx = vertx;
        this.packets = packets;
        this.data = data;
        this.parts = parts;
        supervisor = new Supervisor(vertx, packets, parts.bus(), parts.status());
    }

    /**
     * Starts a node and waits until it is ready. Blocks.
     *
     * @param policy the first epoch: it decides in every room of this node, together with what the settings grant
     * @param edges the verticles of the rooms above, in order
     * @throws Problem for whatever an operator can fix
     */
    public static Node start(Settings settings, Policy policy, List<Edge> edges) {
        Logging logging = Logging.configure(settings);
        try {
            return start(settings, policy, edges, logging);
        } catch (RuntimeException | Error e) {
            logging.close();
            throw e;
        }
    }

    private static Node start(Settings settings, Policy policy, List<Edge> edges, Logging logging) {
        for (String warning : settings.warnings()) LOG.warn("{}", warning);
        List<Address> listen = listen(settings);
        List<DhtVerticle.Bootstrap> bootstrap = settings.list("bootstrap").stream()
                .filter(text -> !Gate.looksLike(text))
                .map(Addresses::bootstrap)
                .toList();
        CarrierVerticle.Setup carriers = CarrierVerticle.Setup.of(settings);
        SecureRandom random = new SecureRandom();
        Path folder = settings.text("data").isBlank() ? DataFolder.byDefault() : Path.of(settings.text("data"));
        DataFolder data = DataFolder.open(folder);
        PacketThread packets = new PacketThread();
        Vertx vertx = null;
        Node node = null;
        try {
            Identity identity = data.identity(() -> seed(random));
            Rng rng = Rng.seeded(seed(random));
            String token = data.adminToken(
                    () -> "mcc_" + Base64.getUrlEncoder().withoutPadding().encodeToString(seed(random)));
            Status status = new Status(settings.text("network"));
            logging.tell(status);
            vertx = Vertx.vertx(new VertxOptions()
                    .setPreferNativeTransport(true)
                    .setEventLoopPoolSize(loops())
                    .setFileSystemOptions(data.unpacking("node")));
            Bus bus = new Bus(vertx);
            bus.answerWithin(START_MS);
            String name = settings.text("name").isBlank() ? hostName() : settings.text("name");
            LOG.warn(
                    "network '{}' is open: anyone may take part, offer services and use them",
                    settings.text("network"));
            Policies.keep(bus, policy, TunGrants.of(settings, identity.id()));
            Parts parts = new Parts(bus, settings, name, folder, token, status, Subject.of(identity.id()));
            node = new Node(vertx, packets, data, parts, logging);
            node.deploy(settings, identity, listen, bootstrap, carriers, rng, edges);
            bus.answerWithin(Bus.ANSWER_MS);
            logging.flush(); // the log of the start is written before the node is called ready
            return node;
        } catch (RuntimeException | Error e) {
            boolean interrupted = Thread.interrupted(); // whoever interrupted the start wants it to end
            if (node != null) node.stopVerticles();
            if (vertx != null) release(vertx);
            packets.close();
            if (node != null) node.closeDevice();
            data.close();
            if (interrupted) Thread.currentThread().interrupt();
            throw e;
        }
    }

    private void deploy(
            Settings settings,
            Identity identity,
            List<Address> listen,
            List<DhtVerticle.Bootstrap> bootstrap,
            CarrierVerticle.Setup carriers,
            Rng rng,
            List<Edge> edges) {
        Bus bus = parts.bus();
        String network = settings.text("network");
        LinkConfig links = new LinkConfig(network, Suites.ofThisMachine(), LINKS_MAX, StreamConfig.defaults());
        DeploymentOptions worker = new DeploymentOptions().setThreadingModel(ThreadingModel.WORKER);
        run("store", () -> new StoreVerticle(bus, parts.data(), parts.status()), worker);
        boolean offload = settings.text("udp.offload").equals("auto");
        Address via = via(settings);
        boolean carriersOnly = carriers.use() == Carriers.Use.ONLY;
        boolean meets = !bootstrap.isEmpty() || !carriers.named().isEmpty();
        TunPort.@Nullable Setup tun = tun(settings, identity.id(), rng.nextLong());
        run(
                "session",
                () -> new SessionVerticle(
                        bus, identity, links, bound(listen), offload, via, carriersOnly, rng.split(), tun),
                new DeploymentOptions());
        run(
                "dht",
                () -> new DhtVerticle(bus, network, identity, bootstrap, meets, rng.split(), parts.status()),
                new DeploymentOptions());
        run("registry", () -> new RegistryVerticle(bus, network, parts.self(), rng.split()), new DeploymentOptions());
        run("nat", () -> new NatVerticle(bus, settings.text("tun.name"), rng.split()), new DeploymentOptions());
        run(
                "relay",
                () -> new RelayVerticle(bus, RelayVerticle.config(settings), identity.id(), rng.split()),
                new DeploymentOptions());
        run("carrier", () -> new CarrierVerticle(bus, carriers, rng.split(), parts.status()), new DeploymentOptions());
        run("punch", () -> new PunchVerticle(bus, identity.id(), rng.split()), new DeploymentOptions());
        if (settings.flag("nat.portMapping") && !carriersOnly) {
            run(
                    "portmap",
                    () -> new PortMapVerticle(bus, settings.text("tun.name"), rng.split(), parts.status()),
                    new DeploymentOptions());
        }
        if (settings.flag("lan.discovery") && !carriersOnly) {
            run(
                    "lan",
                    () -> new LanVerticle(bus, network, settings.text("tun.name"), rng.split()),
                    new DeploymentOptions());
        }
        for (Edge edge : edges) run("edge", () -> edge.make(parts), new DeploymentOptions());
        parts.status().udp(udp());
    }

    /**
     * Opens the virtual interface for the life of the process; if that fails everything else works, and a problem is reported.
     */
    private TunPort.@Nullable Setup tun(Settings settings, Id self, long seed) {
        if (!settings.flag("tun")) return null;
        if (!PacketLoop.canWatch()) {
            return without(
                    "Netty's library for epoll cannot be loaded",
                    "it needs Linux with glibc, and a directory for temporary files where programs may run:"
                            + " MCC_JAVA_OPTS=-Dio.netty.native.workdir=DIR");
        }
        InnerAddress address = InnerAddress.of(settings.text("network"), self);
        try {
            boolean ipv4 = settings.flag("tun.ipv4") && !isSharedSpaceInUse();
            List<TunDevice.Prefix> prefixes = new ArrayList<>();
            prefixes.add(new TunDevice.Prefix(address.bytes(), InnerAddress.PREFIX_BITS));
            if (ipv4) prefixes.add(new TunDevice.Prefix(address.v4().bytes(), InnerAddress.PREFIX4_BITS));
            TunDevice made =
                    TunDevice.open(settings.text("tun.name"), VirtualInterface.MTU, prefixes, offload(settings));
            device = made;
            for (Subnet subnet : TunPort.Setup.subnets(settings)) {
                if (subnet.node() != null)
                    made.route(new TunDevice.Prefix(subnet.base().bytes(), subnet.length()));
            }
            List<String> addresses =
                    ipv4 ? List.of(address.toString(), address.v4().toString()) : List.of(address.toString());
            parts.status().tun(made.name(), VirtualInterface.MTU, addresses);
            LOG.info("interface {} has {}", made.name(), String.join(" and ", addresses));
            return new TunPort.Setup(
                    made,
                    settings.text("network"),
                    address,
                    ipv4,
                    self,
                    TunPort.Setup.subnets(settings),
                    1_000_000_000L * Long.parseLong(settings.text("udp.idle")),
                    seed,
                    () -> tellGone(made.name()),
                    this::tellLoop);
        } catch (SysError e) {
            closeDevice();
            return without(String.valueOf(e.getMessage()), e.hint());
        }
    }

    private TunPort.@Nullable Setup without(String why, String hint) {
        String title = "no virtual interface: " + why;
        LOG.warn("{}; {}", title, hint);
        parts.status().problem("tun-unavailable", "warning", title, hint);
        return null;
    }

    private static TunDevice.Offload offload(Settings settings) {
        return settings.text("tun.offload").equals("off") ? TunDevice.Offload.NONE : TunDevice.Offload.ALL;
    }

    private void tellGone(String name) {
        String title = "the interface " + name + " was removed by somebody else";
        String hint = "restart the node to get it back; everything else works";
        LOG.warn("{}; {}", title, hint);
        parts.status().problem("tun-gone", "warning", title, hint);
    }

    private void tellLoop(Subnet route, Address node) {
        String title =
                "tun.routes has " + route + ", and " + node + " in it is a node's own: datagrams to it are not sent";
        String hint = "leave that address out of tun.routes, or let the node be reached by another address";
        LOG.warn("{}; {}", title, hint);
        parts.status().problem("tun-route-loop", "warning", title, hint);
    }

    /** Whether another interface has an address in 100.64.0.0/10 (RFC 6598); its neighbours would be cut off. */
    private boolean isSharedSpaceInUse() {
        try {
            for (NetworkInterface each : Collections.list(NetworkInterface.getNetworkInterfaces())) {
                for (InetAddress ip : Collections.list(each.getInetAddresses())) {
                    byte[] b = ip.getAddress();
                    if (b.length != 4 || b[0] != 100 || (b[1] & 0xc0) != 64) continue;
                    String title =
                            "the virtual interface has no IPv4: " + each.getName() + " has " + ip.getHostAddress();
                    String hint = "use its IPv6 address, and set tun.ipv4: false";
                    LOG.warn("{}; {}", title, hint);
                    parts.status().problem("tun-ipv4-unavailable", "info", title, hint);
                    return true;
                }
            }
        } catch (SocketException e) {
            LOG.warn("the interfaces of this machine cannot be listed: {}", e.getMessage());
        }
        return false;
    }

    private void run(String name, Supplier<Deployable> make, DeploymentOptions options) {
        Future<String> deployed = supervisor.deploy(name, make, options);
        starting = deployed;
        settle(name, deployed);
    }

    private static <T> T settle(String name, Future<T> part) {
        return settle(name, part, SLOW_MS, START_MS);
    }

    /**
     * Waits for a part of the start.
     *
     * @param slowMs how long that may take before it is logged, and again each time
     * @throws Problem if it took {@code limitMs}
     */
    static <T> T settle(String name, Future<T> part, long slowMs, long limitMs) {
        for (long waitedMs = slowMs; ; waitedMs += slowMs) {
            try {
                return await(part, slowMs);
            } catch (TooSlow _) {
                if (waitedMs >= limitMs) throw tooSlow(name, limitMs);
                LOG.warn("still starting after {} s: {}", waitedMs / 1000, name);
            }
        }
    }

    private static Problem tooSlow(String part, long limitMs) {
        return new Problem(
                "start",
                "the node did not start: its part '" + part + "' was not ready after " + limitMs / 1000 + " s",
                "see the log, and whether the machine's processors and disk are overloaded");
    }

    private List<String> udp() {
        List<Address> listening =
                settle("addresses", parts.bus().ask(Bus.SESSION, new SessionVerticle.Query.Listening()));
        List<String> out = new ArrayList<>();
        for (Address each : listening) out.add(each.toString());
        return out;
    }

    /** The node's parts, for the ready line. */
    public Parts parts() {
        return parts;
    }

    /** To be called once the ready line was printed: begins what may take long, or end the process. */
    public void begin() {
        parts.status().started();
    }

    /**
     * Watches every event loop and the heap from now on, until the node is closed.
     *
     * @param well called every second while all is well
     * @param end called at most once, when the process must end because of something that it cannot repair itself
     */
    public void watch(Runnable well, Consumer<Watchdog.Finding> end) {
        Watchdog made = new Watchdog(packets.loops(vertx), parts.status());
        watchdog = made;
        made.start(well, end);
    }

    /** Withdraws every registration, says goodbye, and stops, within ten seconds. Blocks. */
    @Override
    public void close() {
        if (watchdog != null) watchdog.close();
        step("not everything was withdrawn before the stop", () -> await(parts.drain(), DRAIN_MS));
        stopVerticles();
        release(vertx);
        packets.close();
        closeDevice();
        data.close();
        logging.close();
    }

    /** Stops the running verticles; one that is just starting may finish that, as it does not expect its loop to end. */
    private void stopVerticles() {
        step("a verticle did not start", () -> await(starting.otherwiseEmpty(), 2_000));
        step("not every verticle stopped", () -> await(supervisor.stop(), 4_000));
    }

    private static void release(Vertx vertx) {
        step("not every loop ended", () -> await(vertx.close(), 2_000));
    }

    private static void step(String otherwise, Runnable step) {
        try {
            step.run();
        } catch (RuntimeException e) {
            LOG.warn("{}: {}", otherwise, e.getMessage());
        }
    }

    private void closeDevice() {
        if (device != null) device.close();
        device = null;
    }

    private static List<Address> listen(Settings settings) {
        List<Address> out = new ArrayList<>();
        for (String text : settings.list("listen")) {
            Addresses.HostPort where = Addresses.split("listen", text);
            out.addAll(Addresses.resolve(where.host(), where.port()));
        }
        if (out.isEmpty()) throw new Problem("config", "listen: no address", "write HOST:PORT");
        return out;
    }

    private static @Nullable Address via(Settings settings) {
        String text = settings.text("udp.via");
        if (text.isEmpty()) return null;
        Addresses.HostPort where = Addresses.split("udp.via", text);
        return Addresses.resolve(where.host(), where.port()).getFirst();
    }

    /** The addresses at which peers know this node: with port 0, a free port is chosen at the first start only. */
    private List<Address> bound(List<Address> listen) {
        List<Address> out = new ArrayList<>();
        for (String text : parts.status().udp()) {
            Address address = Address.parse(text);
            if (address != null) out.add(address);
        }
        return out.isEmpty() ? listen : out;
    }

    /** A node has few verticles: more loops would have nothing to do. */
    private static int loops() {
        return Math.clamp(Runtime.getRuntime().availableProcessors(), 2, 8);
    }

    private static byte[] seed(SecureRandom random) {
        byte[] out = new byte[32];
        random.nextBytes(out);
        return out;
    }

    /** The host's name as its kernel knows it; a name server is not asked, as it may be silent. */
    private static String hostName() {
        String kernel = "";
        try {
            kernel = Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
        } catch (IOException _) {
            // HOSTNAME from the environment is all there is
        }
        return Settings.hostName(System.getenv("HOSTNAME"), kernel);
    }

    /** Something did not happen in time. */
    private static final class TooSlow extends RuntimeException {
        TooSlow(long timeoutMs) {
            super("no answer within " + timeoutMs + " ms", null, false, false);
        }
    }

    static <T> T await(Future<T> future, long timeoutMs) {
        try {
            return future.toCompletionStage().toCompletableFuture().get(timeoutMs, TimeUnit.MILLISECONDS);
        } catch (java.util.concurrent.ExecutionException e) {
            if (e.getCause() instanceof RuntimeException r) throw r;
            throw new Problem("start", String.valueOf(e.getCause()), null);
        } catch (java.util.concurrent.TimeoutException _) {
            throw new TooSlow(timeoutMs);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            throw new Problem("start", "interrupted", null);
        }
    }
}
