package mcc.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.NullNode;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.json.schema.Draft;
import io.vertx.json.schema.JsonSchema;
import io.vertx.json.schema.JsonSchemaOptions;
import io.vertx.json.schema.OutputFormat;
import io.vertx.json.schema.OutputUnit;
import io.vertx.json.schema.Validator;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every answer of a real node against {@code openapi.json}, and the promises that schemas cannot tell. */
class RestContractIT {
    @TempDir
    static Path folder;

    private static RealNode one;
    private static RealNode two;
    private static ServerSocket app;
    private static JsonObject contract;
    private static final Set<String> COVERED = new LinkedHashSet<>();

    @BeforeAll
    static void start() throws IOException {
        try (InputStream in = RestContractIT.class.getResourceAsStream("/openapi.json")) {
            contract = new JsonObject(new String(in.readAllBytes(), StandardCharsets.UTF_8));
        }
        app = new ServerSocket(0, 50, java.net.InetAddress.getLoopbackAddress());
        Thread.ofVirtual().start(() -> {
            while (!app.isClosed()) {
                try (Socket socket = app.accept()) {
                    socket.getOutputStream().write('x');
                } catch (IOException _) {
                    return; // the test is over
                }
            }
        });
        one = RealNode.start(folder.resolve("1"));
        two = RealNode.start(folder.resolve("2"), "--bootstrap", one.bootstrap());
        one.register("app", "app", app.getLocalPort());
        RealNode.await("the app is found", () -> two.providers("app").contains(one.id));
    }

    @AfterAll
    static void stop() throws IOException {
        for (RealNode node : new RealNode[] {one, two}) if (node != null) node.close();
        if (app != null) app.close();
    }

    /** Sends, and checks the answer against the schema that the contract has for its status. */
    private static RealNode.Answer check(String operationId, HttpRequest.Builder request) {
        RealNode.Answer answer = two.send(request);
        COVERED.add(operationId);
        JsonObject operation = operation(operationId);
        JsonObject response = operation.getJsonObject("responses").getJsonObject("" + answer.status());
        assertThat(response).as(operationId + " may answer " + answer.status()).isNotNull();
        if (response.containsKey("$ref"))
            response = contract.getJsonObject("components")
                    .getJsonObject("responses")
                    .getJsonObject("Problem");
        String type = response.getJsonObject("content").fieldNames().iterator().next();
        assertThat(answer.raw().headers().firstValue("Content-Type").orElse("")).startsWith(type);
        if (!type.contains("json")) return answer;
        JsonObject schema =
                response.getJsonObject("content").getJsonObject(type).getJsonObject("schema");
        JsonObject alone = (JsonObject) resolve(schema);
        OutputUnit result = Validator.create(
                        JsonSchema.of(alone),
                        new JsonSchemaOptions()
                                .setBaseUri("mcc://test/")
                                .setDraft(Draft.DRAFT202012)
                                .setOutputFormat(OutputFormat.Basic))
                .validate(new JsonObject(answer.raw().body()));
        assertThat(result.getErrors())
                .as(operationId + ": " + answer.raw().body())
                .isNullOrEmpty();
        return answer;
    }

    private static JsonObject operation(String id) {
        for (var path : contract.getJsonObject("paths")) {
            for (var method : (JsonObject) path.getValue()) {
                JsonObject operation = (JsonObject) method.getValue();
                if (operation.getString("operationId").equals(id)) return operation;
            }
        }
        throw new AssertionError("not in the contract: " + id);
    }

    private static Object resolve(Object schema) {
        if (schema instanceof JsonArray array) {
            JsonArray out = new JsonArray();
            array.forEach(each -> out.add(resolve(each)));
            return out;
        }
        if (!(schema instanceof JsonObject object)) return schema;
        String ref = object.getString("$ref");
        if (ref != null) {
            String name = ref.substring(ref.lastIndexOf('/') + 1);
            return resolve(contract.getJsonObject("components")
                    .getJsonObject("schemas")
                    .getJsonObject(name));
        }
        JsonObject out = new JsonObject();
        object.forEach(e -> out.put(e.getKey(), resolve(e.getValue())));
        return out;
    }

    private static HttpRequest.Builder get(String path) {
        return two.request(path).GET();
    }

    private static HttpRequest.Builder send(String method, String path, String body) {
        return two.request(path)
                .header("Content-Type", "application/json")
                .method(method, HttpRequest.BodyPublishers.ofString(body));
    }

    @Test
    void aServiceWithoutAUsableProviderHasNoBestOne() {
        String check = "\"check\":{\"type\":\"tcp\",\"intervalMs\":1000,\"timeoutMs\":500,\"failures\":1}";
        assertThat(two.put("/api/v1/registrations/down", "{\"service\":\"down\",\"port\":1," + check + "}")
                        .status())
                .isEqualTo(201);
        RealNode.await("its check fails", () -> {
            return two.get("/api/v1/services/down").body().path("failing").asInt() == 1;
        });
        assertThat(check("getService", get("/api/v1/services/down")).body().get("best"))
                .isEqualTo(NullNode.instance);
        check("listServices", get("/api/v1/services"));
        two.delete("/api/v1/registrations/down");
    }

    @Test
    void everyAnswerIsAsTheContractSays() {
        String v = "/api/v1";
        check("getNode", get(v + "/node"));
        check("listPeers", get(v + "/peers"));
        check("getPeer", get(v + "/peers/" + one.id.substring(0, 8)));
        check("getPeer", get(v + "/peers/aaaaaaaaaa"));
        assertThat(check("getPeer", get(v + "/peers/" + two.id)).raw().body()).contains("is this node itself");
        check("benchPeer", send("POST", v + "/peers/" + one.id + "/bench", "{\"seconds\":1}"));
        check("pingPeer", send("POST", v + "/peers/" + one.id + "/ping?count=2", ""));
        assertThat(check("getPeerPath", get(v + "/peers/" + one.id.substring(0, 8) + "/path"))
                        .body()
                        .at("/changes/0/cause")
                        .asText())
                .isEqualTo("handshake");
        String instance = "app%23"
                + two.get(v + "/services/app/providers")
                        .body()
                        .at("/items/0/endpoint")
                        .asText();
        check("pingPeer", send("POST", v + "/peers/" + instance + "/ping", ""));
        assertThat(check("getPeerPath", get(v + "/peers/" + instance + "/path"))
                        .body()
                        .path("id")
                        .asText())
                .isEqualTo(one.id);
        for (String unknown : List.of("aaaaaaaaaa", "a".repeat(52), "app%23aaaaaaaa", "none%23aaaaaaaa")) {
            RealNode.Answer answer = check("getPeerPath", get(v + "/peers/" + unknown + "/path"));
            assertThat(answer.status()).as(unknown).isEqualTo(404);
            assertThat(answer.body().path("hint").asText()).as(unknown).isNotEmpty();
        }
        assertThat(check("getPeerPath", get(v + "/peers/" + two.id + "/path")).status())
                .isEqualTo(400);
        assertThat(check("getPeerPath", get(v + "/peers/app%23x/path")).status())
                .isEqualTo(400);
        check("getDht", get(v + "/dht"));
        check("listBuckets", get(v + "/dht/buckets"));
        check("lookup", send("POST", v + "/dht/lookups", "{\"target\":\"" + one.id + "\"}"));
        check("lookup", send("POST", v + "/dht/lookups", "{\"service\":\"app\"}"));
        check("lookup", send("POST", v + "/dht/lookups", "{}"));
        check("listServices", get(v + "/services"));
        check("getService", get(v + "/services/app"));
        check("getService", get(v + "/services/open%2Fapp"));
        check("getService", get(v + "/services/none"));
        check("listProviders", get(v + "/services/app/providers?health=all"));
        check("resolveService", get(v + "/services/app/resolve"));
        check("putRegistration", send("PUT", v + "/registrations/mine", "{\"service\":\"mine\",\"port\":1}"));
        String ports =
                "{\"service\":\"mine\",\"ports\":[{\"port\":2,\"protocol\":\"udp\"},{\"port\":2,\"endPort\":9}]}";
        check("putRegistration", send("PUT", v + "/registrations/mine", ports));
        check("listProviders", get(v + "/services/mine/providers"));
        check("putRegistration", send("PUT", v + "/registrations/mine", "{\"service\":\"other/mine\",\"port\":2}"));
        check("listRegistrations", get(v + "/registrations"));
        check("getRegistration", get(v + "/registrations/mine"));
        check("heartbeat", send("POST", v + "/registrations/mine/heartbeat", ""));
        check("heartbeat", send("POST", v + "/registrations/none/heartbeat", ""));
        check("deleteRegistration", two.request(v + "/registrations/mine").DELETE());
        check("deleteRegistration", two.request(v + "/registrations/mine").DELETE());
        String tunnel = check("openTunnel", send("POST", v + "/tunnels", "{\"service\":\"app\"}"))
                .body()
                .get("id")
                .asText();
        check("openTunnel", send("POST", v + "/tunnels", "{\"service\":\"app\",\"listen\":\"nonsense\"}"));
        check("listTunnels", get(v + "/tunnels"));
        check("getTunnel", get(v + "/tunnels/" + tunnel));
        check("getTunnelStats", get(v + "/tunnels/" + tunnel + "/stats?range=1m&step=2s"));
        assertThat(check("getTunnelPath", get(v + "/tunnels/" + tunnel + "/path"))
                        .body()
                        .get("now"))
                .as("nothing went through it yet")
                .isEqualTo(NullNode.instance);
        RealNode.await("the tunnel is used", () -> {
            use(tunnel);
            return check("getTunnelPath", get(v + "/tunnels/" + tunnel + "/path"))
                    .body()
                    .at("/now/id")
                    .asText()
                    .equals(one.id);
        });
        assertThat(check("getTunnelPath", get(v + "/tunnels/t-0/path")).status())
                .isEqualTo(404);
        check("closeTunnel", two.request(v + "/tunnels/" + tunnel).DELETE());
        check("getTunnel", get(v + "/tunnels/" + tunnel));
        check("getNat", get(v + "/nat"));
        RealNode.Answer checked = check("checkNat", send("POST", v + "/nat/check", ""));
        assertThat(checked.status()).as("both are on this machine").isEqualTo(409);
        assertThat(checked.body().path("detail").asText()).contains("two peers");
        check("getRelays", get(v + "/relays"));
        check("listEvents", get(v + "/events/history?limit=5"));
        check("getMetrics", get("/metrics"));
        assertThat(one.get("/metrics").raw().body())
                .contains(
                        "mcc_policy_decisions_total{result=\"allowed\"}",
                        "mcc_policy_decisions_total{result=\"denied\"}");
        check("getHealth", get("/health"));
        check("getLiveness", get("/health/live"));
        check("getReadiness", get("/health/ready"));
        check("drainNode", send("POST", v + "/node/drain", "")); // refused: no token
        assertThat(COVERED)
                .as("every operation but the stream of events, and plugins, which have a test of their own")
                .containsAll(operations());
    }

    private static void use(String tunnel) {
        String listen =
                two.get("/api/v1/tunnels/" + tunnel).body().path("listen").asText();
        int port = Integer.parseInt(listen.substring(listen.lastIndexOf(':') + 1));
        try (Socket socket = new Socket(java.net.InetAddress.getLoopbackAddress(), port)) {
            assertThat(socket.getInputStream().read()).isEqualTo('x');
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Test
    void aDrainedNodeSaysSoAndTakesNoRegistrationUntilItIsStartedAgain() throws Exception {
        Path data = folder.resolve("drained");
        try (RealNode node = RealNode.start(data)) {
            node.register("app", "app", app.getLocalPort());
            String token = Files.readString(data.resolve("admin.token")).strip();
            RealNode.Answer drained = node.send(node.request("/api/v1/node/drain")
                    .header("Authorization", "Bearer " + token)
                    .POST(HttpRequest.BodyPublishers.noBody()));
            assertThat(drained.status()).isEqualTo(200);
            assertThat(node.get("/api/v1/node").body().path("draining").asBoolean())
                    .isTrue();
            assertThat(node.get("/health/ready").status()).isEqualTo(503);
            RealNode.Answer kept = node.get("/api/v1/registrations/app");
            assertThat(kept.body().path("health").asText()).isEqualTo("fail");
            assertThat(kept.body().path("reason").asText()).contains("drains");
            RealNode.Answer refused = node.put("/api/v1/registrations/b", "{\"service\":\"b\",\"port\":1}");
            assertThat(refused.status()).isEqualTo(503);
            assertThat(refused.body().path("code").asText()).isEqualTo("node-not-ready");
            assertThat(refused.body().path("detail").asText()).contains("drains");
            assertThat(refused.body().path("hint").asText()).contains("start the node again");
            assertThat(node.stop()).isZero();
        }
        try (RealNode node = RealNode.start(data)) {
            assertThat(node.get("/api/v1/node").body().path("draining").asBoolean())
                    .isFalse();
            assertThat(node.get("/api/v1/registrations").body().path("items").findValuesAsText("id"))
                    .containsExactly("app");
        }
    }

    private static Set<String> operations() {
        Set<String> out = new LinkedHashSet<>();
        for (var path : contract.getJsonObject("paths")) {
            for (var method : (JsonObject) path.getValue()) {
                JsonObject operation = (JsonObject) method.getValue();
                if (!operation.getJsonArray("tags").contains("plugins")) out.add(operation.getString("operationId"));
            }
        }
        out.remove("streamEvents");
        return out;
    }

    @Test
    void listsPageFilterAndSort() {
        for (int i = 0; i < 5; i++) one.register("p" + i, "paged", 2000 + i);
        RealNode.Answer first = one.get("/api/v1/registrations?filter=paged&sort=-port&limit=2");
        assertThat(first.body().path("items").findValuesAsText("id")).containsExactly("p4", "p3");
        String next = first.body().path("next").asText();
        RealNode.Answer second = one.get("/api/v1/registrations?filter=paged&sort=-port&limit=2&cursor=" + next);
        assertThat(second.body().path("items").findValuesAsText("id")).containsExactly("p2", "p1");
        assertThat(one.get("/api/v1/registrations?cursor=AAAA").status()).isEqualTo(400);
    }

    @Test
    void conditionsAndRetriesAreKept() {
        String path = "/api/v1/registrations/cond";
        assertThat(one.send(json(one, path).header("If-None-Match", "*").PUT(body("{\"service\":\"c\",\"port\":1}")))
                        .status())
                .isEqualTo(201);
        assertThat(one.send(json(one, path).header("If-None-Match", "*").PUT(body("{\"service\":\"c\",\"port\":1}")))
                        .status())
                .isEqualTo(412);
        assertThat(one.send(json(one, path).header("If-Match", "\"other\"").PUT(body("{\"service\":\"c\",\"port\":1}")))
                        .status())
                .isEqualTo(412);
        RealNode.await( // as its health and its replicas are part of the answer, they change the tag
                "others hold it", () -> one.get(path).body().path("replicas").asInt() > 0);
        String now = tag(one, path);
        assertThat(now).as("strong").startsWith("\"");
        String same = "{\"service\":\"c\",\"port\":1}";
        assertThat(one.send(json(one, path)
                                .header("If-Match", now)
                                .header("If-None-Match", "\"other\"")
                                .PUT(body(same)))
                        .status())
                .as("both hold")
                .isEqualTo(200);
        assertThat(one.send(json(one, path)
                                .header("If-Match", "\"other\"")
                                .header("If-None-Match", "\"other\"")
                                .PUT(body(same)))
                        .status())
                .as("If-Match is obeyed beside If-None-Match")
                .isEqualTo(412);
        assertThat(one.send(json(one, path).header("If-None-Match", "W/" + now).PUT(body(same)))
                        .status())
                .isEqualTo(412);
        assertThat(one.send(json(one, path).header("If-Match", "W/" + now).PUT(body(same)))
                        .status())
                .as("If-Match compares strongly")
                .isEqualTo(412);
        assertThat(one.send(json(one, path)
                                .header("If-Match", "\"other\", " + now)
                                .PUT(body(same)))
                        .status())
                .as("a list")
                .isEqualTo(200);
        String post = "{\"service\":\"app\"}";
        RealNode.Answer made = two.send(
                json(two, "/api/v1/tunnels").header("Idempotency-Key", "k1").POST(body(post)));
        RealNode.Answer again = two.send(
                json(two, "/api/v1/tunnels").header("Idempotency-Key", "k1").POST(body(post)));
        assertThat(again.status()).isEqualTo(201);
        assertThat(again.body().get("id")).isEqualTo(made.body().get("id"));
        RealNode.Answer other = two.send(json(two, "/api/v1/tunnels")
                .header("Idempotency-Key", "k1")
                .POST(body("{\"service\":\"app\",\"listen\":\"127.0.0.1:0\"}")));
        assertThat(other.status()).isEqualTo(422);
        String tunnel = "/api/v1/tunnels/" + made.body().path("id").asText();
        for (String tag : List.of("\"other\"", tag(two, tunnel))) {
            assertThat(two.send(json(two, tunnel).header("If-Match", tag).DELETE())
                            .status())
                    .as("it has no versions")
                    .isEqualTo(412);
        }
        assertThat(two.get(tunnel).status()).isEqualTo(200);
        assertThat(two.send(json(two, tunnel).header("If-Match", "*").DELETE()).status())
                .isEqualTo(200);
    }

    private static String tag(RealNode node, String path) {
        return node.get(path).raw().headers().firstValue("ETag").orElse("");
    }

    @Test
    void aReaderThatHasTheAnswerAlreadyIsToldSo() {
        for (String path : List.of("/openapi.json", "/api/v1/node", "/api/v1/registrations/app")) {
            String tag = tag(one, path);
            String opaque = tag.substring(tag.indexOf('"'));
            for (String known : List.of(tag, "*", "\"other\", W/" + opaque, "\"other\"," + opaque)) {
                RealNode.Answer answer = one.send(
                        one.request(path).header("If-None-Match", known).GET());
                assertThat(answer.status()).as(path + " " + known).isEqualTo(304);
                assertThat(answer.raw().body()).isEmpty();
                assertThat(answer.raw().headers().firstValue("ETag")).contains(tag);
            }
            assertThat(one.send(one.request(path)
                                    .header("If-None-Match", "\"other\"")
                                    .GET())
                            .status())
                    .isEqualTo(200);
        }
        assertThat(tag(one, "/api/v1/node")).as("weak: the uptime is left out").startsWith("W/\"");
        assertThat(tag(one, "/metrics")).as("it differs each time").isEmpty();
    }

    @Test
    void anotherMethodIsRefusedWithThoseThereAreAndHeadIsServed() {
        for (String path : List.of("/openapi.json", "/api/v1/node", "/metrics", "/health", "/docs", "/")) {
            RealNode.Answer head = one.send(one.request(path).method("HEAD", HttpRequest.BodyPublishers.noBody()));
            assertThat(head.status()).as(path).isEqualTo(200);
            assertThat(head.raw().body()).isEmpty();
            RealNode.Answer put = one.send(json(one, path).PUT(body("{}")));
            assertThat(put.status()).as(path).isEqualTo(405);
            assertThat(put.raw().headers().firstValue("Allow")).as(path).contains("GET, HEAD");
            assertThat(put.body().path("code").asText()).isEqualTo("method-not-allowed");
        }
        RealNode.Answer patch = one.send(json(one, "/api/v1/registrations/app").method("PATCH", body("{}")));
        assertThat(patch.raw().headers().firstValue("Allow")).contains("DELETE, GET, HEAD, PUT");
        assertThat(one.send(json(one, "/api/v1/events").PUT(body("{}")))
                        .raw()
                        .headers()
                        .firstValue("Allow"))
                .contains("GET");
        assertThat(one.get("/api/v1/none").status()).isEqualTo(404);
    }

    @Test
    void oneKeyDoesOneThingHoweverManyComeAtOnce() {
        String post = "{\"service\":\"app\",\"listen\":\"127.0.0.1:0\"}";
        List<CompletableFuture<RealNode.Answer>> all = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            all.add(CompletableFuture.supplyAsync(() -> two.send(json(two, "/api/v1/tunnels")
                    .header("Idempotency-Key", "at once")
                    .POST(body(post)))));
        }
        Set<String> made = new LinkedHashSet<>();
        for (CompletableFuture<RealNode.Answer> each : all) {
            RealNode.Answer answer = each.join();
            if (answer.status() == 201) made.add(answer.body().path("id").asText());
            else {
                assertThat(answer.status()).isEqualTo(409);
                assertThat(answer.body().path("detail").asText()).contains("under way");
            }
        }
        assertThat(made).hasSize(1);
        RealNode.Answer elsewhere = two.send(json(two, "/api/v1/dht/lookups")
                .header("Idempotency-Key", "at once")
                .POST(body("{\"service\":\"app\"}")));
        assertThat(elsewhere.status()).isEqualTo(422);
    }

    @Test
    void aTunnelListensWhereItWasToldTo() {
        RealNode.Answer all = two.post("/api/v1/tunnels", "{\"service\":\"app\",\"listen\":\"0.0.0.0:0\"}");
        assertThat(all.status()).isEqualTo(201);
        assertThat(all.body().path("listen").asText()).matches("0\\.0\\.0\\.0:[1-9][0-9]*");
        RealNode.Answer unknown =
                two.post("/api/v1/tunnels", "{\"service\":\"app\",\"listen\":\"no-such-host.invalid:0\"}");
        assertThat(unknown.status()).isEqualTo(400);
        assertThat(unknown.body().path("detail").asText()).contains("'no-such-host.invalid' is unknown");
        assertThat(two.delete("/api/v1/tunnels/" + all.body().path("id").asText())
                        .status())
                .isEqualTo(200);
    }

    private static HttpRequest.Builder json(RealNode node, String path) {
        return node.request(path).header("Content-Type", "application/json");
    }

    private static HttpRequest.BodyPublisher body(String text) {
        return HttpRequest.BodyPublishers.ofString(text);
    }

    @Test
    void aWaitingReadAnswersWhenTheListChanges() throws Exception {
        RealNode.Answer now = two.get("/api/v1/services/late/providers");
        String index = now.body().get("index").asText();
        CompletableFuture<RealNode.Answer> waiting = CompletableFuture.supplyAsync(
                () -> two.get("/api/v1/services/late/providers?index=" + index + "&wait=50s"));
        one.register("late", "late", app.getLocalPort());
        RealNode.Answer later = waiting.get(60, TimeUnit.SECONDS);
        assertThat(later.body().path("items").get(0).path("node").asText()).isEqualTo(one.id);
        assertThat(later.body().get("index").asText()).isNotEqualTo(index);
    }

    @Test
    void aWaitIsTakenInSecondsOrMinutesAndRefusedBeyondItsLimit() {
        assertThat(two.get("/api/v1/services?index=0&wait=5m").status()).isEqualTo(200);
        for (String wait : List.of("301s", "999s", "6m")) {
            RealNode.Answer over = two.get("/api/v1/services?index=0&wait=" + wait);
            assertThat(over.status()).as(wait).isEqualTo(400);
            assertThat(over.body().path("hint").asText()).contains("5m");
        }
    }

    @Test
    void eventsStreamAndResume() throws Exception {
        URI uri = URI.create(two.http);
        try (Socket socket = new Socket(uri.getHost(), uri.getPort())) {
            BufferedReader in = open(socket, uri, "/api/v1/events?types=service.*&watch=seen", "");
            one.register("seen", "seen", app.getLocalPort());
            String joined = until(in, "event: service.joined");
            assertThat(joined).contains("id: ");
            String data = until(in, "data: ");
            assertThat(data).contains("open/seen", one.id);
        }
        String all = two.get("/api/v1/events/history?types=service.joined")
                .body()
                .path("items")
                .get(0)
                .path("id")
                .asText();
        try (Socket socket = new Socket(uri.getHost(), uri.getPort())) {
            BufferedReader in = open(socket, uri, "/api/v1/events", "Last-Event-ID: " + before(all) + "\r\n");
            assertThat(until(in, "id: ")).contains(all);
        }
        try (Socket socket = new Socket(uri.getHost(), uri.getPort())) {
            BufferedReader in = open(socket, uri, "/api/v1/events", "Last-Event-ID: older-7\r\n");
            assertThat(until(in, "event: ")).contains("gap");
        }
    }

    private static String before(String id) {
        int dash = id.lastIndexOf('-');
        return id.substring(0, dash + 1) + (Long.parseLong(id.substring(dash + 1)) - 1);
    }

    private static BufferedReader open(Socket socket, URI uri, String path, String header) throws IOException {
        socket.setSoTimeout(60_000);
        String head = "GET " + path + " HTTP/1.1\r\nHost: " + uri.getAuthority() + "\r\n" + header + "\r\n";
        socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
        BufferedReader in = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
        assertThat(in.readLine()).contains("200");
        return in;
    }

    private static String until(BufferedReader in, String begin) throws IOException {
        StringBuilder seen = new StringBuilder();
        for (String line; (line = in.readLine()) != null; ) {
            seen.append(line).append('\n');
            if (line.startsWith(begin)) return seen.toString();
        }
        throw new AssertionError("the stream ended before '" + begin + "':\n" + seen);
    }

    @Test
    void adminNeedsTheTokenAndItIsNeverShown() throws Exception {
        String token = Files.readString(two.data.resolve("admin.token")).strip();
        assertThat(two.send(two.request("/api/v1/node")
                                .header("Authorization", "Bearer wrong")
                                .GET())
                        .status())
                .isEqualTo(401);
        assertThat(two.send(two.request("/api/v1/node")
                                .header("Authorization", "Bearer " + token)
                                .GET())
                        .status())
                .isEqualTo(200);
        assertThat(two.log()).doesNotContain(token);
        assertThat(two.get("/openapi.json").raw().body()).doesNotContain(token);
    }
}
