package mcc.carrier;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import mcc.core.Rng;
import mcc.crypto.Identity;
import org.junit.jupiter.api.Test;

class GateTest {
    private static final String KEY = Identity.fromSeed(new byte[32]).id().toString();

    @Test
    void whatIsLeftOutIsTheUsual() {
        Gate gate = Gate.parse("wss://relay.example.org");
        assertThat(gate).isEqualTo(new Gate(true, "relay.example.org", 443, "/mcc", null));
        assertThat(gate.url()).isEqualTo("wss://relay.example.org");
        assertThat(Gate.parse("ws://192.0.2.1/").port()).isEqualTo(80);
    }

    @Test
    void allPartsAreRead() {
        Gate gate = Gate.parse("wss://[2001:db8::1]:8443/a/b?c=d#" + KEY);
        assertThat(gate.host()).isEqualTo("2001:db8::1");
        assertThat(gate.port()).isEqualTo(8_443);
        assertThat(gate.path()).isEqualTo("/a/b?c=d");
        assertThat(gate.key().toString()).isEqualTo(KEY);
        assertThat(gate.url()).isEqualTo("wss://[2001:db8::1]:8443/a/b?c=d");
        assertThat(Gate.parse(gate.toString())).isEqualTo(gate);
    }

    @Test
    void anythingElseIsRefused() {
        for (String text : new String[] {
            "",
            "wss",
            "wss:",
            "wss://",
            "ws:/host",
            "https://host",
            "ws:://host",
            "wss://host:0",
            "wss://host:65536",
            "wss://host:x",
            "wss://user:password@host",
            "wss://ho st",
            "wss://[::1",
            "wss://::1",
            "wss://[host]",
            "wss://host/a b",
            "wss://host/\r\nX: y",
            "wss://host#",
            "wss://host#" + KEY.toUpperCase(java.util.Locale.ROOT),
            "wss://" + "h".repeat(600),
        }) assertThat(Gate.parse(text)).as(text).isNull();
    }

    @Test
    void noTextMakesItThrow() {
        Rng rng = Rng.seeded(7);
        String alphabet = "ws:/[]#@.0129a-%\u00e4 " + KEY;
        for (int i = 0; i < 50_000; i++) {
            StringBuilder text = new StringBuilder(rng.chance(500_000) ? "wss://" : "");
            for (int n = rng.below(24); n > 0; n--) text.append(alphabet.charAt(rng.below(alphabet.length())));
            Gate gate = Gate.parse(text.toString());
            if (gate == null) continue;
            assertThat(Gate.parse(gate.toString())).as(text.toString()).isEqualTo(gate);
            assertThat(gate.path().getBytes(StandardCharsets.US_ASCII))
                    .hasSize(gate.path().length());
        }
    }
}
