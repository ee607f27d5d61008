package mcc.nat;

import static mcc.sim.NatBehavior.Scope.ADDRESS_AND_PORT_DEPENDENT;
import static mcc.sim.NatBehavior.Scope.ADDRESS_DEPENDENT;
import static mcc.sim.NatBehavior.Scope.ENDPOINT_INDEPENDENT;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import mcc.core.Address;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.sim.NatBehavior;
import mcc.sim.NatBehavior.Ports;
import mcc.wire.Message;
import org.junit.jupiter.api.Test;

/** A port that the router says it maps counts while peers come through it, in virtual time. */
class PortCheckTest {
    private static final Address MAPPED = Address.parse("203.0.113.7:50000");
    private static final NatBehavior HOME =
            NatBehavior.of(ENDPOINT_INDEPENDENT, ADDRESS_AND_PORT_DEPENDENT, Ports.PRESERVED);

    private static NatNet net(long seed, int honest, int liars, NatBehavior behavior) {
        NatNet net = new NatNet(seed);
        net.behind(behavior);
        net.start(honest, liars, false);
        net.run(30 * NatNet.SECOND);
        assertThat(net.verdict()).isNotEqualTo(Reachability.YES);
        return net;
    }

    @Test
    void aPortThatPeersComeThroughIsAnnouncedFirstAndMakesTheNodeReached() {
        for (long seed = 0; seed < 20; seed++) {
            NatNet net = net(seed, 1 + (int) seed % 6, 0, HOME);
            net.forwarded = MAPPED;
            net.self(new Nat.Input.Mapped(MAPPED));
            assertThat(net.told).as("not yet").doesNotContain(MAPPED);
            net.run(20 * NatNet.SECOND);
            assertThat(net.ports).as("seed " + seed).containsExactly(Nat.Port.WORKS);
            assertThat(net.told).first().isEqualTo(MAPPED);
            assertThat(net.counters.value("nat.dialback.forged"))
                    .as("those who came second are no forgers")
                    .isZero();
            assertThat(net.verdict()).isEqualTo(Reachability.YES);
            net.self(new Nat.Input.Mapped(null));
            assertThat(net.told).doesNotContain(MAPPED);
            assertThat(net.verdict()).isNotEqualTo(Reachability.YES);
        }
    }

    @Test
    void aPortThroughWhichNothingComesIsDeadAndNeverAnnounced() {
        for (long seed = 0; seed < 20; seed++) {
            NatNet net = net(seed, 1 + (int) seed % 6, 0, HOME);
            net.self(new Nat.Input.Mapped(MAPPED));
            net.run(60 * NatNet.SECOND);
            assertThat(net.ports).as("seed " + seed).containsExactly(Nat.Port.DEAD);
            assertThat(net.told).doesNotContain(MAPPED);
        }
    }

    @Test
    void aPortThatDiesIsNoticedAndNoLongerAnnounced() {
        NatNet net = net(1, 5, 0, HOME);
        net.forwarded = MAPPED;
        net.self(new Nat.Input.Mapped(MAPPED));
        net.run(20 * NatNet.SECOND);
        net.forwarded = null;
        net.run(PortCheck.AGAIN_NS + 60 * NatNet.SECOND);
        assertThat(net.ports).containsExactly(Nat.Port.WORKS, Nat.Port.DEAD);
        assertThat(net.told).doesNotContain(MAPPED);
        assertThat(net.verdict()).isEqualTo(Reachability.NO);
    }

    @Test
    void aPortThatWorksIsProvedAgainByFewAndSeldom() {
        NatNet net = net(2, 5, 0, HOME);
        net.forwarded = MAPPED;
        net.self(new Nat.Input.Mapped(MAPPED));
        net.run(3 * 3_600 * NatNet.SECOND);
        assertThat(net.ports).containsExactly(Nat.Port.WORKS);
        assertThat(net.counters.value("nat.port.checks")).isBetween(8L, 11L);
    }

    @Test
    void whereNobodyCanHelpNothingIsSaidAndAProofGrowsOld() {
        NatNet net = net(3, 4, 0, HOME);
        net.mute = true;
        net.self(new Nat.Input.Mapped(MAPPED));
        net.run(3_600 * NatNet.SECOND);
        assertThat(net.ports).isEmpty();
        assertThat(net.counters.value("nat.port.checks"))
                .as("with growing pauses")
                .isLessThan(14);
        net.mute = false;
        net.forwarded = MAPPED;
        net.run(700 * NatNet.SECOND);
        assertThat(net.ports).containsExactly(Nat.Port.WORKS);
        net.mute = true;
        net.run(PortCheck.PROOF_NS + NatNet.SECOND);
        assertThat(net.ports).containsExactly(Nat.Port.WORKS, Nat.Port.UNPROVED);
        assertThat(net.told).doesNotContain(MAPPED);
    }

    @Test
    void anAddressThatPeersDoNotSeeIsElsewhere() {
        NatNet net = net(4, 3, 0, HOME);
        Address other = Address.parse("203.0.113.8:50000");
        net.forwarded = other;
        net.self(new Nat.Input.Mapped(other));
        net.run(60 * NatNet.SECOND);
        assertThat(net.ports).containsExactly(Nat.Port.ELSEWHERE);
        assertThat(net.told).doesNotContain(other);
    }

    @Test
    void lossDelaysAndLiarsDoNotMakeADeadPortWork() {
        for (long seed = 0; seed < 20; seed++) {
            NatNet net = net(seed, 4, 2, HOME);
            net.self(new Nat.Input.Mapped(MAPPED));
            net.run(300 * NatNet.SECOND);
            assertThat(net.ports).as("seed " + seed).doesNotContain(Nat.Port.WORKS);
            NatNet lossy = net(seed, 5, 1, HOME);
            lossy.lossPermille = 300;
            lossy.forwarded = MAPPED;
            lossy.self(new Nat.Input.Mapped(MAPPED));
            lossy.run(60 * NatNet.SECOND);
            assertThat(lossy.ports).as("seed " + seed).startsWith(Nat.Port.WORKS);
        }
    }

    @Test
    void whereANewPortOfAKnownAddressGetsInAnywayNothingIsProved() {
        NatBehavior loose = NatBehavior.of(ENDPOINT_INDEPENDENT, ADDRESS_DEPENDENT, Ports.PRESERVED);
        NatNet net = net(5, 5, 0, loose);
        Address seen = Address.parse("203.0.113.7:9376");
        net.forwarded = seen; // what comes there is indistinguishable from what the NAT lets in
        net.self(new Nat.Input.Mapped(seen));
        net.run(120 * NatNet.SECOND);
        assertThat(net.ports).doesNotContain(Nat.Port.WORKS);
        assertThat(net.counters.value("nat.port.nothing-proved")).isPositive();
    }

    @Test
    void thePeersOwnPortProvesNothing() {
        Nat nat = new Nat(Rng.seeded(1), new Counters());
        Id peer = Id.random(Rng.seeded(2));
        Address at = Address.parse("198.51.100.1:9376");
        nat.handle(1, new Nat.Input.Local(List.of(Address.parse("192.168.1.5:9376"))));
        nat.handle(1, new Nat.Input.Up(peer, at));
        nat.handle(1, new Nat.Input.Mapped(MAPPED));
        nat.handle(5, new Nat.Input.Tick());
        long nonce = 0;
        for (Nat.Output o; (o = nat.poll()) != null; ) {
            if (o instanceof Nat.Output.Ask a && a.request() instanceof Message.DialBack d) nonce = d.nonce();
        }
        assertThat(nonce).isNotZero();
        nat.handle(6, new Nat.Input.DialledBack(peer, at, 1, nonce));
        assertThat(nat.poll()).as("its NAT lets that in without a mapping").isNull();
        nat.handle(7, new Nat.Input.DialledBack(peer, Address.parse("198.51.100.1:40000"), 1, nonce));
        assertThat(nat.poll()).isEqualTo(new Nat.Output.PortFound(MAPPED, Nat.Port.WORKS));
        assertThat(nat.poll())
                .isEqualTo(new Nat.Output.SelfAddresses(List.of(MAPPED, Address.parse("192.168.1.5:9376"))));
    }
}
