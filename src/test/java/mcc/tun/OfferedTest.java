package mcc.tun;

import static mcc.tun.PacketsOf.THEM;
import static mcc.tun.PacketsOf.US;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import org.junit.jupiter.api.Test;

class OfferedTest {
    private static final Id PEER = Id.random(Rng.seeded(1));
    private static final Id STRANGER = Id.random(Rng.seeded(2));
    private static final InnerAddress ENDPOINT = new InnerAddress(US.high(), 99);
    private final Counters counters = new Counters();
    private long asked;
    /** A port to which the policy lets nobody. */
    private int closed = 99;

    private long endsNs = Long.MAX_VALUE;
    private final Offered offered = new Offered(
            (now, peer, _, _, port) -> {
                asked++;
                return peer.equals(PEER) && port != closed ? endsNs : now;
            },
            7,
            counters);

    private boolean enters(long nowNs, Id peer, int protocol, byte[] transport) {
        byte[] packet = PacketsOf.v6(THEM, ENDPOINT, protocol, transport);
        return offered.enters(nowNs, peer, PacketsOf.parsed(packet), packet) == Offered.Answer.ENTERS;
    }

    private Offered.Answer answer(Id peer, int protocol, byte[] transport) {
        byte[] packet = PacketsOf.v6(THEM, ENDPOINT, protocol, transport);
        return offered.enters(0, peer, PacketsOf.parsed(packet), packet);
    }

    private boolean leaves(InnerAddress from, int protocol, byte[] transport) {
        return offered.leaves(PacketsOf.parsed(PacketsOf.v6(from, THEM, protocol, transport)));
    }

    private static byte[] udp(int from, int to) {
        return PacketsOf.udp(from, to, new byte[1]);
    }

    private static byte[] tcp(int from, int to) {
        return PacketsOf.tcp(from, to, 0, 2, new byte[0]);
    }

    @Test
    void theRegisteredPortAloneIsOpenAndToWhomThePolicyAdmitsAlone() {
        assertThat(enters(0, PEER, Ip.UDP, udp(4000, 53))).as("no endpoint").isFalse();
        offered.add(ENDPOINT, List.of(new Offered.PortRange(true, 53)));
        assertThat(enters(0, PEER, Ip.UDP, udp(4000, 53))).isTrue();
        assertThat(enters(0, PEER, Ip.UDP, udp(4000, 54))).as("another port").isFalse();
        assertThat(enters(0, PEER, Ip.TCP, tcp(4000, 53)))
                .as("another protocol")
                .isFalse();
        assertThat(enters(0, PEER, Ip.ICMP6, PacketsOf.echo(128, 5)))
                .as("an echo request")
                .isFalse();
        assertThat(enters(0, STRANGER, Ip.UDP, udp(4000, 53))).as("a stranger").isFalse();
        assertThat(counters.value("tun.in.denied")).isEqualTo(3);
        offered.remove(ENDPOINT);
        assertThat(enters(0, PEER, Ip.UDP, udp(4000, 53))).as("withdrawn").isFalse();
    }

    @Test
    void oneAddressHasPortsOfBothProtocolsAndRanges() {
        offered.add(
                ENDPOINT,
                List.of(
                        new Offered.PortRange(true, 53),
                        new Offered.PortRange(false, 53),
                        new Offered.PortRange(false, 50_000, 50_100)));
        for (int port : new int[] {53, 50_000, 50_050, 50_100}) {
            assertThat(enters(0, PEER, Ip.TCP, tcp(4000, port))).isTrue();
            assertThat(leaves(ENDPOINT, Ip.TCP, tcp(port, 4000))).isTrue();
        }
        assertThat(enters(0, PEER, Ip.UDP, udp(4000, 53))).isTrue();
        assertThat(leaves(ENDPOINT, Ip.UDP, udp(53, 4000))).isTrue();
        for (int port : new int[] {52, 54, 49_999, 50_101}) {
            assertThat(answer(PEER, Ip.TCP, tcp(4000, port))).isEqualTo(Offered.Answer.CLOSED);
            assertThat(leaves(ENDPOINT, Ip.TCP, tcp(port, 4000))).isFalse();
        }
        assertThat(answer(PEER, Ip.UDP, udp(4000, 50_000))).isEqualTo(Offered.Answer.CLOSED);
    }

    @Test
    void whomThePolicyDoesNotAdmitLearnsNotWhichPortsThereAre() {
        offered.add(ENDPOINT, List.of(new Offered.PortRange(true, 53), new Offered.PortRange(true, 99)));
        for (int port : new int[] {53, 54}) {
            assertThat(answer(STRANGER, Ip.UDP, udp(4000, port))).isEqualTo(Offered.Answer.DENIED);
        }
        assertThat(answer(PEER, Ip.UDP, udp(4000, 53))).isEqualTo(Offered.Answer.ENTERS);
        assertThat(answer(PEER, Ip.UDP, udp(4000, 99)))
                .as("a port that is judged otherwise")
                .isEqualTo(Offered.Answer.DENIED);
        assertThat(answer(PEER, Ip.ICMP6, PacketsOf.echo(128, 5))).isEqualTo(Offered.Answer.DENIED);
    }

    @Test
    void eachOfManyEndpointsIsFoundByItsAddressAlone() {
        Rng rng = Rng.seeded(9);
        List<InnerAddress> addresses = new ArrayList<>();
        for (int i = 0; i < 500; i++) {
            InnerAddress address = new InnerAddress(rng.nextLong() >> 62, rng.nextLong());
            addresses.add(address);
            offered.add(address, List.of(new Offered.PortRange(true, i + 1)));
        }
        for (int i = 0; i < 500; i += 2) offered.remove(addresses.get(i));
        for (int i = 0; i < 500; i++) {
            assertThat(leaves(addresses.get(i), Ip.UDP, udp(i + 1, 4000))).isEqualTo(i % 2 == 1);
        }
    }

    @Test
    void anAnswerOfThePolicyDoesNotOutliveItsEndpoint() {
        offered.add(ENDPOINT, List.of(new Offered.PortRange(true, 53)));
        assertThat(enters(0, PEER, Ip.UDP, udp(4000, 53))).isTrue();
        offered.add(ENDPOINT, List.of(new Offered.PortRange(true, 54)));
        endsNs = 0;
        assertThat(enters(0, PEER, Ip.UDP, udp(4000, 54))).isFalse();
    }

    @Test
    void aNewPolicyIsAskedAgainAboutEachPortThatWasLetIn() {
        offered.add(ENDPOINT, List.of(new Offered.PortRange(true, 53), new Offered.PortRange(false, 53, 60)));
        assertThat(enters(0, PEER, Ip.UDP, udp(4000, 53))).isTrue();
        assertThat(enters(0, PEER, Ip.TCP, tcp(4000, 53))).isTrue();
        assertThat(enters(0, PEER, Ip.TCP, tcp(4000, 60))).isTrue();
        closed = 60;
        assertThat(offered.judgeAgain(1)).as("that one alone ends").isEqualTo(1);
        assertThat(enters(1, PEER, Ip.TCP, tcp(4000, 60))).isFalse();
        assertThat(enters(1, PEER, Ip.TCP, tcp(4000, 53))).isTrue();
        assertThat(enters(1, PEER, Ip.UDP, udp(4000, 53))).isTrue();
    }

    @Test
    void theHostAnswersByTheRegisteredPortAlone() {
        offered.add(ENDPOINT, List.of(new Offered.PortRange(false, 80)));
        assertThat(leaves(ENDPOINT, Ip.TCP, tcp(80, 4000))).isTrue();
        assertThat(leaves(ENDPOINT, Ip.TCP, tcp(81, 4000))).isFalse();
        assertThat(leaves(ENDPOINT, Ip.UDP, udp(80, 4000))).isFalse();
        assertThat(leaves(US, Ip.TCP, tcp(80, 4000))).as("not an endpoint's").isFalse();
    }

    @Test
    void aRightEndsWhenThePolicySaysAndIsLookedAtAgainInAnyCase() {
        offered.add(ENDPOINT, List.of(new Offered.PortRange(true, 53)));
        for (int i = 0; i < 100; i++)
            assertThat(enters(i, PEER, Ip.UDP, udp(4000 + i, 53))).isTrue();
        assertThat(asked).as("asked once for all of a peer's packets").isEqualTo(1);
        endsNs = Verdicts.AGAIN_NS + 5;
        assertThat(enters(Verdicts.AGAIN_NS, PEER, Ip.UDP, udp(4000, 53))).isTrue();
        assertThat(asked).isEqualTo(2);
        assertThat(enters(endsNs, PEER, Ip.UDP, udp(4000, 53))).isFalse();
        for (int i = 1; i < 100; i++) enters(endsNs + i, PEER, Ip.UDP, udp(4000, 53));
        assertThat(asked).as("a refusal is remembered too").isEqualTo(3);
    }

    @Test
    void anErrorComesInWhenItQuotesWhatTheEndpointSent() {
        offered.add(ENDPOINT, List.of(new Offered.PortRange(true, 53)));
        byte[] sent = PacketsOf.v6(ENDPOINT, THEM, Ip.UDP, udp(53, 4000));
        byte[] error = Icmp.unreachable(sent, 0, sent.length);
        assertThat(offered.enters(0, PEER, PacketsOf.parsed(error), error)).isEqualTo(Offered.Answer.ENTERS);
        byte[] other = PacketsOf.v6(ENDPOINT, THEM, Ip.UDP, udp(54, 4000));
        byte[] about = Icmp.unreachable(other, 0, other.length);
        assertThat(offered.enters(0, PEER, PacketsOf.parsed(about), about)).isEqualTo(Offered.Answer.DENIED);
        System.arraycopy(new InnerAddress(THEM.high(), 9).bytes(), 0, error, 8, 16);
        assertThat(offered.enters(0, PEER, PacketsOf.parsed(error), error))
                .as("about what went to somebody else")
                .isEqualTo(Offered.Answer.DENIED);
    }
}
