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
        if (!isRun) System.exit(Cli.run(args));
        Ending ending = new Ending(word -> System.err.println("mcc: " + word));
        ending.install();
        int code = run(words.subList(1, words.size()), System.getenv(), ending);
        ending.startIsOver();
        System.exit(code);
    }

    /** Runs a node until it is asked to stop; returns, with the exit code, only if it cannot start. */
    static int run(List<String> args, Map<String, String> environment, Ending ending) {
        RunVerb.prepare();
        Settings settings;
        try {
            settings = RunVerb.settings(args, environment);
        } catch (Problem p) {
            Run.tell(p);
            return p.code().equals("usage") ? USAGE : FAILED;
        }
        return Run.run(settings, environment, ending);
    }
}
