package mcc.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class TextTest {
    private static Json json(String text) {
        Json json = Json.parse(text);
        if (json == null) throw new AssertionError(text);
        return json;
    }

    @ParameterizedTest
    @CsvSource({"0,0ms", "999,999ms", "22000,22s", "725000,12m5s", "3723000,1h2m", "273600000,3d4h"})
    void spansAreToldInTheirTwoLargestUnits(String ms, String text) {
        assertThat(Text.span(json(ms))).isEqualTo(text);
    }

    @ParameterizedTest
    @CsvSource({"0,0 B", "999,999 B", "1000,1.0 kB", "999949,999.9 kB", "999950,1.0 MB", "1200000000,1.2 GB"})
    void sizesArePowersOfAThousand(String bytes, String text) {
        assertThat(Text.size(json(bytes))).isEqualTo(text);
    }

    @Test
    void whatWasNotMeasuredIsADash() {
        assertThat(Text.span(Json.NONE)).isEqualTo("-");
        assertThat(Text.size(Json.NONE)).isEqualTo("-");
        assertThat(Text.latency(Json.NONE)).isEqualTo("-");
        assertThat(Text.latency(json("0.42"))).isEqualTo("0.4 ms");
        assertThat(Text.latency(json("38.4"))).isEqualTo("38 ms");
    }

    @ParameterizedTest
    @CsvSource({"500ms,500", "5s,5000", "2m,120000", "1h,3600000", "7d,604800000"})
    void durationsAreReadAsPeopleWriteThem(String text, long ms) {
        assertThat(Text.parseMs(text)).isEqualTo(ms);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "5", "s", "-5s", "5 s", "1.5s", "5x", "99999999999s", "٥s"})
    void otherDurationsAreRefused(String text) {
        assertThat(Text.parseMs(text)).isNull();
    }

    /** A verb that forgets to clean what others wrote; only this program's own colours begin with ESC. */
    @Test
    void whatIsPrintedUncleanedIsEscapedExceptForColours() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        PrintStream out = new Harmless(new PrintStream(bytes, true, StandardCharsets.UTF_8));
        out.println("\u001b[31mred\u001b[0m \u009b31m\u202e\u2066\r\u0007 é");
        out.print("\u061c");
        assertThat(bytes.toString(StandardCharsets.UTF_8))
                .isEqualTo("\u001b[31mred\u001b[0m \\u009b31m\\u202e\\u2066\\u000d\\u0007 é\n\\u061c");
    }

    @Test
    void columnsAreAsWideAsTheirWidestCellWithAndWithoutColour() {
        Table table = new Table("ID", "HEALTH", "X");
        table.row("a", "pass", "");
        table.row("longer", "fail", "y");
        assertThat(table.lines(false)).containsExactly("ID      HEALTH  X", "a       pass", "longer  fail    y");
        List<String> coloured = table.lines(true);
        assertThat(coloured.stream()
                        .map(l -> l.replaceAll("\u001b\\[[0-9]*m", "").stripTrailing()))
                .containsExactlyElementsOf(table.lines(false));
    }

    @Test
    void whatIsWrittenIsReadAgain() {
        String text = Json.write(Map.of("a", List.of(1, 2L, true, "q\"\n")));
        assertThat(text).isEqualTo("{\"a\":[1,2,true,\"q\\\"\\n\"]}");
        assertThat(json(text).at("a").items().get(3).text("")).isEqualTo("q\"?");
        assertThat(json("{\"n\":1e3,\"z\":null}").at("n").text("")).isEqualTo("1000");
        assertThat(json("{\"n\":1e3,\"z\":null}").at("z").isMissing()).isTrue();
    }

    @Test
    void textThatIsNoJsonIsNullAndNeverThrows() {
        for (String bad : List.of("", "{", "[1,", "{\"a\"}", "nul", "1 2", "<html>"))
            assertThat(Json.parse(bad)).isNull();
        Random random = new Random(3);
        String good = "{\"items\":[{\"a\":1.5,\"b\":[true,null,\"x\"]}]}";
        for (int i = 0; i < 5_000; i++) {
            char[] chars = good.substring(0, random.nextInt(good.length() + 1)).toCharArray();
            if (chars.length > 0) chars[random.nextInt(chars.length)] = (char) random.nextInt(128);
            Json parsed = Json.parse(new String(chars));
            if (parsed != null) assertThat(parsed.text("-")).isNotNull();
        }
    }
}
