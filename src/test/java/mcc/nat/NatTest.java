package mcc.nat;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import mcc.core.Address;
import mcc.core.CoreLaws;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import org.junit.jupiter.api.Test;

class NatTest {
    private static final long SECOND = 1_000_000_000L;
    private final Rng rng = Rng.seeded(1);
    private final Counters counters = new Counters();
    private final Nat nat = new Nat(counters);
    private final Address lan = Address.parse("192.168.1.5:9376");
    private final Address mapped = Address.parse("203.0.113.7:40000");
    private List<Address> told = List.of();

    private void handle(long now, Nat.Input input) {
        nat.handle(now, input);
        for (Nat.Output o; (o = nat.poll()) != null; ) {
            if (o instanceof Nat.Output.SelfAddresses s) told = s.addresses();
        }
    }

    @Test
    void onePeerDecidesNothing() {
        handle(0, new Nat.Input.Local(List.of(lan)));
        Id liar = Id.random(rng);
        for (int i = 0; i < 5; i++) handle(i, new Nat.Input.Observed(liar, mapped));
        assertThat(nat.report(10).mapping()).isEqualTo(NatReport.Mapping.UNKNOWN);
        assertThat(told).containsExactly(lan);
    }

    @Test
    void twoPeersThatAgreeMakeAnAddress() {
        handle(0, new Nat.Input.Local(List.of(lan)));
        handle(0, new Nat.Input.Observed(Id.random(rng), mapped));
        handle(0, new Nat.Input.Observed(Id.random(rng), mapped));
        assertThat(nat.report(0).mapping()).isEqualTo(NatReport.Mapping.ENDPOINT_INDEPENDENT);
        assertThat(told).containsExactly(mapped, lan);
    }

    @Test
    void peersThatSeeDifferentPortsTellADependentMapping() {
        handle(0, new Nat.Input.Local(List.of(lan)));
        handle(0, new Nat.Input.Observed(Id.random(rng), mapped));
        handle(0, new Nat.Input.Observed(Id.random(rng), Address.parse("203.0.113.7:40001")));
        assertThat(nat.report(0).mapping()).isEqualTo(NatReport.Mapping.ENDPOINT_DEPENDENT);
        assertThat(told).containsExactly(lan);
    }

    @Test
    void anAddressOfOnesOwnMeansNoNat() {
        handle(0, new Nat.Input.Local(List.of(mapped)));
        handle(0, new Nat.Input.Observed(Id.random(rng), mapped));
        handle(0, new Nat.Input.Observed(Id.random(rng), mapped));
        assertThat(nat.report(0).mapping()).isEqualTo(NatReport.Mapping.NONE);
    }

    @Test
    void aNeighbourThatSeesTheOwnAddressChangesNothingWheneverItSaysSo() {
        List<Address> said = List.of(lan, mapped, mapped);
        for (int first = 0; first < said.size(); first++) {
            Nat each = new Nat(counters);
            each.handle(0, new Nat.Input.Local(List.of(lan)));
            for (int i = 0; i < said.size(); i++) {
                Address sees = said.get((first + i) % said.size());
                each.handle(0, new Nat.Input.Observed(Id.random(rng), sees));
            }
            assertThat(each.report(0).mapping())
                    .as("%d first", first)
                    .isEqualTo(NatReport.Mapping.ENDPOINT_INDEPENDENT);
        }
    }

    @Test
    void votesAgeAndAreBounded() {
        handle(0, new Nat.Input.Local(List.of(lan)));
        for (int i = 0; i < 1000; i++) handle(i, new Nat.Input.Observed(Id.random(rng), mapped));
        assertThat(nat.report(0).votes()).hasSize(Nat.VOTES_MAX);
        assertThat(counters.value("nat.votes.evicted")).isEqualTo(1000 - Nat.VOTES_MAX);
        assertThat(nat.deadlineNs()).isBetween(4200 * SECOND, 4201 * SECOND);
        handle(4201 * SECOND, new Nat.Input.Tick());
        assertThat(nat.report(0).votes()).isEmpty();
        assertThat(told).containsExactly(lan);
        assertThat(nat.deadlineNs()).isEqualTo(Long.MAX_VALUE);
        List<Id> same = new ArrayList<>();
        same.add(Id.random(rng));
        for (int i = 0; i < 10; i++) handle(4202 * SECOND, new Nat.Input.Observed(same.getFirst(), mapped));
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
        CoreLaws.check(() -> new Nat(new Counters()), new Nat.Input.Tick(), NatTest::anyInput, 2_000);
    }

    private static Nat.Input anyInput(Rng rng, List<Nat.Output> before) {
        Address at = Address.v4(0xcb007100 | rng.below(3), 9376);
        return switch (rng.below(5)) {
            case 0 -> new Nat.Input.Local(List.of(at, Address.v4(0xc0a80105, 1 + rng.below(3))));
            case 1 -> new Nat.Input.Tick();
            case 2 -> new Nat.Input.Tell();
            default -> new Nat.Input.Observed(new Id(rng.below(5), 0, 0, 0), at);
        };
    }
}
