package mcc.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import mcc.core.Rng;
import org.junit.jupiter.api.Test;

class CapsulesTest {
    @Test
    void datagramsComeOutAsTheyWentInWhateverTheChunks() {
        Rng rng = Rng.seeded(3);
        for (int round = 0; round < 200; round++) {
            List<byte[]> sent = new ArrayList<>();
            ByteArrayOutputStream stream = new ByteArrayOutputStream();
            for (int i = 0; i < 20; i++) {
                int[] sizes = {0, 1, 127, 128, 16_383, 16_384, Capsules.MAX_BYTES, rng.below(3_000)};
                byte[] data = rng.bytes(sizes[rng.below(sizes.length)]);
                sent.add(data);
                stream.writeBytes(Capsules.wrap(data));
            }
            List<byte[]> got = new ArrayList<>();
            Capsules capsules = new Capsules();
            byte[] all = stream.toByteArray();
            for (int at = 0; at < all.length; ) {
                int n = Math.min(all.length - at, 1 + rng.below(round < 20 ? 3 : 60_000));
                assertThat(capsules.take(Arrays.copyOfRange(all, at, at + n), n, got::add))
                        .isTrue();
                at += n;
                if (round < 20 && at > 2_000) break;
            }
            if (round < 20) continue;
            assertThat(got).hasSameSizeAs(sent);
            for (int i = 0; i < sent.size(); i++) assertThat(got.get(i)).isEqualTo(sent.get(i));
        }
    }

    @Test
    void aLengthBeyondWhatUdpHasIsRefused() {
        assertThat(new Capsules().take(new byte[] {-1, -1, 3}, 3, _ -> {})).isTrue();
        assertThat(new Capsules().take(new byte[] {-128, -128, 4}, 3, _ -> {})).isFalse();
        assertThat(new Capsules().take(new byte[] {-1, -1, -1}, 3, _ -> {})).isFalse();
    }

    @Test
    void randomBytesNeverThrow() {
        Rng rng = Rng.seeded(4);
        for (int i = 0; i < 5_000; i++) {
            Capsules capsules = new Capsules();
            for (int n = 0; n < 5; n++) {
                byte[] chunk = rng.bytes(rng.below(40));
                if (!capsules.take(chunk, chunk.length, _ -> {})) break;
            }
        }
    }
}
