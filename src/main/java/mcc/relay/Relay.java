package mcc.relay;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import mcc.consortium.Action;
import mcc.consortium.DecisionPoint;
import mcc.consortium.Policy;
import mcc.consortium.PolicyEpoch;
import mcc.consortium.Question;
import mcc.consortium.Subject;
import mcc.core.Address;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.RateLimit;
import mcc.core.Rng;
import mcc.nat.Reachability;
import mcc.wire.Capabilities;
import mcc.wire.Contact;
import mcc.wire.Limits;
import mcc.wire.Message;
import mcc.wire.Message.Relaying;
import org.jspecify.annotations.Nullable;

/**
 * Relays, in both roles: what this node does for others ({@link Places}), and what others do for it ({@link Shelter},
 * {@link Ways}). Asks the policy before it relays for anybody, and again about everybody in each new epoch.
 */
public final class Relay implements Core<Relay.Input, Relay.Output> {
    /** Requests of one peer that are served each second, and at once after a pause. */
    static final int ASKS_PER_SECOND = 10;

    static final int ASKS_AT_ONCE = 60;
    private static final int ASKERS_MAX = 4_096;

    /** Inputs. */
    public sealed interface Input {
        /** Whether others reach this node. */
        record Reached(Reachability reach) implements Input {}

        /** There is a link with {@code peer}, at {@code at}, or it tells what it offers, which may be what it did before. */
        record Up(Subject peer, Address at, long capabilities) implements Input {}

        /** The link with a peer goes another way now. */
        record Moved(Id peer, Address at) implements Input {}

        /** The link with a peer ended. */
        record Down(Id peer) implements Input {}

        /** A peer asks; {@code at} is its address. */
        record Asked(Subject from, Address at, long call, Message request) implements Input {}

        /** A peer answered. */
        record Answered(Id from, long call, Message answer, long rttNs) implements Input {}

        /** A peer will not answer. */
        record Unanswered(Id to, long call) implements Input {}

        /** Nodes that a {@link Output.Seek} led to; they may relay. */
        record Found(List<Contact> nodes) implements Input {}

        /**
         * A node is not reached at its addresses; these relays keep a place for it.
         *
         * @param addresses where a relay may reach it, if this node has nothing but a carrier
         */
        record WayWanted(Id node, List<Contact> relays, List<Address> addresses) implements Input {}

        /** The addresses at which others reach this node, best first. */
        record SelfAddresses(List<Address> addresses) implements Input {
            /** Copies the list. */
            public SelfAddresses {
                addresses = List.copyOf(addresses);
            }
        }

        /** A circuit that was relayed here ended. */
        record Unbound(long token, long otherToken) implements Input {}

        /** The policy from now on. */
        record NewPolicy(PolicyEpoch epoch) implements Input {}

        /** The wall clock, in milliseconds since 1970. */
        record WallClock(long epochMs) implements Input {}

        /** A core that uses this was started again: tell it again. */
        record Tell() implements Input {}

        /** The links were started again: every link ended, and every circuit. */
        record LinksStarted() implements Input {}

        /** Time has passed. */
        record Tick() implements Input {}
    }

    /** Outputs. */
    public sealed interface Output {
        /** Ask a peer, to which there need be no link yet. */
        record Ask(Contact to, long call, Message request) implements Output {}

        /** Answer a peer. */
        record Reply(Id to, long call, Message answer) implements Output {}

        /** Find the nodes nearest to a position in the DHT: this one needs relays and knows none. */
        record Seek(Id target) implements Output {}

        /** Relay between two peers ({@code link.LinkInput.Bind}). */
        record Bind(Id peer, long token, Id other, long otherToken, long bytesPerSecond) implements Output {}

        /** Relay no longer. */
        record Unbind(long token) implements Output {}

        /** A circuit by this relay ends here ({@code link.LinkInput.Take}). */
        record Take(Id relay, long token) implements Output {}

        /** End a circuit of this asker that rests ({@code link.LinkInput.Spare}). */
        record Spare(Id asker) implements Output {}

        /** A relay that is reached by a carrier told where others reach it: join by it. */
        record Meet(Contact relay) implements Output {}

        /** There is a circuit to a node. */
        record Way(Id node, Id relay, long token) implements Output {}

        /** Take circuits that others asked for from these relays only. */
        record Welcome(List<Id> relays) implements Output {}

        /** Tell peers what this node offers, though they were told the same: they ask for their places again. */
        record Offer(long capabilities) implements Output {}

        /** From now on others reach this node by these relays; none where it needs none, or has none. */
        record SelfRelays(List<Contact> relays) implements Output {}

        /** A new policy took something from so many nodes. */
        record PolicyEnded(long epoch, int nodes) implements Output {}
    }

    private final Id self;
    private final RelayConfig config;
    private final DecisionPoint policy;
    private final Counters counters;
    private final Places places;
    private final Shelter shelter;
    private final Ways ways;
    private final ArrayDeque<Output> outputs = new ArrayDeque<>();
    /** Who has a link, as links proved it. */
    private final Map<Id, Subject> peers = new HashMap<>(); // looked up, never iterated

    private final RateLimit<Id> asks = new RateLimit<>(ASKS_PER_SECOND, ASKS_AT_ONCE, ASKERS_MAX);
    private List<Address> selves = List.of();
    private boolean relaying;
    private long nowNs;
    private long epochMs;
    private long epochAtNs;

    public Relay(RelayConfig config, Id self, Rng rng, Counters counters) {
        this.self = self;
        this.config = config;
        this.counters = counters;
        policy = new DecisionPoint(counters);
        places = new Places(self, config, rng.split(), counters, outputs::add);
        shelter = new Shelter(rng.split(), counters, outputs::add);
        ways = new Ways(self, rng.split(), counters, outputs::add, shelter);
        relaying = config.relays() == RelayConfig.When.ALWAYS;
        if (relaying) outputs.add(new Output.Offer(offers()));
    }

    @Override
    public void handle(long nowNs, Input input) {
        this.nowNs = nowNs;
        switch (input) {
            case Input.Reached r -> reached(r.reach());
            case Input.Up u -> {
                peers.put(u.peer().node(), u.peer());
                shelter.offered(nowNs, u.peer().node(), u.at(), (u.capabilities() & Capabilities.RELAYS) != 0);
            }
            case Input.Moved m -> shelter.moved(nowNs, m.peer(), m.at());
            case Input.Down d -> {
                peers.remove(d.peer());
                places.down(d.peer());
                shelter.down(nowNs, d.peer());
            }
            case Input.Asked a -> asked(a);
            case Input.Answered a -> answered(a);
            case Input.Unanswered u -> {
                boolean _ = shelter.answered(nowNs, u.to(), u.call(), null, 0)
                        || ways.answered(nowNs, u.to(), u.call(), null)
                        || places.answered(u.to(), u.call(), null); // else another core asked
            }
            case Input.Found f -> shelter.found(nowNs, f.nodes(), node -> node.equals(self) || peers.containsKey(node));
            case Input.WayWanted w -> ways.wanted(nowNs, w.node(), w.relays(), w.addresses());
            case Input.SelfAddresses s ->
                selves = s.addresses().subList(0, Math.min(s.addresses().size(), Limits.RELAY_ADDRESSES));
            case Input.Unbound u -> places.unbound(u.token(), u.otherToken());
            case Input.NewPolicy p -> govern(p.epoch());
            case Input.WallClock c -> {
                epochMs = c.epochMs();
                epochAtNs = nowNs;
            }
            case Input.Tell _ -> shelter.tell();
            case Input.LinksStarted _ -> {
                peers.clear();
                places.clear();
                shelter.clear(nowNs);
                outputs.add(new Output.Offer(relaying ? offers() : 0));
            }
            case Input.Tick _ -> {
                places.tick(nowNs);
                shelter.tick(nowNs);
                ways.tick(nowNs);
            }
        }
    }

    private void reached(Reachability reach) {
        boolean now = switch (config.relays()) {
            case AUTO -> reach == Reachability.YES;
            case ALWAYS -> true;
            case NEVER -> false;
        };
        if (now != relaying) outputs.add(new Output.Offer(now ? offers() : 0));
        relaying = now;
        shelter.want(nowNs, reach != Reachability.YES);
    }

    private long offers() {
        return Capabilities.RELAYS | Capabilities.carriersAt(config.carrierPort());
    }

    private void asked(Input.Asked a) {
        Id from = a.from().node();
        if (!asks.take(nowNs, from)) {
            counters.add("relay.askedTooOften");
            return;
        }
        if (a.request() instanceof Message.Connect ask
                && ask.to().equals(self)
                && ask.via().isEmpty()) {
            reply(a, a.at().isCircuit() ? Places.refused(Relaying.REFUSED) : places.take(from));
            return;
        }
        boolean allowed = relaying && !a.at().isCircuit() && admits(a.from());
        if (a.request() instanceof Message.Reserve) {
            List<Address> told = a.at().isCarrier() ? selves : List.of();
            reply(
                    a,
                    allowed ? places.reserve(nowNs, from, a.at(), told) : new Message.Reserved(Relaying.REFUSED, 0, 0));
        } else if (a.request() instanceof Message.Connect ask) {
            reply(a, allowed ? places.connect(nowNs, from, a.call(), ask) : Places.refused(Relaying.REFUSED));
        }
        if (!allowed) counters.add("relay.denied");
    }

    private void reply(Input.Asked asked, @Nullable Message answer) {
        if (answer != null) outputs.add(new Output.Reply(asked.from().node(), asked.call(), answer));
    }

    private boolean admits(Subject peer) {
        Question.Thing here = new Question.Thing.Node(Policy.OPEN, self);
        return policy.allows(new Question(peer, Action.RELAY, here, epochMs + (nowNs - epochAtNs) / 1_000_000));
    }

    private void answered(Input.Answered a) {
        boolean known =
                a.answer() instanceof Message.Reserved r && shelter.answered(nowNs, a.from(), a.call(), r, a.rttNs());
        if (a.answer() instanceof Message.Connected c) {
            known = ways.answered(nowNs, a.from(), a.call(), c) || places.answered(a.from(), a.call(), c);
        }
        if (!known) counters.add("relay.answers.late");
    }

    private void govern(PolicyEpoch epoch) {
        if (!policy.take(epoch)) return;
        int ended = places.judge(this::mayStay);
        if (ended > 0) outputs.add(new Output.PolicyEnded(epoch.number(), ended));
    }

    private boolean mayStay(Id node) {
        Subject peer = peers.get(node);
        return peer != null && admits(peer);
    }

    @Override
    public @Nullable Output poll() {
        return outputs.poll();
    }

    @Override
    public long deadlineNs() {
        return Math.min(places.deadlineNs(), Math.min(shelter.deadlineNs(nowNs), ways.deadlineNs()));
    }

    /** What is known now. */
    public RelayReport report(long nowNs) {
        return new RelayReport(relaying, places.holders(), places.circuits(), shelter.report(nowNs));
    }
}
