package mcc.punch;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import mcc.core.Address;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Knock;
import mcc.core.RateLimit;
import mcc.core.Rng;
import mcc.punch.PunchReport.Outcome;
import mcc.wire.Capabilities;
import mcc.wire.Contact;
import mcc.wire.Limits;
import mcc.wire.Message;
import mcc.wire.Outside;
import org.jspecify.annotations.Nullable;

/**
 * When and from which ports the two ends of a link that goes by relays send to each other's addresses. Of the two the node
 * with the lower ID leads.
 *
 * <p>An attempt: the leader asks for what the other knows of its addresses and its NAT and tells its own, which measures the
 * round trip; from the two NATs follows each one's {@link Plan}. Where one needs ports of its own, both open them and tell
 * where they will be seen. Then the leader says "go", and the other sends at once, the leader half a round trip later. It ends
 * when the link has another path. The next attempt follows after {@link #PAUSES_NS}, after one with hundreds of ports in ten
 * minutes.
 *
 * <p>Limits: {@link #PEERS_MAX} peers at a time, further ones stay with their relays and are counted; one attempt with
 * hundreds of ports at a time.
 */
public final class Punch implements Core<Punch.Input, Punch.Output> {
    /** Peers that are punched toward at a time. */
    static final int PEERS_MAX = 256;

    private static final long MS = 1_000_000;
    private static final long SECOND = 1_000 * MS;
    /** From one attempt to the next, the last one repeatedly and doubled each time. */
    static final long[] PAUSES_NS = {5 * SECOND / 2, 25 * SECOND, 60 * SECOND};

    static final long PAUSE_MAX_NS = 600 * SECOND;
    /** After an attempt with hundreds of ports: so long both NATs may keep what it made them note. */
    static final long PAUSE_MANY_NS = 600 * SECOND;
    /** How long an answer is awaited: the first of an attempt, after which it is asked again; and the others. */
    static final long ASK_NS = SECOND;

    static final long PATIENCE_NS = 5 * SECOND;
    /** How often it is asked for the first answer of an attempt. */
    static final int ASKS = 3;
    /** Requests of one peer that are answered: so many at once, one a second after that. */
    static final int ASKS_AT_ONCE = 6;

    private static final int MIRRORS_MAX = 32;
    /** The end of the links: no ephemeral one. */
    static final int MAIN = 0;

    /** Inputs. */
    public sealed interface Input {
        /** The addresses at which this node may be reached, best first. */
        record SelfAddresses(List<Address> addresses) implements Input {}

        /** How this node's NAT gives out ports; and the step from one to the next where it counts. */
        record Behind(Outside outside, int step) implements Input {}

        /**
         * The link with a peer uses this address, or a circuit; and what the peer offers to do.
         *
         * @param local this node's end of it, where that is known
         */
        record At(Id peer, Address at, int local, long capabilities) implements Input {}

        /** The link with a peer ended. */
        record Down(Id peer) implements Input {}

        /** A peer asks. */
        record Asked(Id from, long call, Message.Punch request) implements Input {}

        /** A peer answered. */
        record Answered(Id from, long call, Message.Punching answer, long rttNs) implements Input {}

        /** An end was opened, and is bound to {@code local}. */
        record Opened(long ticket, int end, Address local) implements Input {}

        /** An end could not be opened. */
        record NotOpened(long ticket) implements Input {}

        /** A peer sees what {@code end} sent at the address {@code self}. */
        record Echoed(int end, long nonce, Address self) implements Input {}

        /** The links were started again: there is none any longer, and all ends are closed. */
        record LinksStarted() implements Input {}

        /** Time has passed. */
        record Tick() implements Input {}
    }

    /** Outputs. */
    public sealed interface Output {
        /** Ask a peer. */
        record Ask(Contact to, long call, Message request) implements Output {}

        /** Answer a peer. */
        record Reply(Id to, long call, Message answer) implements Output {}

        /** Challenge a peer at an address ({@code link.LinkInput.Knock}). */
        record Challenge(Id peer, Address at, int local, Knock manner) implements Output {}

        /** Open an ephemeral end. Answered by {@link Input.Opened} or {@link Input.NotOpened}. */
        record OpenEnd(long ticket, boolean v4) implements Output {}

        /** Close an ephemeral end. */
        record CloseEnd(int end) implements Output {}

        /** Ask a peer by a datagram from that end where it sees it. */
        record Echo(Id to, int end, Address at, long nonce) implements Output {}
    }

    /** A peer that tells where it sees what comes to it. */
    record Mirror(Id id, Address at) {}

    /** What the leader's request under way is for. */
    private enum Phase {
        ASK,
        READY,
        GO
    }

    /** A peer that only relays reach. */
    private static final class Target {
        final Id peer;
        /** Attempts so far. */
        int attempts;

        long nextNs = NEVER;
        /** The request under way, and when its answer is overdue. */
        long call;

        Phase phase = Phase.ASK;
        int asks;
        long patienceNs = NEVER;
        long rttNs;
        List<Address> candidates = List.of();
        /** Whether the other one may try any of this node's addresses. */
        boolean isFindable;

        Outside outside = Outside.UNKNOWN;

        @Nullable
        Attempt attempt;
        /** The leader's "I am ready", to be answered when this node is. */
        long owed;

        boolean owes;
        boolean waitsForReady;

        Target(Id peer) {
            this.peer = peer;
        }

        long deadlineNs() {
            long at = Math.min(nextNs, patienceNs);
            Attempt attempt = this.attempt;
            if (attempt == null) return at;
            return Math.min(at, attempt.deadlineNs());
        }
    }

    private final Id self;
    private final Rng rng;
    private final Counters counters;
    private final ArrayDeque<Output> outputs = new ArrayDeque<>();
    private final Map<Id, Target> targets = new LinkedHashMap<>();
    private final Map<Id, Mirror> mirrors = new LinkedHashMap<>();
    /** The ends that paths in use, or that were in use, begin at. */
    private final Map<Id, Integer> kept = new LinkedHashMap<>();

    private final RateLimit<Id> asks = new RateLimit<>(1, ASKS_AT_ONCE, 2 * PEERS_MAX);
    private final PunchLog log;
    private List<Address> own = List.of();
    private Outside outside = Outside.UNKNOWN;
    private int step;
    private long tickets;
    private long nowNs;

    public Punch(Id self, Rng rng, Counters counters) {
        this.self = self;
        this.rng = rng;
        this.counters = counters;
        log = new PunchLog(counters);
    }

    /** What was done to reach a peer without a relay. */
    public PunchReport report(Id peer) {
        Target target = targets.get(peer);
        boolean leads = self.compareTo(peer) < 0;
        return log.report(peer, target != null, leads, target == null ? NEVER : target.nextNs);
    }

    @Override
    public void handle(long nowNs, Input input) {
        this.nowNs = nowNs;
        switch (input) {
            case Input.SelfAddresses s ->
                own = List.copyOf(
                        s.addresses().subList(0, Math.min(s.addresses().size(), Limits.CONTACT_ADDRESSES)));
            case Input.Behind b -> {
                outside = b.outside();
                step = b.step();
            }
            case Input.At a -> at(a);
            case Input.Down d -> down(d.peer());
            case Input.Asked a -> asked(a);
            case Input.Answered a -> answered(a);
            case Input.Opened o -> opened(o);
            case Input.NotOpened n -> {
                for (Target each : targets.values()) {
                    if (each.attempt != null && each.attempt.notOpened(n.ticket())) break;
                }
            }
            case Input.Echoed e -> {
                for (Target each : targets.values()) {
                    if (each.attempt != null && each.attempt.ends.contains(e.end())) {
                        each.attempt.echoed(e.end(), e.nonce(), e.self());
                    }
                }
            }
            case Input.LinksStarted _ -> {
                targets.clear();
                mirrors.clear();
                kept.clear();
            }
            case Input.Tick _ -> {}
        }
        tick();
    }

    // ---- the peers --------------------------------------------------------------------------------------------------

    private void at(Input.At a) {
        boolean reflects = a.at().isUnicast() && !a.at().isLocal() && (a.capabilities() & Capabilities.PROBES) != 0;
        if (!reflects) mirrors.remove(a.peer());
        else if (mirrors.size() < MIRRORS_MAX) mirrors.put(a.peer(), new Mirror(a.peer(), a.at()));
        Target known = targets.get(a.peer());
        if (!a.at().isCircuit() || (a.capabilities() & Capabilities.PUNCHES) == 0) {
            if (known == null) return;
            counters.add(a.at().isCircuit() ? "punch.given-up" : "punch.direct");
            log.ended(nowNs, a.peer(), a.at().isCircuit() ? Outcome.ENDED : Outcome.DIRECT);
            targets.remove(a.peer());
            end(known, a.local());
            return;
        }
        if (known != null) return;
        if (targets.size() >= PEERS_MAX) {
            counters.add("punch.full");
            return;
        }
        Target target = new Target(a.peer());
        if (self.compareTo(a.peer()) < 0) target.nextNs = nowNs;
        targets.put(a.peer(), target);
    }

    private void down(Id peer) {
        mirrors.remove(peer);
        Target target = targets.remove(peer);
        if (target != null) {
            end(target, MAIN);
            log.ended(nowNs, peer, Outcome.ENDED);
        }
        Integer end = kept.remove(peer);
        if (end != null) outputs.add(new Output.CloseEnd(end));
    }

    /** Ends an attempt. All its ends are closed but the one that the path in use begins at. */
    private void end(Target target, int local) {
        Attempt attempt = target.attempt;
        target.attempt = null;
        target.owes = false;
        target.waitsForReady = false;
        if (attempt == null) return;
        for (int end : attempt.ends) {
            if (end == local) {
                Integer before = kept.put(target.peer, end);
                if (before != null) outputs.add(new Output.CloseEnd(before));
            } else outputs.add(new Output.CloseEnd(end));
        }
    }

    private void opened(Input.Opened o) {
        for (Target each : targets.values()) {
            if (each.attempt != null && each.attempt.opened(nowNs, o.ticket(), o.end(), o.local())) return;
        }
        outputs.add(new Output.CloseEnd(o.end()));
    }

    // ---- what the two tell each other -------------------------------------------------------------------------------

    private void asked(Input.Asked a) {
        Target target = targets.get(a.from());
        boolean leads = self.compareTo(a.from()) < 0;
        if (target == null || leads || !asks.take(nowNs, a.from())) {
            counters.add("punch.refused");
            log.refused(a.from());
            return;
        }
        learn(target, a.request().candidates(), a.request().outside());
        if (!a.request().ready() && !a.request().go()) {
            end(target, MAIN);
            log.begun(nowNs, a.from());
            prepare(target);
        }
        Attempt attempt = target.attempt;
        if (a.request().ready() && !a.request().go() && attempt != null && !attempt.hasBegun()) {
            target.owed = a.call();
            target.owes = true;
            return;
        }
        reply(target, a.call());
        if (a.request().go() && attempt != null) begin(target, attempt, nowNs);
    }

    private void reply(Target target, long call) {
        Attempt attempt = target.attempt;
        target.owes = false;
        outputs.add(new Output.Reply(
                target.peer,
                call,
                new Message.Punching(
                        attempt == null ? own : attempt.candidates(), attempt == null ? outside : attempt.outside())));
    }

    private void answered(Input.Answered a) {
        Target target = targets.get(a.from());
        if (target == null || target.patienceNs == NEVER || target.call != a.call()) {
            counters.add("punch.answers.late");
            return;
        }
        target.patienceNs = NEVER;
        learn(target, a.answer().candidates(), a.answer().outside());
        switch (target.phase) {
            case ASK -> {
                target.rttNs = a.rttNs();
                prepare(target);
                target.waitsForReady = true;
            }
            case READY -> {
                target.rttNs = Math.min(target.rttNs, a.rttNs()); // each may have waited at either end
                go(target);
            }
            case GO -> {}
        }
    }

    private void learn(Target target, List<Address> candidates, Outside outside) {
        target.candidates = sound(candidates, own);
        target.isFindable = !sound(own, candidates).isEmpty();
        Address expected = outside.expected();
        boolean sound = expected == null || isSound(expected, false) && !own.contains(expected);
        target.outside = sound ? outside : Outside.of(outside.allocation());
        log.told(target.peer, outside.allocation());
    }

    /**
     * What a node with the addresses {@code by} may try: nearby addresses only where both are behind the same public address, or
     * in the same network.
     */
    private static List<Address> sound(List<Address> candidates, List<Address> by) {
        boolean together = false;
        for (Address mine : by) {
            for (Address other : candidates) {
                together |= !mine.isLocal() && mine.sameIp(other);
                together |= mine.isLocal() && mine.network(24, 64).equals(other.network(24, 64));
            }
        }
        List<Address> out = new ArrayList<>();
        for (Address each : candidates) if (isSound(each, together) && !by.contains(each)) out.add(each);
        return out;
    }

    private static boolean isSound(Address each, boolean together) {
        return each.isUnicast() && !each.isLoopback() && (together || !each.isLocal()) && mayBeProbed(each.port());
    }

    /** Whether a port may be one of a node: not one of those that other programs are known to listen on. */
    static boolean mayBeProbed(int port) {
        return switch (port) {
            case 1194, 1701, 1900, 3478, 3702, 4500, 5060, 5061, 5349, 5353, 5355, 11211, 27015 -> false;
            default -> port >= 1_024;
        };
    }

    private void ask(Target target, Phase phase) {
        Attempt attempt = target.attempt;
        target.asks = phase == Phase.ASK ? target.asks + 1 : 0;
        target.phase = phase;
        target.call = rng.nextLong();
        target.patienceNs = nowNs + (phase == Phase.ASK ? ASK_NS : PATIENCE_NS);
        Message request = new Message.Punch(
                attempt == null ? own : attempt.candidates(),
                phase != Phase.ASK,
                phase == Phase.GO,
                attempt == null ? outside : attempt.outside());
        outputs.add(new Output.Ask(new Contact(target.peer, List.of()), target.call, request));
    }

    // ---- an attempt -------------------------------------------------------------------------------------------------

    private void prepare(Target target) {
        // Fresh ports at once where one of the two has no address that the other may try.
        boolean first = target.attempts++ == 0 && target.isFindable && !target.candidates.isEmpty();
        Plan plan = Plan.of(outside.allocation(), target.outside.allocation(), first);
        boolean many = isMany(plan, target.outside);
        for (Target each : targets.values()) {
            if (many && each.attempt != null && isMany(each.attempt.plan, each.outside)) plan = Plan.MEET;
        }
        if (kept.size() >= PEERS_MAX && plan.opensEnds()) plan = Plan.MEET;
        counters.add("punch.plans." + plan.name().toLowerCase(Locale.ROOT));
        List<Mirror> byChance = new ArrayList<>(mirrors.values());
        if (byChance.size() > 1) Collections.swap(byChance, 0, rng.below(byChance.size()));
        Attempt attempt =
                new Attempt(target.peer, plan, outside, step, own, byChance, rng, () -> ++tickets, outputs::add);
        target.attempt = attempt;
        attempt.prepare(nowNs);
    }

    private static boolean isMany(Plan plan, Outside other) {
        return plan == Plan.SPREAD || plan == Plan.PROBE && other.count() > Attempt.GUESSES / 2;
    }

    /** The leader is ready: where any of the two opens ends, it asks whether the other is as well. */
    private void ready(Target target, Attempt attempt) {
        target.waitsForReady = false;
        Plan others = Plan.of(target.outside.allocation(), outside.allocation(), attempt.plan == Plan.MEET);
        if (attempt.plan.opensEnds() || others.opensEnds()) ask(target, Phase.READY);
        else go(target);
    }

    private void go(Target target) {
        Attempt attempt = target.attempt;
        if (attempt == null) return;
        ask(target, Phase.GO);
        begin(target, attempt, nowNs + Math.min(target.rttNs, SECOND) / 2);
    }

    private void begin(Target target, Attempt attempt, long atNs) {
        if (attempt.hasBegun()) return;
        counters.add("punch.attempts");
        log.going(target.peer, target.candidates);
        attempt.begin(atNs, target.candidates, target.outside);
        if (target.nextNs != NEVER && isMany(attempt.plan, target.outside)) target.nextNs = atNs + PAUSE_MANY_NS;
    }

    private void tick() {
        for (Target target : targets.values()) {
            if (target.patienceNs <= nowNs) {
                target.patienceNs = NEVER;
                counters.add("punch.unanswered");
                log.ended(nowNs, target.peer, Outcome.UNANSWERED);
                // It may have heard of the relay later than this node.
                if (target.phase == Phase.ASK && target.asks < ASKS) ask(target, Phase.ASK);
            }
            if (target.nextNs <= nowNs) {
                long pauseNs = PAUSES_NS[Math.min(target.attempts, PAUSES_NS.length - 1)];
                int doubled = Math.clamp(target.attempts - PAUSES_NS.length + 1, 0, 4);
                pauseNs = Math.min(pauseNs << doubled, PAUSE_MAX_NS);
                target.nextNs = nowNs + pauseNs + rng.below(pauseNs / 8);
                end(target, MAIN);
                target.asks = 0;
                log.begun(nowNs, target.peer);
                ask(target, Phase.ASK);
            }
            Attempt attempt = target.attempt;
            if (attempt == null) continue;
            int sent = attempt.challenges();
            attempt.tick(nowNs);
            if (attempt.challenges() > sent) log.challenged(target.peer, attempt.challenges() - sent);
            if (target.owes && attempt.isReady()) reply(target, target.owed);
            if (target.waitsForReady && attempt.isReady()) ready(target, attempt);
            if (attempt.isOver(nowNs)) end(target, MAIN);
        }
    }

    @Override
    public @Nullable Output poll() {
        return outputs.poll();
    }

    @Override
    public long deadlineNs() {
        long next = NEVER;
        for (Target target : targets.values()) next = Math.min(next, target.deadlineNs());
        return next;
    }
}
