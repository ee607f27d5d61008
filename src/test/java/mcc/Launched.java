package mcc;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The program as people start it: the launcher at the repository's root, in a process of its own. */
public final class Launched {
    public static final Path LAUNCHER = Path.of("mcc").toAbsolutePath();

    record Result(int exit, String out, String err) {}

    private Launched() {}

    /** Starts a command with its outputs in files of the folder. */
    static Process start(Path folder, Path command, List<String> javaOptions, String... args) throws IOException {
        List<String> line = new ArrayList<>(List.of(command.toString()));
        line.addAll(List.of(args));
        ProcessBuilder builder = new ProcessBuilder(line)
                .directory(folder.toFile())
                .redirectOutput(Redirect.to(folder.resolve("out").toFile()))
                .redirectError(Redirect.to(folder.resolve("err").toFile()));
        builder.environment().keySet().removeIf(name -> name.startsWith("MCC_"));
        if (!javaOptions.isEmpty()) builder.environment().put("MCC_JAVA_OPTS", String.join(" ", javaOptions));
        return builder.start();
    }

    static Result await(Path folder, Process process) throws IOException, InterruptedException {
        if (!process.waitFor(5, TimeUnit.MINUTES)) {
            process.destroyForcibly();
            throw new AssertionError("still running: " + Files.readString(folder.resolve("err")));
        }
        return new Result(
                process.exitValue(), Files.readString(folder.resolve("out")), Files.readString(folder.resolve("err")));
    }
}
