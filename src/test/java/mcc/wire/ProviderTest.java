package mcc.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.Id;
import mcc.core.Rng;
import org.junit.jupiter.api.Test;

class ProviderTest {
    private final Rng rng = Rng.seeded(12);

    @Test
    void theLargestProviderRoundTripsAndFitsARecord() {
        Map<String, String> meta = new LinkedHashMap<>();
        for (int i = 0; i < 4; i++) meta.put("k" + i, "v".repeat(64));
        List<Address> addresses = List.of(v6(1), v6(2), v6(3), v6(4));
        Provider provider = new Provider(
                Id.random(rng),
                Id.random(rng),
                Id.random(rng),
                addresses,
                Provider.Protocol.HTTP,
                1_000,
                1_000,
                List.of("t".repeat(32), "u".repeat(24)),
                meta,
                "o".repeat(63),
                "s".repeat(63));
        assertThat(Provider.labelsBytes(provider.tags(), meta)).isEqualTo(Provider.LABELS_BYTES);
        Bytes encoded = provider.encode();
        assertThat(encoded.size()).isLessThanOrEqualTo(Limits.BODY_BYTES);
        assertThat(Provider.parse(provider.endpoint(), encoded)).isEqualTo(provider);
    }

    @Test
    void randomAndFlippedBytesNeverThrow() {
        Provider provider = new Provider(
                Id.random(rng),
                Id.random(rng),
                Id.random(rng),
                List.of(v6(1)),
                Provider.Protocol.UDP,
                1,
                0,
                List.of("a"),
                Map.of("b", "c"),
                "open",
                "web");
        int parsed = 0;
        for (int i = 0; i < 20_000; i++) {
            byte[] bytes =
                    i % 2 == 0 ? rng.bytes(rng.below(150)) : provider.encode().toArray();
            if (bytes.length > 0) bytes[rng.below(bytes.length)] ^= (byte) (1 << rng.below(8));
            if (Provider.parse(provider.endpoint(), Bytes.owning(bytes)) != null) parsed++;
        }
        assertThat(parsed).isBetween(1, 10_000);
    }

    private static Address v6(int low) {
        return new Address(0x20010db8_00000000L, low, 60_000);
    }
}
