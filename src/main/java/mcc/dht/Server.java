package mcc.dht;

import java.util.ArrayList;
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
import mcc.core.Id;
import mcc.core.RateLimit;
import mcc.wire.Contact;
import mcc.wire.Message;
import mcc.wire.Record;

/** Answers other nodes' requests: a limited number of each node per second; stores records only for nodes that may store. */
final class Server {
    /** Requests of one peer that are served per second, and in one burst; ten times as many of one network. */
    private static final int ASKED_PER_SECOND = 1_000;

    private static final int ASKED_AT_ONCE = 10_000;
    private static final int ASKERS_MAX = 4_096;

    private final Shared shared;
    private final DecisionPoint policy;
    private final RateLimit<Id> perPeer = new RateLimit<>(ASKED_PER_SECOND, ASKED_AT_ONCE, ASKERS_MAX);
    private final RateLimit<Address> perNetwork =
            new RateLimit<>(10 * ASKED_PER_SECOND, 10 * ASKED_AT_ONCE, ASKERS_MAX);

    Server(Shared shared) {
        this.shared = shared;
        policy = new DecisionPoint(shared.counters);
    }

    /** Answers a request of the node at {@code position}; false if it is not served. */
    boolean answer(Dht.Input.Asked asked, Id position) {
        Id from = asked.from().node();
        if (!perPeer.take(shared.nowNs, from) || !perNetwork.take(shared.nowNs, Item.network(asked.at()))) {
            shared.counters.add("dht.askedTooOften");
            return false;
        }
        Message answer = switch (asked.request()) {
            case Message.Ping _ -> new Message.Pong(Math.max(0, shared.epochMs()));
            case Message.FindNode m -> Message.Nodes.fitting(closest(m.target(), position));
            case Message.FindValue m ->
                shared.store.find(shared.nowNs, m.key(), m.cursor(), closest(m.key(), position));
            case Message.Store m -> store(asked.from(), asked.at(), m.record());
            case Message.Beat m ->
                new Message.Beaten(keepsFor(asked.from()) && shared.store.renew(shared.nowNs, from, m));
            case Message.Pong _,
                    Message.Nodes _,
                    Message.Values _,
                    Message.Stored _,
                    Message.Beaten _,
                    Message.DialBack _,
                    Message.DialedBack _,
                    Message.Reserve _,
                    Message.Reserved _,
                    Message.Connect _,
                    Message.Connected _,
                    Message.Punch _,
                    Message.Punching _ -> null;
        };
        if (answer == null) {
            shared.counters.add("dht.askedWrong");
            return false;
        }
        shared.emit(new Dht.Output.Reply(from, asked.call(), answer, shared.leaf));
        return true;
    }

    private Message.Stored store(Subject from, Address at, Record record) {
        // A peer that may not store gets the answer of a full node.
        boolean may = keepsFor(from);
        Message.Verdict verdict =
                may ? shared.store.store(shared.nowNs, shared.epochMs(), from, at, record) : Message.Verdict.FULL;
        long newest = verdict == Message.Verdict.OLD ? shared.store.newest(record) : 0;
        return new Message.Stored(verdict, newest, Math.max(0, shared.epochMs()));
    }

    private boolean keepsFor(Subject from) {
        return !shared.isGuest() && mayStore(from);
    }

    private boolean mayStore(Subject from) {
        var here = new Question.Thing.Node(Policy.OPEN, shared.self);
        return policy.allows(new Question(from, Action.STORE, here, shared.epochMs()));
    }

    /** Takes a new policy, and drops the records of peers that may no longer store. */
    void govern(PolicyEpoch epoch) {
        if (!policy.take(epoch)) return;
        Map<Subject, Boolean> may = new HashMap<>(); // looked up, never iterated
        int ended = shared.store.retain(shared.nowNs, by -> may.computeIfAbsent(by, this::mayStore));
        if (ended > 0) shared.emit(new Dht.Output.PolicyEnded(epoch.number(), ended));
    }

    /** Whoever asks a node that is no leaf needs no other leaf: it knows this one. */
    private List<Contact> closest(Id target, Id asker) {
        if (!shared.countsContacts()) return List.of();
        List<Contact> out = new ArrayList<>(shared.config.k());
        for (Entry entry : shared.table.closest(target, shared.config.k(), asker)) out.add(entry.contact);
        return out;
    }
}
