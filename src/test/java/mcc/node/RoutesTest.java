package mcc.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import mcc.core.Address;
import mcc.core.Rng;
import org.junit.jupiter.api.Test;

/** The default route as Linux tells it. */
class RoutesTest {
    private static final String HEAD =
            "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT";

    private static Routes.Default best(String... lines) {
        return Routes.defaultRoute(List.of(lines), "mcc0");
    }

    @Test
    void theBestDefaultRouteCounts() {
        String wlan = "wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0";
        String eth = "eth0\t00000000\t0102A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0";
        String lan = "eth0\t0002A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0";
        assertThat(best(HEAD, wlan, eth, lan)).isEqualTo(new Routes.Default("eth0", Address.parse("192.168.2.1:0")));
        assertThat(best(HEAD, wlan)).isEqualTo(new Routes.Default("wlan0", Address.parse("192.168.1.1:0")));
    }

    @Test
    void whatHasNoGatewayOrIsOursDoesNotCount() {
        assertThat(best(HEAD, "tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0"))
                .isNull();
        assertThat(best(HEAD, "mcc0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0"))
                .isNull();
        assertThat(best(HEAD, "eth0\t00000000\t0101A8C0\t0002\t0\t0\t0\t00000000\t0\t0\t0"))
                .as("down")
                .isNull();
        assertThat(best(HEAD, "eth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000080\t0\t0\t0"))
                .as("half of all")
                .isNull();
    }

    @Test
    void anythingElseIsNoRoute() {
        Rng rng = Rng.seeded(4);
        for (int i = 0; i < 2_000; i++) {
            StringBuilder line = new StringBuilder("eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0");
            for (int n = rng.below(4); n >= 0; n--)
                line.setCharAt(rng.below(line.length()), (char) (32 + rng.below(90)));
            best(HEAD, line.toString(), "", "x");
        }
    }
}
