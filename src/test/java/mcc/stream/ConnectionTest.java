package mcc.stream;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import mcc.congestion.Bbr;
import mcc.congestion.NewReno;
import mcc.core.Bytes;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Rng;
import mcc.wire.Frames;
import mcc.wire.FramesReader;
import mcc.wire.FramesWriter;
import mcc.wire.TransportParameters;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConnectionTest {
    private static final long SECOND = 1_000 * Pair.MS;
    private final byte[] buf = new byte[65_536];

    private static Pair pair(long seed) {
        return new Pair(StreamConfig.defaults(), seed);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
    void bytesArriveWholeAndInOrderWhateverTheLink(long seed) {
        Rng rng = Rng.seeded(seed);
        Pair pair = pair(seed);
        pair.both(l -> {
            l.delayNs = rng.below(80) * Pair.MS;
            l.jitterNs = rng.below(30) * Pair.MS;
            l.lossPpm = rng.below(200_000);
            l.burst = 1 + rng.below(4);
            l.duplicatePpm = rng.below(100_000);
            l.cePpm = rng.below(3) == 0 ? 20_000 : 0;
            l.rateBytesPerSecond = 200_000L + rng.below(20_000_000);
            l.queueBytes = 30_000 + rng.below(1_000_000);
        });
        Transfer a = new Transfer(pair, 0, 1 + rng.below(3_000_000));
        Transfer b = new Transfer(pair, 1, 1 + rng.below(3_000_000));
        Transfer c = new Transfer(pair, 0, rng.below(3));
        assertThat(pair.run(300 * SECOND, () -> a.isComplete() && b.isComplete() && c.isComplete()))
                .isTrue();
        pair.run(120 * SECOND, () -> pair.isIdle(0) && pair.isIdle(1));
        for (int i = 0; i < 2; i++) {
            assertThat(pair.ends[i].openStreams()).isZero();
            assertThat(pair.ends[i].bufferedBytes()).isZero();
            assertThat(pair.ends[i].unackedSinceNs()).isEqualTo(Core.NEVER);
            assertThat(pair.events.get(i).stream().filter(Event.Finished.class::isInstance))
                    .hasSize(3);
        }
    }

    @Test
    void equalSeedsGiveEqualPackets() {
        assertThat(trace(7)).isEqualTo(trace(7));
        assertThat(trace(7)).isNotEqualTo(trace(8));
    }

    private static long trace(long seed) {
        Pair pair = pair(seed);
        pair.both(l -> {
            l.lossPpm = 30_000;
            l.jitterNs = Pair.MS;
            l.rateBytesPerSecond = 5_000_000;
            l.queueBytes = 100_000;
        });
        Transfer transfer = new Transfer(pair, 0, 2_000_000);
        pair.run(60 * SECOND, transfer::isComplete);
        return pair.trace;
    }

    @Test
    void oneDirectionEndsWhileTheOtherGoesOn() {
        Pair pair = pair(1);
        long id = pair.open(0);
        pair.at(0, id).write(new byte[] {1, 2, 3}, 0, 3);
        pair.at(0, id).finish();
        assertThat(pair.at(0, id).write(buf, 0, 1)).isEqualTo(-1);
        pair.run(SECOND);
        assertThat(pair.events.get(1)).contains(new Event.Opened(pair.at(1, id)), new Event.Readable(pair.at(1, id)));
        assertThat(pair.at(1, id).read(pair.nowNs, buf, 0, 10)).isEqualTo(3);
        assertThat(pair.at(1, id).read(pair.nowNs, buf, 0, 10)).isEqualTo(-1);
        assertThat(pair.at(1, id).write(buf, 0, 1_000)).isEqualTo(1_000);
        pair.run(SECOND);
        assertThat(pair.at(0, id).receive.readableBytes()).isEqualTo(1_000);
        assertThat(pair.at(0, id).read(pair.nowNs, buf, 0, 2_000)).isEqualTo(1_000);
        assertThat(pair.at(0, id).read(pair.nowNs, buf, 0, 2_000)).isZero();
        pair.at(1, id).finish();
        pair.run(SECOND);
        assertThat(pair.at(0, id).read(pair.nowNs, buf, 0, 2_000)).isEqualTo(-1);
        pair.run(SECOND);
        assertThat(pair.events.get(0)).contains(new Event.Finished(pair.at(0, id)));
        assertThat(pair.events.get(1)).contains(new Event.Finished(pair.at(1, id)));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void aResetEndsBothDirectionsAndFreesTheirBytes(int who) {
        Pair pair = pair(2).both(l -> l.lossPpm = 200_000);
        Transfer transfer = new Transfer(pair, 0, 50_000_000);
        pair.run(SECOND, () -> transfer.read > 100_000);
        transfer.paused = true;
        pair.at(who, transfer.stream).reset(pair.nowNs, -77);
        assertThat(pair.at(who, transfer.stream).read(pair.nowNs, buf, 0, 1)).isEqualTo(-2);
        assertThat(pair.at(who, transfer.stream).write(buf, 0, 1)).isEqualTo(-1);
        pair.run(20 * SECOND);
        assertThat(pair.events.get(1 - who)).contains(new Event.Reset(pair.at(1 - who, transfer.stream), -77));
        assertThat(pair.events.get(who)).noneMatch(Event.Reset.class::isInstance);
        for (int i = 0; i < 2; i++) {
            assertThat(pair.events.get(i)).contains(new Event.Finished(pair.at(i, transfer.stream)));
            assertThat(pair.ends[i].bufferedBytes()).isZero();
            assertThat(pair.isIdle(i)).isTrue();
        }
    }

    /** If the connection's credit were lost with the streams, later streams would get none. */
    @Test
    void abandonedBytesGiveTheirCreditBack() {
        Pair pair = pair(3).both(l -> l.lossPpm = 50_000);
        byte[] data = new byte[200_000];
        for (int i = 0; i < 100; i++) {
            long id = pair.open(0);
            assertThat(pair.at(0, id).write(data, 0, data.length)).isEqualTo(data.length);
            pair.run(30 * Pair.MS);
            pair.at(i % 2, id).reset(pair.nowNs, 5);
            pair.run(100 * Pair.MS);
        }
        Transfer transfer = new Transfer(pair, 0, 3_000_000);
        assertThat(pair.run(60 * SECOND, transfer::isComplete)).isTrue();
    }

    @Test
    void aSlowReaderBoundsTheMemory() {
        Pair pair = pair(4);
        Transfer transfer = new Transfer(pair, 0, 50_000_000);
        transfer.paused = true;
        pair.run(20 * SECOND);
        assertThat(pair.at(1, transfer.stream).receive.readableBytes()).isEqualTo(256 * 1024);
        assertThat(pair.ends[1].bufferedBytes()).isLessThanOrEqualTo(256 * 1024 + 8_192);
        assertThat(pair.ends[0].bufferedBytes()).isLessThan(9_000_000);
        long ticks = pair.ticks;
        pair.run(3_600 * SECOND);
        assertThat(pair.ticks - ticks).as("ticks while blocked").isLessThan(10);
        transfer.paused = false;
        assertThat(pair.run(60 * SECOND, transfer::isComplete)).isTrue();
    }

    @Test
    void aReaderThatWasFastHoldsNoMoreThanTheWindowItHadGrownTo() {
        Pair pair = pair(16).both(l -> {
            l.rateBytesPerSecond = 25_000_000;
            l.queueBytes = 1_000_000;
        });
        pair.keepEvents = false;
        Transfer transfer = new Transfer(pair, 0, 40_000_000);
        pair.run(SECOND);
        transfer.paused = true;
        long window = pair.at(1, transfer.stream).receive.windowBytes();
        assertThat(window).as("it has grown").isGreaterThan(2 << 20);
        pair.run(20 * SECOND);
        assertThat(pair.at(1, transfer.stream).receive.readableBytes())
                .as("all the credit there was, of which an eighth may wait to be given")
                .isBetween(window - window / 8, window);
        assertThat(pair.ends[1].bufferedBytes()).isLessThanOrEqualTo(window + 2 * 8_192);
        assertThat(pair.at(1, transfer.stream).receive.windowBytes())
                .as("nothing read, nothing more granted")
                .isEqualTo(window);
        long ticks = pair.ticks;
        pair.run(3_600 * SECOND);
        assertThat(pair.ticks - ticks).as("ticks while blocked").isLessThan(10);
        transfer.paused = false;
        pair.apps[1].run();
        assertThat(pair.run(60 * SECOND, transfer::isComplete)).isTrue();
    }

    @Test
    void lossWhileTheCreditIsUsedUpIsRepaired() {
        Pair pair = pair(5).both(l -> l.lossPpm = 300_000);
        Transfer transfer = new Transfer(pair, 0, 2_000_000);
        assertThat(pair.run(300 * SECOND, transfer::isComplete)).isTrue();
    }

    @Test
    void whatHasArrivedIsKnownByItsAcknowledgement() {
        Pair pair = pair(41);
        long id = pair.open(0);
        pair.at(0, id).write(buf, 0, 8_000);
        pair.run(15 * Pair.MS);
        assertThat(pair.at(1, id).receive.readableBytes()).isEqualTo(8_000);
        assertThat(pair.at(0, id).unacknowledged())
                .as("it came, nobody said so yet")
                .isEqualTo(8_000);
        pair.run(100 * Pair.MS);
        assertThat(pair.at(0, id).unacknowledged()).isZero();
        pair.links[0].cut = true;
        pair.at(0, id).write(buf, 0, 5_000);
        pair.run(SECOND);
        assertThat(pair.at(0, id).unacknowledged()).as("sent in vain").isEqualTo(5_000);
        pair.links[0].cut = false;
        assertThat(pair.run(10 * SECOND, () -> pair.at(0, id).unacknowledged() == 0))
                .isTrue();
        pair.at(0, id).reset(pair.nowNs, 5);
        assertThat(pair.at(0, id).unacknowledged()).isZero();
    }

    @Test
    void aThousandStreamsTakeTurns() {
        Pair pair = pair(6).both(l -> {
            l.rateBytesPerSecond = 2_000_000;
            l.queueBytes = 200_000;
        });
        for (Connection end : pair.ends) end.agreed(TransportParameters.V1, TransportParameters.V1);
        List<Long> ids = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            long id = pair.open(0);
            ids.add(id);
            assertThat(pair.at(0, id).write(buf, 0, 8_000)).isEqualTo(8_000);
        }
        int[] read = new int[1_000];
        pair.apps[1] = () -> {
            for (int i = 0; i < 1_000; i++) {
                Stream stream = pair.at(1, ids.get(i));
                if (stream != null) read[i] += Math.max(0, stream.read(pair.nowNs, buf, 0, buf.length));
            }
        };
        pair.run(2_000 * Pair.MS);
        int least = Arrays.stream(read).min().orElseThrow();
        int most = Arrays.stream(read).max().orElseThrow();
        assertThat(most - least).isLessThanOrEqualTo(2 * Pair.MTU);
        assertThat(least).isGreaterThan(Pair.MTU);
        assertThat(most).isLessThan(8_000);
    }

    @Test
    void aStoppedReaderDoesNotHoldUpThoseThatFellBehindForAWhile() {
        StreamConfig d = StreamConfig.defaults();
        int kib = 1_024;
        StreamConfig small = new StreamConfig(
                Bbr::new,
                d.streams(),
                d.maxStreams(),
                64 * kib,
                96 * kib,
                64 * kib,
                128 * kib,
                d.sendBufferBytes(),
                d.maxSendBufferBytes(),
                d.maxBufferedBytes());
        Pair pair = new Pair(small, 1);
        List<Transfer> all = new ArrayList<>();
        for (int i = 0; i < 8; i++) all.add(new Transfer(pair, 0, 100 << 20));
        pair.run(10 * SECOND, () -> all.stream().allMatch(t -> t.read > 200 * kib));
        all.getFirst().paused = true;
        pair.run(SECOND);
        for (Transfer each : all) each.paused = true;
        pair.run(SECOND);
        for (Transfer each : all.subList(1, 8)) each.paused = false;
        pair.pump(1);
        long before = all.get(1).read;
        pair.run(2 * SECOND);
        assertThat(all.get(1).read - before).isGreaterThan(500 * kib);
    }

    private static StreamConfig withStreams(int streams) {
        StreamConfig d = StreamConfig.defaults();
        return new StreamConfig(
                Bbr::new,
                streams,
                streams,
                d.streamWindowBytes(),
                d.maxStreamWindowBytes(),
                d.windowBytes(),
                d.maxWindowBytes(),
                d.sendBufferBytes(),
                d.maxSendBufferBytes(),
                d.maxBufferedBytes());
    }

    @Test
    void asManyStreamsAsAreAllowedAreOpenAtOnceThoughOthersWereBefore() {
        Pair pair = new Pair(withStreams(16), 1);
        pair.at(0, pair.open(0)).reset(pair.nowNs, 1);
        pair.run(SECOND);
        for (int i = 0; i < 15; i++) {
            long stream = pair.open(0);
            pair.at(0, stream).write(buf, 0, 1);
        }
        pair.run(SECOND);
        assertThat(pair.open(0)).as("the sixteenth").isEqualTo(34);
        assertThat(pair.open(0)).isEqualTo(-1);
    }

    @Test
    void streamsBeyondThePeersLimitWaitUntilOneIsFinished() {
        Pair pair = new Pair(withStreams(4), 1);
        List<Long> ids = new ArrayList<>();
        for (int i = 0; i < 4; i++) ids.add(pair.open(0));
        assertThat(ids).containsExactly(2L, 4L, 6L, 8L);
        assertThat(pair.open(0)).isEqualTo(-1);
        assertThat(pair.open(1)).isEqualTo(1);
        pair.at(0, 6).reset(pair.nowNs, 1);
        pair.run(SECOND);
        assertThat(pair.open(0)).isEqualTo(10);
        assertThat(pair.open(0)).isEqualTo(-1);
    }

    @Test
    void messagesPassStreamDataAndTheWindow() {
        Pair pair = pair(7).both(l -> {
            l.rateBytesPerSecond = 100_000;
            l.queueBytes = 1_000_000;
        });
        Transfer transfer = new Transfer(pair, 0, 1_000_000);
        pair.run(2 * SECOND);
        pair.links[0].cut = true;
        pair.run(SECOND);
        assertThat(pair.ends[0].transmit(pair.nowNs, buf, 0, Pair.MTU)).isZero();
        Bytes message = Bytes.copyOf(new byte[Frames.MAX_MESSAGE_BYTES]);
        assertThat(pair.ends[0].send(message)).isTrue();
        assertThat(pair.ends[0].send(Bytes.copyOf(new byte[Frames.MAX_MESSAGE_BYTES + 1])))
                .isFalse();
        long inFlight = pair.ends[0].inUse().inFlightBytes();
        assertThat(pair.ends[0].transmit(pair.nowNs, buf, 0, Pair.MTU)).isGreaterThan(Frames.MAX_MESSAGE_BYTES);
        assertThat(pair.ends[0].inUse().inFlightBytes()).isEqualTo(inFlight);
        assertThat(transfer.corrupt).isFalse();
    }

    @Test
    void messagesArriveOnceAndAskForNothing() {
        Pair pair = pair(8);
        for (int i = 0; i < 300; i++) {
            assertThat(pair.ends[0].send(Bytes.utf8("m" + i))).isEqualTo(i < 256);
        }
        pair.run(3_600 * SECOND);
        List<Event> expected = new ArrayList<>();
        for (int i = 0; i < 256; i++) expected.add(new Event.Message(Bytes.utf8("m" + i)));
        assertThat(pair.events.get(1)).isEqualTo(expected);
        assertThat(pair.links[1].packets).isZero();
        assertThat(pair.isIdle(0)).isTrue();
        assertThat(pair.ticks).isZero();
        assertThat(pair.counters[0].value("stream.message.refused")).isEqualTo(44);
    }

    @Test
    void lostAcknowledgementsCostLittle() {
        Pair pair = pair(9).both(l -> l.rateBytesPerSecond = 12_500_000);
        pair.links[1].lossPpm = 200_000;
        Transfer transfer = new Transfer(pair, 0, 10_000_000);
        assertThat(pair.run(4 * SECOND, transfer::isComplete)).isTrue();
        assertThat(pair.counters[0].value("stream.lost")).isLessThan(10);
    }

    @ParameterizedTest
    @CsvSource({"12500000, 500", "1250000, 10000"})
    void whoOnlyReceivesSeesTheRoundTripChange(long rate, long delayUs) {
        Pair pair = pair(16).both(l -> {
            l.rateBytesPerSecond = rate;
            l.delayNs = 1_000 * delayUs;
        });
        pair.keepEvents = false;
        new Transfer(pair, 0, Long.MAX_VALUE / 4);
        pair.run(4 * SECOND);
        assertThat(pair.ends[1].smoothedRttNs()).isLessThan(50 * Pair.MS);
        pair.both(l -> l.delayNs = 50 * Pair.MS);
        pair.run(6 * SECOND);
        assertThat(pair.ends[1].smoothedRttNs()).isGreaterThan(80 * Pair.MS);
    }

    @Test
    void anIdleHourCostsNoTicksAndTrafficResumes() {
        Pair pair = pair(10);
        Transfer first = new Transfer(pair, 0, 1_000_000);
        pair.run(10 * SECOND, first::isComplete);
        pair.run(SECOND);
        long ticks = pair.ticks;
        pair.run(3_600 * SECOND);
        assertThat(pair.ticks - ticks).isZero();
        Transfer second = new Transfer(pair, 0, 1_000_000);
        assertThat(pair.run(3 * SECOND, second::isComplete)).isTrue();
    }

    @Test
    void aDeadPeerIsProbedEverMoreSeldomAndSeenByItsSilence() {
        Pair pair = pair(11);
        Transfer transfer = new Transfer(pair, 0, 10_000_000);
        pair.run(200 * Pair.MS);
        pair.both(l -> l.cut = true);
        pair.run(100 * Pair.MS);
        long sinceNs = pair.ends[0].unackedSinceNs();
        long ticks = pair.ticks;
        pair.run(3_600 * SECOND);
        assertThat(pair.ends[0].unackedSinceNs()).isEqualTo(sinceNs);
        assertThat(pair.ticks - ticks).isLessThan(200);
        pair.both(l -> l.cut = false);
        assertThat(pair.run(180 * SECOND, transfer::isComplete)).isTrue();
    }

    @Test
    void reorderingIsLearntAndNoLongerTakenForLoss() {
        Pair pair = pair(12).both(l -> {
            l.delayNs = 20 * Pair.MS;
            l.jitterNs = 3 * Pair.MS;
            l.rateBytesPerSecond = 5_000_000;
        });
        Transfer transfer = new Transfer(pair, 0, 5_000_000);
        pair.run(60 * SECOND, transfer::isComplete);
        long early = pair.counters[0].value("stream.lost.spurious");
        assertThat(early).isPositive();
        Transfer more = new Transfer(pair, 0, 5_000_000);
        pair.run(60 * SECOND, more::isComplete);
        assertThat(pair.counters[0].value("stream.lost.spurious") - early).isLessThan(early / 2 + 10);
    }

    @Test
    void aSpuriousLossUndoesTheResponseToItsOwnEpisodeOnly() {
        StreamConfig config = GoodputTest.config(_ -> new NewReno());
        Connection sender = new Connection(config, true, Rng.seeded(1), budget(), new Counters());
        sender.open().write(buf, 0, 20_000);
        send(sender, 1, 4);
        long whole = sender.inUse().control().windowBytes();
        acknowledge(sender, SECOND, 1, 4, 3);
        long half = sender.inUse().control().windowBytes();
        assertThat(half).as("1 is lost").isLessThan(whole);
        send(sender, 2 * SECOND, 4);
        acknowledge(sender, 3 * SECOND, 2, 8, 3, 1, 3);
        long quarter = sender.inUse().control().windowBytes();
        assertThat(quarter).as("5 is lost").isLessThan(half);
        acknowledge(sender, 3 * SECOND, 3, 8, 3, 1, 4);
        assertThat(sender.inUse().control().windowBytes()).as("1 was not").isEqualTo(quarter);
        acknowledge(sender, 3 * SECOND, 4, 8, 8);
        assertThat(sender.inUse().control().windowBytes()).as("nor was 5").isEqualTo(half);
    }

    /** Sends that many packets, as fast as the pacer allows. */
    private void send(Connection sender, long nowNs, int packets) {
        for (int sent = 0; sent < packets; nowNs += Pair.MS) {
            sender.tick(nowNs);
            if (sender.transmit(nowNs, buf, 30_000, Pair.MTU) > 0) sent++;
        }
    }

    private void acknowledge(Connection sender, long nowNs, long number, long largest, long... runs) {
        FramesWriter writer = new FramesWriter();
        writer.begin(buf, 40_000, 1_000);
        writer.packetNumber(number);
        writer.ack(largest, 0, 0, runs, runs.length);
        assertThat(sender.receive(nowNs, buf, 40_000, writer.length(), false)).isTrue();
    }

    @Test
    void anotherPathStartsAnewAndLosesNothing() {
        Pair pair = pair(13);
        Transfer transfer = new Transfer(pair, 0, 5_000_000);
        pair.run(150 * Pair.MS);
        assertThat(pair.ends[0].minRttNs()).isPositive();
        Recovery first = pair.ends[0].inUse();
        pair.ends[0].use(pair.ends[0].another());
        assertThat(pair.ends[0].minRttNs()).isZero();
        assertThat(pair.ends[0].inUse().inFlightBytes()).isZero();
        pair.both(l -> l.delayNs = 40 * Pair.MS);
        assertThat(pair.run(20 * SECOND, transfer::isComplete)).isTrue();
        assertThat(pair.ends[0].minRttNs()).isGreaterThanOrEqualTo(80 * Pair.MS);
        long rate = first.control().bandwidthBytesPerSecond();
        assertThat(rate).as("the first keeps what it learnt").isPositive();
        pair.ends[0].use(first);
        assertThat(pair.ends[0].minRttNs()).isLessThan(80 * Pair.MS);
        assertThat(pair.ends[0].inUse().control().bandwidthBytesPerSecond()).isEqualTo(rate);
        assertThat(first.inFlightBytes()).isZero();
    }

    @Test
    void anOutageOfTheOldPathIsNoCongestionOfTheNew() {
        Pair pair = pair(13);
        Transfer transfer = new Transfer(pair, 0, 5_000_000);
        pair.run(150 * Pair.MS);
        pair.both(l -> l.cut = true);
        pair.run(2 * SECOND);
        assertThat(pair.ends[0].isProbing()).isTrue();
        pair.both(l -> l.cut = false);
        pair.ends[0].use(pair.ends[0].another());
        long first = pair.ends[0].inUse().control().windowBytes();
        long[] least = {Long.MAX_VALUE};
        assertThat(pair.run(20 * SECOND, () -> {
                    least[0] = Math.min(least[0], pair.ends[0].inUse().control().windowBytes());
                    return transfer.isComplete();
                }))
                .isTrue();
        assertThat(least[0]).isGreaterThanOrEqualTo(first);
    }

    @Test
    void aLoopbackRampsToManyGigabits() {
        Pair pair = pair(14).both(l -> l.delayNs = 50_000);
        pair.keepEvents = false;
        Transfer transfer = new Transfer(pair, 0, 200_000_000);
        long startNs = pair.nowNs;
        assertThat(pair.run(5 * SECOND, transfer::isComplete)).isTrue();
        double gigabits = 8.0 * 200_000_000 / (pair.nowNs - startNs);
        assertThat(gigabits).isGreaterThan(2);
    }

    @Test
    void tenThousandIdleStreamsAreCheap() {
        Pair pair = pair(15);
        for (int i = 0; i < 10_000; i++) {
            long id = pair.open(0);
            pair.at(0, id).write(buf, 0, 1);
        }
        pair.run(10 * SECOND);
        assertThat(pair.ends[1].openStreams()).isEqualTo(10_000);
        assertThat(pair.ends[0].bufferedBytes()).isZero();
        for (int i = 1; i <= 10_000; i++) pair.at(1, 2L * i).read(pair.nowNs, buf, 0, 10);
        assertThat(pair.ends[1].bufferedBytes()).isZero();
    }

    @Test
    void eachWayToBreakTheProtocolIsToldApart() {
        assertThat(broken(w -> w.stream(1, 256 * 1024, 1, false))).isEqualTo(Event.Reason.FLOW_CONTROL);
        assertThat(broken(w -> w.reset(1, 0, 256 * 1024 + 1))).isEqualTo(Event.Reason.FLOW_CONTROL);
        assertThat(broken(w -> {
                    for (int i = 0; i <= 64; i++) w.stream(1 + 2L * i, 256 * 1024 - 1, 1, false);
                }))
                .isEqualTo(Event.Reason.FLOW_CONTROL);
        assertThat(broken(w -> {
                    w.stream(1, 0, 5, true);
                    w.stream(1, 5, 1, false);
                }))
                .isEqualTo(Event.Reason.FINAL_SIZE);
        assertThat(broken(w -> {
                    w.stream(1, 0, 5, false);
                    w.reset(1, 0, 4);
                }))
                .isEqualTo(Event.Reason.FINAL_SIZE);
        assertThat(broken(w -> w.stream(20_001, 0, 0, false))).isEqualTo(Event.Reason.STREAM_LIMIT);
        assertThat(broken(w -> w.stream(2, 0, 0, false))).isEqualTo(Event.Reason.STREAM_STATE);
        assertThat(broken(w -> w.ack(1, 0, 0, new long[] {1}, 1))).isEqualTo(Event.Reason.ACK_UNSENT);
    }

    private Event.Reason broken(java.util.function.Consumer<FramesWriter> frames) {
        Counters counters = new Counters();
        Budget spent = new Budget(0, counters);
        Connection connection = new Connection(StreamConfig.defaults(), true, Rng.seeded(1), spent, counters);
        FramesWriter writer = new FramesWriter();
        writer.begin(buf, 0, 1_000);
        writer.packetNumber(1);
        frames.accept(writer);
        assertThat(connection.receive(1, buf, 0, writer.length(), false)).isFalse();
        assertThat(counters.value("stream.broken")).isEqualTo(1);
        Event last = null;
        for (Event e = connection.poll(); e != null; e = connection.poll()) last = e;
        assertThat(connection.transmit(1, buf, 0, 1_000)).isZero();
        return ((Event.Broken) last).reason();
    }

    @Test
    void aPacketWithTwoAcknowledgementsCountsForNothing() {
        Counters counters = new Counters();
        Connection connection = new Connection(StreamConfig.defaults(), true, Rng.seeded(1), budget(), counters);
        connection.open().write(buf, 0, 10);
        assertThat(connection.transmit(1, buf, 0, 1_000)).isPositive();
        FramesWriter writer = new FramesWriter();
        for (int acks = 2; acks > 0; acks--) {
            writer.begin(buf, 0, 1_000);
            writer.packetNumber(1);
            for (int i = 0; i < acks; i++) writer.ack(1, 0, 0, new long[] {1}, 1);
            assertThat(connection.receive(2, buf, 0, writer.length(), false)).isEqualTo(acks == 1);
            assertThat(connection.unackedSinceNs() == Core.NEVER).isEqualTo(acks == 1);
        }
        assertThat(counters.value("stream.malformed")).isEqualTo(1);
        assertThat(counters.value("stream.broken")).isZero();
    }

    @Test
    void noPacketWhateverItsBytesThrows() {
        Rng rng = Rng.seeded(99);
        Counters counters = new Counters();
        byte[] packet = new byte[1_500];
        for (int round = 0; round < 2_000; round++) {
            Connection sender =
                    new Connection(StreamConfig.defaults(), round % 2 == 0, rng.split(), budget(), counters);
            Connection receiver =
                    new Connection(StreamConfig.defaults(), round % 2 == 1, rng.split(), budget(), counters);
            long now = 1;
            for (int i = 0; i < 4; i++) {
                Stream stream = sender.open();
                stream.write(buf, 0, 1 + rng.below(1_000));
                if (i == 1) stream.finish();
                if (i == 2) stream.reset(now, 9);
                sender.send(Bytes.copyOf(rng.bytes(rng.below(40))));
            }
            for (int i = 0; i < 8; i++) {
                now += Pair.MS;
                int n = sender.transmit(now, packet, 0, 300 + rng.below(1_000));
                if (n == 0 || rng.below(8) == 0) {
                    n = rng.below(60);
                    for (int k = 0; k < n; k++) packet[k] = (byte) rng.nextInt();
                }
                if (rng.below(4) == 0) n = rng.below(n + 1);
                for (int flips = rng.below(3); flips > 0 && n > 0; flips--) {
                    packet[rng.below(n)] ^= (byte) (1 << rng.below(8));
                }
                receiver.receive(now, packet, 0, n, false);
                receiver.tick(now);
                int m = receiver.transmit(now, packet, 0, Pair.MTU);
                if (m > 0 && rng.below(2) == 0) packet[rng.below(m)] ^= (byte) (1 << rng.below(8));
                if (m > 0) sender.receive(now, packet, 0, m, false);
            }
            for (Event e = receiver.poll(); e != null; e = receiver.poll()) {
                if (e instanceof Event.Readable r) r.stream().read(now, buf, 0, 5_000);
            }
        }
        assertThat(counters.value("stream.malformed")).isPositive();
        assertThat(counters.value("stream.broken")).isPositive();
    }

    @Test
    void acknowledgementsNameAtMostSixtyFourRuns() {
        Connection connection = new Connection(StreamConfig.defaults(), true, Rng.seeded(1), budget(), new Counters());
        FramesWriter writer = new FramesWriter();
        for (int i = 0; i < 3_000; i++) {
            writer.begin(buf, 0, 1_000);
            writer.packetNumber(1 + 3L * i);
            writer.ping();
            connection.receive(i, buf, 0, writer.length(), false);
        }
        int n = connection.transmit(3_000, buf, 0, Pair.MTU);
        FramesReader reader = new FramesReader();
        reader.begin(buf, 0, n);
        int runs = 0;
        while (reader.next()) if (reader.kind() == Frames.ACK) runs = reader.ranges();
        assertThat(runs).isEqualTo(64);
        assertThat(reader.malformed()).isFalse();
    }

    private static Budget budget() {
        return new Budget(StreamConfig.BUDGET_BYTES, new Counters());
    }

    @Test
    void readersThatStopHoldNobodyUp() {
        Pair pair = new Pair(StreamConfig.defaults(), 31).both(l -> l.rateBytesPerSecond = 50_000_000);
        List<Transfer> stopped = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            Transfer slow = new Transfer(pair, 0, 40L << 20);
            stopped.add(slow);
        }
        pair.run(2_000 * Pair.MS);
        for (Transfer slow : stopped) slow.paused = true;
        pair.run(2_000 * Pair.MS);
        Transfer fast = new Transfer(pair, 0, 20L << 20);
        assertThat(pair.run(20_000 * Pair.MS, fast::isComplete))
                .as("past five that stopped")
                .isTrue();
        assertThat(pair.budgets[1].usedBytes()).isLessThanOrEqualTo(StreamConfig.BUDGET_BYTES);
        for (Transfer slow : stopped) slow.paused = false;
        pair.apps[1].run();
        assertThat(pair.run(60_000 * Pair.MS, () -> stopped.stream().allMatch(Transfer::isComplete)))
                .isTrue();
        pair.run(2_000 * Pair.MS);
        assertThat(pair.budgets[0].usedBytes())
                .as("all is given back by the writer")
                .isZero();
        assertThat(pair.budgets[1].usedBytes()).as("and by the reader").isZero();
    }

    @Test
    void aConnectionWithoutBudgetGoesOnWithItsFirstWindow() {
        Pair pair = new Pair(StreamConfig.defaults(), 32).both(l -> l.rateBytesPerSecond = 50_000_000);
        for (Budget budget : pair.budgets) budget.use(StreamConfig.BUDGET_BYTES);
        Transfer transfer = new Transfer(pair, 0, 4L << 20);
        assertThat(pair.run(60_000 * Pair.MS, transfer::isComplete)).isTrue();
        assertThat(pair.budgets[1].usedBytes()).isEqualTo(StreamConfig.BUDGET_BYTES);
    }

    @Test
    void aConnectionThatIsGivenUpHoldsNothing() {
        Pair pair = new Pair(StreamConfig.defaults(), 33);
        Transfer transfer = new Transfer(pair, 0, 40L << 20);
        transfer.paused = true;
        pair.run(1_000 * Pair.MS);
        assertThat(pair.budgets[0].usedBytes()).isPositive();
        for (Connection end : pair.ends) end.discard();
        for (Budget budget : pair.budgets) assertThat(budget.usedBytes()).isZero();
    }

    @Test
    void aPathThatReordersNoMoreIsJudgedByThreePacketsAgain() {
        Pair pair = new Pair(StreamConfig.defaults(), 34).both(l -> {
            l.rateBytesPerSecond = 12_500_000;
            l.jitterNs = 30 * Pair.MS;
        });
        new Transfer(pair, 0, Long.MAX_VALUE / 4);
        pair.run(3_000 * Pair.MS);
        assertThat(pair.ends[0].inUse().packetThreshold()).isGreaterThan(64);
        pair.both(l -> {
            l.jitterNs = 0;
            l.lossPpm = 10_000;
        });
        pair.run(20_000 * Pair.MS);
        assertThat(pair.ends[0].inUse().packetThreshold()).isEqualTo(3);
    }

    @Test
    void theEndOfABurstIsRepairedBeforeTheProbeTimeout() {
        Pair pair = pair(6).both(l -> {
            l.delayNs = Pair.MS;
            l.lossPpm = 100_000;
        });
        long[] took = new long[200];
        for (int i = 0; i < took.length; i++) {
            long startNs = pair.nowNs;
            Transfer transfer = new Transfer(pair, 0, 20_000);
            assertThat(pair.run(10 * SECOND, () -> transfer.ended)).isTrue();
            took[i] = pair.nowNs - startNs;
            pair.run(SECOND);
        }
        Arrays.sort(took);
        assertThat(took[190]).as("a probe timeout is 27 ms here").isLessThan(15 * Pair.MS);
    }
}
