package mcc.cli;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Parameters;

/** {@code mcc completion}: a script that lets a shell complete verbs and options. */
@Command(
        description = "a completion script for bash, zsh or fish",
        footer = "%nbash:  source <(mcc completion bash)%nzsh:   source <(mcc completion zsh)"
                + "%nfish:  mcc completion fish | source")
final class Completion implements Callable<Integer> {
    /** The supported shells. */
    enum Shell {
        bash,
        zsh,
        fish
    }

    private final Cli cli;

    @Parameters(paramLabel = "bash|zsh|fish")
    Shell shell = Shell.bash;

    Completion(Cli cli) {
        this.cli = cli;
    }

    @Override
    public Integer call() {
        CommandLine line = cli.commandLine(List.of());
        cli.out.println(
                switch (shell) {
                    case bash -> AutoComplete.bash("mcc", line);
                    case zsh ->
                        "autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n"
                                + AutoComplete.bash("mcc", line);
                    case fish -> fish(line.getCommandSpec());
                });
        return Failure.OK;
    }

    private static String fish(CommandSpec root) {
        StringBuilder out = new StringBuilder("complete -c mcc -f\n");
        root.subcommands().forEach((name, verb) -> {
            line(out, "__fish_use_subcommand", "-a " + name, verb.getCommandSpec());
            String seen = "'__fish_seen_subcommand_from " + name + "'";
            verb.getSubcommands().forEach((sub, inner) -> line(out, seen, "-a " + sub, inner.getCommandSpec()));
            for (OptionSpec option : verb.getCommandSpec().options()) {
                String longest = option.longestName();
                String flag = longest.startsWith("--") ? "-l " + longest.substring(2) : "-s " + longest.substring(1);
                out.append("complete -c mcc -n ").append(seen).append(' ').append(flag);
                if (option.arity().min() > 0) out.append(" -r");
                out.append(describe(option.description())).append('\n');
            }
        });
        return out.toString();
    }

    private static void line(StringBuilder out, String when, String what, CommandSpec spec) {
        out.append("complete -c mcc -n ").append(when).append(' ').append(what);
        out.append(describe(spec.usageMessage().description())).append('\n');
    }

    private static String describe(String[] text) {
        return text.length == 0 ? "" : " -d '" + text[0].replace("'", "\\'") + "'";
    }
}
