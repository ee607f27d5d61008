package mcc.bench;

import java.util.ArrayDeque;
import java.util.List;
import mcc.core.Address;
import mcc.core.Counters;
import mcc.core.Rng;
import mcc.crypto.Aead;
import mcc.crypto.Identity;
import mcc.link.LinkConfig;
import mcc.link.LinkInput;
import mcc.link.LinkOutput;
import mcc.link.Links;
import mcc.link.OpenLinks;
import mcc.link.PacketSink;
import mcc.stream.StreamConfig;
import mcc.wire.Contact;
import mcc.wire.Message;

/** Two nodes' links and a wire without delay, in virtual time; the wire leaves no garbage, so that what is left is theirs. */
final class LinkPair {
    static final Address LEFT = Address.parse("192.0.2.1:1");
    static final Address RIGHT = Address.parse("192.0.2.2:1");
    /** The longest datagram that the wire carries: an Ethernet's, in UDP over IPv4. */
    static final int MTU = 1_472;

    private static final LinkInput TICK = new LinkInput.Tick();
    private static final int STEP_NS = 20_000;

    /** A datagram under way, or one to be used again. */
    private static final class Carried {
        final byte[] bytes = new byte[MTU];
        int length;
        boolean toLeft;
    }

    final Rng rng = Rng.seeded(3);
    final Identity leftKey = Identity.fromSeed(rng.bytes(32));
    final Identity rightKey = Identity.fromSeed(rng.bytes(32));
    final Links left = links(leftKey);
    final Links right = links(rightKey);
    private final ArrayDeque<Carried> wire = new ArrayDeque<>();
    private final ArrayDeque<Carried> spare = new ArrayDeque<>();
    private final PacketSink toRight = sink(false);
    private final PacketSink toLeft = sink(true);
    private final byte[] block = new byte[65_536];
    private boolean answered;

    long nowNs = 1;
    /** Datagrams of more than 1,000 bytes that went to the right. */
    long packets;

    private Links links(Identity identity) {
        Links made = OpenLinks.of(
                new LinkConfig("test", List.of(Aead.Suite.AES_256_GCM), 10, StreamConfig.defaults()),
                identity,
                rng.split(),
                new Counters());
        made.handle(1, new LinkInput.WallClock(1_800_000_000_000L));
        return made;
    }

    private PacketSink sink(boolean left) {
        return (to, buf, offset, length) -> {
            if (length > MTU) return;
            Carried c = spare.isEmpty() ? new Carried() : spare.removeLast();
            System.arraycopy(buf, offset, c.bytes, 0, length);
            c.length = length;
            c.toLeft = left;
            wire.addLast(c);
        };
    }

    Contact rights() {
        return new Contact(rightKey.id(), List.of(RIGHT));
    }

    /** One moment: what is due is sent, what was sent is received. */
    void step() {
        if (left.deadlineNs() <= nowNs) left.handle(nowNs, TICK);
        if (right.deadlineNs() <= nowNs) right.handle(nowNs, TICK);
        left.transmit(nowNs, toRight);
        right.transmit(nowNs, toLeft);
        for (Carried c; (c = wire.pollFirst()) != null; spare.addLast(c)) {
            if (!c.toLeft && c.length > 1_000) packets++;
            (c.toLeft ? left : right).receive(nowNs, c.bytes, 0, c.length, c.toLeft ? RIGHT : LEFT);
        }
        drain(left);
        drain(right);
        nowNs += STEP_NS;
    }

    private void drain(Links links) {
        for (LinkOutput o; (o = links.poll()) != null; ) {
            switch (o) {
                case LinkOutput.Asked a ->
                    links.handle(nowNs, new LinkInput.Reply(a.from().node(), a.call(), new Message.Pong()));
                case LinkOutput.Answered _ -> answered = true;
                case LinkOutput.StreamReadable r -> {
                    while (r.stream().read(nowNs, block, 0, block.length) > 0) {}
                }
                default -> {}
            }
        }
    }

    /** A first contact, until the answer to what was asked with it. */
    void ask() {
        left.handle(nowNs, new LinkInput.Ask(rights(), 1, new Message.Ping()));
        for (int i = 0; i < 10_000 && !(answered && left.peers().size() == 1); i++) step();
        if (!answered) throw new AssertionError("no answer");
    }
}
