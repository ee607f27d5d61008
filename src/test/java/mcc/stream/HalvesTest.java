package mcc.stream;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import mcc.core.Core;
import org.junit.jupiter.api.Test;

class HalvesTest {
    private static final long MS = 1_000_000;
    private final byte[] buf = new byte[100_000];

    @Test
    void onlyWhatIsNotAcknowledgedIsSentAgain() {
        ByteWindow.Pool pool = new ByteWindow.Pool(new ArrayDeque<>());
        SendHalf send = new SendHalf(pool, 1_000_000);
        send.write(buf, 0, 50_000);
        send.finish();
        assertThat(send.send(0, 50_000, true, buf, 0)).isEqualTo(50_000);
        send.onAcked(10_000, 5_000, false);
        send.onAcked(30_000, 1_000, false);
        send.onLost(0, 50_000, true);
        long again = 0;
        while (send.hasLost()) {
            long offset = send.nextOffset();
            int length = Math.min(1_000, send.nextLength(0));
            assertThat(send.send(offset, length, send.endsAt(offset + length), buf, 0))
                    .isZero();
            again += length;
        }
        assertThat(again).isEqualTo(44_000);
        send.onAcked(0, 50_000, false);
        assertThat(pool.usedBytes()).isZero();
        assertThat(send.isDone()).isFalse();
        send.onAcked(50_000, 0, true);
        assertThat(send.isDone()).isTrue();
    }

    @Test
    void whatWasLostTwiceIsSentTwice() {
        SendHalf send = new SendHalf(new ByteWindow.Pool(new ArrayDeque<>()), 1_000_000);
        send.write(buf, 0, 3_000);
        send.send(0, 3_000, false, buf, 0);
        send.onLost(1_000, 1_000, false);
        send.send(1_000, 1_000, false, buf, 0);
        assertThat(send.hasLost()).as("lost once").isFalse();
        send.onLost(1_000, 1_000, false);
        send.send(1_000, 1_000, false, buf, 0);
        assertThat(send.nextOffset()).as("lost twice").isEqualTo(1_000);
        assertThat(send.nextLength(0)).isEqualTo(1_000);
        send.send(1_000, 1_000, false, buf, 0);
        assertThat(send.hasLost()).isFalse();
        send.onLost(1_000, 1_000, false);
        send.onAcked(1_000, 1_000, false);
        assertThat(send.hasLost()).as("one of the two arrived").isFalse();
        send.onLost(1_000, 1_000, false);
        assertThat(send.hasLost()).as("the other did not").isFalse();
    }

    @Test
    void creditIsGivenByEighthsOfAWindowThatIsWide() {
        ReceiveHalf receive = new ReceiveHalf(new ByteWindow.Pool(new ArrayDeque<>()), 80_000);
        assertThat(receive.grant(80_000)).isFalse();
        for (int at = 0; at < 400_000; at += 10_000) {
            assertThat(receive.refusal(at, 10_000, false)).isNull();
            receive.onData(at, 10_000, false, buf, 0);
            receive.read(buf, 0, 9_999);
            assertThat(receive.grant(80_000)).as("less than an eighth").isFalse();
            receive.read(buf, 0, 1);
            assertThat(receive.grant(80_000)).isTrue();
            assertThat(receive.creditBytes()).isEqualTo(at + 90_000);
        }
    }

    @Test
    void chunksAreFoundAgainWhateverTheOrderOfArrival() {
        ByteWindow.Pool pool = new ByteWindow.Pool(new ArrayDeque<>());
        ByteWindow window = new ByteWindow(pool);
        for (int chunk : new int[] {9, 8, 5, 2, 20, 0, 1, 3}) {
            window.write((long) chunk * ByteWindow.CHUNK_BYTES, new byte[] {(byte) chunk}, 0, 1);
        }
        for (int chunk : new int[] {9, 8, 5, 2, 20, 0, 1, 3}) {
            window.read((long) chunk * ByteWindow.CHUNK_BYTES, buf, 0, 1);
            assertThat(buf[0]).isEqualTo((byte) chunk);
        }
        window.release(8 * ByteWindow.CHUNK_BYTES, false);
        assertThat(pool.usedBytes()).isEqualTo(3 * ByteWindow.CHUNK_BYTES);
        window.release(0, true);
        assertThat(pool.usedBytes()).isZero();
    }

    @Test
    void acknowledgementsAreSoonAtFirstAndSeldomLater() {
        Acks acks = new Acks();
        var out = new mcc.wire.FramesWriter();
        long number = 0;
        for (int i = 0; i < 50; i++) {
            acks.onPacket(0, ++number, true, false, false, 40 * MS);
            assertThat(acks.isDue(0)).isFalse();
            assertThat(acks.deadlineNs()).isEqualTo(10 * MS);
            acks.onPacket(0, ++number, true, false, false, 40 * MS);
            assertThat(acks.isDue(0)).isTrue();
            out.begin(buf, 0, 1_000);
            assertThat(acks.write(0, out)).isEqualTo(number);
        }
        for (int i = 0; i < 9; i++) acks.onPacket(0, ++number, true, false, false, 400 * MS);
        assertThat(acks.isDue(0)).isFalse();
        assertThat(acks.deadlineNs()).isEqualTo(25 * MS);
        acks.onPacket(0, ++number, true, false, false, 400 * MS);
        assertThat(acks.deadlineNs()).as("ten packets").isEqualTo(MS);
        acks.write(0, out);
        acks.onPacket(0, number + 2, true, false, false, 400 * MS);
        assertThat(acks.deadlineNs()).as("after a gap").isEqualTo(MS);
        acks.write(0, out);
        acks.onPacket(0, number + 3, false, false, false, 400 * MS);
        assertThat(acks.deadlineNs()).as("asked for nothing").isEqualTo(Core.NEVER);
        acks.onPacket(0, number + 4, true, false, true, 400 * MS);
        assertThat(acks.isDue(0)).as("an end").isTrue();
        assertThat(acks.isNew(number + 1)).isTrue();
        assertThat(acks.isNew(number + 2)).isFalse();
    }
}
