package mcc.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The verbs that offer services and find them. */
final class ServiceVerbs {
    private final Cli cli;

    ServiceVerbs(Cli cli) {
        this.cli = cli;
    }

    void addTo(Map<String, Supplier<Object>> verbs) {
        verbs.put("register", Register::new);
        verbs.put("deregister", Deregister::new);
        verbs.put("expose", Expose::new);
        verbs.put("services", Services::new);
        verbs.put("discover", Discover::new);
        verbs.put("watch", Watch::new);
    }

    /** A registration, as options. */
    static final class Offer {
        @Parameters(paramLabel = "NAME", description = "the service: name, or org/name")
        String name = "";

        @Option(
                names = "--port",
                required = true,
                split = ",",
                paramLabel = "PORT",
                description =
                        "where it listens: 8080, 53/udp+tcp, or 21,50000-50100/tcp; up to 16 of them, 1,024 ports in"
                                + " all. A user who names no port gets the first of the protocol")
        List<String> ports = List.of();

        @Option(names = "--host", paramLabel = "HOST", description = "where it listens; default 127.0.0.1")
        @Nullable
        String host;

        @Option(
                names = "--protocol",
                paramLabel = "PROTO",
                description = "protocol of the ports that name none: tcp (the default), udp or http")
        @Nullable
        String protocol;

        @Option(names = "--udp", description = "the same as --protocol udp")
        boolean udp;

        @Option(
                names = "--check",
                paramLabel = "CHECK",
                description = "how the node checks its health: http:/PATH, tcp, ttl (the app sends heartbeats) or none;"
                        + " if all ports are UDP: ttl, none, or a TCP port given by --check-port")
        @Nullable
        String check;

        @Option(
                names = "--check-port",
                paramLabel = "PORT",
                description = "the port that --check uses; default the first TCP port")
        @Nullable
        Integer checkPort;

        @Option(names = "--interval", paramLabel = "TIME", description = "time between checks, such as 5s")
        @Nullable
        String interval;

        @Option(
                names = "--weight",
                paramLabel = "N",
                description = "its share of new connections among equally good providers")
        @Nullable
        Integer weight;

        @Option(names = "--tag", paramLabel = "TAG", description = "a word to find it by; repeatable")
        List<String> tags = List.of();

        @Option(names = "--meta", paramLabel = "KEY=VALUE", description = "other facts to publish; repeatable")
        Map<String, String> meta = Map.of();

        @Option(
                names = "--lease",
                paramLabel = "TIME",
                description = "how long others still list it once this node is gone")
        @Nullable
        String lease;

        @Option(
                names = "--proxy",
                paramLabel = "VERSION",
                description =
                        "v2: tell the app who calls, by a header of the PROXY protocol; it must expect that. Datagrams have"
                                + " none")
        @Nullable
        String proxy;

        @Option(
                names = "--idle",
                paramLabel = "TIME",
                description = "end connections that carried nothing for this long")
        @Nullable
        String idle;

        @Option(names = "--id", paramLabel = "ID", description = "the registration's own name; default the service's")
        @Nullable
        String id;

        String id() {
            return id == null ? name.substring(name.indexOf('/') + 1) : id;
        }

        /** The body of {@code PUT /registrations/{id}}; options that were not given are left to the node's defaults. */
        Map<String, Object> body() {
            Map<String, Object> out = new LinkedHashMap<>();
            out.put("service", name);
            if (udp && protocol != null && !protocol.equals("udp"))
                throw Failure.usage("--udp and --protocol " + protocol, "say one of them");
            PortList.put(out, ports, udp ? "udp" : protocol);
            if (host != null) out.put("host", host);
            if (weight != null) out.put("weight", weight);
            if (!tags.isEmpty()) out.put("tags", tags);
            if (!meta.isEmpty()) out.put("meta", meta);
            if (lease != null) out.put("leaseMs", Cli.ms("--lease", lease));
            if (proxy != null) out.put("proxy", proxy);
            if (idle != null) out.put("idleMs", Cli.ms("--idle", idle));
            Map<String, Object> how = check();
            if (!how.isEmpty()) out.put("check", how);
            return out;
        }

        private Map<String, Object> check() {
            Map<String, Object> out = new LinkedHashMap<>();
            if (check == null) {
                if (interval != null || checkPort != null)
                    throw Failure.usage(
                            (interval != null ? "--interval" : "--check-port") + " without a check",
                            "add --check tcp or http:/PATH");
                return out;
            }
            int colon = check.indexOf(':');
            String type = colon < 0 ? check : check.substring(0, colon);
            boolean known = List.of("http", "tcp", "ttl", "none").contains(type);
            if (!known || (colon >= 0) != type.equals("http")) {
                throw Failure.usage("--check: '" + check + "'", "write http:/health, tcp, ttl or none");
            }
            out.put("type", type);
            if (checkPort != null) out.put("port", checkPort);
            if (colon >= 0) out.put("path", check.substring(colon + 1));
            if (interval != null) out.put("intervalMs", Cli.ms("--interval", interval));
            return out;
        }

        Rest.Reply put(Rest rest) {
            return rest.put("/registrations/" + Rest.segment(id()), body());
        }
    }

    private static String registered(Json r) {
        String health = r.at("health").text("");
        String reason = r.at("reason").text("");
        return r.at("service").text("-") + "#" + Text.shortId(r.at("endpoint").text("-")) + " at "
                + at(r)
                + (health.isEmpty() ? "" : "  health " + health)
                + (reason.isEmpty() ? "" : " (" + reason + ")");
    }

    /** Where an app listens: {@code 127.0.0.1:8000}, {@code 127.0.0.1 53/udp+tcp}. */
    private static String at(Json r) {
        List<Json> ports = r.at("ports").items();
        boolean one = ports.size() < 2
                && (ports.isEmpty() || ports.getFirst().at("endPort").isMissing());
        return r.at("host").text("-") + (one ? ":" + r.at("port").text("-") : " " + PortList.text(r));
    }

    @Command(description = "offer a service of this machine under a name")
    final class Register implements Callable<Integer> {
        @Mixin
        Offer offer = new Offer();

        @Override
        public Integer call() {
            Rest.Reply reply = offer.put(cli.rest());
            return cli.show(reply, r -> {
                cli.out.println((reply.status() == 201 ? "registered " : "renewed ") + registered(r));
                if (offer.proxy != null && PortList.text(r).contains("udp"))
                    cli.say("its ports of UDP get no header of the PROXY protocol: datagrams have none");
                cli.say("kept alive by the node, also after its restart.   use it: mcc forward "
                        + r.at("service").text(offer.name) + "   withdraw it: mcc deregister " + offer.id());
            });
        }
    }

    @Command(description = "withdraw a registration; without an ID, list them")
    final class Deregister implements Callable<Integer> {
        @Parameters(
                arity = "0..1",
                paramLabel = "ID",
                description = "what 'mcc register' named; default the service's name")
        @Nullable
        String id;

        @Override
        public Integer call() {
            if (id != null) {
                String named = id;
                return cli.show(
                        cli.rest().delete("/registrations/" + Rest.segment(named)),
                        _ -> cli.out.println("withdrawn " + named));
            }
            return cli.show(cli.rest().get("/registrations?limit=1000"), page -> {
                cli.print(registrations(page), "this node offers nothing: mcc register NAME --port PORT");
                cli.say("withdraw one: mcc deregister ID");
            });
        }
    }

    static Table registrations(Json page) {
        Table table = new Table("ID", "SERVICE", "HOST", "PORTS", "HEALTH", "REASON");
        for (Json r : page.at("items").items()) {
            table.row(
                    r.at("id").text("-"),
                    r.at("service").text("-"),
                    r.at("host").text("-"),
                    PortList.text(r),
                    r.at("health").text("-"),
                    r.at("reason").text(""));
        }
        return table;
    }

    @Command(description = "offer a service until ctrl-C")
    final class Expose implements Callable<Integer> {
        @Mixin
        Offer offer = new Offer();

        @Override
        public Integer call() {
            Rest rest = cli.rest();
            cli.show(offer.put(rest), r -> {
                cli.out.println("exposed " + registered(r));
                cli.say("ctrl-C withdraws it");
            });
            Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                try {
                    rest.delete("/registrations/" + Rest.segment(offer.id()));
                    cli.say("withdrawn");
                } catch (Failure f) {
                    cli.err.println("not withdrawn: " + f.detail());
                }
            }));
            String query = "?types=" + Rest.segment("registration.health");
            try (Sse events = rest.follow(query)) {
                for (Sse.Event event = events.next(); event != null; event = events.next()) {
                    Json data = event.json().at("data");
                    if (!data.at("id").text("").equals(offer.id())) continue;
                    if (cli.json) cli.printJson(event.data());
                    else
                        cli.out.println(NodeVerbs.time(event.json()) + "  health "
                                + data.at("health").text("-") + "  "
                                + data.at("reason").text(""));
                }
            }
            throw NodeVerbs.ended();
        }
    }

    @Command(description = "the services that this node knows of")
    final class Services implements Callable<Integer> {
        @Option(names = "--local", description = "those registered at this node instead, with their health")
        boolean local;

        @Override
        public Integer call() throws Exception {
            return cli.repeat(local ? this::registered : this::known);
        }

        private int registered() {
            return cli.show(
                    cli.rest().get("/registrations?limit=1000"),
                    page -> cli.print(registrations(page), "this node offers nothing: mcc register NAME --port PORT"));
        }

        private int known() {
            return cli.show(cli.rest().get("/services?limit=1000"), page -> {
                Table table = new Table("SERVICE", "PROVIDERS", "FAILING", "HERE", "BEST");
                for (Json service : page.at("items").items()) {
                    Json best = service.at("best");
                    table.row(
                            service.at("name").text("-"),
                            service.at("providers").text("0"),
                            service.at("failing").text("0"),
                            service.at("local").text("0"),
                            best.isMissing() ? "-" : where(best));
                }
                cli.print(table, "no services known here yet; any can be found by its name: mcc discover NAME");
            });
        }
    }

    /** Where a provider is: its node, the path to it and the round-trip time. */
    static String where(Json provider) {
        String node = Text.shortId(provider.at("node").text("-"));
        if (provider.at("local").flag()) return node + " this node";
        Json rtt = provider.at("rttMs");
        return node + " " + PeerVerbs.path(provider.at("path")) + (rtt.isMissing() ? "" : " " + Text.latency(rtt));
    }

    static Table providers(Json page) {
        Table table = new Table(
                "PROVIDER",
                "NODE",
                "PORTS",
                "HEALTH",
                "PATH",
                "RTT",
                "LOAD",
                "WEIGHT",
                "SCORE",
                "LEASE",
                "ADDRESS",
                "REASON");
        for (Json p : page.at("items").items()) {
            table.row(
                    Text.shortId(p.at("endpoint").text("-")),
                    Text.shortId(p.at("node").text("-")),
                    PortList.text(p),
                    p.at("health").text("-"),
                    p.at("local").flag() ? "this node" : PeerVerbs.path(p.at("path")),
                    Text.latency(p.at("rttMs")),
                    String.format(Locale.ROOT, "%.2f", p.at("load").number(0)),
                    p.at("weight").text("-"),
                    p.at("score").at("total").text("-"),
                    Text.span(p.at("leaseMs")),
                    p.at("address").text("-"),
                    p.at("reason").text(""));
        }
        return table;
    }

    @Command(description = "who provides a service, best first")
    final class Discover implements Callable<Integer> {
        @Parameters(paramLabel = "NAME", description = "the service: name, or org/name")
        String name = "";

        @Option(names = "--all", description = "failing providers too")
        boolean all;

        @Override
        public Integer call() throws Exception {
            return cli.repeat(this::once);
        }

        private int once() {
            String path = "/services/" + Rest.segment(name) + "/providers?limit=1000" + (all ? "&health=all" : "");
            Rest.Reply reply = cli.rest().get(path);
            cli.show(reply, page -> {
                Table table = providers(page);
                if (!table.isEmpty()) cli.print(table, "");
            });
            if (cli.watch || !reply.json().at("items").items().isEmpty()) return Failure.OK;
            throw new Failure(
                    Failure.NOT_FOUND,
                    "Not found",
                    "no usable provider of '" + name + "'",
                    all ? "register one where it runs: mcc register NAME --port PORT" : "--all shows failing ones");
        }
    }

    @Command(description = "follow a service's providers as they come, change and go")
    final class Watch implements Callable<Integer> {
        @Parameters(paramLabel = "NAME", description = "the service: name, or org/name")
        String name = "";

        @Override
        public Integer call() {
            Rest rest = cli.rest();
            String full = name.indexOf('/') < 0 ? "open/" + name : name;
            try (Sse events = rest.follow("?types=" + Rest.segment("service.*") + "&watch=" + Rest.segment(name))) {
                Rest.Reply now = rest.get("/services/" + Rest.segment(name) + "/providers?limit=1000");
                if (!cli.json) cli.print(providers(now.json()), "no provider yet, watching");
                for (Sse.Event event = events.next(); event != null; event = events.next()) {
                    Json data = event.json().at("data");
                    if (!data.at("service").text("").equals(full)) continue;
                    if (cli.json) cli.printJson(event.data());
                    else cli.out.println(line(event));
                }
            }
            throw NodeVerbs.ended();
        }

        private static String line(Sse.Event event) {
            Json provider = event.json().at("data").at("provider");
            String mark = switch (event.type()) {
                case "service.joined" -> "+ joined ";
                case "service.left" -> "- left   ";
                default -> "~ changed";
            };
            String line = NodeVerbs.time(event.json()) + "  " + mark + "  "
                    + Text.shortId(provider.at("endpoint").text("-")) + " @ "
                    + Text.shortId(provider.at("node").text("-")) + "  "
                    + provider.at("health").text("") + "  "
                    + provider.at("reason").text("");
            return line.stripTrailing();
        }
    }
}
