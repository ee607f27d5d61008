package mcc.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class FlowsTest {
    private static final long IDLE_NS = 1_000;

    private static List<String> expired(Flows<Integer, String> flows, long nowNs) {
        List<String> out = new ArrayList<>();
        flows.expire(nowNs, out::add);
        return out;
    }

    @Test
    void aFlowThatIsNotUsedIsOverAndOneThatIsGoesOn() {
        Flows<Integer, String> flows = new Flows<>(10, IDLE_NS, key -> key % 100);
        flows.add(0, 1, "a");
        flows.add(0, 2, "b");
        assertThat(flows.use(600, 1)).isEqualTo("a");
        assertThat(expired(flows, 999)).isEmpty();
        assertThat(expired(flows, 1_000)).containsExactly("b");
        assertThat(flows.use(1_000, 2)).isNull();
        assertThat(expired(flows, 1_599)).isEmpty();
        assertThat(expired(flows, 1_600)).containsExactly("a");
        assertThat(flows.size()).isZero();
    }

    @Test
    void theOneUnusedForLongestGivesWay() {
        Flows<Integer, String> flows = new Flows<>(3, IDLE_NS, key -> key % 100);
        for (int i = 0; i < 3; i++) assertThat(flows.add(i, i, "f" + i)).isNull();
        flows.use(5, 0);
        assertThat(flows.add(6, 9, "f9")).isEqualTo("f1");
        assertThat(flows.size()).isEqualTo(3);
        assertThat(flows.removeEldest()).isEqualTo("f2");
        assertThat(flows.all()).containsExactly("f0", "f9");
    }

    @Test
    void aFlowIsTakenOutOnlyIfItIsStillThatOne() {
        Flows<Integer, String> flows = new Flows<>(3, IDLE_NS, key -> key % 100);
        flows.add(0, 1, "old");
        flows.add(0, 1, "new");
        flows.remove(1, "old");
        assertThat(flows.use(1, 1)).isEqualTo("new");
        flows.remove(1, "new");
        assertThat(flows.use(1, 1)).isNull();
        assertThat(flows.removeEldest()).isNull();
    }

    /** The keys of one owner end in the same two digits. */
    @Test
    void whoHasMostLosesItsOwnAndNobodyElseDoes() {
        Flows<Integer, String> flows = new Flows<>(6, IDLE_NS, key -> key % 100);
        flows.add(0, 107, "other's 1");
        flows.add(1, 207, "other's 2");
        for (int i = 1; i <= 4; i++) flows.add(1 + i, i * 100, "flood " + i);
        flows.use(9, 100);
        for (int i = 5; i <= 200; i++) {
            String gone = flows.add(10 + i, i * 100, "flood " + i);
            assertThat(gone).startsWith("flood");
            if (i == 5)
                assertThat(gone).as("of its own the one unused for longest").isEqualTo("flood 2");
        }
        assertThat(flows.use(300, 107)).isEqualTo("other's 1");
        assertThat(flows.add(301, 8, "newcomer's")).startsWith("flood");
        assertThat(flows.add(302, 9, "another's")).startsWith("flood");
        assertThat(flows.add(303, 307, "other's 3")).as("it would have most").isEqualTo("other's 2");
        assertThat(flows.all())
                .contains("newcomer's", "another's", "other's 1", "other's 3")
                .hasSize(6);
    }
}
