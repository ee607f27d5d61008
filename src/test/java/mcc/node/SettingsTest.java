package mcc.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What is written of the settings, for operators, agrees with the settings that there are. */
class SettingsTest {
    private static final Path FILE = Path.of("conf/single-node.yaml");
    private static final List<String> KEYS =
            Settings.KEYS.stream().map(Settings.Key::name).toList();

    private static List<String> found(String text, String lines) {
        return Pattern.compile(lines, Pattern.MULTILINE)
                .matcher(text)
                .results()
                .map(m -> m.group(1))
                .toList();
    }

    @Test
    void theFileOfEveryKeyHasEachOnceWithItsDefault() throws Exception {
        assertThat(found(Files.readString(FILE), "^([a-zA-Z0-9.]+):")).containsExactlyInAnyOrderElementsOf(KEYS);
        assertThat(Settings.load(Map.of(), Map.of(), FILE).all())
                .isEqualTo(Settings.load(Map.of(), Map.of(), null).all());
    }

    @Test
    void aRateThatIsNoneIsCalledSo() {
        assertThatThrownBy(() -> Settings.load(Map.of("relay.rate", "fast"), Map.of(), null))
                .hasMessageContaining("'fast' is not a rate");
    }

    /** Every file in {@code conf} is one that a node takes. */
    @Test
    void everyFileOfTheFolderIsTaken() throws Exception {
        try (Stream<Path> all = Files.list(Path.of("conf"))) {
            for (Path file : all.toList()) {
                if (file.toString().endsWith(".yaml")) {
                    Settings settings = Settings.load(Map.of(), Map.of(), file);
                    assertThat(settings.all()).as(file.toString()).isNotEmpty();
                    settings.list("bootstrap").forEach(Addresses::bootstrap);
                } else assertThat(file).hasFileName("mcc.service");
            }
        }
    }

    /** systemd itself is not at hand: its words, and the command line in them. */
    @Test
    void theUnitStartsANodeThatSaysHowItStands() throws Exception {
        String section = "";
        Map<String, List<String>> unit = new HashMap<>();
        for (String line : Files.readAllLines(Path.of("conf/mcc.service"))) {
            if (line.isBlank() || line.startsWith("#")) continue;
            if (line.matches("\\[[A-Z][a-z]+]")) section = line;
            else {
                assertThat(line).matches("[A-Z][A-Za-z]+=\\S*.*");
                int equals = line.indexOf('=');
                unit.computeIfAbsent(section + line.substring(0, equals), _ -> new ArrayList<>())
                        .add(line.substring(equals + 1));
            }
        }
        assertThat(unit.keySet()).contains("[Unit]Description", "[Install]WantedBy");
        assertThat(unit).containsEntry("[Service]Type", List.of("notify"));
        assertThat(unit).containsEntry("[Service]Restart", List.of("on-failure"));
        assertThat(Integer.parseInt(unit.get("[Service]WatchdogSec").getFirst()))
                .as("longer than the watchdog's own patience")
                .isGreaterThan(Watchdog.MISSES);
        List<String> command = List.of(unit.get("[Service]ExecStart").getFirst().split(" "));
        assertThat(command.subList(0, 2)).containsExactly("/opt/mcc/mcc", "run");
        for (int i = 2; i < command.size(); i += 2) {
            String option = command.get(i);
            assertThat(option.equals("--config")
                            || Settings.KEYS.stream()
                                    .anyMatch(key -> key.option().equals(option)))
                    .as(option)
                    .isTrue();
        }
    }

    @Test
    void theOperatorsTableHasEveryKeyOnce() throws Exception {
        String page = Files.readString(Path.of("docs/operations.md"));
        String section = page.substring(page.indexOf("## Configuration"), page.indexOf("## What the kernel"));
        assertThat(found(section, "^\\| `([a-zA-Z0-9.]+)` ")).containsExactlyInAnyOrderElementsOf(KEYS);
    }
}
