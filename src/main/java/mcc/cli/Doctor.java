package mcc.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** {@code mcc doctor}: checks a node from the ground up, and names a remedy for whatever is wrong. */
@Command(description = "check the node from the ground up, and say what to do")
final class Doctor implements Callable<Integer> {
    /** The result of a check: {@code ok}, {@code warn} or {@code fail}. */
    private record Finding(String state, String title, String fix) {}

    private final Cli cli;
    private final List<Finding> findings = new ArrayList<>();

    Doctor(Cli cli) {
        this.cli = cli;
    }

    @Override
    public Integer call() {
        findings.clear();
        findings.add(new Finding("ok", Cli.versionText(), ""));
        Rest rest = cli.rest();
        Json node;
        try {
            node = rest.get("/node").json();
        } catch (Failure f) {
            findings.add(new Finding("fail", f.title() + ": " + f.detail(), f.hint() == null ? "" : f.hint()));
            print();
            return f.exit();
        }
        findings.add(new Finding(
                "ok",
                "node " + Text.shortId(node.at("id").text("-")) + " answers, up " + Text.span(node.at("uptimeMs")),
                ""));
        readiness(rest);
        network(rest, node);
        registrations(rest);
        for (Json problem : NodeVerbs.faults(node)) {
            boolean error = problem.at("severity").text("").equals("error");
            findings.add(new Finding(
                    error ? "fail" : "warn",
                    problem.at("title").text("-"),
                    problem.at("hint").text("")));
        }
        print();
        boolean fine = findings.stream().allMatch(f -> f.state().equals("ok"));
        return fine ? Failure.OK : Failure.DEGRADED;
    }

    private void readiness(Rest rest) {
        Json health = rest.root("/health/ready").json();
        for (Json check : health.at("checks").items()) {
            boolean up = check.at("status").text("").equals("up");
            findings.add(new Finding(
                    up ? "ok" : "fail",
                    check.at("id").text("-") + ": " + check.at("detail").text(""),
                    up ? "" : "wait for it, or see: mcc events --history"));
        }
    }

    private void network(Rest rest, Json node) {
        int peers = rest.get("/peers").json().at("items").items().size();
        findings.add(
                peers > 0
                        ? new Finding("ok", peers + " peers", "")
                        : new Finding(
                                "warn",
                                "no peers: this node is alone",
                                "mcc run --bootstrap HOST:PORT, with the UDP address of any other node"));
        Json nat = rest.get("/nat").json();
        boolean hard = nat.at("mapping").text("").equals("endpoint-dependent");
        findings.add(new Finding(
                hard ? "warn" : "ok",
                "NAT: " + nat.at("verdict").text("not known"),
                hard
                        ? "let the router give this machine a fixed UDP port: "
                                + node.at("udp").text("-")
                        : ""));
    }

    private void registrations(Rest rest) {
        for (Json r : rest.get("/registrations?limit=1000").json().at("items").items()) {
            boolean pass = r.at("health").text("").equals("pass");
            findings.add(new Finding(
                    pass ? "ok" : "fail",
                    "service " + r.at("service").text("-") + ": "
                            + r.at("health").text("-") + ", " + r.at("reason").text("-"),
                    pass
                            ? ""
                            : "does it listen at " + r.at("host").text("-") + ":"
                                    + r.at("port").text("-") + "?"));
        }
    }

    private void print() {
        if (cli.json) {
            List<Object> out = new ArrayList<>();
            for (Finding f : findings) {
                Map<String, Object> each = new LinkedHashMap<>();
                each.put("state", f.state());
                each.put("title", f.title());
                each.put("fix", f.fix());
                out.add(each);
            }
            cli.out.println(Json.write(Map.of("checks", out)));
            return;
        }
        for (Finding f : findings) {
            cli.out.println(cli.paint(Table.Colour.of(f.state()), "%-4s".formatted(f.state())) + "  " + f.title());
            if (!f.fix().isEmpty()) cli.out.println("      -> " + f.fix());
        }
    }
}
