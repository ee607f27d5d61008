package mcc.sim;

import java.util.List;
import mcc.core.Bytes;
import mcc.core.Id;
import mcc.dht.Dht;
import mcc.dht.Holding;
import mcc.link.LinkInput;
import mcc.link.LinkOutput;
import mcc.nat.Nat;
import mcc.nat.Reachability;
import mcc.punch.Punch;
import mcc.registry.Registry;
import mcc.relay.Relay;
import mcc.wire.Contact;
import mcc.wire.Message;

/** A digest over every input of every core, the same in any JVM: runs with equal digests were equal. */
final class Hash {
    static final long START = 0xcbf29ce484222325L;

    private Hash() {}

    static long mix(long hash, long value) {
        long h = (hash ^ value) * 0x9e3779b97f4a7c15L;
        return h ^ (h >>> 29);
    }

    static long mix(long hash, Id id) {
        return mix(mix(hash, id.w0() ^ id.w2()), id.w1() ^ id.w3());
    }

    static long mix(long hash, Dht.Input input) {
        return switch (input) {
            case Dht.Input.Asked i -> mix(mix(mix(mix(hash, 1), i.from().node()), i.call()), i.request());
            case Dht.Input.Answered i -> mix(mix(mix(mix(mix(hash, 2), i.from()), i.call()), i.rttNs()), i.answer());
            case Dht.Input.Unanswered i -> mix(mix(hash, 3), i.call());
            case Dht.Input.FindNode i -> mix(mix(hash, 4), i.target());
            case Dht.Input.FindValue i -> mix(mix(hash, 5), i.key());
            case Dht.Input.Put i -> mix(mix(hash, 6), i.slot());
            case Dht.Input.Remove i -> mix(mix(hash, 7), i.slot());
            case Dht.Input.Tick _ -> mix(hash, 8);
            case Dht.Input.Start i -> mix(mix(hash, 9), i.self().node());
            case Dht.Input.Up i -> mix(mix(hash, 10), i.node());
            case Dht.Input.Clock i -> mix(mix(hash, 11), i.epochMs());
            case Dht.Input.SelfAddresses i -> mix(mix(hash, 12), i.addresses().size());
            case Dht.Input.Snapshot _ -> mix(hash, 13);
            case Dht.Input.Retain i -> mix(mix(hash, 15), i.places().size());
            case Dht.Input.NewPolicy i -> mix(mix(hash, 16), i.epoch().number());
            case Dht.Input.Meet i -> mix(mix(hash, 14), i.contacts());
            case Dht.Input.Leaf i -> mix(mix(hash, 17), i.leaf() ? 1 : 0);
        };
    }

    /** An input of the links: from other cores, from the network or from a scenario. */
    static long mixLink(long hash, Object content) {
        return switch (content) {
            case Latency.Request i ->
                mix(mix(mix(hash, 71), i.by().index), i.asked().call());
            case Network.Datagram i -> {
                Bytes bytes = i.bytes();
                long h = mix(mix(mix(hash, 72), i.from().v4Bits()), bytes.size());
                for (int at = 0; at + 8 <= bytes.size(); at += 61) h = mix(h, bytes.at(at) << 8 | bytes.at(at + 7));
                yield h;
            }
            case LinkOutput.Answered i -> mix(mix(mix(hash, 73), i.from()), i.call());
            case LinkOutput _ -> mix(hash, 74);
            case LinkInput.Ask i -> mix(mix(mix(hash, 75), i.to().node()), i.call());
            case LinkInput.Reply i -> mix(mix(mix(hash, 76), i.to()), i.call());
            case LinkInput.Dial i -> mix(mix(hash, 77), i.to().low());
            case LinkInput _ -> mix(hash, 78);
            case RealLinks.Use _ -> mix(hash, 79);
            default -> throw new IllegalStateException("no links take " + content);
        };
    }

    static long mix(long hash, Nat.Input input) {
        return switch (input) {
            case Nat.Input.Local i -> mix(mix(hash, 81), i.addresses().size());
            case Nat.Input.Observed i -> mix(mix(hash, 82), i.by());
            case Nat.Input.Tick _ -> mix(hash, 83);
            case Nat.Input.Tell _ -> mix(hash, 84);
            case Nat.Input.Up i -> mix(mix(hash, 85), i.node());
            case Nat.Input.Down i -> mix(mix(hash, 86), i.node());
            case Nat.Input.Silent _ -> mix(hash, 87);
            case Nat.Input.LinksStarted _ -> mix(hash, 88);
            case Nat.Input.Unsolicited i -> mix(mix(hash, 89), i.from().low());
            case Nat.Input.Opened i -> mix(mix(hash, 90), i.ticket());
            case Nat.Input.NotOpened i -> mix(mix(hash, 91), i.ticket());
            case Nat.Input.Echoed i -> mix(mix(hash, 92), i.nonce());
            case Nat.Input.DialledBack i -> mix(mix(hash, 93), i.nonce());
            case Nat.Input.Asked i -> mix(mix(hash, 94), i.call());
            case Nat.Input.Answered i -> mix(mix(hash, 95), i.call());
            case Nat.Input.Check _ -> mix(hash, 96);
            case Nat.Input.Mapped _ -> mix(hash, 80);
        };
    }

    static long mix(long hash, Punch.Input input) {
        return switch (input) {
            case Punch.Input.SelfAddresses i ->
                mix(mix(hash, 111), i.addresses().size());
            case Punch.Input.At i -> mix(mix(mix(hash, 112), i.peer()), i.at().isCircuit() ? 1 : 0);
            case Punch.Input.Down i -> mix(mix(hash, 113), i.peer());
            case Punch.Input.Asked i -> mix(mix(mix(hash, 114), i.from()), i.call());
            case Punch.Input.Answered i -> mix(mix(mix(hash, 115), i.from()), i.call());
            case Punch.Input.LinksStarted _ -> mix(hash, 116);
            case Punch.Input.Behind i -> mix(mix(hash, 118), i.outside().count());
            case Punch.Input.Opened i -> mix(mix(hash, 119), i.ticket());
            case Punch.Input.NotOpened i -> mix(mix(hash, 120), i.ticket());
            case Punch.Input.Echoed i -> mix(mix(hash, 121), i.nonce());
            case Punch.Input.Tick _ -> mix(hash, 117);
        };
    }

    static long mix(long hash, Relay.Input input) {
        return switch (input) {
            case Relay.Input.Reached i -> mix(mix(hash, 91), i.reach() == Reachability.YES ? 1 : 0);
            case Relay.Input.Up i -> mix(mix(mix(hash, 92), i.peer().node()), i.capabilities());
            case Relay.Input.Down i -> mix(mix(hash, 93), i.peer());
            case Relay.Input.Asked i -> mix(mix(mix(hash, 94), i.from().node()), i.call());
            case Relay.Input.Answered i -> mix(mix(mix(hash, 95), i.from()), i.call());
            case Relay.Input.Unanswered i -> mix(mix(mix(hash, 96), i.to()), i.call());
            case Relay.Input.WayWanted i -> mix(mix(hash, 97), i.node());
            case Relay.Input.Found i -> mix(mix(hash, 122), i.nodes().size());
            case Relay.Input.Unbound i -> mix(mix(hash, 98), i.token());
            case Relay.Input.NewPolicy i -> mix(mix(hash, 99), i.epoch().number());
            case Relay.Input.WallClock i -> mix(mix(hash, 100), i.epochMs());
            case Relay.Input.Tell _ -> mix(hash, 101);
            case Relay.Input.LinksStarted _ -> mix(hash, 102);
            case Relay.Input.SelfAddresses i ->
                mix(mix(hash, 104), i.addresses().size());
            case Relay.Input.Moved i -> mix(mix(hash, 105), i.peer());
            case Relay.Input.Tick _ -> mix(hash, 103);
        };
    }

    /** Strings count by their hash codes, which the language specification defines. */
    static long mix(long hash, Registry.Input input) {
        return switch (input) {
            case Registry.Input.Tick _ -> mix(hash, 41);
            case Registry.Input.DhtStarted _ -> mix(hash, 59);
            case Registry.Input.NewPolicy i -> mix(mix(hash, 60), i.epoch().number());
            case Registry.Input.Clock i -> mix(mix(hash, 42), i.epochMs());
            case Registry.Input.Register i ->
                mix(mix(hash, 43), i.registration().id().hashCode());
            case Registry.Input.Deregister i -> mix(mix(hash, 44), i.id().hashCode());
            case Registry.Input.Heartbeat i -> mix(mix(hash, 45), i.id().hashCode());
            case Registry.Input.Load i -> mix(mix(hash, 46), i.loadPermille());
            case Registry.Input.Checked i -> mix(mix(hash, 47), i.run());
            case Registry.Input.Drain i -> mix(mix(hash, 48), i.ticket());
            case Registry.Input.Restore i ->
                mix(mix(hash, 49), i.registrations().size());
            case Registry.Input.SelfRelays i -> mix(mix(hash, 61), i.relays().size());
            case Registry.Input.SelfAddresses i ->
                mix(mix(hash, 50), i.addresses().size());
            case Registry.Input.PeerRtt i ->
                mix(mix(mix(hash, 51), i.node()), i.distance().rttNs());
            case Registry.Input.Resolve i ->
                mix(mix(mix(hash, 52), i.ticket()), i.service().toString().hashCode());
            case Registry.Input.Locate i -> mix(mix(hash, 53), i.endpoint());
            case Registry.Input.At i -> mix(mix(hash, 54), i.key());
            case Registry.Input.Watch i -> mix(mix(hash, 55), i.ticket());
            case Registry.Input.Unwatch i -> mix(mix(hash, 56), i.ticket());
            case Registry.Input.Found i -> {
                long h = mix(mix(hash, 57), i.ticket());
                for (Holding held : i.records())
                    h = mix(h, held.record().content().slot());
                yield h;
            }
            case Registry.Input.Stored i -> mix(mix(mix(hash, 58), i.ticket()), i.replicas());
        };
    }

    private static long mix(long hash, Message message) {
        return switch (message) {
            case Message.Ping _ -> mix(hash, 21);
            case Message.Pong m -> mix(mix(hash, 22), m.clockMs());
            case Message.FindNode m -> mix(mix(hash, 23), m.target());
            case Message.Nodes m -> mix(mix(hash, 24), m.contacts());
            case Message.FindValue m -> mix(mix(mix(hash, 25), m.key()), m.cursor());
            case Message.Values m -> {
                long h = mix(mix(mix(hash, 26), m.contacts()), m.cursor());
                for (Message.Held held : m.records()) {
                    h = mix(
                            mix(
                                    mix(h, held.record().content().seq()),
                                    held.record().content().slot()),
                            held.beatAgeMs());
                }
                yield h;
            }
            case Message.Store m ->
                mix(
                        mix(mix(hash, 27), m.record().content().seq()),
                        m.record().content().key());
            case Message.Stored m -> mix(mix(hash, 28), m.verdict() == Message.Verdict.KEPT ? 1 : 0);
            case Message.Beat m -> mix(mix(hash, 29), m.seq());
            case Message.Beaten m -> mix(mix(hash, 30), m.known() ? 1 : 0);
            case Message.DialBack m -> mix(mix(hash, 31), m.nonce());
            case Message.DialedBack m -> mix(mix(hash, 32), m.result() == Message.Dialed.SENT ? 1 : 0);
            case Message.Reserve _ -> mix(hash, 33);
            case Message.Reserved m -> mix(mix(mix(hash, 34), m.leaseMs()), m.load());
            case Message.Connect m -> mix(mix(hash, 35), m.to());
            case Message.Connected m -> mix(mix(hash, 36), m.circuit());
            case Message.Punch m -> mix(mix(hash, 37), m.go() ? 1 : 0);
            case Message.Punching m -> mix(mix(hash, 38), m.candidates().size());
        };
    }

    /** Only the number of contacts, the first and the last count. */
    private static long mix(long hash, List<Contact> contacts) {
        if (contacts.isEmpty()) return mix(hash, 0);
        long ends =
                contacts.getFirst().node().w0() ^ 31 * contacts.getLast().node().w0();
        return mix(mix(hash, contacts.size()), ends);
    }
}
