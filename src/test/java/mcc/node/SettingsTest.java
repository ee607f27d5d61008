package mcc.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
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
        assertThat(found(Files.readString(FILE), "^([a-z0-9.]+):")).containsExactlyInAnyOrderElementsOf(KEYS);
        assertThat(Settings.load(Map.of(), Map.of(), FILE).all())
                .isEqualTo(Settings.load(Map.of(), Map.of(), null).all());
    }

    @Test
    void theOperatorsTableHasEveryKeyOnce() throws Exception {
        String page = Files.readString(Path.of("docs/operations.md"));
        String section = page.substring(page.indexOf("## Configuration"), page.indexOf("## What the kernel"));
        assertThat(found(section, "^\\| `([a-z0-9.]+)` ")).containsExactlyInAnyOrderElementsOf(KEYS);
    }
}
