package mcc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import mcc.node.Problem;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class RunVerbTest {
    private static RunVerb.Options parse(String line) {
        return RunVerb.parse(List.of(line.split(" ")), Map.of());
    }

    @Test
    void optionsBecomeKeysInEitherSpelling() {
        assertThat(parse("--http 127.0.0.1:0 --log-level=debug").values())
                .containsEntry("http", "127.0.0.1:0")
                .containsEntry("log.level", "debug")
                .hasSize(2);
    }

    @Test
    void aListGrowsWithEachMentionAndAnythingElseIsReplaced() {
        assertThat(parse("--bootstrap a:1 --bootstrap b:2,c:3 --name x --name y")
                        .values())
                .containsEntry("bootstrap", "a:1,b:2,c:3")
                .containsEntry("name", "y");
    }

    @Test
    void aYesOrNoOptionStandsAlone() {
        assertThat(parse("--plugins-upload --http-tokenless=false --name x").values())
                .containsEntry("plugins.upload", "true")
                .containsEntry("http.tokenless", "false")
                .containsEntry("name", "x");
    }

    @Test
    void theFileOfTheCommandLineBeatsThatOfTheEnvironment() {
        Map<String, String> environment = Map.of("MCC_CONFIG", "env.yaml");
        assertThat(RunVerb.parse(List.of(), environment).file()).isEqualTo(Path.of("env.yaml"));
        assertThat(RunVerb.parse(List.of("--config", "a.yaml"), environment).file())
                .isEqualTo(Path.of("a.yaml"));
        assertThat(RunVerb.parse(List.of(), Map.of()).file()).isNull();
    }

    @ParameterizedTest
    @CsvSource({
        "--htp 1, unknown option --htp, did you mean --http?",
        "--name, option --name needs a value, mcc run --help",
        "extra, 'extra is no option of mcc run', mcc run --help",
        "--tun --http-tokenless false, '--http-tokenless may stand alone, so it takes no value after a blank',"
                + " write --http-tokenless=false"
    })
    void whatCannotBeReadIsRefusedWithTheWayOut(String line, String detail, String hint) {
        assertThatExceptionOfType(Problem.class).isThrownBy(() -> parse(line)).satisfies(p -> {
            assertThat(p.detail()).isEqualTo(detail);
            assertThat(p.hint()).contains(hint);
        });
    }

    @Test
    void wrongUsageExitsWithTwoAndABadValueWithOne() {
        Ending ending = new Ending(_ -> {});
        assertThat(Main.run(List.of("--bogus"), Map.of(), ending)).isEqualTo(2);
        assertThat(Main.run(List.of("--log-level", "loud"), Map.of(), ending)).isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource({
        "0.0.0.0:8080, http: 0.0.0.0:8080 is not loopback",
        "nobody.invalid:1, http: host 'nobody.invalid' is unknown",
        "8080, http: '8080' is not an address"
    })
    void anAddressForRestThatIsNotLoopbackIsRefusedBeforeAnythingStarts(String http, String detail) {
        assertThatExceptionOfType(Problem.class)
                .isThrownBy(() -> RunVerb.settings(List.of("--http", http), Map.of()))
                .satisfies(p -> assertThat(p.detail()).startsWith(detail))
                .satisfies(p -> assertThat(p.hint()).isNotBlank());
        assertThat(RunVerb.settings(List.of("--http", "[::1]:0"), Map.of()).text("http"))
                .isEqualTo("[::1]:0");
    }
}
