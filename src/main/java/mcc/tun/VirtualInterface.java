package mcc.tun;

import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import mcc.core.Address;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Counters.Counter;
import mcc.core.Id;
import mcc.core.RateLimit;
import org.jspecify.annotations.Nullable;

/**
 * What a virtual interface decides: which node gets which packet of the host, which packets of peers the host may get, which
 * packets wait until a node is found, and what the host is told if it is not.
 *
 * <p>Packets are lent, by {@link #fromHost}, and by {@link #place} with {@link #opened}; {@link #turn} ends a turn of the
 * loop. Rare events come by {@link #handle} and leave by {@link #poll}.
 *
 * <p>Limits: {@link #HOSTED_MAX} endpoints; {@link #REFUSALS_S} refusals per peer and second; those of {@link Routes},
 * {@link Gate}, {@link Offered}, {@link Fragments} and {@link Redirect}.
 */
public final class VirtualInterface implements Core<VirtualInterface.Input, VirtualInterface.Output> {
    /** Such a packet, 29 bytes of ours, 8 of UDP and 40 of IPv6 fit into Ethernet's 1,500 bytes. */
    public static final int MTU = 1_420;
    /** Endpoints of this host that may have an address. */
    public static final int HOSTED_MAX = 1_024;
    /** Refusals of ports that a peer is sent per second, and at once (RFC 4443 section 2.4f). */
    static final int REFUSALS_S = 1_000;

    /** Peers for which refusals are counted. */
    private static final int REFUSED_MAX = 256;

    /** The longest packet or super-packet read from the host, in bytes. */
    public static final int READ_MAX = 65_535 + Vnet.BYTES;

    /**
     * The settings of an interface.
     *
     * @param ipv4 whether this host has an IPv4 address too
     * @param subnets the networks behind this node and behind others
     * @param idleNs after this time an unused flow is forgotten that is not TCP
     * @param seed random, for the tables
     * @param offloads whether the host uses {@link Vnet} headers, and TCP super-packets
     * @param joinsUdp whether it takes UDP super-packets too
     */
    public record Config(
            String network,
            Id node,
            InnerAddress address,
            boolean ipv4,
            List<Subnet> subnets,
            long idleNs,
            long seed,
            boolean offloads,
            boolean joinsUdp) {}

    /** What may happen. */
    public sealed interface Input {
        /** Sets the endpoints of this host. */
        record Offers(Map<InnerAddress, List<Offered.PortRange>> all) implements Input {}

        /** Sets the listeners for them. */
        record Listening(List<Redirect.Way> all) implements Input {}

        /** A node is known, and thereby its addresses. */
        record Met(Id node) implements Input {}

        /** A node has proved that one of its endpoints has this address. */
        record Found(InnerAddress endpoint, Id node) implements Input {}

        /** There is a new policy: everything that was admitted is judged again. */
        record NewPolicy(long epoch) implements Input {}

        /** Time passed. */
        record Tick() implements Input {}
    }

    /** What it asks for. */
    public sealed interface Output {
        /** Look up the node or endpoint of an address. */
        record Resolve(InnerAddress target) implements Output {}

        /** Report that a new policy ended so many accesses of peers to ports and endpoints. */
        record PolicyEnded(long epoch, int accesses) implements Output {}

        /** Report that a configured network contains a node's UDP address; once for each network. */
        record Looped(Subnet route, Address at) implements Output {}
    }

    /** A packet for a peer, sent at the end of the turn, when no packet is being handled. */
    @SuppressWarnings("ArrayRecordComponent") // made here, read once
    private record Told(Id peer, byte[] packet) {}

    /** Seals packets for peers, and writes to the host. */
    public interface Handler {
        /** Whether there is a session to seal packets for this node. */
        boolean canSend(long nowNs, Id node);

        /** The longest packet that the path to a node carries, in bytes. */
        int max(Id node);

        /** Seals a packet. */
        void send(long nowNs, Id node, boolean needsCsum, byte[] b, int offset, int length);

        /** Seals and sends, in two parts, a packet that is longer than {@link #max}. */
        void sendParts(long nowNs, Id node, boolean needsCsum, byte[] b, int offset, int length);

        /** Writes to the host; false if it does not accept the packet. */
        boolean write(byte[] b, int offset, int length);
    }

    private final InnerAddress self;
    private final InnerAddress self4;
    private final boolean ipv4;
    private final int header;
    private final Handler out;
    private final Counters counters;
    private final Routes routes;
    private final Gate gate;
    private final Subnets subnets;
    private final Offered offered;
    private final Redirect redirect;
    private final Map<InnerAddress, List<Offered.PortRange>> hosted = new LinkedHashMap<>();
    private final ArrayDeque<Output> outputs = new ArrayDeque<>();
    private final Segmenter segmenter = new Segmenter();
    private final Segmenter.Sink sending = this::send;
    private final Coalescer.Check admitting = this::admits;
    private final Coalescer coalescer;
    private final Ip ip = new Ip();
    private final ArrayDeque<Told> refusals = new ArrayDeque<>();
    private final RateLimit<Id> refusing = new RateLimit<>(REFUSALS_S, REFUSALS_S, REFUSED_MAX);
    private final Counter refused;
    private final Counter closed;
    private final Counter closedUntold;
    private final Counter tooBig;
    private final Counter malformed;
    private final Counter congested;
    private final Counter full;
    private final Counter unlistened;
    private final Counter looped;
    private final Counter tx;
    private final Counter rx;
    private final Set<Subnet> told = new LinkedHashSet<>();
    /** The destination of the last datagram that does not come back. */
    private @Nullable Address outside;

    private long nowNs;
    private Id to = Id.ZERO;
    /** The destination of the last packet, and the address of the node it went to. */
    private InnerAddress lastTo;

    private InnerAddress lastTarget;
    /** The longest packet that the current path carries. */
    private int max = MTU;

    private boolean toldTooBig;
    /** The peer whose packets are in the coalescer. */
    private Id from = Id.ZERO;

    private Routes.Addresses fromAddresses;
    private int place;

    /**
     * @param ports decides who may reach a port of this host
     * @param endpoints decides who may use an endpoint of it
     */
    public VirtualInterface(Config config, Gate.Judge ports, Offered.Judge endpoints, Handler out, Counters counters) {
        self = config.address();
        self4 = self.v4();
        lastTo = self;
        lastTarget = self;
        ipv4 = config.ipv4();
        header = config.offloads() ? Vnet.BYTES : 0;
        this.out = out;
        this.counters = counters;
        Fragments fragments = new Fragments(counters);
        offered = new Offered(endpoints, fragments, ~config.seed(), counters);
        redirect = new Redirect(config.network(), config.node(), self);
        routes = new Routes(config.network(), self, counters);
        subnets = new Subnets(config.network(), config.subnets());
        gate = new Gate(self, ipv4, ports, config.subnets(), config.idleNs(), fragments, config.seed(), counters);
        fromAddresses = new Routes.Addresses(self, self4, self4);
        coalescer = new Coalescer(config.offloads(), config.joinsUdp(), this::write);
        refused = counters.of("tun.out.refused");
        closed = counters.of("tun.in.refused");
        closedUntold = counters.of("tun.in.refused-untold");
        tooBig = counters.of("tun.out.too-big");
        malformed = counters.of("tun.in.malformed");
        congested = counters.of("tun.in.congested");
        full = counters.of("tun.in.dropped");
        unlistened = counters.of("tun.in.unlistened");
        looped = counters.of("tun.out.looped");
        tx = counters.of("tun.out.packets");
        rx = counters.of("tun.in.packets");
    }

    @Override
    public void handle(long nowNs, Input input) {
        switch (input) {
            case Input.Offers o -> offer(o.all());
            case Input.Listening l -> redirect.ways(l.all());
            case Input.Met m -> routes.learn(m.node());
            case Input.Found f -> routes.learn(f.endpoint(), f.node());
            case Input.NewPolicy p -> {
                int ended = gate.judgeAgain(nowNs) + offered.judgeAgain(nowNs);
                counters.of("policy.ended.tun").add(ended);
                if (ended > 0) outputs.add(new Output.PolicyEnded(p.epoch(), ended));
            }
            case Input.Tick _ -> {}
        }
        turn(nowNs);
    }

    @Override
    public @Nullable Output poll() {
        return outputs.poll();
    }

    @Override
    public long deadlineNs() {
        return routes.deadlineNs();
    }

    private void offer(Map<InnerAddress, List<Offered.PortRange>> all) {
        for (InnerAddress gone : List.copyOf(hosted.keySet())) {
            if (all.containsKey(gone)) continue;
            hosted.remove(gone);
            offered.remove(gone);
        }
        all.forEach((address, ranges) -> {
            if (hosted.size() >= HOSTED_MAX && !hosted.containsKey(address)) counters.add("tun.endpoints.refused");
            else if (!ranges.equals(hosted.put(address, ranges))) offered.add(address, ranges);
        });
    }

    // ---- observers --------------------------------------------------------------------------------------------------

    /** The node of an address, its own or an endpoint's; null if unknown. */
    public @Nullable Id node(InnerAddress address) {
        return routes.node(address);
    }

    /** A node's addresses on this host; none if it is unknown. */
    public List<InnerAddress> addresses(Id node) {
        Routes.Addresses known = routes.of(node);
        if (known == null) return List.of();
        return ipv4 ? List.of(known.v6(), known.v4()) : List.of(known.v6());
    }

    /**
     * Whether a datagram to this address would be routed into the interface and come back as a packet. It must be dropped, as
     * each round would make it longer.
     */
    public boolean takesBack(Address to) {
        if (to.equals(outside)) return false;
        Subnet route = subnets.holding(to.high(), to.low());
        boolean inside = self.isNeighbour(to.high(), to.low()) && (ipv4 || !to.isV4());
        if (route == null && !inside) {
            outside = to;
            return false;
        }
        looped.add();
        if (route != null && told.add(route)) outputs.add(new Output.Looped(route, to));
        return true;
    }

    // ---- from the host ----------------------------------------------------------------------------------------------

    /**
     * Takes a packet or super-packet of the host, after the kernel's header if there are offloads; the array is overwritten.
     */
    public void fromHost(long nowNs, byte[] in, int n) {
        this.nowNs = nowNs;
        Redirect.Verdict way = redirect.leaves(in, header, n - header, isPartial(in, 0));
        if (way == Redirect.Verdict.HOST) {
            coalescer.flush();
            if (!out.write(in, 0, n)) full.add();
            return;
        }
        boolean parsed = ip.parse(in, header, n - header);
        if (way == Redirect.Verdict.NOBODY && parsed && ip.isFrom(self)) {
            byte[] refusal = Refusal.of(ip, in, header, n - header);
            toHost(refusal == null ? Icmp.unreachable(in, header, n - header) : refusal);
        }
        boolean leaves = parsed && way != Redirect.Verdict.NOBODY && (gate.leaves(nowNs, ip, in) || offered.leaves(ip));
        InnerAddress target = leaves ? target() : null;
        if (target == null) {
            refused.add();
            return;
        }
        Id node = routes.node(target);
        boolean open = node != null && out.canSend(nowNs, node);
        if (open && node != null) aim(node);
        boolean whole = header > 0
                ? segmenter.cut(in, 0, n, open ? sending : (c, b, o, l) -> hold(target, c, b, o, l))
                : single(open, target, in, n);
        if (!whole) refused.add();
    }

    private boolean isPartial(byte[] b, int offset) {
        return header > 0 && (b[offset] & Vnet.NEEDS_CSUM) != 0;
    }

    /** The address of the node that the current packet goes to; null if it is not in this network. */
    private @Nullable InnerAddress target() {
        if (ip.isTo(lastTo)) return lastTarget;
        InnerAddress to = ip.to();
        InnerAddress target = to.isNeighbourOf(self) ? to : subnets.next(to);
        if (target == null) return null;
        lastTo = to;
        lastTarget = target;
        return target;
    }

    private void aim(Id node) {
        to = node;
        max = Math.min(MTU, out.max(node));
        toldTooBig = false;
    }

    private boolean single(boolean open, InnerAddress target, byte[] in, int n) {
        if (open) send(false, in, 0, n);
        else hold(target, false, in, 0, n);
        return true;
    }

    private void send(boolean needsCsum, byte[] b, int offset, int length) {
        if (length <= max) {
            tx.add();
            out.send(nowNs, to, needsCsum, b, offset, length);
        } else if (length <= MTU && Icmp.mustPass(b, offset, length)) {
            tx.add();
            out.sendParts(nowNs, to, needsCsum, b, offset, length);
        } else {
            tooBig.add();
            if (!toldTooBig) toHost(Icmp.tooBig(max, b, offset, length));
            toldTooBig = true; // once per super-packet
        }
    }

    private void hold(InnerAddress target, boolean needsCsum, byte[] b, int offset, int length) {
        if (routes.hold(nowNs, target, needsCsum, b, offset, length)) outputs.add(new Output.Resolve(target));
    }

    /** Ends a turn of the loop: sends what waited, and writes what arrived. */
    public void turn(long nowNs) {
        coalescer.flush();
        this.nowNs = nowNs;
        for (Told told; (told = refusals.poll()) != null; ) {
            if (!out.canSend(nowNs, told.peer())) continue;
            aim(told.peer());
            send(false, told.packet(), 0, told.packet().length);
        }
        for (InnerAddress target : routes.waiting()) {
            Id node = routes.node(target);
            if (node != null && out.canSend(nowNs, node)) {
                aim(node);
                for (Routes.Held h : routes.release(target)) send(h.needsCsum(), h.packet(), 0, h.packet().length);
            } else if (routes.isOverdue(nowNs, target)) {
                for (Routes.Held h : routes.release(target)) toHost(Icmp.unreachable(h.packet(), 0, h.packet().length));
            }
        }
    }

    /** Writes a packet of this node itself to the host. */
    private void toHost(byte[] packet) {
        coalescer.flush();
        from = Id.ZERO;
        int at = coalescer.place(packet.length);
        System.arraycopy(packet, 0, coalescer.buffer(), at, packet.length);
        coalescer.add(false, packet.length, (_, _, _, _) -> true);
        coalescer.flush();
    }

    // ---- from peers -------------------------------------------------------------------------------------------------

    /** The array that packets of peers are opened into. */
    public byte[] buffer() {
        return coalescer.buffer();
    }

    /** Where a packet of {@code peer}, of at most {@code max} bytes, must be written; negative if it is too long. */
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

    /**
     * A packet was written there; a negative {@code length} means that it was not authentic.
     *
     * @param ecn the ECN bits of its datagram
     */
    public void opened(long nowNs, boolean needsCsum, int length, int ecn) {
        byte[] b = coalescer.buffer();
        boolean marked = length >= 0 && !Ecn.combine(b, place, length, ecn);
        if (length < 0 || marked) {
            if (marked) congested.add();
            coalescer.refuse();
            return;
        }
        this.nowNs = nowNs;
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
        if (!ip.isFrom(source) || !offered.isFor(ip)) return gate.enters(nowNs, from, source, ip, b);
        return switch (offered.enters(nowNs, from, ip, b)) {
            case ENTERS -> true;
            case DENIED -> false;
            case CLOSED -> {
                refuse(ip, b, offset, length);
                yield false;
            }
        };
    }

    /** An endpoint has no such port: a peer that may use the endpoint is told so, as a host would do. */
    private void refuse(Ip ip, byte[] b, int offset, int length) {
        closed.add();
        byte[] refusal = Refusal.of(ip, b, offset, length);
        if (refusal == null) return;
        if (refusing.take(nowNs, from)) refusals.add(new Told(from, refusal));
        else closedUntold.add();
    }

    private void write(byte[] b, int offset, int length) {
        if (!redirect.enters(b, offset + header, length - header, isPartial(b, offset))) unlistened.add();
        else if (!out.write(b, offset, length)) full.add();
    }
}
