package mcc.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import mcc.core.Rng;
import org.junit.jupiter.api.Test;

/** What a client of the proxy sends, in chunks of any size; and garbage. */
class SocksReaderTest {
    static byte[] wish(int command, String name, int port) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(new byte[] {5, (byte) command, 0, 3, (byte) name.length()});
        out.writeBytes(name.getBytes(StandardCharsets.US_ASCII));
        out.writeBytes(new byte[] {(byte) (port >>> 8), (byte) port});
        return out.toByteArray();
    }

    @Test
    void aRequestIsReadWhateverTheChunksAndWhatComesBehindItIsKept() {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.writeBytes(new byte[] {5, 2, 1, 0});
        all.writeBytes(wish(SocksReader.CONNECT, "web.open.mcc", 8_080));
        all.writeBytes("GET /".getBytes(StandardCharsets.US_ASCII));
        byte[] bytes = all.toByteArray();
        for (int chunk = 1; chunk <= bytes.length; chunk++) {
            SocksReader reader = new SocksReader();
            List<SocksReader.Said> said = new ArrayList<>();
            for (int at = 0; at < bytes.length; at += chunk) {
                byte[] part = java.util.Arrays.copyOfRange(bytes, at, Math.min(bytes.length, at + chunk));
                reader.take(part, part.length);
                for (SocksReader.Said next; said.size() < 2 && (next = reader.next()) != null; ) said.add(next);
            }
            assertThat(said).hasSize(2);
            assertThat(said.get(0)).isEqualTo(new SocksReader.Said.Hello(true));
            var wish = (SocksReader.Said.Wish) said.get(1);
            assertThat(wish.command()).isEqualTo(SocksReader.CONNECT);
            assertThat(wish.name()).isEqualTo("web.open.mcc");
            assertThat(wish.port()).isEqualTo(8_080);
            assertThat(reader.rest()).asString(StandardCharsets.US_ASCII).isEqualTo("GET /");
        }
    }

    @Test
    void addressesOfEitherFamilyAreRead() {
        SocksReader reader = new SocksReader();
        reader.take(new byte[] {5, 1, 2, 5, 1, 0, 1, 127, 0, 0, 1, 0, 80}, 13);
        assertThat(reader.next()).isEqualTo(new SocksReader.Said.Hello(false));
        assertThat(((SocksReader.Said.Wish) reader.next()).ip()).containsExactly(127, 0, 0, 1);
        reader.take(new byte[] {5, 1, 0, 9, 0}, 5);
        assertThat(reader.next())
                .as("a kind of address that there is not")
                .isInstanceOf(SocksReader.Said.Nonsense.class);
    }

    @Test
    void garbageThrowsNothing() {
        Rng rng = Rng.seeded(11);
        for (int i = 0; i < 20_000; i++) {
            byte[] bytes = rng.bytes(rng.below(600));
            if (bytes.length > 0 && rng.below(2) == 0) bytes[0] = 5;
            SocksReader reader = new SocksReader();
            reader.take(bytes, bytes.length);
            for (int n = 0; n < 3 && reader.next() != null; n++) continue;
            SocksDatagram.parse(bytes);
        }
    }

    @Test
    void aDatagramGoesThereAndBackUnderTheSameName() {
        byte[] out = SocksDatagram.from("dns.open.mcc", 53, new byte[] {1, 2, 3});
        SocksDatagram datagram = SocksDatagram.parse(out);
        assertThat(datagram.name()).isEqualTo("dns.open.mcc");
        assertThat(datagram.port()).isEqualTo(53);
        assertThat(datagram.bytes()).containsExactly(1, 2, 3);
        out[2] = 1;
        assertThat(SocksDatagram.parse(out)).as("a fragment").isNull();
        assertThat(SocksDatagram.parse(new byte[] {0, 0, 0, 1, 127, 0, 0, 1, 0, 53}))
                .as("an address")
                .isNull();
    }
}
