package mcc.link;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import mcc.core.Address;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.crypto.Aead;
import mcc.crypto.Identity;
import mcc.stream.StreamConfig;
import mcc.wire.Contact;
import mcc.wire.Transport;
import org.junit.jupiter.api.Test;

class PartsTest {
    private final Rng rng = Rng.seeded(61);

    private static byte[] part(int head, byte[] packet, int from, int to) {
        byte[] out = new byte[1 + to - from];
        out[0] = (byte) head;
        System.arraycopy(packet, from, out, 1, to - from);
        return out;
    }

    private static Parts.Result take(Parts parts, int receiver, int counter, byte[] plain) {
        return parts.take(receiver, counter, plain, plain.length, 0);
    }

    @Test
    void whicheverHalfIsLastCompletesThePacket() {
        byte[] packet = rng.bytes(1_280);
        byte[] first = part(Parts.NEEDS_CSUM, packet, 0, 700);
        byte[] second = part(Parts.NEEDS_CSUM | Parts.SECOND, packet, 700, 1_280);
        for (int counter : new int[] {5, -1, Integer.MAX_VALUE}) {
            Parts parts = new Parts();
            assertThat(take(parts, 7, counter, first)).isEqualTo(new Parts.Result.Waits(false));
            whole(take(parts, 7, counter + 1, second), packet);
            assertThat(take(parts, 7, counter + 1, second)).isEqualTo(new Parts.Result.Waits(false));
            whole(take(parts, 7, counter, first), packet);
        }
    }

    private static void whole(Parts.Result result, byte[] packet) {
        assertThat(result).isInstanceOfSatisfying(Parts.Result.Whole.class, w -> {
            assertThat(w.packet()).isEqualTo(packet);
            assertThat(w.kind()).isEqualTo(Transport.PACKET_NEEDS_CSUM);
        });
    }

    @Test
    void halvesOfDifferentPacketsNeverMeet() {
        byte[] packet = rng.bytes(100);
        byte[] first = part(0, packet, 0, 50);
        byte[] second = part(Parts.SECOND, packet, 50, 100);
        Parts parts = new Parts();
        take(parts, 7, 10, first);
        Parts.Result waits = new Parts.Result.Waits(false);
        assertThat(take(parts, 7, 12, second)).as("another counter").isEqualTo(waits);
        assertThat(take(parts, 7, 9, second)).as("the one before").isEqualTo(waits);
        assertThat(take(parts, 8, 11, second)).as("another key").isEqualTo(waits);
        assertThat(take(parts, 7, 20, first)).isEqualTo(waits);
        assertThat(take(parts, 7, 21, first)).as("two first halves").isEqualTo(waits);
        assertThat(take(parts, 7, 11, part(Parts.SECOND | Parts.NEEDS_CSUM, packet, 50, 100)))
                .as("another sort of checksum")
                .isEqualTo(waits);
    }

    @Test
    void theEldestGivesWay() {
        Parts parts = new Parts();
        byte[] packet = rng.bytes(100);
        byte[] first = part(0, packet, 0, 50);
        for (int i = 0; i < Parts.MAX; i++) {
            assertThat(take(parts, 7, 10 * i, first)).isEqualTo(new Parts.Result.Waits(false));
        }
        assertThat(take(parts, 7, 1_000, first)).isEqualTo(new Parts.Result.Waits(true));
        byte[] second = part(Parts.SECOND, packet, 50, 100);
        assertThat(take(parts, 7, 1, second)).as("gone").isInstanceOf(Parts.Result.Waits.class);
        assertThat(take(parts, 7, 1_001, second)).isInstanceOf(Parts.Result.Whole.class);
    }

    @Test
    void noBytesMakeItThrow() {
        Parts parts = new Parts();
        int malformed = 0;
        for (int i = 0; i < 50_000; i++) {
            byte[] plain = rng.bytes((int) (rng.nextLong() & 15));
            if (plain.length > 0 && (i & 1) == 0) plain[0] &= 3;
            if (take(parts, i & 1, (int) rng.nextLong() & 7, plain) instanceof Parts.Result.Malformed) malformed++;
        }
        assertThat(malformed).isPositive();
    }

    // ---- over a link ------------------------------------------------------------------------------------------------

    /** A node, what its socket sent, and what its virtual interface received. */
    private final class End implements PacketSink, Packets.Handler {
        final Identity identity = Identity.fromSeed(rng.bytes(32));
        final Counters counters = new Counters();
        final Links links = OpenLinks.of(
                new LinkConfig("test", List.of(Aead.Suite.AES_256_GCM), 100, StreamConfig.defaults()),
                identity,
                rng.split(),
                counters);
        final Address at;
        final List<byte[]> sent = new ArrayList<>();
        final List<byte[]> got = new ArrayList<>();
        int ecn;
        final byte[] buffer = new byte[4_096];

        End(String at) {
            this.at = Address.parse(at);
            links.handle(1, new LinkInput.WallClock(1_800_000_000_000L));
            links.packets().handler(this);
        }

        @Override
        public void send(Address to, byte[] buf, int offset, int length) {
            sent.add(Arrays.copyOfRange(buf, offset, offset + length));
        }

        @Override
        public byte[] buffer() {
            return buffer;
        }

        @Override
        public int place(Id peer, int max) {
            return 100;
        }

        @Override
        public void opened(long nowNs, Id peer, byte kind, int length, int ecn) {
            if (length >= 0) got.add(Arrays.copyOfRange(buffer, 100, 100 + length));
            this.ecn = ecn;
        }

        void handOver(End to, boolean backwards) {
            handOver(to, backwards, 0, 0);
        }

        /** @param marks of the first datagram that arrives, and of the others */
        void handOver(End to, boolean backwards, int... marks) {
            links.handle(1, new LinkInput.Tick());
            links.transmit(1, this);
            List<byte[]> flight = new ArrayList<>(backwards ? sent.reversed() : sent);
            sent.clear();
            for (int i = 0; i < flight.size(); i++) {
                byte[] bytes = flight.get(i);
                to.links.receive(1, bytes, 0, bytes.length, at, PacketSink.ANY, marks[i == 0 ? 0 : 1]);
            }
        }
    }

    private final End a = new End("192.0.2.1:1");
    private final End b = new End("192.0.2.2:1");
    private final Id peer = b.identity.id();

    private void connect() {
        a.links.packets().connect(1, new Contact(peer, List.of(b.at)));
        for (int i = 0; i < 4; i++) {
            a.handOver(b, false);
            b.handOver(a, false);
        }
    }

    @Test
    void aPartLongerThanAnyIsMalformedBeforeItIsOpened() {
        connect();
        a.links.packets().sendParts(1, peer, false, new byte[1_280], 0, 1_280, a);
        int receiver = Transport.receiver(a.sent.getLast(), 0);
        for (int box : new int[] {Parts.PART_MAX + Transport.TAG_BYTES + 1, 16_000}) {
            byte[] hostile = rng.bytes(Transport.HEADER_BYTES + box);
            Transport.writeHeader(hostile, 0, receiver, 1_000, Transport.PACKET_PART, box);
            b.links.receive(1, hostile, 0, hostile.length, a.at, PacketSink.ANY, 0);
        }
        assertThat(b.counters.value("link.part.malformed")).isEqualTo(2);
        assertThat(b.got).isEmpty();
    }

    @Test
    void congestionMetByEitherHalfIsMetByThePacket() {
        connect();
        byte[] packet = rng.bytes(1_280);
        packet[0] = 0x45;
        packet[1] = 2;
        for (int[] marks : new int[][] {{3, 2}, {2, 3}, {2, 2}}) {
            a.links.packets().sendParts(1, peer, false, packet, 0, packet.length, a);
            a.handOver(b, false, marks);
            assertThat(b.ecn).isEqualTo(Math.max(marks[0], marks[1]));
        }
    }

    @Test
    void aPacketAboveWhatThePathCarriesArrivesWhole() {
        connect();
        for (boolean backwards : new boolean[] {false, true}) {
            byte[] packet = rng.bytes(1_280);
            assertThat(a.links.packets().sendParts(1, peer, false, packet, 0, packet.length, a))
                    .isTrue();
            assertThat(a.sent)
                    .filteredOn(d -> d.length > 300)
                    .hasSize(2)
                    .allSatisfy(d -> assertThat(d).hasSize(640 + 1 + Transport.OVERHEAD_BYTES));
            a.handOver(b, backwards);
            assertThat(b.got).hasSize(1);
            assertThat(b.got.removeFirst()).isEqualTo(packet);
        }
        assertThat(b.counters.value("link.part.lost")).isZero();
    }
}
