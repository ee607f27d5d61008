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
import mcc.wan.TunnelPair;
import mcc.wan.Wan;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Figures over time: two nodes that carry all they can for {@code -Dbench.minutes=10}, over a plain link and over a hostile
 * one. What grows without end is a leak: the first minute warms up, each later one is compared with the second.
 */
@Tag("bench")
class SoakBench {
    private static final int MINUTES = Integer.getInteger("bench.minutes", 10);
    private static final int MINUTE_S = Integer.getInteger("bench.minute", 60);
    private static final double GROWTH_MB = 16;

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
            System.out.println("minute: MB checked; of provider and user: MB alive, MB resident, descriptors");
            double[][] second = new double[2][];
            for (int minute = 1; minute <= MINUTES; minute++) {
                long endNs = System.nanoTime() + MINUTE_S * 1_000_000_000L;
                until(endNs);
                assertThat(started).as("source and sink run").allMatch(Process::isAlive);
                String line = minute + ": " + last(sink);
                RealNode[] nodes = {pair.provider, pair.user};
                for (int i = 0; i < 2; i++) {
                    Process process = nodes[i].process;
                    double[] now = {least(process), Figures.rss(process), Figures.descriptors(process)};
                    line += String.format(Locale.ROOT, "; %.1f, %.0f, %.0f", now[0], now[1], now[2]);
                    if (minute <= 2) second[i] = now;
                    assertThat(now[0]).as("alive on the heap: " + line).isLessThan(second[i][0] + GROWTH_MB);
                    assertThat(now[2]).as("descriptors: " + line).isLessThan(second[i][2] + 10);
                }
                System.out.println(line);
            }
            for (RealNode node : List.of(pair.provider, pair.user)) {
                System.out.println("counters that are not zero: " + counters(pair, node));
                assertThat(node.log()).doesNotContain("Exception").doesNotContain("ERROR");
            }
            assertThat(source.ready())
                    .as("the source has nothing to complain of")
                    .isFalse();
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

    /** The newest of the lines that the sink prints each second. */
    private static String last(BufferedReader out) throws Exception {
        String line = out.readLine();
        while (out.ready()) line = out.readLine();
        return line;
    }

    private static Map<String, Long> counters(TunnelPair pair, RealNode node) throws Exception {
        Map<String, Long> out = new TreeMap<>();
        String ns = node == pair.provider ? pair.providersNs : pair.usersNs;
        String text = TwoHosts.sh(TwoHosts.in(ns, "curl -s " + node.http + "/metrics"));
        for (String line : text.split("\n")) {
            if (!line.matches("mcc_(link|stream|udp|session)_.*")) continue;
            double value = Double.parseDouble(line.substring(line.lastIndexOf(' ')));
            if (value != 0) out.put(line.substring(0, line.lastIndexOf(' ')), (long) value);
        }
        return out;
    }
}
