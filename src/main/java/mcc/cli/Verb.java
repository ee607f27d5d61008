package mcc.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Verbs without options of their own, which need no class: a description and an action. */
final class Verb {
    /** An action on the thing with an ID; returns the exit code. */
    @FunctionalInterface
    interface ToOne {
        int call(String id) throws Exception;
    }

    private Verb() {}

    /** A verb without arguments. */
    static CommandLine plain(String description, Callable<Integer> does) {
        return described(description, new Plain(does));
    }

    /** A verb that needs an ID. */
    static CommandLine toOne(String description, ToOne does) {
        return described(description, new ById(does));
    }

    /**
     * A verb that needs a second word.
     *
     * @param parts what may follow it, such as {@code mcc tunnel ls or close}
     */
    static CommandLine group(String name, String description, String parts) {
        return plain(description, () -> {
            throw Failure.usage("'mcc " + name + "' needs to know what to do", parts);
        });
    }

    private static CommandLine described(String description, Object verb) {
        CommandLine line = new CommandLine(verb);
        line.getCommandSpec().usageMessage().description(description);
        return line;
    }

    @Command
    private record Plain(Callable<Integer> does) implements Callable<Integer> {
        @Override
        public Integer call() throws Exception {
            return does.call();
        }
    }

    @Command
    private static final class ById implements Callable<Integer> {
        private final ToOne does;

        @Parameters(paramLabel = "ID")
        String id = "";

        ById(ToOne does) {
            this.does = does;
        }

        @Override
        public Integer call() throws Exception {
            return does.call(id);
        }
    }
}
