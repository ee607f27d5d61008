package mcc.link;

import static org.assertj.core.api.Assertions.assertThat;

import mcc.core.Counters;
import org.junit.jupiter.api.Test;

class UpkeepCostTest {
    private static final long SECOND = 1_000_000_000L;

    private final Counters counters = new Counters();
    private final UpkeepCost upkeep = new UpkeepCost(counters);

    @Test
    void aMonthIsToldFromTheLastHour() {
        upkeep.tick(0);
        counters.of("link.ip.tx.path").add(100_000_000);
        for (int s = 1; s <= 7_200; s++) {
            counters.of("link.ip.tx.dht").add(2);
            counters.of("link.ip.rx.path").add(8);
            counters.of("link.ip.rx.traffic").add(1_000_000);
            counters.of("link.ip.tx.relayed").add(1_000_000);
            upkeep.tick(s * SECOND);
        }
        UpkeepCost.Report hour = upkeep.report();
        assertThat(hour).isEqualTo(new UpkeepCost.Report(7_200, 28_800, 3_600 * SECOND));
        assertThat(hour.monthlyBytes()).isEqualTo(10L * 30 * 24 * 3_600);
    }

    @Test
    void theFirstMinuteDoesNotCount() {
        upkeep.tick(5 * SECOND);
        counters.of("link.ip.rx.handshake").add(1_000_000);
        upkeep.tick(65 * SECOND);
        assertThat(upkeep.report()).as("nothing is known yet").isNull();
        counters.of("link.ip.rx.nat").add(600);
        upkeep.tick(100 * SECOND);
        assertThat(upkeep.report()).as("half a minute").isNull();
        upkeep.tick(125 * SECOND);
        assertThat(upkeep.report()).isEqualTo(new UpkeepCost.Report(0, 600, 60 * SECOND));
    }
}
