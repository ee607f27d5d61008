package mcc.sim;

import static mcc.sim.NatBehavior.Scope.ADDRESS_AND_PORT_DEPENDENT;
import static mcc.sim.NatBehavior.Scope.ADDRESS_DEPENDENT;
import static mcc.sim.NatBehavior.Scope.ENDPOINT_INDEPENDENT;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import mcc.core.Address;
import mcc.core.Rng;
import org.junit.jupiter.api.Test;

/** Each behavior of RFC 4787, told apart as RFC 5780 does. */
class NatBoxTest {
    private static final long SECOND = 1_000_000_000L;
    private static final Address OUTSIDE = Address.v4(0xc6336401, 0);
    private static final Address HOST = address("192.168.1.2:9376");
    private static final Address A = address("203.0.113.1:1000");
    private static final Address A2 = address("203.0.113.1:2000");
    private static final Address B = address("203.0.113.9:1000");

    private static Address address(String text) {
        Address address = Address.parse(text);
        assertThat(address).isNotNull();
        return address;
    }

    private static NatBox nat(NatBehavior behavior) {
        return new NatBox(behavior, OUTSIDE, Rng.seeded(3));
    }

    private static NatBehavior behavior(NatBehavior.Scope mapping, NatBehavior.Scope filtering) {
        return NatBehavior.of(mapping, filtering, NatBehavior.Ports.RANDOM);
    }

    @Test
    void aMappingDependsOnAsMuchOfTheDestinationAsItsClassSays() {
        for (NatBehavior.Scope scope : NatBehavior.Scope.values()) {
            NatBox nat = nat(behavior(scope, ENDPOINT_INDEPENDENT));
            Address first = nat.out(1, HOST, A);
            assertThat(nat.out(2, HOST, A)).isEqualTo(first);
            assertThat(nat.out(3, HOST, A2).equals(first))
                    .as("another port, " + scope)
                    .isEqualTo(scope != ADDRESS_AND_PORT_DEPENDENT);
            assertThat(nat.out(4, HOST, B).equals(first))
                    .as("another host, " + scope)
                    .isEqualTo(scope == ENDPOINT_INDEPENDENT);
            assertThat(nat.out(5, address("192.168.1.2:9377"), A)).isNotEqualTo(first);
            nat.check();
        }
    }

    @Test
    void aFilterAdmitsAsItsClassSays() {
        for (NatBehavior.Scope scope : NatBehavior.Scope.values()) {
            NatBox nat = nat(behavior(ENDPOINT_INDEPENDENT, scope));
            Address outside = nat.out(1, HOST, A);
            assertThat(nat.in(2, A, outside)).isEqualTo(HOST);
            assertThat(nat.in(2, A2, outside) != null)
                    .as("another port, " + scope)
                    .isEqualTo(scope != ADDRESS_AND_PORT_DEPENDENT);
            assertThat(nat.in(2, B, outside) != null)
                    .as("another host, " + scope)
                    .isEqualTo(scope == ENDPOINT_INDEPENDENT);
            nat.out(3, HOST, B);
            assertThat(nat.in(4, B, outside)).isEqualTo(HOST);
            assertThat(nat.in(4, A, new Address(outside.high(), outside.low(), outside.port() ^ 1)))
                    .as("where nothing is mapped")
                    .isNull();
        }
    }

    @Test
    void portsAreGivenOutAsTheBehaviorSays() {
        NatBehavior.Scope scope = ADDRESS_AND_PORT_DEPENDENT;
        NatBox preserving = nat(NatBehavior.of(scope, scope, NatBehavior.Ports.PRESERVED));
        assertThat(preserving.out(1, HOST, A).port()).isEqualTo(HOST.port());
        assertThat(preserving.out(1, HOST, B).port()).isNotEqualTo(HOST.port());
        NatBox sequential = nat(NatBehavior.of(scope, scope, NatBehavior.Ports.SEQUENTIAL));
        List<Integer> ports = new ArrayList<>();
        for (int i = 0; i < 70_000; i++) {
            ports.add(sequential
                    .out(i * 2 * SECOND, HOST, Address.v4(0x01000000 + i, 9))
                    .port());
        }
        for (int i = 1; i < ports.size(); i++) {
            assertThat(ports.get(i)).isEqualTo(ports.get(i - 1) == 65_535 ? 1_024 : ports.get(i - 1) + 1);
        }
        NatBox blocks = nat(NatBehavior.of(scope, scope, NatBehavior.Ports.BLOCK));
        Set<Integer> block = new HashSet<>();
        for (int i = 0; i < NatBox.BLOCK; i++)
            block.add(blocks.out(1, HOST, Address.v4(0x01000000 + i, 9)).port());
        assertThat(block).hasSize(NatBox.BLOCK);
        assertThat(block.stream().mapToInt(p -> p / NatBox.BLOCK).distinct().count())
                .isEqualTo(1);
        assertThat(blocks.out(1, HOST, B)).as("its block is used up").isNull();
        assertThat(blocks.out(1, address("192.168.1.3:9376"), B).port()).isNotIn(block);
    }

    @Test
    void aMappingEndsWhenItIsIdleFromInsideOrAsOldAsItMayBe() {
        NatBehavior behavior =
                behavior(ENDPOINT_INDEPENDENT, ENDPOINT_INDEPENDENT).lasting(30 * SECOND, 100 * SECOND);
        NatBox nat = nat(behavior);
        Address outside = nat.out(0, HOST, A);
        assertThat(nat.in(29 * SECOND, B, outside)).isEqualTo(HOST);
        assertThat(nat.in(30 * SECOND, B, outside))
                .as("nothing from outside prolongs it")
                .isNull();
        long now = 30 * SECOND;
        outside = nat.out(now, HOST, A);
        for (int i = 1; i < 10; i++)
            assertThat(nat.out(now + i * 10 * SECOND, HOST, A)).isEqualTo(outside);
        assertThat(nat.out(now + 100 * SECOND, HOST, A))
                .as("though it is in use")
                .isNotEqualTo(outside);
        assertThat(nat.size()).isEqualTo(1);
    }

    @Test
    void aMappingThatIsInUseAgesBesideYoungerOnesThatAreNot() {
        NatBehavior behavior =
                behavior(ENDPOINT_INDEPENDENT, ENDPOINT_INDEPENDENT).lasting(60 * SECOND, 100 * SECOND);
        NatBox nat = nat(behavior);
        Address outside = nat.out(0, HOST, A);
        nat.out(50 * SECOND, HOST, A);
        nat.out(90 * SECOND, address("192.168.1.3:9376"), A);
        nat.out(99 * SECOND, HOST, A);
        assertThat(nat.out(100 * SECOND, HOST, A)).isNotEqualTo(outside);
    }

    @Test
    void hostsInsideReachOneAnotherByOutsideAddressesOnlyWhereItHairpins() {
        Address other = address("192.168.1.3:9376");
        for (boolean hairpins : new boolean[] {false, true}) {
            NatBehavior behavior = behavior(ENDPOINT_INDEPENDENT, ADDRESS_AND_PORT_DEPENDENT);
            NatBox nat = nat(hairpins ? behavior.withHairpinning() : behavior);
            Address mine = nat.out(1, HOST, A);
            Address theirs = nat.out(1, other, A);
            assertThat(nat.in(2, nat.out(2, HOST, theirs), theirs))
                    .as("it sent nothing yet")
                    .isNull();
            Address answer = nat.in(3, nat.out(3, other, mine), mine);
            assertThat(answer).isEqualTo(hairpins ? HOST : null);
        }
    }

    @Test
    void aStrayThatTheOwnHostTookTakesItsTwoEndsFromTheHostInside() {
        NatBehavior linux =
                NatBehavior.of(ENDPOINT_INDEPENDENT, ADDRESS_AND_PORT_DEPENDENT, NatBehavior.Ports.PRESERVED);
        NatBox open = nat(linux.takingStrays());
        NatBox closed = nat(linux);
        for (NatBox nat : List.of(open, closed)) {
            Address outside = nat.out(0, HOST, A);
            assertThat(nat.in(1, B, outside))
                    .as("it comes before the host's own")
                    .isNull();
        }
        assertThat(closed.out(2, HOST, B)).isEqualTo(closed.out(2, HOST, A));
        Address other = open.out(2, HOST, B);
        assertThat(other).as("another port, to which nobody sends").isNotEqualTo(open.out(2, HOST, A));
        assertThat(open.out(3, HOST, B)).as("and it stays so").isEqualTo(other);
        assertThat(open.in(4, B, other)).isEqualTo(HOST);
        NatBox fresh = nat(linux.takingStrays());
        assertThat(fresh.in(0, B, new Address(OUTSIDE.high(), OUTSIDE.low(), HOST.port())))
                .isNull();
        assertThat(fresh.out(1, HOST, B).port()).as("its first datagram of all").isNotEqualTo(HOST.port());
        long later = 400 * SECOND;
        assertThat(open.out(later, HOST, B)).as("until all is forgotten").isEqualTo(open.out(later, HOST, A));
    }

    @Test
    void aHostKeepsToOneOfSeveralOutsideAddresses() {
        NatBehavior behavior =
                behavior(ADDRESS_AND_PORT_DEPENDENT, ADDRESS_DEPENDENT).withAddresses(4, true);
        NatBox nat = nat(behavior);
        Set<String> used = new HashSet<>();
        for (int i = 0; i < 8; i++) {
            Address host = Address.v4(0xc0a80102 + i, 9376);
            Address outside = nat.out(1, host, A);
            assertThat(nat.out(1, host, B).host()).isEqualTo(outside.host());
            assertThat(nat.owns(outside)).isTrue();
            used.add(outside.host());
        }
        assertThat(used).hasSize(4);
        assertThat(nat.owns(A)).isFalse();
    }

    @Test
    void mappingsOfAHostThatIsNotPairedHaveAnyOfTheOutsideAddresses() {
        for (NatBehavior.Ports ports : NatBehavior.Ports.values()) {
            NatBox nat = nat(NatBehavior.of(ENDPOINT_INDEPENDENT, ADDRESS_DEPENDENT, ports)
                    .withAddresses(4, false));
            Set<String> used = new HashSet<>();
            for (int i = 0; i < 40; i++) {
                Address host = Address.v4(0xc0a80102, 9376 + i);
                Address outside = nat.out(1, host, A);
                assertThat(nat.out(1, host, B)).as("a mapping keeps its own").isEqualTo(outside);
                used.add(outside.host());
            }
            assertThat(used).as("ports " + ports).hasSize(4);
            nat.check();
        }
    }

    @Test
    void whoHasNoRoomDropsWhatIsNewAndARestartForgetsAll() {
        NatBox nat = nat(behavior(ADDRESS_AND_PORT_DEPENDENT, ADDRESS_DEPENDENT).withRoomFor(2));
        Address first = nat.out(1, HOST, A);
        nat.out(1, HOST, A2);
        assertThat(nat.out(1, HOST, B)).isNull();
        assertThat(nat.out(1, HOST, A)).isEqualTo(first);
        nat.restart();
        assertThat(nat.in(2, A, first)).isNull();
        assertThat(nat.out(2, HOST, B)).isNotNull();
        nat.check();
    }
}
