package mcc.wire;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import java.util.Arrays;
import mcc.core.Bytes;
import mcc.core.Rng;
import mcc.wire.pb.Control;
import org.junit.jupiter.api.Test;

class FramesTest {
    private final Rng rng = Rng.seeded(5);
    private final byte[] buf = new byte[4_000];

    private long number() {
        return rng.nextLong() >>> (2 + rng.below(61));
    }

    /** The same random frames for the writer by hand and for the generated code. */
    private mcc.wire.pb.Frames random(FramesWriter w) {
        var pb = mcc.wire.pb.Frames.newBuilder();
        long packet = 1 + number();
        w.packetNumber(packet);
        pb.setPacketNumber(packet);
        if (rng.below(2) == 0) ack(w, pb);
        for (int i = rng.below(3); i > 0; i--) {
            byte[] text = rng.bytes(rng.below(300));
            w.message(Bytes.copyOf(text));
            pb.addMessage(ByteString.copyFrom(text));
        }
        for (int i = rng.below(3); i > 0; i--) stream(w, pb);
        for (int i = rng.below(3); i > 0; i--) {
            byte[] data = rng.bytes(rng.below(2) == 0 ? rng.below(3) : rng.below(300));
            long id = 1 + number();
            w.datagram(id, Bytes.copyOf(data));
            pb.addDatagramBuilder().setId(id).setData(ByteString.copyFrom(data));
        }
        for (int i = rng.below(3); i > 0; i--) {
            long id = 1 + number();
            long maximum = number();
            int code = rng.nextInt();
            w.maxStreamData(id, maximum);
            pb.addMaxStreamDataBuilder().setId(id).setMaximum(maximum);
            w.reset(id, code, maximum);
            pb.addResetBuilder().setId(id).setCode(code).setFinalSize(maximum);
            w.stop(id, code);
            pb.addStopBuilder().setId(id).setCode(code);
        }
        long data = 1 + number();
        w.maxData(data);
        w.maxStreams(data);
        w.unusedData(data);
        w.ping();
        return pb.setMaxData(data)
                .setMaxStreams(data)
                .setUnusedData(data)
                .setPing(true)
                .build();
    }

    private void ack(FramesWriter w, mcc.wire.pb.Frames.Builder pb) {
        int count = 2 * rng.below(64) + 1;
        long[] runs = new long[127];
        long sum = rng.below(1_000);
        for (int i = 0; i < count; i++) sum += runs[i] = 1 + rng.below(300);
        long delay = number();
        long ce = number();
        w.ack(1 + sum, delay, ce, runs, count);
        var ack = pb.getAckBuilder().setLargest(1 + sum).setDelayUs(delay).setCe(ce);
        for (int i = 0; i < count; i++) ack.addRanges(runs[i]);
    }

    private void stream(FramesWriter w, mcc.wire.pb.Frames.Builder pb) {
        byte[] data = rng.bytes(rng.below(2) == 0 ? rng.below(3) : rng.below(400));
        long id = 1 + number();
        long offset = number() / 2;
        boolean fin = rng.below(2) == 0;
        int at = w.stream(id, offset, data.length, fin);
        System.arraycopy(data, 0, buf, at, data.length);
        pb.addStreamBuilder().setId(id).setOffset(offset).setFin(fin).setData(ByteString.copyFrom(data));
    }

    @Test
    void theGeneratedCodeParsesWhatTheHandWrites() throws InvalidProtocolBufferException {
        FramesWriter w = new FramesWriter();
        for (int i = 0; i < 2_000; i++) {
            w.begin(buf, 3, 3_500);
            mcc.wire.pb.Frames expected = random(w);
            assertThat(mcc.wire.pb.Frames.parseFrom(Arrays.copyOfRange(buf, 3, 3 + w.length())))
                    .isEqualTo(expected);
        }
    }

    @Test
    void theHandReadsWhatTheGeneratedCodeWrites() {
        FramesWriter w = new FramesWriter();
        for (int i = 0; i < 2_000; i++) {
            w.begin(buf, 0, 3_500);
            mcc.wire.pb.Frames expected = random(w);
            byte[] wire = expected.toByteArray();
            assertThat(read(wire, 0, wire.length)).isEqualTo(expected);
            assertThat(read(buf, 0, w.length())).isEqualTo(expected);
        }
    }

    private static mcc.wire.pb.Frames read(byte[] wire, int off, int len) {
        FramesReader r = new FramesReader();
        r.begin(wire, off, len);
        var pb = mcc.wire.pb.Frames.newBuilder();
        while (r.next()) {
            switch (r.kind()) {
                case Frames.PACKET_NUMBER -> pb.setPacketNumber(r.value());
                case Frames.ACK -> {
                    var ack = pb.getAckBuilder()
                            .setLargest(r.value())
                            .setDelayUs(r.delayUs())
                            .setCe(r.ce());
                    for (int i = 0; i < r.ranges(); i++) {
                        if (i > 0) ack.addRanges(r.lowest(i - 1) - r.highest(i) - 1);
                        ack.addRanges(r.highest(i) - r.lowest(i) + 1);
                    }
                }
                case Frames.MESSAGE ->
                    pb.addMessage(ByteString.copyFrom(r.message().toArray()));
                case Frames.STREAM ->
                    pb.addStreamBuilder()
                            .setId(r.value())
                            .setOffset(r.offset())
                            .setFin(r.fin())
                            .setData(ByteString.copyFrom(wire, r.dataAt(), r.dataLength()));
                case Frames.MAX_STREAM_DATA ->
                    pb.addMaxStreamDataBuilder().setId(r.value()).setMaximum(r.offset());
                case Frames.MAX_DATA -> pb.setMaxData(r.value());
                case Frames.MAX_STREAMS -> pb.setMaxStreams(r.value());
                case Frames.UNUSED_DATA -> pb.setUnusedData(r.value());
                case Frames.RESET ->
                    pb.addResetBuilder().setId(r.value()).setCode(r.code()).setFinalSize(r.finalSize());
                case Frames.STOP -> pb.addStopBuilder().setId(r.value()).setCode(r.code());
                case Frames.PING -> pb.setPing(true);
                case Frames.DATAGRAM ->
                    pb.addDatagramBuilder()
                            .setId(r.value())
                            .setData(ByteString.copyFrom(wire, r.dataAt(), r.dataLength()));
                default -> throw new AssertionError(r.kind());
            }
        }
        assertThat(r.malformed()).isFalse();
        return pb.build();
    }

    @Test
    void streamRoomIsExactlyWhatFits() {
        FramesWriter w = new FramesWriter();
        for (int room = 0; room < 600; room++) {
            for (long id : new long[] {1, 200, 1L << 40}) {
                for (long offset : new long[] {0, 300, 1L << 50}) {
                    w.begin(buf, 0, room);
                    int fits = w.streamRoom(id, offset, 1_000);
                    if (fits < 0) continue;
                    w.stream(id, offset, fits, true);
                    assertThat(w.room()).as("room %d", room).isBetween(0, 4);
                }
            }
        }
    }

    @Test
    void whatDoesNotFitIsNotWritten() {
        FramesWriter w = new FramesWriter();
        for (int room = 0; room < 400; room++) {
            w.begin(buf, 0, room);
            long[] runs = new long[127];
            Arrays.fill(runs, 200);
            w.ack(1_000_000, 5, 1, runs, 127);
            w.packetNumber(77);
            w.maxStreamData(1L << 61, 1L << 61);
            w.reset(1, -1, 1L << 61);
            w.stop(1L << 61, -1);
            w.message(Bytes.copyOf(new byte[30]));
            w.datagram(1L << 61, Bytes.copyOf(new byte[40]));
            assertThat(w.room()).isNotNegative();
            assertThat(read(buf, 0, w.length())).isNotNull();
        }
    }

    @Test
    void aDatagramThatLeavesItsOverheadFitsAPacketByItself() {
        FramesWriter w = new FramesWriter();
        for (int max : new int[] {100, 1_171, 1_420, 1_900}) {
            w.begin(buf, 0, max);
            w.packetNumber(1L << 62);
            Bytes data = Bytes.copyOf(new byte[max - Frames.DATAGRAM_OVERHEAD_BYTES]);
            assertThat(w.datagram(1L << 62, data)).as("room %d", max).isTrue();
            w.begin(buf, 0, max);
            w.packetNumber(1L << 62);
            assertThat(w.datagram(1L << 62, Bytes.copyOf(new byte[max]))).isFalse();
            assertThat(w.room()).isEqualTo(max - 10);
        }
    }

    @Test
    void aControlPacketIsKnownByItsFirstByte() {
        byte[] control = mcc.wire.pb.Frames.newBuilder()
                .setControl(Control.newBuilder().setKeepalive(true))
                .build()
                .toByteArray();
        assertThat(Frames.isControl(control, 0, control.length)).isTrue();
        assertThat(Frames.isControl(control, 0, 0)).isFalse();
        byte[] other =
                mcc.wire.pb.Frames.newBuilder().setPacketNumber(1).build().toByteArray();
        assertThat(Frames.isControl(other, 0, other.length)).isFalse();
    }

    @Test
    void aControlPacketOfAnyLengthIsTakenApart() {
        for (int n : new int[] {0, 1, 126, 127, 128, 129, 1_420, 16_383}) {
            byte[] packet = Frames.control(new byte[n]);
            int at = Frames.controlOffset(packet, 0, packet.length);
            assertThat(packet.length - at).isEqualTo(n);
            assertThat(Frames.controlOffset(packet, 0, packet.length - 1)).isEqualTo(-1);
        }
        assertThat(Frames.controlOffset(new byte[] {0x7a, (byte) 0x80, (byte) 0x80, 1}, 0, 4))
                .isEqualTo(-1);
        assertThat(Frames.controlOffset(new byte[] {0x7a, (byte) 0x80}, 0, 2)).isEqualTo(-1);
    }

    @Test
    void unknownFieldsAreSkippedAndBrokenOnesRefused() {
        FramesReader r = new FramesReader();
        byte[] unknown = {8, 5, (byte) 0xf8, 1, 7, (byte) 0xfa, 1, 2, 0, 0, 80, 1};
        r.begin(unknown, 0, unknown.length);
        assertThat(r.next()).isTrue();
        assertThat(r.next()).isTrue();
        assertThat(r.kind()).isEqualTo(Frames.PING);
        assertThat(r.next()).isFalse();
        assertThat(r.malformed()).isFalse();
        for (byte[] bad : new byte[][] {{8}, {10, 0}, {34, 5, 8, 1}, {18, 2, 8, 1}, {18, 6, 8, 1, 26, 2, 1, 1}, {11}}) {
            r.begin(bad, 0, bad.length);
            while (r.next()) continue;
            assertThat(r.malformed()).as(Arrays.toString(bad)).isTrue();
        }
    }

    @Test
    void randomBytesNeverThrow() {
        FramesReader r = new FramesReader();
        FramesWriter w = new FramesWriter();
        for (int i = 0; i < 30_000; i++) {
            int n = rng.below(80);
            if (i % 2 == 0) {
                System.arraycopy(rng.bytes(n), 0, buf, 0, n);
            } else {
                w.begin(buf, 0, 3_500);
                random(w);
                n = rng.below(w.length() + 1);
                if (n > 0) buf[rng.below(n)] ^= (byte) (1 << rng.below(8));
            }
            r.begin(buf, 0, n);
            while (r.next()) {
                if (r.kind() == Frames.STREAM || r.kind() == Frames.DATAGRAM)
                    assertThat(r.dataAt() + r.dataLength()).isLessThanOrEqualTo(n);
            }
        }
    }
}
