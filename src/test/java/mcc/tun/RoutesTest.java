package mcc.tun;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.crypto.Sha256;
import org.junit.jupiter.api.Test;

class RoutesTest {
    private final Counters counters = new Counters();
    private final Rng rng = Rng.seeded(7);
    private final InnerAddress self = InnerAddress.of("net", Id.random(rng));
    private final Routes routes = new Routes("net", self, counters);

    @Test
    void packetsWaitInOrderUntilReleasedAndNoLonger() {
        InnerAddress to = InnerAddress.of("net", Id.random(rng));
        assertThat(routes.deadlineNs()).isEqualTo(Core.NEVER);
        assertThat(routes.hold(10, to, true, new byte[] {0, 1, 2}, 1, 1)).isTrue();
        assertThat(routes.hold(20, to, false, new byte[] {0, 1, 2}, 2, 1)).isFalse();
        assertThat(routes.deadlineNs()).isEqualTo(10 + Routes.WAIT_NS);
        assertThat(routes.isOverdue(9 + Routes.WAIT_NS, to)).isFalse();
        assertThat(routes.isOverdue(10 + Routes.WAIT_NS, to)).isTrue();
        assertThat(routes.release(to)).extracting(h -> h.packet()[0]).containsExactly((byte) 1, (byte) 2);
        assertThat(routes.release(to)).isEmpty();
    }

    @Test
    void waitingAndRoutesAreBounded() {
        InnerAddress one = InnerAddress.of("net", Id.random(rng));
        for (int i = 0; i <= Routes.HELD_MAX; i++) routes.hold(0, one, true, new byte[1], 0, 1);
        assertThat(counters.value("tun.out.dropped")).isEqualTo(1);
        for (int i = 0; i < Routes.WAITING_MAX; i++) {
            routes.hold(0, InnerAddress.of("net", Id.random(rng)), true, new byte[1], 0, 1);
        }
        assertThat(counters.value("tun.out.dropped"))
                .as("the eldest with all it held")
                .isEqualTo(1 + Routes.HELD_MAX);
        assertThat(routes.release(one)).isEmpty();
        assertThat(routes.waiting()).hasSize(Routes.WAITING_MAX);
        Id first = Id.random(rng);
        InnerAddress gone = routes.learn(first).v6();
        for (int i = 0; i < Routes.ROUTES_MAX; i++) routes.learn(Id.random(rng));
        assertThat(routes.node(gone)).isNull();
        assertThat(routes.of(first)).isNull();
        assertThat(routes.learn(first).v6()).isEqualTo(gone);
        assertThat(routes.node(gone)).isEqualTo(first);
    }

    @Test
    void aNodeInUseStaysThoughOneOfItsAddressesIsNot() {
        Id busy = Id.random(rng);
        InnerAddress v6 = routes.learn(busy).v6();
        for (int i = 0; i < 2 * Routes.ROUTES_MAX; i++) {
            routes.learn(Id.random(rng));
            assertThat(routes.node(v6)).isEqualTo(busy);
        }
    }

    @Test
    void noTwoNodesShareAnIpv4Address() {
        Set<InnerAddress> seen = new HashSet<>(List.of(self.v4()));
        int moved = 0;
        for (int i = 0; i < Routes.ROUTES_MAX; i++) {
            Id node = Id.random(rng);
            Routes.Addresses made = routes.learn(node);
            if (!made.v4().equals(made.v6().v4())) moved++;
            assertThat(seen.add(made.v4())).isTrue();
            assertThat(made.v4().isNeighbourOf(self)).isTrue();
            assertThat(made.v4().toString()).startsWith("100.");
            assertThat(routes.node(made.v4())).isEqualTo(node);
        }
        assertThat(moved)
                .as("8,192 of 4 million: eight pairs are to be expected")
                .isBetween(1, 64);
    }

    @Test
    void anIpv4AddressTellsWhereItsNodeIsFound() {
        Id node = Id.random(rng);
        InnerAddress address = InnerAddress.of("net", node);
        assertThat(address.v4().position().sharedBits(Sha256.id(node.toBytes())))
                .isGreaterThanOrEqualTo(22);
        assertThat(address.v4().bytes()).hasSize(4);
        assertThat(InnerAddress.v4(0x64800000).isNeighbourOf(self))
                .as("100.128.0.0")
                .isFalse();
        assertThat(InnerAddress.v4(0x647ffffe).next4().toString()).isEqualTo("100.127.255.254");
        assertThat(InnerAddress.v4(0x647fffff).next4().toString()).isEqualTo("100.64.0.1");
    }

    @Test
    void anEndpointLeadsToItsNodeAndTheOldestGivesWay() {
        Id node = Id.random(rng);
        InnerAddress first = InnerAddress.of("net", Id.random(rng));
        assertThat(routes.node(first)).isNull();
        routes.learn(first, node);
        assertThat(routes.node(first)).isEqualTo(node);
        for (int i = 0; i < Routes.ENDPOINTS_MAX; i++) routes.learn(InnerAddress.of("net", Id.random(rng)), node);
        assertThat(routes.node(first)).isNull();
    }
}
