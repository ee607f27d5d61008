package mcc.link;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import mcc.core.Address;
import mcc.core.Id;
import mcc.link.LinkInput.Probe.Kind;
import mcc.wire.Frames;
import mcc.wire.Message;
import mcc.wire.pb.Control;
import org.junit.jupiter.api.Test;

/** Echoes and dial-backs go beside the paths, and who is a stranger. */
class ProbesTest extends VirtualNet {
    private static final int FRESH = PacketSink.EPHEMERAL + 5;

    private final Host a = host("192.0.2.1:9376");
    private final Host b = host("198.51.100.1:9376");
    private final Address fresh = Address.parse("192.0.2.1:40000");

    private void connect() {
        a.ends.put(FRESH, fresh);
        a.input(new LinkInput.Ask(b.contact(), 1, new Message.Ping()));
        run(2 * SECOND);
        assertThat(a.all(LinkOutput.Answered.class)).hasSize(1);
    }

    private void probe(Host from, Host to, int local, Address at, Kind kind, long nonce) {
        from.input(new LinkInput.Probe(to.identity.id(), local, at, kind, nonce));
    }

    private static Address path(Host of, Host to) {
        Peer peer = of.links.peer(to.identity.id());
        return peer == null ? null : peer.at();
    }

    @Test
    void anEchoFromAnotherPortTellsWhereThatPortIsSeenAndMakesNoPath() {
        connect();
        probe(a, b, FRESH, b.at, Kind.ECHO, 77);
        run(SECOND);
        assertThat(a.all(LinkOutput.Echoed.class))
                .containsExactly(new LinkOutput.Echoed(b.identity.id(), FRESH, 77, fresh));
        assertThat(b.counters.value("link.path.candidate")).isZero();
        assertThat(a.counters.value("link.path.candidate")).isZero();
        assertThat(path(b, a)).isEqualTo(a.at);
    }

    @Test
    void aDialBackToAnotherPortIsToldWithItsSenderAndMakesNoPath() {
        connect();
        Address other = Address.parse("198.51.100.1:41000");
        b.ends.put(FRESH, other);
        probe(b, a, PacketSink.ANY, fresh, Kind.DIAL_BACK, 5);
        probe(b, a, FRESH, fresh, Kind.DIAL_BACK, 6);
        run(SECOND);
        Id by = b.identity.id();
        assertThat(a.all(LinkOutput.DialledBack.class))
                .containsExactly(
                        new LinkOutput.DialledBack(by, b.at, FRESH, 5),
                        new LinkOutput.DialledBack(by, other, FRESH, 6));
        assertThat(a.counters.value("link.path.candidate")).isZero();
        assertThat(path(a, b)).isEqualTo(b.at);
    }

    @Test
    void anEchoIsAnsweredWithNoMoreBytesThanItHasAndNotWithoutEnd() {
        connect();
        List<Integer> lengths = new java.util.ArrayList<>();
        tap = f -> {
            if (f.to().equals(fresh) || f.from().equals(fresh)) lengths.add(f.bytes().length);
        };
        for (int i = 0; i < Probes.ECHOES_AT_ONCE + 9; i++) probe(a, b, FRESH, b.at, Kind.ECHO, i);
        run(100 * MS);
        assertThat(a.all(LinkOutput.Echoed.class)).hasSize(Probes.ECHOES_AT_ONCE);
        assertThat(b.counters.value("link.probe.limited")).isEqualTo(9);
        int echo = lengths.getFirst();
        assertThat(lengths).allMatch(n -> n <= echo);
        Control.Builder bare = Control.newBuilder().setEcho(9);
        Links links = a.links;
        links.outbound.sendControl(now, links.find(b.identity.id()), FRESH, b.at, bare);
        a.turn();
        run(SECOND);
        assertThat(b.counters.value("link.probe.unpaid")).isEqualTo(1);
    }

    @Test
    void aPeerThatDoesNotKnowProbesGetsNone() {
        connect();
        a.links.find(b.identity.id()).capabilities = 0;
        probe(a, b, FRESH, b.at, Kind.ECHO, 1);
        probe(a, a, FRESH, b.at, Kind.ECHO, 1);
        run(SECOND);
        assertThat(a.counters.value("link.probe.refused")).isEqualTo(2);
        assertThat(b.counters.value("link.probe.echoed")).isZero();
    }

    @Test
    void aProbeConfirmsNoHandshake() {
        a.ends.put(FRESH, fresh);
        a.input(new LinkInput.Ask(b.contact(), 1, new Message.Ping()));
        // The response has arrived, but nothing that follows it.
        run(SECOND, () -> a.links.find(b.identity.id()).current != null);
        flights.clear();
        probe(a, b, FRESH, b.at, Kind.ECHO, 1);
        run(50 * MS);
        assertThat(b.counters.value("link.probe.early")).isEqualTo(1);
        assertThat(b.links.peer(a.identity.id())).isNull();
        a.input(new LinkInput.Ask(b.contact(), 2, new Message.Ping()));
        run(SECOND);
        assertThat(path(b, a)).as("what follows is from the path").isEqualTo(a.at);
    }

    @Test
    void aFirstContactFromWhereNothingWasSentIsUnsolicitedOnceTheMemoryIsExact() {
        b.input(new LinkInput.Tick());
        b.links.contacted.isStranger(now, a.at);
        connect();
        assertThat(b.all(LinkOutput.Unsolicited.class))
                .as("an earlier run may have called it")
                .isEmpty();
        run(Contacted.MEMORY_NS);
        Host c = host("203.0.113.9:1");
        c.input(new LinkInput.Ask(b.contact(), 1, new Message.Ping()));
        run(SECOND);
        assertThat(b.all(LinkOutput.Unsolicited.class))
                .containsExactly(new LinkOutput.Unsolicited(c.identity.id(), c.at));
        assertThat(c.all(LinkOutput.Unsolicited.class)).isEmpty();
        Host sibling = host("203.0.113.9:2");
        sibling.input(new LinkInput.Ask(b.contact(), 1, new Message.Ping()));
        run(SECOND);
        assertThat(b.all(LinkOutput.Unsolicited.class))
                .as("b sent to that IP address")
                .hasSize(1);
    }

    @Test
    void theMemoryOfWhomThisNodeSentToIsBoundedAndSilentWhenItIsNotExact() {
        Contacted contacted = new Contacted();
        Address stranger = Address.parse("203.0.113.9:1");
        long at = Contacted.MEMORY_NS;
        assertThat(contacted.isStranger(0, stranger)).isFalse();
        assertThat(contacted.isStranger(at, stranger)).isTrue();
        contacted.sent(at, PacketSink.ANY, stranger);
        contacted.sent(at + 1, FRESH, Address.parse("203.0.113.10:1"));
        assertThat(contacted.isStranger(at + 1, Address.parse("203.0.113.9:2"))).isFalse();
        assertThat(contacted.isStranger(at + 1, Address.parse("203.0.113.10:2")))
                .isTrue();
        assertThat(contacted.sinceNs(stranger)).isEqualTo(at);
        for (int i = 0; i < Contacted.MAX; i++) contacted.sent(at + 2, PacketSink.ANY, Address.v4(0x20000000 + i, 1));
        assertThat(contacted.isStranger(at + 3, stranger))
                .as("it was forgotten too early")
                .isFalse();
        assertThat(contacted.isStranger(at + 3, Address.parse("203.0.113.11:2")))
                .isFalse();
        assertThat(contacted.isStranger(2 * at + 3, stranger)).isTrue();
    }

    @Test
    void probesAreKnownByTheirFirstByteAndNothingElseIs() {
        for (Control.Builder each : List.of(
                Control.newBuilder().setEcho(1),
                Control.newBuilder().setDialBack(0),
                Control.newBuilder().setClose(0))) {
            byte[] frames = Frames.control(each.build().toByteArray());
            assertThat(Probes.isOne(frames, frames.length)).isEqualTo(!each.hasClose());
            for (int n = 0; n < 3; n++) assertThat(Probes.isOne(frames, n)).isFalse();
        }
    }
}
