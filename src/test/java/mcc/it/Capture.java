package mcc.it;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A {@code tcpdump} on a device of a namespace; ends with the test. */
public final class Capture implements AutoCloseable {
    private final Path out;
    private final Process process;

    private Capture(Path out, Process process) {
        this.out = out;
        this.process = process;
    }

    /**
     * Starts it and waits until it listens.
     *
     * @param options {@code -q} or {@code -v}
     * @param filter in tcpdump's own language
     */
    public static Capture start(Path folder, String ns, String device, String options, String filter) throws Exception {
        Needs.program("tcpdump", "tcpdump");
        Path out = Files.createTempFile(folder, "capture", ".txt");
        List<String> command =
                new ArrayList<>(TwoHosts.exec(ns, "tcpdump", "-nl", options, "-i", device, "--immediate-mode", filter));
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(out.toFile())
                .start();
        RealNode.await("tcpdump listens", () -> text(out).contains("listening on"));
        return new Capture(out, process);
    }

    /** What it has said up to now. */
    public String text() {
        return text(out);
    }

    static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** How many lines have this in them. */
    public long count(String part) {
        return text().lines().filter(line -> line.contains(part)).count();
    }

    @Override
    public void close() {
        process.destroyForcibly().onExit().join();
    }
}
