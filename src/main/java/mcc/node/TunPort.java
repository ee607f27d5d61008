package mcc.node;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import mcc.consortium.Action;
import mcc.consortium.Decision;
import mcc.consortium.Policy;
import mcc.consortium.Question;
import mcc.core.Address;
import mcc.core.Counters;
import mcc.core.Counters.Counter;
import mcc.core.Id;
import mcc.dht.Dht;
import mcc.link.Links;
import mcc.link.PacketSink;
import mcc.link.Packets;
import mcc.registry.Registration;
import mcc.registry.Registry;
import mcc.sys.SysError;
import mcc.sys.TunDevice;
import mcc.tun.Coalescer;
import mcc.tun.Ecn;
import mcc.tun.Gate;
import mcc.tun.Icmp;
import mcc.tun.Inet4;
import mcc.tun.InnerAddress;
import mcc.tun.Ip;
import mcc.tun.Offered;
import mcc.tun.Routes;
import mcc.tun.Segmenter;
import mcc.tun.Subnet;
import mcc.tun.Subnets;
import mcc.tun.Vnet;
import mcc.wire.Contact;
import mcc.wire.Provider;
import mcc.wire.Transport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The virtual interface on the packet loop: what the host sends is checked, cut and sealed; what peers send is opened, checked,
 * joined and written. Borrows the descriptor.
 */
final class TunPort implements Packets.Handler {
    /** With 29 bytes of ours, 8 of UDP and 40 of IPv6 it fits the 1,500 of an Ethernet. */
    static final int MTU = 1_420;

    private static final Logger LOG = LoggerFactory.getLogger(TunPort.class);
    /** Endpoints of this host that get an address. */
    private static final int HOSTED_MAX = 1_024;

    /** Reads in a turn of the loop: as many single packets as one super-packet of UDP carries. */
    private static final int BATCH = 64;

    private static final int READ_MAX = 65_535 + Vnet.BYTES;

    /**
     * What an interface is made with, for as many lives as the session verticle has.
     *
     * @param onGone run when somebody took the interface away
     * @param onLoop told of a network of {@code tun.routes} that holds a node's UDP address, once of each
     */
    record Setup(
            TunDevice device,
            String network,
            InnerAddress address,
            boolean ipv4,
            Id node,
            List<Subnet> subnets,
            long seed,
            Runnable onGone,
            BiConsumer<Subnet, Address> onLoop) {
        /** What is behind this node and behind others, as the operator says. */
        static List<Subnet> subnets(Settings settings) {
            List<Subnet> out = new ArrayList<>();
            for (String text : settings.list("tun.routes")) {
                Subnet subnet = Subnet.parse(text);
                if (subnet != null) out.add(subnet);
            }
            return out;
        }
    }

    private final TunDevice device;
    private final Runnable onGone;
    private final BiConsumer<Subnet, Address> onLoop;
    private final InnerAddress self;
    private final InnerAddress self4;
    private final boolean ipv4;
    private final Id node;
    private final Bus bus;
    private final PacketSink sink;
    private final Policy policy;
    private final Counters counters;
    private final String network;
    private final Routes routes;
    private final Gate gate;
    private final Subnets subnets;
    private final Offered offered;
    /** The endpoints of this host that have their address. */
    private final Map<InnerAddress, Registration> hosted = new LinkedHashMap<>();

    private final Segmenter segmenter = new Segmenter();
    private final Segmenter.Sink sending = this::send;
    private final Coalescer.Check admitting = this::admits;
    private final Coalescer coalescer;
    private final Ip ip = new Ip();
    private final byte[] in = new byte[READ_MAX + 1];
    private final Counter refused;
    private final Counter tooBig;
    private final Counter malformed;
    private final Counter congested;
    private final Counter full;
    private final Counter looped;
    private final Set<Subnet> told = new LinkedHashSet<>();
    /** Where a datagram went last that does not come back. */
    private @Nullable Address outside;

    private final Counter tx;
    private final Counter rx;
    private @Nullable Links links;
    private @Nullable PacketLoop loop;
    private @Nullable Runnable turn;

    private long nowNs;
    private Id to = Id.ZERO;
    /** Where the last packet went, and the address of the node that got it. */
    private InnerAddress lastTo;

    private InnerAddress lastTarget;
    /** The longest packet that gets there. */
    private int max = MTU;

    private boolean toldTooBig;
    /** Whose packets the coalescer holds. */
    private Id from = Id.ZERO;

    private Routes.Addresses fromAddresses;
    private int place;

    /** @param policy who may come in */
    TunPort(Setup setup, Bus bus, Policy policy, PacketSink sink, Counters counters) {
        device = setup.device();
        onGone = setup.onGone();
        onLoop = setup.onLoop();
        self = setup.address();
        self4 = self.v4();
        lastTo = self;
        lastTarget = self;
        ipv4 = setup.ipv4();
        this.bus = bus;
        this.policy = policy;
        this.counters = counters;
        this.sink = sink;
        network = setup.network();
        node = setup.node();
        offered = new Offered(this::untilNs, ~setup.seed(), counters);
        routes = new Routes(setup.network(), self, counters);
        subnets = new Subnets(setup.network(), setup.subnets());
        gate = new Gate(self, ipv4, this::untilNs, setup.subnets(), setup.seed(), counters);
        fromAddresses = new Routes.Addresses(self, self4, self4);
        coalescer = new Coalescer(
                device.offload() != TunDevice.Offload.NONE, device.offload() == TunDevice.Offload.ALL, this::write);
        refused = counters.of("tun.out.refused");
        tooBig = counters.of("tun.out.too-big");
        malformed = counters.of("tun.in.malformed");
        congested = counters.of("tun.in.congested");
        full = counters.of("tun.in.dropped");
        looped = counters.of("tun.out.looped");
        tx = counters.of("tun.out.packets");
        rx = counters.of("tun.in.packets");
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

    // ---- endpoints --------------------------------------------------------------------------------------------------

    /** Gives the endpoints of this host their addresses, and takes them from those that are endpoints no longer. */
    void offer(List<Registry.LocalView> all) {
        Map<InnerAddress, Registration> wanted = new LinkedHashMap<>();
        for (Registry.LocalView view : all) {
            if (wanted.size() < HOSTED_MAX) wanted.put(InnerAddress.of(network, view.endpoint()), view.registration());
            else counters.add("tun.endpoints.refused");
        }
        for (InnerAddress gone : List.copyOf(hosted.keySet())) {
            if (wanted.containsKey(gone)) continue;
            hosted.remove(gone);
            offered.remove(gone);
            withoutAddress(() -> device.unhost(gone.bytes()));
        }
        wanted.forEach((address, registration) -> {
            Registration old = hosted.put(address, registration);
            if (registration.equals(old)) return;
            if (old == null) withoutAddress(() -> device.host(address.bytes()));
            else offered.remove(address); // with what was asked of the policy
            offered.add(address, new Offered.Door(registration.isUdp(), registration.port()));
        });
    }

    private interface Change {
        void run() throws SysError;
    }

    /** An endpoint goes on without an address where the kernel has none for it. */
    private void withoutAddress(Change change) {
        try {
            change.run();
        } catch (SysError e) {
            counters.add("tun.endpoints.failed");
            LOG.warn("{}; {}", e.getMessage(), e.hint());
        }
    }

    /** Until when a peer may use an endpoint of this host. */
    private long untilNs(long nowNs, Id peer, InnerAddress endpoint) {
        Registration app = hosted.get(endpoint);
        if (app == null) return nowNs;
        var service =
                new Question.Thing.Service(app.service().org(), app.service().name());
        var port = new Question.Port(app.isUdp() ? Question.Port.UDP : Question.Port.TCP, app.port());
        return untilNs(nowNs, peer, service, port);
    }

    /** Until when a peer may reach a port of this host itself. */
    private long untilNs(long nowNs, Id peer, int protocol, int port) {
        return untilNs(nowNs, peer, new Question.Thing.Node(Policy.OPEN, node), new Question.Port(protocol, port));
    }

    private long untilNs(long nowNs, Id peer, Question.Thing thing, Question.Port port) {
        long nowMs = System.currentTimeMillis();
        Question question = new Question(Question.Subject.open(peer), Action.USE, thing, port, nowMs);
        return switch (policy.decide(question, counters)) {
            case Decision.Denied _ -> nowNs;
            case Decision.Allowed a -> nowNs + 1_000_000L * Math.clamp(a.validUntil() - nowMs, 1, 3_600_000);
        };
    }

    // ---- from the host ----------------------------------------------------------------------------------------------

    /** Takes a batch of what the host sends; what is left comes again. False when the interface is gone. */
    boolean read(long nowNs) {
        for (int i = 0; i < BATCH && sink.ready(); i++) {
            int n = device.read(in, READ_MAX);
            if (n <= 0) return i > 0 || !device.isGone();
            take(nowNs, n);
        }
        return true;
    }

    /**
     * Whether a datagram to this address would come back as a packet of the interface, because the interface is the way there:
     * to be dropped, as each would make a longer one.
     */
    boolean takesBack(Address to) {
        if (to.equals(outside)) return false;
        Subnet route = subnets.holding(to.high(), to.low());
        boolean inside = self.isNeighbour(to.high(), to.low()) && (ipv4 || !to.isV4());
        if (route == null && !inside) {
            outside = to;
            return false;
        }
        looped.add();
        if (route != null && told.add(route)) onLoop.accept(route, to);
        return true;
    }

    /** Tells the operator that somebody took the interface away. */
    void tellGone() {
        onGone.run();
    }

    private void take(long nowNs, int n) {
        int header = device.offload() == TunDevice.Offload.NONE ? 0 : Vnet.BYTES;
        if (!ip.parse(in, header, n - header) || !leaves(nowNs)) {
            refused.add();
            return;
        }
        InnerAddress target = target();
        if (target == null) {
            refused.add();
            return;
        }
        this.nowNs = nowNs;
        Id node = routes.node(target);
        Links links = this.links;
        boolean open = node != null && links != null && links.packets().canSend(nowNs, node);
        if (open && node != null && links != null) aim(links, node);
        boolean whole = header > 0
                ? segmenter.cut(in, 0, n, open ? sending : (c, b, o, l) -> hold(target, c, b, o, l))
                : single(open, target, n);
        if (!whole) refused.add();
    }

    /** The address of the node that the packet at hand goes to; null when it is none of this network's. */
    private @Nullable InnerAddress target() {
        if (ip.isTo(lastTo)) return lastTarget;
        InnerAddress to = ip.to();
        InnerAddress target = to.isNeighbourOf(self) ? to : subnets.next(to);
        if (target == null) return null;
        lastTo = to;
        lastTarget = target;
        return target;
    }

    private boolean leaves(long nowNs) {
        return gate.leaves(nowNs, ip, in) || offered.leaves(ip);
    }

    private void aim(Links links, Id node) {
        to = node;
        max = Math.min(MTU, links.packets().max(node));
        toldTooBig = false;
    }

    private boolean single(boolean open, InnerAddress target, int n) {
        if (open) send(false, in, 0, n);
        else hold(target, false, in, 0, n);
        return true;
    }

    private void send(boolean needsCsum, byte[] b, int offset, int length) {
        Links links = this.links;
        if (length > max && length <= MTU && links != null && Icmp.mustPass(b, offset, length)) {
            tx.add();
            links.packets().sendParts(nowNs, to, needsCsum, b, offset, length, sink);
            return;
        }
        if (length > max) {
            tooBig.add();
            if (!toldTooBig) toHost(Icmp.tooBig(max, b, offset, length));
            toldTooBig = true; // once for all of a super-packet
            return;
        }
        tx.add();
        byte kind = needsCsum ? Transport.PACKET_NEEDS_CSUM : Transport.PACKET;
        if (links != null) links.packets().send(nowNs, to, kind, b, offset, length, sink);
    }

    private void hold(InnerAddress target, boolean needsCsum, byte[] b, int offset, int length) {
        if (routes.hold(nowNs, target, needsCsum, b, offset, length)) resolve(target);
    }

    /** Looks for the node or the endpoint that has an address, next to the position in the DHT that the address tells. */
    private void resolve(InnerAddress target) {
        bus.ask(Bus.DHT, new DhtVerticle.Query.FindNode(target.position())).onSuccess(found -> {
            if (loop != null) loop.execute(() -> found(target, found));
        });
        if (target.isV4()) return; // an endpoint has none
        bus.ask(Bus.REGISTRY, new RegistryVerticle.Query.At(target.position())).onSuccess(found -> {
            if (loop != null) loop.execute(() -> found(target, found.providers()));
        });
    }

    /** An endpoint whose record stands where its address leads, and who proves by the record that it is its. */
    private void found(InnerAddress target, List<Provider> providers) {
        Links links = this.links;
        Runnable turn = this.turn;
        if (links == null || turn == null) return;
        for (Provider provider : providers) {
            if (!InnerAddress.of(network, provider.endpoint()).equals(target)) continue;
            routes.learn(target, provider.node());
            links.packets().connect(System.nanoTime(), new Contact(provider.node(), provider.addresses()));
        }
        turn.run();
    }

    private void found(InnerAddress target, Dht.Output.Found found) {
        Links links = this.links;
        Runnable turn = this.turn;
        if (links == null || turn == null) return;
        for (Contact contact : found.closest()) {
            if (contact.node().equals(Id.ZERO)) continue;
            routes.learn(contact.node());
            if (contact.node().equals(routes.node(target))) links.packets().connect(System.nanoTime(), contact);
        }
        turn.run();
    }

    /** A node is known: so are its addresses. */
    void learn(Id node) {
        routes.learn(node);
    }

    /** The addresses of a node on this host; none while the interface knows nothing of it. */
    List<String> addresses(Id node) {
        Routes.Addresses known = routes.of(node);
        if (known == null) return List.of();
        return ipv4
                ? List.of(known.v6().toString(), known.v4().toString())
                : List.of(known.v6().toString());
    }

    /** Ends a turn of the loop: what waited goes out, what came in is written. */
    void turn(long nowNs) {
        coalescer.flush();
        Links links = this.links;
        if (links == null) return;
        this.nowNs = nowNs;
        for (InnerAddress target : routes.waiting()) {
            Id node = routes.node(target);
            if (node != null && links.packets().canSend(nowNs, node)) {
                aim(links, node);
                for (Routes.Held h : routes.release(target)) send(h.needsCsum(), h.packet(), 0, h.packet().length);
            } else if (routes.isOverdue(nowNs, target)) {
                for (Routes.Held h : routes.release(target)) {
                    toHost(Icmp.unreachable(h.packet(), 0, h.packet().length));
                }
            }
        }
    }

    /** When {@link #turn} is due though nothing happens. */
    long deadlineNs() {
        return routes.deadlineNs();
    }

    /** Writes a packet of this node's own to the host. */
    private void toHost(byte[] packet) {
        coalescer.flush();
        from = Id.ZERO;
        int at = coalescer.place(packet.length);
        System.arraycopy(packet, 0, coalescer.buffer(), at, packet.length);
        coalescer.add(false, packet.length, (_, _, _, _) -> true);
        coalescer.flush();
    }

    // ---- from peers -------------------------------------------------------------------------------------------------

    @Override
    public byte[] buffer() {
        return coalescer.buffer();
    }

    @Override
    public int place(Id peer, int max) {
        if (max > Coalescer.PACKET_MAX) return -1;
        if (!peer.equals(from)) {
            coalescer.flush();
            from = peer;
            fromAddresses = routes.learn(peer);
        }
        place = coalescer.place(max);
        return place;
    }

    @Override
    public void opened(long nowNs, Id peer, byte kind, int length, int ecn) {
        byte[] b = coalescer.buffer();
        boolean marked = length >= 0 && !Ecn.combine(b, place, length, ecn);
        if (length < 0 || marked) {
            if (marked) congested.add();
            coalescer.refuse();
            return;
        }
        this.nowNs = nowNs;
        boolean needsCsum = kind == Transport.PACKET_NEEDS_CSUM;
        if (Inet4.is(b, place, length)) {
            Inet4.translate(b, place, length, fromAddresses.own4(), fromAddresses.v4(), self4, needsCsum);
        }
        Coalescer.Verdict verdict = coalescer.add(needsCsum, length, admitting);
        if (verdict == Coalescer.Verdict.TAKEN) rx.add();
        else if (verdict == Coalescer.Verdict.MALFORMED) malformed.add();
    }

    private boolean admits(Ip ip, byte[] b, int offset, int length) {
        InnerAddress source = ip.isV4() ? fromAddresses.v4() : fromAddresses.v6();
        if (!ip.isV4() && !ip.isFrom(source) && from.equals(routes.node(ip.from()))) source = ip.from(); // its endpoint
        if (ip.isFrom(source) && offered.isFor(ip)) return offered.enters(nowNs, from, ip, b);
        return gate.enters(nowNs, from, source, ip, b);
    }

    private void write(byte[] b, int offset, int length) {
        if (!device.write(b, offset, length)) full.add();
    }
}
