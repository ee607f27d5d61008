package mcc.cli;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The verbs that open tunnels to services. */
final class TunnelVerbs {
    private final Cli cli;

    TunnelVerbs(Cli cli) {
        this.cli = cli;
    }

    void addTo(Map<String, Supplier<Object>> verbs) {
        verbs.put("forward", Forward::new);
        verbs.put(
                "tunnel",
                () -> Verb.group(
                                "tunnel",
                                "open, list, show and close tunnels that stay",
                                "mcc tunnel ls, open, show or close")
                        .addSubcommand("ls", Verb.plain("the tunnels of the node", () -> cli.repeat(this::list)))
                        .addSubcommand("open", new Open())
                        .addSubcommand(
                                "show",
                                Verb.toOne("everything the node knows of a tunnel", id -> cli.repeat(() -> show(id))))
                        .addSubcommand("close", Verb.toOne("close a tunnel and every connection in it", this::close)));
    }

    /** A tunnel to be opened, as options. */
    static final class Wish {
        @Parameters(
                index = "0",
                paramLabel = "NAME[:PORT]",
                description =
                        "the service: name, or org/name; name#ENDPOINT, or an endpoint's whole ID, for that instance;"
                                + " with :PORT that port of it, else the first")
        String name = "";

        @Parameters(
                index = "1",
                arity = "0..1",
                paramLabel = "[HOST:]PORT",
                description = "where to listen here; default a free port of 127.0.0.1")
        @Nullable
        String listen;

        @Option(
                names = "--provider",
                paramLabel = "NODE",
                description = "only this node, by 8 or more characters of its ID")
        @Nullable
        String provider;

        @Option(
                names = "--udp",
                description = "carry datagrams; the default if the first such port of every provider is UDP")
        boolean udp;

        @Option(names = "--tcp", description = "carry connections, although the service's first port is UDP")
        boolean tcp;

        @Option(
                names = "--idle",
                paramLabel = "TIME",
                description = "end connections that carried nothing for this long")
        @Nullable
        String idle;

        Map<String, Object> body() {
            Map<String, Object> out = new LinkedHashMap<>();
            int colon = name.lastIndexOf(':');
            String service = colon < 0 ? name : name.substring(0, colon);
            out.put(Text.isId(service) ? "endpoint" : "service", service);
            if (colon >= 0) out.put("port", port(name.substring(colon + 1)));
            if (listen != null) {
                String at = listen.startsWith(":") ? listen.substring(1) : listen;
                out.put("listen", at.indexOf(':') < 0 ? "127.0.0.1:" + at : at);
            }
            if (provider != null) out.put("provider", provider);
            if (udp && tcp) throw Failure.usage("--udp and --tcp", "say one of them; a forward carries one protocol");
            if (udp || tcp) out.put("protocol", udp ? "udp" : "tcp");
            if (idle != null) out.put("idleMs", Cli.ms("--idle", idle));
            return out;
        }
    }

    private static int port(String text) {
        if (!text.matches("[0-9]{1,5}"))
            throw Failure.usage("the service's port: '" + text + "'", "write NAME:PORT, as orders:5432");
        return Integer.parseInt(text);
    }

    /** What a tunnel leads to, such as {@code open/web} or {@code open/web:5432}. */
    private static String service(Json tunnel) {
        String port =
                tunnel.at("port").isMissing() ? "" : ":" + tunnel.at("port").text("");
        return tunnel.at("service").text("-") + port;
    }

    /** {@code 127.0.0.1:9000 -> open/web @ 7f2a91c4 lan 1 ms}, with {@code udp} before it if it carries datagrams. */
    static String line(Json tunnel) {
        StringBuilder out = new StringBuilder(tunnel.at("protocol").text("").equals("udp") ? "udp " : "");
        out.append(tunnel.at("listen").text("-"));
        out.append(" -> ").append(service(tunnel));
        if (!tunnel.at("provider").isMissing()) {
            out.append(" @ ").append(Text.shortId(tunnel.at("provider").text("-")));
        }
        if (!tunnel.at("path").isMissing()) out.append(' ').append(PeerVerbs.path(tunnel.at("path")));
        if (!tunnel.at("rttMs").isMissing()) out.append(' ').append(Text.latency(tunnel.at("rttMs")));
        return out.toString();
    }

    @Command(description = "reach a service at a local port until ctrl-C")
    final class Forward implements Callable<Integer> {
        @Mixin
        Wish wish = new Wish();

        @Override
        public Integer call() {
            Rest rest = cli.rest();
            Rest.Reply reply = rest.post("/tunnels", wish.body());
            String id = reply.json().at("id").text("");
            Runtime.getRuntime().addShutdownHook(new Thread(() -> close(rest, id)));
            try (Sse events = rest.follow("?types=" + Rest.segment("tunnel.*"))) {
                cli.show(reply, tunnel -> {
                    cli.out.println(line(tunnel));
                    cli.say("ctrl-C closes it");
                });
                for (Sse.Event event = events.next(); event != null; event = events.next()) {
                    if (!event.json().at("data").at("id").text("").equals(id)) continue;
                    if (event.type().equals("tunnel.closed")) return Failure.OK;
                    if (cli.json) cli.printJson(event.data());
                    else cli.out.println(happened(event));
                }
            }
            throw NodeVerbs.ended();
        }

        private void close(Rest rest, String id) {
            try {
                rest.delete("/tunnels/" + Rest.segment(id));
            } catch (Failure f) {
                if (f.exit() != Failure.NOT_FOUND) cli.err.println("not closed: " + f.detail());
            }
        }

        static String happened(Sse.Event event) {
            Json data = event.json().at("data");
            StringBuilder out = new StringBuilder(NodeVerbs.time(event.json()));
            switch (event.type()) {
                case "tunnel.failover" -> {
                    out.append("  failover to ");
                    out.append(Text.shortId(data.at("provider").text("-")));
                    out.append(" in ").append(Text.span(data.at("tookMs")));
                    for (Json failed : data.at("failed").items()) {
                        out.append("; ")
                                .append(Text.shortId(failed.at("provider").text("-")));
                        out.append(": ").append(failed.at("reason").text("-"));
                    }
                }
                case "tunnel.connected" ->
                    out.append("  connected to ")
                            .append(Text.shortId(data.at("provider").text("-")));
                case "tunnel.refused" ->
                    out.append("  connection refused: ")
                            .append(data.at("reason").text("-"));
                default -> out.append("  ").append(event.type());
            }
            return out.toString();
        }
    }

    private int list() {
        return cli.show(cli.rest().get("/tunnels?limit=1000"), page -> {
            Table table = new Table(
                    "ID", "PROTO", "LISTEN", "SERVICE", "PROVIDER", "PATH", "RTT", "TX/s", "RX/s", "OPEN", "STATE");
            for (Json t : page.at("items").items()) {
                table.row(
                        t.at("id").text("-"),
                        t.at("protocol").text("-"),
                        t.at("listen").text("-"),
                        service(t),
                        Text.shortId(t.at("provider").text("-")),
                        t.at("path").isMissing() ? "-" : PeerVerbs.path(t.at("path")),
                        Text.latency(t.at("rttMs")),
                        Text.size(t.at("txBytesPerSecond")),
                        Text.size(t.at("rxBytesPerSecond")),
                        t.at("connections").text("0"),
                        t.at("state").text("-"));
            }
            cli.print(table, "no tunnels: mcc tunnel open NAME [PORT]");
        });
    }

    private int show(String id) {
        return cli.show(cli.rest().get("/tunnels/" + Rest.segment(id)), tunnel -> {
            cli.out.println(line(tunnel));
            Table table = new Table("FIELD", "VALUE");
            tunnel.fields().forEach((name, value) -> {
                if (!value.isMissing()) table.row(name, value.text("-"));
            });
            cli.print(table, "");
        });
    }

    private int close(String id) {
        return cli.show(cli.rest().delete("/tunnels/" + Rest.segment(id)), _ -> cli.out.println("closed " + id));
    }

    @Command(description = "open a tunnel that stays, also after a restart of the node")
    final class Open implements Callable<Integer> {
        @Mixin
        Wish wish = new Wish();

        @Override
        public Integer call() {
            return cli.show(cli.rest().post("/tunnels", wish.body()), tunnel -> {
                cli.out.println(tunnel.at("id").text("-") + "  " + line(tunnel));
                cli.say("close it: mcc tunnel close " + tunnel.at("id").text("-"));
            });
        }
    }
}
