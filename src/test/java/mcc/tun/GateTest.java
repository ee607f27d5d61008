package mcc.tun;

import static mcc.tun.PacketsOf.THEM;
import static mcc.tun.PacketsOf.US;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import org.junit.jupiter.api.Test;

class GateTest {
    private static final Id PEER = Id.random(Rng.seeded(1));
    private static final Id OTHER = Id.random(Rng.seeded(2));
    private static final List<Subnet> SUBNETS = Stream.of(
                    "2001:db8:1::/48", "192.0.2.0/24", "2001:db8:2::/48@" + PEER, "198.51.100.0/24@" + PEER)
            .map(Subnet::parse)
            .toList();
    private final Counters counters = new Counters();

    private static final Gate.Judge NOBODY = (nowNs, _, _, _) -> nowNs;
    private static final Gate.Judge EVERYBODY = (_, _, _, _) -> Long.MAX_VALUE;
    private long asked;

    private Gate gate() {
        return gate(NOBODY);
    }

    private Gate gate(Gate.Judge judge) {
        return new Gate(US, true, judge, SUBNETS, 7, counters);
    }

    private static boolean enters(Gate gate, long nowNs, Id peer, byte[] packet) {
        return gate.enters(nowNs, peer, THEM, PacketsOf.parsed(packet), packet);
    }

    private static byte[] in(int protocol, byte[] transport) {
        return PacketsOf.v6(THEM, US, protocol, transport);
    }

    private static byte[] out(int protocol, byte[] transport) {
        return PacketsOf.v6(US, THEM, protocol, transport);
    }

    @Test
    void aFlowIsForgottenWhenTheOperatorSays() {
        Gate gate = new Gate(US, true, NOBODY, SUBNETS, 5_000, new Fragments(counters), 7, counters);
        byte[] question = out(Ip.UDP, PacketsOf.udp(4000, 53, new byte[1]));
        byte[] answer = in(Ip.UDP, PacketsOf.udp(53, 4000, new byte[1]));
        assertThat(gate.leaves(0, PacketsOf.parsed(question), question)).isTrue();
        assertThat(enters(gate, 4_000, PEER, answer)).isTrue();
        assertThat(enters(gate, 9_001, PEER, answer)).as("unused for 5,000").isFalse();
    }

    @Test
    void whatNobodyAskedForStaysOutAndAnswersComeIn() {
        Gate gate = gate();
        byte[] answer = in(Ip.UDP, PacketsOf.udp(53, 4000, new byte[1]));
        assertThat(enters(gate, 0, PEER, answer)).isFalse();
        byte[] question = out(Ip.UDP, PacketsOf.udp(4000, 53, new byte[1]));
        assertThat(gate.leaves(0, PacketsOf.parsed(question), question)).isTrue();
        assertThat(enters(gate, 1, PEER, answer)).isTrue();
        assertThat(enters(gate, 1, PEER, in(Ip.UDP, PacketsOf.udp(54, 4000, new byte[1]))))
                .isFalse();
        assertThat(enters(gate, 1, PEER, in(Ip.TCP, PacketsOf.tcp(53, 4000, 0, 0x10, new byte[1]))))
                .isFalse();
        assertThat(enters(gate, 2 + Gate.OTHER_NS, PEER, answer))
                .as("forgotten")
                .isFalse();
        assertThat(counters.value("tun.in.denied")).isEqualTo(4);
    }

    @Test
    void anEchoRequestComesInAndItsReplyOnlyWhenAskedFor() {
        Gate gate = gate();
        assertThat(enters(gate, 0, PEER, in(Ip.ICMP6, PacketsOf.echo(128, 5)))).isTrue();
        assertThat(enters(gate, 0, PEER, in(Ip.ICMP6, PacketsOf.echo(129, 5)))).isFalse();
        byte[] asked = out(Ip.ICMP6, PacketsOf.echo(128, 5));
        gate.leaves(0, PacketsOf.parsed(asked), asked);
        assertThat(enters(gate, 0, PEER, in(Ip.ICMP6, PacketsOf.echo(129, 5)))).isTrue();
        assertThat(enters(gate, 0, PEER, in(Ip.ICMP6, PacketsOf.echo(134, 5))))
                .as("a router")
                .isFalse();
    }

    @Test
    void anErrorComesInWhenItQuotesAFlowFromHere() {
        Gate gate = gate();
        byte[] sent = out(Ip.TCP, PacketsOf.tcp(4000, 80, 0, 2, new byte[0]));
        byte[] error = Icmp.unreachable(sent, 0, sent.length);
        assertThat(enters(gate, 0, PEER, error)).isFalse();
        gate.leaves(0, PacketsOf.parsed(sent), sent);
        assertThat(enters(gate, 0, PEER, error)).isTrue();
    }

    @Test
    void anErrorAboutAFlowWithAnotherPeerStaysOut() {
        Gate gate = gate();
        byte[] sent = out(Ip.UDP, PacketsOf.udp(4000, 53, new byte[1]));
        gate.leaves(0, PacketsOf.parsed(sent), sent);
        InnerAddress third = new InnerAddress(THEM.high(), 9);
        byte[] error = Icmp.unreachable(sent, 0, sent.length);
        System.arraycopy(third.bytes(), 0, error, 8, 16);
        assertThat(gate.enters(0, OTHER, third, PacketsOf.parsed(error), error)).isFalse();
        byte[] behind = PacketsOf.v6(US, address("2001:db8:2::6"), Ip.UDP, PacketsOf.udp(4000, 53, new byte[1]));
        gate.leaves(0, PacketsOf.parsed(behind), behind);
        byte[] its = Icmp.unreachable(behind, 0, behind.length);
        assertThat(enters(gate, 0, PEER, its))
                .as("about what is behind that peer")
                .isTrue();
    }

    @Test
    void noEchoRequestOfPeersPushesOutWhatThisHostBegan() {
        Gate gate = gate();
        byte[] sent = out(Ip.TCP, PacketsOf.tcp(4000, 80, 0, 2, new byte[0]));
        gate.leaves(0, PacketsOf.parsed(sent), sent);
        for (int i = 0; i < 4 * Gate.FLOWS_MAX; i++) {
            InnerAddress peer = new InnerAddress(THEM.high(), 9 + (i >>> 16));
            byte[] reply = PacketsOf.v6(US, peer, Ip.ICMP6, PacketsOf.echo(129, i & 0xffff));
            assertThat(gate.leaves(1, PacketsOf.parsed(reply), reply)).isTrue();
        }
        assertThat(enters(gate, 2, PEER, in(Ip.TCP, PacketsOf.tcp(80, 4000, 0, 0x12, new byte[0]))))
                .isTrue();
        assertThat(enters(gate, 2, PEER, in(Ip.ICMP6, PacketsOf.echo(129, 5))))
                .as("a reply to what nobody asked")
                .isFalse();
    }

    private static byte[] v4(InnerAddress from, InnerAddress to, int protocol, byte[] transport) {
        byte[] out = PacketsOf.v4(protocol, transport);
        Octets.put32(out, 12, from.bits4());
        Octets.put32(out, 16, to.bits4());
        Segmenter.headerSum(out, 0, 20);
        return out;
    }

    private static boolean enters4(Gate gate, byte[] packet) {
        return gate.enters(1, PEER, THEM.v4(), PacketsOf.parsed(packet), packet);
    }

    @Test
    void ipv4IsJudgedAsIpv6Is() {
        Gate gate = gate();
        byte[] question = v4(US.v4(), THEM.v4(), Ip.UDP, PacketsOf.udp(4000, 53, new byte[1]));
        byte[] answer = v4(THEM.v4(), US.v4(), Ip.UDP, PacketsOf.udp(53, 4000, new byte[1]));
        byte[] error = Icmp.unreachable(question, 0, question.length);
        assertThat(enters4(gate, answer)).isFalse();
        assertThat(enters4(gate, error)).isFalse();
        assertThat(gate.leaves(0, PacketsOf.parsed(question), question)).isTrue();
        assertThat(enters4(gate, answer)).isTrue();
        assertThat(enters4(gate, error)).isTrue();
        assertThat(enters4(gate, v4(THEM.v4(), US.v4(), Ip.ICMP, PacketsOf.echo(8, 1))))
                .isTrue();
        assertThat(enters4(gate, v4(THEM.v4(), US.v4(), Ip.ICMP, PacketsOf.echo(0, 1))))
                .isFalse();
        assertThat(enters4(gate, v4(THEM.v4(), US.v4(), Ip.ICMP, PacketsOf.echo(5, 1))))
                .as("a redirect")
                .isFalse();
        assertThat(enters4(gate, v4(US.v4().next4(), US.v4(), Ip.ICMP, PacketsOf.echo(8, 1))))
                .isFalse();
        assertThat(counters.value("tun.in.spoofed")).isEqualTo(1);
    }

    @Test
    void withoutIpv4NothingOfItPasses() {
        Gate gate = new Gate(US, false, EVERYBODY, List.of(), 7, counters);
        byte[] out = v4(US.v4(), THEM.v4(), Ip.ICMP, PacketsOf.echo(8, 1));
        assertThat(gate.leaves(0, PacketsOf.parsed(out), out)).isFalse();
        assertThat(enters4(gate, v4(THEM.v4(), US.v4(), Ip.ICMP, PacketsOf.echo(8, 1))))
                .isFalse();
    }

    @Test
    void addressesAreThoseOfWhoSendsAndWhoReceives() {
        Gate gate = new Gate(US, true, EVERYBODY, List.of(), 7, counters);
        InnerAddress third = new InnerAddress(THEM.high(), 9);
        byte[] echo = PacketsOf.echo(128, 1);
        assertThat(enters(gate, 0, PEER, PacketsOf.v6(third, US, Ip.ICMP6, echo)))
                .isFalse();
        assertThat(enters(gate, 0, PEER, PacketsOf.v6(THEM, third, Ip.ICMP6, echo)))
                .isFalse();
        assertThat(enters(gate, 0, PEER, in(Ip.UDP, PacketsOf.udp(9, 9, new byte[1]))))
                .isTrue();
        byte[] foreign = PacketsOf.v6(third, THEM, Ip.ICMP6, echo);
        assertThat(gate.leaves(0, PacketsOf.parsed(foreign), foreign)).isFalse();
        assertThat(counters.value("tun.in.spoofed")).isEqualTo(1);
        assertThat(counters.value("tun.in.astray")).isEqualTo(1);
    }

    private static byte[] ssh(int from) {
        return in(Ip.TCP, PacketsOf.tcp(from, 22, 0, 2, new byte[0]));
    }

    @Test
    void whatThePolicyAllowsComesInByNodeProtocolAndPort() {
        Gate gate = gate((now, peer, protocol, port) ->
                peer.equals(PEER) && protocol == Ip.TCP && port == 22 ? Long.MAX_VALUE : now);
        assertThat(enters(gate, 0, PEER, ssh(9))).isTrue();
        assertThat(enters(gate, 0, OTHER, ssh(9))).as("another node").isFalse();
        assertThat(enters(gate, 0, PEER, in(Ip.UDP, PacketsOf.udp(9, 22, new byte[1]))))
                .as("another protocol")
                .isFalse();
        assertThat(enters(gate, 0, PEER, in(Ip.TCP, PacketsOf.tcp(9, 23, 0, 2, new byte[0]))))
                .as("another port")
                .isFalse();
        assertThat(counters.value("tun.in.denied")).isEqualTo(3);
    }

    @Test
    void whatHasNoPortsIsAskedAboutWithoutOne() {
        Gate gate = gate((now, _, protocol, port) -> protocol == 0 && port == 0 ? Long.MAX_VALUE : now);
        assertThat(enters(gate, 0, PEER, in(47, new byte[8]))).as("GRE").isTrue();
        assertThat(enters(gate, 0, PEER, in(Ip.ICMP6, PacketsOf.echo(129, 5)))).isTrue();
        assertThat(enters(gate, 0, PEER, ssh(9))).isFalse();
    }

    @Test
    void thePolicyIsAskedOnceForAllPacketsOfANodeToAPort() {
        Gate gate = gate((_, _, _, _) -> ++asked > 0 ? Long.MAX_VALUE : 0);
        for (int i = 0; i < 1_000; i++)
            assertThat(enters(gate, i, PEER, ssh(i))).isTrue();
        assertThat(asked).isEqualTo(1);
        assertThat(enters(gate, Verdicts.AGAIN_NS, PEER, ssh(9))).isTrue();
        assertThat(asked).as("and again after a while").isEqualTo(2);
    }

    @Test
    void aWithdrawnGrantEndsTheFlowThoughThisHostAnswersInIt() {
        long[] untilNs = {Long.MAX_VALUE};
        Gate gate = gate((_, _, _, _) -> ++asked > 0 ? untilNs[0] : 0);
        byte[] answer = out(Ip.TCP, PacketsOf.tcp(22, 9, 0, 0x12, new byte[0]));
        assertThat(enters(gate, 0, PEER, ssh(9))).isTrue();
        assertThat(gate.leaves(1, PacketsOf.parsed(answer), answer)).isTrue();
        untilNs[0] = Long.MIN_VALUE / 2;
        assertThat(enters(gate, Verdicts.AGAIN_NS - 1, PEER, ssh(9))).isTrue();
        for (int i = 0; i < 100; i++) {
            assertThat(enters(gate, Verdicts.AGAIN_NS + i, PEER, ssh(9))).isFalse();
            assertThat(gate.leaves(Verdicts.AGAIN_NS + i, PacketsOf.parsed(answer), answer))
                    .isTrue();
        }
        assertThat(asked).as("a refusal is remembered too").isEqualTo(2);
        assertThat(counters.value("tun.in.denied")).isEqualTo(100);
    }

    @Test
    void aGrantThatEndsIsNotOutlivedByItsFlow() {
        Gate gate = gate((_, _, _, _) -> 5);
        assertThat(enters(gate, 0, PEER, ssh(9))).isTrue();
        assertThat(enters(gate, 4, PEER, ssh(9))).isTrue();
        assertThat(enters(gate, 5, PEER, ssh(9))).isFalse();
    }

    @Test
    void aFlowThatThisHostBeginsAfterAnOldOneOfThePeersIsItsOwn() {
        long[] untilNs = {Long.MAX_VALUE};
        Gate gate = gate((_, _, _, _) -> untilNs[0]);
        byte[] theirs = in(Ip.UDP, PacketsOf.udp(53, 4000, new byte[1]));
        byte[] ours = out(Ip.UDP, PacketsOf.udp(4000, 53, new byte[1]));
        assertThat(enters(gate, 0, PEER, theirs)).isTrue();
        untilNs[0] = Long.MIN_VALUE / 2;
        long later = Gate.OTHER_NS + 1;
        assertThat(enters(gate, later, PEER, theirs)).isFalse();
        assertThat(gate.leaves(later, PacketsOf.parsed(ours), ours)).isTrue();
        assertThat(enters(gate, later, PEER, theirs)).isTrue();
    }

    @Test
    void whatIsNoRuleIsNone() {
        for (String text : List.of("", "tcp", "tcp:0", "tcp:5-4", "tcp:70000", "icmp:1", "tcp:22@abc", "any:3")) {
            assertThat(Rule.parse(text)).as(text).isNull();
        }
    }

    @Test
    void flowsAreBounded() {
        Gate gate = gate();
        int flows = 3 * Gate.FLOWS_MAX;
        int kept = 0;
        for (int i = 0; i < flows; i++) {
            byte[] packet = out(Ip.UDP, PacketsOf.udp(i & 0xffff, 1 + (i >>> 16), new byte[1]));
            gate.leaves(i, PacketsOf.parsed(packet), packet);
            byte[] answer = in(Ip.UDP, PacketsOf.udp(1, 0, new byte[1]));
            assertThat(enters(gate, i, PEER, answer)).as("one in use stays").isTrue();
        }
        for (int i = 0; i < flows; i++) {
            byte[] answer = in(Ip.UDP, PacketsOf.udp(1 + (i >>> 16), i & 0xffff, new byte[1]));
            if (enters(gate, flows, PEER, answer)) kept++;
        }
        assertThat(kept).isBetween(Gate.FLOWS_MAX * 9 / 10, Gate.FLOWS_MAX);
        assertThat(counters.value("tun.flows.evicted")).isEqualTo(flows - kept);
    }

    @Test
    void aTableWithoutRoomForLifeCountsNoDeadFlows() {
        Gate gate = gate();
        for (int i = 0; i < 2 * Gate.FLOWS_MAX; i++) {
            byte[] packet = out(Ip.UDP, PacketsOf.udp(i & 0xffff, 1 + (i >>> 16), new byte[1]));
            gate.leaves(i < Gate.FLOWS_MAX / 8 ? 0 : 2 * Gate.OTHER_NS * (i / 128), PacketsOf.parsed(packet), packet);
        }
        assertThat(counters.value("tun.flows.evicted")).isZero();
    }

    private boolean leaves6(Gate gate, String from, String to) {
        byte[] packet = PacketsOf.v6(address(from), address(to), Ip.UDP, PacketsOf.udp(5, 6, new byte[1]));
        return gate.leaves(1, PacketsOf.parsed(packet), packet);
    }

    private boolean enters6(Gate gate, Id peer, String from, String to) {
        return enters(
                gate, 1, peer, PacketsOf.v6(address(from), address(to), Ip.UDP, PacketsOf.udp(6, 5, new byte[1])));
    }

    private static InnerAddress address(String text) {
        return Subnet.parse(text + "/128").base();
    }

    @Test
    void networksBehindNodesPassAsTheNodesOwnAddressesDo() {
        Gate gate = gate();
        assertThat(leaves6(gate, "2001:db8:1::5", "2001:db8:2::6")).isTrue();
        assertThat(enters6(gate, PEER, "2001:db8:2::6", "2001:db8:1::5")).isTrue();
        assertThat(enters6(gate, PEER, "2001:db8:2::6", "2001:db8:1::4"))
                .as("that host began nothing")
                .isFalse();
        assertThat(counters.value("tun.in.denied")).isEqualTo(1);
        assertThat(leaves6(gate, "2001:db8:3::5", "2001:db8:2::6")).isFalse();
        assertThat(leaves6(gate, "2001:db8:2::5", "2001:db8:2::6"))
                .as("behind the peer")
                .isFalse();
        assertThat(enters6(gate, OTHER, "2001:db8:2::6", "2001:db8:1::5")).isFalse();
        assertThat(enters6(gate, PEER, "2001:db8:1::6", "2001:db8:1::5")).isFalse();
        assertThat(counters.value("tun.in.spoofed")).isEqualTo(2);
        assertThat(enters6(gate, PEER, "2001:db8:2::6", "2001:db8:2::5")).isFalse();
        assertThat(counters.value("tun.in.astray")).isEqualTo(1);
    }

    @Test
    void aWideNetworkBehindAPeerHoldsNoNodesAddressAndNothingOfALongerPrefix() {
        List<Subnet> wide = Stream.of(
                        "fc00::/7@" + PEER, "64.0.0.0/2@" + PEER, "2001:db8::/32@" + PEER, "2001:db8:5::/48@" + OTHER)
                .map(Subnet::parse)
                .toList();
        Gate gate = new Gate(US, true, EVERYBODY, wide, 7, counters);
        InnerAddress third = new InnerAddress(THEM.high(), 9);
        byte[] udp = PacketsOf.udp(6, 5, new byte[1]);
        assertThat(enters(gate, 1, PEER, PacketsOf.v6(third, US, Ip.UDP, udp))).isFalse();
        assertThat(enters4(gate, v4(THEM.v4().next4(), US.v4(), Ip.UDP, udp))).isFalse();
        String us = US.toString();
        assertThat(enters6(gate, PEER, "2001:db8:5::1", us)).as("behind OTHER").isFalse();
        assertThat(enters6(gate, OTHER, "2001:db8:5::1", us)).isTrue();
        assertThat(enters6(gate, PEER, "2001:db8:6::1", us)).isTrue();
        assertThat(counters.value("tun.in.spoofed")).isEqualTo(3);
    }

    @Test
    void anAddressTellsItsNetworkAndWhereItsNodeIsFound() {
        InnerAddress one = InnerAddress.of("net", PEER);
        assertThat(one.toString()).startsWith("fd");
        assertThat(one.isNeighbourOf(InnerAddress.of("net", OTHER))).isTrue();
        assertThat(one.isNeighbourOf(InnerAddress.of("ten", PEER))).isFalse();
        Id position = mcc.crypto.Sha256.id(PEER.toBytes());
        assertThat(one.position().sharedBits(position)).isGreaterThanOrEqualTo(80);
        assertThat(one.bytes()[0]).isEqualTo((byte) 0xfd);
    }
}
