package mcc.stream;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import mcc.core.Counters;
import mcc.core.Rng;
import mcc.wire.Frames;
import mcc.wire.FramesReader;
import mcc.wire.FramesWriter;
import mcc.wire.TransportParameters;
import org.junit.jupiter.api.Test;

/** Streams that peers may open, and what they cost. */
class PlacesTest {
    private final Counters counters = new Counters();
    private final Budget budget = new Budget(StreamConfig.BUDGET_BYTES, counters);
    private final byte[] packet = new byte[1_200];
    private long number;

    private Connection connection(TransportParameters agreed) {
        Connection connection = new Connection(StreamConfig.defaults(), true, Rng.seeded(1), budget, counters);
        connection.agreed(agreed, agreed);
        return connection;
    }

    /** Sends one byte on the peer's stream with this number; returns whether it was taken. */
    private boolean send(Connection to, int stream) {
        FramesWriter writer = new FramesWriter();
        writer.begin(packet, 0, packet.length);
        writer.packetNumber(++number);
        writer.stream(1 + 2L * stream, 0, 1, false);
        return to.receive(1, packet, 0, writer.length(), false);
    }

    private static List<Event> events(Connection of) {
        List<Event> all = new ArrayList<>();
        for (Event e; (e = of.poll()) != null; ) all.add(e);
        return all;
    }

    @Test
    void aFrameMakesOneStreamThoughItOpensTenThousand() {
        Connection connection = connection(TransportParameters.V1);
        assertThat(send(connection, 9_999)).isTrue();
        assertThat(connection.openStreams()).isEqualTo(1);
        Stream made = connection.streams.find(19_999);
        assertThat(events(connection)).containsExactly(new Event.Opened(made), new Event.Readable(made));
        assertThat(send(connection, 5)).as("one that was skipped").isTrue();
        assertThat(send(connection, 2)).isTrue();
        assertThat(connection.openStreams()).isEqualTo(3);
    }

    @Test
    void aPeerThatAllowsFewerIsShownNoMoreWheneverTheyWereOpened() {
        Connection connection = new Connection(StreamConfig.defaults(), true, Rng.seeded(1), budget, counters);
        for (int i = 0; i < 12; i++) open(connection, i);
        connection.agreed(StreamConfig.defaults().limits(), new TransportParameters(7, 1_000, 1_000));
        for (int i = 12; i < 20; i++) open(connection, i);
        assertThat(shown(connection)).containsExactly(2L, 4L, 6L, 8L, 10L, 12L, 14L);
        FramesWriter writer = new FramesWriter();
        writer.begin(packet, 0, packet.length);
        writer.packetNumber(1);
        writer.maxStreams(9);
        assertThat(connection.receive(2, packet, 0, writer.length(), false)).isTrue();
        assertThat(shown(connection)).containsExactly(16L, 18L);
    }

    private void open(Connection connection, int i) {
        Stream stream = connection.open();
        if (i % 5 == 4) stream.reset(1, 1);
        else if (i % 3 > 0) stream.write(packet, 0, 10);
    }

    private java.util.Set<Long> shown(Connection connection) {
        java.util.Set<Long> out = new java.util.TreeSet<>();
        FramesReader reader = new FramesReader();
        for (int n; (n = connection.transmit(1, packet, 0, packet.length)) > 0; ) {
            reader.begin(packet, 0, n);
            while (reader.next()) {
                if (reader.kind() == Frames.STREAM
                        || reader.kind() == Frames.RESET
                        || reader.kind() == Frames.MAX_STREAM_DATA) out.add(reader.value());
            }
        }
        return out;
    }

    @Test
    void aPeerThatWasToldAHundredMayOpenAHundred() {
        Connection connection = connection(StreamConfig.defaults().limits());
        assertThat(send(connection, 99)).isTrue();
        assertThat(send(connection, 100)).isFalse();
        assertThat(events(connection)).contains(new Event.Broken(Event.Reason.STREAM_LIMIT));
    }

    @Test
    void aPeerThatUsesItsStreamsMayOpenMoreUntilAllThatItWantsAreOpen() {
        Pair pair = new Pair(StreamConfig.defaults(), 7);
        for (int i = 0; i < 3_000; i++) {
            long id = pair.open(0);
            assertThat(pair.at(0, id).write(new byte[10], 0, 10)).isEqualTo(10);
        }
        assertThat(pair.run(10_000 * Pair.MS, () -> pair.ends[1].openStreams() == 3_000))
                .isTrue();
        assertThat(pair.counters[1].value("stream.crowded")).isZero();
    }

    @Test
    void streamsThatSayNothingHoldUpNoneThatSpeak() {
        Pair pair = new Pair(StreamConfig.defaults(), 9);
        for (int i = 0; i < 999; i++) pair.open(0);
        Transfer last = new Transfer(pair, 0, 10_000);
        assertThat(pair.run(10_000 * Pair.MS, last::isComplete)).isTrue();
    }

    @Test
    void aStreamThatIsGivenUpBeforeItMayBeShownIsShownAndEnds() {
        Pair pair = new Pair(StreamConfig.defaults(), 8);
        long last = 0;
        for (int i = 0; i < 101; i++) {
            last = pair.open(0);
            pair.at(0, last).write(new byte[10], 0, 10);
        }
        pair.at(0, last).reset(pair.nowNs, 3);
        assertThat(pair.ends[0].wantedStreams()).isEqualTo(100);
        assertThat(pair.run(10_000 * Pair.MS, () -> pair.ends[0].openStreams() == 100))
                .isTrue();
    }

    @Test
    void aPeerWithManyStreamsLeavesAsManyToOthers() {
        List<Connection> hostile = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            Connection connection = connection(TransportParameters.V1);
            hostile.add(connection);
            for (int k = 0; k < 10_000; k++) assertThat(send(connection, k)).isTrue();
        }
        int held = hostile.stream().mapToInt(Connection::openStreams).sum();
        assertThat(held).isLessThanOrEqualTo(Budget.PLACES_MAX + 4 * 40);
        assertThat(counters.value("stream.crowded")).isPositive();
        Connection honest = connection(TransportParameters.V1);
        for (int k = 0; k < 4; k++) assertThat(send(honest, k)).isTrue();
        assertThat(honest.openStreams()).isEqualTo(4);
        for (Connection each : hostile) each.discard();
        assertThat(budget.freePlaces()).isEqualTo(Budget.PLACES_MAX - 4);
    }
}
