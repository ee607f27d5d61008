package mcc.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import mcc.core.Address;
import mcc.core.Core;
import mcc.core.Id;
import mcc.core.Invariant;
import mcc.core.Rng;
import mcc.dht.Dht;
import mcc.link.LinkInput;
import mcc.link.LinkOutput;
import mcc.wire.Contact;
import mcc.wire.Message;
import org.junit.jupiter.api.Test;

/** The parts that the simulator is made of. */
class HarnessTest {
    private final Rng rng = Rng.seeded(4);

    @Test
    void eventsComeByTimeAndAtEqualTimesInTheOrderOfPlanning() {
        record Planned(long atNs, int order) {}
        Timeline timeline = new Timeline();
        TreeSet<Planned> expected =
                new TreeSet<>(Comparator.comparingLong(Planned::atNs).thenComparingInt(Planned::order));
        for (int i = 0; i < 20_000; i++) {
            Planned planned = new Planned(rng.below(500), i);
            timeline.add(planned.atNs, new Timeline.Event(i, 0, 0, 0, planned));
            expected.add(planned);
            if (i % 3 == 0) assertThat(next(timeline)).isEqualTo(expected.pollFirst());
        }
        while (!expected.isEmpty()) assertThat(next(timeline)).isEqualTo(expected.pollFirst());
        assertThat(timeline.nextNs()).isEqualTo(Core.NEVER);
        assertThat(timeline.poll()).isNull();
    }

    /** Cores draw any numbers for their calls, and half of them are negative. */
    @Test
    void onlyAnswersToItsOwnCallsGoToTheScenario() {
        List<Object> heard = new ArrayList<>();
        World world = new World(2, 1, Options.defaults(), (_, output) -> heard.add(output));
        SimNode node = world.nodes.getFirst();
        var own = new LinkOutput.Unanswered(node.id, world.nextCall(), LinkOutput.Reason.REFUSED);
        world.said(node, own);
        world.said(node, new LinkOutput.Unanswered(node.id, Long.MIN_VALUE, LinkOutput.Reason.REFUSED));
        world.said(node, new LinkOutput.Unanswered(node.id, world.nextCall() - 1, LinkOutput.Reason.REFUSED));
        assertThat(heard).containsExactly(own);
    }

    private static Object next(Timeline timeline) {
        Timeline.Event event = timeline.poll();
        return event == null ? "none" : event.what();
    }

    /** As on the bus: between each two mailboxes in order, and else in any. */
    @Test
    void messagesStayInOrderBetweenTwoMailboxesOnly() {
        boolean overtook = false;
        for (int run = 0; run < 50; run++) {
            Mail mail = new Mail();
            for (int i = 0; i < 40; i++) mail.post(rng.below(Mail.MAILBOXES + 1), rng.below(Mail.MAILBOXES), i);
            Map<Integer, Integer> last = new LinkedHashMap<>();
            int before = -1;
            int count = 0;
            while (!mail.isEmpty()) {
                int message = (int) mail.take(rng);
                int pair = mail.from() * Mail.MAILBOXES + mail.to();
                assertThat(message).isGreaterThan(last.getOrDefault(pair, -1));
                last.put(pair, message);
                overtook |= message < before;
                before = message;
                count++;
            }
            assertThat(count).isEqualTo(40);
        }
        assertThat(overtook)
                .as("messages of different mailboxes overtake each other")
                .isTrue();
    }

    @Test
    void anotherSeedReadsTheMailInAnotherOrder() {
        List<Object> orders = new ArrayList<>();
        for (int seed = 0; seed < 5; seed++) {
            Rng own = Rng.seeded(seed);
            Mail mail = new Mail();
            for (int i = 0; i < 10; i++) mail.post(i % Mail.MAILBOXES, Mail.DHT, i);
            List<Object> order = new ArrayList<>();
            while (!mail.isEmpty()) order.add(mail.take(own));
            orders.add(order);
        }
        assertThat(orders.stream().distinct().count()).isGreaterThan(2);
    }

    @Test
    void aStalledMailboxReadsLaterAndInOrder() {
        World world = world(1, new Faults(0, 0, 0, 0, 0), 0);
        SimNode node = world.nodes.getFirst();
        node.up = true;
        node.busy = 1 << Mail.DHT;
        world.input(node, new Dht.Input.Start(node.contact, List.of(), List.of(), world.epochMs()));
        world.input(node, new Dht.Input.FindNode(5, Id.ZERO));
        world.runUntil(World.SECOND);
        assertThat(node.joinedNs).as("it does not read").isEqualTo(Core.NEVER);
        world.wake(node, Mail.DHT, 0);
        world.runUntil(2 * World.SECOND);
        assertThat(node.joinedNs).as("it reads").isEqualTo(World.SECOND);
        assertThat(heard).hasAtLeastOneElementOfType(Dht.Output.Found.class);
        assertThat(node.held).isNull();
    }

    /** A real node once stood still for good: what was due was still due after its tick. */
    @Test
    void aCoreWhoseDeadlineStaysBehindATickBreaksALaw() {
        World world = world(1, Faults.none(), 0);
        world.runUntil(World.SECOND);
        for (long behind : new long[] {0, World.SECOND}) {
            assertThatThrownBy(() -> world.mailboxes.ticked(behind, "DHT"))
                    .isInstanceOf(Invariant.Broken.class)
                    .hasMessage("after a tick the deadline of the DHT lies ahead");
        }
        world.mailboxes.ticked(World.SECOND + 1, "DHT");
        world.mailboxes.ticked(Core.NEVER, "DHT");
    }

    @Test
    void theTruthIsWhoIsNearest() {
        World world = world(200, Faults.none(), 0);
        world.nodes.forEach(node -> node.up = node.index % 3 != 0);
        Nearest nearest = new Nearest(world.nodes);
        for (int i = 0; i < 500; i++) {
            Id target = Id.random(rng);
            SimNode expected = world.nodes.stream()
                    .filter(node -> node.up)
                    .min(Comparator.comparing(node -> node.signing.position(node.id), target.byDistance()))
                    .orElseThrow();
            assertThat(nearest.to(target, node -> node.up)).isSameAs(expected);
        }
        assertThat(nearest.to(Id.ZERO, _ -> false)).isNull();
    }

    @Test
    void aOneWayNodeHearsWhomItSpokeToAndNobodyElse() {
        World world = world(3, Faults.none(), 0);
        SimNode shy = world.nodes.get(0);
        SimNode friend = world.nodes.get(1);
        SimNode stranger = world.nodes.get(2);
        world.nodes.forEach(node -> node.up = true);
        shy.oneWay = true;
        assertThat(world.network.carries(friend, shy)).isFalse();
        assertThat(world.network.carries(shy, friend)).isTrue();
        assertThat(world.network.carries(friend, shy)).isTrue();
        assertThat(world.network.carries(stranger, shy)).isFalse();
        world.runUntil(Network.FIREWALL_NS + 1);
        assertThat(world.network.carries(friend, shy)).as("two minutes later").isFalse();
        friend.cut = true;
        assertThat(world.network.carries(shy, friend)).isFalse();
    }

    @Test
    void aMessageGetsWhereOneOfItsAddressesLeads() {
        World world = world(2, Faults.none(), 0);
        SimNode node = world.nodes.get(1);
        assertThat(world.network.find(node.contact)).isSameAs(node);
        assertThat(world.network.find(new Contact(node.id, List.of(Network.silent(3), node.address()))))
                .isSameAs(node);
        assertThat(world.network.find(new Contact(node.id, List.of(Network.silent(3)))))
                .isNull();
        assertThat(world.network.find(new Contact(node.id, List.of(Network.address(0)))))
                .isNull();
        assertThat(world.network.at(Network.silent(0))).isNull();
        assertThat(world.network.at(Network.address(2))).isNull();
        assertThat(world.network.at(Address.parse("[2001:db8::1]:9376"))).isNull();
    }

    @Test
    void aLiarNamesNodesThatAreNotThere() {
        World world = world(30, Faults.none(), 0);
        var asked = new Dht.Input.Asked(
                mcc.consortium.Subject.of(Id.ZERO), Network.address(1), 1, new Message.FindNode(Id.ZERO));
        Message.Nodes lie = (Message.Nodes) world.liars.answer(asked);
        assertThat(lie).isNotNull();
        assertThat(lie.contacts()).isNotEmpty().allMatch(contact -> world.network.find(contact) == null);
        var ping = new Dht.Input.Asked(mcc.consortium.Subject.of(Id.ZERO), Network.address(1), 1, new Message.Ping());
        assertThat(world.liars.answer(ping)).as("it is a member").isNull();
    }

    /** Both mailboxes of links speak for whoever asks in a scenario's name. */
    @Test
    void aQuestionOfTheScenarioIsAnsweredToItAtBothFidelities() {
        for (Options.Fidelity fidelity : Options.Fidelity.values()) {
            heard.clear();
            World world = new World(2, 1, options(Faults.none(), 0).with(fidelity), (_, output) -> heard.add(output));
            world.startAll();
            world.runUntil(20 * World.SECOND);
            long call = world.nextCall();
            SimNode to = world.nodes.get(1);
            world.input(world.nodes.get(0), new LinkInput.Ask(to.contact, call, new Message.Ping()));
            world.runUntil(25 * World.SECOND);
            assertThat(heard)
                    .as("at " + fidelity)
                    .anyMatch(o -> o instanceof LinkOutput.Answered a
                            && a.call() == call
                            && a.from().equals(to.id));
        }
    }

    private final List<Object> heard = new ArrayList<>();

    private World world(int nodes, Faults faults, int stallPpm) {
        return new World(nodes, 1, options(faults, stallPpm), (_, output) -> heard.add(output));
    }

    private static Options options(Faults faults, int stallPpm) {
        return new Options(Options.Fidelity.MESSAGES, 0, 50, 200, 0, stallPpm, faults, Options.K);
    }
}
