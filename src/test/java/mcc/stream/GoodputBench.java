package mcc.stream;

import java.util.Arrays;
import java.util.Locale;
import java.util.function.Consumer;
import mcc.congestion.CongestionControl;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The matrix of links that congestion control is judged by, in virtual time: 100 Mbit/s unless said otherwise, packets of
 * 1,200 bytes and 28 of IP and UDP. Prints payload in Mbit/s (median of five seeds, least), what was sent twice, and the mean
 * standing queue in bandwidth-delay products.
 */
@Tag("bench")
class GoodputBench {
    private static final long RATE = 12_500_000;
    private static final int SECONDS = 30;
    private static final int SEEDS = 5;

    @Test
    void matrix() {
        System.out.printf(Locale.ROOT, "%-34s %8s %8s %8s %8s%n", "link", "Mbit/s", "least", "resent %", "queue");
        for (int loss : new int[] {0, 10_000, 50_000, 100_000, 150_000}) {
            row(loss / 10_000 + " % loss, 100 ms, 1 BDP", loss, 100, 1, _ -> {});
        }
        row("1 % loss, 300 ms", 10_000, 300, 1, _ -> {});
        row("5 % loss, 300 ms", 50_000, 300, 1, _ -> {});
        row("5 % loss in bursts of 4", 50_000, 100, 1, l -> l.burst = 4);
        row("jitter 50 ms", 0, 100, 1, l -> l.jitterNs = 50 * Pair.MS);
        row("1 % loss, jitter 50 ms", 10_000, 100, 1, l -> l.jitterNs = 50 * Pair.MS);
        for (double bdp : new double[] {0.1, 0.3, 2}) row("queue of " + bdp + " BDP", 0, 100, bdp, _ -> {});
        row("5 % loss, queue of 0.1 BDP", 50_000, 100, 0.1, _ -> {});
    }

    private static void row(String name, int lossPpm, int rttMs, double bdp, Consumer<Pair.Link> more) {
        double[] rates = new double[SEEDS];
        double resent = 0;
        double queue = 0;
        for (int seed = 0; seed < SEEDS; seed++) {
            Pair pair = pair(lossPpm, rttMs, bdp, more, seed);
            Transfer transfer = new Transfer(pair, 0, Long.MAX_VALUE / 4);
            pair.run(SECONDS * 1_000 * Pair.MS);
            rates[seed] = transfer.read * 8e-6 / SECONDS;
            Pair.Link link = pair.links[0];
            resent += 100.0 * (link.queueDropped + link.dropped) / link.packets / SEEDS;
            queue += link.queueSumNs / (double) link.packets / (rttMs * Pair.MS) / SEEDS;
        }
        Arrays.sort(rates);
        System.out.printf(
                Locale.ROOT, "%-34s %8.1f %8.1f %8.1f %8.2f%n", name, rates[SEEDS / 2], rates[0], resent, queue);
    }

    private static Pair pair(int lossPpm, int rttMs, double bdp, Consumer<Pair.Link> more, long seed) {
        Pair pair = new Pair(GoodputTest.config(CongestionControl.Kind.BBR), seed);
        pair.keepEvents = false;
        return pair.both(l -> {
            l.delayNs = rttMs * Pair.MS / 2;
            l.lossPpm = lossPpm;
            l.rateBytesPerSecond = RATE;
            l.queueBytes = (long) (bdp * RATE * rttMs / 1_000);
            more.accept(l);
        });
    }
}
