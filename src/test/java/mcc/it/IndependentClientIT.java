package mcc.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import mcc.core.Id;
import mcc.core.Rng;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A second implementation, {@code src/test/resources/client}, that was written from {@code docs/protocol.md} alone and shares no
 * line with this one, beside real nodes.
 */
class IndependentClientIT {
    private static final Path CLIENT = Path.of("src/test/resources/client");

    @TempDir
    Path temp;

    private final List<AutoCloseable> open = new ArrayList<>();

    @AfterEach
    void end() throws Exception {
        for (AutoCloseable each : open.reversed()) each.close();
    }

    @Test
    void itComputesThePublishedHandshakes() throws Exception {
        Process process = client("vectors.mjs", "src/test/resources/vectors/handshakes.json");
        process.getOutputStream().close();
        List<String> said = process.inputReader().lines().toList();
        assertThat(process.waitFor()).as(errors()).isZero();
        assertThat(said).hasSize(4).allMatch(line -> line.startsWith("ok "));
    }

    @Test
    void itJoinsUsesAServiceOffersAnotherAndBringsOthersIn() throws Exception {
        Needs.program("node", "nodejs");
        RealNode first = add(RealNode.start(temp.resolve("first")));
        RealNode provider = add(RealNode.start(temp.resolve("provider"), "--bootstrap", first.bootstrap()));
        Echo echo = new Echo();
        open.add(echo);
        provider.register("echo", "echo", echo.port());
        Process client = client("main.mjs", first.bootstrap(), "open", "echo", "mirror");
        BufferedReader said =
                new BufferedReader(new InputStreamReader(client.getInputStream(), StandardCharsets.UTF_8));
        JsonNode joined = next(said, "joined");
        assertThat(joined.get("answered").asInt()).isEqualTo(2);
        assertThat(next(said, "used").get("bytes").asInt()).isEqualTo(400_000);
        assertThat(next(said, "offered").get("holders").asInt())
                .as("two nodes keep it under two keys")
                .isEqualTo(4);

        // It alone is this node's way in, so it answers a first contact by address, lookups, and calls by its key.
        RealNode user = add(RealNode.start(
                temp.resolve("user"), "--bootstrap", joined.get("udp").asText()));
        String id = Id.of(HexFormat.of().parseHex(joined.get("node").asText())).toString();
        RealNode.await("it is found", () -> user.providers("mirror").equals(List.of(id)));
        for (RealNode each : List.of(user, provider)) {
            Echo.assertEchoes(each.forward("mirror"), Rng.seeded(7).bytes(300_000));
        }
        assertThat(user.providers("echo")).containsExactly(provider.id);

        client.getOutputStream().close();
        next(said, "withdrawn");
        assertThat(client.waitFor(RealNode.PATIENCE_MS, TimeUnit.MILLISECONDS)).isTrue();
        RealNode.await("it is gone", () -> user.providers("mirror").isEmpty());
        assertThat(errors()).isEmpty();
    }

    private JsonNode next(BufferedReader said, String step) throws IOException {
        String line = said.readLine();
        assertThat(line).as("%s: %s", step, errors()).isNotNull();
        JsonNode told = new ObjectMapper().readTree(line);
        assertThat(told.get("step").asText()).isEqualTo(step);
        return told;
    }

    private Process client(String script, String... arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Needs.program("node", "nodejs"));
        command.add(CLIENT.resolve(script).toString());
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command)
                .redirectError(temp.resolve("errors").toFile())
                .start();
        open.add(process::destroyForcibly);
        return process;
    }

    private String errors() throws IOException {
        return Files.readString(temp.resolve("errors"));
    }

    private RealNode add(RealNode node) {
        open.add(node);
        return node;
    }
}
