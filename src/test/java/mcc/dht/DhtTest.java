package mcc.dht;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import mcc.consortium.Action;
import mcc.consortium.Grant;
import mcc.consortium.Policy;
import mcc.consortium.PolicyEpoch;
import mcc.consortium.Subject;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.Core;
import mcc.core.CoreLaws;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.crypto.Identity;
import mcc.wire.Contact;
import mcc.wire.Message;
import mcc.wire.Message.Verdict;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class DhtTest {
    private static final Bytes NETWORK = Bytes.utf8("test");
    private static final long EPOCH = 1_800_000_000_000L;
    private static final Identity SELF = identity(1);
    private static final Identity PEER = identity(2);
    private static final Address AT = Address.v4(0x0a000002, 9);
    private static final Contact PEER_CONTACT = new Contact(PEER.id(), List.of(AT));
    private final Id key = Id.random(Rng.seeded(5));
    private final Counters counters = new Counters();
    private final Dht dht = new Dht(DhtConfig.of(NETWORK), SELF.id(), Signing.of(SELF), Rng.seeded(6), counters);
    private long nowNs = 1;

    @BeforeEach
    void govern() {
        dht.handle(0, new Dht.Input.NewPolicy(PolicyEpoch.open()));
    }

    @Test
    void theFirstNodeIsInItsNetworkAtOnce() {
        assertThat(start(List.of())).containsExactly(new Dht.Output.Joined(List.of()));
    }

    @Test
    void whoDoesNotKnowTheTimeYetTellsNoneAndDoubtsNobodys() {
        List<Dht.Output> out = step(new Dht.Input.Asked(Subject.of(PEER.id()), AT, 3, new Message.Ping()));
        assertThat(out).contains(new Dht.Output.Reply(PEER.id(), 3, new Message.Pong(0), false));
        out = answered(asks(out).getFirst(), new Message.Pong(EPOCH));
        assertThat(out).noneMatch(Dht.Output.ClockOff.class::isInstance);
        var store = new Message.Store(record(PEER, 1));
        out = step(new Dht.Input.Asked(Subject.of(PEER.id()), AT, 4, store));
        assertThat(((Message.Stored) replies(out).getFirst().answer()).clockMs())
                .isZero();
        start(List.of());
        out = step(new Dht.Input.Asked(Subject.of(PEER.id()), AT, 5, new Message.Ping()));
        assertThat(((Message.Pong) replies(out).getFirst().answer()).clockMs()).isBetween(EPOCH, EPOCH + 1);
    }

    private static List<Dht.Output.Reply> replies(List<Dht.Output> out) {
        return out.stream()
                .filter(Dht.Output.Reply.class::isInstance)
                .map(Dht.Output.Reply.class::cast)
                .toList();
    }

    @Test
    void aSilentBootstrapIsAskedAgainWithGrowingPauses() {
        start(List.of(PEER_CONTACT));
        int asks = 0;
        for (long endNs = nowNs + 60 * DhtConfig.SECOND; nowNs < endNs; ) {
            nowNs = dht.deadlineNs();
            asks += asks(step(new Dht.Input.Tick())).size();
        }
        assertThat(asks).isBetween(10, 24);
        assertThat(dht.status().joined()).isFalse();
    }

    /** Otherwise a node that starts under load would believe for good that it has joined, though no other node knows it. */
    @Test
    void aNeighbourLostBeforeTheLookupEndedDoesNotCountAsJoined() {
        List<Dht.Output> out = start(List.of(PEER_CONTACT, stranger(1)));
        for (Dht.Output.Ask ask : asks(out)) {
            if (ask.to().equals(PEER_CONTACT)) answered(ask, new Message.Nodes(List.of()));
        }
        Dht.Output.Ask second = asks(step(new Dht.Input.FindNode(1, key))).getFirst();
        out = step(new Dht.Input.Unanswered(PEER.id(), second.call()));
        assertThat(out).contains(new Dht.Output.Alone());
        int asks = 0;
        for (long endNs = nowNs + 20 * DhtConfig.SECOND; nowNs < endNs; ) {
            nowNs = dht.deadlineNs();
            out = step(new Dht.Input.Tick());
            assertThat(out).noneMatch(Dht.Output.Joined.class::isInstance);
            for (Dht.Output.Ask ask : asks(out)) {
                if (ask.to().equals(PEER_CONTACT) && ask.request() instanceof Message.FindNode) asks++;
            }
        }
        assertThat(asks).as("it goes on trying").isGreaterThan(2);
        assertThat(dht.status().joined()).isFalse();
    }

    @Test
    void whoAnsweredIsAContactAndWhoOnlyAskedIsNot() {
        start(List.of());
        List<Dht.Output> out = step(new Dht.Input.Asked(Subject.of(PEER.id()), AT, 3, new Message.FindNode(key)));
        assertThat(out).contains(new Dht.Output.Reply(PEER.id(), 3, new Message.Nodes(List.of()), false));
        assertThat(dht.status().contacts()).isZero();
        Dht.Output.Ask ping = asks(out).getFirst();
        assertThat(ping.request()).isEqualTo(new Message.Ping());
        out = step(new Dht.Input.Answered(PEER.id(), AT, ping.call(), new Message.Pong(), 1_000_000));
        assertThat(out).contains(new Dht.Output.TableChanged(1));
        assertThat(dht.buckets())
                .singleElement()
                .satisfies(b -> assertThat(b.size()).isEqualTo(1));
    }

    /** Otherwise a node that is killed soon after would look for the contact at its old address, and find nobody. */
    @Test
    void aContactThatIsHeardAtAnotherAddressIsAskedThereAndRememberedAnew() {
        join();
        Dht.Output.Ask clock = untilAsked(Message.Ping.class);
        answered(clock, new Message.Pong());
        Address other = Address.v4(0x0a000003, 7);
        List<Dht.Output> out = step(new Dht.Input.Up(PEER.id(), other));
        Contact moved = new Contact(PEER.id(), List.of(other, AT));
        Dht.Output.Ask ping = asks(out).getLast();
        assertThat(ping.to()).isEqualTo(moved);
        assertThat(ping.request()).isEqualTo(new Message.Ping());
        out = step(new Dht.Input.Answered(PEER.id(), other, ping.call(), new Message.Pong(), 5));
        assertThat(out).contains(new Dht.Output.TableChanged(1));
        assertThat(step(new Dht.Input.Snapshot())).contains(new Dht.Output.Persist(List.of(moved)));
        for (Address known : List.of(AT, other, AT)) {
            assertThat(step(new Dht.Input.Up(PEER.id(), known)))
                    .as("it has two addresses, and both are known")
                    .isEmpty();
        }
    }

    @Test
    void anAnswerFromAnotherThanTheAskedCountsForNothing() {
        join();
        Dht.Output.Ask ask = asks(step(new Dht.Input.FindNode(1, key))).getFirst();
        step(new Dht.Input.Answered(Id.ZERO, AT, ask.call(), new Message.Nodes(List.of()), 5));
        assertThat(counters.value("dht.answerUnasked")).isEqualTo(1);
        List<Dht.Output> out = step(new Dht.Input.Answered(PEER.id(), AT, ask.call(), new Message.Nodes(List.of()), 5));
        assertThat(out)
                .anyMatch(o -> o instanceof Dht.Output.Found f && f.ticket().number() == 1);
    }

    @Test
    void anAnswerToAnotherQuestionIsAFailure() {
        join();
        Dht.Output.Ask ask = asks(step(new Dht.Input.FindNode(1, key))).getFirst();
        step(new Dht.Input.Answered(PEER.id(), AT, ask.call(), new Message.Beaten(true), 5));
        assertThat(counters.value("dht.answerWrong")).isEqualTo(1);
    }

    @Test
    void aLiveRecordIsPlacedRenewedAndWithdrawn() {
        join();
        List<Dht.Output> out = step(new Dht.Input.Put(Ticket.ofHost(9), key, Id.ZERO, Bytes.utf8("x"), 30_000, true));
        out = answer(out, new Message.Nodes(List.of()));
        assertThat(asks(out).getFirst().request()).isInstanceOf(Message.Store.class);
        assertThat(answer(out, new Message.Stored(Verdict.KEPT)))
                .contains(new Dht.Output.Stored(Ticket.ofHost(9), 2, 2));
        Dht.Output.Ask beat = untilAsked(Message.Beat.class);
        assertThat(nowNs).isLessThan(12 * DhtConfig.SECOND);
        out = step(new Dht.Input.Answered(PEER.id(), AT, beat.call(), new Message.Beaten(false), 5));
        assertThat(asks(out).getFirst().request())
                .as("unknown there: stored again")
                .isInstanceOf(Message.Store.class);
        out = step(new Dht.Input.Remove(Ticket.ofHost(10), key, Id.ZERO));
        Message.Store withdrawal = (Message.Store) asks(out).getFirst().request();
        assertThat(withdrawal.record().content().leaseMs()).isZero();
        assertThat(answer(out, new Message.Stored(Verdict.KEPT)))
                .contains(new Dht.Output.Stored(Ticket.ofHost(10), 2, 2));
        assertThat(dht.status().publications()).isZero();
    }

    @Test
    void whatNobodyPutsAnyMoreIsWithdrawn() {
        join();
        answer(
                answer(
                        step(new Dht.Input.Put(Ticket.ofHost(9), key, Id.ZERO, Bytes.utf8("x"), 30_000, true)),
                        new Message.Nodes(List.of())),
                new Message.Stored(Verdict.KEPT));
        assertThat(asks(step(new Dht.Input.Retain(List.of(new Place(key, Id.ZERO))))))
                .isEmpty();
        List<Dht.Output> out = step(new Dht.Input.Retain(List.of(new Place(key, key))));
        Message.Store withdrawal = (Message.Store) asks(out).getFirst().request();
        assertThat(withdrawal.record().content().leaseMs()).isZero();
        answer(out, new Message.Stored(Verdict.KEPT));
        assertThat(dht.status().publications()).isZero();
    }

    @Test
    void whatIsFoundIsSignedAndLiveOnlyWhileSomeHolderHearsIt() {
        join();
        Dht.Output.Found fresh = find(29_999);
        assertThat(fresh.records())
                .singleElement()
                .satisfies(h -> assertThat(h.live()).isTrue());
        Dht.Output.Found stale = find(30_000);
        assertThat(stale.records())
                .singleElement()
                .satisfies(h -> assertThat(h.live()).isFalse());
    }

    @Test
    void whatALookupStillAskedWhenItEndedIsCancelled() {
        join();
        Dht.Output.Ask ask = asks(step(new Dht.Input.FindValue(4, key, 1, 10))).getFirst();
        List<Contact> strangers = List.of(stranger(1), stranger(2));
        List<Dht.Output> out = answered(ask, Message.Values.of(List.of(), strangers, 0, 0));
        List<Dht.Output.Ask> open = asks(out);
        assertThat(open).hasSize(2);
        Message.Held held = new Message.Held(underKey(), 0);
        out = answered(open.getFirst(), Message.Values.of(List.of(held), List.of(), 1, 0));
        assertThat(found(out).records()).hasSize(1);
        Dht.Output.Ask late = open.getLast();
        assertThat(out).contains(new Dht.Output.Cancel(late.to().node(), late.call()));
        assertThat(step(new Dht.Input.Unanswered(late.to().node(), late.call())))
                .isEmpty();
    }

    @Test
    void aRequestThatTimedOutIsCancelled() {
        join();
        Dht.Output.Ask ask = asks(step(new Dht.Input.FindNode(1, key))).getFirst();
        List<Dht.Output> out = new ArrayList<>();
        while (nowNs < 2 * DhtConfig.SECOND) {
            nowNs = dht.deadlineNs();
            out.addAll(step(new Dht.Input.Tick()));
        }
        assertThat(out).contains(new Dht.Output.Cancel(PEER.id(), ask.call()));
    }

    @Test
    void whatWasInFlightAtTheSameTimeIsOneSignOfSilence() {
        settle();
        Dht.Output.Ask first = asks(step(new Dht.Input.FindNode(1, Id.ZERO))).getFirst();
        Dht.Output.Ask second = asks(step(new Dht.Input.FindNode(2, key))).getFirst();
        List<Dht.Output> out = untilCancelled(first, second);
        assertThat(dht.status().contacts()).as("in doubt, and not lost").isEqualTo(1);
        untilCancelled(ping(out));
        assertThat(dht.status().contacts()).as("asked since, and silent").isZero();
    }

    /** Ticks until all of these were given up. */
    private List<Dht.Output> untilCancelled(Dht.Output.Ask... asks) {
        List<Dht.Output> out = new ArrayList<>();
        for (Dht.Output.Ask ask : asks) {
            while (!out.contains(new Dht.Output.Cancel(ask.to().node(), ask.call()))) {
                nowNs = dht.deadlineNs();
                out.addAll(step(new Dht.Input.Tick()));
            }
        }
        return out;
    }

    @Test
    void anAnswerThatCameLeavesNothingToWakeFor() {
        List<Dht.Output> out = start(List.of(PEER_CONTACT));
        for (List<Dht.Output.Ask> open = asks(out); !open.isEmpty(); open = asks(out)) {
            boolean ping = open.getFirst().request() instanceof Message.Ping;
            List<Dht.Output> more = answered(open.getFirst(), ping ? new Message.Pong() : new Message.Nodes(List.of()));
            out = new ArrayList<>(out.subList(out.indexOf(open.getFirst()) + 1, out.size()));
            out.addAll(more);
        }
        long restNs = dht.deadlineNs();
        assertThat(restNs).as("the next look at the table").isGreaterThan(20 * DhtConfig.SECOND);
        Dht.Output.Ask ask = asks(step(new Dht.Input.FindNode(1, key))).getFirst();
        assertThat(dht.deadlineNs()).isLessThan(restNs);
        answered(ask, new Message.Nodes(List.of()));
        assertThat(dht.deadlineNs()).isEqualTo(restNs);
    }

    @Test
    void aForgedRecordIsNotFound() {
        join();
        List<Dht.Output> out = step(new Dht.Input.FindValue(4, key, Dht.Input.ALL, 10));
        mcc.wire.Record good = record(PEER, 1);
        mcc.wire.Record forged = mcc.wire.Record.sign(good.content(), NETWORK, SELF::sign);
        out = answer(out, Message.Values.of(List.of(new Message.Held(forged, 0)), List.of(), 1, 0));
        assertThat(found(out).records()).isEmpty();
        assertThat(counters.value("dht.foundInvalid")).isEqualTo(1);
    }

    @Test
    void whoWantsProvidersIsGivenNothingElseAndTakesNoHolderOfJunkForAnAnswer() {
        join();
        List<Dht.Output> out = step(new Dht.Input.FindValue(Ticket.ofHost(4), key, 1, 10, true));
        List<Contact> others = List.of(stranger(1));
        Message.Held junk = new Message.Held(underKey(), 0);
        out = answer(out, Message.Values.of(List.of(junk), others, 1, 0));
        assertThat(counters.value("dht.foundNoProvider")).isEqualTo(1);
        assertThat(asks(out)).as("it goes on").hasSize(1);
        out = answered(asks(out).getFirst(), Message.Values.of(List.of(), List.of(), 0, 0));
        assertThat(found(out).records()).isEmpty();
    }

    @Test
    void aPeerThatMayNotStoreIsToldThatTheStoreIsFull() {
        Dht closed = new Dht(DhtConfig.of(NETWORK), SELF.id(), Signing.of(SELF), Rng.seeded(6), counters);
        closed.handle(1, new Dht.Input.Start(new Contact(SELF.id(), List.of()), List.of(), List.of(), EPOCH));
        closed.handle(2, new Dht.Input.Asked(Subject.of(PEER.id()), AT, 1, new Message.Store(underKey())));
        closed.handle(3, new Dht.Input.Asked(Subject.of(PEER.id()), AT, 2, new Message.Beat(key, Id.ZERO, 1)));
        List<Dht.Output> out = new ArrayList<>();
        for (Dht.Output o = closed.poll(); o != null; o = closed.poll()) out.add(o);
        assertThat(out)
                .contains(
                        new Dht.Output.Reply(PEER.id(), 1, new Message.Stored(Verdict.FULL, 0, EPOCH), false),
                        new Dht.Output.Reply(PEER.id(), 2, new Message.Beaten(false), false));
        assertThat(closed.status().records()).isZero();
        assertThat(counters.value("policy.denied")).isEqualTo(2);
    }

    @Test
    void onePeerIsServedItsShareAndTheOthersTheirs() {
        start(List.of());
        int served = 0;
        for (int i = 0; i < 600_000; i++) {
            nowNs += 33_000;
            List<Dht.Output> out = step(new Dht.Input.Asked(Subject.of(PEER.id()), AT, i, new Message.FindNode(key)));
            if (out.stream().anyMatch(Dht.Output.Reply.class::isInstance)) served++;
        }
        assertThat(served).isBetween(29_000, 31_000);
        assertThat(counters.value("dht.askedTooOften")).isEqualTo(600_000 - served);
        assertThat(step(new Dht.Input.Asked(Subject.of(stranger(1).node()), AT, 1, new Message.Ping())))
                .anyMatch(Dht.Output.Reply.class::isInstance);
    }

    @Test
    void aHolderAsksThePolicyBeforeItKeepsARecord() {
        start(List.of());
        assertThat(step(new Dht.Input.Asked(Subject.of(PEER.id()), AT, 1, new Message.Store(underKey()))))
                .contains(new Dht.Output.Reply(PEER.id(), 1, new Message.Stored(Verdict.KEPT, 0, EPOCH), false));
        assertThat(counters.value("policy.allowed")).isEqualTo(1);
    }

    private static Policy storing(Identity... peers) {
        List<Grant> grants = new ArrayList<>();
        for (Identity peer : peers) grants.add(storing(new Grant.Whom.Node(peer.id())));
        return new Policy(grants);
    }

    private static Grant storing(Grant.Whom to) {
        return Grant.of(Policy.OPEN, new Grant.What.Nodes(), to, java.util.Set.of(Action.STORE));
    }

    private List<Dht.Output> govern(Policy policy, long epoch) {
        return step(new Dht.Input.NewPolicy(new PolicyEpoch(policy, epoch)));
    }

    private Verdict stores(Identity peer, long seq) {
        var asked = new Dht.Input.Asked(
                Subject.of(peer.id()),
                AT,
                1,
                new Message.Store(
                        record(peer, seq, Id.random(Rng.seeded(peer.id().w0())))));
        return step(asked).stream()
                .filter(Dht.Output.Reply.class::isInstance)
                .map(o -> ((Message.Stored) ((Dht.Output.Reply) o).answer()).verdict())
                .findFirst()
                .orElseThrow();
    }

    @Test
    void anEpochEndsTheKeepingOfWhatItDoesNotAllowAndOfNothingElse() {
        start(List.of());
        step(new Dht.Input.Put(Ticket.ofHost(1), key, Id.ZERO, Bytes.EMPTY, 30_000, true));
        int own = dht.status().records();
        Identity[] peers = {identity(2), identity(3), identity(4), identity(5)};
        for (Identity peer : peers) assertThat(stores(peer, 5)).isEqualTo(Verdict.KEPT);
        long asked = counters.value("policy.allowed");

        List<Dht.Output> out = govern(storing(peers[1], peers[3]), 2);
        assertThat(out).contains(new Dht.Output.PolicyEnded(2, 2));
        assertThat(dht.status().records()).as("its own too").isEqualTo(own + 2);
        assertThat(counters.value("policy.ended.records")).isEqualTo(2);
        assertThat(counters.value("policy.allowed") - asked).isEqualTo(2);
        var beat = new Message.Beat(Id.random(Rng.seeded(peers[1].id().w0())), Id.ZERO, 5);
        assertThat(step(new Dht.Input.Asked(Subject.of(peers[1].id()), AT, 2, beat)))
                .as("what is allowed is kept as it was")
                .contains(new Dht.Output.Reply(peers[1].id(), 2, new Message.Beaten(true), false));
        assertThat(stores(peers[0], 6)).as("told what a full node tells").isEqualTo(Verdict.FULL);

        assertThat(govern(Policy.open(), 1)).as("an older epoch").isEmpty();
        assertThat(counters.value("policy.epoch.old")).isEqualTo(1);
        assertThat(stores(peers[0], 6)).isEqualTo(Verdict.FULL);
        govern(Policy.open(), 3);
        assertThat(stores(peers[0], 4)).as("nothing older comes back").isEqualTo(Verdict.OLD);
        assertThat(stores(peers[0], 5)).as("the same does").isEqualTo(Verdict.KEPT);
        dht.check();
    }

    @Test
    void aPolicyThatFailsKeepsNothingOfOthersAndCostsNothingElse() {
        start(List.of());
        assertThat(stores(PEER, 5)).isEqualTo(Verdict.KEPT);
        govern(new Policy(List.of(storing(new Grant.Whom.Node(null)))), 2);
        assertThat(dht.status().records()).isZero();
        assertThat(stores(PEER, 6)).isEqualTo(Verdict.FULL);
        assertThat(counters.value("policy.failed")).isEqualTo(2);
        assertThat(step(new Dht.Input.Asked(Subject.of(PEER.id()), AT, 3, new Message.FindNode(key))))
                .anyMatch(Dht.Output.Reply.class::isInstance);
    }

    @Test
    void theLawsOfCoresHold() {
        CoreLaws.check(DhtTest::fresh, new Dht.Input.Tick(), DhtTest::anyInput, 1_500);
    }

    private static Core<Dht.Input, Dht.Output> fresh() {
        Dht made = new Dht(DhtConfig.of(NETWORK), SELF.id(), Signing.of(SELF), Rng.seeded(6), new Counters());
        made.handle(0, new Dht.Input.NewPolicy(PolicyEpoch.open()));
        return made;
    }

    private static Dht.Input anyInput(Rng rng, List<Dht.Output> before) {
        Id key = new Id(rng.below(3), 0, 0, 0);
        for (Dht.Output output : before) {
            if (output instanceof Dht.Output.Ask ask && rng.below(4) > 0) return anyAnswer(rng, ask);
        }
        return switch (rng.below(10)) {
            case 8 ->
                new Dht.Input.NewPolicy(
                        new PolicyEpoch(rng.below(3) == 0 ? new Policy(List.of()) : Policy.open(), 1 + rng.below(9)));
            case 0 -> new Dht.Input.Start(new Contact(SELF.id(), List.of()), List.of(PEER_CONTACT), List.of(), EPOCH);
            case 1 -> new Dht.Input.Asked(Subject.of(PEER.id()), AT, rng.below(9), anyRequest(rng, key));
            case 2 -> new Dht.Input.Up(Id.random(rng), AT);
            case 3 -> new Dht.Input.FindNode(rng.below(9), Id.random(rng));
            case 4 -> new Dht.Input.FindValue(rng.below(9), key, 1 + rng.below(4), 5);
            case 5 ->
                new Dht.Input.Put(Ticket.ofHost(rng.below(9)), key, Id.ZERO, Bytes.EMPTY, 3_000, rng.below(2) == 0);
            case 6 -> new Dht.Input.Remove(Ticket.ofHost(rng.below(9)), key, Id.ZERO);
            case 7 -> new Dht.Input.Snapshot();
            default -> new Dht.Input.Tick();
        };
    }

    private static Dht.Input anyAnswer(Rng rng, Dht.Output.Ask ask) {
        Contact other = new Contact(Id.random(rng), List.of(Address.v4(0x0a000000 | rng.below(1 << 20), 7)));
        Message answer = switch (ask.request()) {
            case Message.FindNode _ -> new Message.Nodes(List.of(other));
            case Message.FindValue _ -> Message.Values.of(List.of(), List.of(other), 0, rng.below(2));
            case Message.Store _ -> new Message.Stored(Verdict.KEPT);
            case Message.Beat _ -> new Message.Beaten(rng.below(2) == 0);
            default -> new Message.Pong();
        };
        if (rng.below(5) == 0) return new Dht.Input.Unanswered(ask.to().node(), ask.call());
        return new Dht.Input.Answered(ask.to().node(), AT, ask.call(), answer, 1 + rng.below(90_000_000));
    }

    private static Message anyRequest(Rng rng, Id key) {
        return switch (rng.below(5)) {
            case 0 -> new Message.Store(record(PEER, rng.below(9)));
            case 1 -> new Message.FindValue(key, rng.nextLong());
            case 2 -> new Message.Beat(key, Id.ZERO, rng.below(9));
            case 3 -> new Message.Pong();
            default -> new Message.FindNode(key);
        };
    }

    private Dht.Output.Found find(long beatAgeMs) {
        List<Dht.Output> out = step(new Dht.Input.FindValue(4, key, Dht.Input.ALL, 10));
        Message.Held held = new Message.Held(underKey(), beatAgeMs);
        return found(answer(out, Message.Values.of(List.of(held), List.of(), 1, 0)));
    }

    private mcc.wire.Record underKey() {
        return record(PEER, 1, key);
    }

    private static Dht.Output.Found found(List<Dht.Output> out) {
        return (Dht.Output.Found) out.stream()
                .filter(Dht.Output.Found.class::isInstance)
                .findFirst()
                .orElseThrow();
    }

    private static mcc.wire.Record record(Identity writer, long seq) {
        return record(writer, seq, Id.random(Rng.seeded(5)));
    }

    private static mcc.wire.Record record(Identity writer, long seq, Id key) {
        var content = new mcc.wire.Record.Content(
                key, writer.id(), Id.ZERO, seq, EPOCH, 600_000, 30_000, Bytes.EMPTY, Bytes.EMPTY);
        return mcc.wire.Record.sign(content, NETWORK, writer::sign);
    }

    private Dht.Output.Ask untilAsked(Class<? extends Message> kind) {
        for (int i = 0; i < 1_000; i++) {
            nowNs = dht.deadlineNs();
            for (Dht.Output.Ask ask : asks(step(new Dht.Input.Tick()))) {
                if (kind.isInstance(ask.request())) return ask;
                if (ask.request() instanceof Message.Ping) {
                    step(new Dht.Input.Answered(PEER.id(), AT, ask.call(), new Message.Pong(), 5));
                } else if (ask.request() instanceof Message.FindNode) {
                    step(new Dht.Input.Answered(PEER.id(), AT, ask.call(), new Message.Nodes(List.of()), 5));
                }
            }
        }
        throw new AssertionError("never asked " + kind);
    }

    /** Answers the first request in {@code out}. */
    private List<Dht.Output> answer(List<Dht.Output> out, Message answer) {
        return step(new Dht.Input.Answered(PEER.id(), AT, asks(out).getFirst().call(), answer, 5));
    }

    private List<Dht.Output> answered(Dht.Output.Ask ask, Message answer) {
        Contact to = ask.to();
        return step(new Dht.Input.Answered(to.node(), to.addresses().getFirst(), ask.call(), answer, 5_000_000));
    }

    private static Contact stranger(int n) {
        return new Contact(identity(100 + n).id(), List.of(Address.v4(0x20000001 + (n << 8), 7)));
    }

    private List<Dht.Output> join() {
        List<Dht.Output> out = start(List.of(PEER_CONTACT));
        out = answer(out, new Message.Nodes(List.of()));
        assertThat(out).contains(new Dht.Output.Joined(List.of(PEER_CONTACT)));
        return out;
    }

    /** Joins, and answers what is asked then. */
    private void settle() {
        for (Dht.Output.Ask ask : asks(join())) answered(ask, new Message.Pong());
    }

    private static Dht.Output.Ask ping(List<Dht.Output> out) {
        return asks(out).stream()
                .filter(ask -> ask.request() instanceof Message.Ping)
                .findFirst()
                .orElseThrow();
    }

    private List<Dht.Output> start(List<Contact> bootstrap) {
        return step(new Dht.Input.Start(new Contact(SELF.id(), List.of()), bootstrap, List.of(), EPOCH));
    }

    private List<Dht.Output> step(Dht.Input input) {
        dht.handle(nowNs++, input);
        List<Dht.Output> out = new ArrayList<>();
        for (Dht.Output o = dht.poll(); o != null; o = dht.poll()) out.add(o);
        return out;
    }

    private static List<Dht.Output.Ask> asks(List<Dht.Output> out) {
        return out.stream()
                .filter(Dht.Output.Ask.class::isInstance)
                .map(Dht.Output.Ask.class::cast)
                .toList();
    }

    private static Identity identity(int seed) {
        return Identity.fromSeed(Rng.seeded(seed).bytes(32));
    }
}
