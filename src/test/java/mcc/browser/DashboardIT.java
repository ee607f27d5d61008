package mcc.browser;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import mcc.it.Busy;
import mcc.it.Needs;
import mcc.it.RealNode;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The dashboard in a real browser, against three real nodes; the journeys are in {@code src/test/browser/dashboard.mjs}. */
@Busy
@Timeout(value = 6, unit = TimeUnit.MINUTES)
class DashboardIT {
    private static final Path SCRIPTS = Path.of("src/test/browser").toAbsolutePath();

    @TempDir
    Path folder;

    private final List<RealNode> nodes = new ArrayList<>();
    private final List<RealNode> others = new ArrayList<>();

    @Test
    void everyJourneyGoesThrough() throws Exception {
        journeys(false);
    }

    /** Every page in both themes at every width: minutes of a browser's work. */
    @Test
    @Tag("long")
    void everyLongJourneyGoesThrough() throws Exception {
        journeys(true);
    }

    private void journeys(boolean whole) throws Exception {
        String chromium = chromium();
        HttpServer site = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 100);
        site.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        site.createContext("/", DashboardIT::serve);
        site.createContext("/control/", this::control);
        site.start();
        try {
            nodes.add(RealNode.start(folder.resolve("1"), "--name", "frankfurt"));
            for (String name : List.of("lisbon", "oslo")) {
                nodes.add(RealNode.start(
                        folder.resolve(String.valueOf(nodes.size() + 1)),
                        "--name",
                        name,
                        "--bootstrap",
                        nodes.getFirst().bootstrap()));
            }
            RealNode locked = RealNode.start(folder.resolve("locked"), "--name", "berlin", "--http-tokenless=false");
            others.add(locked);
            int port = site.getAddress().getPort();
            JsonArray told = new JsonArray();
            for (RealNode each : nodes) {
                told.add(new JsonObject()
                        .put("id", each.id)
                        .put("http", each.http)
                        .put("udp", each.udp));
            }
            JsonObject setup = new JsonObject()
                    .put("chromium", chromium)
                    .put("site", port)
                    .put("control", "http://127.0.0.1:" + port + "/control")
                    .put("nodes", told)
                    .put("long", whole)
                    .put(
                            "locked",
                            new JsonObject()
                                    .put("http", locked.http)
                                    .put(
                                            "token",
                                            Files.readString(locked.data.resolve("admin.token"))
                                                    .strip()));
            assertThat(browse(setup)).as("the report is above").isZero();
        } finally {
            site.stop(0);
            nodes.forEach(RealNode::close);
            others.forEach(RealNode::close);
        }
    }

    /** {@code /bytes/N} is answered by N bytes, anything else by a greeting. */
    static void serve(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        int length = path.startsWith("/bytes/") ? Integer.parseInt(path.substring(7)) : 5;
        exchange.sendResponseHeaders(200, length);
        exchange.getResponseBody().write(new byte[length]);
        exchange.close();
    }

    /** {@code kill/N} and {@code start/N}: the same node, at the same addresses. */
    private synchronized void control(HttpExchange exchange) throws IOException {
        String[] parts = exchange.getRequestURI().getPath().split("/");
        int index = Integer.parseInt(parts[3]) - 1;
        RealNode old = nodes.get(index);
        if (parts[2].equals("kill")) old.kill();
        else {
            nodes.set(index, RealNode.start(old.data, "--http", old.http.replace("http://", ""), "--listen", old.udp));
        }
        exchange.sendResponseHeaders(200, -1);
        exchange.close();
    }

    /** Chromium, after everything else that the scripts need was found or installed. */
    static String chromium() throws Exception {
        String chromium = Needs.program("chromium", "chromium");
        Needs.program("node", "nodejs");
        String npm = Needs.program("npm", "npm");
        if (!Files.isDirectory(SCRIPTS.resolve("node_modules/playwright-core"))) {
            assertThat(run(List.of(npm, "ci", "--no-audit", "--no-fund"), Map.of()))
                    .as("npm ci")
                    .isZero();
        }
        return chromium;
    }

    /** Goes the journeys; returns 0 if all went through. */
    static int browse(JsonObject setup) throws Exception {
        String node = Needs.program("node", "nodejs");
        return run(List.of(node, "dashboard.mjs"), Map.of("MCC_TEST", setup.encode()));
    }

    private static int run(List<String> command, Map<String, String> environment) throws Exception {
        ProcessBuilder builder =
                new ProcessBuilder(command).directory(SCRIPTS.toFile()).redirectErrorStream(true);
        builder.environment().putAll(environment);
        Process process = builder.start();
        try (BufferedReader out = process.inputReader()) {
            out.lines().forEach(System.out::println);
        } finally {
            process.destroy();
        }
        return process.waitFor();
    }
}
