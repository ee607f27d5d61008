package mcc.punch;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import mcc.core.Address;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Knock;
import mcc.core.Rng;
import mcc.sim.NatBehavior;
import mcc.sim.NatBox;
import mcc.wire.Capabilities;
import mcc.wire.Message;
import mcc.wire.Outside;
import mcc.wire.Outside.Allocation;

/**
 * Two nodes behind NATs in virtual time, which a relay joins: what they ask and answer goes by the relay, challenges go straight. A
 * challenge that arrives is answered to where it came from, and asked back; an answer proves a path, as {@code link.Paths} has it.
 */
final class PunchNet {
    static final long MS = 1_000_000;
    static final long SECOND = 1_000 * MS;
    private static final Address CIRCUIT = Address.circuit(1);
    private static final int PORT = 9_376;
    private static final long HELPER_NS = 10 * MS;

    private record Event(long atNs, long number, Runnable what) {}

    /** One node, its NAT, and its end of the link. */
    final class End {
        final Id id = Id.random(rng);
        final Counters counters = new Counters();
        final Punch core = new Punch(id, rng.split(), counters);
        final NatBox box;
        final Address host;
        final List<Integer> openEnds = new ArrayList<>();
        private final Map<Integer, Address> ends = new LinkedHashMap<>();
        private int lastEnd = 70_000;
        End other;
        Address direct;
        long directNs = Core.NEVER;
        long sent;
        long sentToStranger;
        long opened;
        private long signalBytes;

        End(NatBehavior behavior, int number, int port) {
            Address outside = Address.v4(0xcb007100 + 16 * number, 0);
            box = behavior == null ? null : new NatBox(behavior, outside, rng.split());
            host = box == null ? Address.v4(0xc6336401 + number, port) : Address.v4(0xc0a80105 + (number << 8), port);
            ends.put(Punch.MAIN, host);
        }

        /** What it knows before the two meet: as peers see it. */
        void learn() {
            List<Integer> seen = new ArrayList<>();
            Address first = null;
            for (int i = 0; i < 5; i++) {
                Address at = leaves(host, helper(i));
                if (at == null) continue;
                if (first == null) first = at;
                seen.add(at.port());
            }
            if (first == null) return;
            boolean shared = seen.stream().distinct().count() == 1;
            List<Address> own = new ArrayList<>(List.of(first));
            if (!first.equals(host)) own.add(host);
            input(new Punch.Input.SelfAddresses(own));
            int low = seen.stream().mapToInt(p -> p).min().orElseThrow();
            int high = seen.stream().mapToInt(p -> p).max().orElseThrow();
            int step = seen.get(1) - seen.get(0);
            boolean inRow = Math.abs(step) <= 4 && seen.get(2) - seen.get(1) == step;
            Outside outside;
            if (shared) outside = Outside.of(Allocation.SHARED);
            else if (seen.contains(PORT)) outside = range(Allocation.PRESERVING, first, 1_024, 1_025);
            else if (inRow) outside = Outside.of(Allocation.SEQUENTIAL);
            else if (high - low < 1_024)
                outside = range(Allocation.BLOCK, first, Math.max(1_024, high - 511), Math.min(65_536, low + 512));
            else outside = range(Allocation.RANDOM, first, 1_024, 65_536);
            input(new Punch.Input.Behind(outside, step));
            for (int i = 0; i < 5; i++) {
                input(new Punch.Input.At(new Id(9, 9, 9, i), helper(i), 0, Capabilities.PROBES));
            }
        }

        private static Outside range(Allocation allocation, Address ip, int from, int to) {
            return new Outside(allocation, new Address(ip.high(), ip.low(), from), to - from);
        }

        private Address leaves(Address from, Address to) {
            return box == null ? from : box.out(now, from, to);
        }

        void relayed() {
            input(new Punch.Input.At(other.id, CIRCUIT, 0, Capabilities.PUNCHES));
        }

        void input(Punch.Input input) {
            core.handle(now, input);
            for (Punch.Output o; (o = core.poll()) != null; ) said(o);
            if (core.deadlineNs() <= now) throw new AssertionError("the deadline lies ahead after " + input);
        }

        private void said(Punch.Output output) {
            switch (output) {
                case Punch.Output.Ask a -> {
                    long askedNs = now;
                    signalBytes += 200;
                    byRelay(() -> other.asked(a, askedNs));
                }
                case Punch.Output.Reply r -> {
                    signalBytes += 150;
                    Long askedNs = other.asking.remove(r.call());
                    var answer = (Message.Punching) r.answer();
                    byRelay(() -> other.input(new Punch.Input.Answered(id, r.call(), answer, now - askedNs)));
                }
                case Punch.Output.Challenge c -> challenge(c);
                case Punch.Output.OpenEnd o -> {
                    int end = ++lastEnd;
                    opened++;
                    Address local = new Address(host.high(), host.low(), 20_000 + end % 40_000);
                    after(MS, () -> {
                        ends.put(end, local);
                        openEnds.add(end);
                        input(new Punch.Input.Opened(o.ticket(), end, local));
                    });
                }
                case Punch.Output.CloseEnd c -> {
                    ends.remove(c.end());
                    openEnds.remove((Integer) c.end());
                }
                case Punch.Output.Echo e -> {
                    Address seen = leaves(ends.get(e.end()), e.at());
                    if (seen != null)
                        after(2 * HELPER_NS, () -> input(new Punch.Input.Echoed(e.end(), e.nonce(), seen)));
                }
            }
        }

        private final Map<Long, Long> asking = new LinkedHashMap<>();

        private void asked(Punch.Output.Ask a, long askedNs) {
            other.asking.put(a.call(), askedNs);
            input(new Punch.Input.Asked(other.id, a.call(), (Message.Punch) a.request()));
        }

        private void challenge(Punch.Output.Challenge c) {
            sent++;
            if (other.box == null ? !c.at().sameIp(other.host) : !other.box.owns(c.at())) sentToStranger++;
            Address local = ends.get(c.local());
            if (local == null || direct != null) return;
            boolean arrives = c.manner() == Knock.PLAIN || c.manner() == Knock.GUESS;
            send(local, c.at(), arrives, (at, from) -> other.challenged(at, from));
        }

        /** Sends a datagram from one of its sockets; tells at which address of the other it arrives, and from where. */
        private void send(Address local, Address to, boolean arrives, BiConsumer<Address, Address> then) {
            Address from = leaves(local, to);
            if (from == null || !arrives || rng.below(1_000) < lossPermille) return;
            after(oneWayNs, () -> {
                Address at = other.box == null ? to : other.box.in(now, from, to);
                if (at != null && other.ends.containsValue(at)) then.accept(at, from);
            });
        }

        /** A challenge came to its socket {@code at}: answers, and asks back. */
        private void challenged(Address at, Address from) {
            send(at, from, true, (hisAt, hisFrom) -> other.answered(hisAt, hisFrom));
            if (direct == null) send(at, from, true, (hisAt, hisFrom) -> other.challengedBack(hisAt, hisFrom));
        }

        private void challengedBack(Address at, Address from) {
            send(at, from, true, (hisAt, hisFrom) -> other.answered(hisAt, hisFrom));
        }

        private void answered(Address at, Address from) {
            if (direct != null) return;
            direct = from;
            directNs = now;
            int local = 0;
            for (var each : ends.entrySet()) if (each.getValue().equals(at)) local = each.getKey();
            input(new Punch.Input.At(other.id, from, local, Capabilities.PUNCHES));
        }
    }

    final Rng rng;
    final End a;
    final End b;
    /** Between the two NATs; and by the relay. */
    final long oneWayNs;

    final long relayNs;
    int lossPermille;
    /** By how much the relay is later at most: queues, and hosts that are busy. */
    int relayJitterNs;

    long now = SECOND;
    private long number;
    private final PriorityQueue<Event> events =
            new PriorityQueue<>(Comparator.comparingLong(Event::atNs).thenComparingLong(Event::number));

    PunchNet(long seed, NatBehavior first, NatBehavior second, long oneWayMs) {
        this(seed, first, second, oneWayMs, PORT);
    }

    /** @param port of the first one's links */
    PunchNet(long seed, NatBehavior first, NatBehavior second, long oneWayMs, int port) {
        rng = Rng.seeded(seed);
        oneWayNs = oneWayMs * MS;
        relayNs = oneWayNs + 3 * MS;
        a = new End(first, 0, port);
        b = new End(second, 1, PORT);
        a.other = b;
        b.other = a;
        a.learn();
        b.learn();
    }

    private static Address helper(int i) {
        return Address.v4(0x08080800 + (i << 16), PORT);
    }

    /** The two hear each other by the relay from now on, the second one later by so much. */
    void meet(long skewNs) {
        a.relayed();
        after(skewNs, b::relayed);
    }

    private void byRelay(Runnable what) {
        after(relayNs + rng.below((int) (relayNs / 10 + 1) + relayJitterNs), what);
    }

    void after(long ns, Runnable what) {
        events.add(new Event(now + ns, number++, what));
    }

    boolean isDirect() {
        return a.direct != null && b.direct != null;
    }

    /** Runs until both have a direct path, or so long. */
    void run(long forNs, Consumer<PunchNet> each) {
        long end = now + forNs;
        while (!isDirect()) {
            Event event = events.peek();
            long next = event == null ? Core.NEVER : event.atNs;
            next = Math.min(next, Math.min(a.core.deadlineNs(), b.core.deadlineNs()));
            if (next > end) break;
            now = Math.max(now, next);
            if (event != null && event.atNs <= now) events.remove().what.run();
            else {
                if (a.core.deadlineNs() <= now) a.input(new Punch.Input.Tick());
                if (b.core.deadlineNs() <= now) b.input(new Punch.Input.Tick());
            }
            each.accept(this);
        }
        if (!isDirect()) now = end;
    }
}
