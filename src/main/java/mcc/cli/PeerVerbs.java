package mcc.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The verbs about other nodes and the DHT between them. */
final class PeerVerbs {
    private final Cli cli;

    PeerVerbs(Cli cli) {
        this.cli = cli;
    }

    void addTo(Map<String, Supplier<Object>> verbs) {
        verbs.put(
                "peers",
                () -> Verb.plain("the nodes that this node has a session with", () -> cli.repeat(this::peers)));
        verbs.put("lookup", Lookup::new);
        verbs.put("bench", () -> new CommandLine(new Benches()).addSubcommand("peer", new BenchPeer()));
    }

    /** The answer of {@code GET /peers} as a table. */
    static Table table(Json peers) {
        boolean inner = peers.at("items").items().stream()
                .anyMatch(peer -> !peer.at("inner").items().isEmpty());
        List<String> heads = new ArrayList<>(List.of("PEER", "PATH", "ADDRESS", "RTT", "LOSS", "TX", "RX", "SINCE"));
        if (inner) heads.addAll(List.of("INNER IPV6", "INNER IPV4"));
        Table table = new Table(heads.toArray(String[]::new));
        for (Json peer : peers.at("items").items()) {
            String name = peer.at("name").text("");
            List<String> row = new ArrayList<>(List.of(
                    name.isEmpty() ? Text.shortId(peer.at("id").text("-")) : name,
                    path(peer.at("path")),
                    peer.at("path").at("address").text("-"),
                    Text.latency(peer.at("rttMs")),
                    loss(peer.at("lossPpm")),
                    Text.size(peer.at("txBytes")),
                    Text.size(peer.at("rxBytes")),
                    Text.span(peer.at("sinceMs"))));
            if (inner) {
                List<Json> addresses = peer.at("inner").items();
                for (int i = 0; i < 2; i++) {
                    row.add(i < addresses.size() ? addresses.get(i).text("-") : "-");
                }
            }
            table.row(row.toArray(String[]::new));
        }
        return table;
    }

    /** The kind of a path, in one word if both directions agree, and the relays on it. */
    static String path(Json path) {
        String tx = path.at("tx").text("-");
        String rx = path.at("rx").text(tx);
        String via = path.at("via").text("");
        return (tx.equals(rx) ? tx : tx + "/" + rx) + (via.isEmpty() ? "" : " via " + via);
    }

    private static String loss(Json ppm) {
        double value = ppm.number(-1);
        return value < 0 ? "-" : String.format(Locale.ROOT, "%.1f %%", value / 10_000);
    }

    private int peers() {
        return cli.show(
                cli.rest().get("/peers?limit=1000"),
                page -> cli.print(
                        table(page), "no peers: this node has met nobody yet (mcc run --bootstrap HOST:PORT)"));
    }

    @Command(description = "measure the throughput to another node")
    static final class Benches implements Callable<Integer> {
        @Override
        public Integer call() {
            throw Failure.usage("'mcc bench' needs to know what to measure", "mcc bench peer NODE");
        }
    }

    @Command(description = "fill a stream to a peer and show its rate, delay, loss and cost, each second")
    final class BenchPeer implements Callable<Integer> {
        /** Characters per factor of ten above one megabit per second, the same scale for every line. */
        private static final int TENFOLD = 8;

        @Parameters(paramLabel = "PEER", description = "8 or more characters of its ID, see 'mcc peers'")
        String peer = "";

        @Option(
                names = {"-s", "--seconds"},
                paramLabel = "N",
                defaultValue = "10",
                description = "how long, 1 to 60; default ${DEFAULT-VALUE}")
        int seconds;

        @Override
        public Integer call() {
            try (Sse events = cli.rest().follow("?types=" + Rest.segment("bench.*"))) {
                Rest.Reply begun =
                        cli.rest().post("/peers/" + Rest.segment(peer) + "/bench", Map.of("seconds", seconds));
                String id = begun.json().at("id").text("");
                for (Sse.Event event = events.next(); event != null; event = events.next()) {
                    Json data = event.json().at("data");
                    if (!data.at("id").text("").equals(id)) continue;
                    if (cli.json) cli.printJson(event.data());
                    switch (event.type()) {
                        case "bench.progress" -> {
                            if (!cli.json) progress(data);
                        }
                        case "bench.finished" -> {
                            if (!cli.json) finished(data);
                            return Failure.OK;
                        }
                        default ->
                            throw new Failure(
                                    Failure.FAILED,
                                    "Not measured",
                                    data.at("reason").text("-"),
                                    "see its path: mcc peers");
                    }
                }
            }
            throw new Failure(Failure.UNREACHABLE, "Not measured", "the node went away meanwhile", "mcc status");
        }

        private void progress(Json data) {
            double rate = data.at("bitsPerSecond").number(0);
            int bar = (int) Math.round(TENFOLD * Math.log10(Math.clamp(rate / 1e6, 1, 1e6)));
            cli.out.println(String.format(
                    Locale.ROOT,
                    "%3s s  %13s  rtt %8s  loss %6s  %s",
                    data.at("second").text("-"),
                    Text.rate(rate),
                    Text.latency(data.at("rttMs")),
                    loss(data.at("lossPpm")),
                    "█".repeat(bar)));
        }

        private void finished(Json data) {
            cli.out.println(Text.size(data.at("bytes")) + " in " + Text.span(data.at("tookMs")) + ": "
                    + Text.rate(data.at("bitsPerSecond").number(0)) + " by "
                    + data.at("path").text("-"));
            cli.out.println("rtt " + Text.latency(data.at("rttIdleMs")) + " idle, "
                    + Text.latency(data.at("rttLoadedMs")) + " under load   loss " + loss(data.at("lossPpm")));
            cli.out.println(String.format(
                    Locale.ROOT,
                    "CPU %.2f s per Gbit here, %.2f there",
                    data.at("cpuSecondsPerGbitHere").number(0),
                    data.at("cpuSecondsPerGbitThere").number(0)));
        }
    }

    @Command(description = "look up a name or an ID in the DHT, and show every step")
    final class Lookup implements Callable<Integer> {
        @Parameters(paramLabel = "NAME|ID", description = "a service's name, or an ID of 52 characters")
        String target = "";

        @Override
        public Integer call() {
            return cli.show(
                    cli.rest().post("/dht/lookups", Map.of(Text.isId(target) ? "target" : "service", target)),
                    this::print);
        }

        private void print(Json trace) {
            Table table = new Table("MS", "ASKED", "BITS", "RESULT", "RTT");
            for (Json step : trace.at("steps").items()) {
                String count = step.at("count").text("");
                table.row(
                        step.at("atMs").text("-"),
                        Text.shortId(step.at("peer").text("-")),
                        step.at("sharedBits").text("-"),
                        step.at("result").text("-") + (count.isEmpty() || count.equals("0") ? "" : ": " + count),
                        Text.latency(step.at("rttMs")));
            }
            cli.print(table, "no node had to be asked");
            Json result = trace.at("result");
            cli.out.println(result.at("records").text("0") + " records, "
                    + result.at("closest").items().size() + " closest nodes, "
                    + trace.at("requests").text("0") + " requests in " + Text.span(trace.at("tookMs")));
        }
    }
}
