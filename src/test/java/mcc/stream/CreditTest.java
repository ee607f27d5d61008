package mcc.stream;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import mcc.congestion.Bbr;
import mcc.core.Counters;
import mcc.core.Rng;
import mcc.wire.FramesWriter;
import mcc.wire.TransportParameters;
import org.junit.jupiter.api.Test;

/** What a peer can make a node hold: its credit, the memory that it costs, and the node's budget. */
class CreditTest {
    private static final long SECOND = 1_000 * Pair.MS;
    private static final int KIB = 1_024;
    private static final int MIB = 1_024 * KIB;

    private final byte[] buf = new byte[65_536];
    private final Counters counters = new Counters();
    private final Budget budget = new Budget(StreamConfig.BUDGET_BYTES, counters);

    private Connection connection(StreamConfig config) {
        Connection connection = new Connection(config, true, Rng.seeded(1), budget, counters);
        connection.agreed(TransportParameters.V1, TransportParameters.V1);
        return connection;
    }

    /** A peer that only wants to cost memory: it sends single bytes, with gaps between them, on each of its streams. */
    private final class Hostile {
        private final Connection to;
        private final FramesWriter writer = new FramesWriter();
        private final byte[] packet = new byte[1_200];
        private long number;

        Hostile(Connection to) {
            this.to = to;
            begin();
        }

        void bytes(int streams, int from, int offsets, int step) {
            for (int i = 0; i < streams; i++) {
                for (int k = 0; k < offsets; k++) {
                    if (writer.room() < 20) flush();
                    packet[writer.stream(1 + 2L * i, from + (long) k * step, 1, false)] = 7;
                }
            }
            flush();
        }

        /** Sends that many bytes from the offset on, on each of the streams. */
        void run(int streams, int from, int length) {
            for (int i = 0; i < streams; i++) {
                writer.stream(1 + 2L * i, from, length, false);
                flush();
            }
        }

        /** Sends one stream to its end, which is read at once. */
        void transfer(int length) {
            Stream stream = null;
            for (int at = 0; at < length; at += 1_024) {
                writer.stream(1, at, 1_024, at + 1_024 == length);
                flush();
                if (at == 0) stream = to.streams.find(1);
                assertThat(stream.read(1, buf, 0, 2_048)).isEqualTo(1_024);
            }
            assertThat(stream.read(1, buf, 0, 1)).isEqualTo(-1);
            stream.finish();
            long sent = 0;
            while (to.transmit(1, buf, 0, 1_200) > 0) sent++;
            writer.ack(sent, 0, 0, new long[] {sent}, 1);
            flush();
            while (to.poll() != null) {}
        }

        void returnCredit(long bytes) {
            writer.unusedData(bytes);
            to.receive(1, packet, 0, writer.length(), false);
            begin();
        }

        private void flush() {
            assertThat(to.receive(1, packet, 0, writer.length(), false)).isTrue();
            begin();
        }

        private void begin() {
            writer.begin(packet, 0, packet.length);
            writer.packetNumber(++number);
        }
    }

    private static StreamConfig withWindows(long maxStreamWindowBytes, long maxWindowBytes) {
        StreamConfig d = StreamConfig.defaults();
        return new StreamConfig(
                Bbr::new,
                d.streams(),
                d.maxStreams(),
                d.streamWindowBytes(),
                maxStreamWindowBytes,
                d.windowBytes(),
                maxWindowBytes,
                d.sendBufferBytes(),
                d.maxSendBufferBytes(),
                d.maxBufferedBytes());
    }

    @Test
    void aByteBehindAGapOfEachStreamCostsAChunkAndTheBudget() {
        Connection connection = connection(StreamConfig.defaults());
        new Hostile(connection).bytes(10_000, 1, 1, 1);
        assertThat(connection.openStreams()).isEqualTo(10_000);
        assertThat(connection.bufferedBytes()).isLessThan(11_000_000);
        assertThat(budget.usedBytes()).isGreaterThanOrEqualTo(connection.bufferedBytes() - MIB);
    }

    @Test
    void whatOpensAGapIsNotTakenWhereTheBudgetIsSpentButWhatCanBeReadIs() {
        budget.use(StreamConfig.BUDGET_BYTES);
        Connection connection = connection(StreamConfig.defaults());
        Hostile peer = new Hostile(connection);
        peer.bytes(10_000, 1, 1, 1);
        assertThat(connection.bufferedBytes()).isBetween((long) MIB, MIB + 256L * KIB);
        assertThat(counters.value("stream.crowded")).isPositive();
        long held = connection.bufferedBytes();
        peer.bytes(900, 0, 1, 1);
        for (int i = 0; i < 900; i++) {
            assertThat(connection.streams.find(1 + 2L * i).read(1, buf, 0, 10)).isEqualTo(2);
        }
        assertThat(connection.bufferedBytes()).isLessThan(held / 4);
        peer.bytes(10, 1, 2, 2);
        assertThat(connection.bufferedBytes()).as("there is room again").isLessThan(held / 4);
        connection.discard();
        assertThat(budget.usedBytes()).isEqualTo(StreamConfig.BUDGET_BYTES);
    }

    /** There may be many strangers, and each has a first window that is not charged to the budget. */
    @Test
    void firstWindowsAreNotFilledBehindGapsByAllAtOnce() {
        List<Connection> all = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            Connection connection = connection(StreamConfig.defaults());
            all.add(connection);
            Hostile peer = new Hostile(connection);
            peer.bytes(4, 1, 1, 1);
            for (int k = 0; k < 255; k++) peer.run(4, 2 + k * KIB, KIB);
        }
        long held = all.stream().mapToLong(Connection::bufferedBytes).sum();
        assertThat(budget.unchargedBytes()).isBetween(StreamConfig.BUDGET_BYTES, StreamConfig.BUDGET_BYTES + MIB);
        assertThat(held)
                .as("as much as was charged, and as much again")
                .isLessThan(2 * StreamConfig.BUDGET_BYTES + MIB);
        assertThat(counters.value("stream.crowded")).isPositive();

        Connection late = connection(StreamConfig.defaults());
        all.add(late);
        Hostile honest = new Hostile(late);
        honest.run(1, KIB, KIB);
        honest.run(1, 0, KIB);
        assertThat(late.streams.find(1).read(1, buf, 0, 4 * KIB))
                .as("what is in its place is taken")
                .isEqualTo(KIB);
        honest.run(1, 2 * KIB, KIB);
        honest.run(1, KIB, KIB);
        assertThat(late.streams.find(1).read(1, buf, 0, 4 * KIB))
                .as("and only that")
                .isEqualTo(KIB);

        for (Connection connection : all.subList(0, 10)) connection.discard();
        honest.run(1, 3 * KIB, KIB);
        honest.run(1, 2 * KIB, KIB);
        assertThat(late.streams.find(1).read(1, buf, 0, 4 * KIB))
                .as("there is room again")
                .isEqualTo(2 * KIB);
        for (Connection connection : all) connection.discard();
        assertThat(budget.unchargedBytes()).isZero();
    }

    @Test
    void aConnectionChargedForMoreThanItHoldsTakesWhatItPromised() {
        Connection paid = connection(StreamConfig.defaults());
        Hostile peer = new Hostile(paid);
        peer.transfer(8 * MIB);
        assertThat(budget.usedBytes()).isPositive();
        budget.hold(2 * StreamConfig.BUDGET_BYTES); // taken by other connections
        peer.bytes(2, 1, 1, 1);
        assertThat(counters.value("stream.crowded")).isZero();
        new Hostile(connection(StreamConfig.defaults())).bytes(2, 1, 1, 1);
        assertThat(counters.value("stream.crowded")).isPositive();
    }

    /** Opens streams and has each writer write as much as the connection takes. */
    private static void fill(Connection connection, int streams) {
        for (int i = 0; i < streams; i++) {
            assertThat(connection.open().write(new byte[64 * KIB], 0, 64 * KIB)).isGreaterThanOrEqualTo(KIB);
        }
    }

    @Test
    void theMoreWritersWaitForReadersTheLessEachMayWrite() {
        fill(connection(StreamConfig.defaults()), 10_000);
        assertThat(budget.usedBytes()).as("of one peer").isLessThan((32 + 4 + 10 + 1) * MIB);
        for (int i = 0; i < 80; i++) fill(connection(StreamConfig.defaults()), 128);
        assertThat(budget.usedBytes()).as("of many").isBetween(90L * MIB, (96 + 10) * (long) MIB);
    }

    @Test
    void rangesAreMemoryToo() {
        Connection connection = connection(withWindows(MIB, MIB));
        new Hostile(connection).bytes(40, 1, 8_000, 2);
        assertThat(budget.usedBytes()).isBetween((long) MIB, MIB + 256L * KIB);
        assertThat(counters.value("stream.crowded")).as("at twice the window").isPositive();
    }

    @Test
    void aStreamHasNoMoreThan8192Gaps() {
        Connection connection = connection(StreamConfig.defaults());
        new Hostile(connection).bytes(1, 1, 20_000, 2);
        assertThat(connection.bufferedBytes()).isLessThan(2 * 8_192 * 16 + 32 * KIB);
        assertThat(counters.value("stream.crowded")).isPositive();
    }

    @Test
    void manyStreamsEndOnALossyPathThoughTheBudgetIsSpent() {
        Pair pair = new Pair(StreamConfig.defaults(), 41).both(l -> {
            l.rateBytesPerSecond = 50_000_000;
            l.lossPpm = 100_000;
        });
        pair.keepEvents = false;
        for (Budget each : pair.budgets) each.use(StreamConfig.BUDGET_BYTES);
        List<Transfer> all = new ArrayList<>();
        for (int i = 0; i < 300; i++) all.add(new Transfer(pair, 0, 30_000));
        for (Transfer each : all) each.paused = true;
        pair.run(5 * SECOND);
        for (Transfer each : all) each.paused = false;
        pair.pump(1);
        assertThat(pair.run(300 * SECOND, () -> all.stream().allMatch(Transfer::isComplete)))
                .isTrue();
        assertThat(pair.counters[1].value("stream.crowded")).isPositive();
        assertThat(pair.budgets[1].usedBytes()).isEqualTo(StreamConfig.BUDGET_BYTES);
    }

    @Test
    void aWriterThatIsGivenTheLeastIsToldToGoOn() {
        Pair pair = new Pair(StreamConfig.defaults(), 46);
        for (Budget each : pair.budgets) each.use(2 * StreamConfig.BUDGET_BYTES);
        long id = pair.open(0);
        for (int i = 0; i < 3; i++) {
            assertThat(pair.at(0, id).write(new byte[64 * KIB], 0, 64 * KIB)).isEqualTo(KIB);
            pair.run(SECOND);
            assertThat(pair.events.get(0)).contains(new Event.Writable(pair.at(0, id)));
            pair.events.get(0).clear();
        }
        assertThat(pair.budgets[0].usedBytes()).isEqualTo(2 * StreamConfig.BUDGET_BYTES);
    }

    @Test
    void anIdleLinkGivesItsCreditBackAndItsNextBurstIsCharged() {
        Pair pair = new Pair(StreamConfig.defaults(), 42).both(l -> l.rateBytesPerSecond = 50_000_000);
        pair.keepEvents = false;
        Transfer first = new Transfer(pair, 0, 100_000_000);
        assertThat(pair.run(60 * SECOND, first::isComplete)).isTrue();
        assertThat(pair.budgets[1].usedBytes()).as("promised").isGreaterThan(8L * MIB);
        pair.run(SECOND);
        assertThat(pair.budgets[1].usedBytes()).isZero();
        for (int i = 0; i < 60; i++) new Transfer(pair, 0, 100_000_000).paused = true;
        pair.run(5 * SECOND);
        long held = pair.ends[1].bufferedBytes();
        assertThat(held).isGreaterThan(8L * MIB);
        assertThat(pair.budgets[1].usedBytes()).isGreaterThanOrEqualTo(held - MIB);
    }

    @Test
    void aPeerThatKeepsTheCreditOfAnIdleLinkIsChargedForIt() {
        Connection connection = connection(StreamConfig.defaults());
        Hostile peer = new Hostile(connection);
        peer.transfer(8 * MIB);
        long promised = budget.usedBytes();
        assertThat(connection.openStreams()).isZero();
        assertThat(promised).isGreaterThan(16L * MIB);
        peer.returnCredit(promised - MIB);
        assertThat(budget.usedBytes()).isEqualTo(MIB);
        peer.returnCredit(promised - MIB);
        assertThat(budget.usedBytes()).as("told again").isEqualTo(MIB);
        peer.returnCredit(promised + MIB + 1);
        assertThat(connection.poll()).isEqualTo(new Event.Broken(Event.Reason.FLOW_CONTROL));
    }

    private static Pair withoutBudget(long seed) {
        Pair pair = new Pair(StreamConfig.defaults(), seed).both(l -> l.rateBytesPerSecond = 50_000_000);
        pair.keepEvents = false;
        for (Budget each : pair.budgets) each.use(StreamConfig.BUDGET_BYTES);
        return pair;
    }

    @Test
    void aFastReaderThatStopsHoldsUpNobodyThoughTheBudgetIsSpent() {
        Pair pair = withoutBudget(43);
        Transfer stopped = new Transfer(pair, 0, 40L * MIB);
        assertThat(pair.run(60 * SECOND, () -> stopped.read > 4L * MIB)).isTrue();
        stopped.paused = true;
        pair.run(2 * SECOND);
        Transfer other = new Transfer(pair, 0, 4L * MIB);
        assertThat(pair.run(60 * SECOND, other::isComplete)).isTrue();
    }

    @Test
    void aLinkThatReadersHoldUpGoesOnWhenTheBudgetIsBack() {
        Pair pair = withoutBudget(44);
        for (int i = 0; i < 5; i++) new Transfer(pair, 0, 40L * MIB).paused = true;
        pair.run(5 * SECOND);
        Transfer other = new Transfer(pair, 0, 4L * MIB);
        long ticks = pair.ticks;
        assertThat(pair.run(3_600 * SECOND, other::isComplete)).isFalse();
        assertThat(pair.ticks - ticks).as("once a second").isBetween(3_600L, 3_700L);
        pair.budgets[1].give(StreamConfig.BUDGET_BYTES);
        assertThat(pair.run(60 * SECOND, other::isComplete)).isTrue();
        pair.run(SECOND);
        long later = pair.ticks;
        pair.run(3_600 * SECOND);
        assertThat(pair.ticks - later).as("nothing waits for budget").isLessThan(10);
    }

    @Test
    void aStreamThatIsOverWaitsForNoCredit() {
        Pair pair = withoutBudget(45);
        for (int i = 0; i < 5; i++) new Transfer(pair, 0, 40L * MIB).paused = true;
        pair.run(5 * SECOND);
        for (int i = 0; i < 50; i++) {
            long id = pair.open(1);
            pair.at(1, id).write(buf, 0, 1);
            pair.run(SECOND);
            assertThat(pair.at(0, id).write(buf, 0, 100)).isEqualTo(100);
            pair.run(SECOND);
            pair.at(1, id).reset(pair.nowNs, 1);
            pair.run(SECOND);
        }
        assertThat(pair.ends[0].openStreams()).isEqualTo(5);
        assertThat(pair.ends[0].streams.turns.held()).isPositive().isLessThanOrEqualTo(5);
    }
}
