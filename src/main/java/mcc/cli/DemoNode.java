package mcc.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.ProcessBuilder.Redirect;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A node of the demo: a process of its own, with this process's Java, class path and flags.
 *
 * <p>The demo holds the other end of the node's standard input; the node ends when that is closed, so also if the demo is
 * killed.
 */
final class DemoNode {
    private static final long DRAIN_S = 8;

    final String name;
    private final Process process;
    private final Path log;
    private String id = "";
    private String udp = "";
    private String url = "";

    private DemoNode(String name, Process process, Path log) {
        this.name = name;
        this.process = process;
        this.log = log;
    }

    /** Starts the process; {@link #awaitReady} waits until it can be used. */
    static DemoNode start(String name, Path folder, List<String> bootstrap, String... more) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        for (String flag : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
            boolean own =
                    flag.startsWith("-XX:AOTCacheOutput") || flag.startsWith("-javaagent") || flag.startsWith("-D");
            if (!own) command.add(flag);
        }
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), "mcc.Leash", "run"));
        command.addAll(List.of("--data", folder.resolve(name).toString(), "--name", name));
        command.addAll(List.of("--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--log-level", "info"));
        for (String address : bootstrap) command.addAll(List.of("--bootstrap", address));
        command.addAll(List.of(more));
        Path log = folder.resolve(name + ".log");
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(Redirect.to(log.toFile()));
        builder.environment().keySet().removeIf(variable -> variable.startsWith("MCC_"));
        return new DemoNode(name, builder.start(), log);
    }

    /** Waits for the ready line. */
    void awaitReady() {
        String line;
        try {
            BufferedReader reader =
                    new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
            line = reader.readLine();
        } catch (IOException e) {
            line = null;
        }
        if (line == null || !line.startsWith("ready ")) {
            throw new Failure(Failure.FAILED, name + " did not start", tail(), null);
        }
        for (String field : line.split(" ")) {
            if (field.startsWith("node=")) id = field.substring("node=".length());
            if (field.startsWith("udp=")) udp = field.substring("udp=".length()).split(",")[0];
            if (field.startsWith("http=")) url = field.substring("http=".length());
        }
    }

    String id() {
        return id;
    }

    /** Its first UDP address, to bootstrap other nodes. */
    String udp() {
        return udp;
    }

    String url() {
        return url;
    }

    Rest rest(int timeoutMs) {
        return Rest.at(url, timeoutMs, null);
    }

    /** The last lines of its log. */
    private String tail() {
        try {
            List<String> lines = Files.readAllLines(log);
            return String.join("\n", lines.subList(Math.max(0, lines.size() - 20), lines.size()));
        } catch (IOException e) {
            return "no log: " + e.getMessage();
        }
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** SIGKILL: ends without a word, like a machine that loses power. */
    void kill() {
        process.destroyForcibly();
        process.onExit().join();
    }

    /** SIGTERM; {@link #awaitEnd} waits for the end. */
    void stop() {
        process.destroy();
    }

    void awaitEnd() {
        try {
            if (process.waitFor(DRAIN_S, TimeUnit.SECONDS)) return;
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
        kill();
    }
}
