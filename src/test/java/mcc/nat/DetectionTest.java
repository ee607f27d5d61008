package mcc.nat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import mcc.core.Address;
import mcc.core.Id;
import mcc.sim.NatBehavior;
import mcc.sim.NatBehavior.Ports;
import mcc.sim.NatBehavior.Scope;
import mcc.wire.Outside;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which NAT it is, found out by peers of whom some lie: every class in a hundred runs. */
class DetectionTest {
    private static final int RUNS = 100;
    private static final long SECOND = NatNet.SECOND;

    static List<NatBehavior> classes() {
        List<NatBehavior> out = new ArrayList<>();
        for (Scope mapping : Scope.values()) {
            for (Scope filtering : Scope.values()) {
                for (Ports ports : Ports.values()) out.add(NatBehavior.of(mapping, filtering, ports));
            }
        }
        return out;
    }

    private static NatReport.Filtering filtering(Scope scope) {
        return NatReport.Filtering.valueOf(scope.name());
    }

    private static Set<NatReport.Mapping> mapping(Scope scope) {
        return switch (scope) {
            case ENDPOINT_INDEPENDENT -> Set.of(NatReport.Mapping.ENDPOINT_INDEPENDENT);
            case ADDRESS_DEPENDENT, ADDRESS_AND_PORT_DEPENDENT -> Set.of(NatReport.Mapping.ENDPOINT_DEPENDENT);
        };
    }

    private static Reachability reachable(NatBehavior nat) {
        boolean open = nat.filtering() == Scope.ENDPOINT_INDEPENDENT && nat.mapping() == Scope.ENDPOINT_INDEPENDENT;
        return open ? Reachability.YES : Reachability.NO;
    }

    private static void check(NatBehavior nat, NatNet net, String run) {
        NatReport.Side side = net.nat.report(net.now).v4();
        assertThat(side.mapping()).as(run).isIn(mapping(nat.mapping()));
        assertThat(side.filtering()).as(run).isEqualTo(filtering(nat.filtering()));
        assertThat(side.reachable()).as(run).isEqualTo(reachable(nat)).isEqualTo(net.verdict());
        if (reachable(nat) == Reachability.NO)
            assertThat(net.everSaid(Reachability.YES)).as(run).isFalse();
        assertThat(net.ends).as("%s: every end is closed", run).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("classes")
    void everyClassIsFoundWithinThreeSecondsAlsoWithOneLiarAmongFive(NatBehavior nat) {
        for (int liars = 0; liars <= 1; liars++) {
            for (int seed = 0; seed < RUNS; seed++) {
                NatNet net = new NatNet(seed);
                net.behind(nat);
                net.start(5 - liars, liars, false);
                net.run(liars == 0 ? 3 * SECOND : 20 * SECOND);
                check(nat, net, nat + " seed " + seed + " liars " + liars);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Ports.class)
    void howPortsAreGivenOutIsToldForDependentMappings(Ports ports) {
        for (int seed = 0; seed < RUNS; seed++) {
            NatNet net = new NatNet(seed);
            net.behind(NatBehavior.of(Scope.ADDRESS_AND_PORT_DEPENDENT, Scope.ADDRESS_AND_PORT_DEPENDENT, ports));
            net.start(5, 0, false);
            net.run(5 * SECOND);
            NatReport.Ports told = net.nat.report(net.now).v4().ports();
            Outside outside = net.behind.outside();
            assertThat(outside.allocation()).as("seed %d", seed).isEqualTo(allocation(ports));
            switch (ports) {
                case PRESERVED -> assertThat(told.kind()).isEqualTo(NatReport.Ports.Kind.PRESERVING);
                case SEQUENTIAL ->
                    assertThat(told).isEqualTo(new NatReport.Ports(NatReport.Ports.Kind.SEQUENTIAL, 1, 0, 0));
                case BLOCK -> {
                    assertThat(told.kind()).as("seed %d", seed).isEqualTo(NatReport.Ports.Kind.PORT_BLOCK);
                    assertThat(told.max() - told.min()).isBetween(1, 511);
                    assertThat(outside.expected().port()).isBetween(1_024, told.min());
                    assertThat(outside.expected().port() + outside.count()).isGreaterThan(told.max());
                }
                case RANDOM -> assertThat(told.kind()).as("seed %d", seed).isEqualTo(NatReport.Ports.Kind.RANDOM);
            }
        }
    }

    private static Outside.Allocation allocation(Ports ports) {
        return switch (ports) {
            case PRESERVED -> Outside.Allocation.PRESERVING;
            case SEQUENTIAL -> Outside.Allocation.SEQUENTIAL;
            case BLOCK -> Outside.Allocation.BLOCK;
            case RANDOM -> Outside.Allocation.RANDOM;
        };
    }

    @ParameterizedTest
    @EnumSource(Ports.class)
    void oneLiarAmongFiveTurnsNoVerdictOnPorts(Ports ports) {
        for (int seed = 0; seed < RUNS; seed++) {
            NatNet net = new NatNet(seed);
            net.behind(NatBehavior.of(Scope.ADDRESS_AND_PORT_DEPENDENT, Scope.ADDRESS_AND_PORT_DEPENDENT, ports));
            net.start(4, 1, false);
            net.run(20 * SECOND);
            NatReport.Ports.Kind kind = switch (ports) {
                case PRESERVED -> NatReport.Ports.Kind.PRESERVING;
                case SEQUENTIAL -> NatReport.Ports.Kind.SEQUENTIAL;
                case BLOCK -> NatReport.Ports.Kind.PORT_BLOCK;
                case RANDOM -> NatReport.Ports.Kind.RANDOM;
            };
            assertThat(net.nat.report(net.now).v4().ports().kind())
                    .as("seed %d", seed)
                    .isIn(kind, NatReport.Ports.Kind.UNKNOWN);
        }
    }

    @ParameterizedTest
    @EnumSource(Scope.class)
    void peersAtSeveralPortsOfOneAddressTellOfWhatAMappingDepends(Scope scope) {
        for (int seed = 0; seed < RUNS; seed++) {
            for (int liars = 0; liars <= 1; liars++) {
                NatNet net = new NatNet(seed);
                net.behind(NatBehavior.of(scope, Scope.ADDRESS_AND_PORT_DEPENDENT, Ports.RANDOM));
                net.start(10 - liars, liars, true);
                net.run(SECOND);
                assertThat(net.nat.report(net.now).v4().mapping())
                        .as("seed %d", seed)
                        .isEqualTo(NatReport.Mapping.valueOf(scope.name()));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Scope.class)
    void aPublicAddressBehindAFirewallIsNotOpenBecauseItIsPublic(Scope filtering) {
        for (int seed = 0; seed < RUNS; seed++) {
            for (int liars = 0; liars <= 1; liars++) {
                NatNet net = new NatNet(seed);
                net.behindFirewall(filtering);
                net.start(5 - liars, liars, false);
                net.run(liars == 0 ? 3 * SECOND : 20 * SECOND);
                NatReport.Side side = net.nat.report(net.now).v4();
                assertThat(side.mapping()).isEqualTo(NatReport.Mapping.NONE);
                assertThat(side.filtering()).as("seed %d", seed).isEqualTo(filtering(filtering));
                boolean open = filtering == Scope.ENDPOINT_INDEPENDENT;
                assertThat(net.everSaid(Reachability.YES)).as("seed %d", seed).isEqualTo(open);
                assertThat(net.verdict()).isEqualTo(open ? Reachability.YES : Reachability.NO);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aSinglePairOfPeersDoesNotTellOfWhatAMappingDepends(boolean agree) {
        NatNet net = new NatNet(6);
        net.self(new Nat.Input.Local(List.of(Address.parse("192.168.1.5:9376"))));
        for (int i = 0; i < 6; i++) {
            Address at = Address.v4(0x20000001 + (Math.min(i, 4) << 16), 1 + i);
            Address sees = Address.v4(0xcb007107, 2_000 * (1 + (agree ? Math.min(i, 4) : i)));
            net.self(new Nat.Input.Observed(Id.random(net.rng), at, sees, 0, i));
        }
        assertThat(net.nat.report(net.now).v4().mapping()).isEqualTo(NatReport.Mapping.ENDPOINT_DEPENDENT);
    }

    @Test
    void whatTwoOfManyNetworksSayIsNoAddressOfAPool() {
        NatNet net = new NatNet(6);
        for (int i = 0; i < 9; i++) {
            Address at = Address.v4(0x20000001 + (i << 16), 1);
            Address sees = Address.v4(0xcb007107 + (i < 2 ? 77 : 0), 9_376);
            net.self(new Nat.Input.Observed(Id.random(net.rng), at, sees, 0, i));
        }
        assertThat(net.nat.report(net.now).v4().pool())
                .extracting(Address::host)
                .containsExactly("203.0.113.7");
    }

    @ParameterizedTest
    @EnumSource(Scope.class)
    void liarsWhoAreBelievedChangeNothingEither(Scope filtering) {
        for (int seed = 0; seed < RUNS; seed++) {
            NatNet net = new NatNet(seed);
            net.cunning = true;
            net.behind(NatBehavior.of(Scope.ENDPOINT_INDEPENDENT, filtering, Ports.RANDOM));
            net.start(20, 8, false);
            net.run(30 * SECOND);
            boolean open = filtering == Scope.ENDPOINT_INDEPENDENT;
            assertThat(net.verdict()).as("seed %d", seed).isEqualTo(open ? Reachability.YES : Reachability.NO);
            assertThat(net.everSaid(open ? Reachability.NO : Reachability.YES)).isFalse();
        }
    }

    @Test
    void silenceCountsOnceEveryPeerThatIsNeededWasSilentTwice() {
        for (int peers = 2; peers <= 4; peers++) {
            for (int seed = 0; seed < RUNS; seed++) {
                NatNet net = new NatNet(seed);
                net.behind(
                        NatBehavior.of(Scope.ENDPOINT_INDEPENDENT, Scope.ADDRESS_AND_PORT_DEPENDENT, Ports.PRESERVED));
                net.start(peers, 0, false);
                net.run(20 * SECOND);
                assertThat(net.verdict()).isEqualTo(Reachability.NO);
                long twice = net.asked.values().stream().filter(n -> n >= 2).count();
                assertThat(twice).as("%d peers, seed %d", peers, seed).isGreaterThanOrEqualTo(Math.min(peers, 3));
            }
        }
    }

    @Test
    void peersThatDoNotHelpProveNothingAndAreAskedSeldom() {
        NatNet net = new NatNet(8);
        net.mute = true;
        net.behind(NatBehavior.of(Scope.ENDPOINT_INDEPENDENT, Scope.ENDPOINT_INDEPENDENT, Ports.PRESERVED));
        net.start(6, 0, false);
        net.run(600 * SECOND);
        assertThat(net.verdicts).isEmpty();
        assertThat(net.opened).isBetween(1, 60);
    }

    @Test
    void linksThatStartAgainDuringACheckDoNotEndTheChecks() {
        for (int at = 0; at < 400; at += 9) {
            NatNet net = new NatNet(at);
            net.behind(NatBehavior.of(Scope.ENDPOINT_INDEPENDENT, Scope.ENDPOINT_INDEPENDENT, Ports.PRESERVED));
            net.start(5, 0, false);
            net.run(5 * SECOND);
            while (net.ends.isEmpty()) net.run(NatNet.MS);
            net.run(at % 100 * NatNet.MS);
            net.self(new Nat.Input.LinksStarted());
            net.ends.clear();
            for (NatNet.Peer each : net.peers) net.self(new Nat.Input.Up(each.id, each.at));
            net.run(300 * SECOND);
            assertThat(net.verdicts.values()).as("after %d ms", at).hasSize(1);
            assertThat(net.verdict()).isEqualTo(Reachability.YES);
        }
    }

    @ParameterizedTest
    @EnumSource(Scope.class)
    void eightLiarsAmongTwentyHonestPeersChangeNothing(Scope filtering) {
        int wrong = 0;
        for (int seed = 0; seed < RUNS; seed++) {
            NatNet net = new NatNet(seed);
            net.behind(NatBehavior.of(Scope.ENDPOINT_INDEPENDENT, filtering, Ports.RANDOM));
            net.start(20, 8, false);
            net.run(30 * SECOND);
            NatReport report = net.nat.report(net.now);
            assertThat(report.v4().mapping()).isEqualTo(NatReport.Mapping.ENDPOINT_INDEPENDENT);
            assertThat(net.told).as("what others are told").hasSize(2);
            assertThat(net.told.getFirst()).isEqualTo(report.v4().address());
            boolean open = filtering == Scope.ENDPOINT_INDEPENDENT;
            if (!open) assertThat(net.everSaid(Reachability.YES)).isFalse();
            if (net.verdict() != (open ? Reachability.YES : Reachability.NO)) wrong++;
        }
        assertThat(wrong).isZero();
    }

    @ParameterizedTest
    @CsvSource({"0", "1", "2"})
    void fewPeersGiveNoVerdictThatTheyCannotProveAndCostLittle(int others) {
        for (int seed = 0; seed < RUNS; seed++) {
            NatNet net = new NatNet(seed);
            net.behind(NatBehavior.of(Scope.ENDPOINT_INDEPENDENT, Scope.ADDRESS_AND_PORT_DEPENDENT, Ports.PRESERVED));
            net.start(others, 0, false);
            net.run(600 * SECOND);
            assertThat(net.everSaid(Reachability.YES)).isFalse();
            if (others < 2) assertThat(net.verdicts).as("seed %d", seed).isEmpty();
            assertThat(net.opened).as("fresh ends in ten minutes").isLessThanOrEqualTo(50);
        }
    }

    @Test
    void peersAtOneIpAddressProveNothing() {
        NatNet net = new NatNet(1);
        net.behind(NatBehavior.of(Scope.ENDPOINT_INDEPENDENT, Scope.ADDRESS_DEPENDENT, Ports.PRESERVED));
        net.start(2, 0, true);
        net.run(600 * SECOND);
        assertThat(net.verdicts).isEmpty();
        assertThat(net.opened).isZero();
    }

    @Test
    void lostReachabilityIsToldWithinAMinute() {
        for (int seed = 0; seed < RUNS; seed++) {
            NatNet net = new NatNet(seed);
            net.lossPermille = 50;
            net.behind(NatBehavior.of(Scope.ENDPOINT_INDEPENDENT, Scope.ENDPOINT_INDEPENDENT, Ports.PRESERVED));
            net.start(6, 0, false);
            net.run(20 * SECOND + seed * SECOND);
            assertThat(net.verdict()).as("seed %d", seed).isEqualTo(Reachability.YES);
            assertThat(net.everSaid(Reachability.NO)).isFalse();
            net.behind(NatBehavior.of(Scope.ENDPOINT_INDEPENDENT, Scope.ADDRESS_AND_PORT_DEPENDENT, Ports.PRESERVED));
            net.run(60 * SECOND);
            assertThat(net.verdict()).as("seed %d", seed).isNotEqualTo(Reachability.YES);
        }
    }

    /** The check under way finds out nothing, and ends when the last proof is too old. */
    @Test
    void aProofThatGrowsTooOldDuringACheckIsGivenUpWithIt() {
        for (int seed = 0; seed < RUNS; seed++) {
            NatNet net = new NatNet(seed);
            net.behind(NatBehavior.of(Scope.ENDPOINT_INDEPENDENT, Scope.ENDPOINT_INDEPENDENT, Ports.PRESERVED));
            net.start(6, 0, false);
            net.run(20 * SECOND);
            assertThat(net.verdict()).as("seed %d", seed).isEqualTo(Reachability.YES);
            net.mute = true;
            net.run(300 * SECOND); // which looks at every deadline
            assertThat(net.verdict()).as("seed %d", seed).isEqualTo(Reachability.UNKNOWN);
        }
    }

    @Test
    void anOpenNodeStaysOpenThroughLossForAnHourAtLittleCost() {
        NatNet net = new NatNet(4);
        net.lossPermille = 100;
        net.behind(NatBehavior.of(Scope.ENDPOINT_INDEPENDENT, Scope.ENDPOINT_INDEPENDENT, Ports.RANDOM)
                .lasting(120 * SECOND, Long.MAX_VALUE));
        net.start(8, 0, false);
        net.run(5 * SECOND);
        assertThat(net.verdict()).isEqualTo(Reachability.YES);
        int before = net.opened;
        net.run(3_600 * SECOND);
        assertThat(net.verdicts.values()).as("it was told once").hasSize(1);
        assertThat(net.opened - before).isLessThan(200);
    }

    @Test
    void aStrangersFirstContactProvesReachabilityForTenMinutesAndANeighboursDoesNot() {
        NatNet net = new NatNet(2);
        net.behind(NatBehavior.of(Scope.ENDPOINT_INDEPENDENT, Scope.ADDRESS_AND_PORT_DEPENDENT, Ports.PRESERVED));
        net.start(5, 0, false);
        net.run(5 * SECOND);
        assertThat(net.verdict()).isEqualTo(Reachability.NO);
        net.self(new Nat.Input.Unsolicited(Address.parse("192.168.1.77:1")));
        net.self(new Nat.Input.Unsolicited(Address.parse("10.0.0.1:1")));
        assertThat(net.verdict()).isEqualTo(Reachability.NO);
        net.self(new Nat.Input.Unsolicited(Address.parse("198.51.100.200:1")));
        assertThat(net.verdict()).as("the port is forwarded").isEqualTo(Reachability.YES);
        net.run(599 * SECOND);
        assertThat(net.verdict()).isEqualTo(Reachability.YES);
        net.run(2 * SECOND);
        assertThat(net.verdict()).isEqualTo(Reachability.NO);
    }

    /** A stranger may have heard from a peer at which of many addresses that one sees this node; nobody else has. */
    @Test
    void aStrangerProvesNothingWhereEachPeerSeesAnotherAddress() {
        NatNet net = new NatNet(5);
        net.behind(NatBehavior.of(Scope.ADDRESS_AND_PORT_DEPENDENT, Scope.ENDPOINT_INDEPENDENT, Ports.RANDOM));
        net.start(5, 0, false);
        net.run(5 * SECOND);
        net.self(new Nat.Input.Unsolicited(Address.parse("198.51.100.200:1")));
        assertThat(net.verdict()).isEqualTo(Reachability.NO);
    }

    @Test
    void strangersSpareAnOpenNodeItsOwnChecks() {
        NatNet net = new NatNet(3);
        net.behind(NatBehavior.of(Scope.ENDPOINT_INDEPENDENT, Scope.ENDPOINT_INDEPENDENT, Ports.PRESERVED));
        net.start(5, 0, false);
        net.run(5 * SECOND);
        int before = net.opened;
        for (int i = 0; i < 60; i++) {
            net.self(new Nat.Input.Unsolicited(Address.v4(0x30000001 + (i << 16), 1)));
            net.run(30 * SECOND);
        }
        assertThat(net.opened).isEqualTo(before);
        assertThat(net.verdict()).isEqualTo(Reachability.YES);
    }

    @Test
    void silenceForHalfAMinuteMeansThatUdpIsBlocked() {
        NatNet net = new NatNet(1);
        net.start(0, 0, false);
        net.run(300 * SECOND);
        assertThat(net.nat.report(net.now).udp()).as("nobody was called").isEqualTo(NatReport.Udp.UNKNOWN);
        for (int i = 0; i < 4; i++) {
            net.self(new Nat.Input.Silent());
            net.run(8 * SECOND);
        }
        assertThat(net.nat.report(net.now).udp()).isEqualTo(NatReport.Udp.BLOCKED);
        assertThat(net.verdict()).isEqualTo(Reachability.NO);
        net.self(new Nat.Input.Up(Id.random(net.rng), Address.parse("198.51.100.9:1")));
        assertThat(net.nat.report(net.now).udp()).isEqualTo(NatReport.Udp.OK);
        assertThat(net.verdict()).isEqualTo(Reachability.UNKNOWN);
        for (int i = 0; i < 9; i++) {
            net.self(new Nat.Input.Silent());
            net.run(8 * SECOND);
        }
        assertThat(net.nat.report(net.now).udp()).as("a link stands").isEqualTo(NatReport.Udp.OK);
    }

    @Test
    void anotherNetworkVoidsWhatWasMeasuredAndIsMeasuredAtOnce() {
        NatNet net = new NatNet(5);
        net.behind(NatBehavior.of(Scope.ENDPOINT_INDEPENDENT, Scope.ENDPOINT_INDEPENDENT, Ports.PRESERVED));
        net.start(5, 0, false);
        net.run(5 * SECOND);
        assertThat(net.verdict()).isEqualTo(Reachability.YES);
        net.behind(NatBehavior.of(Scope.ENDPOINT_INDEPENDENT, Scope.ADDRESS_DEPENDENT, Ports.PRESERVED));
        net.self(new Nat.Input.Local(List.of(Address.parse("192.168.1.6:9376"))));
        assertThat(net.verdict()).isEqualTo(Reachability.UNKNOWN);
        net.run(10 * SECOND);
        assertThat(net.nat.report(net.now).v4().filtering()).isEqualTo(NatReport.Filtering.ADDRESS_DEPENDENT);
    }

    @Test
    void linksThatStartAgainTakeTheirEndsWithThem() {
        for (int at = 0; at < 400; at += 7) {
            NatNet net = new NatNet(at);
            net.behind(NatBehavior.of(Scope.ENDPOINT_INDEPENDENT, Scope.ADDRESS_DEPENDENT, Ports.PRESERVED));
            net.start(5, 0, false);
            net.run(at * NatNet.MS);
            net.self(new Nat.Input.LinksStarted());
            net.ends.clear();
            for (NatNet.Peer each : net.peers) net.self(new Nat.Input.Up(each.id, each.at));
            net.run(20 * SECOND);
            assertThat(net.nat.report(net.now).v4().filtering())
                    .as("after %d ms", at)
                    .isEqualTo(NatReport.Filtering.ADDRESS_DEPENDENT);
        }
    }

    @Test
    void severalAddressesOfACarriersPoolAreTold() {
        NatNet net = new NatNet(6);
        net.self(new Nat.Input.Local(List.of(Address.parse("192.168.1.5:9376"))));
        for (int i = 0; i < 9; i++) {
            Address at = Address.v4(0x20000001 + (i << 16), 1);
            Address sees = Address.v4(0xcb007107 + (i == 8 ? 77 : i % 3), 1_024 + 700 * i);
            net.self(new Nat.Input.Observed(Id.random(net.rng), at, sees, 0, i));
        }
        assertThat(net.nat.report(net.now).v4().pool())
                .as("not what one voice says")
                .extracting(Address::host)
                .containsExactlyInAnyOrder("203.0.113.7", "203.0.113.8", "203.0.113.9");
    }

    @Test
    void eachLocalEndIsJudgedForItself() {
        NatNet net = new NatNet(6);
        net.self(new Nat.Input.Local(List.of(Address.parse("192.168.1.5:9376"), Address.parse("10.9.9.9:9376"))));
        for (int i = 0; i < 10; i++) {
            Address at = Address.v4(0x20000001 + (i << 16), 1);
            Address sees = Address.v4(0xcb007107 + i % 2, 9_376);
            net.self(new Nat.Input.Observed(Id.random(net.rng), at, sees, 1 + i % 2, i));
        }
        assertThat(net.nat.report(net.now).v4().mapping())
                .as("two interfaces behind two NATs")
                .isEqualTo(NatReport.Mapping.ENDPOINT_INDEPENDENT);
    }

    @Test
    void forgedDialBacksAreCountedAndProveNothing() {
        NatNet net = new NatNet(7);
        net.behind(NatBehavior.of(Scope.ENDPOINT_INDEPENDENT, Scope.ADDRESS_AND_PORT_DEPENDENT, Ports.PRESERVED));
        net.start(5, 0, false);
        for (int i = 0; i < 400; i++) {
            net.run(10 * NatNet.MS);
            NatNet.Peer by = net.peers.get(i % 5);
            for (int end : List.copyOf(net.ends.keySet())) {
                Address from = Address.v4(0x40000001 + (i << 16), 1);
                net.self(new Nat.Input.DialledBack(by.id, from, end, net.rng.nextLong()));
                net.self(new Nat.Input.Echoed(by.id, end, net.rng.nextLong(), from));
            }
            net.self(new Nat.Input.Answered(by.id, net.rng.nextLong(), mcc.wire.Message.Dialed.SENT));
        }
        assertThat(net.counters.value("nat.dialback.forged")).isPositive();
        assertThat(net.everSaid(Reachability.YES)).isFalse();
        assertThat(net.verdict()).isEqualTo(Reachability.NO);
        if (net.verdicts.size() > 1) fail("it was told more than once");
    }

    @Test
    void aCheckThatIsAskedForBeginsAtOnceAndOneAtATime() {
        NatNet net = new NatNet(5);
        net.behind(NatBehavior.of(Scope.ENDPOINT_INDEPENDENT, Scope.ADDRESS_DEPENDENT, Ports.RANDOM));
        net.self(new Nat.Input.Check());
        assertThat(net.nat.report(net.now).checking()).as("nobody can help").isFalse();
        net.start(5, 0, false);
        net.run(60 * SECOND);
        long before = net.counters.value("nat.checks");
        assertThat(net.nat.report(net.now).checking()).isFalse();
        assertThat(net.nat.report(net.now).v4().helpers()).isEqualTo(5);
        assertThat(net.nat.report(net.now).v4().checkedAgoMs()).isGreaterThan(50_000);
        net.self(new Nat.Input.Check());
        assertThat(net.nat.report(net.now).checking()).isTrue();
        net.self(new Nat.Input.Check());
        net.run(5 * SECOND);
        NatReport report = net.nat.report(net.now);
        assertThat(report.checking()).isFalse();
        assertThat(report.v4().checkedAgoMs()).isLessThan(5_000);
        assertThat(report.v4().filtering()).isEqualTo(NatReport.Filtering.ADDRESS_DEPENDENT);
        assertThat(net.counters.value("nat.checks")).isEqualTo(before + 1);
    }
}
