package mcc.session;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.InvalidProtocolBufferException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import mcc.core.Address;
import mcc.core.Rng;
import mcc.crypto.Aead;
import mcc.wire.Transport;
import mcc.wire.pb.Datagram;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SessionTest {
    private static final long SECOND = 1_000_000_000L;
    private final Rng rng = Rng.seeded(11);

    private Session[] pair(Aead.Suite suite) {
        byte[] a = rng.bytes(32);
        byte[] b = rng.bytes(32);
        return new Session[] {
            new Session(0, new byte[][] {a.clone(), b.clone()}, suite, true, 0xa1b2c3d4, 0x01020304),
            new Session(0, new byte[][] {a.clone(), b.clone()}, suite, false, 0x01020304, 0xa1b2c3d4)
        };
    }

    @ParameterizedTest
    @EnumSource
    void whatIsSealedOpensOnceAndOnlyUnchanged(Aead.Suite suite) {
        Session[] s = pair(suite);
        byte[] text = rng.bytes(700);
        byte[] out = new byte[1200];
        byte[] back = new byte[1200];
        int n = s[0].seal(Transport.FRAMES, text, 0, text.length, out, 3);
        assertThat(n).isEqualTo(text.length + 29);
        assertThat(Transport.isWellFormed(out, 3, n)).isTrue();
        assertThat(Transport.receiver(out, 3)).isEqualTo(0x01020304);
        for (int i = 10; i < n; i++) {
            if (i == 11 || i == 12) continue; // the length is checked by isWellFormed
            byte[] bad = out.clone();
            bad[3 + i] ^= 1;
            assertThat(s[1].open(bad, 3, n, back, 0)).isEqualTo(Session.FORGED);
        }
        assertThat(s[1].open(out, 3, n, back, 0)).isEqualTo(text.length);
        assertThat(Arrays.copyOf(back, text.length)).isEqualTo(text);
        assertThat(s[1].open(out, 3, n, back, 0)).isEqualTo(Session.REPLAYED);
        assertThat(s[0].open(out, 3, n, back, 0)).as("not one's own").isEqualTo(Session.FORGED);
    }

    @Test
    void anyProtobufReaderCanTakeTheHeaderApart() throws InvalidProtocolBufferException {
        Session[] s = pair(Aead.Suite.AES_256_GCM);
        for (int length : new int[] {0, 1, 111, 112, 1171, 8000}) {
            byte[] out = new byte[length + 64];
            int n = s[0].seal(Transport.FRAMES, new byte[length], 0, length, out, 0);
            Datagram parsed = Datagram.parseFrom(Arrays.copyOf(out, n));
            assertThat(parsed.getReceiver()).isEqualTo(0x01020304);
            assertThat(parsed.getCounter()).isEqualTo((int) s[0].sent() - 1);
            assertThat(parsed.getFrames().size()).isEqualTo(length + 16);
            // Counter 0 is proto3's default, which the generated writer leaves out; all else is byte for byte equal.
            if (length >= 112) assertThat(parsed.toByteArray()).isEqualTo(Arrays.copyOf(out, n));
        }
    }

    @Test
    void onlyTheOneFormOfTheHeaderIsAccepted() {
        Session[] s = pair(Aead.Suite.AES_256_GCM);
        byte[] out = new byte[300];
        int n = s[0].seal(Transport.FRAMES, new byte[100], 0, 100, out, 0);
        for (int length = 0; length < n; length++)
            assertThat(Transport.isWellFormed(out, 0, length)).isFalse();
        for (int i : new int[] {0, 5, 10, 11, 12}) {
            byte[] bad = out.clone();
            bad[i] ^= 0x40;
            assertThat(Transport.isWellFormed(bad, 0, n)).as("byte " + i).isFalse();
        }
    }

    @Test
    void keysFallDueAndDie() {
        Session[] s = pair(Aead.Suite.AES_256_GCM);
        assertThat(s[0].isDue(119 * SECOND)).isFalse();
        assertThat(s[0].isDue(120 * SECOND)).isTrue();
        assertThat(s[1].isDue(134 * SECOND)).as("the responder waits longer").isFalse();
        assertThat(s[1].isDue(135 * SECOND)).isTrue();
        s[0].used(130 * SECOND);
        assertThat(s[0].isAlive(189 * SECOND)).isTrue();
        assertThat(s[0].isAlive(190 * SECOND)).isFalse();
        assertThat(s[1].isAlive(3599 * SECOND)).as("idle keys live an hour").isTrue();
        assertThat(s[1].isAlive(3600 * SECOND)).isFalse();
    }

    /** Against the obvious implementation: a set of all that was accepted. */
    @Test
    void theReplayWindowAcceptsEachCounterOnce() {
        for (int round = 0; round < 20; round++) {
            ReplayWindow window = new ReplayWindow();
            Set<Long> accepted = new HashSet<>();
            long base = 0;
            for (int i = 0; i < 20_000; i++) {
                if (rng.chance(1000)) base += rng.below(20_000);
                long counter = Math.max(0, base + rng.below(200) - 100);
                if (rng.chance(50_000)) counter = Math.max(0, base - rng.below(9000));
                base++;
                long newest = window.newest();
                boolean expected =
                        counter > newest || (newest - counter < ReplayWindow.USABLE && !accepted.contains(counter));
                assertThat(window.accept(counter)).isEqualTo(expected);
                if (expected) accepted.add(counter);
            }
        }
    }

    @Test
    void aCookieProvesOneAddressForAWhile() {
        Cookies cookies = new Cookies(Rng.seeded(1), 0);
        Address here = Address.parse("192.0.2.1:9376");
        Address there = Address.parse("192.0.2.1:9377");
        byte[] key = Cookies.mac1Key("open", rng.bytes(32));
        byte[] noise = rng.bytes(100);
        byte[] mac1 = Cookies.mac(key, 7, noise);
        byte[] salt = cookies.salt();
        byte[] box = cookies.reply(0, here, key, mac1, salt);
        byte[] cookie = Cookies.open(key, mac1, salt, box);
        assertThat(cookie).isNotNull();
        byte[] mac2 = Cookies.mac(cookie, 7, noise);
        assertThat(cookies.isProven(0, here, 7, noise, mac2)).isTrue();
        assertThat(cookies.isProven(0, there, 7, noise, mac2))
                .as("another port")
                .isFalse();
        assertThat(cookies.isProven(0, here, 8, noise, mac2))
                .as("another initiation")
                .isFalse();
        assertThat(cookies.isProven(0, here, 7, noise, new byte[0])).isFalse();
        assertThat(Cookies.open(key, rng.bytes(16), salt, box))
                .as("not the answer to this mac1")
                .isNull();
        assertThat(cookies.isProven(130 * SECOND, here, 7, noise, mac2))
                .as("one secret later")
                .isTrue();
        assertThat(cookies.isProven(260 * SECOND, here, 7, noise, mac2))
                .as("two secrets later")
                .isFalse();
    }
}
