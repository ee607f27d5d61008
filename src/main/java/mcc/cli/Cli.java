package mcc.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Supplier;
import mcc.node.Settings;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.UsageMessageSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;

/** The {@code mcc} command: the options that every verb has, the verbs, and how a failure becomes an exit code. */
@Command(
        name = "mcc",
        synopsisSubcommandLabel = "VERB",
        header = "MCC: services found by name, reached through encrypted tunnels.%n",
        description = {
            "%nA node runs on every machine ('mcc run'). An application's service is registered at the node beside it"
                    + " ('mcc register') and reached from any other node by its name ('mcc forward').",
            "%nSee it work:  mcc demo%n"
        },
        footer = {
            "%nExit codes: 0 ok, 1 failed, 2 usage, 3 not found, 4 denied by policy, 5 not authenticated,"
                    + " 6 node unreachable, 7 timed out, 8 works but degraded.",
            "'mcc help VERB' explains a verb, as 'mcc VERB --help' does."
        },
        sortOptions = false)
public final class Cli implements Callable<Integer> {
    private static final long WATCH_MS = 1_000;
    private static final Map<String, List<String>> GROUPS = groups();

    @Option(names = "--json", scope = ScopeType.INHERIT, description = "print the node's answer as it came, in JSON")
    boolean json;

    @Option(
            names = "--watch",
            scope = ScopeType.INHERIT,
            description = "for verbs that show a state: repeat every second until ctrl-C")
    boolean watch;

    @Option(
            names = "--node",
            paramLabel = "URL",
            scope = ScopeType.INHERIT,
            description = "the node to use; else MCC_NODE, else http://127.0.0.1:8080")
    @Nullable
    String node;

    @Option(
            names = "--token",
            paramLabel = "TOKEN",
            scope = ScopeType.INHERIT,
            description =
                    "the token to authenticate with; else MCC_TOKEN, else the local node's admin.token where one is needed")
    @Nullable
    String token;

    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            scope = ScopeType.INHERIT,
            defaultValue = "10s",
            description = "how long to wait for an answer, such as 500ms or 10s")
    String timeout = "10s";

    @Option(names = "-q", scope = ScopeType.INHERIT, description = "print results only, no advice")
    boolean quiet;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            scope = ScopeType.INHERIT,
            description = "show this help")
    boolean help;

    @Option(names = "--version", versionHelp = true, description = "name, version and Java")
    boolean version;

    final PrintStream out;
    final PrintStream err;
    final Map<String, String> environment;
    private final boolean terminal;

    Cli(PrintStream out, PrintStream err, Map<String, String> environment, boolean terminal) {
        this.out = new Harmless(out);
        this.err = new Harmless(err);
        this.environment = environment;
        this.terminal = terminal;
    }

    /** Runs the command line of this process; returns the exit code. */
    public static int run(String[] args) {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        // The launcher knows whether standard output is a terminal; asking here would load the console's classes.
        return run(new Cli(out, System.err, System.getenv(), Boolean.getBoolean("mcc.tty")), args);
    }

    static int run(Cli cli, String... args) {
        String[] words = withHelp(args);
        return cli.commandLine(List.of(words)).execute(words);
    }

    /** {@code mcc help VERB} is {@code mcc VERB --help}, as newcomers try it. */
    private static String[] withHelp(String[] args) {
        if (args.length == 0 || !args[0].equals("help")) return args;
        String[] words = Arrays.copyOfRange(args, 1, args.length + 1);
        words[words.length - 1] = "--help";
        return words;
    }

    private Map<String, Supplier<Object>> verbs() {
        Map<String, Supplier<Object>> out = new LinkedHashMap<>();
        out.put("run", Cli::runSpec);
        out.put("demo", () -> new Demo(this));
        out.put("sim", () -> new Sim(this));
        new NodeVerbs(this).addTo(out);
        new PeerVerbs(this).addTo(out);
        new PathVerbs(this).addTo(out);
        new ServiceVerbs(this).addTo(out);
        new TunnelVerbs(this).addTo(out);
        new PluginVerbs(this).addTo(out);
        return out;
    }

    /**
     * Returns the command with its verbs.
     *
     * @param words the command line; if it names verbs, only these are added, because reading the options of all verbs takes
     *     longer than most verbs run
     */
    CommandLine commandLine(List<String> words) {
        CommandLine line = new CommandLine(this);
        Map<String, Supplier<Object>> verbs = verbs();
        boolean named = words.stream().anyMatch(verbs::containsKey);
        verbs.forEach((name, verb) -> {
            if (!named || words.contains(name)) line.addSubcommand(name, verb.get());
        });
        line.setOut(new PrintWriter(out, true, StandardCharsets.UTF_8));
        line.setErr(new PrintWriter(err, true, StandardCharsets.UTF_8));
        line.setUsageHelpWidth(100);
        line.setAbbreviatedSubcommandsAllowed(false);
        line.setExpandAtFiles(false);
        line.setColorScheme(CommandLine.Help.defaultColorScheme(
                isColoured() ? CommandLine.Help.Ansi.ON : CommandLine.Help.Ansi.OFF));
        line.getCommandSpec().versionProvider(() -> new String[] {versionText()});
        line.getHelpSectionMap().put(UsageMessageSpec.SECTION_KEY_COMMAND_LIST, Cli::verbList);
        line.getHelpSectionMap().remove(UsageMessageSpec.SECTION_KEY_COMMAND_LIST_HEADING);
        line.setParameterExceptionHandler(this::misused);
        line.setExecutionExceptionHandler((e, _, _) -> failed(e));
        return line;
    }

    /** {@code mcc run} for help and completion; it is parsed and run without these classes, see {@code mcc.Main}. */
    private static CommandSpec runSpec() {
        CommandSpec spec = CommandSpec.create();
        spec.usageMessage().description("run a node in the foreground");
        spec.addOption(runOption("--config", "1", "FILE", "configuration file; else MCC_CONFIG"));
        for (Settings.Key key : Settings.KEYS) {
            String meaning = key.meaning() + (key.list() ? "; repeatable" : "");
            String fallback = key.fallback().isEmpty() ? "" : "; default " + key.fallback();
            spec.addOption(runOption(key.option(), key.flag() ? "0..1" : "1", "VALUE", meaning + fallback));
        }
        return spec;
    }

    private static OptionSpec runOption(String name, String arity, String label, String description) {
        return OptionSpec.builder(name)
                .arity(arity)
                .paramLabel(label)
                .type(String.class)
                .description(description.replace("%", "%%"))
                .build();
    }

    @Override
    public Integer call() {
        commandLine(List.of()).usage(err);
        return Failure.USAGE;
    }

    static String versionText() {
        return "mcc " + versionNumber() + " (Java " + System.getProperty("java.version") + ", "
                + System.getProperty("java.vendor") + ")";
    }

    static String versionNumber() {
        String number = Cli.class.getPackage().getImplementationVersion();
        return number == null ? "unpackaged" : number;
    }

    private static Map<String, List<String>> groups() {
        Map<String, List<String>> out = new LinkedHashMap<>();
        out.put("Start", List.of("run", "demo", "sim"));
        out.put("Offer services", List.of("register", "deregister", "expose"));
        out.put("Use services", List.of("services", "discover", "watch", "forward", "tunnel"));
        out.put(
                "Look at a node",
                List.of(
                        "status",
                        "id",
                        "peers",
                        "ping",
                        "explain",
                        "lookup",
                        "bench",
                        "netcheck",
                        "events",
                        "metrics"));
        out.put("Look after a node", List.of("doctor", "config", "plugin", "completion"));
        return out;
    }

    private static String verbList(CommandLine.Help help) {
        StringBuilder out = new StringBuilder();
        GROUPS.forEach((title, names) -> {
            out.append("%n".formatted())
                    .append(help.colorScheme().ansi().string("@|bold " + title + "|@%n".formatted()));
            for (String name : names) {
                CommandLine verb = help.commandSpec().subcommands().get(name);
                if (verb == null) continue;
                String[] header = verb.getCommandSpec().usageMessage().description();
                out.append("  %-12s %s%n".formatted(name, header.length == 0 ? "" : header[0]));
            }
        });
        return out.toString();
    }

    private int misused(ParameterException e, String[] args) {
        err.println(paint(Table.Colour.RED, "Wrong usage") + ": " + e.getMessage());
        CommandLine line = e.getCommandLine();
        if (!CommandLine.UnmatchedArgumentException.printSuggestions(e, line.getErr())) {
            err.println("  hint: " + line.getCommandSpec().qualifiedName() + " --help");
        }
        return Failure.USAGE;
    }

    private int failed(Exception e) {
        if (e instanceof Failure f) {
            err.println(paint(Table.Colour.RED, f.title()) + (f.detail().isEmpty() ? "" : ": " + f.detail()));
            if (f.hint() != null) err.println("  hint: " + f.hint());
            return f.exit();
        }
        err.println("mcc has a defect: " + e);
        for (StackTraceElement at : e.getStackTrace()) err.println("  at " + at);
        return Failure.FAILED;
    }

    /** The node and the token that the options name. */
    Rest rest() {
        String url = node != null ? node : environment.getOrDefault("MCC_NODE", "");
        String key = token != null ? token : environment.get("MCC_TOKEN");
        return Rest.at(url.isEmpty() ? "http://127.0.0.1:8080" : url, (int) timeoutMs(), key);
    }

    /** The same, for what always needs a token: if none was given, takes the one in the data folder of this machine's node. */
    Rest adminRest() {
        Rest rest = rest();
        if (rest.hasToken() || !rest.isLocal()) return rest;
        try {
            String found = Files.readString(dataFolder().resolve("admin.token")).strip();
            return found.isEmpty() ? rest : rest.with(found);
        } catch (IOException _) {
            return rest; // the node then answers that a token is needed
        }
    }

    /** The data folder of this user's node, unless configured otherwise. */
    Path dataFolder() {
        String data = environment.getOrDefault("MCC_DATA", "");
        if (!data.isEmpty()) return Path.of(data);
        if ("root".equals(System.getProperty("user.name"))) return Path.of("/var/lib/mcc");
        String state = environment.getOrDefault("XDG_STATE_HOME", "");
        String home = System.getProperty("user.home", "");
        return (state.isEmpty() ? Path.of(home, ".local", "state") : Path.of(state)).resolve("mcc");
    }

    long timeoutMs() {
        return ms("--timeout", timeout);
    }

    /** Parses an option's duration; returns milliseconds. */
    static long ms(String option, String text) {
        Long ms = Text.parseMs(text);
        if (ms == null || ms <= 0 || ms > Integer.MAX_VALUE) {
            throw Failure.usage(option + ": '" + text + "' is no duration", "write 500ms, 5s, 2m or 1h");
        }
        return ms;
    }

    boolean isColoured() {
        return terminal && environment.getOrDefault("NO_COLOR", "").isEmpty();
    }

    String paint(Table.Colour colour, String text) {
        return isColoured() ? colour.paint(text) : text;
    }

    /** Prints the answer as it came, or in the verb's form for people. */
    int show(Rest.Reply reply, Consumer<Json> people) {
        if (json) printJson(reply.body());
        else people.accept(reply.json());
        return Failure.OK;
    }

    /** Prints JSON as it came, except that what could control a terminal is written as JSON escapes. */
    void printJson(String text) {
        out.println(Text.escaped(text));
    }

    /** Prints a table, or a sentence if it has no rows. */
    void print(Table table, String whenEmpty) {
        if (table.isEmpty()) say(whenEmpty);
        else table.lines(isColoured()).forEach(out::println);
    }

    /** Prints advice, unless {@code -q} was given. */
    void say(String advice) {
        if (!quiet) out.println(advice);
    }

    /** Runs a verb once, or with {@code --watch} until ctrl-C. */
    int repeat(Callable<Integer> once) throws Exception {
        while (watch) {
            if (terminal && !json) out.print("\u001b[H\u001b[2J");
            once.call();
            if (!terminal && !json) out.println();
            out.flush();
            pause(WATCH_MS);
        }
        return once.call();
    }

    /** Waits before asking again for something that sends no notification. */
    static void pause(long ms) {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(ms));
    }
}
