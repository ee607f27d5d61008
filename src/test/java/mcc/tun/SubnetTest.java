package mcc.tun;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import mcc.core.Id;
import mcc.core.Rng;
import org.junit.jupiter.api.Test;

class SubnetTest {
    private static final Id NODE = Id.random(Rng.seeded(5));
    private static final Id OTHER = Id.random(Rng.seeded(6));

    private static Subnet subnet(String text) {
        Subnet out = Subnet.parse(text);
        if (out == null) throw new AssertionError(text);
        return out;
    }

    private static InnerAddress address(String text) {
        return subnet(text + (text.contains(":") ? "/128" : "/32")).base();
    }

    @Test
    void theLongestPrefixTellsTheNextNode() {
        Subnets subnets = new Subnets(
                "net",
                List.of(
                        subnet("198.51.100.0/24@" + NODE),
                        subnet("198.51.100.64/26@" + OTHER),
                        subnet("2001:db8::/33@" + NODE),
                        subnet("2001:db8:0:1::4/126@" + OTHER),
                        subnet("192.0.2.0/24")));
        InnerAddress node = InnerAddress.of("net", NODE);
        InnerAddress other = InnerAddress.of("net", OTHER);
        assertThat(subnets.next(address("198.51.100.63"))).isEqualTo(node);
        assertThat(subnets.next(address("198.51.100.64"))).isEqualTo(other);
        assertThat(subnets.next(address("198.51.101.0"))).isNull();
        assertThat(subnets.next(address("2001:db8:7fff::1"))).isEqualTo(node);
        assertThat(subnets.next(address("2001:db8:8000::1"))).isNull();
        assertThat(subnets.next(address("2001:db8:0:1::7"))).isEqualTo(other);
        assertThat(subnets.next(address("2001:db8:0:1::8"))).isEqualTo(node);
        assertThat(subnets.next(address("192.0.2.1"))).as("behind this node").isNull();
    }

    @Test
    void aNetworkHoldsAddressesOfItsFamilyAlone() {
        Subnets subnets = new Subnets("net", List.of(subnet("::/1@" + NODE)));
        assertThat(subnets.next(address("2001:db8::1"))).isNotNull();
        assertThat(subnets.next(address("192.0.2.1"))).isNull();
    }

    @Test
    void whatIsNoNetworkIsNone() {
        for (String text : List.of(
                "",
                "192.0.2.0",
                "192.0.2.1/24",
                "192.0.2.0/33",
                "192.0.2.0/0",
                "0.0.0.0/0",
                "::/0",
                "2001:db8::/129",
                "2001:db8::1/64",
                "192.0.2.0/24@",
                "192.0.2.0/24@abc",
                "@" + NODE,
                "x/8",
                "192.0.2.0/-1",
                "/8",
                "2001:db8::/64/64")) {
            assertThat(Subnet.parse(text)).as(text).isNull();
        }
        assertThat(subnet("192.0.2.0/24").length()).isEqualTo(24);
        assertThat(subnet("2001:db8::/48").length()).isEqualTo(48);
    }
}
