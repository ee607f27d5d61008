package mcc;

import java.util.List;
import java.util.Map;
import mcc.cli.Cli;
import mcc.node.Problem;
import mcc.node.Settings;

/** The program's entry: a node for {@code run}, the command line for every other verb. */
public final class Main {
    private static final int FAILED = 1;
    private static final int USAGE = 2;

    private Main() {}

    public static void main(String[] args) {
        List<String> words = List.of(args);
        boolean isRun = !words.isEmpty()
                && words.getFirst().equals("run")
                && !words.contains("--help")
                && !words.contains("-h");
        System.exit(isRun ? run(words.subList(1, words.size()), System.getenv()) : Cli.run(args));
    }

    /** Runs a node until it is asked to end, and gives the exit code. */
    static int run(List<String> args, Map<String, String> environment) {
        RunVerb.prepare();
        Settings settings;
        try {
            settings = RunVerb.settings(args, environment);
        } catch (Problem p) {
            System.err.println("mcc: " + p.detail());
            if (p.hint() != null) System.err.println("  hint: " + p.hint());
            return p.code().equals("usage") ? USAGE : FAILED;
        }
        return Run.run(settings);
    }
}
