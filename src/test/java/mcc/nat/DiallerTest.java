package mcc.nat;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import mcc.core.Address;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.wire.Message;
import mcc.wire.Message.Dialed;
import org.junit.jupiter.api.Test;

/** What a node sends for others that ask it to dial back: little, and to nobody but them. */
class DiallerTest {
    private static final long SECOND = 1_000_000_000L;
    private static final Address SEEN = Address.parse("198.51.100.1:9376");
    private final Rng rng = Rng.seeded(3);
    private final Counters counters = new Counters();
    private final Nat nat = new Nat(rng.split(), counters);
    private final Id asker = Id.random(rng);

    private List<Nat.Output> step(long now, Nat.Input input) {
        nat.handle(now, input);
        List<Nat.Output> out = new ArrayList<>();
        for (Nat.Output o; (o = nat.poll()) != null; ) out.add(o);
        return out;
    }

    private static Nat.Input ask(Id from, Address seen, Address target, boolean otherPort) {
        return new Nat.Input.Asked(from, seen, 7, new Message.DialBack(target, 5, otherPort));
    }

    private Nat.Output answer(Dialed result) {
        return new Nat.Output.Reply(asker, 7, new Message.DialedBack(result));
    }

    @Test
    void oneDatagramGoesToTheAskersOwnAddress() {
        Address target = Address.parse("198.51.100.1:40000");
        assertThat(step(1, ask(asker, SEEN, target, false)))
                .containsExactly(new Nat.Output.DialBack(asker, Nat.MAIN, target, 5), answer(Dialed.SENT));
        assertThat(step(2, ask(asker, SEEN, target, false))).containsExactly(answer(Dialed.BUSY));
        assertThat(step(Dialler.AGAIN_NS + 1, ask(asker, SEEN, target, false))).contains(answer(Dialed.SENT));
    }

    @Test
    void nothingGoesWhereTheAskerIsNotSeen() {
        for (String other : List.of("198.51.100.2:9376", "192.168.1.1:53", "127.0.0.1:22", "[2001:db8::1]:9")) {
            assertThat(step(1, ask(asker, SEEN, Address.parse(other), false))).containsExactly(answer(Dialed.REFUSED));
        }
        assertThat(counters.value("nat.dialback.refused")).isEqualTo(4);
        Address lan = Address.parse("192.168.1.5:9376");
        Address port = Address.parse("192.168.1.5:40000");
        assertThat(step(2, ask(asker, lan, port, false))).as("it is seen there").contains(answer(Dialed.SENT));
    }

    @Test
    void anotherPortIsAnEndOfItsOwnThatIsClosedSoon() {
        Address target = Address.parse("198.51.100.1:40000");
        long ticket =
                ((Nat.Output.OpenEnd) step(1, ask(asker, SEEN, target, true)).getFirst()).ticket();
        assertThat(step(2, new Nat.Input.Opened(ticket, 9, SEEN)))
                .containsExactly(new Nat.Output.DialBack(asker, 9, target, 5), answer(Dialed.SENT));
        assertThat(nat.deadlineNs()).isLessThan(SECOND);
        assertThat(step(SECOND, new Nat.Input.Tick())).containsExactly(new Nat.Output.CloseEnd(9));
        Address other = Address.parse("198.51.100.1:40001");
        long second = ((Nat.Output.OpenEnd)
                        step(SECOND, ask(asker, SEEN, other, true)).getFirst())
                .ticket();
        assertThat(step(SECOND, new Nat.Input.NotOpened(second))).containsExactly(answer(Dialed.BUSY));
        assertThat(step(SECOND, new Nat.Input.Opened(second, 10, SEEN)))
                .as("what nobody waits for is closed")
                .containsExactly(new Nat.Output.CloseEnd(10));
    }

    @Test
    void aFloodOfRequestsMakesFewDatagrams() {
        long sent = 0;
        for (int i = 0; i < 10_000; i++) {
            Address target = new Address(SEEN.high(), SEEN.low(), 1 + i);
            for (Nat.Output o : step(i * SECOND / 1_000, ask(asker, SEEN, target, i % 2 == 0))) {
                if (o instanceof Nat.Output.DialBack || o instanceof Nat.Output.OpenEnd) sent++;
            }
        }
        assertThat(sent).as("in ten seconds for one asker").isBetween(1L, Dialler.ASKER_AT_ONCE + 10L);
        sent = 0;
        for (int i = 0; i < 10_000; i++) {
            Address seen = Address.v4(0x20000001 + i, 9);
            for (Nat.Output o : step(20 * SECOND + i * SECOND / 1_000, ask(Id.random(rng), seen, seen, i % 2 == 0))) {
                if (o instanceof Nat.Output.DialBack || o instanceof Nat.Output.OpenEnd) sent++;
            }
        }
        assertThat(sent).as("in ten seconds for all").isBetween(100L, Dialler.ALL_AT_ONCE + 210L);
        assertThat(counters.value("nat.dialback.limited")).isPositive();
    }

    @Test
    void manyAskersToOneTargetMakeOneDatagram() {
        int sent = 0;
        for (int i = 0; i < 1_000; i++) {
            for (Nat.Output o : step(1 + i, ask(Id.random(rng), SEEN, SEEN, false))) {
                if (o instanceof Nat.Output.DialBack) sent++;
            }
        }
        assertThat(sent).isEqualTo(1);
    }
}
