package mcc.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import mcc.node.Problem;
import mcc.node.Settings;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The verbs about one node as a whole. */
final class NodeVerbs {
    /** A decision of the operator: shown every time, but not a fault. */
    private static final String OPEN_NETWORK = "open-network";

    /** From one look whether a check is over to the next. */
    private static final long CHECK_MS = 200;

    private final Cli cli;

    NodeVerbs(Cli cli) {
        this.cli = cli;
    }

    void addTo(Map<String, Supplier<Object>> verbs) {
        verbs.put("status", Status::new);
        verbs.put("id", Identity::new);
        verbs.put("netcheck", Netcheck::new);
        verbs.put("events", Events::new);
        verbs.put("metrics", Metrics::new);
        verbs.put("doctor", () -> new Doctor(cli));
        verbs.put(
                "config",
                () -> Verb.group("config", "work with a configuration file", "mcc config check --config FILE")
                        .addSubcommand("check", new ConfigCheck()));
        verbs.put("completion", () -> new Completion(cli));
    }

    /** The problems that an operator should act on. */
    static List<Json> faults(Json node) {
        return node.at("problems").items().stream()
                .filter(p -> !p.at("code").text("").equals(OPEN_NETWORK))
                .toList();
    }

    @Command(description = "how the node is doing: its problems first, then its ID, network and peers")
    final class Status implements Callable<Integer> {
        @Override
        public Integer call() throws Exception {
            return cli.repeat(this::once);
        }

        private int once() {
            Rest rest = cli.rest();
            Rest.Reply reply = rest.get("/node");
            Json node = reply.json();
            cli.show(reply, _ -> {
                problems(node);
                cli.out.println(headline(node, rest.get("/dht").json()));
                cli.out.println("udp " + node.at("udp").text("-") + "   dashboard "
                        + node.at("http").text("-") + "/");
                if (!node.at("tun").isMissing()) cli.out.println(tun(node.at("tun")));
                cli.print(PeerVerbs.table(rest.get("/peers").json()), "no peers yet");
            });
            return faults(node).isEmpty() ? Failure.OK : Failure.DEGRADED;
        }

        private static String tun(Json tun) {
            StringBuilder out =
                    new StringBuilder("interface ").append(tun.at("name").text("-"));
            for (Json address : tun.at("addresses").items()) out.append("  ").append(address.text("-"));
            return out.append("  MTU ").append(tun.at("mtu").text("-")).toString();
        }

        private void problems(Json node) {
            for (Json problem : node.at("problems").items()) {
                String severity = problem.at("severity").text("warn");
                String mark = severity.equals("error") ? "x" : "!";
                String title = cli.paint(
                        severity.equals("error") ? Table.Colour.RED : Table.Colour.YELLOW,
                        mark + " " + problem.at("title").text(problem.at("code").text("problem")));
                String hint = problem.at("hint").text("");
                cli.out.println(title + (hint.isEmpty() ? "" : "\n    " + hint));
            }
        }

        private static String headline(Json node, Json dht) {
            StringBuilder out = new StringBuilder(node.at("name").text("-"));
            out.append("  ").append(Text.shortId(node.at("id").text("-")));
            out.append("  network ").append(node.at("network").text("-"));
            if (!node.at("org").isMissing())
                out.append("  org ").append(node.at("org").text("-"));
            out.append("  up ").append(Text.span(node.at("uptimeMs")));
            out.append("  version ").append(node.at("version").text("-"));
            out.append("  DHT ").append(dht.at("contacts").text("0")).append(" contacts (about ");
            out.append(dht.at("estimatedNodes").text("?")).append(" nodes)");
            Json upkeep = node.at("upkeep").at("bytesPerMonth");
            if (!upkeep.isMissing())
                out.append("  upkeep ").append(Text.size(upkeep)).append(" a month");
            if (node.at("draining").flag()) out.append("  draining");
            return out.toString();
        }
    }

    @Command(description = "the node's ID: its public key, by which other nodes know it")
    final class Identity implements Callable<Integer> {
        @Override
        public Integer call() {
            return cli.show(
                    cli.rest().get("/node"),
                    node -> cli.out.println(node.at("id").text("")));
        }
    }

    @Command(description = "this node's NAT and addresses, as its peers see them")
    final class Netcheck implements Callable<Integer> {
        @Option(names = "--again", description = "have peers measure anew what is let in; takes some seconds")
        boolean again;

        @Override
        public Integer call() throws Exception {
            if (again) check();
            return cli.repeat(() -> cli.show(cli.rest().get("/nat"), this::print));
        }

        /** Asks for a check and waits for its end. */
        private void check() {
            Rest rest = cli.rest();
            rest.post("/nat/check", null);
            long patienceNs = System.nanoTime() + cli.timeoutMs() * 1_000_000;
            while (rest.get("/nat").json().at("checking").flag()) {
                if (System.nanoTime() > patienceNs) {
                    throw new Failure(Failure.TIMED_OUT, "Timed out", "the check goes on", "mcc netcheck");
                }
                Cli.pause(CHECK_MS);
            }
        }

        private void print(Json nat) {
            Json v4 = nat.at("ipv4");
            Json v6 = nat.at("ipv6");
            boolean six = v4.at("mapping").text("unknown").equals("unknown");
            Json main = six && !v6.at("mapping").text("unknown").equals("unknown") ? v6 : v4;
            String ports = main.at("ports").text("unknown");
            cli.out.println("UDP " + nat.at("udp").text("unknown")
                    + " · IPv4 " + v4.at("address").text("none")
                    + " · IPv6 " + v6.at("address").text("none")
                    + " · mapping " + main.at("mapping").text("unknown")
                    + (ports.equals("unknown") ? "" : ", ports " + ports)
                    + " · filtering " + main.at("filtering").text("unknown")
                    + " · reachable " + main.at("reachable").text("unknown"));
            if (main.at("publicAddresses").items().size() > 1) {
                cli.out.println("public addresses " + main.at("publicAddresses").text("-"));
            }
            cli.out.println("=> " + nat.at("verdict").text("-"));
            Json mapping = nat.at("portMapping");
            cli.out.println(mapping.at("verdict").text("-")
                    + (mapping.at("address").isMissing()
                            ? ""
                            : " · " + mapping.at("address").text("-")));
            for (Json each : nat.at("carriers").items()) {
                String trouble = each.at("trouble").isMissing()
                        ? ""
                        : ": " + each.at("trouble").text("");
                String state = each.at("state").text("-");
                cli.out.println("by TCP " + each.at("url").text("-") + " · "
                        + (state.equals("idle") ? "not needed" : state) + trouble);
            }
            cli.out.println("addresses " + nat.at("addresses").text("-"));
            Table votes = new Table("SEEN BY", "AS", "AGO");
            for (Json vote : nat.at("votes").items()) {
                votes.row(
                        Text.shortId(vote.at("by").text("-")), vote.at("sees").text("-"), Text.span(vote.at("ageMs")));
            }
            cli.print(votes, "no peer has said yet how it sees this node");
        }
    }

    @Command(description = "the node's events, as they happen")
    final class Events implements Callable<Integer> {
        @Parameters(arity = "0..1", paramLabel = "TYPES", description = "such as tunnel.failover or service.*,peer.*")
        @Nullable
        String types;

        @Option(names = "--history", description = "print the events that the node still has, then end")
        boolean history;

        @Override
        public Integer call() {
            String query = types == null ? "" : "types=" + Rest.segment(types);
            if (history) {
                return cli.show(
                        cli.rest().get("/events/history?limit=1000" + (query.isEmpty() ? "" : "&" + query)),
                        page -> page.at("items").items().forEach(this::print));
            }
            try (Sse events = cli.rest().follow(query.isEmpty() ? "" : "?" + query)) {
                for (Sse.Event event = events.next(); event != null; event = events.next()) {
                    if (cli.json) cli.printJson(event.data());
                    else if (event.type().equals("gap")) cli.out.println("(some events were lost)");
                    else print(event.json());
                }
            }
            throw ended();
        }

        private void print(Json event) {
            cli.out.println(line(event));
        }

        static String line(Json event) {
            StringBuilder out = new StringBuilder(time(event));
            out.append("  ").append(event.at("type").text("-"));
            event.at("data")
                    .fields()
                    .forEach((name, value) ->
                            out.append("  ").append(name).append('=').append(value.text("-")));
            return out.toString();
        }
    }

    /** The time of day of an event, in UTC, as the node reported it. */
    static String time(Json event) {
        String at = event.at("at").text("");
        return at.length() >= 19 ? at.substring(11, 19) : at;
    }

    /** To be thrown when the node ends a stream of events. */
    static Failure ended() {
        return new Failure(Failure.UNREACHABLE, "The node went away", "its event stream ended", "is it still running?");
    }

    @Command(description = "the node's metrics, as Prometheus reads them")
    final class Metrics implements Callable<Integer> {
        @Parameters(arity = "0..1", paramLabel = "PREFIX", description = "only metrics whose names begin with it")
        String prefix = "";

        @Override
        public Integer call() throws Exception {
            return cli.repeat(this::once);
        }

        private int once() {
            Rest.Reply reply = cli.rest().root("/metrics");
            reply.body().lines().filter(this::wanted).forEach(line -> cli.out.println(Text.clean(line)));
            return Failure.OK;
        }

        private boolean wanted(String line) {
            return prefix.isEmpty()
                    || line.startsWith(prefix)
                    || line.startsWith("# HELP " + prefix)
                    || line.startsWith("# TYPE " + prefix);
        }
    }

    @Command(description = "check a configuration and show what a node would run with")
    final class ConfigCheck implements Callable<Integer> {
        @Option(names = "--config", paramLabel = "FILE", description = "the file; else MCC_CONFIG, else none")
        @Nullable
        Path file;

        @Override
        public Integer call() {
            Path path = file;
            String named = cli.environment.getOrDefault("MCC_CONFIG", "");
            if (path == null && !named.isEmpty()) path = Path.of(named);
            Settings settings;
            try {
                settings = Settings.load(Map.of(), cli.environment, path);
            } catch (Problem p) {
                throw new Failure(Failure.FAILED, "The configuration is not valid", p.detail(), p.hint());
            }
            if (cli.json) {
                cli.out.println(Json.write(settings.all()));
                return Failure.OK;
            }
            settings.warnings().forEach(warning -> cli.err.println("warning: " + warning));
            Table table = new Table("KEY", "VALUE", "MEANING");
            for (Settings.Key key : Settings.KEYS) {
                table.row(key.name(), settings.shown(key.name()), key.meaning());
            }
            cli.print(table, "");
            cli.say(path == null ? "ok: no file, defaults and environment" : "ok: " + path);
            return Failure.OK;
        }
    }
}
