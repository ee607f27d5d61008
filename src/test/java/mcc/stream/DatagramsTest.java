package mcc.stream;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import mcc.core.Bytes;
import mcc.core.Counters;
import mcc.core.Rng;
import mcc.wire.FramesWriter;
import org.junit.jupiter.api.Test;

/** Datagrams over a simulated link, in virtual time. */
class DatagramsTest {
    private static final long SECOND = 1_000 * Pair.MS;

    private static Pair pair(long seed) {
        return new Pair(StreamConfig.defaults(), seed);
    }

    /** Opens a stream, and lets the other side learn of it. */
    private static long open(Pair pair) {
        long id = pair.open(0);
        pair.at(0, id).write(new byte[] {1}, 0, 1);
        pair.run(100 * Pair.MS);
        return id;
    }

    /** A stream without a connection. */
    private static Stream stream(long id) {
        return new Stream(null, id, true, null, null);
    }

    private static List<Event.Datagram> got(Pair pair, long flow) {
        List<Event.Datagram> out = new ArrayList<>();
        for (Event e : pair.events.get(1))
            if (e instanceof Event.Datagram d && d.stream().id() == flow) out.add(d);
        return out;
    }

    private static void send(Pair pair, long flow, int bytes) {
        pair.at(0, flow).sendDatagram(pair.nowNs, Bytes.copyOf(new byte[bytes]));
    }

    @Test
    void aDatagramArrivesAsItWasAndAnEmptyOneToo() {
        Pair pair = pair(1);
        long flow = open(pair);
        Bytes data = Bytes.copyOf(Rng.seeded(1).bytes(pair.at(0, flow).maxDatagramBytes()));
        assertThat(pair.at(0, flow).sendDatagram(pair.nowNs, data)).isTrue();
        send(pair, flow, 0);
        pair.run(SECOND);
        assertThat(got(pair, flow))
                .containsExactly(
                        new Event.Datagram(pair.at(1, flow), data), new Event.Datagram(pair.at(1, flow), Bytes.EMPTY));
        assertThat(pair.ends[0].inUse().inFlightBytes())
                .as("it was acknowledged")
                .isZero();
    }

    @Test
    void aLostDatagramIsNotSentAgain() {
        Pair pair = pair(2);
        long flow = open(pair);
        pair.links[0].cut = true;
        send(pair, flow, 500);
        pair.run(10 * Pair.MS);
        pair.links[0].cut = false;
        pair.run(20 * SECOND);
        assertThat(got(pair, flow)).isEmpty();
        assertThat(pair.ends[0].inUse().inFlightBytes()).isZero();
        assertThat(pair.counters[0].value("stream.lost")).isPositive();
    }

    @Test
    void whatIsLongerThanAPacketIsDroppedAndCountedAndHoldsNothingUp() {
        Pair pair = pair(3);
        long flow = open(pair);
        send(pair, flow, Pair.MTU);
        send(pair, flow, 10);
        pair.run(SECOND);
        assertThat(got(pair, flow)).hasSize(1);
        assertThat(pair.counters[0].value("stream.datagram.too-long")).isEqualTo(1);
    }

    @Test
    void aDatagramWithoutItsStreamIsAstray() {
        Pair pair = pair(4);
        long flow = open(pair);
        long given = open(pair);
        pair.at(0, given).reset(pair.nowNs, 7);
        assertThat(pair.at(0, given).sendDatagram(pair.nowNs, Bytes.EMPTY)).isFalse();
        pair.at(1, flow).reset(pair.nowNs, 7);
        send(pair, flow, 10);
        pair.run(SECOND);
        assertThat(got(pair, flow)).isEmpty();
        assertThat(pair.counters[1].value("stream.datagram.astray")).isEqualTo(1);
        assertThat(pair.at(0, flow).sendDatagram(pair.nowNs, Bytes.EMPTY))
                .as("now both know")
                .isFalse();
    }

    /** A link that carries 1 MB/s, a stream that could fill it, and flows that each want a fifth of it. */
    @Test
    void flowsAndStreamsShareALinkAndNobodyStarves() {
        Pair pair = pair(5).both(l -> {
            l.rateBytesPerSecond = 1_000_000;
            l.queueBytes = 100_000;
        });
        List<Long> flows = new ArrayList<>();
        for (int i = 0; i < 5; i++) flows.add(open(pair));
        Transfer transfer = new Transfer(pair, 0, 50_000_000);
        pair.run(2 * SECOND);
        long before = transfer.read;
        pair.events.get(1).clear();
        for (int i = 0; i < 1_000; i++) {
            for (long flow : flows) send(pair, flow, 1_000);
            pair.run(5 * Pair.MS);
        }
        int[] got = flows.stream().mapToInt(f -> got(pair, f).size()).toArray();
        assertThat(transfer.read - before).as("the stream's half").isBetween(1_500_000L, 3_500_000L);
        assertThat(Arrays.stream(got).min().orElseThrow()).isGreaterThan(200);
        assertThat(Arrays.stream(got).max().orElseThrow()
                        - Arrays.stream(got).min().orElseThrow())
                .as("flows take turns")
                .isLessThan(30);
        assertThat(pair.counters[0].value("stream.datagram.late"))
                .as("the rest waited too long")
                .isPositive();
    }

    /** Two streams and a flow: the first place in a packet must not always go to the same stream. */
    @Test
    void streamsGoOnTakingTurnsBesideDatagrams() {
        Pair pair = pair(6).both(l -> {
            l.rateBytesPerSecond = 1_000_000;
            l.queueBytes = 100_000;
        });
        long flow = open(pair);
        Transfer a = new Transfer(pair, 0, 50_000_000);
        Transfer b = new Transfer(pair, 0, 50_000_000);
        pair.run(SECOND);
        for (int i = 0; i < 1_000; i++) {
            for (int n = 0; n < 5; n++) send(pair, flow, 1_100);
            pair.run(4 * Pair.MS);
        }
        assertThat(a.read).isGreaterThan(800_000);
        assertThat(b.read).isGreaterThan(800_000);
    }

    @Test
    void aDatagramDoesNotWaitBehindStreams() {
        Pair pair = pair(7).both(l -> {
            l.rateBytesPerSecond = 2_000_000;
            l.queueBytes = 50_000;
        });
        long flow = open(pair);
        Transfer transfer = new Transfer(pair, 0, 50_000_000);
        pair.run(3 * SECOND, () -> transfer.read > 1_000_000);
        pair.events.get(1).clear();
        for (int i = 0; i < 50; i++) {
            send(pair, flow, 100);
            pair.run(100 * Pair.MS);
        }
        assertThat(got(pair, flow).size()).as("all but what the full link lost").isGreaterThan(40);
        assertThat(pair.counters[0].value("stream.datagram.late")).isZero();
    }

    @Test
    void theQueueIsBoundedAndTheOldestGivesWay() {
        Counters counters = new Counters();
        Datagrams queue = new Datagrams(() -> 333_000_000L, counters);
        Stream seven = stream(7);
        Stream nine = stream(9);
        List<Stream> many = new ArrayList<>();
        for (int flow = 0; flow < 40; flow++) many.add(stream(100 + flow));
        for (int i = 0; i < 1_000; i++) queue.add(i, seven, Bytes.copyOf(new byte[] {(byte) i}));
        assertThat(counters.value("stream.datagram.overflow")).isZero();
        for (int i = 0; i < 1_000; i++) queue.add(0, nine, Bytes.copyOf(new byte[1_000]));
        assertThat(queue.bufferedBytes()).isLessThanOrEqualTo(Datagrams.FLOW_BYTES + 1_000 * 65);
        assertThat(counters.value("stream.datagram.overflow")).isBetween(700L, 800L);
        for (int flow = 0; flow < 40; flow++) {
            for (int i = 0; i < 200; i++) queue.add(0, many.get(flow), Bytes.copyOf(new byte[1_000]));
        }
        assertThat(queue.bufferedBytes()).isLessThanOrEqualTo(Datagrams.ALL_BYTES);
        queue.end(seven);
        queue.end(nine);
        for (int flow = 0; flow < 40; flow++) queue.end(many.get(flow));
        assertThat(queue.bufferedBytes()).isZero();
        assertThat(queue.hasAny(0)).isFalse();
    }

    @Test
    void flowsTakeTurnsPacketByPacket() {
        Datagrams queue = new Datagrams(() -> 333_000_000L, new Counters());
        for (int flow = 1; flow <= 3; flow++) {
            Stream stream = stream(flow);
            for (int i = 0; i < 4; i++) queue.add(0, stream, Bytes.copyOf(new byte[1_000]));
        }
        List<Long> order = new ArrayList<>();
        byte[] buf = new byte[Pair.MTU];
        while (queue.hasAny(0)) {
            FramesWriter out = new FramesWriter();
            out.begin(buf, 0, Pair.MTU);
            SentPacket packet = new SentPacket();
            queue.write(0, out, packet, true);
            order.add(packet.stream(0));
        }
        assertThat(order).containsExactly(1L, 2L, 3L, 1L, 2L, 3L, 1L, 2L, 3L, 1L, 2L, 3L);
    }

    @Test
    void whatWaitedTooLongIsDropped() {
        Counters counters = new Counters();
        long waitNs = Datagrams.MAX_WAIT_NS + 333_000_000L;
        Datagrams queue = new Datagrams(() -> 333_000_000L, counters);
        Stream stream = stream(1);
        queue.add(0, stream, Bytes.EMPTY);
        queue.add(waitNs, stream, Bytes.EMPTY);
        assertThat(queue.hasAny(waitNs + 1)).isTrue();
        assertThat(counters.value("stream.datagram.late")).isEqualTo(1);
        assertThat(queue.hasAny(2 * waitNs + 1)).isFalse();
        assertThat(queue.bufferedBytes()).isZero();
    }
}
