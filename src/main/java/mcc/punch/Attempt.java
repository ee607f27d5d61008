package mcc.punch;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.stream.IntStream;
import mcc.core.Address;
import mcc.core.Core;
import mcc.core.Id;
import mcc.core.Knock;
import mcc.core.Rng;
import mcc.punch.Punch.Output;
import mcc.wire.Limits;
import mcc.wire.Outside;
import mcc.wire.Outside.Allocation;
import org.jspecify.annotations.Nullable;

/**
 * One attempt toward one peer: opens the ends that its plan needs, and when told to begin sends by the plan.
 *
 * <p>Opening → echoing (a peer says at which address it sees the fresh end) → ready → begun → over.
 */
final class Attempt {
    private static final long MS = 1_000_000;
    /** The challenges to each candidate: first one that gets past this node's NAT only, then those that may meet. */
    static final long[] OFFSETS_NS = {0, 40 * MS, 150 * MS, 400 * MS, 1_000 * MS};
    /** Ends of a node whose NAT draws ports from all, and from a block. */
    static final int ENDS = 600;

    static final int ENDS_OF_BLOCK = 128;
    /** Ports of a peer that are probed at most. */
    static final int GUESSES = 600;
    /** Mappings of a NAT that gives out ports one after the other that may come between the echo and the attempt. */
    private static final int OTHERS = 16;

    private static final int AIM_MAX = 64;
    /** How much later than the other's first guesses whole challenges are due: it may begin later by that. */
    private static final long HOLD_NS = 100 * MS;

    private static final int OPENING_MAX = 16;
    private static final long GUESS_NS = 8 * MS;
    private static final long SPREAD_NS = MS;
    /** How long the plain challenges have before the many begin: where the peer's NAT lets them in, no others are needed. */
    static final long FIRST_NS = 200 * MS;

    private static final long ECHO_NS = 400 * MS;
    private static final int ECHOES = 2;
    /** How long preparations may take. */
    static final long PREPARE_NS = 3_000 * MS;
    /** How long the peer's word to begin is awaited. */
    private static final long PATIENCE_NS = 10_000 * MS;
    /** How long answers are awaited after the last challenge. */
    private static final long LINGER_NS = 2_000 * MS;

    private final Id peer;
    final Plan plan;
    private final Outside own;
    private final int step;
    private final Rng rng;
    private final Consumer<Output> out;
    private final LongSupplier tickets;
    private final List<Punch.Mirror> mirrors;
    private final List<Address> hostAddresses;

    // ---- the ends
    final List<Integer> ends = new ArrayList<>();
    private final List<Long> opening = new ArrayList<>();
    private int toOpen;
    private int boundPort;
    private long echo;
    private int echoes;
    private long echoNs = Core.NEVER;
    private @Nullable Address seenAt;
    private long readyByNs;
    private boolean ready;

    // ---- the challenges
    private long beganNs = Core.NEVER;
    private List<Address> candidates = List.of();
    private Outside other = Outside.UNKNOWN;
    private int challenges;
    private int rounds;
    private int spread;
    private int guessed;
    private int[] ports = {};
    private long guessesFromNs = Core.NEVER;

    /**
     * @param step of a NAT that gives out ports one after the other
     * @param hostAddresses the addresses that this node tells of itself
     */
    Attempt(
            Id peer,
            Plan plan,
            Outside own,
            int step,
            List<Address> hostAddresses,
            List<Punch.Mirror> mirrors,
            Rng rng,
            LongSupplier tickets,
            Consumer<Output> out) {
        this.peer = peer;
        this.plan = plan;
        this.own = own;
        this.step = step;
        this.hostAddresses = hostAddresses;
        this.mirrors = mirrors;
        this.rng = rng;
        this.tickets = tickets;
        this.out = out;
    }

    // ---- before it begins -------------------------------------------------------------------------------------------

    void prepare(long nowNs) {
        readyByNs = nowNs + PREPARE_NS;
        toOpen = plan == Plan.SPREAD
                ? (own.allocation() == Allocation.BLOCK ? ENDS_OF_BLOCK : ENDS)
                : plan.opensEnds() ? 1 : 0;
        if (toOpen == 0) ready = true;
        open();
    }

    private void open() {
        while (opening.size() < OPENING_MAX && toOpen > 0) {
            toOpen--;
            long ticket = tickets.getAsLong();
            opening.add(ticket);
            out.accept(new Output.OpenEnd(ticket, true));
        }
    }

    /** Takes an end if this attempt asked for it. */
    boolean opened(long nowNs, long ticket, int end, Address local) {
        if (!opening.remove(ticket)) return false;
        ends.add(end);
        open();
        if (plan == Plan.SPREAD) ready |= opening.isEmpty();
        else {
            boundPort = local.port();
            if (plan == Plan.AIM && own.allocation() == Allocation.PRESERVING) ready = true;
            else echo(nowNs);
        }
        return true;
    }

    boolean notOpened(long ticket) {
        if (!opening.remove(ticket)) return false;
        toOpen = 0; // there is no room for more
        ready |= opening.isEmpty();
        return true;
    }

    private void echo(long nowNs) {
        if (echoes == Math.min(ECHOES, mirrors.size())) {
            ready = true;
            echoNs = Core.NEVER;
            return;
        }
        Punch.Mirror mirror = mirrors.get(echoes++);
        echo = rng.nextLong();
        echoNs = nowNs + ECHO_NS;
        out.accept(new Output.Echo(mirror.id(), ends.getFirst(), mirror.at(), echo));
    }

    void echoed(int end, long nonce, Address self) {
        if (echoNs == Core.NEVER || nonce != echo || end != ends.getFirst() || !self.isV4()) return;
        seenAt = self;
        echoNs = Core.NEVER;
        ready = true;
    }

    boolean isReady() {
        return ready;
    }

    /** Whether the end that it opened is of no use: nobody said where it is seen. */
    private boolean isBlind() {
        return ends.isEmpty() || plan != Plan.SPREAD && own.allocation() != Allocation.PRESERVING && seenAt == null;
    }

    /** Where the peer is to send to. */
    List<Address> candidates() {
        if (plan != Plan.FRESH || isBlind()) return hostAddresses;
        List<Address> fresh = new ArrayList<>();
        if (seenAt != null) fresh.add(seenAt);
        for (Address each : hostAddresses) {
            boolean inside = each.isV4() && each.isLocal();
            if (inside) fresh.add(new Address(each.high(), each.low(), boundPort));
            else if (!each.isV4()) fresh.add(each);
        }
        return List.copyOf(fresh.subList(0, Math.min(fresh.size(), Limits.CONTACT_ADDRESSES)));
    }

    /** At which ports the peer is to look for this node. */
    Outside outside() {
        if (plan != Plan.AIM || isBlind()) return own;
        Address at = own.allocation() == Allocation.PRESERVING ? own.expected() : seenAt;
        if (at == null) return own;
        if (own.allocation() == Allocation.PRESERVING) return range(at, boundPort, boundPort + 1);
        int steps = Math.min(AIM_MAX, OTHERS * Math.max(1, Math.abs(step)));
        return step < 0 ? range(at, at.port() - steps, at.port()) : range(at, at.port() + 1, at.port() + 1 + steps);
    }

    private Outside range(Address ip, int from, int to) {
        int first = Math.max(1, from);
        int end = Math.min(Outside.COUNT_MAX, to);
        if (first >= end) return own;
        return new Outside(own.allocation(), new Address(ip.high(), ip.low(), first), end - first);
    }

    // ---- once it has begun ------------------------------------------------------------------------------------------

    /**
     * @param candidates where the peer may be, as far as that may be tried
     * @param other how the peer's NAT gives out ports
     */
    void begin(long atNs, List<Address> candidates, Outside other) {
        if (beganNs != Core.NEVER) return;
        beganNs = atNs;
        this.candidates = candidates;
        this.other = other;
        boolean many = plan == Plan.PROBE && other.count() > AIM_MAX;
        if (plan == Plan.PROBE && other.expected() != null) {
            ports = many ? drawn(other) : inOrder(other);
            long spreadNs = ENDS * SPREAD_NS;
            guessesFromNs = atNs + (many ? FIRST_NS + spreadNs : OFFSETS_NS[1]);
        }
    }

    boolean hasBegun() {
        return beganNs != Core.NEVER;
    }

    /** How many were sent so far. */
    int challenges() {
        return challenges;
    }

    boolean isOver(long nowNs) {
        return nowNs >= overNs();
    }

    private long overNs() {
        if (!hasBegun()) return readyByNs + PATIENCE_NS;
        long last = beganNs + OFFSETS_NS[OFFSETS_NS.length - 1] + holdNs();
        if (plan == Plan.SPREAD) last = beganNs + FIRST_NS + (ENDS * SPREAD_NS) + GUESSES * GUESS_NS;
        if (ports.length > 0) last = Math.max(last, guessesFromNs + ports.length * GUESS_NS);
        return last + LINGER_NS;
    }

    private static int[] drawnFrom(int[] all, int count, Rng rng) {
        for (int i = 0; i < count; i++) {
            int j = i + rng.below(all.length - i);
            int swap = all[i];
            all[i] = all[j];
            all[j] = swap;
        }
        return Arrays.copyOf(all, count);
    }

    private int[] drawn(Outside range) {
        int[] all = inOnce(range);
        return drawnFrom(all, Math.min(GUESSES, all.length), rng);
    }

    /** Twice, as one of the two may be too early. */
    private static int[] inOrder(Outside range) {
        int[] once = inOnce(range);
        int[] twice = Arrays.copyOf(once, 2 * once.length);
        System.arraycopy(once, 0, twice, once.length, once.length);
        return twice;
    }

    private static int[] inOnce(Outside range) {
        Address first = range.expected();
        if (first == null) return new int[0];
        return IntStream.range(first.port(), first.port() + range.count())
                .filter(Punch::mayBeProbed)
                .toArray();
    }

    void tick(long nowNs) {
        if (echoNs <= nowNs) echo(nowNs);
        ready |= nowNs >= readyByNs;
        if (!hasBegun()) return;
        while (roundNs() <= nowNs) {
            Knock manner = rounds == 0 && plan != Plan.SPREAD ? Knock.SHORT : Knock.PLAIN;
            rounds++;
            for (Address each : candidates) knock(each, end(each), manner);
        }
        while (spreadNs() <= nowNs) knock(first4(), ends.get(spread++), Knock.SPREAD);
        while (guessNs() <= nowNs) {
            Address ip = other.expected();
            if (ip != null) knock(new Address(ip.high(), ip.low(), ports[guessed]), Punch.MAIN, Knock.GUESS);
            guessed++;
        }
    }

    private int end(Address to) {
        boolean fresh = plan == Plan.FRESH || plan == Plan.AIM;
        return fresh && to.isV4() && !isBlind() ? ends.getFirst() : Punch.MAIN;
    }

    /** The many take the place of the later rounds. */
    private int rounds() {
        return plan == Plan.SPREAD || ports.length > 2 * AIM_MAX ? 2 : OFFSETS_NS.length;
    }

    private long roundNs() {
        if (!hasBegun() || rounds >= rounds()) return Core.NEVER;
        return beganNs + OFFSETS_NS[rounds] + (rounds == 0 ? 0 : holdNs());
    }

    /**
     * Whole challenges to one that guesses come after its guesses: a router that takes for itself what belongs to no flow would
     * keep that flow from its host. Until then the short one has opened this node's NAT to the guesses.
     */
    private long holdNs() {
        return plan == Plan.AIM ? outside().count() * GUESS_NS + HOLD_NS : 0;
    }

    private @Nullable Address first4() {
        for (Address each : candidates) if (each.isV4() && !each.isLocal()) return each;
        return null;
    }

    private long spreadNs() {
        if (plan != Plan.SPREAD || !hasBegun() || spread >= ends.size() || first4() == null) return Core.NEVER;
        return beganNs + FIRST_NS + spread * SPREAD_NS;
    }

    private long guessNs() {
        return guessed < ports.length ? guessesFromNs + guessed * GUESS_NS : Core.NEVER;
    }

    private void knock(@Nullable Address at, int local, Knock manner) {
        if (at == null) return;
        challenges++;
        out.accept(new Output.Challenge(peer, at, local, manner));
    }

    long deadlineNs() {
        if (!hasBegun()) return Math.min(echoNs, ready ? overNs() : readyByNs);
        return Math.min(Math.min(roundNs(), overNs()), Math.min(spreadNs(), guessNs()));
    }
}
