package mcc.plugin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.vertx.core.json.JsonArray;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import mcc.core.Rng;
import mcc.node.Problem;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ManifestTest {
    @Test
    void aManifestIsReadAsWritten() {
        Manifest m = Manifest.parse(Jars.GREETER.encode());
        assertThat(m.name()).isEqualTo("greeter");
        assertThat(m.version()).isEqualTo("1.0");
        assertThat(m.verticles()).containsExactly("mcc.plugin.sample.GreeterVerticle");
        assertThat(m.serves()).containsExactly("sample.greet", "sample.changes");
    }

    @Test
    void servesAndCallsMayBeLeftOut() {
        Manifest m = Manifest.parse("{\"name\":\"a\",\"version\":\"1\",\"verticles\":[\"A\"]}");
        assertThat(m.serves()).isEmpty();
        assertThat(m.calls()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "name     | ''              | name must be a text",
                "name     | '\"../x\"'      | name '../x'",
                "name     | 7               | name must be a text",
                "name     | '\"-a\"'        | must have letters, digits",
                "version  | null            | version must be a text",
                "verticles| []              | verticles is empty",
                "verticles| '\"A\"'         | verticles must be a list",
                "verticles| '[\"a b\"]'     | verticles has the entry 'a b'",
                "serves   | '[\"mcc.api.x\"]' | belongs to the node",
                "serves   | '[\"a.*\"]'     | serves has the entry 'a.*'",
                "serves   | [1]             | serves has the entry '1'",
                "calls    | '[\"a..b\"]'    | calls has the entry 'a..b'",
                "extra    | 1               | unknown field 'extra'"
            })
    void whatIsWrongIsNamed(String field, String value, String says) {
        String text = Jars.GREETER.copy().put(field, "@@").encode().replace("\"@@\"", value.isEmpty() ? "\"\"" : value);
        assertThatExceptionOfType(Problem.class)
                .isThrownBy(() -> Manifest.parse(text))
                .satisfies(p -> assertThat(p.detail()).contains(says))
                .satisfies(p -> assertThat(p.code()).isEqualTo("unprocessable"));
    }

    /** Who writes a plugin compiles it with what it will run with. */
    @Test
    void theDocumentedBuildUsesTheVersionsThatTheNodeHas() throws Exception {
        String page = Files.readString(Path.of("docs/plugins.md"));
        String pom = Files.readString(Path.of("pom.xml"));
        var library = Pattern.compile("<artifactId>([\\w-]+)</artifactId><version>([\\w.-]+)</version>");
        int seen = 0;
        for (var m = library.matcher(page); m.find(); seen++) {
            String ours = m.group(1).equals("vertx-core")
                    ? "<vertx.version>" + m.group(2) + "<"
                    : m.group(1).equals("netty-bom") ? "<netty.version>" + m.group(2) + "<" : m.group();
            assertThat(pom).as(m.group(1)).contains(ours);
        }
        assertThat(seen).isEqualTo(3);
        assertThat(page).contains("<maven.compiler.release>25<");
        assertThat(pom).contains("<maven.compiler.release>25<");
    }

    @Test
    void listsAreBounded() {
        JsonArray many = new JsonArray();
        for (int i = 0; i < 65; i++) many.add("a" + i);
        String text = Jars.GREETER.copy().put("calls", many).encode();
        assertThatExceptionOfType(Problem.class)
                .isThrownBy(() -> Manifest.parse(text))
                .withMessageContaining("more than 64");
    }

    @Test
    void callsNameAddressesOrAllBelowOne() {
        Manifest m = new Manifest("a", "1", List.of("A"), List.of("own"), List.of("x.y", "mcc.api.events.*"));
        assertThat(m.mayCall("own")).isTrue();
        assertThat(m.mayCall("x.y")).isTrue();
        assertThat(m.mayCall("x.y.z")).isFalse();
        assertThat(m.mayCall("mcc.api.events.peer.up")).isTrue();
        assertThat(m.mayCall("mcc.api.eventsx")).isFalse();
    }

    @Test
    void aJarThatIsTooLargeIsNotOpened(@TempDir Path folder) throws Exception {
        Path jar = folder.resolve("big.jar");
        try (var file = new java.io.RandomAccessFile(jar.toFile(), "rw")) {
            file.setLength(Manifest.JAR_BYTES + 1);
        }
        assertThatExceptionOfType(Problem.class)
                .isThrownBy(() -> Manifest.of(jar))
                .satisfies(p -> assertThat(p.code()).isEqualTo("too-large"));
    }

    /** Whatever a jar holds, reading it gives a manifest or a problem, nothing else. */
    @Test
    void brokenJarsAndManifestsAreProblems(@TempDir Path folder) throws Exception {
        Rng rng = Rng.seeded(new byte[32]);
        byte[] good = Jars.jar(Jars.GREETER.encode());
        String manifest = Jars.GREETER.encode();
        Path file = folder.resolve("x.jar");
        int problems = 0;
        for (int i = 0; i < 500; i++) {
            byte[] jar = good.clone();
            if (i % 2 == 0) jar = java.util.Arrays.copyOf(jar, rng.below(jar.length));
            else jar[rng.below(jar.length)] ^= (byte) (1 << rng.below(8));
            Files.write(file, jar);
            byte[] text = manifest.getBytes(StandardCharsets.UTF_8);
            text[rng.below(text.length)] ^= (byte) (1 << rng.below(8));
            try {
                Manifest.of(file);
            } catch (Problem _) {
                problems++;
            }
            try {
                Manifest.parse(new String(text, StandardCharsets.UTF_8));
            } catch (Problem _) {
                problems++;
            }
        }
        assertThat(problems).isBetween(300, 1000);
    }
}
