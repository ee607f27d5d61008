package mcc.browser;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import mcc.it.Busy;
import mcc.it.RealNode;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The page about NATs, relays and paths, and the timeline of a path; the journeys are in {@code network.mjs}. */
@Tag("long")
@Busy
@Timeout(value = 4, unit = TimeUnit.MINUTES)
class NetworkPageIT {
    @TempDir
    Path folder;

    @Test
    void everyJourneyGoesThrough() throws Exception {
        String chromium = DashboardIT.chromium();
        HttpServer site = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 100);
        site.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        site.createContext("/", DashboardIT::serve);
        site.start();
        List<RealNode> nodes = new ArrayList<>();
        try {
            JsonArray told = new JsonArray();
            for (String name : List.of("frankfurt", "lisbon", "oslo")) {
                List<String> options = new ArrayList<>(List.of("--name", name));
                if (!nodes.isEmpty())
                    options.addAll(List.of("--bootstrap", nodes.getFirst().bootstrap()));
                RealNode node = RealNode.start(folder.resolve(name), options.toArray(String[]::new));
                nodes.add(node);
                told.add(new JsonObject()
                        .put("id", node.id)
                        .put("http", node.http)
                        .put("udp", node.udp));
            }
            JsonObject setup = new JsonObject()
                    .put("chromium", chromium)
                    .put("site", site.getAddress().getPort())
                    .put("nodes", told)
                    .put("network", true);
            assertThat(DashboardIT.browse(setup)).as("the report is above").isZero();
        } finally {
            site.stop(0);
            nodes.forEach(RealNode::close);
        }
    }
}
