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
                Ports.of(60_000, Provider.Protocol.HTTP),
                1_000,
                1_000,
                List.of("t".repeat(32), "u".repeat(24)),
                meta,
                "o".repeat(63),
                "s".repeat(63));
        assertThat(Provider.labelsBytes(provider.tags(), meta, provider.ports()))
                .isEqualTo(Provider.LABELS_BYTES);
        Bytes encoded = provider.encode();
        assertThat(encoded.size()).isLessThanOrEqualTo(Limits.BODY_BYTES);
        assertThat(Provider.parse(provider.endpoint(), encoded)).isEqualTo(provider);
    }

    @Test
    void relaysTakeTheRoomOfTheLastAddresses() {
        List<Contact> relays = List.of(
                new Contact(Id.random(rng), List.of(v6(5), v6(6))), new Contact(Id.random(rng), List.of(v6(7), v6(8))));
        List<Address> addresses = List.of(v6(1), v6(2), v6(3), v6(4));
        Provider small = provider(Provider.Protocol.TCP, Ports.of(80, Provider.Protocol.TCP), List.of())
                .at(addresses, relays);
        assertThat(small.addresses()).isEqualTo(addresses);
        assertThat(small.relays())
                .extracting(Contact::node)
                .containsExactly(relays.get(0).node(), relays.get(1).node());
        assertThat(small.relays().getFirst().addresses()).containsExactly(v6(5));
        assertThat(Provider.parse(small.endpoint(), small.encode())).isEqualTo(small);
        List<String> tags = List.of("t".repeat(32), "u".repeat(32), "v".repeat(32), "w".repeat(32), "x".repeat(16));
        Provider large = provider(Provider.Protocol.TCP, most(), tags).at(addresses, relays);
        assertThat(large.encode().size()).isLessThanOrEqualTo(Limits.BODY_BYTES);
        assertThat(large.addresses()).containsExactly(v6(1));
        assertThat(large.relays()).hasSize(2);
        assertThat(Provider.parse(large.endpoint(), large.encode())).isEqualTo(large);
    }

    private Provider provider(Provider.Protocol protocol, Ports ports, List<String> tags) {
        return new Provider(
                Id.random(rng),
                Id.random(rng),
                Id.random(rng),
                List.of(v6(1), v6(2), v6(3), v6(4)),
                protocol,
                ports,
                1_000,
                1_000,
                tags,
                Map.of(),
                "o".repeat(63),
                "s".repeat(63));
    }

    private static Ports most() {
        List<Ports.Range> ranges = new java.util.ArrayList<>();
        for (int i = 0; i < Ports.RANGES_MAX; i++) {
            ranges.add(new Ports.Range(60_000 + 64 * i, 60_063 + 64 * i, Provider.Protocol.TCP));
        }
        return new Ports(ranges);
    }

    @Test
    void portsRoundTripAndFitARecordHoweverMany() {
        List<String> tags = List.of("t".repeat(32), "u".repeat(32), "v".repeat(32), "w".repeat(32), "x".repeat(16));
        Provider provider = provider(Provider.Protocol.TCP, most(), tags);
        assertThat(Provider.labelsBytes(tags, Map.of(), most())).isGreaterThan(Provider.LABELS_BYTES - 20);
        Bytes encoded = provider.encode();
        assertThat(encoded.size()).isLessThanOrEqualTo(Limits.BODY_BYTES);
        assertThat(Provider.parse(provider.endpoint(), encoded)).isEqualTo(provider);
    }

    @Test
    void aRecordOfAnEarlierNodeTellsNoPortsAndAnEarlierNodeReadsOursByTheFirst() throws Exception {
        Provider old = provider(Provider.Protocol.UDP, Ports.UNKNOWN, List.of());
        Provider read = Provider.parse(old.endpoint(), old.encode());
        assertThat(read).isEqualTo(old);
        assertThat(read.has(true, 53)).as("as far as is known").isTrue();
        assertThat(read.has(false, 53)).isFalse();
        Ports both = new Ports(List.of(
                new Ports.Range(53, 53, Provider.Protocol.UDP), new Ports.Range(53, 53, Provider.Protocol.TCP)));
        Bytes ours = provider(Provider.Protocol.UDP, both, List.of()).encode();
        var skipping =
                mcc.wire.pb.Provider.parseFrom(ours.toArray()).toBuilder().clearPorts();
        Provider seen =
                Provider.parse(old.endpoint(), Bytes.owning(skipping.build().toByteArray()));
        assertThat(seen.protocol()).isEqualTo(Provider.Protocol.UDP);
    }

    @Test
    void portsThatContradictThemselvesAreNone() {
        Provider provider = provider(Provider.Protocol.TCP, Ports.of(80, Provider.Protocol.TCP), List.of());
        for (int[] bad : new int[][] {{0, 0}, {80, 70}, {70_000, 0}, {1, 2_000}, {-1, 0}, {80, 0}}) {
            var pb = mcc.wire.pb.Provider.newBuilder();
            try {
                pb.mergeFrom(provider.encode().toArray());
            } catch (com.google.protobuf.InvalidProtocolBufferException e) {
                throw new AssertionError(e);
            }
            pb.addPortsBuilder().setPort(bad[0]).setEndPort(bad[1]).setProtocol(mcc.wire.pb.Provider.Protocol.TCP);
            assertThat(Provider.parse(
                            provider.endpoint(), Bytes.owning(pb.build().toByteArray())))
                    .as(bad[0] + "-" + bad[1])
                    .isNull();
        }
    }

    @Test
    void randomAndFlippedBytesNeverThrow() {
        Provider provider = new Provider(
                Id.random(rng),
                Id.random(rng),
                Id.random(rng),
                List.of(v6(1)),
                Provider.Protocol.UDP,
                new Ports(List.of(
                        new Ports.Range(53, 53, Provider.Protocol.UDP),
                        new Ports.Range(50_000, 50_100, Provider.Protocol.TCP))),
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
