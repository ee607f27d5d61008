package mcc.overlay;

import java.util.ArrayList;
import java.util.List;
import mcc.carrier.Carriers;
import mcc.consortium.Subject;
import mcc.core.Address;
import mcc.core.Id;
import mcc.dht.Dht;
import mcc.dht.Ticket;
import mcc.link.LinkInput;
import mcc.link.LinkInput.Probe.Kind;
import mcc.link.LinkOutput;
import mcc.link.PacketSink;
import mcc.nat.Nat;
import mcc.portmap.PortMap;
import mcc.punch.Punch;
import mcc.registry.Registry;
import mcc.relay.Relay;
import mcc.wire.Message;

/**
 * Who tells whom: for every output of every core, the messages that follow. Pure; the node delivers them over its bus, the
 * simulator by a queue.
 *
 * <p>The DHT is asked by its host (for REST), by the registry and by the relays; its tickets say by which of them.
 */
public final class Wiring {
    /** Of first contacts by a carrier, which nobody waits for: what follows from them is that a link is up. */
    private static final long CARRIER_TICKET = Long.MIN_VALUE;

    private Wiring() {}

    /** Routes the news that the core at a mailbox was started: whoever feeds it tells its state again. */
    public static List<Delivery> started(Mailbox mailbox) {
        Delivery all = new Delivery.ToAll(new Started(mailbox));
        Delivery links = new Delivery.ToLinks(new LinkInput.Tell());
        Delivery nat = nat(new Nat.Input.Tell());
        return switch (mailbox) {
            case DHT -> List.of(links, nat, new Delivery.ToRegistry(new Registry.Input.DhtStarted()), all);
            case REGISTRY -> List.of(nat, relay(new Relay.Input.Tell()), all);
            case NAT -> List.of(links, dht(new Dht.Input.Leaf(false)), portMap(new PortMap.Input.Tell()), all);
            case RELAY -> List.of(links, nat, all);
            case PUNCH -> List.of(links, nat, all);
            case CARRIERS -> List.of(links, all);
            case PORTMAP -> List.of(nat(new Nat.Input.Mapped(null)), all);
            case LINKS ->
                List.of(
                        nat(new Nat.Input.LinksStarted()),
                        relay(new Relay.Input.LinksStarted()),
                        punch(new Punch.Input.LinksStarted()),
                        carriers(new Carriers.Input.LinksStarted()),
                        all);
            case DHT_HOST, ALL, HOST -> List.of(all);
        };
    }

    /** Routes what the links report. */
    public static List<Delivery> route(LinkOutput output) {
        return switch (output) {
            case LinkOutput.Asked o
            when o.request() instanceof Message.DialBack request ->
                toNat(new Nat.Input.Asked(o.from().node(), o.at(), o.call(), request));
            case LinkOutput.Asked o -> asked(o);
            case LinkOutput.Answered o
            when o.answer() instanceof Message.DialedBack answer ->
                toNat(new Nat.Input.Answered(o.from(), o.call(), answer.result()));
            case LinkOutput.Answered o -> answered(o);
            case LinkOutput.Unanswered o ->
                withSilence(
                        o.reason(),
                        dht(new Dht.Input.Unanswered(o.to(), o.call())),
                        relay(new Relay.Input.Unanswered(o.to(), o.call())));
            case LinkOutput.Up o ->
                List.of(
                        dht(new Dht.Input.Up(o.node().node(), o.at())),
                        nat(new Nat.Input.Up(o.node().node(), o.at())),
                        relay(new Relay.Input.Up(o.node(), o.at(), o.capabilities())),
                        punch(o.node(), o.at(), PacketSink.ANY, o.capabilities()),
                        carriers(o.node(), o.at(), o.capabilities()),
                        host(o));
            case LinkOutput.Offers o ->
                List.of(
                        relay(new Relay.Input.Up(o.node(), o.at(), o.capabilities())),
                        punch(o.node(), o.at(), PacketSink.ANY, o.capabilities()),
                        carriers(o.node(), o.at(), o.capabilities()));
            case LinkOutput.Moved o ->
                List.of(
                        relay(new Relay.Input.Moved(o.node().node(), o.at())),
                        punch(o.node(), o.at(), o.local(), o.capabilities()),
                        carriers(o.node(), o.at(), o.capabilities()));
            case LinkOutput.WayWanted o ->
                List.of(relay(new Relay.Input.WayWanted(o.node(), o.relays(), o.addresses())));
            case LinkOutput.Unbound o -> List.of(relay(new Relay.Input.Unbound(o.token(), o.otherToken())));
            case LinkOutput.Down o ->
                List.of(
                        nat(new Nat.Input.Down(o.node())),
                        relay(new Relay.Input.Down(o.node())),
                        punch(new Punch.Input.Down(o.node())),
                        carriers(new Carriers.Input.Down(o.node())),
                        host(o));
            case LinkOutput.Observed o ->
                toNat(new Nat.Input.Observed(o.by(), o.at(), o.self(), o.local(), o.sinceNs()));
            case LinkOutput.Stands o -> stands(o);
            case LinkOutput.Echoed o ->
                List.of(
                        nat(new Nat.Input.Echoed(o.by(), o.local(), o.nonce(), o.self())),
                        punch(new Punch.Input.Echoed(o.local(), o.nonce(), o.self())));
            case LinkOutput.DialledBack o -> toNat(new Nat.Input.DialledBack(o.by(), o.from(), o.local(), o.nonce()));
            case LinkOutput.Unsolicited o -> toNat(new Nat.Input.Unsolicited(o.from()));
            case LinkOutput.Dialled o -> List.of(new Delivery.ToDhtHost(o));
            case LinkOutput.NotDialled o when o.to().isCarrier() -> List.of(new Delivery.ToDhtHost(o));
            case LinkOutput.NotDialled o -> withSilence(o.reason(), new Delivery.ToDhtHost(o));
            case LinkOutput.PolicyEnded _, LinkOutput.StreamOpened _, LinkOutput.OfStream _ -> toHost(output);
        };
    }

    /** Routes what NAT detection tells. */
    public static List<Delivery> route(Nat.Output output) {
        return switch (output) {
            case Nat.Output.SelfAddresses o ->
                List.of(
                        dht(new Dht.Input.SelfAddresses(o.addresses())),
                        punch(new Punch.Input.SelfAddresses(o.addresses())),
                        relay(new Relay.Input.SelfAddresses(o.addresses())),
                        new Delivery.ToRegistry(new Registry.Input.SelfAddresses(o.addresses())));
            case Nat.Output.Echo o -> probe(o.to(), o.end(), o.at(), Kind.ECHO, o.nonce());
            case Nat.Output.DialBack o -> probe(o.to(), o.end(), o.at(), Kind.DIAL_BACK, o.nonce());
            case Nat.Output.Ask o -> toLinks(new LinkInput.Ask(o.to(), o.call(), o.request()));
            case Nat.Output.Reply o -> toLinks(new LinkInput.Reply(o.to(), o.call(), o.answer()));
            case Nat.Output.OpenEnd _, Nat.Output.CloseEnd _ -> toHost(output);
            case Nat.Output.Behind o -> List.of(punch(new Punch.Input.Behind(o.outside(), o.step())));
            case Nat.Output.PortFound o -> List.of(portMap(new PortMap.Input.Found(o.external(), finding(o.found()))));
            case Nat.Output.Leaf o -> toDht(new Dht.Input.Leaf(o.leaf()));
            case Nat.Output.Verdict o -> List.of(relay(new Relay.Input.Reached(o.reachable())), host(o));
        };
    }

    private static PortMap.Finding finding(Nat.Port found) {
        return switch (found) {
            case WORKS -> PortMap.Finding.WORKS;
            case UNPROVED -> PortMap.Finding.UNPROVED;
            case DEAD -> PortMap.Finding.DEAD;
            case ELSEWHERE -> PortMap.Finding.ELSEWHERE;
        };
    }

    /** Routes what port mapping tells. */
    public static List<Delivery> route(PortMap.Output output) {
        return switch (output) {
            case PortMap.Output.Mapped o -> toNat(new Nat.Input.Mapped(o.external()));
            case PortMap.Output.Send _, PortMap.Output.Fetch _, PortMap.Output.Changed _ -> toHost(output);
        };
    }

    /** Routes what relays need. */
    public static List<Delivery> route(Relay.Output output) {
        return switch (output) {
            case Relay.Output.Ask o -> toLinks(new LinkInput.Ask(o.to(), o.call(), o.request()));
            case Relay.Output.Reply o -> toLinks(new LinkInput.Reply(o.to(), o.call(), o.answer()));
            case Relay.Output.Seek o -> toDht(new Dht.Input.FindNode(Ticket.ofRelay(), o.target()));
            case Relay.Output.Bind o ->
                toLinks(new LinkInput.Bind(o.peer(), o.token(), o.other(), o.otherToken(), o.bytesPerSecond()));
            case Relay.Output.Unbind o -> toLinks(new LinkInput.Unbind(o.token()));
            case Relay.Output.Way o -> toLinks(new LinkInput.Way(o.node(), o.relay(), o.token()));
            case Relay.Output.Welcome o -> toLinks(new LinkInput.Welcome(o.relays()));
            case Relay.Output.Offer o -> toLinks(new LinkInput.Offer(o.capabilities()));
            case Relay.Output.SelfRelays o -> toRegistry(new Registry.Input.SelfRelays(o.relays()));
            case Relay.Output.Take o -> toLinks(new LinkInput.Take(o.relay(), o.token()));
            case Relay.Output.Spare o -> toLinks(new LinkInput.Spare(o.asker()));
            case Relay.Output.Meet o -> toDht(new Dht.Input.Meet(List.of(o.relay())));
            case Relay.Output.PolicyEnded _ -> toHost(output);
        };
    }

    /** Routes what carriers need. */
    public static List<Delivery> route(Carriers.Output output) {
        return switch (output) {
            case Carriers.Output.Call o -> toLinks(new LinkInput.Carried(o.relay(), o.carrier()));
            case Carriers.Output.Dial o -> toLinks(new LinkInput.Dial(CARRIER_TICKET, o.carrier()));
            case Carriers.Output.Ended o -> toLinks(new LinkInput.CarrierEnded(o.carrier()));
            case Carriers.Output.TryUdp o -> toLinks(new LinkInput.TryAddresses(o.peer()));
            case Carriers.Output.Open _, Carriers.Output.Close _, Carriers.Output.Learnt _, Carriers.Output.Changed _ ->
                toHost(output);
        };
    }

    /** Routes what hole punching needs. */
    public static List<Delivery> route(Punch.Output output) {
        return switch (output) {
            case Punch.Output.Ask o -> toLinks(new LinkInput.Ask(o.to(), o.call(), o.request()));
            case Punch.Output.Reply o -> toLinks(new LinkInput.Reply(o.to(), o.call(), o.answer()));
            case Punch.Output.Challenge o -> toLinks(new LinkInput.Knock(o.peer(), o.at(), o.local(), o.manner()));
            case Punch.Output.Echo o -> probe(o.to(), o.end(), o.at(), Kind.ECHO, o.nonce());
            case Punch.Output.OpenEnd _, Punch.Output.CloseEnd _ -> toHost(output);
        };
    }

    /** Routes what the DHT asks. */
    public static List<Delivery> route(Dht.Output output) {
        return switch (output) {
            case Dht.Output.Ask o -> toLinks(new LinkInput.Ask(o.to(), o.call(), o.request(), o.leaf()));
            case Dht.Output.Cancel o -> toLinks(new LinkInput.Cancel(o.to(), o.call()));
            case Dht.Output.Reply o -> toLinks(new LinkInput.Reply(o.to(), o.call(), o.answer(), o.leaf()));
            case Dht.Output.Found o ->
                switch (o.ticket().by()) {
                    case HOST -> toHost(o);
                    case REGISTRY ->
                        toRegistry(new Registry.Input.Found(o.ticket().number(), o.records()));
                    case RELAY -> List.of(relay(new Relay.Input.Found(o.closest())));
                };
            case Dht.Output.Stored o ->
                switch (o.ticket().by()) {
                    case HOST -> toHost(o);
                    case REGISTRY ->
                        toRegistry(new Registry.Input.Stored(o.ticket().number(), o.replicas(), o.of()));
                    case RELAY -> List.of(); // which store nothing
                };
            case Dht.Output.Alone _ -> List.of(carriers(new Carriers.Input.Alone()), host(output));
            case Dht.Output.PolicyEnded _,
                    Dht.Output.Persist _,
                    Dht.Output.Joined _,
                    Dht.Output.ClockOff _,
                    Dht.Output.Thin _,
                    Dht.Output.Renumbered _,
                    Dht.Output.Twin _,
                    Dht.Output.TableChanged _,
                    Dht.Output.Expired _ -> toHost(output);
        };
    }

    /** Routes what the registry asks. */
    public static List<Delivery> route(Registry.Output output) {
        return switch (output) {
            case Registry.Output.Find o ->
                toDht(new Dht.Input.FindValue(Ticket.ofRegistry(o.ticket()), o.key(), Dht.Input.ALL, o.limit(), true));
            case Registry.Output.Put o ->
                toDht(new Dht.Input.Put(Ticket.ofRegistry(o.ticket()), o.key(), o.slot(), o.body(), o.leaseMs(), true));
            case Registry.Output.Remove o ->
                toDht(new Dht.Input.Remove(Ticket.ofRegistry(o.ticket()), o.key(), o.slot()));
            case Registry.Output.Retain o -> toDht(new Dht.Input.Retain(o.places()));
            case Registry.Output.RunCheck _,
                    Registry.Output.PolicyEnded _,
                    Registry.Output.Registered _,
                    Registry.Output.Refused _,
                    Registry.Output.Deregistered _,
                    Registry.Output.Heartbeaten _,
                    Registry.Output.Drained _,
                    Registry.Output.Providers _,
                    Registry.Output.Located _,
                    Registry.Output.EndpointsAt _,
                    Registry.Output.Changed _,
                    Registry.Output.HealthChanged _ -> toHost(output);
        };
    }

    private static List<Delivery> probe(Id to, int end, Address at, Kind kind, long nonce) {
        return toLinks(new LinkInput.Probe(to, end, at, kind, nonce));
    }

    /** NAT detection counts how often nobody answers. */
    private static List<Delivery> withSilence(LinkOutput.Reason reason, Delivery... deliveries) {
        List<Delivery> out = new ArrayList<>(List.of(deliveries));
        if (reason == LinkOutput.Reason.UNREACHABLE) out.add(nat(new Nat.Input.Silent()));
        return out;
    }

    private static List<Delivery> toNat(Nat.Input input) {
        return List.of(nat(input));
    }

    private static Delivery nat(Nat.Input input) {
        return new Delivery.ToNat(input);
    }

    private static List<Delivery> asked(LinkOutput.Asked o) {
        if (o.request() instanceof Message.Punch punch) {
            return List.of(punch(new Punch.Input.Asked(o.from().node(), o.call(), punch)));
        }
        return isOfRelays(o.request())
                ? List.of(relay(new Relay.Input.Asked(o.from(), o.at(), o.call(), o.request())))
                : toDht(new Dht.Input.Asked(o.from(), o.at(), o.call(), o.request(), o.leaf()));
    }

    private static List<Delivery> answered(LinkOutput.Answered o) {
        if (o.answer() instanceof Message.Punching punching) {
            return List.of(punch(new Punch.Input.Answered(o.from(), o.call(), punching, o.rttNs())));
        }
        return isOfRelays(o.answer())
                ? List.of(relay(new Relay.Input.Answered(o.from(), o.call(), o.answer(), o.rttNs())))
                : toDht(new Dht.Input.Answered(o.from(), o.at(), o.call(), o.answer(), o.rttNs(), o.leaf()));
    }

    private static boolean isOfRelays(Message message) {
        return switch (message) {
            case Message.Reserve _, Message.Reserved _, Message.Connect _, Message.Connected _ -> true;
            case Message.Ping _,
                    Message.Pong _,
                    Message.FindNode _,
                    Message.Nodes _,
                    Message.FindValue _,
                    Message.Values _,
                    Message.Store _,
                    Message.Stored _,
                    Message.Beat _,
                    Message.Beaten _,
                    Message.DialBack _,
                    Message.DialedBack _,
                    Message.Punch _,
                    Message.Punching _ -> false;
        };
    }

    private static List<Delivery> stands(LinkOutput.Stands o) {
        Id node = o.node().node();
        Address self = o.self();
        Delivery dht = dht(new Dht.Input.Up(node, o.at()));
        Delivery up = nat(new Nat.Input.Up(node, o.at()));
        Delivery relay = relay(new Relay.Input.Up(o.node(), o.at(), o.capabilities()));
        Delivery punch = punch(o.node(), o.at(), PacketSink.ANY, o.capabilities());
        Delivery carriers = carriers(o.node(), o.at(), o.capabilities());
        if (self == null) return List.of(dht, up, relay, punch, carriers);
        return List.of(
                dht,
                up,
                relay,
                punch,
                carriers,
                nat(new Nat.Input.Observed(node, o.at(), self, o.local(), o.sinceNs())));
    }

    private static List<Delivery> toDht(Dht.Input input) {
        return List.of(dht(input));
    }

    private static List<Delivery> toLinks(LinkInput input) {
        return List.of(new Delivery.ToLinks(input));
    }

    private static List<Delivery> toRegistry(Registry.Input input) {
        return List.of(new Delivery.ToRegistry(input));
    }

    private static List<Delivery> toHost(Object output) {
        return List.of(host(output));
    }

    private static Delivery punch(Subject node, Address at, int local, long capabilities) {
        return punch(new Punch.Input.At(node.node(), at, local, capabilities));
    }

    private static Delivery punch(Punch.Input input) {
        return new Delivery.ToPunch(input);
    }

    private static Delivery carriers(Subject node, Address at, long capabilities) {
        return carriers(new Carriers.Input.At(node.node(), at, capabilities));
    }

    private static Delivery carriers(Carriers.Input input) {
        return new Delivery.ToCarriers(input);
    }

    private static Delivery portMap(PortMap.Input input) {
        return new Delivery.ToPortMap(input);
    }

    private static Delivery relay(Relay.Input input) {
        return new Delivery.ToRelay(input);
    }

    private static Delivery dht(Dht.Input input) {
        return new Delivery.ToDht(input);
    }

    private static Delivery host(Object output) {
        return new Delivery.ToHost(output);
    }
}
