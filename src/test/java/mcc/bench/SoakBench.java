package mcc.bench;

import static mcc.it.TwoHosts.exec;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import mcc.it.RealNode;
import mcc.it.TwoHosts;
import mcc.session.ReplayWindow;
import mcc.wan.TunnelPair;
import mcc.wan.Wan;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Figures over time: two nodes that carry all they can for {@code -Dbench.minutes=10}, over a plain link and over a hostile
 * one. What grows without end is a leak, what happens ever more often is a drift: the first minute warms up, each later one is
 * compared with the second, and fails where it is beyond the bounds below.
 */
@Tag("bench")
class SoakBench {
    private static final int MINUTES = Integer.getInteger("bench.minutes", 10);
    private static final int MINUTE_S = Integer.getInteger("bench.minute", 60);
    /** Of what is alive on a heap. */
    private static final double GROWTH_MB = 16;

    private static final int MORE_DESCRIPTORS = 10;
    /** A connection takes the place of one that is not wholly over, and keys that of keys which live on for a minute. */
    private static final int MORE_OBJECTS = 4;
    /** How many times as often, per packet, as in the second minute anything that is counted may happen. */
    private static final double MORE_OFTEN = 2;
    /** And so often more, per packet: what luck makes on a shared machine. */
    private static final double LUCK = 0.001;
    /** And so many times more: what luck makes of small numbers. */
    private static final int FEW = 50;

    private static final int PACKET_BYTES = 1_400;
    /** So much of what was checked in the second minute is checked in each. */
    private static final double CHECKED = 0.5;

    private static final String SENT = "mcc_udp_tx_packets_total";
    private static final String RECEIVED = "mcc_udp_rx_packets_total";
    private static final String SENT_BYTES = "mcc_udp_bytes_total{direction=\"tx\",kind=\"all\"}";
    private static final String LOST = "mcc_stream_lost_total";
    private static final String RESENT_BYTES = "mcc_stream_resent_bytes_total";
    /** Counts of what is meant to happen. */
    private static final String PROGRESS = "mcc_(udp_[rt]x_packets|udp_bytes|tunnel_bytes)_total.*";

    /** What a node holds at the end of a minute, and what was counted in it, by name. */
    private record Look(
            double aliveMb, double residentMb, int descriptors, long streams, long windows, Map<String, Long> counted) {
        static Look at(Process process, Map<String, Long> before, Map<String, Long> after) throws Exception {
            Map<String, Long> counted = new TreeMap<>();
            after.forEach((name, value) -> counted.put(name, value - before.getOrDefault(name, 0L)));
            return new Look(
                    least(process),
                    Figures.rss(process),
                    Figures.descriptors(process),
                    Figures.instances(process, "mcc.stream.Stream"),
                    Figures.instances(process, ReplayWindow.class.getName()),
                    counted);
        }

        long count(String name) {
            return counted.getOrDefault(name, 0L);
        }

        /** Of how many: packets sent for what is lost, bytes sent for those sent again, all packets for the rest. */
        long of(String name) {
            if (name.equals(RESENT_BYTES)) return Math.max(1, count(SENT_BYTES));
            return Math.max(1, name.equals(LOST) ? count(SENT) : count(SENT) + count(RECEIVED));
        }

        double share(String name) {
            return count(name) / (double) of(name);
        }

        /** All else than progress, loss and what it costs. */
        double others() {
            double sum = 0;
            for (String name : faults()) if (!name.equals(LOST) && !name.equals(RESENT_BYTES)) sum += share(name);
            return sum;
        }

        List<String> faults() {
            return counted.keySet().stream()
                    .filter(name -> !name.matches(PROGRESS))
                    .toList();
        }

        String row() {
            return String.format(
                    Locale.ROOT,
                    "%8.1f %12.0f %12d %8d %8d %10.0f %10.3f %10.3f %10.3f",
                    aliveMb,
                    residentMb,
                    descriptors,
                    streams,
                    windows,
                    count(SENT) / 1e3,
                    1e3 * share(LOST),
                    1e3 * share(RESENT_BYTES),
                    1e3 * others());
        }

        void isLike(Look second, String where) {
            assertThat(aliveMb).as(where + ": MB alive on the heap").isLessThan(second.aliveMb + GROWTH_MB);
            assertThat(descriptors).as(where + ": descriptors").isLessThan(second.descriptors + MORE_DESCRIPTORS);
            assertThat(streams).as(where + ": streams").isLessThanOrEqualTo(second.streams + MORE_OBJECTS);
            assertThat(windows).as(where + ": replay windows").isLessThanOrEqualTo(second.windows + MORE_OBJECTS);
            for (String name : faults()) {
                int few = name.equals(RESENT_BYTES) ? FEW * PACKET_BYTES : FEW;
                assertThat((double) count(name))
                        .as("%s: %s of %d, in minute 2 %.6f of all", where, name, of(name), second.share(name))
                        .isLessThan((MORE_OFTEN * second.share(name) + LUCK) * of(name) + few);
            }
        }
    }

    @TempDir
    Path folder;

    private final List<Process> started = new ArrayList<>();

    @AfterEach
    void end() throws Exception {
        for (Process process : started) process.destroyForcibly().waitFor();
    }

    @Test
    void fullRate() throws Exception {
        try (TwoHosts hosts = new TwoHosts("s")) {
            soak(hosts.left, TwoHosts.A, hosts.right, TwoHosts.B);
        }
    }

    @Test
    void hostile() throws Exception {
        try (Wan wan = new Wan("s")) {
            wan.both("delay-us=2000 rate-kbit=200000 queue-bytes=500000 reorder-ppm=200000 duplicate-ppm=200000"
                    + " corrupt-ppm=200000 replay-ppm=200000 truncate-ppm=200000");
            soak(wan.left, Wan.A, wan.right, Wan.B);
            System.out.println(wan.stats());
        }
    }

    private BufferedReader start(String ns, String... arguments) throws Exception {
        Process process = new ProcessBuilder(exec(
                        ns, Wan.java(Checked.class, Wan.classes(), arguments).toArray(String[]::new)))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        started.add(process);
        return new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.US_ASCII));
    }

    private void soak(String leftNs, String left, String rightNs, String right) throws Exception {
        BufferedReader sink = start(rightNs, "sink");
        int app = Integer.parseInt(sink.readLine());
        try (TunnelPair pair = new TunnelPair(folder, rightNs, right + ":9376", leftNs, left + ":9376", app)) {
            BufferedReader source = start(leftNs, "source", "" + pair.port);
            RealNode[] nodes = {pair.provider, pair.user};
            System.out.printf(
                    "%-7s %-9s %12s %8s %12s %12s %8s %8s %10s %10s %10s %10s%n",
                    "minute",
                    "node",
                    "MB checked",
                    "MB alive",
                    "MB resident",
                    "descriptors",
                    "streams",
                    "windows",
                    "1000 sent",
                    "lost per",
                    "again per",
                    "others per 1000");
            Look[] second = new Look[2];
            long secondMb = 0;
            for (int minute = 1; minute <= MINUTES; minute++) {
                long mb = -checked(sink);
                List<Map<String, Long>> before = counters(pair);
                until(System.nanoTime() + MINUTE_S * 1_000_000_000L);
                assertThat(started).as("source and sink run").allMatch(Process::isAlive);
                List<Map<String, Long>> after = counters(pair);
                mb += checked(sink);
                if (minute <= 2) secondMb = mb;
                for (int i = 0; i < 2; i++) {
                    Look now = Look.at(nodes[i].process, before.get(i), after.get(i));
                    if (minute <= 2) second[i] = now;
                    String where = String.format("%-7d %-9s", minute, i == 0 ? "provider" : "user");
                    System.out.printf("%s %12d %s%n", where, mb, now.row());
                    now.isLike(second[i], where);
                    if (minute == MINUTES) tell(second[i], now);
                }
                assertThat(mb).as(minute + ": MB checked").isGreaterThan((long) (CHECKED * secondMb));
            }
            for (RealNode node : List.of(pair.provider, pair.user)) {
                assertThat(node.log()).doesNotContain("Exception").doesNotContain("ERROR");
            }
            assertThat(source.ready())
                    .as("the source has nothing to complain of")
                    .isFalse();
            end(); // before the nodes, so that neither complains of them
        }
    }

    private static void until(long endNs) {
        for (long rest; (rest = endNs - System.nanoTime()) > 0; ) LockSupport.parkNanos(rest);
    }

    /** What is alive goes up and down with what is under way, tens of megabytes: a leak is in the least, too. */
    private static double least(Process process) throws Exception {
        double least = Figures.live(process);
        for (int i = 0; i < 4; i++) {
            until(System.nanoTime() + 1_000_000_000L);
            least = Math.min(least, Figures.live(process));
        }
        return least;
    }

    /** The newest of the lines that the sink prints each second: how many MB it has checked. */
    private static long checked(BufferedReader sink) throws Exception {
        String line = sink.readLine();
        while (sink.ready()) line = sink.readLine();
        assertThat(line).as("the sink runs").isNotNull();
        return Long.parseLong(line);
    }

    /** What is counted of all that was counted in either minute, per thousand packets. */
    private static void tell(Look second, Look last) {
        for (String name : last.faults()) {
            if (last.count(name) + second.count(name) == 0) continue;
            System.out.printf(
                    Locale.ROOT,
                    "    %-50s per 1000: %10.4f in minute 2, %10.4f in the last%n",
                    name,
                    1e3 * second.share(name),
                    1e3 * last.share(name));
        }
    }

    /** What the provider has counted since its start, and the user. */
    private static List<Map<String, Long>> counters(TunnelPair pair) throws Exception {
        List<Map<String, Long>> out = new ArrayList<>();
        for (RealNode node : List.of(pair.provider, pair.user)) {
            String ns = node == pair.provider ? pair.providersNs : pair.usersNs;
            Map<String, Long> counts = new TreeMap<>();
            for (String line : TwoHosts.sh(TwoHosts.in(ns, "curl -s " + node.http + "/metrics"))
                    .split("\n")) {
                int at = line.lastIndexOf(' ');
                if (line.matches("mcc_.*_total(\\{.*})? .*"))
                    counts.put(line.substring(0, at), (long) Double.parseDouble(line.substring(at)));
            }
            out.add(counts);
        }
        return out;
    }
}
