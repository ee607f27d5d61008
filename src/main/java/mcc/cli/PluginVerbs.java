package mcc.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** The verbs about code that runs inside the node; all but the list need the node's admin token. */
final class PluginVerbs {
    private final Cli cli;

    PluginVerbs(Cli cli) {
        this.cli = cli;
    }

    void addTo(Map<String, Supplier<Object>> verbs) {
        verbs.put(
                "plugin",
                () -> Verb.group(
                                "plugin",
                                "list, deploy, restart and remove plugins",
                                "mcc plugin ls, deploy, restart or rm")
                        .addSubcommand("ls", Verb.plain("the plugins of the node", this::list))
                        .addSubcommand("deploy", new Deploy())
                        .addSubcommand("restart", Verb.toOne("stop a plugin and start it again", this::restart))
                        .addSubcommand("rm", Verb.toOne("stop a plugin and remove it", this::remove)));
    }

    private static String line(Json plugin) {
        return plugin.at("id").text("-") + "  " + plugin.at("name").text("-") + " "
                + plugin.at("version").text("") + "  " + plugin.at("state").text("");
    }

    private int list() {
        return cli.show(cli.adminRest().get("/plugins"), page -> {
            Table table = new Table("ID", "NAME", "VERSION", "STATE", "SERVES", "CALLS", "FAILURE");
            for (Json p : page.at("items").items()) {
                table.row(
                        p.at("id").text("-"),
                        p.at("name").text("-"),
                        p.at("version").text("-"),
                        p.at("state").text("-"),
                        p.at("serves").text(""),
                        p.at("calls").text(""),
                        trouble(p));
            }
            cli.print(table, "no plugins: mcc plugin deploy FILE.jar");
        });
    }

    /** Why it does not run, or what still runs of earlier starts. */
    private static String trouble(Json plugin) {
        String failure = plugin.at("failure").text("");
        String left = plugin.at("left").text("");
        return failure.isEmpty() && !left.isEmpty() ? "left behind: " + left : failure;
    }

    private int restart(String id) {
        return started("restarted", cli.adminRest().post("/plugins/" + Rest.segment(id) + "/restart", null));
    }

    /** A node accepts a jar even if its plugin does not start; for whoever wanted it to run that is a failure. */
    private int started(String how, Rest.Reply reply) {
        Json plugin = reply.json();
        String state = plugin.at("state").text("");
        if (state.equals("running")) return cli.show(reply, p -> cli.out.println(how + " " + line(p)));
        if (cli.json) cli.printJson(reply.body());
        if (state.equals("starting") || state.equals("stopping")) {
            throw new Failure(
                    Failure.TIMED_OUT, "The plugin is not there yet", line(plugin), "the node goes on: mcc plugin ls");
        }
        boolean again = state.equals("backoff");
        throw new Failure(
                Failure.FAILED,
                "The plugin does not run",
                line(plugin) + ": " + plugin.at("failure").text("the node does not say why"),
                again
                        ? "the node tries again by itself; see: mcc plugin ls"
                        : "correct the jar and deploy it again, or: mcc plugin rm "
                                + plugin.at("id").text("ID"));
    }

    private int remove(String id) {
        Rest.Reply reply = cli.adminRest().delete("/plugins/" + Rest.segment(id));
        Json plugin = reply.json();
        String state = plugin.at("state").text("");
        if (state.equals("removed")) return cli.show(reply, _ -> cli.out.println("removed " + id));
        if (cli.json) cli.printJson(reply.body());
        boolean stuck = state.equals("stuck");
        throw new Failure(
                stuck ? Failure.FAILED : Failure.TIMED_OUT,
                stuck ? "The plugin cannot be ended" : "The plugin is not gone yet",
                line(plugin) + (stuck ? ": " + trouble(plugin) : ""),
                stuck ? "its jar is removed; restart the node to end what runs on" : "the node goes on: mcc plugin ls");
    }

    @Command(description = "deploy a plugin's jar (needs plugins.upload=true at the node)")
    final class Deploy implements Callable<Integer> {
        @Parameters(paramLabel = "JAR")
        @Nullable
        Path jar;

        @Override
        public Integer call() {
            byte[] content;
            try {
                content = Files.readAllBytes(java.util.Objects.requireNonNull(jar));
            } catch (IOException e) {
                throw Failure.usage("cannot read " + jar + ": " + e.getMessage(), "give the path of a jar");
            }
            return started("deployed", cli.adminRest().upload("/plugins", "application/java-archive", content));
        }
    }
}
