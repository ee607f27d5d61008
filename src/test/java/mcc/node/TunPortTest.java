package mcc.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Vertx;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import mcc.Garbage;
import mcc.consortium.Action;
import mcc.consortium.Grant;
import mcc.consortium.Policy;
import mcc.consortium.PolicyEpoch;
import mcc.core.Address;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.crypto.Aead;
import mcc.crypto.Identity;
import mcc.link.LinkConfig;
import mcc.link.LinkInput;
import mcc.link.Links;
import mcc.link.PacketSink;
import mcc.registry.Health;
import mcc.registry.Registration;
import mcc.registry.Registry;
import mcc.registry.ServiceName;
import mcc.stream.StreamConfig;
import mcc.sys.MemoryTun;
import mcc.sys.TunDevice;
import mcc.tun.InnerAddress;
import mcc.tun.PacketsOf;
import mcc.tun.Subnet;
import mcc.udp.PacketLoop;
import mcc.udp.PacketThread;
import mcc.wire.Contact;
import mcc.wire.Message;
import mcc.wire.Provider;
import mcc.wire.Transport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Two nodes' interfaces on arrays instead of a kernel, with all that is between them but the sockets. */
class TunPortTest {
    private static final Id ELSE = Id.random(Rng.seeded(9));
    private static final int TCP = 6;
    private static final int UDP = 17;
    private static final int PACKETS = 10_000;
    private static final int PAYLOAD = 1_000;
    /**
     * What sealing and opening a packet of that length leave with the JDK's cipher and nothing else: 1,832 to 2,080 bytes, by
     * how it was compiled; and a few for each turn of the loop.
     */
    private static final long CIPHER_BYTES = 2_100;

    private final Vertx vertx = Vertx.vertx();
    private final PacketThread thread = new PacketThread();
    private final PacketLoop loop = new PacketLoop(thread.context(vertx.getOrCreateContext()));
    private final Bus bus = new Bus(vertx);
    private final Rng rng = Rng.seeded(31);
    private long now = 1_000_000;

    /** A node without sockets: what it sends is received at once. */
    private final class Host implements PacketSink {
        final Counters counters = new Counters();
        final Identity identity = Identity.fromSeed(rng.bytes(32));
        final MemoryTun kernel = new MemoryTun();
        final InnerAddress inner = InnerAddress.of("test", identity.id());
        final Address at;
        final Links links;
        final TunPort tun;
        Host other;
        final List<String> loops = new ArrayList<>();

        Host(String at, String inbound) {
            this.at = Address.parse(at);
            List<Subnet> routes = Stream.of("203.0.113.0/24@" + ELSE, "203.0.113.128/25@" + ELSE, "192.0.2.0/24")
                    .map(Subnet::parse)
                    .toList();
            Settings settings = Settings.load(Map.of("tun.inbound", inbound), Map.of(), null);
            links = new Links(
                    new LinkConfig("test", List.of(Aead.Suite.AES_256_GCM), 100, StreamConfig.defaults()),
                    identity,
                    rng.split(),
                    counters);
            TunDevice device = kernel.device(TunDevice.Offload.ALL);
            TunPort.Setup setup = new TunPort.Setup(
                    device,
                    "test",
                    inner,
                    true,
                    identity.id(),
                    routes,
                    120_000_000_000L,
                    7,
                    () -> {},
                    (r, a) -> loops.add(r + " " + a));
            tun = new TunPort(setup, bus, this, counters);
            govern(Policy.open().and(TunGrants.of(settings, identity.id())), 1);
            tun.attach(loop, links, () -> {});
        }

        void govern(Policy policy, long epoch) {
            links.handle(now, new LinkInput.NewPolicy(new PolicyEpoch(policy, epoch)));
            tun.govern(now, new PolicyEpoch(policy, epoch));
        }

        Id id() {
            return identity.id();
        }

        @Override
        public void send(Address to, byte[] buf, int offset, int length) {
            other.links.receive(now, buf, offset, length, at, PacketSink.ANY, 0);
        }

        void turn() {
            if (links.deadlineNs() <= now) links.handle(now, new LinkInput.Tick());
            while (links.poll() != null) {}
            links.transmit(now, this);
            tun.turn(now);
        }
    }

    @AfterEach
    void stop() {
        thread.close();
        vertx.close().await();
    }

    /** Two hosts with keys between them. */
    private Host[] connected(String inbound) {
        Host left = new Host("198.51.100.1:9376", "");
        Host right = new Host("198.51.100.2:9376", inbound);
        connect(left, right);
        return new Host[] {left, right};
    }

    private void connect(Host left, Host right) {
        left.other = right;
        right.other = left;
        for (Host host : List.of(left, right)) host.links.handle(now, new LinkInput.WallClock(1_800_000_000_000L));
        left.links.handle(now, new LinkInput.Ask(new Contact(right.id(), List.of(right.at)), 1, new Message.Ping()));
        for (int i = 0; i < 20; i++) {
            now += 1_000_000;
            left.turn();
            right.turn();
        }
        left.tun.learn(right.id());
        right.tun.learn(left.id());
        assertThat(left.links.packets().canSend(now, right.id())).isTrue();
        assertThat(right.links.packets().canSend(now, left.id())).isTrue();
    }

    private void carry(Host from, byte[] read, int times) {
        from.kernel.gives(read, times);
        while (from.kernel.left() > 0) {
            from.tun.read(now);
            from.turn();
            from.other.turn();
        }
    }

    private static byte[] udp(InnerAddress from, InnerAddress to, int fromPort, int toPort) {
        byte[] packet = PacketsOf.v6(from, to, UDP, PacketsOf.udp(fromPort, toPort, new byte[PAYLOAD]));
        return PacketsOf.read(packet, true, 0, 0);
    }

    private static byte[] udp4(InnerAddress from, InnerAddress to, int fromPort, int toPort) {
        byte[] packet = PacketsOf.v4(UDP, PacketsOf.udp(fromPort, toPort, new byte[PAYLOAD]));
        System.arraycopy(from.bytes(), 0, packet, 12, 4);
        System.arraycopy(to.bytes(), 0, packet, 16, 4);
        return PacketsOf.read(packet, true, 0, 0);
    }

    private static byte[] tcp(InnerAddress from, InnerAddress to, int segments) {
        byte[] packet = PacketsOf.v6(from, to, TCP, PacketsOf.tcp(9, 22, 0, 0x10, new byte[segments * PAYLOAD]));
        return PacketsOf.read(packet, true, 4, PAYLOAD);
    }

    @Test
    void whatPassesIsWhatTheEvaluatorSays() {
        Host[] hosts = connected("udp:53");
        Host right = hosts[1];
        long denied = right.counters.value("policy.denied");
        long allowed = right.counters.value("policy.allowed");
        carry(hosts[0], udp(hosts[0].inner, right.inner, 4000, 54), 3);
        assertThat(right.kernel.writes()).isZero();
        assertThat(right.counters.value("tun.in.denied")).isEqualTo(3);
        assertThat(right.counters.value("policy.denied") - denied)
                .as("asked once")
                .isEqualTo(1);
        carry(hosts[0], udp(hosts[0].inner, right.inner, 4000, 53), 3);
        assertThat(right.kernel.writes()).isPositive();
        assertThat(right.counters.value("tun.in.packets")).isEqualTo(3);
        assertThat(right.counters.value("policy.allowed") - allowed).isEqualTo(1);
    }

    private static Grant use(Grant.What what, Host to) {
        return Grant.of(Policy.OPEN, what, new Grant.Whom.Node(to.id()), java.util.Set.of(Action.USE));
    }

    /** Whether the host gets it. */
    private boolean enters(Host from, Host to, byte[] read) {
        long before = to.counters.value("tun.in.packets");
        seals(from, read, 1);
        to.turn();
        return to.counters.value("tun.in.packets") > before;
    }

    @Test
    void aNewEpochEndsAtOnceWhatItDoesNotAllowAndNothingElse() {
        Host[] hosts = connected("udp:53");
        Host left = hosts[0];
        Host right = hosts[1];
        Host third = new Host("198.51.100.3:9376", "");
        connect(third, right);
        right.tun.offer(List.of(endpoint()));
        InnerAddress service = InnerAddress.of("test", endpoint().endpoint());
        byte[] leftPort = udp(left.inner, right.inner, 4000, 53);
        byte[] thirdPort = udp(third.inner, right.inner, 4000, 53);
        byte[] syn = PacketsOf.tcp(9, 80, 0, 2, new byte[0]);
        byte[] leftService = PacketsOf.read(PacketsOf.v6(left.inner, service, TCP, syn), true, 0, 0);
        byte[] thirdService = PacketsOf.read(PacketsOf.v6(third.inner, service, TCP, syn), true, 0, 0);
        right.other = left;
        carry(right, udp(right.inner, left.inner, 5000, 9), 1);
        byte[] answer = udp(left.inner, right.inner, 9, 5000);
        for (byte[] read : List.of(leftPort, leftService, answer))
            assertThat(enters(left, right, read)).isTrue();
        for (byte[] read : List.of(thirdPort, thirdService))
            assertThat(enters(third, right, read)).isTrue();

        Policy next = new Policy(List.of(
                Grant.of(Policy.OPEN, new Grant.What.Nodes(), new Grant.Whom.Anyone(), java.util.Set.of(Action.SIGNAL)),
                use(new Grant.What.Node(right.id()), third),
                use(new Grant.What.Services(), left)));
        right.govern(next, 2);
        assertThat(enters(left, right, leftPort)).isFalse();
        assertThat(enters(third, right, thirdPort)).isTrue();
        assertThat(enters(left, right, leftService)).isTrue();
        assertThat(enters(third, right, thirdService)).isFalse();
        assertThat(enters(left, right, answer)).as("of what this host began").isTrue();
        assertThat(right.counters.value("policy.ended.tun")).isEqualTo(2);

        right.govern(Policy.open().and(List.of(use(new Grant.What.Node(right.id()), left))), 1);
        assertThat(enters(left, right, leftPort)).as("an older epoch").isFalse();
        assertThat(right.counters.value("policy.epoch.old")).as("told to both").isEqualTo(2);
    }

    /** Seals a packet as a peer would whose program leaves out its own gate. */
    private void seals(Host from, byte[] read, int parts) {
        int length = read.length - 10; // behind the kernel's header
        Id to = from.other.id();
        boolean sent = parts == 1
                ? from.links.packets().send(now, to, Transport.PACKET_NEEDS_CSUM, read, 10, length, from)
                : from.links.packets().sendParts(now, to, true, read, 10, length, from);
        assertThat(sent).isTrue();
    }

    @Test
    void whoSpeaksInAnothersNameIsNotHeardThoughWhatItSealsIsAuthentic() {
        Host[] hosts = connected("udp:53");
        Host left = hosts[0];
        Host right = hosts[1];
        InnerAddress us = right.inner;
        InnerAddress another = InnerAddress.of("test", ELSE);
        InnerAddress service = InnerAddress.of("test", endpoint().endpoint());
        right.tun.learn(ELSE);
        right.tun.offer(List.of(endpoint()));
        List<byte[]> lies = List.of(
                udp(another, us, 4000, 53),
                udp(us, us, 4000, 53),
                udp(InnerAddress.of("elsewhere", left.id()), us, 4000, 53),
                udp4(another.v4(), us.v4(), 4000, 53),
                udp4(us.v4(), us.v4(), 4000, 53),
                udp4(outer("203.0.113.5:1"), us.v4(), 4000, 53), // behind the other node
                udp4(outer("192.0.2.5:1"), us.v4(), 4000, 53), // behind the receiver
                udp4(outer("198.18.0.5:1"), us.v4(), 4000, 53),
                udp(outer("[2001:db8::5]:1"), us, 4000, 53),
                PacketsOf.read(
                        PacketsOf.v6(another, service, TCP, PacketsOf.tcp(9, 80, 0, 2, new byte[0])), true, 0, 0));
        seals(left, udp(left.inner, us, 4000, 53), 1);
        for (byte[] lie : lies) seals(left, lie, 1);
        seals(left, lies.get(0), 2);
        seals(left, udp4(left.inner.v4(), us.v4(), 4000, 53), 1);
        right.turn();
        assertThat(right.counters.value("tun.in.spoofed")).isEqualTo(lies.size() + 1);
        assertThat(right.counters.value("tun.in.packets"))
                .as("its own, before and after")
                .isEqualTo(2);
        assertThat(right.kernel.writes()).isEqualTo(2);
        assertThat(right.counters.value("link.datagram.forged")).isZero();
    }

    /** What is joined is checked no more: it must be the same peer's. */
    @Test
    void whatAnothersPacketMightBeJoinedByMustComeFromThatPeer() {
        Host[] hosts = connected("udp:53");
        TunPort tun = hosts[1].tun;
        Host third = new Host("198.51.100.3:9376", "");
        connect(third, hosts[1]);
        byte[] another = udp(third.inner, hosts[1].inner, 4000, 53);
        int length = another.length - 10;
        for (int i = 0; i < 2; i++) {
            System.arraycopy(another, 10, tun.buffer(), tun.place(third.id(), length), length);
            tun.opened(now, third.id(), Transport.PACKET_NEEDS_CSUM, length, 0);
        }
        seals(hosts[0], another, 1);
        hosts[1].turn();
        assertThat(hosts[1].counters.value("tun.in.spoofed")).isEqualTo(1);
        assertThat(hosts[1].kernel.writes()).as("two of its own, joined").isEqualTo(1);
        assertThat(hosts[1].kernel.last()).hasSize(another.length + PAYLOAD);
    }

    private static InnerAddress outer(String text) {
        Address address = Address.parse(text);
        return new InnerAddress(address.high(), address.low());
    }

    @Test
    void whatIsLongerThanTheInterfaceTakesIsTooBigThoughItMayBeFragmented() {
        Host left = connected("")[0];
        byte[] packet = PacketsOf.v4(UDP, PacketsOf.udp(1, 2, new byte[4_200]));
        System.arraycopy(left.inner.v4().bytes(), 0, packet, 12, 4);
        System.arraycopy(left.other.inner.v4().bytes(), 0, packet, 16, 4);
        carry(left, PacketsOf.read(packet, false, 0, 0), 1);
        assertThat(left.counters.value("tun.out.too-big")).isEqualTo(1);
        assertThat(left.kernel.last()[10 + 20]).as("destination unreachable").isEqualTo((byte) 3);
    }

    @Test
    void aDatagramThatTheInterfaceWouldGiveBackIsNotSentAndItsRouteIsToldOnce() {
        Host host = connected("")[0];
        for (String in : List.of("203.0.113.5:1", "203.0.113.5:1", "203.0.113.6:1", "203.0.113.200:1")) {
            assertThat(host.tun.takesBack(Address.parse(in))).as(in).isTrue();
        }
        assertThat(host.loops).containsExactly("203.0.113.0/24 203.0.113.5:1", "203.0.113.128/25 203.0.113.200:1");
        for (InnerAddress inner : List.of(host.inner, host.inner.v4(), host.other.inner)) {
            assertThat(host.tun.takesBack(new Address(inner.high(), inner.low(), 9376)))
                    .as("an inner address")
                    .isTrue();
        }
        assertThat(host.loops).hasSize(2);
        assertThat(host.counters.value("tun.out.looped")).isEqualTo(7);
        for (String out : List.of("192.0.2.1:1", "198.51.100.2:9376", "[2001:db8::1]:1")) {
            assertThat(host.tun.takesBack(Address.parse(out))).as(out).isFalse();
        }
        assertThat(host.counters.value("tun.out.looped")).isEqualTo(7);
    }

    /** A service at this host, so that packets are also looked at for its address. */
    private static Registry.LocalView endpoint() {
        Registration app = new Registration(
                "app",
                new ServiceName("open", "app"),
                "127.0.0.1",
                80,
                Provider.Protocol.TCP,
                1,
                List.of(),
                Map.of(),
                30_000,
                Registration.Check.NONE);
        return new Registry.LocalView(app, Id.random(Rng.seeded(4)), Health.PASS, "", 0, 0);
    }

    @Test
    void whatAPeerSentIsWrittenWithoutGarbage() {
        Host[] hosts = connected("udp:53,tcp:22");
        Host left = hosts[0];
        TunPort tun = hosts[1].tun;
        tun.offer(List.of(endpoint()));
        for (byte[] read : List.of(
                udp(left.inner, hosts[1].inner, 4000, 53), udp4(left.inner.v4(), hosts[1].inner.v4(), 4000, 53))) {
            int length = read.length - 10; // behind the kernel's header
            long bytes = Garbage.bytesOf(
                    () -> {
                        for (int i = 0; i < PACKETS; i++) {
                            System.arraycopy(read, 10, tun.buffer(), tun.place(left.id(), length), length);
                            tun.opened(now, left.id(), Transport.PACKET_NEEDS_CSUM, length, 0);
                        }
                    },
                    0);
            assertThat(bytes).isZero();
        }
        assertThat(hosts[1].counters.value("tun.in.packets")).isGreaterThan(2 * PACKETS);
    }

    @Test
    void aPacketFromHostToHostLeavesNoMoreThanTheCiphersGarbage() {
        Host[] hosts = connected("udp:53,tcp:22");
        Host left = hosts[0];
        Host right = hosts[1];
        right.tun.offer(List.of(endpoint()));
        for (byte[] read : List.of(
                udp(left.inner, right.inner, 4000, 53),
                tcp(left.inner, right.inner, 40),
                udp4(left.inner.v4(), right.inner.v4(), 4000, 53))) {
            int packets = read.length > 2 * PAYLOAD ? 40 : 1;
            long before = right.counters.value("tun.in.packets");
            long bytes = Garbage.bytesOf(() -> carry(left, read, PACKETS / packets), CIPHER_BYTES * PACKETS);
            assertThat(right.counters.value("tun.in.packets") - before).isGreaterThanOrEqualTo(PACKETS);
            assertThat(bytes / PACKETS).isLessThanOrEqualTo(CIPHER_BYTES);
        }
    }
}
