package mcc.overlay;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import mcc.carrier.Carriers;
import mcc.consortium.Subject;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.Id;
import mcc.core.Knock;
import mcc.dht.Dht;
import mcc.dht.Ticket;
import mcc.dht.Trace;
import mcc.link.LinkInput;
import mcc.link.LinkOutput;
import mcc.nat.Nat;
import mcc.nat.Reachability;
import mcc.portmap.PortMap;
import mcc.punch.Punch;
import mcc.registry.Registry;
import mcc.relay.Relay;
import mcc.wire.Contact;
import mcc.wire.Message;
import mcc.wire.Outside;
import org.junit.jupiter.api.Test;

class WiringTest {
    private static final Id NODE = new Id(1, 2, 3, 4);
    private static final Subject WHO = Subject.of(NODE);
    private static final Address AT = Address.v4(0x0a000001, 5);
    private static final Contact CONTACT = new Contact(NODE, List.of(AT));
    private static final Message PING = new Message.Ping();

    @Test
    void requestsAndAnswersPassBetweenLinksAndDht() {
        assertThat(Wiring.route(new Dht.Output.Ask(CONTACT, 7, PING, false)))
                .containsExactly(new Delivery.ToLinks(new LinkInput.Ask(CONTACT, 7, PING)));
        assertThat(Wiring.route(new Dht.Output.Reply(NODE, 7, PING, false)))
                .containsExactly(new Delivery.ToLinks(new LinkInput.Reply(NODE, 7, PING)));
        assertThat(Wiring.route(new LinkOutput.Asked(WHO, AT, 7, PING)))
                .containsExactly(new Delivery.ToDht(new Dht.Input.Asked(WHO, AT, 7, PING)));
        assertThat(Wiring.route(new LinkOutput.Answered(NODE, AT, 7, PING, 8)))
                .containsExactly(new Delivery.ToDht(new Dht.Input.Answered(NODE, AT, 7, PING, 8)));
        assertThat(Wiring.route(new LinkOutput.Unanswered(NODE, 7, LinkOutput.Reason.UNREACHABLE)))
                .as("whose it is, its asker knows")
                .containsExactly(
                        new Delivery.ToDht(new Dht.Input.Unanswered(NODE, 7)),
                        new Delivery.ToRelay(new Relay.Input.Unanswered(NODE, 7)),
                        new Delivery.ToNat(new Nat.Input.Silent()));
        assertThat(Wiring.route(new LinkOutput.Unanswered(NODE, 7, LinkOutput.Reason.DENIED)))
                .hasSize(2);
        assertThat(Wiring.route(new LinkOutput.Up(WHO, AT, 1)))
                .contains(new Delivery.ToRelay(new Relay.Input.Up(WHO, AT, 1)))
                .extracting(Delivery::to)
                .containsExactly(
                        Mailbox.DHT, Mailbox.NAT, Mailbox.RELAY, Mailbox.PUNCH, Mailbox.CARRIERS, Mailbox.HOST);
    }

    @Test
    void holePunchingHearsWhatIsMeantForIt() {
        Message.Punch punch = new Message.Punch(List.of(AT), true, true, Outside.UNKNOWN);
        Message.Punching punching = new Message.Punching(List.of(AT), Outside.UNKNOWN);
        assertThat(Wiring.route(new LinkOutput.Asked(WHO, AT, 7, punch)))
                .containsExactly(new Delivery.ToPunch(new Punch.Input.Asked(NODE, 7, punch)));
        assertThat(Wiring.route(new LinkOutput.Answered(NODE, AT, 7, punching, 8)))
                .containsExactly(new Delivery.ToPunch(new Punch.Input.Answered(NODE, 7, punching, 8)));
        assertThat(Wiring.route(new LinkOutput.Moved(WHO, AT, 70_000, 4)))
                .contains(new Delivery.ToPunch(new Punch.Input.At(NODE, AT, 70_000, 4)));
        assertThat(Wiring.route(new Punch.Output.Challenge(NODE, AT, 70_000, Knock.SHORT)))
                .containsExactly(new Delivery.ToLinks(new LinkInput.Knock(NODE, AT, 70_000, Knock.SHORT)));
        assertThat(Wiring.route(new Punch.Output.Echo(NODE, 70_000, AT, 9)))
                .containsExactly(
                        new Delivery.ToLinks(new LinkInput.Probe(NODE, 70_000, AT, LinkInput.Probe.Kind.ECHO, 9)));
        assertThat(Wiring.route(new LinkOutput.Echoed(NODE, 70_000, 9, AT)))
                .contains(new Delivery.ToPunch(new Punch.Input.Echoed(70_000, 9, AT)));
        Outside outside = Outside.of(Outside.Allocation.RANDOM);
        assertThat(Wiring.route(new Nat.Output.Behind(outside, 0)))
                .containsExactly(new Delivery.ToPunch(new Punch.Input.Behind(outside, 0)));
        assertThat(Wiring.route(new Nat.Output.SelfAddresses(List.of(AT))))
                .contains(new Delivery.ToPunch(new Punch.Input.SelfAddresses(List.of(AT))));
    }

    @Test
    void relaysHearWhatIsMeantForThem() {
        Message reserve = new Message.Reserve();
        Message reserved = new Message.Reserved(Message.Relaying.OK, 600_000, 0);
        assertThat(Wiring.route(new LinkOutput.Asked(WHO, AT, 7, reserve)))
                .containsExactly(new Delivery.ToRelay(new Relay.Input.Asked(WHO, AT, 7, reserve)));
        assertThat(Wiring.route(new LinkOutput.Answered(NODE, AT, 7, reserved, 8)))
                .containsExactly(new Delivery.ToRelay(new Relay.Input.Answered(NODE, 7, reserved, 8)));
        LinkOutput down = new LinkOutput.Down(NODE, LinkOutput.Reason.CLOSED);
        assertThat(Wiring.route(down)).contains(new Delivery.ToRelay(new Relay.Input.Down(NODE)));
        Delivery seek = Wiring.route(new Relay.Output.Seek(NODE)).getFirst();
        Ticket ofRelay = ((Dht.Input.FindNode) seek.content()).ticket();
        Dht.Output.Found found = found(ofRelay);
        assertThat(Wiring.route(found)).containsExactly(new Delivery.ToRelay(new Relay.Input.Found(found.closest())));
        assertThat(Wiring.route(new Relay.Output.SelfRelays(List.of(CONTACT))))
                .containsExactly(new Delivery.ToRegistry(new Registry.Input.SelfRelays(List.of(CONTACT))));
    }

    @Test
    void theRegistrysTicketsComeBackToTheRegistryAndTheHostsToTheHost() {
        for (long ticket : new long[] {0, 1, 99}) {
            Delivery ask =
                    Wiring.route(new Registry.Output.Find(ticket, NODE, 5)).getFirst();
            Ticket carried = ((Dht.Input.FindValue) ask.content()).ticket();
            assertThat(Wiring.route(found(carried)))
                    .containsExactly(new Delivery.ToRegistry(new Registry.Input.Found(ticket, List.of())));
            Ticket ofHost = Ticket.ofHost(ticket);
            assertThat(Wiring.route(found(ofHost))).containsExactly(new Delivery.ToHost(found(ofHost)));
            Delivery put = Wiring.route(new Registry.Output.Put(ticket, NODE, NODE, Bytes.EMPTY, 30_000))
                    .getFirst();
            carried = ((Dht.Input.Put) put.content()).ticket();
            assertThat(Wiring.route(new Dht.Output.Stored(carried, 1, 2)))
                    .containsExactly(new Delivery.ToRegistry(new Registry.Input.Stored(ticket, 1, 2)));
        }
    }

    @Test
    void whetherStrangersReachThisNodeIsToldToTheDhtAndByItToPeers() {
        for (boolean leaf : new boolean[] {false, true}) {
            assertThat(Wiring.route(new Nat.Output.Leaf(leaf)))
                    .containsExactly(new Delivery.ToDht(new Dht.Input.Leaf(leaf)));
        }
        assertThat(Wiring.route(new Dht.Output.Ask(CONTACT, 7, PING, true)))
                .containsExactly(new Delivery.ToLinks(new LinkInput.Ask(CONTACT, 7, PING, true)));
        assertThat(Wiring.route(new Dht.Output.Reply(NODE, 7, PING, true)))
                .containsExactly(new Delivery.ToLinks(new LinkInput.Reply(NODE, 7, PING, true)));
        assertThat(Wiring.route(new LinkOutput.Asked(WHO, AT, 7, PING, true)))
                .containsExactly(new Delivery.ToDht(new Dht.Input.Asked(WHO, AT, 7, PING, true)));
        assertThat(Wiring.route(new LinkOutput.Answered(NODE, AT, 7, PING, 8, true)))
                .containsExactly(new Delivery.ToDht(new Dht.Input.Answered(NODE, AT, 7, PING, 8, true)));
    }

    @Test
    void natDetectionTriesWhatTheRouterMaps() {
        assertThat(Wiring.route(new PortMap.Output.Mapped(AT)))
                .containsExactly(new Delivery.ToNat(new Nat.Input.Mapped(AT)));
        for (Nat.Port found : Nat.Port.values()) {
            PortMap.Finding same = PortMap.Finding.valueOf(found.name());
            assertThat(Wiring.route(new Nat.Output.PortFound(AT, found)))
                    .containsExactly(new Delivery.ToPortMap(new PortMap.Input.Found(AT, same)));
        }
    }

    @Test
    void whoFeedsACoreThatBeginsIsToldSo() {
        assertThat(Wiring.started(Mailbox.DHT))
                .extracting(Delivery::to)
                .containsExactly(Mailbox.LINKS, Mailbox.NAT, Mailbox.REGISTRY, Mailbox.ALL);
        assertThat(Wiring.started(Mailbox.REGISTRY))
                .extracting(Delivery::to)
                .containsExactly(Mailbox.NAT, Mailbox.RELAY, Mailbox.ALL);
        assertThat(Wiring.started(Mailbox.RELAY))
                .extracting(Delivery::to)
                .containsExactly(Mailbox.LINKS, Mailbox.NAT, Mailbox.ALL);
        assertThat(Wiring.started(Mailbox.NAT))
                .extracting(Delivery::to)
                .containsExactly(Mailbox.LINKS, Mailbox.DHT, Mailbox.PORTMAP, Mailbox.ALL);
        assertThat(Wiring.started(Mailbox.PORTMAP))
                .as("what its predecessor told is void")
                .containsExactly(
                        new Delivery.ToNat(new Nat.Input.Mapped(null)),
                        new Delivery.ToAll(new Started(Mailbox.PORTMAP)));
        assertThat(Wiring.started(Mailbox.LINKS))
                .containsExactly(
                        new Delivery.ToNat(new Nat.Input.LinksStarted()),
                        new Delivery.ToRelay(new Relay.Input.LinksStarted()),
                        new Delivery.ToPunch(new Punch.Input.LinksStarted()),
                        new Delivery.ToCarriers(new Carriers.Input.LinksStarted()),
                        new Delivery.ToAll(new Started(Mailbox.LINKS)));
        assertThat(Wiring.route(new LinkOutput.Stands(WHO, AT, AT, 0, 0, 1)))
                .containsExactly(
                        new Delivery.ToDht(new Dht.Input.Up(NODE, AT)),
                        new Delivery.ToNat(new Nat.Input.Up(NODE, AT)),
                        new Delivery.ToRelay(new Relay.Input.Up(WHO, AT, 1)),
                        new Delivery.ToPunch(new Punch.Input.At(NODE, AT, 0, 1)),
                        new Delivery.ToCarriers(new Carriers.Input.At(NODE, AT, 1)),
                        new Delivery.ToNat(new Nat.Input.Observed(NODE, AT, AT, 0, 0)));
        assertThat(Wiring.route(new LinkOutput.Stands(WHO, AT, null, 0, 0, 1)))
                .as("it never said from where it hears this node")
                .hasSize(5);
    }

    @Test
    void carriersHearWhatIsMeantForThem() {
        Address carrier = Address.carrier(3);
        assertThat(Wiring.route(new LinkOutput.Moved(WHO, carrier, 0, 4)))
                .contains(
                        new Delivery.ToCarriers(new Carriers.Input.At(NODE, carrier, 4)),
                        new Delivery.ToRelay(new Relay.Input.Moved(NODE, carrier)));
        assertThat(Wiring.route(new LinkOutput.Down(NODE, LinkOutput.Reason.CLOSED)))
                .contains(new Delivery.ToCarriers(new Carriers.Input.Down(NODE)));
        assertThat(Wiring.route(new Dht.Output.Alone()))
                .contains(new Delivery.ToCarriers(new Carriers.Input.Alone()))
                .anyMatch(each -> each.to() == Mailbox.HOST);
        assertThat(Wiring.route(new LinkOutput.NotDialled(1, carrier, LinkOutput.Reason.UNREACHABLE)))
                .as("it says nothing of UDP")
                .extracting(Delivery::to)
                .containsExactly(Mailbox.DHT_HOST);
        assertThat(Wiring.route(new Carriers.Output.Call(NODE, carrier)))
                .containsExactly(new Delivery.ToLinks(new LinkInput.Carried(NODE, carrier)));
        assertThat(Wiring.route(new Carriers.Output.Ended(carrier)))
                .containsExactly(new Delivery.ToLinks(new LinkInput.CarrierEnded(carrier)));
        assertThat(Wiring.route(new Carriers.Output.TryUdp(NODE)))
                .containsExactly(new Delivery.ToLinks(new LinkInput.TryAddresses(NODE)));
        assertThat(Wiring.route(new Nat.Output.SelfAddresses(List.of(AT))))
                .contains(new Delivery.ToRelay(new Relay.Input.SelfAddresses(List.of(AT))));
        assertThat(Wiring.route(new Relay.Output.Meet(CONTACT)))
                .containsExactly(new Delivery.ToDht(new Dht.Input.Meet(List.of(CONTACT))));
        assertThat(Wiring.started(Mailbox.CARRIERS))
                .extracting(Delivery::to)
                .containsExactly(Mailbox.LINKS, Mailbox.ALL);
    }

    @Test
    void requestsAndAnswersOfDialBacksPassBetweenLinksAndNatDetection() {
        var ask = new Message.DialBack(AT, 5, true);
        var answer = new Message.DialedBack(Message.Dialed.SENT);
        assertThat(Wiring.route(new LinkOutput.Asked(WHO, AT, 7, ask)))
                .containsExactly(new Delivery.ToNat(new Nat.Input.Asked(NODE, AT, 7, ask)));
        assertThat(Wiring.route(new LinkOutput.Answered(NODE, AT, 7, answer, 8)))
                .containsExactly(new Delivery.ToNat(new Nat.Input.Answered(NODE, 7, Message.Dialed.SENT)));
        assertThat(Wiring.route(new Nat.Output.Ask(CONTACT, 7, ask)))
                .containsExactly(new Delivery.ToLinks(new LinkInput.Ask(CONTACT, 7, ask)));
        assertThat(Wiring.route(new Nat.Output.Reply(NODE, 7, answer)))
                .containsExactly(new Delivery.ToLinks(new LinkInput.Reply(NODE, 7, answer)));
        assertThat(Wiring.route(new Nat.Output.Echo(NODE, 9, AT, 3)))
                .containsExactly(new Delivery.ToLinks(new LinkInput.Probe(NODE, 9, AT, LinkInput.Probe.Kind.ECHO, 3)));
        assertThat(Wiring.route(new Nat.Output.DialBack(NODE, 9, AT, 3)))
                .containsExactly(
                        new Delivery.ToLinks(new LinkInput.Probe(NODE, 9, AT, LinkInput.Probe.Kind.DIAL_BACK, 3)));
        assertThat(Wiring.route(new LinkOutput.Echoed(NODE, 9, 3, AT)))
                .containsExactly(
                        new Delivery.ToNat(new Nat.Input.Echoed(NODE, 9, 3, AT)),
                        new Delivery.ToPunch(new Punch.Input.Echoed(9, 3, AT)));
        assertThat(Wiring.route(new LinkOutput.DialledBack(NODE, AT, 9, 3)))
                .containsExactly(new Delivery.ToNat(new Nat.Input.DialledBack(NODE, AT, 9, 3)));
        assertThat(Wiring.route(new LinkOutput.Unsolicited(NODE, AT)))
                .containsExactly(new Delivery.ToNat(new Nat.Input.Unsolicited(AT)));
        assertThat(Wiring.route(new LinkOutput.Down(NODE, LinkOutput.Reason.IDLE)))
                .contains(new Delivery.ToNat(new Nat.Input.Down(NODE)));
    }

    @Test
    void theVerdictOfNatDetectionIsTold() {
        var verdict = new Nat.Output.Verdict(Reachability.NO, Reachability.YES);
        assertThat(Wiring.route(verdict))
                .containsExactly(
                        new Delivery.ToRelay(new Relay.Input.Reached(Reachability.YES)), new Delivery.ToHost(verdict));
        assertThat(verdict.reachable()).isEqualTo(Reachability.YES);
        assertThat(new Nat.Output.Verdict(Reachability.NO, Reachability.UNKNOWN).reachable())
                .isEqualTo(Reachability.NO);
        assertThat(new Nat.Output.Verdict(Reachability.UNKNOWN, Reachability.UNKNOWN).reachable())
                .isEqualTo(Reachability.UNKNOWN);
    }

    private static Dht.Output.Found found(Ticket ticket) {
        return new Dht.Output.Found(ticket, NODE, List.of(), List.of(), new Trace(1, 0, 0, List.of()));
    }
}
