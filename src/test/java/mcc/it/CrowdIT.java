package mcc.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import mcc.bench.Crowd;
import mcc.wan.Wan;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Many busy connections at once, with the heap that a node has. */
@Tag("long")
@Busy
class CrowdIT {
    @TempDir
    Path folder;

    private final List<Process> started = new ArrayList<>();

    @AfterEach
    void end() throws Exception {
        for (Process process : started) process.destroyForcibly().waitFor();
    }

    private String first(String... arguments) throws Exception {
        Process process = new ProcessBuilder(Wan.java(Crowd.class, Wan.classes(), arguments))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        started.add(process);
        return new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.US_ASCII))
                .readLine();
    }

    @Test
    void aThousandConnectionsThatAreSentWithoutEndFitIntoTheHeap() throws Exception {
        try (RealNode provider = RealNode.start(folder.resolve("provider"));
                RealNode user = RealNode.start(folder.resolve("user"), "--bootstrap", provider.bootstrap())) {
            provider.register("crowd", "crowd", Integer.parseInt(first("serve")));
            RealNode.await("it is found", () -> !user.providers("crowd").isEmpty());
            String took = first("fetch", "" + user.forward("crowd"), "1000", "100000");
            assertThat(provider.log() + user.log()).doesNotContain("OutOfMemoryError");
            assertThat(took).as("every connection got its share").isNotNull();
        }
    }
}
