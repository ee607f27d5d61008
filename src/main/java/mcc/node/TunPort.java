package mcc.node;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import mcc.consortium.Action;
import mcc.consortium.Decision;
import mcc.consortium.DecisionPoint;
import mcc.consortium.Policy;
import mcc.consortium.PolicyEpoch;
import mcc.consortium.Question;
import mcc.consortium.Subject;
import mcc.core.Address;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.dht.Dht;
import mcc.link.Links;
import mcc.link.PacketSink;
import mcc.link.Packets;
import mcc.registry.Registration;
import mcc.registry.Registry;
import mcc.sys.SysError;
import mcc.sys.TunDevice;
import mcc.tun.InnerAddress;
import mcc.tun.Offered;
import mcc.tun.Redirect;
import mcc.tun.Subnet;
import mcc.tun.VirtualInterface;
import mcc.tun.VirtualInterface.Input;
import mcc.tun.VirtualInterface.Output;
import mcc.udp.Failures;
import mcc.udp.PacketLoop;
import mcc.wire.Contact;
import mcc.wire.Provider;
import mcc.wire.Transport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hosts a {@link VirtualInterface} on the packet loop: reads and writes its descriptor, which belongs to somebody else, lets
 * the links seal its packets, looks up addresses, and asks the policy.
 */
final class TunPort implements Packets.Handler, VirtualInterface.Handler {
    private static final Logger LOG = LoggerFactory.getLogger(TunPort.class);
    /** Reads per turn of the loop: as many packets as one UDP super-packet carries. */
    private static final int BATCH = 64;

    /**
     * The interface and its settings, which outlive the session verticle.
     *
     * @param idleNs after this time an unused flow of the interface is forgotten, unless it is TCP
     * @param onGone run when somebody removed the interface
     * @param onLoop called once for each network of {@code tun.routes} that contains a node's UDP address
     */
    record Setup(
            TunDevice device,
            String network,
            InnerAddress address,
            boolean ipv4,
            Id node,
            List<Subnet> subnets,
            long idleNs,
            long seed,
            Runnable onGone,
            BiConsumer<Subnet, Address> onLoop) {
        /** The networks behind this node and behind others, as configured. */
        static List<Subnet> subnets(Settings settings) {
            List<Subnet> out = new ArrayList<>();
            for (String text : settings.list("tun.routes")) {
                Subnet subnet = Subnet.parse(text);
                if (subnet != null) out.add(subnet);
            }
            return out;
        }
    }

    private final Setup setup;
    private final TunDevice device;
    private final Bus bus;
    private final PacketSink sink;
    private final DecisionPoint policy;
    private final Counters counters;
    private final VirtualInterface core;
    private final Failures reading;
    private final Failures writing;
    private final byte[] in = new byte[VirtualInterface.READ_MAX + 1];
    /** The endpoints of this host, as the policy is asked about them. */
    private Map<InnerAddress, Registry.LocalView> hosted = Map.of();

    private Map<SessionVerticle.EndpointPort, Integer> listeners = Map.of();
    private boolean hasListenerAddress;
    private @Nullable Links links;
    private @Nullable PacketLoop loop;
    private @Nullable Runnable turn;

    TunPort(Setup setup, Bus bus, PacketSink sink, Counters counters) {
        this.setup = setup;
        device = setup.device();
        this.bus = bus;
        policy = new DecisionPoint(counters);
        this.counters = counters;
        this.sink = sink;
        reading = new Failures(counters, "tun.read.errors", "reading from the virtual interface");
        writing = new Failures(counters, "tun.write.errors", "writing to the virtual interface");
        VirtualInterface.Config config = new VirtualInterface.Config(
                setup.network(),
                setup.node(),
                setup.address(),
                setup.ipv4(),
                setup.subnets(),
                setup.idleNs(),
                setup.seed(),
                device.offload() != TunDevice.Offload.NONE,
                device.offload() == TunDevice.Offload.ALL);
        core = new VirtualInterface(config, this::untilNs, this::untilNs, this, counters);
    }

    int descriptor() {
        return device.descriptor();
    }

    void attach(PacketLoop loop, Links links, Runnable turn) {
        this.loop = loop;
        this.links = links;
        this.turn = turn;
        links.packets().handler(this);
    }

    /** Gives the interface the address at which the node listens for its endpoints. */
    private void openListenerAddress() {
        hasListenerAddress = true;
        try {
            device.host(Redirect.listenerAddress(setup.network(), setup.node()).bytes());
        } catch (SysError e) {
            counters.add("tun.endpoints.failed");
            LOG.warn("endpoints of this host have no address: {}; {}", e.getMessage(), e.hint());
        }
    }

    /** Takes a new epoch: everything that was admitted before is judged again. */
    void govern(long nowNs, PolicyEpoch epoch) {
        if (!policy.take(epoch)) return;
        core.handle(nowNs, new Input.NewPolicy(epoch.number()));
        drain();
    }

    // ---- endpoints --------------------------------------------------------------------------------------------------

    /** Sets the endpoints of this host. */
    void offer(List<Registry.LocalView> all) {
        Map<InnerAddress, Registry.LocalView> views = new LinkedHashMap<>();
        Map<InnerAddress, List<Offered.PortRange>> ranges = new LinkedHashMap<>();
        for (Registry.LocalView view : all) {
            InnerAddress address = InnerAddress.of(setup.network(), view.endpoint());
            views.put(address, view);
            ranges.put(
                    address,
                    view.registration().ports().ranges().stream()
                            .map(range -> new Offered.PortRange(range.isUdp(), range.first(), range.last()))
                            .toList());
        }
        hosted = views;
        if (!hasListenerAddress && !views.isEmpty()) openListenerAddress();
        core.handle(System.nanoTime(), new Input.Offers(ranges));
        redirect();
        drain();
    }

    /** Sets the ports at which the node listens for them; called repeatedly. */
    void listen(Map<SessionVerticle.EndpointPort, Integer> ports) {
        if (ports.equals(listeners)) return;
        listeners = ports;
        redirect();
        drain();
    }

    private void redirect() {
        Map<Id, InnerAddress> addresses = new LinkedHashMap<>();
        hosted.forEach((address, view) -> addresses.put(view.endpoint(), address));
        List<Redirect.Way> ways = new ArrayList<>();
        listeners.forEach((port, listenerPort) -> {
            InnerAddress address = addresses.get(port.endpoint());
            if (address != null) ways.add(new Redirect.Way(address, port.udp(), port.port(), listenerPort));
        });
        core.handle(System.nanoTime(), new Input.Listening(ways));
    }

    /** Until when a peer may use a port of an endpoint of this host. */
    private long untilNs(long nowNs, Id peer, InnerAddress endpoint, boolean udp, int number) {
        Registry.LocalView view = hosted.get(endpoint);
        if (view == null) return nowNs;
        Registration app = view.registration();
        var service =
                new Question.Thing.Service(app.service().org(), app.service().name());
        var port = new Question.Port(udp ? Question.Port.UDP : Question.Port.TCP, number);
        return untilNs(nowNs, peer, service, port);
    }

    /** Until when a peer may use a port of this host itself. */
    private long untilNs(long nowNs, Id peer, int protocol, int port) {
        Question.Thing here = new Question.Thing.Node(Policy.OPEN, setup.node());
        return untilNs(nowNs, peer, here, new Question.Port(protocol, port));
    }

    private long untilNs(long nowNs, Id peer, Question.Thing thing, Question.Port port) {
        Subject subject = links == null ? null : links.packets().subject(peer);
        if (subject == null) return nowNs;
        long nowMs = System.currentTimeMillis();
        return switch (policy.decide(new Question(subject, Action.USE, thing, port, nowMs))) {
            case Decision.Denied _ -> nowNs;
            case Decision.Allowed a -> nowNs + 1_000_000L * Math.clamp(a.validUntil() - nowMs, 1, 3_600_000);
        };
    }

    // ---- the loop ---------------------------------------------------------------------------------------------------

    /** Reads a batch of the host's packets; the rest comes later. False if the interface is gone. */
    boolean read(long nowNs) {
        for (int i = 0; i < BATCH && sink.ready(); i++) {
            int n = device.read(in, VirtualInterface.READ_MAX);
            if (n <= 0) {
                boolean gone = i == 0 && device.isGone();
                if (n < 0 && device.error() != 0 && !gone) reading.add(device.error());
                return !gone;
            }
            core.fromHost(nowNs, in, n);
        }
        return true;
    }

    /** As {@link VirtualInterface#takesBack}. */
    boolean takesBack(Address to) {
        boolean back = core.takesBack(to);
        if (back) drain();
        return back;
    }

    /** Tells the operator that somebody removed the interface. */
    void tellGone() {
        setup.onGone().run();
    }

    /** A node is known, and thereby its addresses. */
    void learn(Id node) {
        core.handle(System.nanoTime(), new Input.Met(node));
    }

    /** A node's addresses in the interface; none if the interface does not know it. */
    List<String> addresses(Id node) {
        return core.addresses(node).stream().map(InnerAddress::toString).toList();
    }

    /** Ends a turn of the loop: sends what waited, and writes what arrived. */
    void turn(long nowNs) {
        core.turn(nowNs);
        drain();
    }

    /** When the next {@link #turn} is due, even if nothing happens. */
    long deadlineNs() {
        return core.deadlineNs();
    }

    private void drain() {
        for (Output output; (output = core.poll()) != null; ) {
            switch (output) {
                case Output.Resolve r -> resolve(r.target());
                case Output.PolicyEnded e -> Policies.tellEnded(bus, e.epoch(), "tun", e.accesses());
                case Output.Looped l -> setup.onLoop().accept(l.route(), l.at());
            }
        }
    }

    /** Looks up the node or endpoint of an address, in the DHT at the position that follows from the address. */
    private void resolve(InnerAddress target) {
        bus.ask(Bus.DHT, new DhtVerticle.Query.FindNode(target.position())).onSuccess(found -> {
            if (loop != null) loop.execute(() -> found(target, found));
        });
        if (target.isV4()) return; // endpoints have no IPv4 address
        bus.ask(Bus.REGISTRY, new RegistryVerticle.Query.At(target.position())).onSuccess(found -> {
            if (loop != null) loop.execute(() -> found(target, found.providers()));
        });
    }

    /**
     * Connects to the nodes of endpoints whose records are at the address's position; their signatures prove that they are
     * theirs.
     */
    private void found(InnerAddress target, List<Provider> providers) {
        Links links = this.links;
        Runnable turn = this.turn;
        if (links == null || turn == null) return;
        for (Provider provider : providers) {
            if (!InnerAddress.of(setup.network(), provider.endpoint()).equals(target)) continue;
            long nowNs = System.nanoTime();
            core.handle(nowNs, new Input.Found(target, provider.node()));
            links.packets().connect(nowNs, new Contact(provider.node(), provider.addresses(), provider.relays()));
        }
        turn.run();
    }

    private void found(InnerAddress target, Dht.Output.Found found) {
        Links links = this.links;
        Runnable turn = this.turn;
        if (links == null || turn == null) return;
        for (Contact contact : found.closest()) {
            if (contact.node().equals(Id.ZERO)) continue;
            long nowNs = System.nanoTime();
            core.handle(nowNs, new Input.Met(contact.node()));
            if (contact.node().equals(core.node(target))) links.packets().connect(nowNs, contact);
        }
        turn.run();
    }

    // ---- what the core asks for -------------------------------------------------------------------------------------

    @Override
    public boolean canSend(long nowNs, Id node) {
        return links != null && links.packets().canSend(nowNs, node);
    }

    @Override
    public int max(Id node) {
        return links == null ? VirtualInterface.MTU : links.packets().max(node);
    }

    @Override
    public void send(long nowNs, Id node, boolean needsCsum, byte[] b, int offset, int length) {
        byte kind = needsCsum ? Transport.PACKET_NEEDS_CSUM : Transport.PACKET;
        if (links != null) links.packets().send(nowNs, node, kind, b, offset, length, sink);
    }

    @Override
    public void sendParts(long nowNs, Id node, boolean needsCsum, byte[] b, int offset, int length) {
        if (links != null) links.packets().sendParts(nowNs, node, needsCsum, b, offset, length, sink);
    }

    @Override
    public boolean write(byte[] b, int offset, int length) {
        if (device.write(b, offset, length)) return true;
        if (device.error() != 0) writing.add(device.error());
        return false;
    }

    // ---- what the links bring ---------------------------------------------------------------------------------------

    @Override
    public byte[] buffer() {
        return core.buffer();
    }

    @Override
    public int place(Id peer, int max) {
        return core.place(peer, max);
    }

    @Override
    public void opened(long nowNs, Id peer, byte kind, int length, int ecn) {
        core.opened(nowNs, kind == Transport.PACKET_NEEDS_CSUM, length, ecn);
    }
}
