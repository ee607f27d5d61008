package mcc.dht;

import java.util.List;
import mcc.consortium.PolicyEpoch;
import mcc.consortium.Subject;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.wire.Contact;
import mcc.wire.Message;
import org.jspecify.annotations.Nullable;

/** A node of the distributed hash table: finds nodes and records by key, keeps records of others, places its own. */
public final class Dht implements Core<Dht.Input, Dht.Output> {
    /** What may happen to the DHT. */
    public sealed interface Input {
        /**
         * Begin, once.
         *
         * @param self our ID and addresses
         * @param bootstrap nodes to join by; if it and {@code snapshot} are empty and no {@link Meet} follows, this is the
         *     first node
         * @param snapshot contacts remembered from an earlier run
         * @param meets whether {@link Meet} will name nodes to join by
         * @param epochMs wall clock, milliseconds since 1970
         */
        record Start(Contact self, List<Contact> bootstrap, List<Contact> snapshot, boolean meets, long epochMs)
                implements Input {
            /** A start that no {@link Meet} follows. */
            public Start(Contact self, List<Contact> bootstrap, List<Contact> snapshot, long epochMs) {
                this(self, bootstrap, snapshot, false, epochMs);
            }
        }

        /** First contact was made with these nodes: join by them. */
        record Meet(List<Contact> contacts) implements Input {
            /** Copies the list. */
            public Meet {
                contacts = List.copyOf(contacts);
            }
        }

        /** The deadline has come. */
        record Tick() implements Input {}

        /** There is a new policy: every record held for others is judged again. */
        record NewPolicy(PolicyEpoch epoch) implements Input {}

        /** The time of the wall clock; to be given again whenever the clock was set. */
        record Clock(long epochMs) implements Input {}

        /**
         * Whether this node is a leaf: it is known that strangers do not reach it, and as long as it knows any node that is none,
         * others have neither contacts nor records at it.
         */
        record Leaf(boolean leaf) implements Input {}

        /**
         * An authenticated peer asks.
         *
         * @param leaf whether it says that it is a leaf
         */
        record Asked(Subject from, Address at, long call, Message request, boolean leaf) implements Input {
            /** By a peer that is none. */
            public Asked(Subject from, Address at, long call, Message request) {
                this(from, at, call, request, false);
            }
        }

        /**
         * The answer to {@link Output.Ask}.
         *
         * @param leaf whether the peer says that it is a leaf
         */
        record Answered(Id from, Address at, long call, Message answer, long rttNs, boolean leaf) implements Input {
            /** Of a peer that is none. */
            public Answered(Id from, Address at, long call, Message answer, long rttNs) {
                this(from, at, call, answer, rttNs, false);
            }
        }

        /** The peer of an {@link Output.Ask} cannot be reached. */
        record Unanswered(Id to, long call) implements Input {}

        /** A session with a peer stands. */
        record Up(Id node, Address at) implements Input {}

        /** The addresses at which we are reached now. */
        record SelfAddresses(List<Address> addresses) implements Input {}

        /** Find the nodes nearest to a position; answered by {@link Output.Found}. */
        record FindNode(Ticket ticket, Id target) implements Input {
            /** Asked by our host. */
            public FindNode(long number, Id target) {
                this(Ticket.ofHost(number), target);
            }
        }

        /**
         * Find records; answered by {@link Output.Found}.
         *
         * @param quorum the lookup ends once this many holders answered with records: 1 for records that never change,
         *     {@link #ALL} to hear all of the nearest holders, which is needed to tell live records from stale ones
         * @param limit the most records to return
         * @param providers whether only providers' records are wanted, each written by the providing node itself: any other
         *     record under the key is ignored
         */
        record FindValue(Ticket ticket, Id key, int quorum, int limit, boolean providers) implements Input {
            /** Records of any kind, asked by our host. */
            public FindValue(long number, Id key, int quorum, int limit) {
                this(Ticket.ofHost(number), key, quorum, limit, false);
            }
        }

        /**
         * Keep a record in the network until {@link Remove}; answered by {@link Output.Stored}.
         *
         * @param slot tells our records under one key apart
         * @param leaseMs 1,000 to 7,200,000: for a live record, how long it counts as live after a heartbeat; for any other,
         *     how long holders keep it
         * @param live whether we send heartbeats for it
         */
        record Put(Ticket ticket, Id key, Id slot, Bytes body, long leaseMs, boolean live) implements Input {
            /** Refuses what no record can hold. */
            public Put {
                boolean fits = body.size() <= mcc.wire.Limits.BODY_BYTES;
                if (!fits || leaseMs < 1_000 || leaseMs > mcc.wire.Limits.LEASE_MS) {
                    throw new IllegalArgumentException("a body has at most 700 bytes, a lease 1 s to 2 h");
                }
            }
        }

        /** Withdraw a record of ours; answered by {@link Output.Stored}. */
        record Remove(Ticket ticket, Id key, Id slot) implements Input {}

        /**
         * The core that puts our records was started again and has put these: withdraw all others, because nobody else will.
         */
        record Retain(List<Place> places) implements Input {
            /** Copies the list. */
            public Retain {
                places = List.copyOf(places);
            }
        }

        /** Hand over the contacts worth remembering; answered by {@link Output.Persist}. */
        record Snapshot() implements Input {}

        /** A quorum that is never reached. */
        int ALL = Integer.MAX_VALUE;
    }

    /** What the DHT asks of its host. */
    public sealed interface Output {
        /** Ask a peer, and tell it whether this node is a leaf. */
        record Ask(Contact to, long call, Message request, boolean leaf) implements Output {}

        /** Nobody waits any longer for the answer to an {@link Ask}. */
        record Cancel(Id to, long call) implements Output {}

        /** Answer a peer, and tell it whether this node is a leaf. */
        record Reply(Id to, long call, Message answer, boolean leaf) implements Output {}

        /**
         * A lookup has ended.
         *
         * @param records what was found, signatures checked; each says whether it is live
         * @param closest the nearest nodes that answered, nearest first
         */
        record Found(Ticket ticket, Id target, List<Holding> records, List<Contact> closest, Trace trace)
                implements Output {
            /** Copies the lists. */
            public Found {
                records = List.copyOf(records);
                closest = List.copyOf(closest);
            }
        }

        /**
         * A record of ours was placed or withdrawn.
         *
         * @param replicas how many holders confirmed it
         * @param of how many holders were asked
         */
        record Stored(Ticket ticket, int replicas, int of) implements Output {}

        /** Contacts worth remembering for the next start. */
        record Persist(List<Contact> snapshot) implements Output {}

        /** We have joined the network and have these neighbours; none if this is the first node. */
        record Joined(List<Contact> contacts) implements Output {}

        /** Nobody answers any more; this lasts until {@link Joined}. */
        record Alone() implements Output {}

        /**
         * Our clock differs from others'.
         *
         * @param aheadMs by how much our clock is ahead, negative if it is behind; 0 once it agrees again
         * @param nodes how many nodes' clocks were compared
         */
        record ClockOff(long aheadMs, int nodes) implements Output {}

        /** This many of our records have too few holders now. */
        record Thin(int records) implements Output {}

        /** Holders have a higher number for a record of ours than we knew; it was published above it. */
        record Renumbered(Id key, long seq) implements Output {}

        /** Another node publishes with our key: holders have higher numbers than those that they took from us. */
        record Twin() implements Output {}

        /** A contact came or went, or has another address; the table has this many now. */
        record TableChanged(int contacts) implements Output {}

        /** A new policy removed this many records that we held. */
        record PolicyEnded(long epoch, int records) implements Output {}

        /** A record that we held for another has expired. */
        record Expired(Id key, Id writer, Id slot) implements Output {}
    }

    /** The state of the DHT. {@code estimatedNodes} counts this node; {@code records} are those held for others. */
    public record Status(
            int k,
            int alpha,
            int contacts,
            int buckets,
            long estimatedNodes,
            int records,
            int publications,
            int lookups,
            boolean joined) {}

    /**
     * One bucket.
     *
     * @param index leading bits shared with our own position
     * @param prefix the shared bits and the first one that differs, as the characters 0 and 1
     */
    public record BucketView(int index, String prefix, int size, int capacity, List<ContactView> contacts) {}

    /** One contact. {@code rttNs} is 0 while unmeasured. */
    public record ContactView(Contact contact, long heardAgoMs, long rttNs, int failures) {}

    /**
     * The wall clock and the monotonic clock drift apart by more than this only if the wall clock was set, or the monotonic
     * clock stood still while the machine slept.
     */
    private static final long CLOCK_JUMP_MS = 2_000;

    private final Shared shared;
    private final Calls calls;
    private final Server server;
    private final Lookups lookups;
    private final Publisher publisher;
    private final Upkeep upkeep;
    private final Clocks clocks;
    private final Views views;
    private Contact self;
    private int reportedSize;
    private long reportedChanges;

    /** Makes the DHT of node {@code self}; it does nothing before {@link Input.Start}. */
    public Dht(DhtConfig config, Id self, Signing signing, Rng rng, Counters counters) {
        shared = new Shared(config, self, signing, rng, counters);
        calls = new Calls(shared);
        server = new Server(shared);
        lookups = new Lookups(shared, calls, this::finished);
        publisher = new Publisher(shared, calls, lookups);
        upkeep = new Upkeep(shared, calls, lookups);
        clocks = new Clocks(shared);
        views = new Views(shared);
        this.self = new Contact(self, List.of());
    }

    @Override
    public void handle(long nowNs, Input input) {
        shared.nowNs = nowNs;
        switch (input) {
            case Input.Start start -> start(start);
            case Input.Meet meet -> upkeep.meet(meet.contacts());
            case Input.Tick _ -> {}
            case Input.NewPolicy p -> server.govern(p.epoch());
            case Input.Clock clock -> clock(clock.epochMs());
            case Input.Leaf leaf -> leaf(leaf.leaf());
            case Input.Asked asked -> asked(asked);
            case Input.Answered answered -> answered(answered);
            case Input.Unanswered unanswered -> unanswered(unanswered);
            case Input.Up up -> {
                upkeep.heard();
                boolean leaf = upkeep.isLeaf(up.node());
                consider(up.node(), up.at(), shared.signing.position(up.node()), leaf);
            }
            case Input.SelfAddresses addresses -> selfAddresses(addresses.addresses());
            case Input.FindNode find -> lookups.start(find.target(), new LookupGoal.Nodes(find.ticket()), List.of());
            case Input.FindValue find -> findValue(find);
            case Input.Put put -> publisher.put(put);
            case Input.Remove remove -> publisher.remove(remove);
            case Input.Retain retain -> publisher.retain(retain.places());
            case Input.Snapshot _ -> upkeep.snapshot();
        }
        for (Agenda.Task task = shared.agenda.due(nowNs); task != null; task = shared.agenda.due(nowNs)) perform(task);
        if (shared.table.changes() != reportedChanges) tableChanged();
    }

    private void tableChanged() {
        reportedChanges = shared.table.changes();
        int size = shared.table.size();
        if (reportedSize == 0 && size > 0) upkeep.firstContact();
        if (reportedSize > 0 && size == 0) upkeep.lostAll();
        reportedSize = size;
        shared.emit(new Output.TableChanged(size));
    }

    @Override
    public @Nullable Output poll() {
        return shared.outputs.poll();
    }

    @Override
    public long deadlineNs() {
        return shared.agenda.nextNs();
    }

    private void start(Input.Start start) {
        self = start.self();
        shared.clock(start.epochMs());
        upkeep.start(start.bootstrap(), start.snapshot(), start.meets());
    }

    private void clock(long epochMs) {
        boolean jumped = Math.abs(epochMs - shared.epochMs()) > CLOCK_JUMP_MS;
        shared.clock(epochMs);
        if (!jumped) return;
        clocks.forget();
        upkeep.doubt();
    }

    /** Other addresses mean that this host is in another network, or that its network is back. */
    private void selfAddresses(List<Address> addresses) {
        if (self.addresses().equals(addresses)) return;
        self = new Contact(self.node(), addresses);
        upkeep.hurry();
    }

    private void findValue(Input.FindValue find) {
        var goal = new LookupGoal.Values(find.ticket(), find.quorum(), find.limit(), find.providers());
        lookups.start(find.key(), goal, List.of(), lookup -> {
            boolean own = publisher.collect(find.key(), lookup.found);
            boolean held = shared.store.collect(shared.nowNs, find.key(), shared.self, lookup.found);
            if (own || held) lookup.found.answered();
        });
    }

    private void perform(Agenda.Task task) {
        switch (task) {
            case Agenda.Task.Slow slow -> {
                calls.slow(slow.call());
                if (slow.call().use instanceof Call.Use.Step step) lookups.slow(step);
            }
            case Agenda.Task.Timeout timeout -> {
                calls.giveUp(timeout.call().number);
                failed(timeout.call(), false);
            }
            case Agenda.Task.Republish republish -> publisher.republish(republish);
            case Agenda.Task.Renew renew -> publisher.renew(renew);
            case Agenda.Task.Join join -> upkeep.join(join);
            case Agenda.Task.Maintain _ -> upkeep.maintain();
        }
    }

    private void leaf(boolean leaf) {
        if (leaf == shared.leaf) return;
        shared.leaf = leaf;
        shared.counters.add(leaf ? "dht.leaf.becomes" : "dht.leaf.ends");
        upkeep.tell();
    }

    private void asked(Input.Asked asked) {
        upkeep.heard();
        Id node = asked.from().node();
        Id position = shared.signing.position(node);
        if (!server.answer(asked, position)) return;
        shared.table.said(position, asked.leaf());
        consider(node, asked.at(), position, asked.leaf());
    }

    private void consider(Id node, Address at, Id position, boolean leaf) {
        if (leaf && shared.table.members() > 0) return;
        if (at.isUnicast() && !node.equals(shared.self)) upkeep.consider(node, at, position);
    }

    private void answered(Input.Answered answered) {
        Call call = calls.peek(answered.call());
        if (call == null || !call.to.node().equals(answered.from())) {
            shared.counters.add("dht.answerUnasked");
            return;
        }
        calls.end(call);
        if (answered.rttNs() > 0) shared.rtts.add(answered.rttNs());
        Contact contact = call.to.heardAt(answered.at());
        upkeep.answered(contact, call.position, answered.rttNs(), answered.leaf());
        if (call.use instanceof Call.Use.Step step) step.peer().leaf = answered.leaf();
        if (call.use instanceof Call.Use.Check) upkeep.checked(call.position);
        if (!apply(call, answered.answer(), answered.rttNs(), answered.leaf())) {
            shared.counters.add("dht.answerWrong");
            failed(call, false);
        }
    }

    /** Hands an answer to the part that asked; false if it is not the kind of answer that the request calls for. */
    private boolean apply(Call call, Message answer, long rttNs, boolean leaf) {
        switch (call.use) {
            case Call.Use.Step step when answer instanceof Message.Nodes nodes -> lookups.nodes(step, nodes);
            case Call.Use.Step step when answer instanceof Message.Values values -> lookups.values(step, values);
            case Call.Use.Page page when answer instanceof Message.Values values -> lookups.page(page, call, values);
            case Call.Use.Check _
            when answer instanceof Message.Pong pong -> clocks.heard(call.to.node(), pong.clockMs(), rttNs);
            case Call.Use.Place place
            when answer instanceof Message.Stored stored -> {
                clocks.heard(call.to.node(), stored.clockMs(), rttNs);
                publisher.stored(place, call, stored);
            }
            case Call.Use.Renew renewal
            when answer instanceof Message.Beaten beaten -> publisher.renewed(renewal, call, beaten.known(), leaf);
            case Call.Use.Step _, Call.Use.Page _, Call.Use.Check _, Call.Use.Place _, Call.Use.Renew _ -> {
                return false;
            }
        }
        return true;
    }

    private void unanswered(Input.Unanswered unanswered) {
        Call call = calls.peek(unanswered.call());
        if (call == null || !call.to.node().equals(unanswered.to())) return;
        calls.end(call);
        failed(call, true);
    }

    private void failed(Call call, boolean unreachable) {
        if (call.use instanceof Call.Use.Check) upkeep.checked(call.position);
        boolean dropped = unreachable
                ? shared.table.drop(call.position)
                : shared.table.silent(shared.nowNs, call.position, call.sentNs);
        Entry doubtful = dropped ? null : shared.table.find(call.position);
        if (doubtful != null) upkeep.check(doubtful.contact, doubtful.position);
        upkeep.silent();
        switch (call.use) {
            case Call.Use.Step step -> lookups.failed(step, unreachable);
            case Call.Use.Page page -> lookups.pageFailed(page);
            case Call.Use.Check _ -> {}
            case Call.Use.Place place -> publisher.storeFailed(place, call, unreachable);
            case Call.Use.Renew renewal -> publisher.renewalFailed(renewal, call);
        }
    }

    private void finished(Lookup lookup) {
        switch (lookup.goal) {
            case LookupGoal.Nodes goal -> found(goal.ticket(), lookup);
            case LookupGoal.Values goal -> found(goal.ticket(), lookup);
            case LookupGoal.Place goal -> publisher.found(goal.publication(), lookup);
            case LookupGoal.Self _ -> {
                if (upkeep.found(lookup)) publisher.joined();
            }
            case LookupGoal.Refresh _ -> upkeep.refreshed();
        }
    }

    private void found(Ticket ticket, Lookup lookup) {
        List<Contact> closest = lookup.responded(shared.config.k());
        List<Holding> records = lookup.found.holdings(shared.nowNs);
        shared.emit(new Output.Found(ticket, lookup.target, records, closest, lookup.trace(shared.nowNs)));
    }

    /** Returns our own ID and addresses, as last told. */
    public Contact self() {
        return self;
    }

    /** Returns the state of the DHT. */
    public Status status() {
        return views.status(publisher.size(), lookups.size(), upkeep.isJoined());
    }

    /** Returns the buckets in use, farthest first. A copy. */
    public List<BucketView> buckets() {
        return views.buckets();
    }

    /** Throws {@link mcc.core.Invariant.Broken} unless all that must always hold does; for the simulator and tests. */
    public void check() {
        shared.table.check();
        shared.store.check(shared.nowNs);
    }
}
