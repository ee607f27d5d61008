package mcc.plugin;

import static mcc.plugin.Jars.GREETER;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.vertx.core.json.JsonObject;
import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.net.http.WebSocketHandshakeException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import mcc.it.Busy;
import mcc.it.Needs;
import mcc.it.RealNode;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Plugins and the event-bus bridge, with real nodes; and everything that the tutorial shows. */
@Busy
class PluginIT {
    private static final String CLASS = "mcc.plugin.sample.GreeterVerticle";

    @TempDir
    Path folder;

    private static String token(RealNode node) throws Exception {
        return Files.readString(node.data.resolve("admin.token")).strip();
    }

    private static void awaitState(RealNode node, String id, String state) {
        RealNode.await(id + " is " + state, () -> state(node, id).equals(state));
    }

    private static String state(RealNode node, String id) {
        return node.get("/api/v1/plugins/" + id).body().path("state").asText();
    }

    private static JsonObject greet(String name) {
        return new JsonObject().put("name", name);
    }

    @Test
    void aJarInTheFolderIsDeployedAnswersIsRestartedReplacedAndRemoved() throws Exception {
        try (RealNode node = RealNode.start(folder.resolve("1"));
                BusClient client = new BusClient(node.http)) {
            Path jar = Jars.put(node.data.resolve("plugins"), "greeter", Jars.jar(GREETER.encode(), CLASS));
            awaitState(node, "greeter", "running");
            assertThat(client.ask("sample.greet", greet("Ada"))
                            .getJsonObject("body")
                            .getString("greeting"))
                    .isEqualTo("Hello, Ada!");
            JsonObject nameless = client.ask("sample.greet", new JsonObject());
            assertThat(nameless.getInteger("failureCode")).isEqualTo(400);
            assertThat(nameless.getString("message")).isEqualTo("give a name");
            assertThat(node.providers("greeter")).as("it registered a service").containsExactly(node.id);
            RealNode.await(
                    "it counted its own service",
                    () -> client.ask("sample.greet", greet("Ada"))
                                    .getJsonObject("body")
                                    .getInteger("changes")
                            > 0);

            client.register("sample.changes");
            client.raw("{\"type\":\"ping\"}");
            client.take("pong"); // frames are taken in order
            node.register("other", "greeter", 8);
            assertThat(client.take("sample.changes").getJsonObject("body").getInteger("changes"))
                    .as("what a plugin publishes is heard outside")
                    .isPositive();

            client.register("mcc.api.events.plugin.failed");
            client.register("mcc.api.events.plugin.restarted");
            client.raw("{\"type\":\"send\",\"address\":\"sample.greet\",\"body\":{\"name\":\"boom\"}}");
            JsonObject failed = client.take("mcc.api.events.plugin.failed").getJsonObject("body");
            assertThat(failed.getJsonObject("data").getString("failure")).contains("boom, as asked");
            client.take("mcc.api.events.plugin.restarted");
            assertThat(client.ask("sample.greet", greet("Bo")).getString("type"))
                    .isEqualTo("rec");
            assertThat(node.get("/api/v1/plugins/greeter")
                            .body()
                            .path("restarts")
                            .asInt())
                    .isEqualTo(1);

            Jars.put(
                    jar.getParent(),
                    "greeter",
                    Jars.jar(GREETER.copy().put("version", "2.0").encode(), CLASS));
            RealNode.await("the new version runs", () -> {
                JsonNode plugin = node.get("/api/v1/plugins/greeter").body();
                return plugin.path("version").asText().equals("2.0")
                        && plugin.path("state").asText().equals("running");
            });
            Files.delete(jar);
            RealNode.await(
                    "it is gone", () -> node.get("/api/v1/plugins/greeter").status() == 404);
            assertThat(client.ask("sample.greet", greet("Ada")).getInteger("failureCode"))
                    .isEqualTo(403);
            assertThat(node.get("/api/v1/registrations/greeter").status())
                    .as("its stop took the service away")
                    .isEqualTo(404);
        }
    }

    @Test
    void brokenJarsAreClearFailuresAndTheNodeStaysUp() {
        try (RealNode node = RealNode.start(folder.resolve("1"))) {
            Path plugins = node.data.resolve("plugins");
            Jars.put(plugins, "no-manifest", Jars.jar(null));
            Jars.put(plugins, "bad-json", Jars.jar("{\"name\":"));
            Jars.put(plugins, "no-jar", "nothing".getBytes(StandardCharsets.UTF_8));
            Jars.put(plugins, "no-class", Jars.jar(manifest("no-class", "gone.Verticle")));
            Jars.put(plugins, "no-verticle", Jars.jar(manifest("no-verticle", "java.lang.String")));
            Jars.put(
                    plugins,
                    "thrower",
                    Jars.jar(manifest("thrower", "mcc.plugin.sample.Thrower"), "mcc.plugin.sample.Thrower"));
            Jars.put(plugins, "a", Jars.jar(GREETER.encode(), CLASS));
            Jars.put(plugins, "b", Jars.jar(GREETER.encode(), CLASS));
            expect(node, "no-manifest", "failed", "no META-INF/mcc-plugin.json");
            expect(node, "bad-json", "failed", "not a JSON object");
            expect(node, "no-jar", "failed", "cannot be read as a jar");
            expect(node, "no-class", "failed", "gone.Verticle");
            expect(node, "no-verticle", "failed", "not a Vert.x verticle");
            expect(node, "thrower", "backoff", "thrown in the constructor");
            awaitState(node, "a", "running");
            expect(node, "b", "failed", "served by plugin 'a'");
            assertThat(node.get("/health/live").status()).isEqualTo(200);
            RealNode.await(
                    "it is tried again",
                    () -> node.get("/api/v1/plugins/thrower")
                                    .body()
                                    .path("restarts")
                                    .asInt()
                            > 1);
            assertThat(node.get("/api/v1/plugins").body().path("items")).hasSize(8);
        }
    }

    private static String manifest(String name, String verticle) {
        return Jars.manifest(name, verticle, List.of(), List.of()).encode();
    }

    private static void expect(RealNode node, String id, String state, String failure) {
        // One that was not started yet is called failed as well.
        RealNode.await(id + " is " + state + ": " + failure, () -> {
            JsonNode plugin = node.get("/api/v1/plugins/" + id).body();
            return plugin.path("state").asText().equals(state)
                    && plugin.path("failure").asText().contains(failure);
        });
    }

    private static HttpRequest.Builder upload(RealNode node, byte[] jar) {
        return node.request("/api/v1/plugins")
                .header("Content-Type", "application/java-archive")
                .POST(HttpRequest.BodyPublishers.ofByteArray(jar));
    }

    @Test
    void anUploadNeedsTheSwitchAndTheToken() throws Exception {
        byte[] jar = Jars.jar(GREETER.encode(), CLASS);
        try (RealNode off = RealNode.start(folder.resolve("off"))) {
            assertThat(off.send(upload(off, jar)).status()).isEqualTo(401);
            assertThat(off.send(upload(off, jar).header("Authorization", "Bearer " + token(off)))
                            .status())
                    .isEqualTo(403);
        }
        try (RealNode on = RealNode.start(folder.resolve("on"), "--plugins-upload=true")) {
            String bearer = "Bearer " + token(on);
            assertThat(on.send(upload(on, jar)).status()).isEqualTo(401);
            RealNode.Answer made = on.send(upload(on, jar).header("Authorization", bearer));
            assertThat(made.status()).as(made.raw().body()).isEqualTo(201);
            assertThat(made.body().path("id").asText()).isEqualTo("greeter");
            assertThat(made.body().path("state").asText()).isEqualTo("running");
            assertThat(on.send(upload(on, Jars.jar(null)).header("Authorization", bearer))
                            .status())
                    .isEqualTo(422);
            assertThat(on.send(upload(on, new byte[(32 << 20) + 1]).header("Authorization", bearer))
                            .status())
                    .isEqualTo(413);
            assertThat(on.post("/api/v1/plugins/greeter/restart", "").status()).isEqualTo(401);
            RealNode.Answer restarted = on.send(on.request("/api/v1/plugins/greeter/restart")
                    .header("Authorization", bearer)
                    .POST(HttpRequest.BodyPublishers.noBody()));
            assertThat(restarted.body().path("restarts").asInt()).isEqualTo(1);
            assertThat(on.send(on.request("/api/v1/plugins/greeter")
                                    .header("Authorization", bearer)
                                    .DELETE())
                            .status())
                    .isEqualTo(200);
            assertThat(on.get("/api/v1/plugins").body().path("items")).isEmpty();
            try (var files = Files.list(on.data.resolve("plugins"))) {
                assertThat(files).as("nothing is left over").isEmpty();
            }
        }
    }

    @Test
    void anUploadThatDoesNotSayItsLengthIsCutOffAtTheLimit() throws Exception {
        try (RealNode node = RealNode.start(folder.resolve("1"), "--plugins-upload")) {
            byte[] large = new byte[(32 << 20) + 1];
            RealNode.Answer answer = node.send(node.request("/api/v1/plugins")
                    .header("Content-Type", "application/java-archive")
                    .header("Authorization", "Bearer " + token(node))
                    .POST(HttpRequest.BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(large))));
            assertThat(answer.status()).isEqualTo(413);
            try (var files = Files.list(node.data.resolve("plugins"))) {
                assertThat(files).as("nothing is left over").isEmpty();
            }
        }
    }

    @Tag("long")
    @Test
    void sixtyFourPluginsAreTakenAndThoseBeyondAreNamed() throws Exception {
        try (RealNode node = RealNode.start(folder.resolve("1"), "--plugins-upload")) {
            Path plugins = node.data.resolve("plugins");
            byte[] useless = Jars.jar(null); // it counts, and costs nothing
            for (int i = 0; i < PluginVerticle.MAX + 1; i++) {
                Jars.put(plugins, "p%03d".formatted(i), useless);
            }
            RealNode.await(
                    "the limit is said",
                    () -> node.get("/api/v1/node").raw().body().contains("not loaded, over 64 plugins: [p064.jar]"));
            assertThat(node.get("/api/v1/plugins").body().path("items")).hasSize(PluginVerticle.MAX);
            RealNode.Answer refused = node.send(
                    upload(node, Jars.jar(GREETER.encode(), CLASS)).header("Authorization", "Bearer " + token(node)));
            assertThat(refused.status()).isEqualTo(409);
            Files.delete(plugins.resolve("p000.jar"));
            awaitState(node, "p064", "failed");
            RealNode.await(
                    "nothing is left out",
                    () -> !node.get("/api/v1/node").raw().body().contains("not loaded"));
        }
    }

    @Tag("long")
    @Test
    void aJarThatEndsTheNodeThreeTimesIsLeftOut() throws Exception {
        String exiter = "mcc.plugin.sample.Exiter";
        Path data = folder.resolve("1");
        try (RealNode node = RealNode.start(data)) {
            Jars.put(data.resolve("plugins"), "greeter", Jars.jar(GREETER.encode(), CLASS));
            awaitState(node, "greeter", "running");
            Jars.put(data.resolve("plugins"), "exiter", Jars.jar(manifest("exiter", exiter), exiter));
            assertThat(node.process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        }
        for (int i = 1; i < Trials.EXITS_MAX; i++) {
            try (RealNode node = RealNode.start(data)) {
                assertThat(node.process.waitFor(60, TimeUnit.SECONDS)).isTrue();
            }
        }
        try (RealNode node = RealNode.start(data)) {
            awaitState(node, "exiter", "quarantined");
            awaitState(node, "greeter", "running");
            RealNode.await(
                    "it is told", () -> node.get("/api/v1/node").raw().body().contains("plugins-quarantined"));
        }
    }

    private static String verb(RealNode node, String... words) throws Exception {
        ProcessBuilder builder = new ProcessBuilder(RealNode.command(words)).redirectErrorStream(true);
        builder.environment().put("MCC_NODE", node.http);
        builder.environment().put("MCC_TOKEN", token(node));
        Process process = builder.start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
        return said;
    }

    @Test
    void theCommandLineDeploysListsRestartsAndRemoves() throws Exception {
        Path jar = Jars.put(folder, "any-name", Jars.jar(GREETER.encode(), CLASS));
        try (RealNode node = RealNode.start(folder.resolve("1"), "--plugins-upload")) {
            assertThat(verb(node, "plugin", "deploy", jar.toString())).contains("deployed greeter", "running");
            assertThat(verb(node, "plugin", "ls")).contains("greeter", "1.0", "running", "sample.greet");
            assertThat(verb(node, "plugin", "restart", "greeter")).contains("restarted greeter");
            assertThat(verb(node, "plugin", "rm", "greeter")).contains("removed greeter");
            assertThat(verb(node, "plugin", "ls")).contains("no plugins");
        }
    }

    @Test
    void theBridgeChecksAsHttpDoes() throws Exception {
        try (RealNode node = RealNode.start(folder.resolve("1"));
                BusClient client = new BusClient(node.http)) {
            client.raw("{\"type\":\"ping\"}");
            assertThat(client.take("pong").getString("type")).isEqualTo("pong");
            assertThat(client.ask("mcc.api.getNode", null).getJsonObject("body").getString("id"))
                    .isEqualTo(node.id);
            assertProblem(client.ask("mcc.api.getPeer", new JsonObject()), 400, "validation");
            assertProblem(client.ask("mcc.api.getPeer", new JsonObject().put("id", "x")), 404, "not-found");
            assertProblem(client.ask("mcc.api.getNode", new JsonObject().put("x", 1)), 400, "validation");
            assertProblem(client.ask("mcc.api.nothing", null), 404, "not-found");
            assertProblem(client.ask("mcc.api.watch", greet("x")), 400, "validation");
            assertProblem(client.ask("elsewhere", null), 403, "policy-denied");
            assertProblem(client.ask("mcc.session.ask", null), 403, "policy-denied");
            assertProblem(client.ask("mcc.api.drainNode", null), 401, "unauthenticated");
            JsonObject bad = new JsonObject().put("token", "mcc_wrong");
            assertProblem(client.ask("mcc.api.drainNode", null, bad), 401, "unauthenticated");
            JsonObject good = new JsonObject().put("token", token(node));
            assertThat(client.ask("mcc.api.drainNode", null, good)
                            .getJsonObject("body")
                            .getBoolean("draining"))
                    .isTrue();
            for (String frame : List.of(
                    "no json",
                    "{}",
                    "{\"type\":\"send\"}",
                    "{\"type\":\"jump\",\"address\":\"a\"}",
                    "{\"type\":7}",
                    "{\"type\":\"register\",\"address\":\"mcc.session\"}",
                    "{\"type\":\"publish\",\"address\":\"mcc.api.events.x\"}")) {
                client.raw(frame);
                assertThat(client.take("err").getString("body")).as(frame).isNotEmpty();
            }
            try (HttpClient http = HttpClient.newHttpClient()) {
                URI uri = URI.create(node.http.replace("http:", "ws:") + "/api/v1/bus/websocket");
                assertThatThrownBy(() -> http.newWebSocketBuilder()
                                .header("Origin", "http://evil.example")
                                .buildAsync(uri, new WebSocket.Listener() {})
                                .join())
                        .isInstanceOf(CompletionException.class)
                        .cause()
                        .isInstanceOfSatisfying(
                                WebSocketHandshakeException.class,
                                e -> assertThat(e.getResponse().statusCode()).isEqualTo(403));
            }
        }
    }

    private static void assertProblem(JsonObject frame, int status, String code) {
        assertThat(frame.getString("type")).as(frame.encode()).isEqualTo("err");
        assertThat(frame.getInteger("failureCode")).as(frame.encode()).isEqualTo(status);
        assertThat(frame.getString("failureType")).isEqualTo("RECIPIENT_FAILURE");
        JsonObject problem = new JsonObject(frame.getString("message"));
        assertThat(problem.getString("code")).isEqualTo(code);
        assertThat(problem.getInteger("status")).isEqualTo(status);
    }

    @Test
    void aPluginReachesWhatItsManifestNamesAndNothingElse() {
        JsonObject manifest = Jars.manifest(
                "curious",
                "mcc.plugin.sample.Curious",
                List.of("curious.ask", "curious.sees", "curious.publish", "curious.tells"),
                List.of("mcc.api.getNode", "mcc.api.drainNode"));
        try (RealNode node = RealNode.start(folder.resolve("1"));
                BusClient client = new BusClient(node.http)) {
            Jars.put(node.data.resolve("plugins"), "curious", Jars.jar(manifest.encode(), "mcc.plugin.sample.Curious"));
            awaitState(node, "curious", "running");
            assertThat(client.ask("curious.ask", "mcc.api.getNode")
                            .getJsonObject("body")
                            .getString("id"))
                    .isEqualTo(node.id);
            JsonObject refused = client.ask("curious.ask", "mcc.api.listPeers");
            assertThat(refused.getInteger("failureCode")).isEqualTo(418);
            assertThat(new JsonObject(refused.getString("message")).getString("code"))
                    .isEqualTo("policy-denied");
            assertThat(client.ask("curious.sees", "io.vertx.core.Vertx").getString("body"))
                    .isNotEqualTo("nothing");
            assertThat(client.ask("curious.sees", "mcc.node.Node").getString("body"))
                    .isEqualTo("nothing");
            assertThat(client.ask("curious.sees", "org.yaml.snakeyaml.Yaml").getString("body"))
                    .isEqualTo("nothing");
            client.register("curious.tells");
            client.register("mcc.api.events.peer.up");
            for (String address : List.of("mcc.api.events.peer.up", "sample.greet", "curious.tells")) {
                assertThat(client.ask("curious.publish", address).getString("body"))
                        .isEqualTo("published");
            }
            assertThat(client.take("curious.tells").getString("body")).isEqualTo("heard");
            assertThat(client.isSilent("mcc.api.events.peer.up"))
                    .as("what a plugin publishes as an event of the node's goes nowhere")
                    .isTrue();
            assertThat(client.ask("curious.ask", "mcc.api.drainNode")
                            .getJsonObject("body")
                            .getBoolean("draining"))
                    .as("trusted with what its manifest names")
                    .isTrue();
        }
    }

    @Test
    void aProgramInAnotherLanguageRegistersDiscoversAndWatches() throws Exception {
        String js = Needs.program("node", "nodejs");
        Path script = Path.of("src/test/resources/plugin/bus.mjs").toAbsolutePath();
        try (RealNode one = RealNode.start(folder.resolve("1"));
                RealNode two = RealNode.start(folder.resolve("2"), "--bootstrap", one.bootstrap())) {
            Process process = new ProcessBuilder(js, script.toString(), two.http)
                    .redirectErrorStream(true)
                    .start();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).as(said).isZero();
            assertThat(said.lines())
                    .contains("registered clock", "found clock at " + two.id, "joined open/clock", "left open/clock");
        }
    }

    @Test
    void theStandardClientGoesThroughByEveryTransport() throws Exception {
        String js = Needs.program("node", "nodejs");
        Path scripts = Path.of("src/test/browser").toAbsolutePath();
        if (!Files.isDirectory(scripts.resolve("node_modules/sockjs-client"))) {
            assertThat(said(scripts, Needs.program("npm", "npm"), "ci", "--no-audit", "--no-fund"))
                    .contains("added");
        }
        try (RealNode node = RealNode.start(folder.resolve("1"))) {
            HttpRequest poll = node.request("/api/v1/bus/1/a/xhr")
                    .POST(HttpRequest.BodyPublishers.noBody())
                    .build();
            assertThat(HttpClient.newHttpClient()
                            .send(poll, HttpResponse.BodyHandlers.ofString())
                            .headers()
                            .firstValue("connection"))
                    .as("SockJS closes it, so a client must not use it again")
                    .contains("close");
            List<String> lines =
                    said(scripts, js, "bridge.mjs", node.http).lines().toList();
            for (String transport : List.of("websocket", "xhr-streaming", "xhr-polling", "eventsource")) {
                assertThat(lines).contains(transport + ": open/" + transport + " at " + node.id);
            }
        }
    }

    private static String said(Path folder, String... command) throws Exception {
        Process process = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
        return said;
    }

    @Test
    void everyTransportIsGuardedAsHttpIs() throws Exception {
        try (RealNode node = RealNode.start(folder.resolve("1"), "--http-tokenless=false")) {
            for (String path : List.of("/info", "/websocket", "/1/a/websocket", "/1/a/eventsource")) {
                assertThat(node.get("/api/v1/bus" + path).status()).as(path).isEqualTo(401);
                assertThat(node.send(bus(node, path, token(node), "http://evil.example")
                                        .GET())
                                .status())
                        .as(path)
                        .isEqualTo(403);
            }
            String own = node.http;
            assertThat(node.send(bus(node, "/1/b/xhr", "mcc_wrong", own).POST(HttpRequest.BodyPublishers.noBody()))
                            .status())
                    .isEqualTo(401);
            RealNode.Answer opened =
                    node.send(bus(node, "/1/b/xhr", token(node), own).POST(HttpRequest.BodyPublishers.noBody()));
            assertThat(opened.raw().body()).isEqualTo("o\n");
            String large = "[\"" + "x".repeat(300_000) + "\"]";
            assertThat(node.send(bus(node, "/1/b/xhr_send", token(node), own)
                                    .POST(HttpRequest.BodyPublishers.ofString(large)))
                            .status())
                    .isEqualTo(413);
        }
    }

    private static HttpRequest.Builder bus(RealNode node, String path, String token, String origin) {
        return node.request("/api/v1/bus" + path)
                .header("Authorization", "Bearer " + token)
                .header("Origin", origin);
    }
}
