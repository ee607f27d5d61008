package mcc.lab;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.List;
import mcc.it.RealNode;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Two nodes behind home routers: what they send straight to each other meets, as first contacts that cross or as punches, and a
 * direct path takes over from the relay. ({@code PunchTest} and {@code CircuitTest} are about punches alone.)
 */
@Tag("long")
class PunchIT {
    @Test
    void twoHomeRoutersLetADirectPathThrough(@TempDir Path folder) throws Exception {
        try (Lab lab = new Lab("punch")) {
            lab.delay(5);
            List<RealNode> open = lab.openNodes(3, folder);
            Pair pair = new Pair(open, folder, lab.site(1).host(), lab.site(1).host());
            byte[] sent = {1, 2, 3, 4};
            assertThat(pair.exchange(sent)).isEqualTo(sent);
            pair.awaitStraight();
            JsonNode told = pair.using
                    .get("/api/v1/peers/" + pair.provider.id + "/path")
                    .body();
            assertThat(told.at("/verdict").asText()).startsWith("Packets go straight to the peer");
            JsonNode changes = told.at("/changes");
            assertThat(changes.get(changes.size() - 1).at("/path").asText()).isEqualTo("direct");
            assertThat(told.at("/tries").findValuesAsText("state")).contains("in-use");
            assertThat(told.at("/advice")).isEmpty();
        }
    }
}
