package mcc.api;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.json.schema.Draft;
import io.vertx.json.schema.JsonSchema;
import io.vertx.json.schema.JsonSchemaOptions;
import io.vertx.json.schema.OutputFormat;
import io.vertx.json.schema.Validator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/**
 * Requests that the contract makes likely, and those that nobody foresees, to a node's real socket: each gets an answer, which is
 * as the contract says, and the node lives on. A seed tells all of a run.
 */
class RestFuzzTest {
    /** What HTTP itself answers, whatever the operation. */
    private static final Set<Integer> EDGES = Set.of(400, 403, 404, 405, 408, 413, 414, 415, 417, 421, 426, 431);

    private static final JsonObject CONTRACT = Contract.load().document();
    private static final Map<String, Validator> VALIDATORS = new LinkedHashMap<>();

    @TempDir
    Path folder;

    @Test
    void aThousandRequestsGetTheirAnswers() throws IOException {
        fuzz(1_000, 1);
    }

    @Test
    @Tag("long")
    void manyThousandRequestsGetTheirAnswers() throws IOException {
        fuzz(24_000, 2);
    }

    private void fuzz(int requests, long seed) throws IOException {
        ListAppender<ILoggingEvent> log = new ListAppender<>();
        log.start();
        Map<Integer, Integer> statuses = new TreeMap<>();
        try (ApiNode node = ApiNode.start(folder.resolve("n"))) {
            ((Logger) LoggerFactory.getLogger("ROOT")).addAppender(log);
            Random random = new Random(seed);
            Socket socket = node.connect();
            for (int i = 0; i < requests; i++) {
                Request request = new Request(random, node.http.getAuthority());
                String as = "request " + i + " of seed " + seed + ": " + request.shown();
                Answer answer;
                try {
                    if (socket.isClosed()) socket = node.connect();
                    answer = exchange(socket, request);
                } catch (IOException _) { // the node had closed it, as it may between two requests
                    socket.close();
                    socket = node.connect();
                    answer = again(as, socket, request);
                }
                check(as, request, answer);
                statuses.merge(answer.status, 1, Integer::sum);
                if (answer.closes) socket.close();
            }
            socket.close();
            assertThat(node.first("GET /health/live HTTP/1.1\r\nHost: " + node.http.getAuthority() + "\r\n\r\n"))
                    .startsWith("HTTP/1.1 200 ");
        } finally {
            ((Logger) LoggerFactory.getLogger("ROOT")).detachAppender(log);
        }
        assertThat(List.copyOf(log.list).stream()
                        .filter(e -> e.getLevel().isGreaterOrEqual(Level.ERROR))
                        .map(e -> e.getLoggerName() + " " + e.getFormattedMessage()))
                .as("faults in the log, of " + statuses)
                .isEmpty();
        assertThat(statuses.keySet())
                .as("it reaches what works and what is refused")
                .contains(200, 400, 404, 415);
    }

    private static Answer exchange(Socket socket, Request request) throws IOException {
        socket.getOutputStream().write(request.bytes());
        return Answer.read(socket.getInputStream(), request.method.equals("HEAD"));
    }

    private static Answer again(String as, Socket fresh, Request request) {
        try {
            return exchange(fresh, request);
        } catch (IOException e) {
            throw new AssertionError(as, e);
        }
    }

    private static void check(String as, Request request, Answer answer) {
        assertThat(answer.status).as(as).isNotEqualTo(500);
        JsonObject response = request.operation.getJsonObject("responses").getJsonObject(String.valueOf(answer.status));
        boolean edge = request.isOdd && EDGES.contains(answer.status);
        assertThat(response != null || edge || request.isElsewhere)
                .as(as + ": " + answer.status + " " + answer.body)
                .isTrue();
        if (answer.status == 304 || request.method.equals("HEAD") || request.isElsewhere) return;
        String key;
        JsonObject content;
        if (response == null || response.containsKey("$ref")) {
            key = "Problem";
            content = CONTRACT.getJsonObject("components")
                    .getJsonObject("responses")
                    .getJsonObject("Problem")
                    .getJsonObject("content");
        } else {
            key = request.operation.getString("operationId") + " " + answer.status;
            content = response.getJsonObject("content");
        }
        String type = content.fieldNames().iterator().next();
        assertThat(answer.type).as(as).startsWith(type);
        if (!type.contains("json")) return;
        JsonObject schema = content.getJsonObject(type).getJsonObject("schema");
        var result = VALIDATORS.computeIfAbsent(key, _ -> validator(schema)).validate(new JsonObject(answer.body));
        assertThat(result.getErrors()).as(as + ": " + answer.body).isNullOrEmpty();
    }

    private static Validator validator(JsonObject schema) {
        return Validator.create(
                JsonSchema.of((JsonObject) resolve(schema)),
                new JsonSchemaOptions()
                        .setBaseUri("mcc://test/")
                        .setDraft(Draft.DRAFT202012)
                        .setOutputFormat(OutputFormat.Basic));
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
            return resolve(CONTRACT.getJsonObject("components")
                    .getJsonObject("schemas")
                    .getJsonObject(ref.substring(ref.lastIndexOf('/') + 1)));
        }
        JsonObject out = new JsonObject();
        object.forEach(e -> out.put(e.getKey(), resolve(e.getValue())));
        return out;
    }

    /** One answer, whole. */
    private record Answer(int status, String type, boolean closes, String body) {
        static Answer read(InputStream in, boolean isHead) throws IOException {
            String line = line(in);
            while (line.startsWith("HTTP/1.1 100")) { // the client may go on
                while (!line(in).isEmpty()) {}
                line = line(in);
            }
            int status = Integer.parseInt(line.split(" ")[1]);
            Map<String, String> headers = new LinkedHashMap<>();
            for (String each; !(each = line(in)).isEmpty(); ) {
                int colon = each.indexOf(':');
                headers.put(
                        each.substring(0, colon).toLowerCase(),
                        each.substring(colon + 1).strip());
            }
            boolean closes = "close".equals(headers.get("connection"));
            String type = headers.getOrDefault("content-type", "");
            if (isHead || status == 304) return new Answer(status, type, closes, "");
            // A path with "..", of events/history say, leads to the stream of events, which has no end.
            if (type.startsWith("text/event-stream")) return new Answer(status, type, true, "");
            ByteArrayOutputStream body = new ByteArrayOutputStream();
            if (headers.containsKey("content-length")) {
                body.write(in.readNBytes(Integer.parseInt(headers.get("content-length"))));
            } else {
                for (int size; (size = Integer.parseInt(line(in), 16)) > 0; line(in)) body.write(in.readNBytes(size));
                line(in);
            }
            return new Answer(status, type, closes, body.toString(StandardCharsets.UTF_8));
        }

        private static String line(InputStream in) throws IOException {
            StringBuilder out = new StringBuilder();
            for (int c; (c = in.read()) != '\n'; out.append((char) c)) {
                if (c < 0) throw new IOException("the connection ended behind '" + out + "'");
            }
            return out.toString().strip();
        }
    }

    /** One request, some of it as the contract wants it. */
    private static final class Request {
        private static final List<String[]> OPERATIONS = operations();

        final JsonObject operation;
        final boolean isOdd;
        final String method;
        /** Whether its path leads to another operation than it was made for. */
        final boolean isElsewhere;

        private final Random random;
        private final StringBuilder head = new StringBuilder();
        private byte[] body = {};
        private boolean odd;

        Request(Random random, String host) {
            this.random = random;
            String[] where = OPERATIONS.get(random.nextInt(OPERATIONS.size()));
            JsonObject methods = CONTRACT.getJsonObject("paths").getJsonObject(where[0]);
            String verb = where[1];
            if (chance(40)) verb = odd(pick("patch", "options", "trace", "foo", "post", "put", "delete"));
            operation = methods.getJsonObject(methods.containsKey(verb) ? verb : where[1]);
            method = verb.equals("get") && chance(8) ? "HEAD" : verb.toUpperCase();
            String target = target(where[0]);
            isElsewhere = target.contains("/../") || target.contains("%2e%2e");
            head.append(method).append(' ').append(target).append(" HTTP/1.1\r\n");
            header("Host", chance(80) ? odd(pick("evil.example", "", "localhost:x:y", "[::1")) : host);
            JsonObject wants = operation.getJsonObject("requestBody");
            if (wants != null ? !chance(20) : chance(10)) body(wants);
            else if (wants != null) odd("");
            headers();
            head.append("\r\n");
            isOdd = odd;
        }

        private static List<String[]> operations() {
            List<String[]> out = new ArrayList<>();
            for (var path : CONTRACT.getJsonObject("paths")) {
                for (String method : ((JsonObject) path.getValue()).fieldNames()) {
                    if (!path.getKey().equals("/api/v1/events")) out.add(new String[] {path.getKey(), method});
                }
            }
            return out;
        }

        private boolean chance(int oneIn) {
            return random.nextInt(oneIn) == 0;
        }

        private String pick(String... of) {
            return of[random.nextInt(of.length)];
        }

        private String odd(String what) {
            odd = true;
            return what;
        }

        private void header(String name, String value) {
            head.append(name).append(": ").append(value).append("\r\n");
        }

        private String target(String path) {
            StringBuilder out = new StringBuilder(path);
            List<String> query = new ArrayList<>();
            for (Object each : operation.getJsonArray("parameters", new JsonArray())) {
                JsonObject p = (JsonObject) each;
                if (!p.containsKey("in") || p.getString("in").equals("header")) continue;
                String value = value(p);
                if (p.getString("in").equals("path")) {
                    int at = out.indexOf("{" + p.getString("name") + "}");
                    out.replace(at, at + p.getString("name").length() + 2, encode(value.isEmpty() ? "x" : value));
                } else if (chance(3)) {
                    query.add(p.getString("name") + (chance(20) ? "" : "=" + encode(value)));
                }
            }
            if (chance(30)) query.add(odd(encode(text())) + "=" + encode(text()));
            if (chance(60)) query.add(odd(pick("%zz", "%", "a=%ff%fe", "&&&=", "limit=1&limit=2")));
            if (chance(60)) out.append(odd(pick("/", "/../..", "//", "/%2e%2e", ";a=b", "/x".repeat(500))));
            if (chance(400)) out.append(odd("?" + "y".repeat(6_000)));
            return query.isEmpty() ? out.toString() : out + "?" + String.join("&", query);
        }

        private String encode(String text) {
            return chance(200)
                    ? odd("%")
                    : URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
        }

        private String value(JsonObject parameter) {
            JsonObject schema = parameter.getJsonObject("schema");
            String name = parameter.getString("name");
            if (chance(4)) return odd(name.equals("wait") ? "" : text());
            if (name.equals("wait")) return pick("0s", "0m", "300s0", "s");
            if (schema.containsKey("enum")) {
                JsonArray all = schema.getJsonArray("enum");
                return all.getString(random.nextInt(all.size()));
            }
            if ("integer".equals(schema.getString("type"))) return String.valueOf(random.nextInt(25));
            return pick("a", "mine", "app", "open/app", "aaaaaaaa", "1m", "2s", "x".repeat(64));
        }

        private String text() {
            return switch (random.nextInt(9)) {
                case 0 -> "";
                case 1 -> "null";
                case 2 -> "-1";
                case 3 -> "99999999999999999999";
                case 4 -> "\u0000\u001b\u009b\u202e";
                case 5 -> "x".repeat(1 + random.nextInt(700));
                case 6 -> "a/b/../..;#?&=%";
                case 7 -> "\ud83d\ude00\u00e9";
                default -> "1e999";
            };
        }

        private void body(JsonObject wants) {
            odd |= wants == null;
            String json = wants != null && wants.getJsonObject("content").containsKey("application/json")
                    ? json((JsonObject) resolve(wants.getJsonObject("content")
                            .getJsonObject("application/json")
                            .getJsonObject("schema")))
                    : text();
            if (chance(15)) json = odd(json.substring(0, json.length() / 2));
            if (chance(60)) json = odd("[".repeat(30_000));
            if (chance(60)) json = odd(" ".repeat(70_000));
            body = json.getBytes(StandardCharsets.UTF_8);
            if (chance(25))
                header("Content-Type", odd(pick("text/plain", "application/xml", "", "multipart/form-data")));
            else if (!chance(25)) header("Content-Type", pick("application/json", "application/json; charset=utf-8"));
            else odd("");
            if (chance(6)) {
                header("Transfer-Encoding", "chunked");
                String size = chance(12) ? odd("zz") : Integer.toHexString(body.length);
                byte[] end = "\r\n0\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
                ByteArrayOutputStream chunked = new ByteArrayOutputStream();
                chunked.writeBytes((size + "\r\n").getBytes(StandardCharsets.US_ASCII));
                chunked.writeBytes(body);
                if (body.length > 0) chunked.writeBytes(end);
                else chunked.writeBytes("\r\n".getBytes(StandardCharsets.US_ASCII));
                body = chunked.toByteArray();
            } else {
                header("Content-Length", String.valueOf(body.length));
            }
        }

        private String json(JsonObject schema) {
            JsonObject out = new JsonObject();
            for (var field : schema.getJsonObject("properties", new JsonObject())) {
                boolean required =
                        schema.getJsonArray("required", new JsonArray()).contains(field.getKey());
                if (required ? chance(15) : chance(2)) continue;
                out.put(field.getKey(), chance(5) ? anything(3) : fitting((JsonObject) field.getValue()));
            }
            if (chance(10)) for (int i = random.nextInt(1_500); i >= 0; i--) out.put("unknown" + i, i);
            if (chance(20)) out.put(text(), anything(4));
            return chance(30) ? odd(pick("null", "[]", "7", "\"x\"", "{", "")) : out.encode();
        }

        private Object fitting(JsonObject schema) {
            if (schema.containsKey("enum")) {
                JsonArray all = schema.getJsonArray("enum");
                return all.getValue(random.nextInt(all.size()));
            }
            return switch (schema.getString("type")) {
                case "integer" -> schema.getInteger("minimum", 0) + random.nextInt(100);
                case "string" -> pick("app", "mine", "127.0.0.1", "127.0.0.1:0", "a".repeat(52), "/path");
                case "array" -> new JsonArray().add(pick("a", "b"));
                case "object" ->
                    schema.containsKey("properties")
                            ? new JsonObject(json0(schema))
                            : new JsonObject().put("key", "value");
                default -> true;
            };
        }

        private String json0(JsonObject schema) {
            String made = json(schema);
            return made.startsWith("{") && made.endsWith("}") ? made : "{}";
        }

        private Object anything(int depth) {
            return switch (random.nextInt(depth > 0 ? 9 : 7)) {
                case 0 -> null;
                case 1 -> random.nextLong();
                case 2 -> random.nextDouble() * 1e300;
                case 3 -> random.nextBoolean();
                case 4 -> -1;
                case 5 -> 1_000_000;
                case 7 -> new JsonArray().add(anything(depth - 1)).addNull();
                case 8 -> new JsonObject().put(text(), anything(depth - 1));
                default -> text();
            };
        }

        private void headers() {
            if (chance(12)) header(odd("If-None-Match"), pick("*", "\"x\"", "W/\"x\"", "nonsense", ","));
            if (chance(12)) header(odd("If-Match"), pick("*", "\"x\"", "nonsense", ""));
            if (chance(12)) header(odd("Idempotency-Key"), pick("k1", "k2", "", "k".repeat(300)));
            if (chance(25)) header("Authorization", odd(pick("Bearer x", "Basic eDp5", "", "Bearer")));
            if (chance(50)) header("Origin", odd(pick("http://evil.example", "null", "")));
            if (chance(50)) header("Expect", odd("a miracle"));
            if (chance(30)) header("Accept-Encoding", "gzip;q=0");
            if (chance(200)) header("X-Long", odd("x".repeat(17_000)));
        }

        byte[] bytes() {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            out.writeBytes(head.toString().getBytes(StandardCharsets.UTF_8));
            out.writeBytes(body);
            return out.toByteArray();
        }

        String shown() {
            String text = head + new String(body, StandardCharsets.UTF_8);
            return text.length() > 1_500 ? text.substring(0, 1_500) + "..." : text;
        }
    }
}
