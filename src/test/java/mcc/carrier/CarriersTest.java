package mcc.carrier;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import mcc.carrier.Carriers.Input;
import mcc.carrier.Carriers.Output;
import mcc.carrier.Carriers.Use;
import mcc.core.Address;
import mcc.core.Core;
import mcc.core.CoreLaws;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.crypto.Identity;
import mcc.wire.Capabilities;
import org.junit.jupiter.api.Test;

class CarriersTest {
    private static final long MS = 1_000_000L;
    private static final long SECOND = 1_000 * MS;
    private static final Id RELAY = id(1);
    private static final Id OTHER = id(2);
    private static final Address UDP = Address.parse("203.0.113.1:9376");
    private static final Gate GATE = Gate.parse("wss://relay.example.org#" + RELAY);

    private final Counters counters = new Counters();
    private final List<Output> outputs = new ArrayList<>();
    private Carriers core;
    private long now = 5 * SECOND;

    private static Id id(int seed) {
        byte[] bytes = new byte[32];
        bytes[0] = (byte) seed;
        return Identity.fromSeed(bytes).id();
    }

    private void begin(Use use, Gate... named) {
        core = new Carriers(use, List.of(named), List.of(), Rng.seeded(1), counters);
        input(new Input.LinksStarted());
    }

    private void input(Input input) {
        core.handle(now, input);
        for (Output o; (o = core.poll()) != null; ) outputs.add(o);
        assertThat(core.deadlineNs()).as("what is due is done").isGreaterThan(now);
    }

    private void run(long forNs) {
        long end = now + forNs;
        while (core.deadlineNs() <= end) {
            now = core.deadlineNs();
            input(new Input.Tick());
        }
        now = end;
    }

    private <T extends Output> List<T> all(Class<T> type) {
        return outputs.stream().filter(type::isInstance).map(type::cast).toList();
    }

    private void link(int gate, Id peer) {
        Address carrier = Address.carrier(gate);
        input(new Input.Opened(gate, carrier));
        input(new Input.At(peer, carrier, Capabilities.RELAYS));
    }

    @Test
    void whereUdpIsHeardNoConnectionIsMade() {
        begin(Use.AUTO, GATE);
        run(500 * MS);
        input(new Input.Heard(now));
        run(3_600 * SECOND);
        assertThat(all(Output.Open.class)).isEmpty();
        assertThat(core.deadlineNs()).isEqualTo(Core.NEVER);
    }

    @Test
    void aSecondWithoutUdpIsEnough() {
        begin(Use.AUTO, GATE);
        run(SECOND - 1);
        assertThat(all(Output.Open.class)).isEmpty();
        run(1);
        assertThat(all(Output.Open.class)).containsExactly(new Output.Open(0, GATE));
        input(new Input.Opened(0, Address.carrier(4)));
        assertThat(all(Output.Call.class)).containsExactly(new Output.Call(RELAY, Address.carrier(4)));
        input(new Input.At(RELAY, Address.carrier(4), Capabilities.RELAYS));
        assertThat(core.report().linked().url()).isEqualTo("wss://relay.example.org");
        assertThat(core.report().url(Address.carrier(4))).isEqualTo("wss://relay.example.org");
    }

    @Test
    void whoHasNoKeyIsDialledAndKnownAfterThat() {
        begin(Use.AUTO, Gate.parse("wss://relay.example.org"));
        run(SECOND);
        link(0, RELAY);
        assertThat(all(Output.Dial.class)).containsExactly(new Output.Dial(Address.carrier(0)));
        input(new Input.Failed(0, "broke"));
        run(SECOND);
        input(new Input.Opened(0, Address.carrier(0)));
        assertThat(all(Output.Call.class)).containsExactly(new Output.Call(RELAY, Address.carrier(0)));
    }

    @Test
    void offIsOffAndOnlyIsAtOnce() {
        begin(Use.OFF, GATE);
        input(new Input.Alone());
        run(3_600 * SECOND);
        assertThat(all(Output.Open.class)).isEmpty();
        begin(Use.ONLY, GATE);
        assertThat(all(Output.Open.class)).hasSize(1);
        link(0, RELAY);
        for (int i = 0; i < 100; i++) {
            input(new Input.Heard(now));
            run(SECOND);
        }
        assertThat(all(Output.Close.class)).as("whatever is heard by UDP").isEmpty();
        assertThat(all(Output.TryUdp.class)).isEmpty();
    }

    @Test
    void aNodeThatLostEverybodyOpensAtOnceAndANewNetworkGetsASecond() {
        begin(Use.AUTO, GATE);
        input(new Input.Heard(now));
        run(600 * SECOND);
        input(new Input.Renumbered());
        run(SECOND - 1);
        assertThat(all(Output.Open.class)).isEmpty();
        run(1);
        assertThat(all(Output.Open.class)).hasSize(1);

        outputs.clear();
        begin(Use.AUTO, GATE);
        input(new Input.Heard(now));
        run(600 * SECOND);
        input(new Input.Alone());
        assertThat(all(Output.Open.class)).hasSize(1);
    }

    @Test
    void onceUdpWorksAgainTheConnectionEnds() {
        begin(Use.AUTO, GATE);
        run(SECOND);
        link(0, RELAY);
        run(25 * SECOND);
        assertThat(all(Output.TryUdp.class)).hasSizeBetween(3, 4);
        input(new Input.Heard(now));
        run(Carriers.GRACE_NS / 2);
        assertThat(all(Output.Close.class)).as("a moment proves nothing").isEmpty();
        input(new Input.Heard(now));
        run(Carriers.GRACE_NS);
        assertThat(all(Output.Close.class)).hasSize(1);
        assertThat(all(Output.Ended.class)).containsExactly(new Output.Ended(Address.carrier(0)));
        assertThat(core.report().needed()).isFalse();
        assertThat(core.deadlineNs()).isEqualTo(Core.NEVER);
    }

    @Test
    void aRelayThatIsReachedByUdpNeedsNoConnectionWhereverItIs() {
        Address inside = Address.parse("10.1.2.3:9376");
        for (String url : new String[] {"wss://relay.example.org#" + RELAY, "wss://10.1.2.3"}) {
            begin(Use.AUTO, Gate.parse(url));
            run(500 * MS);
            input(new Input.At(RELAY, inside, Capabilities.RELAYS));
            run(3_600 * SECOND);
            assertThat(all(Output.Open.class)).as(url).isEmpty();
        }
    }

    @Test
    void neighboursDoNotCount() {
        begin(Use.AUTO, GATE);
        input(new Input.At(OTHER, Address.parse("10.1.2.3:9376"), 0));
        run(SECOND);
        assertThat(all(Output.Open.class)).hasSize(1);
        assertThat(core.report().alone()).isFalse();
        input(new Input.Down(OTHER));
        assertThat(core.report().alone()).isTrue();
    }

    @Test
    void aRelayInTheLocalNetworkIsReachedByUdpAgain() {
        begin(Use.AUTO, GATE);
        run(SECOND);
        link(0, RELAY);
        input(new Input.At(RELAY, Address.parse("10.1.2.3:9376"), Capabilities.RELAYS));
        run(Carriers.GRACE_NS);
        assertThat(all(Output.Ended.class)).hasSize(1);
        assertThat(core.report().needed()).isFalse();
    }

    @Test
    void udpThatIsHeardOnceOnlyEndsNothing() {
        begin(Use.AUTO, GATE);
        run(SECOND);
        link(0, RELAY);
        input(new Input.Heard(now));
        run(60 * SECOND);
        assertThat(all(Output.Close.class)).isEmpty();
    }

    @Test
    void attemptsAreMadeLessAndLessOftenAndNeverTogether() {
        begin(Use.AUTO, GATE);
        List<Long> pauses = new ArrayList<>();
        long last = 0;
        for (int n = 1; n <= 12; n++) {
            while (all(Output.Open.class).size() < n) run(10 * MS);
            if (last > 0) pauses.add(now - last);
            last = now;
            input(new Input.Failed(0, "no connection"));
        }
        assertThat(pauses.getFirst()).isBetween(150 * MS, 350 * MS);
        assertThat(pauses.getLast()).isBetween(22 * SECOND, 39 * SECOND);
        assertThat(core.report().gates().getFirst().trouble()).isEqualTo("no connection");
        link(0, RELAY); // too late: it is resting
        assertThat(core.report().linked()).isNull();
    }

    @Test
    void aConnectionWhereNobodyAnswersIsGivenUp() {
        begin(Use.AUTO, GATE);
        run(SECOND);
        input(new Input.Opened(0, Address.carrier(0)));
        run(Carriers.HANDSHAKE_NS);
        assertThat(all(Output.Close.class)).hasSize(1);
        assertThat(core.report().gates().getFirst().trouble()).contains("key");
        run(SECOND);
        assertThat(all(Output.Open.class)).hasSize(2);
    }

    @Test
    void theNextGateIsTriedWhereTheFirstOnesFailAndTwoAreKept() {
        Gate[] gates = IntStream.range(0, 4)
                .mapToObj(i -> Gate.parse("wss://relay" + i + ".example.org"))
                .toArray(Gate[]::new);
        begin(Use.AUTO, gates);
        run(SECOND);
        assertThat(all(Output.Open.class)).extracting(Output.Open::gate).containsExactly(0, 1);
        input(new Input.Failed(0, "no connection"));
        assertThat(all(Output.Open.class)).extracting(Output.Open::gate).containsExactly(0, 1, 2);
        link(1, RELAY);
        link(2, OTHER);
        run(60 * SECOND);
        assertThat(all(Output.Open.class)).hasSize(3);
    }

    @Test
    void aRelayThatIsGoneIsCalledAgain() {
        begin(Use.AUTO, GATE);
        run(SECOND);
        link(0, RELAY);
        input(new Input.Failed(0, "the connection broke"));
        run(SECOND);
        assertThat(all(Output.Open.class)).hasSize(2);
        input(new Input.Opened(0, Address.carrier(0)));
        input(new Input.At(RELAY, Address.carrier(0), 0));
        input(new Input.Down(RELAY));
        run(SECOND);
        assertThat(all(Output.Open.class)).hasSize(3);
    }

    @Test
    void whatRelaysTellIsLearntAndLimited() {
        begin(Use.AUTO);
        run(600 * SECOND);
        input(new Input.At(RELAY, Address.circuit(3), Capabilities.carriersAt(443)));
        input(new Input.At(RELAY, UDP, Capabilities.RELAYS));
        assertThat(all(Output.Learnt.class)).isEmpty();
        input(new Input.At(RELAY, UDP, Capabilities.RELAYS | Capabilities.carriersAt(443)));
        Gate learnt = new Gate(true, "203.0.113.1", 443, "/mcc", RELAY);
        assertThat(all(Output.Learnt.class)).containsExactly(new Output.Learnt(List.of(learnt)));
        input(new Input.At(RELAY, UDP, Capabilities.RELAYS | Capabilities.carriersAt(443)));
        assertThat(all(Output.Learnt.class)).hasSize(1);
        for (int i = 0; i < 100; i++) {
            Address at = Address.v4(0xc6336400 + i, 9_376);
            input(new Input.At(id(10 + i), at, Capabilities.carriersAt(443)));
        }
        assertThat(core.report().gates()).hasSize(Carriers.LEARNT_MAX);
        assertThat(counters.value("carrier.gates.evicted")).isPositive();
        input(new Input.Alone());
        assertThat(all(Output.Open.class)).hasSize(Carriers.OPEN_MAX);
    }

    @Test
    void theLawsOfCoresHold() {
        CoreLaws.check(
                () -> new Carriers(Use.AUTO, List.of(GATE), List.of(), Rng.seeded(2), new Counters()),
                new Input.Tick(),
                CarriersTest::anyInput,
                5_000);
    }

    private static Input anyInput(Rng rng, List<Output> before) {
        Address carrier = Address.carrier(rng.below(3));
        return switch (rng.below(12)) {
            case 0 -> new Input.LinksStarted();
            case 1 ->
                new Input.At(
                        id(rng.below(20)), rng.chance(500_000) ? carrier : UDP, Capabilities.carriersAt(rng.below(3)));
            case 2 -> new Input.Down(id(rng.below(20)));
            case 3 -> new Input.Heard(rng.below(1_000) * SECOND);
            case 4 -> new Input.Renumbered();
            case 5 -> new Input.Alone();
            case 6, 7, 8 -> new Input.Opened(rng.below(10), carrier);
            case 9 -> new Input.Failed(rng.below(10), "why");
            default -> null;
        };
    }

    @Test
    void newLinksKnowNoConnection() {
        begin(Use.AUTO, GATE);
        run(SECOND);
        link(0, RELAY);
        outputs.clear();
        input(new Input.LinksStarted());
        assertThat(all(Output.Close.class)).hasSize(1);
        assertThat(all(Output.Open.class)).as("made anew").hasSize(1);
    }
}
