package mcc.nat;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import mcc.core.Address;
import mcc.core.CoreLaws;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.wire.Message;
import org.junit.jupiter.api.Test;

class NatTest {
    private static final long SECOND = 1_000_000_000L;
    private static final Address OUTSIDE = Address.parse("198.51.100.1:9376");
    private final Rng rng = Rng.seeded(1);
    private final Counters counters = new Counters();
    private final Nat nat = new Nat(Rng.seeded(2), counters);
    private static final Address ELSEWHERE = Address.parse("192.0.2.77:9376");
    private static final Address FAR = Address.parse("32.1.2.3:9376");
    private final Address lan = Address.parse("192.168.1.5:9376");
    private final Address mapped = Address.parse("203.0.113.7:40000");
    private List<Address> told = List.of();

    private void handle(long now, Nat.Input input) {
        nat.handle(now, input);
        for (Nat.Output o; (o = nat.poll()) != null; ) {
            if (o instanceof Nat.Output.SelfAddresses s) told = s.addresses();
        }
    }

    private static Nat.Input said(Id by, Address at, Address self) {
        return new Nat.Input.Observed(by, at, self, 0, 0);
    }

    private static NatReport.Mapping mapping(Nat nat, long now) {
        return nat.report(now).main().mapping();
    }

    @Test
    void onePeerDecidesNothing() {
        handle(0, new Nat.Input.Local(List.of(lan)));
        Id liar = Id.random(rng);
        for (int i = 0; i < 5; i++) handle(i, said(liar, OUTSIDE, mapped));
        assertThat(mapping(nat, 10)).isEqualTo(NatReport.Mapping.UNKNOWN);
        assertThat(told).containsExactly(lan);
    }

    @Test
    void twoPeersThatAgreeMakeAnAddress() {
        handle(0, new Nat.Input.Local(List.of(lan)));
        handle(0, said(Id.random(rng), OUTSIDE, mapped));
        handle(0, said(Id.random(rng), OUTSIDE, mapped));
        assertThat(mapping(nat, 0)).as("one network may share a mapping").isEqualTo(NatReport.Mapping.UNKNOWN);
        handle(0, said(Id.random(rng), ELSEWHERE, mapped));
        assertThat(mapping(nat, 0)).isEqualTo(NatReport.Mapping.ENDPOINT_INDEPENDENT);
        assertThat(told).containsExactly(mapped, lan);
    }

    @Test
    void peersThatSeeDifferentPortsTellADependentMapping() {
        handle(0, new Nat.Input.Local(List.of(lan)));
        handle(0, said(Id.random(rng), OUTSIDE, mapped));
        handle(0, said(Id.random(rng), ELSEWHERE, Address.parse("203.0.113.7:40001")));
        assertThat(mapping(nat, 0)).as("one of them may lie").isEqualTo(NatReport.Mapping.UNKNOWN);
        handle(0, said(Id.random(rng), FAR, Address.parse("203.0.113.7:40002")));
        assertThat(mapping(nat, 0)).isEqualTo(NatReport.Mapping.ENDPOINT_DEPENDENT);
        assertThat(told).containsExactly(lan);
    }

    /** A mapping that nothing used for two minutes is made anew, with the next port. */
    @Test
    void portsAreInTheOrderOfTheirMappingsAlsoWhereThoseWereMadeAnew() {
        handle(0, new Nat.Input.Local(List.of(lan)));
        List<Id> peers = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            peers.add(Id.random(rng));
            handle(i, sees(peers.get(i), i, 40_000 + i, i));
        }
        for (int i = 0; i < 5; i++)
            handle(200 * SECOND + i, sees(peers.get(8 - 2 * i), 8 - 2 * i, 40_010 + i, 8 - 2 * i));
        assertThat(nat.report(201 * SECOND).v4().ports())
                .isEqualTo(new NatReport.Ports(NatReport.Ports.Kind.SEQUENTIAL, 1, 0, 0));
    }

    /** This node's own calls that nobody answers take ports, and so do other hosts behind the same NAT. */
    @Test
    void portsAreGivenOutOneAfterTheOtherAlsoWhereOthersTakeMany() {
        handle(0, new Nat.Input.Local(List.of(lan)));
        int port = 30_000;
        for (int i = 0; i < 50; i++) {
            port += i % 2 == 0 ? 1 : 20 + rng.below(300);
            handle(i, sees(Id.random(rng), i, port, i));
        }
        assertThat(nat.report(50).v4().ports())
                .isEqualTo(new NatReport.Ports(NatReport.Ports.Kind.SEQUENTIAL, 1, 0, 0));
    }

    private static Nat.Input sees(Id by, int network, int port, long sinceNs) {
        Address at = Address.v4(0x20000001 + (network << 16), 9_376);
        return new Nat.Input.Observed(by, at, Address.v4(0xcb007107, port), 0, sinceNs);
    }

    @Test
    void anAddressOfOnesOwnMeansNoNat() {
        handle(0, new Nat.Input.Local(List.of(mapped)));
        handle(0, said(Id.random(rng), OUTSIDE, mapped));
        handle(0, said(Id.random(rng), OUTSIDE, mapped));
        assertThat(mapping(nat, 0)).isEqualTo(NatReport.Mapping.NONE);
    }

    @Test
    void aNeighbourThatSeesTheOwnAddressChangesNothingWheneverItSaysSo() {
        List<Address> said = List.of(lan, mapped, mapped);
        for (int first = 0; first < said.size(); first++) {
            Nat each = new Nat(Rng.seeded(2), counters);
            each.handle(0, new Nat.Input.Local(List.of(lan)));
            for (int i = 0; i < said.size(); i++) {
                Address sees = said.get((first + i) % said.size());
                Address far = (first + i) % said.size() == 1 ? OUTSIDE : ELSEWHERE;
                Address at = sees.equals(lan) ? Address.parse("192.168.1.77:9376") : far;
                each.handle(0, said(Id.random(rng), at, sees));
            }
            assertThat(mapping(each, 0)).as("%d first", first).isEqualTo(NatReport.Mapping.ENDPOINT_INDEPENDENT);
        }
    }

    @Test
    void eightLiarsAmongTwentyHonestPeersReplaceNoAddress() {
        Address own = Address.parse("192.0.2.44:9376");
        List<Address> lies = new ArrayList<>();
        for (int i = 0; i < 4; i++) lies.add(Address.v4(0xcb007200 + i, 666));
        for (boolean everywhere : new boolean[] {true, false}) {
            Nat each = new Nat(Rng.seeded(2), counters);
            each.handle(0, new Nat.Input.Local(List.of(lan, own)));
            for (long hour = 0; hour < 5; hour++) {
                long now = hour * 3_600 * SECOND;
                Rng who = Rng.seeded(7);
                for (int i = 0; i < 8; i++) {
                    each.handle(now, said(Id.random(who), OUTSIDE, lies.get(i % 4)));
                }
                for (int i = 0; i < 20; i++) {
                    Address at = everywhere ? Address.v4(0x20000001 + (i << 16), 9) : OUTSIDE;
                    each.handle(now + 10 * SECOND, said(Id.random(who), at, mapped));
                }
                each.handle(now + 20 * SECOND, new Nat.Input.Tick());
                assertThat(each.report(now).addresses()).as("hour %d", hour).containsExactly(own, mapped, lan);
            }
        }
    }

    @Test
    void peersAddTwoAddressesAtMostHoweverManyTheySee() {
        List<Address> own = new ArrayList<>();
        for (int i = 0; i < 3; i++) own.add(Address.v4(0xc0000220 + i, 9_376));
        handle(0, new Nat.Input.Local(own));
        for (int i = 0; i < 12; i++) {
            Address sees = Address.v4(0xcb007200 + i % 4, 666);
            handle(i, said(Id.random(rng), Address.v4(0x20000001 + (i << 16), 9), sees));
        }
        handle(60 * SECOND, new Nat.Input.Tick());
        assertThat(told).hasSize(4).startsWith(own.get(0), own.get(1));
    }

    @Test
    void fortyLiarsOfOneNetworkDoNotTurnTheVerdict() {
        handle(0, new Nat.Input.Local(List.of(lan)));
        for (int i = 0; i < 20; i++) {
            handle(i, said(Id.random(rng), Address.v4(0x20000001 + (i << 16), 9), mapped));
        }
        for (int i = 0; i < 40; i++) {
            Address lie = Address.v4(0xcb007200 + i, 666);
            handle(i, said(Id.random(rng), Address.v4(0x30000001 + i, 9), lie));
        }
        assertThat(mapping(nat, 50)).isEqualTo(NatReport.Mapping.ENDPOINT_INDEPENDENT);
        handle(60 * SECOND, new Nat.Input.Tick());
        assertThat(told).containsExactly(mapped, lan);
    }

    @Test
    void liarsTurnNoVerdictOfANodeThatOthersSeeWhereItIs() {
        Address own = Address.parse("192.0.2.44:9376");
        Address loopback = Address.parse("127.0.0.1:9376");
        for (boolean oneMachine : new boolean[] {true, false}) {
            Nat each = new Nat(Rng.seeded(2), counters);
            each.handle(0, new Nat.Input.Local(List.of(oneMachine ? loopback : own)));
            for (int i = 0; i < 20; i++) {
                Address at = oneMachine ? Address.v4(0x7f000001, 1 + i) : Address.v4(0x20000001 + (i << 16), 9);
                each.handle(i, said(Id.random(rng), at, oneMachine ? loopback : own));
            }
            for (int i = 0; i < 40; i++) {
                Address at = oneMachine ? Address.v4(0x7f000001, 100 + i) : Address.v4(0x30000001 + i, 9);
                Address lie = oneMachine ? Address.v4(0x7f000001, 500 + i % 3) : Address.v4(0xcb007200 + i % 3, 9);
                each.handle(i, said(Id.random(rng), at, lie));
            }
            each.handle(60 * SECOND, new Nat.Input.Tick());
            assertThat(mapping(each, 0)).as("one machine: %s", oneMachine).isEqualTo(NatReport.Mapping.NONE);
            assertThat(each.report(0).addresses()).containsExactly(oneMachine ? loopback : own);
        }
    }

    @Test
    void aThousandKeysOfOneNetworkPushNoOtherVoteOut() {
        handle(0, new Nat.Input.Local(List.of(lan)));
        for (int i = 0; i < 20; i++) {
            handle(i, said(Id.random(rng), Address.v4(0x20000001 + (i << 16), 9), mapped));
        }
        Address lie = Address.parse("203.0.113.66:666");
        for (int i = 0; i < 1_000; i++) handle(SECOND, said(Id.random(rng), OUTSIDE, lie));
        handle(60 * SECOND, new Nat.Input.Tick());
        assertThat(nat.report(0).votes().stream().filter(v -> v.sees().equals(mapped)))
                .hasSize(20);
        assertThat(told).containsExactly(mapped, lan);
    }

    @Test
    void neighboursDoNotKnowHowThisNodeLooksFromOutside() {
        handle(0, new Nat.Input.Local(List.of(lan)));
        for (int i = 0; i < 9; i++) {
            handle(i, said(Id.random(rng), Address.v4(0xc0a80110 + i, 9), mapped));
        }
        handle(60 * SECOND, new Nat.Input.Tick());
        assertThat(told).containsExactly(lan);
        for (int i = 0; i < 3; i++) {
            handle(i, said(Id.random(rng), Address.v4(0xc0a80120 + i, 9), lan));
        }
        assertThat(mapping(nat, 0)).isEqualTo(NatReport.Mapping.NONE);
    }

    @Test
    void twoWhoAgreeByTurnsDoNotHaveItToldAgainAndAgain() {
        handle(0, new Nat.Input.Local(List.of(lan)));
        Id one = Id.random(rng);
        Id two = Id.random(rng);
        int changes = 0;
        for (int i = 0; i < 600; i++) {
            Address sees = i % 2 == 0 ? mapped : Address.parse("203.0.113.9:1");
            for (Id by : List.of(one, two)) {
                nat.handle(i * SECOND / 10, said(by, OUTSIDE, sees));
                for (Nat.Output o; (o = nat.poll()) != null; ) changes++;
            }
        }
        assertThat(changes).isLessThanOrEqualTo(13);
        assertThat(counters.value("nat.votes.tooOften")).isPositive();
    }

    @Test
    void aChangeOfTheHostsOwnAddressesIsToldAtOnce() {
        handle(0, new Nat.Input.Local(List.of(lan)));
        assertThat(told).containsExactly(lan);
        handle(1, new Nat.Input.Local(List.of()));
        assertThat(told).isEmpty();
        handle(2, new Nat.Input.Local(List.of(lan)));
        assertThat(told).containsExactly(lan);
    }

    @Test
    void votesAgeAndAreBounded() {
        handle(0, new Nat.Input.Local(List.of(lan)));
        for (int i = 0; i < 1000; i++) handle(i, said(Id.random(rng), OUTSIDE, mapped));
        assertThat(nat.report(0).votes()).hasSize(Nat.VOTES_MAX);
        assertThat(counters.value("nat.votes.evicted")).isEqualTo(1000 - Nat.VOTES_MAX);
        assertThat(nat.deadlineNs()).isBetween(4200 * SECOND, 4201 * SECOND);
        handle(4201 * SECOND, new Nat.Input.Tick());
        assertThat(nat.report(0).votes()).isEmpty();
        assertThat(told).containsExactly(lan);
        assertThat(nat.deadlineNs()).isEqualTo(Long.MAX_VALUE);
        List<Id> same = new ArrayList<>();
        same.add(Id.random(rng));
        for (int i = 0; i < 10; i++) handle(4202 * SECOND, said(same.getFirst(), OUTSIDE, mapped));
        assertThat(nat.report(0).votes()).hasSize(1);
    }

    @Test
    void whoBeginsAnewIsToldAgainWhatHasNotChanged() {
        handle(1, new Nat.Input.Tell());
        assertThat(nat.poll()).as("nothing is known yet").isNull();
        handle(1, new Nat.Input.Local(List.of(lan)));
        List<Address> before = told;
        told = List.of();
        handle(2, new Nat.Input.Tell());
        assertThat(told).isEqualTo(before).isNotEmpty();
    }

    @Test
    void theLawsOfCoresHold() {
        CoreLaws.check(() -> new Nat(Rng.seeded(2), new Counters()), new Nat.Input.Tick(), NatTest::anyInput, 2_000);
    }

    private static Nat.Input anyInput(Rng rng, List<Nat.Output> before) {
        Address at = Address.v4(0xcb007100 | rng.below(3), 9376);
        return switch (rng.below(7)) {
            case 5 -> new Nat.Input.Mapped(rng.below(3) == 0 ? null : at);
            case 6 -> {
                Id peer = new Id(rng.below(5), 0, 0, 0);
                for (Nat.Output o : before) {
                    if (!(o instanceof Nat.Output.Ask a) || !(a.request() instanceof Message.DialBack d)) continue;
                    boolean arrives = rng.below(2) == 0;
                    yield arrives
                            ? new Nat.Input.DialledBack(a.to().node(), Address.v4(0x20000001, 5), 1, d.nonce())
                            : new Nat.Input.Answered(a.to().node(), a.call(), Message.Dialed.SENT);
                }
                yield new Nat.Input.Up(peer, OUTSIDE);
            }
            case 0 -> new Nat.Input.Local(List.of(at, Address.v4(0xc0a80105, 1 + rng.below(3))));
            case 1 -> new Nat.Input.Tick();
            case 2 -> new Nat.Input.Tell();
            default -> said(new Id(rng.below(5), 0, 0, 0), OUTSIDE, at);
        };
    }
}
