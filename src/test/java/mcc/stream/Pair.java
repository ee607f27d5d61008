package mcc.stream;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongUnaryOperator;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Rng;

/**
 * Connections joined by one simulated link, in virtual time. End 2k talks to end 2k + 1; the even ends share one direction of
 * the link, the odd ends the other.
 */
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

        /** Takes a packet; returns when it arrives, before jitter is added, or {@link Core#NEVER} if it is lost. */
        long pass(long nowNs, int bytes, Rng rng) {
            packets++;
            if (bytes > mtu || cut || lost(rng)) {
                dropped++;
                return Core.NEVER;
            }
            if (rateBytesPerSecond == 0) return nowNs + delayNs;
            long backlog = (long) (Math.max(0, busyUntilNs - nowNs) * 1e-9 * rateBytesPerSecond);
            if (backlog > queueBytes) {
                queueDropped++;
                return Core.NEVER;
            }
            busyUntilNs = Math.max(busyUntilNs, nowNs) + (bytes + 57) * 1_000_000_000L / rateBytesPerSecond;
            queueSumNs += busyUntilNs - nowNs;
            return busyUntilNs + delayNs;
        }

        private boolean lost(Rng rng) {
            if (burstLeft > 0) {
                burstLeft--;
                return true;
            }
            if (!rng.chance(lossPpm / burst)) return false;
            burstLeft = burst - 1;
            return true;
        }
    }

    private record Flight(long atNs, long seq, int to, byte[] bytes, boolean ce) implements Comparable<Flight> {
        @Override
        public int compareTo(Flight o) {
            return atNs != o.atNs ? Long.compare(atNs, o.atNs) : Long.compare(seq, o.seq);
        }
    }

    final Connection[] ends;
    final Budget[] budgets;
    final Counters[] counters;
    final Link[] links = {new Link(), new Link()};
    /** The application at each end, which runs after anything happened there. */
    final Runnable[] apps;

    final List<List<Event>> events = new ArrayList<>();
    /** The streams that each end has had, by their numbers. */
    private final List<Map<Long, Stream>> streams = new ArrayList<>();
    /** How many bytes a packet may hold. */
    int max = MTU;
    /** A host looks at its socket and its clock only at multiples of this. */
    long grainNs = 1;
    /** Another user of the link: runs before anything else at the time that it named, and returns the next such time. */
    LongUnaryOperator other = _ -> Core.NEVER;

    private long otherNs = Core.NEVER;
    private final PriorityQueue<Flight> flights = new PriorityQueue<>();
    private final Rng rng;
    private final byte[] buf = new byte[20_000];
    private long seq;
    long nowNs = 1_000 * MS;
    long ticks;
    long trace = 17;
    /** Whether events and a hash of all packets are kept: long transfers switch it off. */
    boolean keepEvents = true;

    Pair(StreamConfig config, long seed) {
        this(config, seed, 1);
    }

    Pair(StreamConfig config, long seed, int flows) {
        int count = 2 * flows;
        rng = Rng.seeded(seed);
        ends = new Connection[count];
        budgets = new Budget[count];
        counters = new Counters[count];
        apps = new Runnable[count];
        for (int i = 0; i < count; i++) {
            counters[i] = new Counters();
            apps[i] = () -> {};
            events.add(new ArrayList<>());
            streams.add(new HashMap<>());
            budgets[i] = new Budget(StreamConfig.BUDGET_BYTES, counters[i]);
            ends[i] = new Connection(config, i % 2 == 0, rng.split(), budgets[i], counters[i]);
            ends[i].agreed(config.limits(), config.limits());
        }
    }

    Pair both(Consumer<Link> setting) {
        for (Link link : links) setting.accept(link);
        return this;
    }

    /** Opens a stream at one end; returns its number, -1 when that was refused. */
    long open(int end) {
        Stream stream = ends[end].open();
        if (stream == null) return -1;
        streams.get(end).put(stream.id, stream);
        return stream.id;
    }

    /** One end's stream of this number, also after it was finished; null when that end has none yet. */
    Stream at(int end, long id) {
        return streams.get(end).get(id);
    }

    /** Whether an end has no stream open, and waits for no acknowledgement. */
    boolean isIdle(int end) {
        return ends[end].openStreams() == 0 && ends[end].unackedSinceNs() == Core.NEVER;
    }

    private void drain(int i) {
        for (Event e = ends[i].poll(); e != null; e = ends[i].poll()) {
            if (e instanceof Event.Opened o) streams.get(i).put(o.stream().id, o.stream());
            if (keepEvents) events.get(i).add(e);
        }
    }

    void pump(int i) {
        for (int round = 0; round < 3; round++) {
            drain(i);
            apps[i].run();
            for (int n = ends[i].transmit(nowNs, buf, 0, max); n > 0; n = ends[i].transmit(nowNs, buf, 0, max)) {
                carry(i, n);
            }
        }
        drain(i);
    }

    private void carry(int from, int n) {
        if (keepEvents) {
            trace = trace * 31 + nowNs;
            for (int i = 0; i < n; i++) trace = trace * 31 + buf[i];
        }
        Link link = links[from % 2];
        long arrivalNs = link.pass(nowNs, n, rng);
        if (arrivalNs == Core.NEVER) return;
        int copies = rng.chance(link.duplicatePpm) ? 2 : 1;
        for (int i = 0; i < copies; i++) {
            long jitterNs = link.jitterNs == 0 ? 0 : rng.below(link.jitterNs);
            byte[] bytes = Arrays.copyOf(buf, n);
            flights.add(new Flight(grain(arrivalNs + jitterNs), seq++, from ^ 1, bytes, rng.chance(link.cePpm)));
        }
    }

    private long grain(long ns) {
        return (ns + grainNs - 1) / grainNs * grainNs;
    }

    private long deadlineNs() {
        long next = Core.NEVER;
        for (Connection end : ends) next = Math.min(next, end.deadlineNs());
        return next == Core.NEVER ? next : Math.max(nowNs, grain(next));
    }

    /** Lets another user of the link begin now. */
    void join(LongUnaryOperator user) {
        other = user;
        otherNs = nowNs;
    }

    /** Runs until {@code done} or {@code untilNs}; returns whether it was done. */
    boolean run(long forNs, BooleanSupplier done) {
        long untilNs = nowNs + forNs;
        for (int i = 0; i < ends.length; i++) pump(i);
        while (!done.getAsBoolean()) {
            long next = Math.min(deadlineNs(), otherNs);
            Flight flight = flights.peek();
            if (flight != null) next = Math.min(next, flight.atNs);
            if (next > untilNs || next == Core.NEVER) {
                nowNs = untilNs;
                return done.getAsBoolean();
            }
            nowNs = Math.max(nowNs, next);
            if (otherNs <= nowNs) {
                otherNs = other.applyAsLong(nowNs);
            } else if (flight != null && flight.atNs <= nowNs) {
                deliver(flight);
            } else {
                tick();
            }
        }
        return true;
    }

    /** Hands in all that has arrived for an end by now, then lets it answer. */
    private void deliver(Flight first) {
        int to = first.to;
        for (Flight f = first; f != null && f.atNs <= nowNs && f.to == to; f = flights.peek()) {
            flights.poll();
            ends[to].receive(nowNs, f.bytes, 0, f.bytes.length, f.ce);
            if (grainNs == 1) break;
        }
        pump(to);
    }

    private void tick() {
        for (int i = 0; i < ends.length; i++) {
            if (ends[i].deadlineNs() > nowNs) continue;
            ticks++;
            ends[i].tick(nowNs);
            pump(i);
            assertThat(ends[i].deadlineNs()).as("deadline after its tick").isGreaterThan(nowNs);
        }
    }

    void run(long forNs) {
        run(forNs, () -> false);
    }
}
