package mcc.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HttpProxyTest {
    @TempDir
    Path folder;

    private static HttpProxy of(Map<String, String> options, Map<String, String> environment) {
        return HttpProxy.of(Settings.load(options, environment, null), environment);
    }

    @Test
    void thePartsOfItsUrlAreRead() {
        HttpProxy proxy = HttpProxy.parse("http://us%40er:p%3A%2Fa+ss@proxy.example.org:3128/");
        assertThat(proxy).isEqualTo(new HttpProxy("proxy.example.org", 3_128, "us@er", "p:/a+ss"));
        assertThat(HttpProxy.parse("http://192.0.2.1")).isEqualTo(new HttpProxy("192.0.2.1", 80, null, null));
        assertThat(HttpProxy.parse("http://[2001:db8::1]:8080").host()).isEqualTo("2001:db8::1");
    }

    @Test
    void itsPasswordIsNeverShown() {
        assertThat(HttpProxy.parse("http://user:secret@proxy:3128").toString()).isEqualTo("proxy:3128");
        Settings settings =
                Settings.load(Map.of("proxy", "http://user:sec@ret@proxy:1".replace("sec@", "sec%40")), Map.of(), null);
        assertThat(settings.shown("proxy")).isEqualTo("http://***@proxy:1");
        assertThat(settings.all().get("proxy")).isEqualTo("http://***@proxy:1");
        for (String text : new String[] {
            "https://user:secret@proxy",
            "user:secret@proxy",
            "http://user:secret@",
            "http://secret@proxy",
            "http://a:secret b@c",
        }) {
            assertThatThrownBy(() -> Settings.load(Map.of("proxy", text), Map.of(), null))
                    .isInstanceOf(Problem.class)
                    .satisfies(e -> assertThat(e.toString() + ((Problem) e).detail() + ((Problem) e).hint())
                            .doesNotContain("secret"));
        }
    }

    @Test
    void itIsReadFromAFileOrFromTheEnvironmentWhereThatIsAskedFor() throws Exception {
        Path file = folder.resolve("proxy");
        Files.writeString(file, "http://user:secret@proxy:1\n");
        assertThat(of(Map.of("proxy.file", file.toString()), Map.of()).password())
                .isEqualTo("secret");
        Map<String, String> environment = Map.of("HTTPS_PROXY", "http://user:secret@proxy:2");
        assertThat(of(Map.of(), environment)).as("not asked for").isNull();
        assertThat(of(Map.of("proxy", "environment"), environment).port()).isEqualTo(2);
        assertThat(of(Map.of("proxy", "environment"), Map.of())).isNull();
    }

    @Test
    void aFileThatCannotBeReadIsToldWithoutItsContent() throws Exception {
        Path file = folder.resolve("proxy");
        assertThatThrownBy(() -> of(Map.of("proxy.file", file.toString()), Map.of()))
                .hasMessageContaining("proxy");
        Files.writeString(file, "secret".repeat(1_000));
        assertThatThrownBy(() -> of(Map.of("proxy.file", file.toString()), Map.of()))
                .satisfies(e -> assertThat(e.toString()).doesNotContain("secret"));
    }
}
