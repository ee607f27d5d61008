package mcc.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Future;
import io.vertx.core.json.JsonObject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import mcc.consortium.Policy;
import mcc.node.ApiQuery;
import mcc.node.Bus;
import mcc.node.Node;
import mcc.node.Settings;
import mcc.tunnel.TunnelVerticle;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RestTest {
    @TempDir
    Path folder;

    private static int status(Node node, String operation, JsonObject body) {
        return await(ask(node, operation, body)).status();
    }

    private static Future<ApiQuery.Answer> ask(Node node, String operation, JsonObject body) {
        var call = new ApiQuery.Call(operation, body, null, false);
        return node.parts().bus().ask(Bus.API, call);
    }

    private static <T> T await(Future<T> future) {
        return future.toCompletionStage()
                .toCompletableFuture()
                .orTimeout(60, TimeUnit.SECONDS)
                .join();
    }

    @Test
    void whoAsksForTooMuchIsHeldBackThereAndNowhereElse() {
        Map<String, String> values =
                Map.of("data", folder.resolve("n").toString(), "listen", "127.0.0.1:0", "http", "127.0.0.1:0");
        try (Node node = Node.start(
                Settings.load(values, Map.of(), null),
                Policy.open(),
                List.of(TunnelVerticle::new, parts -> new ApiVerticle(parts, () -> 0)))) {
            assertThat(await(ask(node, "getMetrics", new JsonObject())).body().getString("detail"))
                    .contains("by HTTP only");
            JsonObject nobody = new JsonObject().put("id", "aaaaaaaa");
            assertThat(status(node, "pingPeer", nobody)).isEqualTo(404);
            List<Future<ApiQuery.Answer>> answers = new ArrayList<>();
            for (int i = 1; i < RestRoutes.LIMITED_BURST + 10; i++) answers.add(ask(node, "pingPeer", nobody));
            Map<Integer, Long> statuses = await(Future.all(answers)).<ApiQuery.Answer>list().stream()
                    .collect(Collectors.groupingBy(ApiQuery.Answer::status, Collectors.counting()));
            assertThat(statuses)
                    .as("no time passes, so a burst is all there is; one of it was used before")
                    .isEqualTo(Map.of(404, RestRoutes.LIMITED_BURST - 1L, 429, 10L));
            assertThat(status(node, "getNode", new JsonObject())).isEqualTo(200);
        }
    }
}
