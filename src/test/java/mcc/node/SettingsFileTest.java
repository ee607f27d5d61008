package mcc.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import mcc.core.Rng;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What an operator writes is what counts, or the line that is wrong is named with the way out. */
class SettingsFileTest {
    @TempDir
    Path folder;

    private Path file(String text) throws Exception {
        return Files.writeString(folder.resolve("node.yaml"), text.replace("\\n", "\n"));
    }

    private Settings load(String text) throws Exception {
        return Settings.load(Map.of(), Map.of(), file(text));
    }

    private Problem refused(String text) throws Exception {
        try {
            throw new AssertionError("accepted: " + load(text).all());
        } catch (Problem p) {
            assertThat(p.code()).isEqualTo("config");
            assertThat(p.hint()).isNotBlank();
            assertThat(p.detail() + p.hint()).hasSizeLessThan(600).doesNotContain("\n", "org.yaml", "java.");
            return p;
        }
    }

    @ParameterizedTest
    @CsvSource({
        "network: no, network, no",
        "network: 010, network, 010",
        "name: 1.10, name, 1.10",
        "name: 0x1F, name, 0x1F",
        "network: 1e3, network, 1e3",
        "name: 2026-01-02, name, 2026-01-02",
        "network: on, network, on",
        "udp.offload: off, udp.offload, off",
        "tun: yes, tun, true",
        "tun: True, tun, true",
        "http.tokenless: off, http.tokenless, false",
        "name:, name, ''",
        "name: ~, name, ''",
        "'name: \"~\"', name, ~",
        "'udp:\\n  offload: off', udp.offload, off",
        "'bootstrap:\\n  - a:1\\n  - b:2', bootstrap, 'a:1,b:2'",
        "'bootstrap: [a:1, b:2]', bootstrap, 'a:1,b:2'"
    })
    void aValueIsTheTextThatWasWritten(String text, String key, String value) throws Exception {
        if (value.equals("~")) assertThat(refused(text).detail()).contains("'~' is not a valid host name");
        else assertThat(load(text).text(key)).isEqualTo(value);
    }

    @ParameterizedTest
    @CsvSource({
        "'http.tokenless: false\\nhttp.tokenless: true', 2, 1, a second time",
        "'http.tokenless: false\\nname: x\\nhttp:\\n  tokenless: true', 4, 3, a second time",
        "'name: x\\n\\n  nmae: y', 3, 7, not YAML",
        "'name: x\\nnmae: y', 2, 1, did you mean 'name'",
        "'udp:\\n  idel: 7', 2, 3, did you mean 'udp.idle'",
        "'name: x\\nnetwork: [unclosed', 2, 19, not YAML",
        "'name: x\\nudp.idle: 0', 2, 1, is not a valid time",
        "'name: x\\nlog.level: loud', 2, 1, is not allowed",
        "'name: x\\nlisten: nonsense', 2, 1, is not an address",
        "'name: [a, b]', 1, 7, takes one value",
        "'name: x\\nbootstrap: nonsense', 2, 1, is not an address",
        "'listen: [[a]]', 1, 10, list of texts",
        "'a: &a\\n  b: *a', 1, 4, nested too deep",
        "'name: &a [*a]', 1, 7, takes one value",
        "'listen: &a [*a]', 1, 9, list of texts",
        "'? [a]\\n: b', 1, 3, not a key",
        "'- a', 1, 1, keys and values",
        "just text, 1, 1, keys and values",
        "'<<: {name: a}', 1, 6, did you mean",
        "'name: !!javax.script.ScriptEngineManager [x]', 1, 7, tag is not allowed",
        "'name: x\\n---\\nname: y', 2, 1, not YAML"
    })
    void whatIsWrongIsNamedWithLineAndColumn(String text, int line, int column, String what) throws Exception {
        Problem p = refused(text);
        assertThat(p.detail() + " " + p.hint()).contains("node.yaml, line " + line + ", column " + column + ": ", what);
    }

    @ParameterizedTest
    @ValueSource(strings = {"[", "{", "[{a: ", "- ", "a: {", "a:\n ", "&a ", "*a ", "\"", "? "})
    void depthEndsInAWordAndNotInATrace(String part) throws Exception {
        refused(part.repeat(5_000));
    }

    @Test
    void aFileWithoutEndIsRefusedByItsLength() throws Exception {
        assertThat(refused("- ".repeat(5 << 20)).detail()).contains("is longer than 65536 bytes");
    }

    @Test
    void whatIsNoTextIsSaidToBeNone() throws Exception {
        Path file =
                Files.write(folder.resolve("node.yaml"), new byte[] {'n', 'a', 'm', 'e', ':', ' ', (byte) 0xe4, '\n'});
        assertThatExceptionOfType(Problem.class)
                .isThrownBy(() -> Settings.load(Map.of(), Map.of(), file))
                .satisfies(p -> assertThat(p.detail()).contains("not text in UTF-8"));
        assertThatExceptionOfType(Problem.class)
                .isThrownBy(() -> Settings.load(Map.of(), Map.of(), folder))
                .satisfies(p -> assertThat(p.detail()).contains("cannot be read"));
    }

    @Test
    void aFileThatIsNotThereIsSaid() {
        assertThatExceptionOfType(Problem.class)
                .isThrownBy(() -> Settings.load(Map.of(), Map.of(), folder.resolve("none.yaml")))
                .satisfies(p -> assertThat(p.detail()).contains("none.yaml does not exist"));
    }

    @Test
    void garbageIsRefusedByAProblemOrTaken() throws Exception {
        Rng rng = Rng.seeded(11);
        String letters = "abname:network:udp.idle: \n  - []{},&*!|>'\"%@`#?\t01~<";
        for (int i = 0; i < 1_000; i++) {
            StringBuilder text = new StringBuilder();
            for (int n = rng.below(60); n > 0; n--) text.append(letters.charAt(rng.below(letters.length())));
            Path file = Files.write(
                    folder.resolve("node.yaml"),
                    i % 2 == 0 ? text.toString().getBytes(StandardCharsets.UTF_8) : rng.bytes(rng.below(40)));
            try {
                Settings.load(Map.of(), Map.of(), file);
            } catch (Problem p) {
                assertThat(p.detail()).as(text.toString()).isNotBlank();
            }
        }
    }

    @Test
    void aVariableThatIsWrongIsNamed() {
        assertThatExceptionOfType(Problem.class)
                .isThrownBy(() -> Settings.load(Map.of(), Map.of("MCC_LOG_LEVEL", "loud"), null))
                .satisfies(p -> assertThat(p.detail()).startsWith("variable MCC_LOG_LEVEL: log.level: 'loud'"));
    }

    @Test
    void anOptionThatBeatsAWrongLineIsNotBlamedOnIt() throws Exception {
        Path file = file("log.level: loud");
        assertThat(Settings.load(Map.of("log.level", "info"), Map.of(), file).text("log.level"))
                .isEqualTo("info");
    }

    @Test
    void aFileThatOthersCanWriteIsWarnedOf() throws Exception {
        Path file = file("name: x");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
        assertThat(Settings.load(Map.of(), Map.of(), file).warnings()).isEmpty();
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-rw-"));
        assertThat(Settings.load(Map.of(), Map.of(), file).warnings().getFirst())
                .contains("can be written by others");
    }

    @ParameterizedTest
    @CsvSource({
        "alpha, beta, alpha",
        "' ', beta, beta",
        "a_b, beta, beta",
        "\u001b[2J, beta, beta",
        ", my_host.example.com, node",
        ", alpha.example.com, alpha.example.com",
        "a23456789012345678901234567890.a23456789012345678901234567890.example, b, a23456789012345678901234567890",
        ", '', node"
    })
    void aHostsNameIsHeldToWhatANameIs(String variable, String kernel, String name) {
        assertThat(Settings.hostName(variable, kernel)).isEqualTo(name);
    }
}
