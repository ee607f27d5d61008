package mcc;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import mcc.cli.Cli;

/** The program's entry: a node for {@code run}, the command line for every other verb. */
public final class Main {
    private Main() {}

    public static void main(String[] args) {
        List<String> all = new ArrayList<>(Arrays.asList(args));
        boolean isRun =
                !all.isEmpty() && all.getFirst().equals("run") && !all.contains("--help") && !all.contains("-h");
        System.exit(isRun ? RunVerb.run(all.subList(1, all.size()), System.getenv()) : Cli.run(args));
    }
}
