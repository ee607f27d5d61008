package mcc.punch;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import mcc.core.Address;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.sim.NatBehavior;
import mcc.wire.Capabilities;
import mcc.wire.Message;
import mcc.wire.Outside;
import org.junit.jupiter.api.Test;

/** The two ends of a link that goes by a relay, in virtual time. */
class PunchTest {
    private static final long MS = 1_000_000L;
    private static final long SECOND = 1_000 * MS;
    private static final Address CIRCUIT = Address.circuit(3);

    private final Rng rng = Rng.seeded(3);
    private final List<End> ends = new ArrayList<>();
    private final List<Runnable> later = new ArrayList<>();
    private final List<Long> dues = new ArrayList<>();
    private long now = SECOND;
    private long oneWayNs = 25 * MS;

    private final class End {
        final Id id;
        final Counters counters = new Counters();
        final Punch core;
        final List<String> knocks = new ArrayList<>();
        final List<Long> times = new ArrayList<>();
        long asked;
        long began;
        boolean silent;

        End(Id id, String... addresses) {
            this.id = id;
            core = new Punch(id, rng.split(), counters);
            List<Address> own = new ArrayList<>();
            for (String each : addresses) own.add(Address.parse(each));
            input(new Punch.Input.SelfAddresses(own));
            ends.add(this);
        }

        void input(Punch.Input input) {
            core.handle(now, input);
            for (Punch.Output o; (o = core.poll()) != null; ) {
                switch (o) {
                    case Punch.Output.Ask ask -> {
                        asked++;
                        began = now;
                        End to = other(ask.to().node());
                        var in = new Punch.Input.Asked(id, ask.call(), (Message.Punch) ask.request());
                        if (to != null && !to.silent) after(() -> to.input(in));
                    }
                    case Punch.Output.Reply reply -> {
                        End to = other(reply.to());
                        if (to == null) break;
                        after(() -> {
                            long rttNs = now - to.began;
                            var answer = (Message.Punching) reply.answer();
                            to.input(new Punch.Input.Answered(id, reply.call(), answer, rttNs));
                        });
                    }
                    case Punch.Output.Challenge knock -> {
                        knocks.add(knock.at().toString());
                        times.add(now);
                    }
                    case Punch.Output.OpenEnd o2 -> input(new Punch.Input.NotOpened(o2.ticket()));
                    case Punch.Output.CloseEnd _, Punch.Output.Echo _ ->
                        throw new AssertionError("no ends were opened");
                }
            }
        }
    }

    private End other(Id id) {
        for (End end : ends) if (end.id.equals(id)) return end;
        return null;
    }

    private void after(Runnable what) {
        later.add(what);
        dues.add(now + oneWayNs);
    }

    private void run(long forNs) {
        long end = now + forNs;
        while (true) {
            long next = Core.NEVER;
            for (long due : dues) next = Math.min(next, due);
            for (End each : ends) next = Math.min(next, each.core.deadlineNs());
            if (next > end) break;
            now = Math.max(now, next);
            for (int i = 0; i < later.size(); i++) {
                if (dues.get(i) > now) continue;
                Runnable what = later.remove(i);
                dues.remove(i--);
                what.run();
            }
            for (End each : ends) {
                if (each.core.deadlineNs() > now) continue;
                each.input(new Punch.Input.Tick());
                assertThat(each.core.deadlineNs()).isGreaterThan(now);
            }
        }
        now = end;
    }

    private static Id id(int first) {
        return new Id((long) first << 56, 0, 0, 1);
    }

    private void meet(End a, End b, Address at) {
        a.input(new Punch.Input.At(b.id, at, 0, Capabilities.PUNCHES));
        b.input(new Punch.Input.At(a.id, at, 0, Capabilities.PUNCHES));
    }

    private final End a = new End(id(1), "198.51.100.1:4001", "192.168.1.5:9376");
    private final End b = new End(id(2), "203.0.113.2:4002", "192.168.7.5:9376");

    @Test
    void bothSendAtTheSameMomentWhateverTheDelay() {
        for (long delayMs : new long[] {1, 25, 100, 300}) {
            oneWayNs = delayMs * MS;
            a.times.clear();
            b.times.clear();
            meet(a, b, CIRCUIT);
            run(5 * SECOND / 2);
            assertThat(a.times).hasSize(Attempt.OFFSETS_NS.length);
            assertThat(b.times).hasSize(Attempt.OFFSETS_NS.length);
            assertThat(a.times.getFirst()).isCloseTo(b.times.getFirst(), org.assertj.core.data.Offset.offset(MS));
            meet(a, b, Address.parse("203.0.113.2:4002"));
        }
    }

    @Test
    void onlyPublicAddressesAreTriedBetweenTwoSites() {
        meet(a, b, CIRCUIT);
        run(4 * SECOND);
        assertThat(a.knocks).containsOnly("203.0.113.2:4002");
        assertThat(b.knocks).containsOnly("198.51.100.1:4001");
    }

    @Test
    void behindOnePublicAddressTheNearOnesAreTriedToo() {
        End c = new End(id(3), "198.51.100.1:4003", "192.168.1.6:9376");
        meet(a, c, CIRCUIT);
        run(4 * SECOND);
        assertThat(a.knocks).contains("192.168.1.6:9376");
        assertThat(c.knocks).contains("192.168.1.5:9376").doesNotContain("198.51.100.1:4003");
    }

    @Test
    void whoIsSeenAtAPortThatIsNeverProbedIsMetAtAFreshOneAtOnce() {
        NatBehavior nat = NatBehavior.of(
                NatBehavior.Scope.ENDPOINT_INDEPENDENT,
                NatBehavior.Scope.ADDRESS_DEPENDENT,
                NatBehavior.Ports.PRESERVED);
        for (int seed = 0; seed < 10; seed++) {
            PunchNet net = new PunchNet(seed, nat, nat, 25, 5_060);
            net.meet(0);
            net.run(3 * SECOND / 2, _ -> {});
            assertThat(net.isDirect()).as("seed %d", seed).isTrue();
        }
    }

    /** What comes to such a router before its own host sent there takes that flow for good. */
    @Test
    void whatIsSentToARouterThatTakesStraysComesAfterItsHostsProbes() {
        NatBehavior sequential = NatBehavior.of(
                NatBehavior.Scope.ADDRESS_AND_PORT_DEPENDENT,
                NatBehavior.Scope.ADDRESS_AND_PORT_DEPENDENT,
                NatBehavior.Ports.SEQUENTIAL);
        NatBehavior home = NatBehavior.of(
                        NatBehavior.Scope.ENDPOINT_INDEPENDENT,
                        NatBehavior.Scope.ADDRESS_AND_PORT_DEPENDENT,
                        NatBehavior.Ports.PRESERVED)
                .takingStrays();
        for (int seed = 0; seed < 100; seed++) {
            boolean swapped = seed % 2 == 1;
            PunchNet net = new PunchNet(seed, swapped ? home : sequential, swapped ? sequential : home, 10);
            net.relayJitterNs = 60_000_000;
            net.meet(0);
            net.run(2 * SECOND, _ -> {});
            assertThat(net.isDirect()).as("seed %d", seed).isTrue();
        }
    }

    @Test
    void attemptsBecomeRareAndEndWithADirectPath() {
        meet(a, b, CIRCUIT);
        run(3_600 * SECOND);
        long attempts = a.counters.value("punch.attempts");
        assertThat(attempts).isBetween(8L, 12L);
        assertThat(b.counters.value("punch.attempts")).isEqualTo(attempts);
        assertThat(a.asked).as("two requests, three with fresh ports").isEqualTo(3 * attempts - 1);
        meet(a, b, Address.parse("203.0.113.2:4002"));
        a.knocks.clear();
        run(3_600 * SECOND);
        assertThat(a.knocks).isEmpty();
        assertThat(a.core.deadlineNs()).isEqualTo(Core.NEVER);
    }

    @Test
    void nobodyIsPunchedTowardWhoIsReachedOrDoesNotAgree() {
        End c = new End(id(3), "192.0.2.3:4003");
        meet(a, c, Address.parse("192.0.2.3:4003"));
        run(60 * SECOND);
        assertThat(a.knocks).isEmpty();
        c.input(new Punch.Input.Asked(
                a.id, 1, new Message.Punch(List.of(Address.parse("203.0.113.66:4006")), true, true, Outside.UNKNOWN)));
        run(60 * SECOND);
        assertThat(c.knocks).as("a lie about a peer that is reached").isEmpty();
        a.input(new Punch.Input.At(b.id, CIRCUIT, 0, 0));
        run(60 * SECOND);
        assertThat(a.asked).as("it does not punch").isZero();
        b.silent = true;
        meet(a, b, CIRCUIT);
        run(600 * SECOND);
        assertThat(a.knocks).as("it did not answer").isEmpty();
        assertThat(a.counters.value("punch.unanswered")).isPositive();
    }

    @Test
    void whoAsksWithoutEndGetsLittle() {
        b.input(new Punch.Input.At(a.id, CIRCUIT, 0, Capabilities.PUNCHES));
        List<Address> victim = List.of(Address.parse("203.0.113.66:4006"));
        for (int i = 0; i < 1_000; i++)
            b.input(new Punch.Input.Asked(a.id, i, new Message.Punch(victim, false, i % 2 == 1, Outside.UNKNOWN)));
        assertThat(b.counters.value("punch.refused")).isEqualTo(1_000 - Punch.ASKS_AT_ONCE);
        run(10 * SECOND);
        assertThat(b.knocks).hasSizeLessThanOrEqualTo(2 * Attempt.OFFSETS_NS.length);
    }

    @Test
    void peersThatAreTooManyStayWithTheirRelays() {
        for (int i = 0; i < 2 * Punch.PEERS_MAX; i++) {
            a.input(new Punch.Input.At(new Id(1L << 62, i, 0, 0), CIRCUIT, 0, Capabilities.PUNCHES));
        }
        assertThat(a.counters.value("punch.full")).isEqualTo(Punch.PEERS_MAX);
    }

    @Test
    void whatWasTriedIsToldAlsoAfterwards() {
        b.input(new Punch.Input.Behind(Outside.of(Outside.Allocation.SHARED), 0));
        meet(a, b, CIRCUIT);
        run(10 * MS);
        PunchReport.Attempt asked = a.core.report(b.id).attempts().getLast();
        assertThat(asked.outcome()).isEqualTo(PunchReport.Outcome.ASKED);
        run(2 * SECOND);
        for (End end : ends) {
            PunchReport report = end.core.report(other(end == a ? b.id : a.id).id);
            assertThat(report.going()).isTrue();
            assertThat(report.leads()).isEqualTo(end == a);
            assertThat(report.ports())
                    .as("what the other one says")
                    .isEqualTo(end == a ? Outside.Allocation.SHARED : Outside.Allocation.UNKNOWN);
            assertThat(report.nextNs() == Core.NEVER)
                    .as("the other one says when")
                    .isEqualTo(end == b);
            assertThat(report.attempts()).hasSize(1);
            PunchReport.Attempt only = report.attempts().getFirst();
            assertThat(only.outcome()).isEqualTo(PunchReport.Outcome.TRIED);
            assertThat(only.candidates()).hasSize(1);
            assertThat(only.challenges()).isEqualTo(end.knocks.size()).isEqualTo(Attempt.OFFSETS_NS.length);
            assertThat(only.endNs()).isEqualTo(Core.NEVER);
        }
        long met = now;
        meet(a, b, Address.parse("203.0.113.2:4002"));
        for (End end : ends) {
            PunchReport report = end.core.report(other(end == a ? b.id : a.id).id);
            assertThat(report.going()).isFalse();
            assertThat(report.attempts().getFirst().outcome()).isEqualTo(PunchReport.Outcome.DIRECT);
            assertThat(report.attempts().getFirst().endNs()).isEqualTo(met);
        }
        b.core.handle(now, new Punch.Input.Asked(a.id, 1, new Message.Punch(List.of(), false, false, Outside.UNKNOWN)));
        assertThat(b.core.report(a.id).refused()).as("it is reached").isEqualTo(1);
    }

    @Test
    void aPeerThatDoesNotAnswerIsToldAndTheNewestAttemptsAreKept() {
        b.silent = true;
        meet(a, b, CIRCUIT);
        run(3 * 3_600 * SECOND);
        PunchReport report = a.core.report(b.id);
        assertThat(report.attemptsTotal()).isGreaterThan(PunchLog.ATTEMPTS_MAX);
        assertThat(report.attempts()).hasSize(PunchLog.ATTEMPTS_MAX);
        assertThat(report.attempts())
                .extracting(PunchReport.Attempt::outcome)
                .containsOnly(PunchReport.Outcome.UNANSWERED);
        assertThat(report.challenges()).isZero();
        Counters counters = new Counters();
        PunchLog log = new PunchLog(counters);
        for (int i = 0; i < PunchLog.PEERS_MAX + 5; i++) {
            log.begun(now, new Id(1, 2, 4, i));
            log.refused(new Id(1, 2, 3, i));
        }
        assertThat(counters.value("punch.log.evicted")).isEqualTo(5);
    }
}
