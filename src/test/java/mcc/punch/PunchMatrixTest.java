package mcc.punch;

import static mcc.sim.NatBehavior.Scope.ADDRESS_AND_PORT_DEPENDENT;
import static mcc.sim.NatBehavior.Scope.ADDRESS_DEPENDENT;
import static mcc.sim.NatBehavior.Scope.ENDPOINT_INDEPENDENT;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mcc.sim.NatBehavior;
import mcc.sim.NatBehavior.Ports;
import mcc.sim.NatBehavior.Scope;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Every kind of NAT against every other, with cores in virtual time. */
class PunchMatrixTest {
    private static final long MS = PunchNet.MS;
    private static final long SECOND = PunchNet.SECOND;
    private static final int[] DELAYS_MS = {5, 25, 100};

    private static final Map<String, NatBehavior> KINDS = new LinkedHashMap<>();

    static {
        KINDS.put("open", null);
        KINDS.put("full cone", NatBehavior.of(ENDPOINT_INDEPENDENT, ENDPOINT_INDEPENDENT, Ports.PRESERVED));
        KINDS.put("address-restricted", NatBehavior.of(ENDPOINT_INDEPENDENT, ADDRESS_DEPENDENT, Ports.RANDOM));
        KINDS.put("port-restricted", NatBehavior.of(ENDPOINT_INDEPENDENT, ADDRESS_AND_PORT_DEPENDENT, Ports.RANDOM));
        KINDS.put("sequential", symmetric(Ports.SEQUENTIAL));
        KINDS.put("port block", symmetric(Ports.BLOCK));
        KINDS.put("random", symmetric(Ports.RANDOM));
    }

    private static NatBehavior symmetric(Ports ports) {
        return NatBehavior.of(ADDRESS_AND_PORT_DEPENDENT, ADDRESS_AND_PORT_DEPENDENT, ports);
    }

    private static boolean isPredictable(NatBehavior kind) {
        return kind == null || kind.mapping() == Scope.ENDPOINT_INDEPENDENT;
    }

    /** What a pair of kinds must reach, in the words of RFC 4787: the least share of runs, and the time they may take. */
    private record Bar(double share, long withinNs) {}

    private static Bar bar(NatBehavior a, NatBehavior b, int delayMs) {
        if (isPredictable(a) && isPredictable(b)) return new Bar(1, 1_500 * MS + 4 * delayMs * MS);
        if (!isPredictable(a) && !isPredictable(b)) return new Bar(0, 10 * SECOND);
        NatBehavior hard = isPredictable(a) ? b : a;
        return new Bar(hard.ports() == Ports.RANDOM ? 0.99 : 1, 10 * SECOND);
    }

    private static final class Cell {
        int runs;
        int direct;
        final List<Long> times = new ArrayList<>();
        long challenges;
    }

    private static Cell cell(NatBehavior a, NatBehavior b, int delayMs, int runs, long seed, List<String> broken) {
        Cell cell = new Cell();
        Bar bar = bar(a, b, delayMs);
        for (int i = 0; i < runs; i++) {
            PunchNet net = new PunchNet(seed + i, a, b, delayMs);
            long beganNs = net.now;
            long skewNs = i % 5 * 250 * MS;
            net.meet(skewNs);
            net.run(bar.withinNs + skewNs, _ -> {});
            cell.runs++;
            cell.challenges = Math.max(cell.challenges, net.a.sent + net.b.sent);
            if (net.isDirect()) {
                cell.direct++;
                cell.times.add(net.now - beganNs - skewNs);
            }
            if (net.a.sentToStranger + net.b.sentToStranger > 0)
                broken.add("seed " + (seed + i) + " sends to strangers");
            if (net.a.sent + net.b.sent > 1_300)
                broken.add("seed " + (seed + i) + " sends " + (net.a.sent + net.b.sent));
        }
        cell.times.sort(null);
        return cell;
    }

    private void matrix(int runs) {
        List<String> broken = new ArrayList<>();
        StringBuilder table = new StringBuilder();
        for (boolean open : new boolean[] {false, true}) {
            for (int delayMs : DELAYS_MS) {
                table.append("\n%d ms one way, input %s: direct of %d runs, median and longest ms, challenges at most%n"
                        .formatted(delayMs, open ? "open" : "dropped", runs));
                List<String> names = List.copyOf(KINDS.keySet());
                for (int i = 0; i < names.size(); i++) {
                    for (int j = i; j < names.size(); j++) {
                        NatBehavior a = of(names.get(i), open);
                        NatBehavior b = of(names.get(j), open);
                        Cell cell = cell(a, b, delayMs, runs, 1_000_003L * (i * 7 + j) + delayMs, broken);
                        Bar bar = bar(a, b, delayMs);
                        String name = names.get(i) + " x " + names.get(j);
                        int n = cell.times.size();
                        table.append("%-40s %5d %6d %6d %6d%n"
                                .formatted(
                                        name,
                                        cell.direct,
                                        n == 0 ? -1 : cell.times.get(n / 2) / MS,
                                        n == 0 ? -1 : cell.times.getLast() / MS,
                                        cell.challenges));
                        if (cell.direct < bar.share * cell.runs) {
                            broken.add(name + ", " + delayMs + " ms, " + (open ? "open" : "dropped") + ": "
                                    + cell.direct + " of " + cell.runs);
                        }
                    }
                }
            }
        }
        System.out.println(table);
        assertThat(broken).isEmpty();
    }

    private static NatBehavior of(String name, boolean open) {
        NatBehavior kind = KINDS.get(name);
        return open && kind != null && kind.filtering() != ENDPOINT_INDEPENDENT ? kind.takingStrays() : kind;
    }

    @Test
    void everyPairThatCanBeJoinedIsJoined() {
        matrix(5);
    }

    @Test
    @Tag("long")
    void everyPairThatCanBeJoinedIsJoinedAHundredTimes() {
        matrix(100);
    }

    @Test
    @Tag("bench")
    void everyPairThatCanBeJoinedIsJoinedAThousandTimes() {
        matrix(1_000);
    }
}
