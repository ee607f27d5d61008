package mcc.relay;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import mcc.consortium.Action;
import mcc.consortium.Grant;
import mcc.consortium.Policy;
import mcc.consortium.PolicyEpoch;
import mcc.consortium.Subject;
import mcc.core.Address;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.nat.Reachability;
import mcc.wire.Capabilities;
import mcc.wire.Contact;
import mcc.wire.Message;
import mcc.wire.Message.Relaying;
import org.junit.jupiter.api.Test;

/** Relay cores that talk to each other, in virtual time. */
class RelayTest {
    private static final long SECOND = 1_000_000_000L;

    private final Rng rng = Rng.seeded(7);
    private final List<Node> nodes = new ArrayList<>();
    private long now = SECOND;

    /** One node; what it asks and answers arrives at once, unless the other is silent. */
    private final class Node {
        final Id id = Id.random(rng);
        final Address at;
        final Counters counters = new Counters();
        Relay core;
        /** Where relays see it, if not at its address. */
        Address seenAt;

        final List<Relay.Output> seen = new ArrayList<>();
        boolean silent;
        long rttNs = 1_000_000;

        Node(int ip, RelayConfig config) {
            at = Address.v4(ip, 9_376);
            start(config);
            nodes.add(this);
        }

        void start(RelayConfig config) {
            core = new Relay(config, id, rng.split(), counters);
            core.handle(now, new Relay.Input.NewPolicy(PolicyEpoch.open()));
        }

        Contact contact() {
            return new Contact(id, List.of(at));
        }

        void input(Relay.Input input) {
            core.handle(now, input);
            drain();
        }

        void drain() {
            for (Relay.Output o; (o = core.poll()) != null; ) {
                seen.add(o);
                switch (o) {
                    case Relay.Output.Ask ask -> {
                        Node to = find(ask.to().node());
                        if (to != null && !to.silent)
                            to.input(new Relay.Input.Asked(
                                    Subject.of(id), seenAt == null ? at : seenAt, ask.call(), ask.request()));
                    }
                    case Relay.Output.Reply reply -> {
                        Node to = find(reply.to());
                        if (to != null) to.input(new Relay.Input.Answered(id, reply.call(), reply.answer(), rttNs));
                    }
                    default -> {}
                }
            }
        }

        <T> List<T> all(Class<T> type) {
            return seen.stream().filter(type::isInstance).map(type::cast).toList();
        }

        <T> T last(Class<T> type) {
            assertThat(all(type)).isNotEmpty();
            return all(type).getLast();
        }
    }

    private Node find(Id id) {
        for (Node node : nodes) if (node.id.equals(id)) return node;
        return null;
    }

    private Node node(int ip) {
        return new Node(ip, RelayConfig.DEFAULT);
    }

    private Node relay(int ip) {
        Node made = new Node(ip, RelayConfig.DEFAULT);
        made.input(new Relay.Input.Reached(Reachability.YES));
        return made;
    }

    /** Two nodes have a link, each with what it offers. */
    private static void link(Node a, Node b) {
        a.input(new Relay.Input.Up(Subject.of(b.id), b.at, offers(b)));
        b.input(new Relay.Input.Up(Subject.of(a.id), a.at, offers(a)));
    }

    private static long offers(Node node) {
        List<Relay.Output.Offer> all = node.all(Relay.Output.Offer.class);
        return all.isEmpty() ? 0 : all.getLast().capabilities();
    }

    private void run(long forNs) {
        long end = now + forNs;
        while (true) {
            long next = Long.MAX_VALUE;
            for (Node node : nodes) next = Math.min(next, node.core.deadlineNs());
            if (next > end) break;
            now = Math.max(now, next);
            for (Node node : nodes) {
                if (node.core.deadlineNs() > now) continue;
                node.input(new Relay.Input.Tick());
                assertThat(node.core.deadlineNs()).isGreaterThan(now);
            }
        }
        now = end;
    }

    private static List<Id> kept(Node node) {
        return node.last(Relay.Output.SelfRelays.class).relays().stream()
                .map(Contact::node)
                .toList();
    }

    @Test
    void aNodeThatEverybodyReachesOffersToRelayAndOthersDoNot() {
        assertThat(offers(relay(0x01010101))).isEqualTo(Capabilities.RELAYS);
        Node hidden = node(0x02020202);
        hidden.input(new Relay.Input.Reached(Reachability.NO));
        assertThat(offers(hidden)).isZero();
        Node always = new Node(0x03030303, new RelayConfig(RelayConfig.When.ALWAYS, 10, 10, 0));
        always.input(new Relay.Input.Reached(Reachability.UNKNOWN));
        assertThat(offers(always)).isEqualTo(Capabilities.RELAYS);
        Node never = new Node(0x04040404, new RelayConfig(RelayConfig.When.NEVER, 10, 10, 0));
        never.input(new Relay.Input.Reached(Reachability.YES));
        assertThat(offers(never)).isZero();
        Node gone = relay(0x05050505);
        gone.input(new Relay.Input.Reached(Reachability.NO));
        assertThat(offers(gone)).as("no longer").isZero();
        gone.input(new Relay.Input.Asked(Subject.of(hidden.id), hidden.at, 1, new Message.Reserve()));
        assertThat(gone.last(Relay.Output.Reply.class).answer())
                .isEqualTo(new Message.Reserved(Relaying.REFUSED, 0, 0));
    }

    @Test
    void aHiddenNodeKeepsPlacesAtTwoRelays() {
        Node leaf = node(0x02020202);
        List<Node> relays = List.of(relay(0x01010101), relay(0x03010101), relay(0x04010101));
        for (Node each : relays) link(leaf, each);
        assertThat(leaf.all(Relay.Output.Ask.class))
                .as("not while it may be reached")
                .isEmpty();
        leaf.input(new Relay.Input.Reached(Reachability.NO));
        assertThat(kept(leaf)).hasSize(2);
        assertThat(leaf.last(Relay.Output.Welcome.class).relays()).containsAll(kept(leaf));
        leaf.input(new Relay.Input.Reached(Reachability.YES));
        assertThat(kept(leaf)).isEmpty();
        assertThat(leaf.last(Relay.Output.Welcome.class).relays()).isEmpty();
    }

    @Test
    void aFasterRelayThatIsHeardOfLaterIsUsedInTheEndAndABusyOneIsNot() {
        Node leaf = node(0x02020202);
        List<Node> relays = List.of(
                relay(0x01010101), relay(0x03010101), relay(0x04010101), crowded(0x06010101), relay(0x07010101));
        for (int i = 0; i < 5; i++)
            relays.get(i).rttNs = List.of(90L, 50L, 20L, 4L, 45L).get(i) * 1_000_000;
        for (Node each : relays) link(leaf, each);
        leaf.input(new Relay.Input.Reached(Reachability.NO));
        run(60 * SECOND);
        assertThat(kept(leaf))
                .as(
                        "two of 90 and 50 ms first, then that of 20; 45 is no gain over 50, and 4 has nine of ten places taken")
                .containsExactly(relays.get(2).id, relays.get(1).id);
        run(4 * Places.LEASE_NS);
        assertThat(relays.getFirst().core.report(now).places())
                .as("the slow one is asked no longer")
                .isEmpty();
        assertThat(relays.getLast().core.report(now).places()).isEmpty();
    }

    /** A relay with few places, nearly all taken. */
    private Node crowded(int ip) {
        Node made = new Node(ip, new RelayConfig(RelayConfig.When.ALWAYS, 20, 20, 0));
        made.input(new Relay.Input.Reached(Reachability.YES));
        for (int i = 0; i < 18; i++) {
            Node other = node((10 + i) << 24 | 0x010101);
            made.input(new Relay.Input.Up(Subject.of(other.id), other.at, 0));
            made.input(new Relay.Input.Asked(Subject.of(other.id), other.at, 1, new Message.Reserve()));
        }
        return made;
    }

    @Test
    void whoKnowsNoRelayLooksForOneInTheDht() {
        Node leaf = node(0x02020202);
        Node plain = node(0x05020202);
        Node first = relay(0x01010101);
        Node second = relay(0x03010101);
        leaf.input(new Relay.Input.Reached(Reachability.NO));
        assertThat(leaf.all(Relay.Output.Seek.class)).hasSize(1);
        leaf.input(new Relay.Input.Found(List.of(plain.contact(), first.contact(), second.contact(), leaf.contact())));
        assertThat(kept(leaf)).containsExactlyInAnyOrder(first.id, second.id);
        link(leaf, first);
        link(leaf, second);
        link(leaf, plain);
        assertThat(kept(leaf)).containsExactlyInAnyOrder(first.id, second.id);
        int asked = leaf.all(Relay.Output.Ask.class).size();
        leaf.input(new Relay.Input.Found(List.of(plain.contact(), first.contact(), second.contact(), leaf.contact())));
        assertThat(leaf.all(Relay.Output.Ask.class)).as("nobody is asked twice").hasSize(asked);
    }

    @Test
    void aSearchInVainIsRepeatedMoreAndMoreSeldom() {
        Node leaf = node(0x02020202);
        Node silent = relay(0x01010101);
        silent.silent = true;
        leaf.input(new Relay.Input.Reached(Reachability.NO));
        for (int i = 0; i < 100; i++) {
            leaf.input(new Relay.Input.Found(List.of(silent.contact())));
            run(60 * SECOND);
        }
        assertThat(leaf.all(Relay.Output.Seek.class)).hasSizeBetween(10, 12);
        silent.silent = false;
        leaf.input(new Relay.Input.Found(List.of(silent.contact())));
        assertThat(kept(leaf)).containsExactly(silent.id);
        leaf.input(new Relay.Input.Reached(Reachability.YES));
        run(10 * Shelter.MISSING_NS);
        assertThat(leaf.all(Relay.Output.Seek.class))
                .as("a node that is reached looks for none")
                .hasSizeLessThan(14);
    }

    @Test
    void whoSleptBeyondItsLeasesIsNotDueAtOnceForGood() {
        Node leaf = node(0x02020202);
        Node relay = relay(0x01010101);
        link(leaf, relay);
        leaf.input(new Relay.Input.Reached(Reachability.NO));
        relay.silent = true;
        now += 2 * Places.LEASE_NS;
        leaf.input(new Relay.Input.Tick());
        assertThat(kept(leaf)).isEmpty();
        assertThat(leaf.core.deadlineNs()).isGreaterThan(now);
    }

    @Test
    void placesAreRenewedAndALostRelayIsReplaced() {
        Node leaf = node(0x02020202);
        Node first = relay(0x01010101);
        Node second = relay(0x03010101);
        link(leaf, first);
        link(leaf, second);
        leaf.input(new Relay.Input.Reached(Reachability.NO));
        Node third = relay(0x04010101);
        link(leaf, third);
        run(4 * Places.LEASE_NS);
        assertThat(kept(leaf)).containsExactlyInAnyOrder(first.id, second.id);
        assertThat(first.core.report(now).places()).containsExactly(leaf.id);
        first.silent = true;
        run(2 * Places.LEASE_NS);
        assertThat(kept(leaf)).containsExactlyInAnyOrder(third.id, second.id);
        leaf.input(new Relay.Input.Down(second.id));
        assertThat(kept(leaf)).containsExactly(third.id);
        first.silent = false;
        run(Shelter.PATIENCE_NS + Shelter.REST_NS);
        assertThat(kept(leaf)).as("it answers again").containsExactlyInAnyOrder(third.id, first.id);
    }

    @Test
    void aCircuitHasANumberForEachEnd() {
        Node leaf = node(0x02020202);
        Node user = node(0x05020202);
        Node relay = relay(0x01010101);
        link(leaf, relay);
        leaf.input(new Relay.Input.Reached(Reachability.NO));
        user.input(new Relay.Input.WayWanted(leaf.id, List.of(relay.contact()), List.of()));
        Relay.Output.Bind bind = relay.last(Relay.Output.Bind.class);
        Relay.Output.Way way = user.last(Relay.Output.Way.class);
        assertThat(way).isEqualTo(new Relay.Output.Way(leaf.id, relay.id, bind.token()));
        assertThat(bind.peer()).isEqualTo(user.id);
        assertThat(bind.other()).isEqualTo(leaf.id);
        assertThat(bind.otherToken()).isNotIn(0L, bind.token());
        assertThat(relay.core.report(now).circuits()).isEqualTo(1);
        relay.input(new Relay.Input.Unbound(bind.token(), bind.otherToken()));
        assertThat(relay.core.report(now).circuits()).isZero();
    }

    @Test
    void nobodyGetsACircuitToWhoKeepsNoPlace() {
        Node leaf = node(0x02020202);
        Node user = node(0x05020202);
        Node relay = relay(0x01010101);
        link(leaf, relay);
        user.input(new Relay.Input.WayWanted(leaf.id, List.of(relay.contact()), List.of()));
        assertThat(user.all(Relay.Output.Way.class)).isEmpty();
        assertThat(user.counters.value("relay.ways.refused")).isEqualTo(1);
    }

    @Test
    void aWayThroughTwoRelaysWhereOneIsOutOfReach() {
        Node leaf = node(0x02020202);
        Node user = node(0x05020202);
        Node near = relay(0x01010101);
        Node far = relay(0x03010101);
        link(leaf, far);
        link(user, near);
        leaf.input(new Relay.Input.Reached(Reachability.NO));
        user.input(new Relay.Input.Reached(Reachability.NO));
        // The user cannot reach the leaf's relay: it is told so by its links.
        far.silent = true;
        user.input(new Relay.Input.WayWanted(leaf.id, List.of(far.contact()), List.of()));
        far.silent = false;
        run(Ways.PATIENCE_NS);
        Relay.Output.Bind first = near.last(Relay.Output.Bind.class);
        Relay.Output.Bind second = far.last(Relay.Output.Bind.class);
        assertThat(user.last(Relay.Output.Way.class)).isEqualTo(new Relay.Output.Way(leaf.id, near.id, first.token()));
        assertThat(first.other()).isEqualTo(far.id);
        assertThat(first.otherToken()).as("the number of the far relay").isEqualTo(second.token());
        assertThat(second.peer()).isEqualTo(near.id);
        assertThat(second.other()).isEqualTo(leaf.id);
    }

    @Test
    void noWayGoesInACircle() {
        Node relay = relay(0x01010101);
        Node other = relay(0x03010101);
        Node liar = node(0x05020202);
        Id to = Id.random(rng);
        List<List<Contact>> circles = List.of(
                List.of(relay.contact()),
                List.of(liar.contact()),
                List.of(other.contact(), other.contact()),
                List.of(other.contact(), relay.contact()));
        for (List<Contact> via : circles) {
            relay.input(new Relay.Input.Asked(Subject.of(liar.id), liar.at, 5, new Message.Connect(to, via)));
            Message answer = relay.last(Relay.Output.Reply.class).answer();
            assertThat(answer).isEqualTo(new Message.Connected(Relaying.REFUSED, 0));
        }
        assertThat(relay.all(Relay.Output.Ask.class)).isEmpty();
        assertThat(relay.counters.value("relay.loops")).isEqualTo(4);
    }

    @Test
    void aNextRelayThatIsSilentOrLiesCostsNothingForGood() {
        Node near = relay(0x01010101);
        Node far = relay(0x03010101);
        far.silent = true;
        for (int i = 0; i < 2 * Places.NEXT_MAX; i++) {
            Message.Connect ask = new Message.Connect(Id.random(rng), List.of(far.contact()));
            near.input(new Relay.Input.Asked(Subject.of(Id.random(rng)), Address.v4(5, 5), i, ask));
        }
        assertThat(near.all(Relay.Output.Ask.class)).hasSize(Places.NEXT_MAX);
        Relay.Output.Ask first = near.all(Relay.Output.Ask.class).getFirst();
        Message.Connected made = new Message.Connected(Relaying.OK, 9);
        near.input(new Relay.Input.Answered(Id.random(rng), first.call(), made, 1));
        assertThat(near.all(Relay.Output.Bind.class)).as("that was not asked").isEmpty();
        run(Places.NEXT_NS);
        assertThat(near.core.deadlineNs()).isEqualTo(Long.MAX_VALUE);
        assertThat(near.all(Relay.Output.Reply.class)).hasSize(2 * Places.NEXT_MAX);
        Relay.Output.Ask last = near.last(Relay.Output.Ask.class);
        near.input(new Relay.Input.Answered(far.id, last.call(), new Message.Connected(Relaying.OK, 9), 1));
        assertThat(near.all(Relay.Output.Bind.class)).as("nobody waits for it").isEmpty();
    }

    @Test
    void oneNetworkCannotTakeAllPlacesNorOneAskerAllCircuits() {
        Node relay = new Node(0x01010101, new RelayConfig(RelayConfig.When.ALWAYS, 40, 1_000, 0));
        relay.input(new Relay.Input.Reached(Reachability.YES));
        int kept = 0;
        for (int i = 0; i < 100; i++) {
            now += SECOND;
            Address at = Address.v4(0x06060000 + i, 1);
            relay.input(new Relay.Input.Asked(Subject.of(Id.random(rng)), at, i, new Message.Reserve()));
            Message.Reserved answer =
                    (Message.Reserved) relay.last(Relay.Output.Reply.class).answer();
            if (answer.verdict() == Relaying.OK) kept++;
        }
        assertThat(kept).isEqualTo(10);
        Node leaf = node(0x02020202);
        relay.input(new Relay.Input.Asked(Subject.of(leaf.id), leaf.at, 1, new Message.Reserve()));
        Node greedy = node(0x07020202);
        for (int i = 0; i < 2 * Places.CIRCUITS_EACH; i++) {
            now += SECOND;
            Message.Connect ask = new Message.Connect(leaf.id, List.of());
            relay.input(new Relay.Input.Asked(Subject.of(greedy.id), greedy.at, i, ask));
        }
        assertThat(relay.all(Relay.Output.Bind.class)).hasSize(Places.CIRCUITS_EACH);
    }

    @Test
    void whoComesThroughARelayGetsNothingOfAnother() {
        Node relay = relay(0x01010101);
        Id peer = Id.random(rng);
        relay.input(new Relay.Input.Asked(Subject.of(peer), Address.circuit(3), 1, new Message.Reserve()));
        assertThat(relay.last(Relay.Output.Reply.class).answer())
                .isEqualTo(new Message.Reserved(Relaying.REFUSED, 0, 0));
    }

    @Test
    void oneRelayIsAskedOnceASecondForTheSameNode() {
        Node leaf = node(0x02020202);
        Node user = node(0x05020202);
        Node relay = relay(0x01010101);
        relay.silent = true;
        for (int i = 0; i < 15; i++) {
            user.input(new Relay.Input.WayWanted(leaf.id, List.of(relay.contact()), List.of()));
            run(SECOND / 10);
        }
        assertThat(user.all(Relay.Output.Ask.class)).hasSize(2);
    }

    @Test
    void whoAsksTooOftenIsNotAnswered() {
        Node relay = relay(0x01010101);
        Id peer = Id.random(rng);
        for (int i = 0; i < 1_000; i++) {
            relay.input(new Relay.Input.Asked(Subject.of(peer), Address.v4(9, 9), i, new Message.Reserve()));
        }
        assertThat(relay.all(Relay.Output.Reply.class)).hasSize(Relay.ASKS_AT_ONCE);
    }

    @Test
    void whoMayNotUseARelayLosesWhatItHas() {
        Node leaf = node(0x02020202);
        Node user = node(0x05020202);
        Node relay = relay(0x01010101);
        link(leaf, relay);
        link(user, relay);
        leaf.input(new Relay.Input.Reached(Reachability.NO));
        user.input(new Relay.Input.WayWanted(leaf.id, List.of(relay.contact()), List.of()));
        Relay.Output.Bind bind = relay.last(Relay.Output.Bind.class);
        Grant forLeaf = Grant.of(
                Policy.OPEN,
                new Grant.What.Nodes(),
                new Grant.Whom.Node(leaf.id),
                EnumSet.of(Action.RELAY, Action.SIGNAL));
        relay.input(new Relay.Input.NewPolicy(new PolicyEpoch(new Policy(List.of(forLeaf)), 2)));
        assertThat(relay.all(Relay.Output.Unbind.class))
                .extracting(Relay.Output.Unbind::token)
                .contains(bind.token());
        assertThat(relay.last(Relay.Output.PolicyEnded.class)).isEqualTo(new Relay.Output.PolicyEnded(2, 1));
        assertThat(relay.core.report(now).places()).containsExactly(leaf.id);
        run(2 * SECOND);
        user.input(new Relay.Input.WayWanted(leaf.id, List.of(relay.contact()), List.of()));
        assertThat(user.all(Relay.Output.Way.class)).as("and gets no other").hasSize(1);
    }

    @Test
    void aRelayThatForgotItsHoldersTellsAnewThatItRelaysAndIsAskedAgain() {
        Node leaf = node(0x02020202);
        Node relay = relay(0x01010101);
        link(leaf, relay);
        leaf.input(new Relay.Input.Reached(Reachability.NO));
        now += 10 * SECOND;
        relay.start(RelayConfig.DEFAULT);
        relay.seen.clear();
        relay.input(new Relay.Input.Up(Subject.of(leaf.id), leaf.at, offers(leaf)));
        relay.input(new Relay.Input.Reached(Reachability.YES));
        assertThat(relay.all(Relay.Output.Offer.class)).as("told to all links").hasSize(1);
        leaf.input(new Relay.Input.Up(Subject.of(relay.id), relay.at, offers(relay)));
        assertThat(relay.core.report(now).places()).containsExactly(leaf.id);
        assertThat(kept(leaf)).as("and meanwhile others were told nothing").containsExactly(relay.id);
        assertThat(leaf.all(Relay.Output.SelfRelays.class)).hasSize(1);
    }

    @Test
    void whoTellsAnewAllTheTimeIsAskedOnceASecond() {
        Node leaf = node(0x02020202);
        Node relay = relay(0x01010101);
        link(leaf, relay);
        leaf.input(new Relay.Input.Reached(Reachability.NO));
        leaf.seen.clear();
        for (int i = 0; i < 1_000; i++) {
            leaf.input(new Relay.Input.Up(Subject.of(relay.id), relay.at, offers(relay)));
            run(SECOND / 100);
        }
        assertThat(leaf.all(Relay.Output.Ask.class)).hasSizeBetween(8, 11);
    }

    @Test
    void relaysAreToldAgainToWhoBeginsAnew() {
        Node leaf = node(0x02020202);
        Node relay = relay(0x01010101);
        link(leaf, relay);
        leaf.input(new Relay.Input.Reached(Reachability.NO));
        leaf.seen.clear();
        leaf.input(new Relay.Input.Tell());
        assertThat(leaf.last(Relay.Output.Welcome.class).relays()).containsExactly(relay.id);
        assertThat(kept(leaf)).containsExactly(relay.id);
        leaf.input(new Relay.Input.LinksStarted());
        assertThat(kept(leaf)).as("its links are gone").isEmpty();
    }

    // ---- carriers ---------------------------------------------------------------------------------------------------

    /** A node that reaches this relay by a carrier and nobody in any other way. */
    private Node carried(Node relay) {
        Node made = node(0x0a000001);
        made.seenAt = Address.carrier(70_000);
        relay.input(new Relay.Input.SelfAddresses(List.of(relay.at)));
        made.input(new Relay.Input.Up(Subject.of(relay.id), Address.carrier(0), offers(relay)));
        return made;
    }

    @Test
    void whoIsReachedByACarrierKeepsAPlaceAndTellsOthersWhereTheRelayIs() {
        Node relay = relay(0x01010101);
        Node carried = carried(relay);
        assertThat(carried.last(Relay.Output.Welcome.class).relays()).containsExactly(relay.id);
        assertThat(carried.last(Relay.Output.SelfRelays.class).relays()).containsExactly(relay.contact());
        assertThat(carried.all(Relay.Output.Meet.class)).containsExactly(new Relay.Output.Meet(relay.contact()));
        assertThat(relay.core.report(now).places()).containsExactly(carried.id);
        carried.input(new Relay.Input.Reached(Reachability.YES));
        assertThat(kept(carried)).as("nothing else leads to it").containsExactly(relay.id);
    }

    @Test
    void addressesOfARelayAreToldToThoseWhoCameByACarrierOnly() {
        Node relay = relay(0x01010101);
        relay.input(new Relay.Input.SelfAddresses(List.of(relay.at)));
        Node leaf = node(0x02020202);
        leaf.input(new Relay.Input.Reached(Reachability.NO));
        link(leaf, relay);
        Message.Reserved answer =
                (Message.Reserved) relay.last(Relay.Output.Reply.class).answer();
        assertThat(answer.verdict()).isEqualTo(Relaying.OK);
        assertThat(answer.addresses()).isEmpty();
        assertThat(leaf.all(Relay.Output.Meet.class)).isEmpty();
    }

    @Test
    void aNodeWithACarrierReachesWhoeverTheRelayReaches() {
        Node relay = relay(0x01010101);
        Node carried = carried(relay);
        Node open = relay(0x03030303);
        carried.input(new Relay.Input.WayWanted(open.id, List.of(), List.of(open.at)));
        Relay.Output.Take take = open.last(Relay.Output.Take.class);
        assertThat(take.relay()).isEqualTo(relay.id);
        Relay.Output.Bind bind = relay.last(Relay.Output.Bind.class);
        assertThat(bind.peer()).isEqualTo(carried.id);
        assertThat(bind.other()).isEqualTo(open.id);
        assertThat(bind.otherToken()).isEqualTo(take.token());
        assertThat(carried.last(Relay.Output.Way.class))
                .isEqualTo(new Relay.Output.Way(open.id, relay.id, bind.token()));
    }

    @Test
    void aNodeThatDoesNotRelayTakesCircuitsThatEndAtIt() {
        Node relay = relay(0x01010101);
        Node carried = carried(relay);
        Node plain = new Node(0x03030303, new RelayConfig(RelayConfig.When.NEVER, 1, 1, 0));
        carried.input(new Relay.Input.WayWanted(plain.id, List.of(), List.of(plain.at)));
        assertThat(carried.last(Relay.Output.Way.class).node()).isEqualTo(plain.id);
    }

    @Test
    void aNodeWithACarrierAsksItsOwnRelayForTheRelaysOfOthers() {
        Node relay = relay(0x01010101);
        Node far = relay(0x02020202);
        Node leaf = node(0x04040404);
        leaf.input(new Relay.Input.Reached(Reachability.NO));
        link(leaf, far);
        Node carried = carried(relay);
        carried.input(new Relay.Input.WayWanted(leaf.id, List.of(far.contact()), List.of()));
        assertThat(carried.all(Relay.Output.Ask.class))
                .extracting(ask -> ask.to().node())
                .containsOnly(relay.id);
        assertThat(carried.last(Relay.Output.Way.class).relay()).isEqualTo(relay.id);
        assertThat(far.last(Relay.Output.Bind.class).other()).isEqualTo(leaf.id);
        int asked = carried.all(Relay.Output.Ask.class).size();
        carried.input(new Relay.Input.WayWanted(relay.id, List.of(), List.of(relay.at)));
        assertThat(carried.all(Relay.Output.Ask.class)).as("the relay itself").hasSize(asked);
    }

    @Test
    void onceTheRelayIsReachedByUdpOthersAreAskedDirectly() {
        Node relay = relay(0x01010101);
        Node carried = carried(relay);
        carried.seenAt = null;
        carried.input(new Relay.Input.Moved(relay.id, relay.at));
        run(2 * SECOND);
        Node far = relay(0x02020202);
        carried.input(new Relay.Input.WayWanted(Id.random(rng), List.of(far.contact()), List.of()));
        assertThat(carried.last(Relay.Output.Ask.class).to().node()).isEqualTo(far.id);
        carried.input(new Relay.Input.Moved(relay.id, Address.carrier(0)));
        carried.seenAt = Address.carrier(70_001);
        run(2 * SECOND);
        carried.input(new Relay.Input.WayWanted(Id.random(rng), List.of(far.contact()), List.of()));
        assertThat(carried.last(Relay.Output.Ask.class).to().node()).isEqualTo(relay.id);
        assertThat(carried.last(Relay.Output.SelfRelays.class).relays()).containsExactly(relay.contact());
    }

    @Test
    void whoHasTooManyCircuitsGetsAnotherInPlaceOfOneThatRests() {
        Node relay = relay(0x01010101);
        Node carried = carried(relay);
        for (int i = 0; i < Places.CIRCUITS_EACH; i++) {
            Node to = relay(0x05000000 + i);
            carried.input(new Relay.Input.WayWanted(to.id, List.of(), List.of(to.at)));
            run(SECOND);
        }
        assertThat(relay.all(Relay.Output.Spare.class)).isEmpty();
        Node to = relay(0x06000000);
        carried.input(new Relay.Input.WayWanted(to.id, List.of(), List.of(to.at)));
        assertThat(relay.all(Relay.Output.Spare.class)).containsExactly(new Relay.Output.Spare(carried.id));
        Relay.Output.Bind first = relay.all(Relay.Output.Bind.class).getFirst();
        relay.input(new Relay.Input.Unbound(first.token(), first.otherToken()));
        run(SECOND);
        carried.input(new Relay.Input.WayWanted(to.id, List.of(), List.of(to.at)));
        assertThat(carried.last(Relay.Output.Way.class).node()).isEqualTo(to.id);
    }

    @Test
    void aRelayThatTakesCarriersTellsThePort() {
        Node relay = new Node(0x01010101, new RelayConfig(RelayConfig.When.ALWAYS, 8, 8, 0, 443));
        relay.input(new Relay.Input.Tick());
        assertThat(offers(relay))
                .as("though it does not know whether others reach it")
                .isNotZero();
        relay.input(new Relay.Input.Reached(Reachability.NO));
        assertThat(relay.all(Relay.Output.Offer.class)).hasSize(1);
        assertThat(Capabilities.carrierPort(offers(relay))).isEqualTo(443);
        assertThat(offers(relay) & Capabilities.RELAYS).isNotZero();
    }
}
