package mcc.stream;

import java.util.Arrays;
import java.util.Locale;
import java.util.function.Consumer;
import mcc.congestion.Bbr;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The links by which congestion control is judged, in virtual time: 100 Mbit/s unless said otherwise, packets of 1,200 bytes
 * and 28 of IP and UDP. Prints payload in Mbit/s (median of five seeds, least), the share that was sent twice, and the mean
 * standing queue in bandwidth-delay products; then how flows share a link. {@code -Dbench.only=300} picks rows by name.
 */
@Tag("bench")
class GoodputBench {
    private static final long RATE = 12_500_000;
    private static final int SECONDS = 30;
    private static final int SEEDS = Integer.getInteger("bench.seeds", 5);
    private static final String ONLY = System.getProperty("bench.only", "");

    @Test
    void matrix() {
        System.out.printf(Locale.ROOT, "%-40s %8s %8s %8s %8s%n", "link", "Mbit/s", "least", "resent %", "queue");
        for (int loss : new int[] {0, 10_000, 50_000, 100_000, 150_000}) {
            row(loss / 10_000 + " % loss, 100 ms, 1 BDP", loss, 100, 1, _ -> {});
        }
        row("1 % loss, 300 ms", 10_000, 300, 1, _ -> {});
        row("5 % loss, 300 ms", 50_000, 300, 1, _ -> {});
        row("5 % loss in bursts of 4", 50_000, 100, 1, p -> p.both(l -> l.burst = 4));
        row("20 % loss of acknowledgements", 0, 100, 1, p -> p.links[1].lossPpm = 200_000);
        row("5 % loss, 20 % of acknowledgements", 50_000, 100, 1, p -> p.links[1].lossPpm = 200_000);
        row("jitter 50 ms", 0, 100, 1, p -> p.both(l -> l.jitterNs = 50 * Pair.MS));
        row("1 % loss, jitter 50 ms", 10_000, 100, 1, p -> p.both(l -> l.jitterNs = 50 * Pair.MS));
        for (double bdp : new double[] {0.02, 0.1, 0.3, 2}) row("queue of " + bdp + " BDP", 0, 100, bdp, _ -> {});
        row("5 % loss, queue of 0.1 BDP", 50_000, 100, 0.1, _ -> {});
        row("5 % loss, 20 ms", 50_000, 20, 1, _ -> {});
        for (int loss : new int[] {0, 10_000}) {
            row(loss / 10_000 + " % loss, 100-10-100 Mbit/s", loss, 100, 1, _ -> {}, GoodputBench::steps);
        }
    }

    @Test
    void sharing() {
        System.out.printf(
                Locale.ROOT,
                "%-40s %8s %8s %8s %8s  %s%n",
                "flows, second half",
                "Jain",
                "least",
                "sum",
                "resent %",
                "Mbit/s of one run");
        for (int flows : new int[] {2, 4}) {
            for (int loss : new int[] {0, 50_000}) share(flows, loss, 60, 1, 0);
            share(flows, 10_000, 180, 1, 0);
            for (double bdp : new double[] {1, 0.1, 0.02}) share(flows, 0, 60, bdp, 1_000);
        }
        for (double bdp : new double[] {0.3, 1, 2}) compete(bdp);
    }

    /** How long short transfers take, one after the other, until the receiver has read the end. */
    @Test
    void tails() {
        System.out.printf(Locale.ROOT, "%-40s %8s %8s %8s%n", "20,000 bytes, ms", "mean", "median", "95th %");
        for (int rttMs : new int[] {2, 100}) {
            for (int loss : new int[] {10_000, 50_000, 100_000}) {
                Pair pair = pair(1, loss, rttMs, 1, 1);
                double[] took = new double[300];
                for (int i = 0; i < took.length; i++) {
                    long startNs = pair.nowNs;
                    Transfer transfer = new Transfer(pair, 0, 20_000);
                    pair.run(60_000 * Pair.MS, () -> transfer.ended);
                    took[i] = (pair.nowNs - startNs) / 1e6;
                    pair.run(1_000 * Pair.MS);
                }
                Arrays.sort(took);
                double mean = Arrays.stream(took).average().orElse(0);
                String name = loss / 10_000 + " % loss, " + rttMs + " ms";
                System.out.printf(Locale.ROOT, "%-40s %8.1f %8.1f %8.1f%n", name, mean, took[150], took[285]);
            }
        }
    }

    private static void steps(Pair pair) {
        for (long rate : new long[] {RATE, RATE / 10, RATE}) {
            pair.both(l -> l.rateBytesPerSecond = rate);
            pair.run(SECONDS * 1_000 * Pair.MS / 3);
        }
    }

    private static void row(String name, int lossPpm, int rttMs, double bdp, Consumer<Pair> more) {
        row(name, lossPpm, rttMs, bdp, more, pair -> pair.run(SECONDS * 1_000 * Pair.MS));
    }

    private static void row(String name, int lossPpm, int rttMs, double bdp, Consumer<Pair> more, Consumer<Pair> run) {
        if (!name.contains(ONLY)) return;
        double[] rates = new double[SEEDS];
        double resent = 0;
        double queue = 0;
        for (int seed = 0; seed < SEEDS; seed++) {
            Pair pair = pair(1, lossPpm, rttMs, bdp, seed);
            more.accept(pair);
            Transfer transfer = new Transfer(pair, 0, Long.MAX_VALUE / 4);
            run.accept(pair);
            rates[seed] = transfer.read * 8e-6 / SECONDS;
            Pair.Link link = pair.links[0];
            resent += 100.0 * (link.queueDropped + link.dropped) / link.packets / SEEDS;
            queue += link.queueSumNs / (double) link.packets / (rttMs * Pair.MS) / SEEDS;
        }
        Arrays.sort(rates);
        System.out.printf(
                Locale.ROOT, "%-40s %8.1f %8.1f %8.1f %8.2f%n", name, rates[SEEDS / 2], rates[0], resent, queue);
    }

    /** Runs flows that start {@code gapMs} after each other. */
    private static void share(int flows, int lossPpm, int seconds, double bdp, int gapMs) {
        String name = flows + " flows, " + lossPpm / 10_000 + " % loss, " + bdp + " BDP, " + seconds + " s";
        if (gapMs > 0) name += ", staggered";
        if (!name.contains(ONLY)) return;
        double[] jain = new double[SEEDS];
        double sum = 0;
        double resent = 0;
        String rates = "";
        for (int seed = 0; seed < SEEDS; seed++) {
            Pair pair = pair(flows, lossPpm, 100, bdp, seed);
            Transfer[] transfers = new Transfer[flows];
            for (int i = 0; i < flows; i++) {
                transfers[i] = new Transfer(pair, 2 * i, Long.MAX_VALUE / 4);
                pair.run(gapMs * Pair.MS);
            }
            pair.run((seconds * 500L - flows * gapMs) * Pair.MS);
            long[] before = Arrays.stream(transfers).mapToLong(t -> t.read).toArray();
            pair.run(seconds / 2 * 1_000L * Pair.MS);
            double total = 0;
            double squares = 0;
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < flows; i++) {
                double rate = (transfers[i].read - before[i]) * 8e-6 / (seconds / 2);
                total += rate;
                squares += rate * rate;
                line.append(String.format(Locale.ROOT, " %.1f", rate));
            }
            jain[seed] = total * total / (flows * squares);
            sum += total / SEEDS;
            Pair.Link link = pair.links[0];
            resent += 100.0 * (link.queueDropped + link.dropped) / link.packets / SEEDS;
            rates = line.toString();
        }
        Arrays.sort(jain);
        System.out.printf(
                Locale.ROOT, "%-40s %8.2f %8.2f %8.1f %8.1f %s%n", name, jain[SEEDS / 2], jain[0], sum, resent, rates);
    }

    private static void compete(double bdp) {
        String name = "against CUBIC, " + bdp + " BDP, 60 s";
        if (!name.contains(ONLY)) return;
        double[] share = new double[SEEDS];
        double sum = 0;
        for (int seed = 0; seed < SEEDS; seed++) {
            Pair pair = pair(1, 0, 100, bdp, seed);
            CubicFlow cubic = new CubicFlow(pair);
            pair.join(cubic);
            pair.run(1_000 * Pair.MS);
            Transfer transfer = new Transfer(pair, 0, Long.MAX_VALUE / 4);
            pair.run(30_000 * Pair.MS);
            long before = transfer.read;
            long cubicBefore = cubic.readBytes();
            pair.run(30_000 * Pair.MS);
            share[seed] = (transfer.read - before) * 8e-6 / 30;
            sum += share[seed] / SEEDS + (cubic.readBytes() - cubicBefore) * 8e-6 / 30 / SEEDS;
        }
        Arrays.sort(share);
        System.out.printf(
                Locale.ROOT, "%-40s %26.1f %8s  %.1f (least %.1f)%n", name, sum, "", share[SEEDS / 2], share[0]);
    }

    private static Pair pair(int flows, int lossPpm, int rttMs, double bdp, long seed) {
        Pair pair = new Pair(GoodputTest.config(Bbr::new), seed, flows);
        pair.keepEvents = false;
        return pair.both(l -> {
            l.delayNs = rttMs * Pair.MS / 2;
            l.lossPpm = lossPpm;
            l.rateBytesPerSecond = RATE;
            l.queueBytes = (long) (bdp * RATE * rttMs / 1_000);
        });
    }
}
