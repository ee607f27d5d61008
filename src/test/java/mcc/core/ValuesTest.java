package mcc.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ValuesTest {
    private final Rng rng = Rng.seeded(7);

    @Test
    void anIdPrintsAndParsesBack() {
        for (int i = 0; i < 1000; i++) {
            Id id = Id.random(rng);
            assertThat(id.toString()).hasSize(Id.CHARS).matches("[a-z2-7]+");
            assertThat(Id.parse(id.toString())).isEqualTo(id);
            assertThat(Id.of(id.toBytes())).isEqualTo(id);
        }
    }

    @Test
    void oneIdHasOneSpelling() {
        String zero = Id.ZERO.toString();
        assertThat(Id.parse(zero)).isEqualTo(Id.ZERO);
        assertThat(Id.parse(zero.substring(0, 51) + "b"))
                .as("padding bits must be zero")
                .isNull();
        assertThat(Id.parse(zero.toUpperCase(java.util.Locale.ROOT))).isNull();
        assertThat(Id.parse("")).isNull();
    }

    @Test
    void distanceAgreesWithXorAndSharedBits() {
        for (int i = 0; i < 1000; i++) {
            Id a = Id.random(rng);
            Id b = Id.random(rng);
            Id c = Id.random(rng);
            assertThat(Integer.signum(a.compareDistance(b, c)))
                    .isEqualTo(Integer.signum(a.xor(b).compareTo(a.xor(c))));
            int shared = a.sharedBits(b);
            for (int bit = 0; bit < shared; bit++) assertThat(a.bit(bit)).isEqualTo(b.bit(bit));
            assertThat(a.bit(shared)).isNotEqualTo(b.bit(shared));
        }
        assertThat(Id.ZERO.sharedBits(Id.ZERO)).isEqualTo(256);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "192.0.2.1:9376",
                "[2001:db8::1]:80",
                "[::]:0",
                "[::1]:65535",
                "[2001:db8:0:1::]:1",
                "[1:2:3:4:5:6:7:8]:9",
                "[fe80::1:0:0:1]:5"
            })
    void anAddressPrintsAndParsesBack(String text) {
        Address address = Address.parse(text);
        assertThat(address).isNotNull();
        assertThat(address.toString()).isEqualTo(text);
        assertThat(Address.of(address.ip(), address.port())).isEqualTo(address);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ":",
                "1.2.3:4",
                "1.2.3.256:4",
                "1.2.3.4",
                "1.2.3.4:",
                "1.2.3.4:65536",
                "[::1]",
                "[:::1]:1",
                "[12345::]:1",
                "[1:2:3:4:5:6:7]:1",
                "::1:1",
                "[1::2::3]:1",
                "localhost:80",
                "[g::]:1"
            })
    void whatIsNoAddressIsRefused(String text) {
        assertThat(Address.parse(text)).isNull();
    }

    @ParameterizedTest
    @CsvSource({
        "127.0.0.1:1,true,true", "10.1.2.3:1,false,true", "172.31.0.1:1,false,true", "172.32.0.1:1,false,false",
        "100.64.0.1:1,false,true", "192.0.2.1:1,false,false", "[fd00::1]:1,false,true", "[fe80::1]:1,false,true",
        "[2001:db8::1]:1,false,false", "[::1]:1,true,true"
    })
    void addressesKnowTheirReach(String text, boolean loopback, boolean local) {
        Address address = Address.parse(text);
        assertThat(address.isLoopback()).isEqualTo(loopback);
        assertThat(address.isLocal()).isEqualTo(local);
    }

    /** RFC 8439 section 2.3.2 with the nonce and counter that this generator uses: appendix A.1, test vectors 1 and 2. */
    @Test
    void whatStandsForAWayIsNoAddressOfAHost() {
        for (int number : new int[] {0, 1, Integer.MAX_VALUE}) {
            Address carrier = Address.carrier(number);
            Address circuit = Address.circuit(number);
            assertThat(carrier.number()).isEqualTo(circuit.number()).isEqualTo(number);
            assertThat(carrier.isCarrier() && !carrier.isCircuit()).isTrue();
            assertThat(circuit.isCircuit() && !circuit.isCarrier()).isTrue();
            for (Address way : new Address[] {carrier, circuit}) {
                assertThat(way.isStandIn()).isTrue();
                assertThat(way.isUnicast() || way.isLocal() || way.isV4()).isFalse();
                assertThat(Address.parse(way.toString())).isNull();
            }
        }
        assertThat(Address.parse("192.0.2.1:1").isStandIn()).isFalse();
    }

    @Test
    void theRngIsChaCha20() {
        int[] out = new int[32];
        Rng.chacha20Block(new int[8], 0, out, 0);
        Rng.chacha20Block(new int[8], 1, out, 16);
        assertThat(out[0]).isEqualTo(0xade0b876);
        assertThat(out[15]).isEqualTo(0x8665eeb2);
        assertThat(out[16]).isEqualTo(0xbee7079f);
    }

    @Test
    void theRngReplaysAndSplitsIndependently() {
        Rng a = Rng.seeded(1);
        Rng b = Rng.seeded(1);
        Rng childA = a.split();
        Rng childB = b.split();
        for (int i = 0; i < 10; i++) b.nextInt();
        List<Integer> drawsA = new ArrayList<>();
        List<Integer> drawsB = new ArrayList<>();
        for (int i = 0; i < 500; i++) {
            drawsA.add(childA.below(10));
            drawsB.add(childB.below(10));
        }
        assertThat(drawsA).isEqualTo(drawsB);
        assertThat(drawsA).contains(0, 9).allMatch(v -> v >= 0 && v < 10);
    }

    @Test
    void countersOnlyGrowAndComeSorted() {
        Counters counters = new Counters();
        counters.add("b.x");
        counters.of("a.y").add(3);
        assertThat(counters.snapshot()).containsExactly(new Counters.Count("a.y", 3), new Counters.Count("b.x", 1));
        assertThat(counters.value("none")).isZero();
    }

    @Test
    void bytesCompareByContentAndHideIt() {
        Bytes a = Bytes.copyOf(new byte[] {1, 2, 3});
        assertThat(a).isEqualTo(Bytes.copyOf(new byte[] {0, 1, 2, 3}, 1, 3)).hasToString("Bytes[3]");
        a.toArray()[0] = 9;
        assertThat(a.at(0)).isEqualTo((byte) 1);
    }
}
