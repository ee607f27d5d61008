package mcc.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.util.Map;
import mcc.node.Problem;
import mcc.node.Settings;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GuardTest {
    private static Guard guard(String token) {
        return new Guard(Settings.load(Map.of(), Map.of(), null), token);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "mcc_a-token-of-some-length"})
    void whoSaysNothingIsNobody(String token) {
        for (String said : new String[] {"Bearer ", "Bearer", "Bearer  ", ""}) {
            assertThatExceptionOfType(Problem.class)
                    .as("'%s'", said)
                    .isThrownBy(() -> guard(token).checkScope("admin", said))
                    .satisfies(p -> assertThat(p.code()).isEqualTo("unauthenticated"));
        }
    }

    @Test
    void whoSaysTheTokenIsTheAdministrator() {
        guard("mcc_a-token-of-some-length").checkScope("admin", "Bearer mcc_a-token-of-some-length");
    }
}
