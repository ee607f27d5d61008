package mcc.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A node whose only bootstrap node ends: it says that it is alone, and finds the one that is there next, by itself. */
@Tag("long")
class ComingBackIT {
    @TempDir
    Path folder;

    @Test
    void aBootstrapNodeMadeAnewIsFoundByThoseWhoKnewTheOldOne() {
        String at;
        try (RealNode first = RealNode.start(folder.resolve("first"))) {
            at = first.bootstrap();
            try (RealNode node = RealNode.start(folder.resolve("node"), "--bootstrap", at)) {
                RealNode.await("joined", () -> node.get("/health/ready").status() == 200);
                String registration = "{\"service\":\"web\",\"port\":9,\"leaseMs\":3000}";
                assertThat(node.put("/api/v1/registrations/web", registration).status())
                        .isEqualTo(201);
                RealNode.await("found", () -> !first.providers("web").isEmpty());
                first.kill();
                RealNode.await("it says so", () -> problems(node).contains("alone"));
                assertThat(node.get("/health/ready").status()).isEqualTo(503);
                try (RealNode anew = RealNode.start(folder.resolve("anew"), "--listen", at)) {
                    assertThat(anew.id).isNotEqualTo(first.id);
                    RealNode.await(
                            "joined again", () -> node.get("/health/ready").status() == 200);
                    assertThat(problems(node)).doesNotContain("alone");
                    RealNode.await("found again", () -> anew.providers("web").equals(List.of(node.id)));
                }
            }
        }
    }

    private static List<String> problems(RealNode node) {
        return node.get("/api/v1/node").body().path("problems").findValuesAsText("code");
    }
}
