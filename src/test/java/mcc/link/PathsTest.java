package mcc.link;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.Id;
import mcc.stream.Recovery;
import mcc.stream.Stream;
import mcc.wire.Contact;
import mcc.wire.Message;
import org.junit.jupiter.api.Test;

/** Several paths to one peer, and what is sent to addresses that others named. */
class PathsTest extends VirtualNet {
    private static final Address X = Address.parse("192.0.2.1:1");
    private static final Address Y = Address.parse("198.51.100.1:1");

    private final Host a = host("192.0.2.1:1");
    private final Host b = host("192.0.2.2:1");

    private Link atB() {
        Link link = b.links.find(a.identity.id());
        assertThat(link).isNotNull();
        return link;
    }

    private void meet() {
        a.also.addAll(List.of(X, Y));
        a.input(new LinkInput.Ask(b.contact(), 1, new Message.Ping()));
        run(SECOND);
        assertThat(atB().path.remote).isEqualTo(X);
    }

    /** Sends that many requests from a, one every 50 ms, each from the next of the addresses. */
    private void ask(int count, Address... from) {
        for (int i = 0; i < count; i++) {
            a.at = from[i % from.length];
            a.input(new LinkInput.Ask(new Contact(b.identity.id(), List.of(b.at)), 100 + i, new Message.Ping()));
            run(50 * MS);
        }
    }

    @Test
    void twoAddressesThatAlternateProveThemselvesOnceEach() {
        meet();
        ask(100, X, Y);
        assertThat(atB().paths).hasSize(2).allMatch(Path::isProven);
        assertThat(b.counters.value("link.path.changed.direct.direct"))
                .as("both are heard all the time")
                .isLessThanOrEqualTo(1);
        assertThat(b.counters.value("link.path.unproven")).isZero();
        assertThat(b.counters.value("link.path.candidate")).isEqualTo(1);
        assertThat(a.all(LinkOutput.Answered.class)).hasSize(101);
    }

    @Test
    void aPathThatComesBackKnowsWhatItKnew() {
        meet();
        Recovery first = atB().path.recovery;
        ask(40, Y);
        assertThat(atB().path.remote).isEqualTo(Y);
        Recovery second = atB().path.recovery;
        assertThat(second).isNotSameAs(first);
        ask(40, X);
        assertThat(atB().path.remote).isEqualTo(X);
        assertThat(atB().path.recovery).isSameAs(first);
        ask(40, Y);
        assertThat(atB().path.recovery).isSameAs(second);
    }

    @Test
    void anotherPortIsTheSameWay() {
        meet();
        Recovery first = atB().path.recovery;
        Address port = Address.parse("192.0.2.1:2");
        a.also.add(port);
        ask(20, port);
        assertThat(atB().path.remote).isEqualTo(port);
        assertThat(atB().path.recovery).isSameAs(first);
        assertThat(atB().paths).hasSize(1);
    }

    @Test
    void aStreamGoesOnWhereItsReaderMovesBetweenAddresses() {
        meet();
        Stream stream = b.links.open(now, new Contact(a.identity.id(), List.of(X)));
        byte[] sent = rng.bytes(3_000_000);
        int written = 0;
        for (int i = 0; written < sent.length; i++) {
            a.at = i / 20 % 2 == 0 ? X : Y;
            a.links.handle(now, new LinkInput.Ask(b.contact(), 1_000 + i, new Message.Ping()));
            written += Math.max(0, stream.write(sent, written, Math.min(40_000, sent.length - written)));
            a.turn();
            b.turn();
            run(50 * MS);
        }
        run(20 * SECOND, () -> a.received.getOrDefault(stream.id(), new byte[0]).length == sent.length);
        assertThat(a.received.get(stream.id())).isEqualTo(sent);
        assertThat(atB().paths).hasSize(2);
    }

    @Test
    void aPeerWhoseHostRefusesAndThatDoesNotAnswerIsGoneAtOnce() {
        a.input(new LinkInput.Ask(b.contact(), 1, new Message.Ping()));
        run(SECOND);
        assertThat(a.links.open(now, b.contact())).isNotNull();
        b.silent = true;
        a.links.refused(now, b.at);
        a.turn();
        a.links.refused(now, b.at);
        a.turn();
        run(SECOND);
        assertThat(a.all(LinkOutput.Down.class))
                .containsExactly(new LinkOutput.Down(b.identity.id(), LinkOutput.Reason.UNREACHABLE));
        assertThat(a.all(LinkOutput.StreamsLost.class)).hasSize(1);
        assertThat(a.counters.value("link.peer.refusing")).isEqualTo(1);
    }

    @Test
    void forgedRefusalsEndNoLinkToAPeerThatAnswers() {
        latencyNs = 200 * MS;
        a.input(new LinkInput.Ask(b.contact(), 1, new Message.Ping()));
        run(SECOND);
        assertThat(a.links.open(now, b.contact())).isNotNull();
        long before = datagrams;
        for (int i = 0; i < 10_000; i++) {
            a.links.refused(now, b.at);
            a.turn();
            run(MS);
        }
        run(5 * SECOND);
        assertThat(a.all(LinkOutput.Down.class)).isEmpty();
        assertThat(a.all(LinkOutput.StreamsLost.class)).isEmpty();
        assertThat(datagrams - before)
                .as("a challenge and its answer at a time")
                .isLessThan(150);
    }

    @Test
    void aPeerThatIsSilentForASecondSurvivesASingleRefusal() {
        a.input(new LinkInput.Ask(b.contact(), 1, new Message.Ping()));
        run(SECOND);
        b.silent = true;
        a.links.refused(now, b.at);
        a.turn();
        run(SECOND);
        b.silent = false;
        assertThat(a.all(LinkOutput.Down.class)).isEmpty();
    }

    @Test
    void longMessagesAloneAreNoReasonToProbeHowLongADatagramMayBe() {
        meet();
        for (int i = 0; i < 20; i++) {
            assertThat(atB().connection.send(Bytes.owning(rng.bytes(1_000)))).isTrue();
            b.links.touch(atB());
            b.turn();
            run(SECOND);
        }
        assertThat(b.counters.value("link.mtu.probes")).isZero();
    }

    @Test
    void aPeerHasAFewPathsAtMost() {
        meet();
        for (int i = 0; i < 40; i++) {
            Address from = Address.parse("198.51.100." + (10 + i) + ":1");
            a.also.add(from);
            ask(20, from);
        }
        assertThat(atB().paths).hasSizeLessThanOrEqualTo(Paths.MAX).contains(atB().path);
        assertThat(b.counters.value("link.path.evicted")).isPositive();
    }

    @Test
    void anOlderAttemptDoesNotEndTheSessionThatAnotherMade() {
        a.input(new LinkInput.Ask(
                new Contact(b.identity.id(), List.of(Address.parse("192.0.2.77:1"))), 7, new Message.Ping()));
        run(5 * SECOND); // the last attempt was sent, and is given up in two seconds
        a.input(new LinkInput.Dial(1, b.at));
        run(20 * SECOND);
        assertThat(a.all(LinkOutput.Down.class)).isEmpty();
        assertThat(a.links.peer(b.identity.id()).established()).isTrue();
        assertThat(a.all(LinkOutput.Answered.class)).hasSize(1);
    }

    @Test
    void aDialThatCrossesTheOtherEndsHandshakeCostsNoStream() {
        // The final message of a's dial is on its way when b's handshake has gone through and its stream is open.
        a.input(new LinkInput.Dial(1, b.at));
        run(latencyNs);
        b.input(new LinkInput.Ask(a.contact(), 7, new Message.Ping()));
        run(latencyNs);
        List<Flight> held = new ArrayList<>(
                flights.stream().filter(f -> f.to().equals(b.at)).toList());
        assertThat(a.links.find(b.identity.id()))
                .as("the dial knows whom it met")
                .isNotNull();
        flights.removeAll(held);
        Flight last =
                held.stream().filter(f -> f.bytes()[0] == 0x5a).findFirst().orElseThrow();
        held.remove(last);
        flights.addAll(held);
        run(
                4 * latencyNs,
                () -> b.links.peer(a.identity.id()) != null
                        && b.links.peer(a.identity.id()).established());
        Stream stream = b.links.open(now, a.contact());
        stream.write(new byte[] {1, 2, 3}, 0, 3);
        b.turn();
        run(4 * latencyNs);
        b.links.receive(now, last.bytes(), 0, last.bytes().length, a.at);
        b.turn();
        run(5 * SECOND);
        assertThat(a.received.get(stream.id())).containsExactly(1, 2, 3);
        assertThat(a.all(LinkOutput.StreamsLost.class)).isEmpty();
        assertThat(b.all(LinkOutput.StreamsLost.class)).isEmpty();
        assertThat(a.all(LinkOutput.Dialled.class)).hasSize(1);
    }

    @Test
    void aPeerThatIsHeardIsNotForgottenWhenNewKeysCannotBeAgreedOn() {
        meet();
        noHandshakes = true;
        long end = now + 165 * SECOND;
        Stream stream = a.links.open(now, b.contact());
        for (int i = 0; now < end; i++) {
            a.input(new LinkInput.Ask(b.contact(), 1_000 + i, new Message.Ping()));
            stream.write(new byte[10], 0, 10);
            run(SECOND);
        }
        assertThat(a.counters.value("link.handshake.timeout")).isPositive();
        assertThat(a.all(LinkOutput.Down.class)).isEmpty();
    }

    @Test
    void addressesAreTriedOneAfterAnotherAndTheGoodOneIsFound() {
        List<Address> all = new ArrayList<>();
        for (int i = 0; i < 3; i++) all.add(Address.parse("203.0.113." + i + ":1"));
        all.add(b.at);
        a.input(new LinkInput.Ask(new Contact(b.identity.id(), all), 7, new Message.Ping()));
        assertThat(datagrams).isEqualTo(1);
        run(SECOND, () -> !a.all(LinkOutput.Answered.class).isEmpty());
        assertThat(now).isLessThan(400 * MS);
    }

    @Test
    void aLiarDirectsFewInitiationsAtAVictim() {
        int[] bytes = {0};
        Address victim = Address.parse("203.0.113.9:1");
        tap = f -> {
            if (f.to().sameIp(victim)) bytes[0] += f.bytes().length;
        };
        for (int k = 0; k < 100; k++) {
            List<Address> addresses = new ArrayList<>();
            for (int i = 0; i < 4; i++) addresses.add(Address.parse("203.0.113.9:" + (1_000 + 4 * k + i)));
            Id invented = mcc.crypto.Identity.fromSeed(rng.bytes(32)).id();
            a.input(new LinkInput.Ask(new Contact(invented, addresses), k, new Message.FindNode(Id.ZERO)));
        }
        run(10 * SECOND);
        assertThat(bytes[0]).isLessThan((AddressBudget.BURST + 10) * 600);
        assertThat(a.counters.value("link.initiation.unpaid")).isPositive();
        a.input(new LinkInput.Ask(b.contact(), 7, new Message.Ping()));
        run(SECOND);
        assertThat(a.all(LinkOutput.Answered.class)).as("others are reached").hasSize(1);
    }

    @Test
    void aNetworkOfManyNodesBehindOneAddressIsReached() {
        List<Host> many = new ArrayList<>();
        for (int i = 0; i < 60; i++) many.add(host("203.0.113.9:" + (100 + i)));
        for (int i = 0; i < 60; i++) a.input(new LinkInput.Ask(many.get(i).contact(), i, new Message.Ping()));
        run(5 * SECOND);
        assertThat(a.all(LinkOutput.Answered.class)).hasSize(60);
    }
}
