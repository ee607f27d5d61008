package mcc.it;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import mcc.Launched;

/** A real node in a process of its own, on free loopback ports unless told otherwise; ends with the test. */
public final class RealNode implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final HttpClient CLIENT = HttpClient.newHttpClient();
    /** The longest that anything here waits before it is a failure: not a figure, a net. */
    static final long PATIENCE_MS = 120_000;

    public final Path data;
    public final Process process;
    public final String id;
    public final String udp;
    public final String http;
    private final Path log;
    private HttpClient client = CLIENT;

    private RealNode(Path data, Process process, Path log, String ready) {
        this.data = data;
        this.process = process;
        this.log = log;
        id = field(ready, "node");
        udp = field(ready, "udp");
        http = field(ready, "http");
    }

    /** The command that runs this very program with these arguments: the launcher, which builds it where it has to. */
    public static List<String> command(String... arguments) {
        List<String> out = new ArrayList<>(List.of(Launched.LAUNCHER.toString()));
        out.addAll(List.of(arguments));
        return out;
    }

    /** Starts a node and waits until it says that it is ready. */
    public static RealNode start(Path data, String... options) {
        return start(List.of(), data, options);
    }

    /** The same, behind a prefix such as {@code ip netns exec NAME}. */
    public static RealNode start(List<String> prefix, Path data, String... options) {
        return start(prefix, Launched.LAUNCHER, data, options);
    }

    /** The same, by the launcher of another build. */
    public static RealNode start(List<String> prefix, Path launcher, Path data, String... options) {
        List<String> arguments = new ArrayList<>(List.of("run", "--data", data.toString()));
        arguments.addAll(List.of(options));
        List<String> set = List.of(options);
        if (!set.contains("--listen")) arguments.addAll(List.of("--listen", "127.0.0.1:0"));
        if (!set.contains("--http")) arguments.addAll(List.of("--http", "127.0.0.1:0"));
        List<String> command = new ArrayList<>(prefix);
        command.add(launcher.toString());
        command.addAll(arguments);
        try {
            Files.createDirectories(data.toAbsolutePath().getParent());
            Path log = Files.createTempFile(data.toAbsolutePath().getParent(), "node", ".log");
            Process process =
                    new ProcessBuilder(command).redirectError(log.toFile()).start();
            Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
            BufferedReader out =
                    new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
            String line = out.readLine();
            if (line == null || !line.startsWith("ready ")) {
                process.destroyForcibly();
                throw new AssertionError("the node did not get ready: " + line + "\n" + Files.readString(log));
            }
            return new RealNode(data, process, log, line);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Asks it by this client from now on: one whose sockets are in its namespace. */
    public RealNode askedBy(HttpClient client) {
        this.client = client;
        return this;
    }

    private static String field(String ready, String name) {
        for (String part : ready.split(" ")) if (part.startsWith(name + "=")) return part.substring(name.length() + 1);
        throw new AssertionError("no " + name + " in: " + ready);
    }

    /** The first UDP address. */
    public String bootstrap() {
        return udp.split(",")[0];
    }

    public String log() {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Kills it without warning. */
    public void kill() {
        process.destroyForcibly();
        join();
    }

    /** Asks it to end, and waits; returns the exit code. */
    public int stop() {
        process.destroy();
        return join();
    }

    private int join() {
        try {
            if (!process.waitFor(PATIENCE_MS, TimeUnit.MILLISECONDS)) throw new AssertionError("the node does not end");
            return process.exitValue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
        join();
    }

    // ---- REST -------------------------------------------------------------------------------------------------------

    /** An answer with its body as JSON; a missing node where it is none. */
    public record Answer(int status, JsonNode body, HttpResponse<String> raw) {}

    public Answer get(String path) {
        return send(request(path).GET());
    }

    public Answer delete(String path) {
        return send(request(path).DELETE());
    }

    public Answer put(String path, String body) {
        return send(request(path)
                .header("Content-Type", "application/json")
                .PUT(HttpRequest.BodyPublishers.ofString(body)));
    }

    public Answer post(String path, String body) {
        return send(request(path)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body)));
    }

    public HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(http + path)).timeout(Duration.ofMillis(PATIENCE_MS));
    }

    public Answer send(HttpRequest.Builder request) {
        // On the client's own threads: its connections belong to the namespace of the thread that makes them.
        Executor threads = client.executor().orElse(Runnable::run);
        try {
            return CompletableFuture.supplyAsync(() -> answer(request), threads).join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : e;
        }
    }

    private Answer answer(HttpRequest.Builder request) {
        try {
            HttpResponse<String> raw = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
            String type = raw.headers().firstValue("Content-Type").orElse("");
            JsonNode body = type.contains("json") ? JSON.readTree(raw.body()) : JSON.missingNode();
            return new Answer(raw.statusCode(), body, raw);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    // ---- what tests often do ----------------------------------------------------------------------------------------

    public void register(String id, String service, int port) {
        Answer done = put("/api/v1/registrations/" + id, "{\"service\":\"" + service + "\",\"port\":" + port + "}");
        if (done.status() != 201 && done.status() != 200)
            throw new AssertionError(done.body().toString());
    }

    /** The usable providers' nodes. */
    public List<String> providers(String service) {
        List<String> out = new ArrayList<>();
        for (JsonNode item :
                get("/api/v1/services/" + service + "/providers").body().path("items")) {
            out.add(item.get("node").asText());
        }
        return out;
    }

    /** Opens a forward on a free port; returns that port. */
    public int forward(String service) {
        Answer made = post("/api/v1/tunnels", "{\"service\":\"" + service + "\"}");
        if (made.status() != 201) throw new AssertionError(made.body().toString());
        String listen = made.body().get("listen").asText();
        return Integer.parseInt(listen.substring(listen.lastIndexOf(':') + 1));
    }

    /** The same; where it does not happen, the failure has what these nodes know and said. */
    public static void await(String what, BooleanSupplier condition, RealNode... nodes) {
        try {
            await(what, condition);
        } catch (AssertionError e) {
            StringBuilder told = new StringBuilder(e.getMessage());
            for (RealNode node : nodes) {
                told.append("\n\n");
                try {
                    told.append(node.account());
                } catch (UncheckedIOException asked) { // in a namespace of its own, or dead
                    told.append("node ")
                            .append(node.id)
                            .append(": ")
                            .append(asked)
                            .append('\n')
                            .append(node.log());
                }
            }
            throw new AssertionError(told.toString(), e);
        }
    }

    /** What a metric without labels has counted; 0 where it has not. */
    public double counted(String name) {
        return metrics()
                .filter(line -> line.startsWith(name + " "))
                .mapToDouble(line -> Double.parseDouble(line.substring(name.length())))
                .sum();
    }

    private Stream<String> metrics() {
        return get("/metrics").raw().body().lines();
    }

    private String account() {
        StringBuilder out = new StringBuilder("node " + id + " at " + udp);
        for (String path : List.of(
                "node",
                "dht",
                "dht/buckets",
                "peers",
                "registrations",
                "services",
                "nat",
                "relays",
                "events/history")) {
            out.append("\n").append(path).append(": ");
            out.append(get("/api/v1/" + path).raw().body());
        }
        metrics()
                .filter(line -> line.startsWith("mcc_") && !line.endsWith(" 0.0"))
                .forEach(line -> out.append("\n").append(line));
        return out.append("\n").append(log()).toString();
    }

    /** Waits for something that must happen; polls, because it happens in other processes. */
    public static void await(String what, BooleanSupplier condition) {
        long end = System.nanoTime() + PATIENCE_MS * 1_000_000;
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > end) throw new AssertionError("did not happen: " + what);
            java.util.concurrent.locks.LockSupport.parkNanos(50_000_000);
        }
    }
}
