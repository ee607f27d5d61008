package mcc.tun;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import mcc.core.Address;
import mcc.core.Core;
import mcc.core.CoreLaws;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.tun.VirtualInterface.Input;
import mcc.tun.VirtualInterface.Output;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Two hosts' interfaces, joined without a network between. */
class VirtualInterfaceTest {
    private static final Id ENDPOINT = Id.random(Rng.seeded(4));
    private static final InnerAddress WEB = InnerAddress.of("test", ENDPOINT);

    private static final class Host implements VirtualInterface.Handler {
        final Id id;
        final InnerAddress address;
        final Counters counters = new Counters();
        final List<byte[]> written = new ArrayList<>();
        final Set<Id> reached = new HashSet<>();
        final VirtualInterface core;
        final boolean offloads;
        int max = VirtualInterface.MTU;

        @Nullable
        Host other;

        Host(int seed, boolean offloads) {
            this.offloads = offloads;
            id = Id.random(Rng.seeded(seed));
            address = InnerAddress.of("test", id);
            var config = new VirtualInterface.Config(
                    "test",
                    id,
                    address,
                    true,
                    List.of(Subnet.parse("203.0.113.0/24@" + ENDPOINT)),
                    Gate.OTHER_NS,
                    7,
                    offloads,
                    offloads);
            core = new VirtualInterface(
                    config,
                    (now, _, _, port) -> port == 22 ? now + 1 : now,
                    (now, _, _, _, _) -> now + 1,
                    this,
                    counters);
        }

        @Override
        public boolean canSend(long nowNs, Id node) {
            return reached.contains(node);
        }

        @Override
        public int max(Id node) {
            return max;
        }

        @Override
        public void send(long nowNs, Id node, boolean needsCsum, byte[] b, int offset, int length) {
            if (other == null) return;
            int at = other.core.place(id, length);
            System.arraycopy(b, offset, other.core.buffer(), at, length);
            other.core.opened(nowNs, needsCsum, length, 0);
        }

        @Override
        public void sendParts(long nowNs, Id node, boolean needsCsum, byte[] b, int offset, int length) {
            send(nowNs, node, needsCsum, b, offset, length);
        }

        @Override
        public boolean write(byte[] b, int offset, int length) {
            int header = offloads ? Vnet.BYTES : 0;
            written.add(Arrays.copyOfRange(b, offset + header, offset + length));
            return true;
        }

        void says(long nowNs, byte[] packet, boolean needsCsum) {
            byte[] read = offloads ? PacketsOf.read(packet, needsCsum, 0, 0) : packet;
            core.fromHost(nowNs, Arrays.copyOf(read, VirtualInterface.READ_MAX + 1), read.length);
            core.turn(nowNs);
            if (other != null) other.core.turn(nowNs);
        }
    }

    private static Host[] pair(boolean offloads) {
        Host[] hosts = {new Host(1, offloads), new Host(2, offloads)};
        for (int i = 0; i < 2; i++) {
            hosts[i].other = hosts[1 - i];
            hosts[i].core.handle(0, new Input.Met(hosts[1 - i].id));
            hosts[i].reached.add(hosts[1 - i].id);
        }
        hosts[1].core.handle(0, new Input.Offers(Map.of(WEB, List.of(new Offered.PortRange(false, 6_379)))));
        hosts[1].core.handle(0, new Input.Listening(List.of(new Redirect.Way(WEB, false, 6_379, 40_001))));
        hosts[0].core.handle(0, new Input.Found(WEB, hosts[1].id));
        return hosts;
    }

    private static InnerAddress from(byte[] packet) {
        return new InnerAddress(Octets.i64(packet, 8), Octets.i64(packet, 16));
    }

    private static InnerAddress to(byte[] packet) {
        return new InnerAddress(Octets.i64(packet, 24), Octets.i64(packet, 32));
    }

    @Test
    void whatComesForARegisteredPortWithoutAListenerIsCounted() {
        Host[] hosts = pair(false);
        hosts[1].core.handle(0, new Input.Listening(List.of(new Redirect.Way(WEB, false, 80, 40_001))));
        byte[] syn = PacketsOf.v6(hosts[0].address, WEB, Ip.TCP, PacketsOf.tcp(5_000, 6_379, 1, 2, new byte[0]));
        hosts[0].says(1, syn, false);
        assertThat(hosts[1].written).isEmpty();
        assertThat(hosts[1].counters.value("tun.in.unlistened")).isEqualTo(1);
        assertThat(hosts[1].counters.value("tun.in.dropped")).isZero();
    }

    @Test
    void aProgramSpeaksToAnEndpointAndNeverMeetsThePortOfTheApp() {
        for (boolean offloads : new boolean[] {true, false}) {
            Host[] hosts = pair(offloads);
            InnerAddress us = hosts[0].address;
            hosts[0].says(1, PacketsOf.v6(us, WEB, Ip.TCP, PacketsOf.tcp(5_000, 6_379, 1, 2, new byte[0])), false);
            assertThat(hosts[1].written).hasSize(1);
            byte[] syn = hosts[1].written.removeFirst();
            InnerAddress listeners = Redirect.listenerAddress("test", hosts[1].id);
            assertThat(to(syn)).isEqualTo(listeners);
            assertThat(Octets.u16(syn, 42)).isEqualTo(40_001);
            hosts[1].says(
                    2, PacketsOf.v6(listeners, us, Ip.TCP, PacketsOf.tcp(40_001, 5_000, 1, 0x12, new byte[0])), false);
            assertThat(hosts[0].written).hasSize(1);
            byte[] answer = hosts[0].written.removeFirst();
            assertThat(from(answer)).isEqualTo(WEB);
            assertThat(Octets.u16(answer, 40)).isEqualTo(6_379);
            // Nobody reaches the listener but by the endpoint.
            hosts[0].core.handle(3, new Input.Found(listeners, hosts[1].id));
            hosts[0].says(
                    3, PacketsOf.v6(us, listeners, Ip.TCP, PacketsOf.tcp(5_000, 40_001, 1, 2, new byte[0])), false);
            assertThat(hosts[1].written).isEmpty();
            assertThat(hosts[1].counters.value("tun.in.astray")).isEqualTo(1);
        }
    }

    @Test
    void aProgramOfTheSameHostReachesItTooAndHearsWhereNobodyListens() {
        Host host = pair(true)[1];
        host.says(1, PacketsOf.v6(host.address, WEB, Ip.TCP, PacketsOf.tcp(5_000, 6_379, 1, 2, new byte[0])), true);
        byte[] syn = host.written.removeFirst();
        InnerAddress mirror = from(syn);
        InnerAddress listeners = to(syn);
        host.says(1, PacketsOf.v6(listeners, mirror, Ip.TCP, PacketsOf.tcp(40_001, 5_000, 1, 0x12, new byte[0])), true);
        byte[] answer = host.written.removeFirst();
        assertThat(List.of(from(answer), to(answer))).containsExactly(WEB, host.address);
        assertThat(host.other.written).isEmpty();
        host.says(1, PacketsOf.v6(host.address, WEB, Ip.TCP, PacketsOf.tcp(5_000, 80, 1, 2, new byte[0])), true);
        byte[] reset = host.written.removeFirst();
        assertThat(List.of((int) reset[6], (int) reset[53])).containsExactly(Ip.TCP, 0x14);
        assertThat(to(reset)).isEqualTo(host.address);
    }

    @Test
    void aPortThatAnEndpointDoesNotHaveIsRefusedAtOnce() {
        for (boolean offloads : new boolean[] {true, false}) {
            Host[] hosts = pair(offloads);
            InnerAddress us = hosts[0].address;
            hosts[0].says(1, PacketsOf.v6(us, WEB, Ip.TCP, PacketsOf.tcp(5_000, 80, 41, 2, new byte[0])), false);
            assertThat(hosts[0].written).as("a reset").hasSize(1);
            byte[] reset = hosts[0].written.removeFirst();
            assertThat(List.of(from(reset), to(reset))).containsExactly(WEB, us);
            assertThat(List.of(Octets.u16(reset, 40), Octets.u16(reset, 42))).containsExactly(80, 5_000);
            assertThat(reset[53]).as("RST and ACK").isEqualTo((byte) 0x14);
            assertThat(Octets.i32(reset, 48)).as("it acknowledges the SYN").isEqualTo(42);
            hosts[0].says(2, PacketsOf.v6(us, WEB, Ip.UDP, PacketsOf.udp(5_000, 6_379, new byte[40])), false);
            assertThat(hosts[0].written).as("port unreachable").hasSize(1);
            byte[] error = hosts[0].written.removeFirst();
            assertThat(List.of((int) error[6], (int) error[40], (int) error[41]))
                    .containsExactly(58, 1, 4);
            assertThat(List.of(from(error), to(error))).containsExactly(WEB, us);
            assertThat(hosts[1].written).isEmpty();
            assertThat(hosts[1].counters.value("tun.in.refused")).isEqualTo(2);
        }
    }

    @Test
    void whatRefusesIsNeverRefusedAndPeersAreToldSoOftenAtMost() {
        Host[] hosts = pair(false);
        InnerAddress us = hosts[0].address;
        hosts[0].says(1, PacketsOf.v6(us, WEB, Ip.TCP, PacketsOf.tcp(5_000, 80, 41, 4, new byte[0])), false);
        assertThat(hosts[0].written).as("a reset of a reset").isEmpty();
        hosts[0].says(1, PacketsOf.v6(us, WEB, Ip.TCP, PacketsOf.tcp(5_000, 80, 41, 0x18, new byte[9])), false);
        byte[] reset = hosts[0].written.removeFirst();
        assertThat(Octets.i32(reset, 44)).as("where the peer wants it to be").isEqualTo(77);
        assertThat(reset[53]).isEqualTo((byte) 4);
        hosts[0].says(1, PacketsOf.v6(us, WEB, Ip.TCP, PacketsOf.tcp(5_000, 80, 41, 1, new byte[9])), false);
        assertThat(Octets.i32(hosts[0].written.removeFirst(), 48))
                .as("bytes and FIN are acknowledged")
                .isEqualTo(41 + 9 + 1);
        byte[] syn = PacketsOf.v6(us, WEB, Ip.TCP, PacketsOf.tcp(5_000, 80, 41, 2, new byte[0]));
        for (int i = 0; i < 3 * VirtualInterface.REFUSALS_S; i++) hosts[0].says(2, syn, false);
        assertThat(hosts[0].written.size()).isLessThan(VirtualInterface.REFUSALS_S);
        assertThat(hosts[1].counters.value("tun.in.refused-untold")).isGreaterThan(2 * VirtualInterface.REFUSALS_S);
        hosts[0].written.clear();
        hosts[0].says(1_000_000_000L, syn, false);
        assertThat(hosts[0].written).as("a second later").hasSize(1);
    }

    @Test
    void whatTheListenerSentTooLongIsToldToTheListener() {
        Host host = pair(false)[1];
        host.max = 1_300;
        InnerAddress listeners = Redirect.listenerAddress("test", host.id);
        byte[] long1 = PacketsOf.v6(
                listeners, host.other.address, Ip.TCP, PacketsOf.tcp(40_001, 5_000, 1, 0x10, new byte[1_340]));
        host.says(1, long1, false);
        byte[] error = host.written.removeFirst();
        assertThat(to(error)).isEqualTo(listeners);
        assertThat(Octets.i32(error, 44)).isEqualTo(1_300);
        assertThat(Octets.u16(error, 48 + 40)).isEqualTo(40_001);
    }

    @Test
    void theLongAnswerToAQuestionComesInWhole() {
        for (boolean offloads : new boolean[] {true, false}) {
            Host[] hosts = pair(offloads);
            byte[] question =
                    PacketsOf.v6(hosts[0].address, hosts[1].address, Ip.UDP, PacketsOf.udp(5_000, 22, new byte[40]));
            hosts[0].says(1, question, false);
            assertThat(hosts[1].written).hasSize(1);
            byte[] whole = PacketsOf.v6(
                    hosts[1].address,
                    hosts[0].address,
                    Ip.UDP,
                    PacketsOf.udp(22, 5_000, Rng.seeded(1).bytes(4_096)));
            for (byte[] each : PacketsOf.fragments(whole, 1_232, 7)) hosts[1].says(2, each, false);
            assertThat(PacketsOf.joined(hosts[0].written)).isEqualTo(whole);
        }
    }

    @Test
    void withdrawnEndpointsAndThoseBeyondTheLimitAreNobodys() {
        Host host = new Host(1, true);
        Map<InnerAddress, List<Offered.PortRange>> offers = new java.util.LinkedHashMap<>();
        for (int i = 0; i < VirtualInterface.HOSTED_MAX + 5; i++) {
            offers.put(new InnerAddress(host.address.high(), i), List.of(new Offered.PortRange(true, 53)));
        }
        host.core.handle(1, new Input.Offers(offers));
        assertThat(host.counters.value("tun.endpoints.refused")).isEqualTo(5);
        host.core.handle(1, new Input.Offers(Map.of()));
        host.core.handle(1, new Input.Offers(offers));
        assertThat(host.counters.value("tun.endpoints.refused")).isEqualTo(10);
    }

    /** The core with packets as inputs. */
    private static final class Driven implements Core<Object, Object> {
        private final Host host = new Host(1, true);
        private final Host peer = new Host(2, true);
        private final ArrayDeque<Object> said = new ArrayDeque<>();

        Driven() {
            peer.reached.add(host.id);
            peer.other = host;
        }

        @Override
        public void handle(long nowNs, Object input) {
            switch (input) {
                case Input known -> host.core.handle(nowNs, known);
                case Id up -> host.reached.add(up);
                case Address at -> host.core.takesBack(at);
                case byte[] packet -> host.says(nowNs, packet, false);
                default -> throw new AssertionError(input);
            }
            host.core.turn(nowNs);
            for (Output o; (o = host.core.poll()) != null; ) said.add(o);
            for (byte[] each : host.written) said.add(Arrays.toString(each));
            host.written.clear();
        }

        @Override
        public @Nullable Object poll() {
            return said.poll();
        }

        @Override
        public long deadlineNs() {
            return host.core.deadlineNs();
        }
    }

    private static Object anyInput(Rng rng, List<Object> before) {
        Id node = Id.random(Rng.seeded(rng.below(40)));
        InnerAddress us = InnerAddress.of("test", Id.random(Rng.seeded(1)));
        InnerAddress them = InnerAddress.of("test", node);
        return switch (rng.below(7)) {
            case 0 -> new Input.Met(node);
            case 1 -> node;
            case 2 -> new Input.Found(new InnerAddress(us.high(), rng.below(9)), node);
            case 3 ->
                new Input.Offers(rng.below(2) == 0 ? Map.of() : Map.of(WEB, List.of(new Offered.PortRange(true, 53))));
            case 4 -> Address.v4(0xcb007100 | rng.below(256), 1);
            case 5 -> PacketsOf.v6(us, them, Ip.UDP, PacketsOf.udp(1, 2, new byte[rng.below(1_400)]));
            default ->
                PacketsOf.v6(
                        us,
                        new InnerAddress(us.high(), rng.below(9)),
                        Ip.TCP,
                        PacketsOf.tcp(1, 2, 3, 2, new byte[rng.below(9)]));
        };
    }

    @Test
    void itObeysTheLawsOfCores() {
        CoreLaws.check(Driven::new, (Object) new Input.Tick(), VirtualInterfaceTest::anyInput, 1_500);
    }
}
