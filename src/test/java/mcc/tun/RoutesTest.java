package mcc.tun;

import static org.assertj.core.api.Assertions.assertThat;

import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import org.junit.jupiter.api.Test;

class RoutesTest {
    private final Counters counters = new Counters();
    private final Routes routes = new Routes("net", counters);
    private final Rng rng = Rng.seeded(7);

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
        assertThat(counters.value("tun.out.dropped")).isEqualTo(2);
        Id first = Id.random(rng);
        InnerAddress gone = routes.learn(first);
        for (int i = 0; i < Routes.ROUTES_MAX; i++) routes.learn(Id.random(rng));
        assertThat(routes.node(gone)).isNull();
        assertThat(routes.learn(first)).isEqualTo(gone);
        assertThat(routes.node(gone)).isEqualTo(first);
    }
}
