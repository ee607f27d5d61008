package mcc.tun;

import static mcc.tun.PacketsOf.THEM;
import static mcc.tun.PacketsOf.US;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import org.junit.jupiter.api.Test;

/** What a gate says of packets in fragments. */
class FragmentsTest {
    private static final Id PEER = Id.random(Rng.seeded(1));
    private final Counters counters = new Counters();
    private final Gate gate = new Gate(US, true, (now, _, _, _) -> now, List.of(), 7, counters);

    private boolean enters(long nowNs, Id peer, InnerAddress from, byte[] packet) {
        return gate.enters(nowNs, peer, from, PacketsOf.parsed(packet), packet);
    }

    private boolean enters(long nowNs, byte[] packet) {
        return enters(nowNs, PEER, THEM, packet);
    }

    private void asks(long nowNs, int port) {
        byte[] question = PacketsOf.v6(US, THEM, Ip.UDP, PacketsOf.udp(port, 161, new byte[40]));
        assertThat(gate.leaves(nowNs, PacketsOf.parsed(question), question)).isTrue();
    }

    private static List<byte[]> answer(int port, int id) {
        byte[] whole = PacketsOf.v6(THEM, US, Ip.UDP, PacketsOf.udp(161, port, new byte[4_096]));
        return PacketsOf.fragments(whole, 1_232, id);
    }

    @Test
    void aLongAnswerComesInWithAllItsFragments() {
        asks(0, 4_000);
        for (byte[] each : answer(4_000, 5)) assertThat(enters(1, each)).isTrue();
        for (byte[] each : answer(4_001, 6))
            assertThat(enters(1, each)).as("to what asked nobody").isFalse();
        assertThat(counters.value("tun.in.denied")).isEqualTo(4);
    }

    @Test
    void aLongAnswerOfIpv4AsWell() {
        byte[] question = PacketsOf.v4(Ip.UDP, PacketsOf.udp(4_000, 53, new byte[40]));
        Octets.put32(question, 12, US.v4().bits4());
        Octets.put32(question, 16, THEM.v4().bits4());
        assertThat(gate.leaves(0, PacketsOf.parsed(question), question)).isTrue();
        byte[] whole = PacketsOf.v4(Ip.UDP, PacketsOf.udp(53, 4_000, new byte[4_096]));
        Octets.put32(whole, 12, THEM.v4().bits4());
        Octets.put32(whole, 16, US.v4().bits4());
        for (byte[] each : PacketsOf.fragments4(whole, 1_392, 9)) {
            assertThat(enters(1, PEER, THEM.v4(), each)).isTrue();
        }
        byte[] other = PacketsOf.fragments4(whole, 1_392, 10).get(1);
        assertThat(enters(1, PEER, THEM.v4(), other)).as("of another packet").isFalse();
        assertThat(counters.value("tun.in.fragments.early")).isEqualTo(1);
    }

    /** What was judged must be what the host puts together (RFC 5722). */
    @Test
    void aFragmentThatReachesIntoTheFirstEndsItsPacket() {
        asks(0, 4_000);
        List<byte[]> pieces = answer(4_000, 5);
        assertThat(enters(1, pieces.getFirst())).isTrue();
        byte[] over = pieces.get(1).clone();
        Octets.put16(over, 42, 8 | 1);
        assertThat(enters(1, over)).isFalse();
        assertThat(enters(1, pieces.get(1))).as("nor the rest of it").isFalse();
        assertThat(counters.value("tun.in.fragments.overlapping")).isEqualTo(1);
    }

    @Test
    void aVerdictEndsWithItsTimeAndCoversItsOwnPeerAlone() {
        asks(0, 4_000);
        List<byte[]> pieces = answer(4_000, 5);
        assertThat(enters(1, pieces.getFirst())).isTrue();
        Id other = Id.random(Rng.seeded(9));
        assertThat(enters(1, other, THEM, pieces.get(1))).isFalse();
        assertThat(enters(Fragments.LIFE_NS, pieces.get(1))).isTrue();
        assertThat(enters(Fragments.LIFE_NS + 1, pieces.get(1))).isFalse();
    }

    @Test
    void fragmentsBeforeTheFirstAndNumbersUsedAgainAreHarmless() {
        asks(0, 4_000);
        List<byte[]> pieces = answer(4_000, 5);
        assertThat(enters(1, pieces.get(1))).isFalse();
        assertThat(counters.value("tun.in.fragments.early")).isEqualTo(1);
        assertThat(enters(1, pieces.getFirst())).isTrue();
        assertThat(enters(1, pieces.get(1))).isTrue();
        assertThat(enters(1, answer(4_001, 5).getFirst()))
                .as("another packet by the same number")
                .isFalse();
        assertThat(enters(1, pieces.get(1))).isFalse();
    }

    @Test
    void whoMayDoAnythingMayDoItInAnyOrder() {
        Gate open = new Gate(US, true, (_, _, _, port) -> port == 0 ? Long.MAX_VALUE : 0, List.of(), 7, counters);
        byte[] last = answer(4_000, 5).getLast();
        assertThat(open.enters(1, PEER, THEM, PacketsOf.parsed(last), last)).isTrue();
    }

    /** A peer that begins packets without end loses its own, and a thousand such peers none of one that is heard. */
    @Test
    void whoBeginsManyPacketsHarmsHimselfAlone() {
        asks(0, 4_000);
        List<byte[]> honest = answer(4_000, 5);
        assertThat(enters(1, honest.getFirst())).isTrue();
        Id hostile = Id.random(Rng.seeded(9));
        InnerAddress evil = new InnerAddress(US.high(), 66);
        byte[] ping = PacketsOf.v6(evil, US, Ip.ICMP6, PacketsOf.echo(128, 5));
        for (int i = 0; i < 10_000; i++) {
            byte[] first = PacketsOf.fragments(ping, 8, i).getFirst();
            assertThat(enters(1, hostile, evil, first)).isTrue();
        }
        assertThat(counters.value("tun.in.fragments.evicted")).isEqualTo(10_000 - Fragments.EACH);
        assertThat(enters(1, honest.get(1))).isTrue();
        for (int i = 0; i < 2 * Fragments.PEERS_MAX; i++) {
            Id one = Id.random(Rng.seeded(100 + i));
            assertThat(enters(1, one, evil, PacketsOf.fragments(ping, 8, i).getFirst()))
                    .isTrue();
            if (i % 100 == 0) assertThat(enters(1, honest.get(1))).isTrue();
        }
        assertThat(counters.value("tun.in.fragments.evicted"))
                .as("those that were heard longest ago, beyond the limit")
                .isEqualTo(10_000 - Fragments.EACH + 2 + Fragments.PEERS_MAX);
    }
}
