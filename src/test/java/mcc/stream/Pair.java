package mcc.stream;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.PriorityQueue;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Rng;

/** Two connections joined by a simulated link, in virtual time. */
final class Pair {
    static final long MS = 1_000_000;
    static final int MTU = 1_171;

    /** One direction of a link; rate 0 is unlimited. */
    static final class Link {
        long delayNs = 10 * MS;
        long jitterNs;
        int lossPpm;
        int burst = 1;
        int duplicatePpm;
        long rateBytesPerSecond;
        long queueBytes = Long.MAX_VALUE;
        int mtu = 1_500;
        boolean cut;
        int cePpm;

        long busyUntilNs;
        int burstLeft;
        long packets;
        long dropped;
        long queueDropped;
        long queueSumNs;
    }

    private record Flight(long atNs, long seq, int to, byte[] bytes, boolean ce) implements Comparable<Flight> {
        @Override
        public int compareTo(Flight o) {
            return atNs != o.atNs ? Long.compare(atNs, o.atNs) : Long.compare(seq, o.seq);
        }
    }

    final Connection[] ends = new Connection[2];
    final Budget[] budgets = new Budget[2];
    final Counters[] counters = {new Counters(), new Counters()};
    final Link[] links = {new Link(), new Link()};
    /** Called after anything happened at an end: the application. */
    final Runnable[] apps = {() -> {}, () -> {}};

    final List<List<Event>> events = List.of(new ArrayList<>(), new ArrayList<>());
    private final PriorityQueue<Flight> flights = new PriorityQueue<>();
    private final Rng rng;
    private final byte[] buf = new byte[2_000];
    private long seq;
    long nowNs = 1_000 * MS;
    long ticks;
    long trace = 17;
    boolean keepEvents = true;

    Pair(Config config, long seed) {
        rng = Rng.seeded(seed);
        for (int i = 0; i < 2; i++) {
            budgets[i] = new Budget(Config.BUDGET_BYTES, counters[i]);
            ends[i] = new Connection(config, i == 0, rng.split(), budgets[i], counters[i]);
        }
    }

    Pair both(java.util.function.Consumer<Link> setting) {
        for (Link link : links) setting.accept(link);
        return this;
    }

    void pump(int i) {
        for (int round = 0; round < 3; round++) {
            for (Event e = ends[i].poll(); e != null; e = ends[i].poll())
                if (keepEvents) events.get(i).add(e);
            apps[i].run();
            for (int n = ends[i].transmit(nowNs, buf, 0, MTU); n > 0; n = ends[i].transmit(nowNs, buf, 0, MTU)) {
                carry(i, n);
            }
        }
        for (Event e = ends[i].poll(); e != null; e = ends[i].poll())
            if (keepEvents) events.get(i).add(e);
    }

    private void carry(int from, int n) {
        Link link = links[from];
        link.packets++;
        trace = trace * 31 + nowNs;
        for (int i = 0; i < n; i++) trace = trace * 31 + buf[i];
        if (n > link.mtu || link.cut || lost(link)) {
            link.dropped++;
            return;
        }
        long leaveNs = nowNs;
        if (link.rateBytesPerSecond > 0) {
            long backlog = Math.max(0, link.busyUntilNs - nowNs) * link.rateBytesPerSecond / 1_000_000_000L;
            if (backlog > link.queueBytes) {
                link.queueDropped++;
                return;
            }
            link.busyUntilNs = Math.max(link.busyUntilNs, nowNs) + (n + 57) * 1_000_000_000L / link.rateBytesPerSecond;
            leaveNs = link.busyUntilNs;
            link.queueSumNs += leaveNs - nowNs;
        }
        int copies = rng.chance(link.duplicatePpm) ? 2 : 1;
        for (int i = 0; i < copies; i++) {
            long jitter = link.jitterNs == 0 ? 0 : rng.below(link.jitterNs);
            flights.add(new Flight(
                    leaveNs + link.delayNs + jitter,
                    seq++,
                    1 - from,
                    java.util.Arrays.copyOf(buf, n),
                    rng.chance(link.cePpm)));
        }
    }

    private boolean lost(Link link) {
        if (link.burstLeft > 0) {
            link.burstLeft--;
            return true;
        }
        if (!rng.chance(link.lossPpm / link.burst)) return false;
        link.burstLeft = link.burst - 1;
        return true;
    }

    /** Runs until {@code done} or {@code untilNs}; returns whether it was done. */
    boolean run(long forNs, java.util.function.BooleanSupplier done) {
        long untilNs = nowNs + forNs;
        pump(0);
        pump(1);
        while (!done.getAsBoolean()) {
            long next = Math.min(ends[0].deadlineNs(), ends[1].deadlineNs());
            Flight flight = flights.peek();
            if (flight != null) next = Math.min(next, flight.atNs);
            if (next > untilNs || next == Core.NEVER) {
                nowNs = untilNs;
                return done.getAsBoolean();
            }
            nowNs = Math.max(nowNs, next);
            if (flight != null && flight.atNs <= nowNs) {
                flights.poll();
                ends[flight.to].receive(nowNs, flight.bytes, 0, flight.bytes.length, flight.ce);
                pump(flight.to);
                continue;
            }
            for (int i = 0; i < 2; i++) {
                if (ends[i].deadlineNs() > nowNs) continue;
                ticks++;
                ends[i].tick(nowNs);
                pump(i);
                assertThat(ends[i].deadlineNs()).as("deadline after its tick").isGreaterThan(nowNs);
            }
        }
        return true;
    }

    void run(long forNs) {
        run(forNs, () -> false);
    }
}
