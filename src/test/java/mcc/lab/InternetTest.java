package mcc.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import mcc.core.Address;
import org.junit.jupiter.api.Test;

/** The internet of the lab, by a clock of the test's. */
class InternetTest {
    private static final long MS = 1_000_000;
    private static final Address HOST = Address.parse("10.1.0.2:5000");
    private static final Address OTHER = Address.parse("10.1.0.3:5000");
    private static final Address A = Address.parse("203.0.113.1:1000");
    private static final Address B = Address.parse("198.18.0.1:1000");

    private final Internet internet = new Internet(3);
    private final Internet.Edge a = internet.join(A);
    private final Internet.Edge b = internet.join(B);
    private final Internet.Edge site = internet.join(Address.parse("198.51.100.1:0"));
    private long nowNs;

    InternetTest() {
        internet.own(site, HOST, false);
        internet.own(site, OTHER, false);
    }

    /** What arrived, when it did. */
    private record Arrived(long atMs, Address from, Address to, String text) {}

    private void send(Address from, Address to, String text) {
        send(64, from, to, text);
    }

    private void send(int life, Address from, Address to, String text) {
        byte[] packet = PacketTest.packet(Packet.UDP, from, to, text.getBytes(StandardCharsets.US_ASCII));
        packet[8] = (byte) life;
        internet.offer(nowNs, packet, packet.length);
    }

    private List<Arrived> drain() {
        List<Arrived> out = new ArrayList<>();
        try {
            while (internet.deadlineNs() != Long.MAX_VALUE) {
                nowNs = Math.max(nowNs, internet.deadlineNs());
                while (internet.poll(
                        nowNs,
                        (p, n) -> out.add(new Arrived(
                                nowNs / MS,
                                Packet.source(p),
                                Packet.destination(p),
                                new String(Arrays.copyOfRange(p, 28, n), StandardCharsets.US_ASCII))))) {}
            }
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
        return out;
    }

    private Address mapped(Address inside, Address to) {
        send(inside, to, "");
        List<Arrived> got = drain();
        assertThat(got).hasSize(1);
        return got.getFirst().from;
    }

    @Test
    void aLinkHasADelayInEachDirectionAndOneMayBeBlack() {
        internet.shapeAll("delay-us=25000");
        internet.shape(a, b, "delay-us=100000");
        send(A, B, "there");
        send(B, A, "back");
        assertThat(drain()).containsExactly(new Arrived(25, B, A, "back"), new Arrived(100, A, B, "there"));
        internet.shape(a, b, "loss-ppm=1000000");
        send(A, B, "there");
        send(B, A, "back");
        assertThat(drain()).extracting(Arrived::text).containsExactly("back");
        assertThat(internet.arrived(a, b)).isEqualTo(1);
        assertThat(internet.arrived(b, a)).isEqualTo(2);
    }

    @Test
    void whoHasNoAddressOfThisInternetIsNotHeardAndNotReached() {
        send(Address.parse("192.0.2.9:1"), A, "from nobody");
        send(A, Address.parse("192.0.2.9:1"), "to nobody");
        send(A, HOST, "to a private address");
        send(HOST, A, "from a private address, without a NAT");
        internet.offer(nowNs, new byte[3], 3);
        assertThat(drain()).isEmpty();
        assertThat(internet.dropped()).isEqualTo(5);
        assertThatThrownBy(() -> internet.own(a, B, true)).hasMessageContaining("198.18.0.1 is taken");
    }

    @Test
    void aNatAtTheEdgeTranslatesOutAtOnceAndInWhenThePacketIsThere() {
        internet.translate(site, NatKind.PORT_RESTRICTED.box());
        internet.shapeAll("delay-us=25000");
        Address outside = mapped(HOST, A);
        assertThat(outside.host()).isEqualTo("198.51.100.1");
        send(A, outside, "an answer");
        send(B, outside, "too early by its way");
        assertThat(drain())
                .extracting(Arrived::to, Arrived::text)
                .containsExactly(org.assertj.core.groups.Tuple.tuple(HOST, "an answer"));
        assertThat(internet.refused(b, site)).isEqualTo(1);
        send(B, outside, "meets what was sent since");
        send(HOST, B, "");
        assertThat(drain()).extracting(Arrived::text).contains("meets what was sent since");
        assertThat(internet.mappings(site)).isEqualTo(1);
    }

    @Test
    void hostsBehindOneNatMeetByOutsideAddressesWhereItHairpins() {
        for (NatKind kind : List.of(NatKind.HAIRPIN, NatKind.PORT_RESTRICTED)) {
            internet.translate(site, kind.box());
            Address mine = mapped(HOST, A);
            Address theirs = mapped(OTHER, A);
            send(OTHER, mine, "opens");
            send(HOST, theirs, "hairpin");
            assertThat(drain().stream().map(Arrived::text).toList().contains("hairpin"))
                    .isEqualTo(kind == NatKind.HAIRPIN);
        }
    }

    @Test
    void aRestartForgetsAndTimeCanBeLetPass() {
        internet.translate(site, NatKind.FIXED_AGE.box());
        Address first = mapped(HOST, A);
        for (int i = 0; i < 5; i++) {
            internet.age(100_000 * MS);
            assertThat(mapped(HOST, A)).isEqualTo(first);
        }
        internet.age(100_000 * MS);
        Address second = mapped(HOST, A);
        assertThat(second).isNotEqualTo(first);
        internet.restart(site);
        send(A, second, "too late");
        assertThat(drain()).isEmpty();
    }

    @Test
    void aPacketWhoseLifeEndsOnTheWayDoesNothingToTheNatAtItsEnd() {
        internet.translate(site, NatKind.PORT_RESTRICTED_OPEN.box());
        Address outside = mapped(HOST, A);
        send(Internet.HOPS + 1, B, outside, "short-lived");
        assertThat(drain()).isEmpty();
        assertThat(mapped(HOST, B)).isEqualTo(outside);
        Address next = mapped(OTHER, A);
        send(Internet.HOPS + 2, B, next, "long-lived");
        assertThat(drain()).isEmpty();
        assertThat(mapped(OTHER, B)).as("a stray was taken").isNotEqualTo(next);
    }

    @Test
    void twoCustomersOfACarrierHaveOneNat() {
        Internet.Edge second = internet.join(Address.parse("192.0.2.1:0"));
        Address customer = Address.parse("100.64.2.1:5000");
        internet.own(second, customer, false);
        internet.translate(site, NatKind.CARRIER.box());
        internet.share(second, site);
        Address one = mapped(HOST, A);
        Address two = mapped(customer, A);
        assertThat(one.sameIp(two)).isTrue();
        assertThat(one).isNotEqualTo(two);
        send(A, two, "to the second");
        assertThat(drain()).extracting(Arrived::to).containsExactly(customer);
        internet.translate(site, null);
        send(customer, A, "the carrier is gone");
        assertThat(drain()).isEmpty();
    }
}
