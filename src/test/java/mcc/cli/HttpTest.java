package mcc.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.IOException;
import java.net.URI;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class HttpTest {
    private static String fetch(StubNode node) throws IOException {
        URI uri = URI.create(node.url());
        try (Http http = new Http(uri.getHost(), uri.getPort(), "GET", "/x", Map.of(), null, 5_000)) {
            return http.status() + " " + http.text();
        }
    }

    private static String fetch(String answer) throws IOException {
        try (StubNode node = new StubNode()) {
            return fetch(node.raw("GET /x ", answer));
        }
    }

    @Test
    void bodiesOfEveryFramingAreRead() throws IOException {
        assertThat(fetch("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabcdef")).isEqualTo("200 abc");
        assertThat(fetch("HTTP/1.1 200 OK\r\n\r\nuntil the end")).isEqualTo("200 until the end");
        assertThat(
                        fetch(
                                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\nA\r\n0123456789\r\n0\r\nT: 1\r\n\r\n"))
                .isEqualTo("200 ab0123456789");
        assertThat(fetch("HTTP/1.1 204 No Content\r\n\r\n")).isEqualTo("204 ");
        assertThat(fetch(
                        "HTTP/1.1 103 Early\r\nContent-Length: 9\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nz"))
                .isEqualTo("200 z");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SSH-2.0-OpenSSH\r\n",
                "HTTP/1.1 OK\r\n\r\n",
                "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n0\r\n\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
                "HTTP/1.1 200"
            })
    void malformedAnswersAreErrorsAndNotBodies(String answer) {
        assertThatIOException().isThrownBy(() -> fetch(answer));
    }

    @Test
    void noAnswerMakesItThrowAnythingButIoExceptions() throws IOException {
        Random random = new Random(7);
        String good = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n";
        for (int i = 0; i < 300; i++) {
            char[] bytes = good.substring(0, 1 + random.nextInt(good.length())).toCharArray();
            for (int flips = random.nextInt(4); flips > 0; flips--) {
                bytes[random.nextInt(bytes.length)] ^= (char) (1 << random.nextInt(7));
            }
            try {
                assertThat(fetch(new String(bytes))).isNotEmpty();
            } catch (IOException _) {
                // what a broken answer deserves
            }
        }
    }
}
