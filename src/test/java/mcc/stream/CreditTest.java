package mcc.stream;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import mcc.congestion.CongestionControl;
import mcc.core.Counters;
import mcc.core.Rng;
import mcc.wire.FramesWriter;
import org.junit.jupiter.api.Test;

/** What a peer can make a node hold: credit, what it costs in memory, and the budget of the node. */
class CreditTest {
    private static final long SECOND = 1_000 * Pair.MS;
    private static final int KIB = 1_024;
    private static final int MIB = 1_024 * KIB;

    private final byte[] buf = new byte[65_536];
    private final Counters counters = new Counters();
    private final Budget budget = new Budget(Config.BUDGET_BYTES, counters);

    private Connection connection(Config config) {
        return new Connection(config, true, Rng.seeded(1), budget, counters);
    }

    /** Sends one byte at each of the offsets, on each of the peer's streams: as a peer does that wants no sense of it. */
    private final class Hostile {
        private final Connection to;
        private final FramesWriter writer = new FramesWriter();
        private long number;

        Hostile(Connection to) {
            this.to = to;
        }

        void bytes(int streams, int from, int offsets, int step) {
            for (int i = 0; i < streams; i++) {
                for (int k = 0; k < offsets; k++) {
                    if (number == 0 || writer.room() < 20) flush();
                    buf[writer.stream(1 + 2L * i, from + (long) k * step, 1, false)] = 7;
                }
            }
            flush();
        }

        private void flush() {
            if (number > 0) assertThat(to.receive(1, buf, 0, writer.length(), false)).isTrue();
            writer.begin(buf, 0, 1_200);
            writer.packetNumber(++number);
        }
    }

    private static Config withWindows(long maxStreamWindowBytes, long maxWindowBytes) {
        Config d = Config.defaults();
        return new Config(
                CongestionControl.Kind.BBR,
                d.streams(),
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
        Connection connection = connection(Config.defaults());
        new Hostile(connection).bytes(10_000, 1, 1, 1);
        assertThat(connection.openStreams()).isEqualTo(10_000);
        assertThat(connection.bufferedBytes()).isLessThan(11_000_000);
        assertThat(budget.usedBytes()).isGreaterThanOrEqualTo(connection.bufferedBytes() - MIB);
    }

    @Test
    void whatOpensAGapIsNotTakenWhereTheBudgetIsSpentButWhatCanBeReadIs() {
        budget.use(Config.BUDGET_BYTES);
        Connection connection = connection(Config.defaults());
        Hostile peer = new Hostile(connection);
        peer.bytes(10_000, 1, 1, 1);
        assertThat(connection.bufferedBytes()).isBetween((long) MIB, MIB + 256L * KIB);
        assertThat(counters.value("stream.crowded")).isPositive();
        long held = connection.bufferedBytes();
        peer.bytes(900, 0, 1, 1);
        for (int i = 0; i < 900; i++) {
            assertThat(connection.read(1, 1 + 2L * i, buf, 0, 10)).isEqualTo(2);
        }
        assertThat(connection.bufferedBytes()).isLessThan(held / 4);
        peer.bytes(10, 1, 2, 2);
        assertThat(connection.bufferedBytes()).as("there is room again").isLessThan(held / 4);
        connection.discard();
        assertThat(budget.usedBytes()).isEqualTo(Config.BUDGET_BYTES);
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
        Connection connection = connection(Config.defaults());
        new Hostile(connection).bytes(1, 1, 20_000, 2);
        assertThat(connection.bufferedBytes()).isLessThan(2 * 8_192 * 16 + 32 * KIB);
        assertThat(counters.value("stream.crowded")).isPositive();
    }

    @Test
    void manyStreamsEndOnALossyPathThoughTheBudgetIsSpent() {
        Pair pair = new Pair(Config.defaults(), 41).both(l -> {
            l.rateBytesPerSecond = 50_000_000;
            l.lossPpm = 100_000;
        });
        pair.keepEvents = false;
        for (Budget each : pair.budgets) each.use(Config.BUDGET_BYTES);
        List<Transfer> all = new ArrayList<>();
        for (int i = 0; i < 300; i++) all.add(new Transfer(pair, 0, 30_000));
        for (Transfer each : all) each.paused = true;
        pair.run(5 * SECOND);
        for (Transfer each : all) each.paused = false;
        pair.pump(1);
        assertThat(pair.run(300 * SECOND, () -> all.stream().allMatch(Transfer::isComplete)))
                .isTrue();
        assertThat(pair.counters[1].value("stream.crowded")).isPositive();
        assertThat(pair.budgets[1].usedBytes()).isEqualTo(Config.BUDGET_BYTES);
    }
}
