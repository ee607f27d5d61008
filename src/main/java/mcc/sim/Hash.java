package mcc.sim;

import mcc.core.Id;
import mcc.dht.Dht;
import mcc.wire.Contact;
import mcc.wire.Message;

/** The digest of what was delivered: equal runs, equal numbers, in any JVM. */
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
            case Dht.Input.Asked i -> mix(mix(mix(mix(hash, 1), i.from()), i.call()), i.request());
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
            case Dht.Input.Meet i -> mix(mix(hash, 14), i.contacts());
        };
    }

    private static long mix(long hash, Message message) {
        return switch (message) {
            case Message.Ping _ -> mix(hash, 21);
            case Message.Pong _ -> mix(hash, 22);
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
        };
    }

    private static long mix(long hash, Iterable<Contact> contacts) {
        long h = hash;
        for (Contact contact : contacts) h = mix(h, contact.node().w0());
        return h;
    }
}
