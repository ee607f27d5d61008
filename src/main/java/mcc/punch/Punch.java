package mcc.punch;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mcc.core.Address;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.RateLimit;
import mcc.core.Rng;
import mcc.punch.PunchReport.Outcome;
import mcc.wire.Capabilities;
import mcc.wire.Contact;
import mcc.wire.Limits;
import mcc.wire.Message;
import org.jspecify.annotations.Nullable;

/**
 * When the two ends of a link that goes by relays send to each other's addresses. Of the two the node with the lower ID leads.
 *
 * <p>An attempt: the leader asks for the other's candidates and tells its own, which measures the round trip; then it says "go",
 * and the other sends at once, the leader half a round trip later ({@link #OFFSETS_NS} after that). It ends when the link has
 * another path. The next attempt follows after 5 s, 25 s, and then after a minute that doubles, up to ten.
 *
 * <p>Limit: {@link #PEERS_MAX} peers at a time; further ones stay with their relays, and are counted.
 */
public final class Punch implements Core<Punch.Input, Punch.Output> {
    /** Peers that are punched toward at a time. */
    static final int PEERS_MAX = 256;

    private static final long MS = 1_000_000;
    private static final long SECOND = 1_000 * MS;
    /** When the challenges of an attempt leave. Most are early: the first that arrive after both NATs are open decide. */
    static final long[] OFFSETS_NS = {0, 30 * MS, 100 * MS, 250 * MS, 600 * MS, 1_200 * MS, 2_000 * MS};
    /** From one attempt to the next, the last one repeatedly and doubled each time. */
    static final long[] PAUSES_NS = {5 * SECOND, 25 * SECOND, 60 * SECOND};

    static final long PAUSE_MAX_NS = 600 * SECOND;
    /** How long an answer is awaited. */
    static final long PATIENCE_NS = 5 * SECOND;
    /** Requests of one peer that are answered: so many at once, one a second after that. */
    static final int ASKS_AT_ONCE = 6;

    /** Inputs. */
    public sealed interface Input {
        /** The addresses at which this node may be reached, best first. */
        record SelfAddresses(List<Address> addresses) implements Input {}

        /** The link with a peer uses this address, or a circuit; and what the peer offers to do. */
        record At(Id peer, Address at, long capabilities) implements Input {}

        /** The link with a peer ended. */
        record Down(Id peer) implements Input {}

        /** A peer asks. */
        record Asked(Id from, long call, Message.Punch request) implements Input {}

        /** A peer answered. */
        record Answered(Id from, long call, Message.Punching answer, long rttNs) implements Input {}

        /** The links were started again: there is none any longer. */
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
        record Knock(Id peer, Address at) implements Output {}
    }

    /** A peer that only relays reach. */
    private static final class Target {
        final Id peer;
        /** Attempts so far. */
        int attempts;

        long nextNs = NEVER;
        /** The request under way, and when its answer is overdue. */
        long call;

        long patienceNs = NEVER;
        boolean going;
        List<Address> candidates = List.of();
        /** The challenges under way: since when, and how many were sent. */
        long beganNs;

        int sent = OFFSETS_NS.length;

        Target(Id peer) {
            this.peer = peer;
        }

        long deadlineNs() {
            long send = sent < OFFSETS_NS.length ? beganNs + OFFSETS_NS[sent] : NEVER;
            return Math.min(send, Math.min(nextNs, patienceNs));
        }
    }

    private final Id self;
    private final Rng rng;
    private final Counters counters;
    private final ArrayDeque<Output> outputs = new ArrayDeque<>();
    private final Map<Id, Target> targets = new LinkedHashMap<>();
    private final RateLimit<Id> asks = new RateLimit<>(1, ASKS_AT_ONCE, 2 * PEERS_MAX);
    private final PunchLog log;
    private List<Address> own = List.of();

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
        switch (input) {
            case Input.SelfAddresses s ->
                own = List.copyOf(
                        s.addresses().subList(0, Math.min(s.addresses().size(), Limits.CONTACT_ADDRESSES)));
            case Input.At a -> at(nowNs, a);
            case Input.Down d -> {
                if (targets.remove(d.peer()) != null) log.ended(nowNs, d.peer(), Outcome.ENDED);
            }
            case Input.Asked a -> asked(nowNs, a);
            case Input.Answered a -> answered(nowNs, a);
            case Input.LinksStarted _ -> targets.clear();
            case Input.Tick _ -> tick(nowNs);
        }
    }

    private void at(long nowNs, Input.At a) {
        Target known = targets.get(a.peer());
        if (!a.at().isCircuit() || (a.capabilities() & Capabilities.PUNCHES) == 0) {
            if (known != null) counters.add(a.at().isCircuit() ? "punch.given-up" : "punch.direct");
            if (known != null) log.ended(nowNs, a.peer(), a.at().isCircuit() ? Outcome.ENDED : Outcome.DIRECT);
            targets.remove(a.peer());
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

    private void asked(long nowNs, Input.Asked a) {
        Target target = targets.get(a.from());
        if (target == null || !asks.take(nowNs, a.from())) {
            counters.add("punch.refused");
            log.refused(a.from());
            return;
        }
        target.candidates = sound(a.request().candidates());
        outputs.add(new Output.Reply(a.from(), a.call(), new Message.Punching(own)));
        if (a.request().go()) begin(target, nowNs);
        else log.begun(nowNs, a.from());
    }

    private void answered(long nowNs, Input.Answered a) {
        Target target = targets.get(a.from());
        if (target == null || target.patienceNs == NEVER || target.call != a.call()) {
            counters.add("punch.answers.late");
            return;
        }
        target.patienceNs = NEVER;
        target.candidates = sound(a.answer().candidates());
        if (target.going) {
            target.going = false;
            return;
        }
        target.going = true;
        ask(nowNs, target, true);
        begin(target, nowNs + Math.min(a.rttNs(), SECOND) / 2);
    }

    private void begin(Target target, long atNs) {
        counters.add("punch.attempts");
        log.going(target.peer, target.candidates);
        target.beganNs = atNs;
        target.sent = 0;
    }

    /** What may be tried: nearby addresses only where both are behind the same public address, or in the same network. */
    private List<Address> sound(List<Address> candidates) {
        boolean together = false;
        for (Address mine : own) {
            for (Address other : candidates) {
                together |= !mine.isLocal() && mine.sameIp(other);
                together |= mine.isLocal() && mine.network(24, 64).equals(other.network(24, 64));
            }
        }
        List<Address> out = new ArrayList<>();
        for (Address each : candidates) {
            boolean mine = own.contains(each) || each.isLoopback();
            if (each.isUnicast() && !mine && (together || !each.isLocal())) out.add(each);
        }
        return out;
    }

    private void ask(long nowNs, Target target, boolean go) {
        target.call = rng.nextLong();
        target.patienceNs = nowNs + PATIENCE_NS;
        outputs.add(new Output.Ask(new Contact(target.peer, List.of()), target.call, new Message.Punch(own, go)));
    }

    private void tick(long nowNs) {
        for (Target target : targets.values()) {
            if (target.patienceNs <= nowNs) {
                target.patienceNs = NEVER;
                target.going = false;
                log.ended(nowNs, target.peer, Outcome.UNANSWERED);
                counters.add("punch.unanswered");
            }
            if (target.nextNs <= nowNs) {
                long pauseNs = PAUSES_NS[Math.min(target.attempts, PAUSES_NS.length - 1)];
                int doubled = Math.clamp(target.attempts - PAUSES_NS.length + 1, 0, 4);
                pauseNs = Math.min(pauseNs << doubled, PAUSE_MAX_NS);
                target.attempts++;
                target.nextNs = nowNs + pauseNs + rng.below(pauseNs / 8);
                target.going = false;
                log.begun(nowNs, target.peer);
                ask(nowNs, target, false);
            }
            while (target.sent < OFFSETS_NS.length && target.beganNs + OFFSETS_NS[target.sent] <= nowNs) {
                target.sent++;
                log.challenged(target.peer, target.candidates.size());
                for (Address each : target.candidates) outputs.add(new Output.Knock(target.peer, each));
            }
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
