package mcc.cli;

import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import mcc.sim.Faults;
import mcc.sim.Options;
import mcc.sim.Report;
import mcc.sim.Scenarios;
import mcc.sim.Simulation;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code mcc sim}: simulates a whole network in this process and in virtual time; equal seeds give equal runs. */
@Command(description = "run a simulated network; 'mcc sim --list' names the scenarios")
final class Sim implements Callable<Integer> {
    private final Cli cli;

    @Parameters(arity = "0..1", paramLabel = "SCENARIO")
    @Nullable
    String scenario;

    @Option(names = "--list", description = "name the scenarios")
    boolean list;

    @Option(names = "--nodes", paramLabel = "N", defaultValue = "1000", description = "how many nodes; default 1000")
    int nodes = 1000;

    @Option(names = "--seed", paramLabel = "S", defaultValue = "1", description = "seed of all randomness; default 1")
    long seed = 1;

    @Option(
            names = "--fidelity",
            paramLabel = "messages|packets",
            description =
                    "mere latency, or real links with real keys; default messages; scenario packets: always packets")
    @Nullable
    String fidelity;

    @Option(names = "--loss-ppm", paramLabel = "N", description = "messages lost, of a million; default 10000")
    @Nullable
    Integer lossPpm;

    @Option(
            names = "--latency-min",
            paramLabel = "TIME",
            description = "least latency of a link, one way; default 50ms")
    @Nullable
    String minLatency;

    @Option(names = "--latency-max", paramLabel = "TIME", description = "greatest latency of a link; default 200ms")
    @Nullable
    String maxLatency;

    @Option(
            names = "--churn-median-min",
            paramLabel = "N",
            description = "median life of a node, minutes; 0 none; default 60; for lookups and canary only")
    @Nullable
    Integer churnMedianMin;

    @Option(
            names = "--stall-ppm",
            paramLabel = "N",
            description =
                    "messages within a node, of a million, after which their reader reads nothing for up to 50 ms; default 1000")
    @Nullable
    Integer stallPpm;

    @Option(
            names = "--liars-permille",
            paramLabel = "N",
            description = "nodes that give false answers, of 1,000; default 10, in faults 50")
    @Nullable
    Integer liars;

    @Option(
            names = "--one-way-permille",
            paramLabel = "N",
            description = "nodes that receive only from peers they sent to lately, of 1,000; default 10, in faults 50")
    @Nullable
    Integer oneWay;

    @Option(
            names = "--stale-address-permille",
            paramLabel = "N",
            description = "nodes that announce a dead address before their own, of 1,000; default 20, in faults 100")
    @Nullable
    Integer staleAddress;

    @Option(
            names = "--dead-bootstraps-permille",
            paramLabel = "N",
            description = "bootstrap addresses without a node, of 1,000; default 200, in faults 300")
    @Nullable
    Integer deadBootstraps;

    @Option(
            names = "--cut-off-permille",
            paramLabel = "N",
            description = "nodes cut off once for a minute or two, of 1,000; default 10, in faults 200")
    @Nullable
    Integer cutOff;

    Sim(Cli cli) {
        this.cli = cli;
    }

    @Override
    public Integer call() {
        if (list) {
            for (String name : Scenarios.names()) cli.out.println(name);
            return Failure.OK;
        }
        if (scenario == null || !Scenarios.names().contains(scenario)) {
            throw Failure.usage(
                    scenario == null ? "mcc sim needs a scenario" : "there is no scenario '" + scenario + "'",
                    "one of: " + String.join(", ", Scenarios.names()));
        }
        if (churnMedianMin != null && !Scenarios.hasChurn(scenario)) {
            throw Failure.usage("no node dies at random in '" + scenario + "'", "leave --churn-median-min out");
        }
        Report report;
        try {
            report = Simulation.run(scenario, nodes, seed, options(Scenarios.defaults(scenario)));
        } catch (IllegalArgumentException e) {
            throw Failure.usage(String.valueOf(e.getMessage()), "mcc sim --help");
        } catch (mcc.sim.Failure f) {
            throw new Failure(Failure.FAILED, "The simulation failed", String.valueOf(f.getMessage()), null);
        } catch (OutOfMemoryError e) {
            long mebibytes = Runtime.getRuntime().maxMemory() >> 20;
            throw new Failure(
                    Failure.FAILED,
                    "Not enough memory",
                    nodes + " nodes do not fit the heap of " + mebibytes + " MiB",
                    "take fewer nodes, or give more: MCC_JAVA_OPTS=-Xmx8g mcc sim " + scenario + " --nodes " + nodes);
        }
        Map<String, Object> fields = fields(report);
        if (cli.json) cli.out.println(Json.write(fields));
        else fields.forEach((name, value) -> cli.out.printf("%-16s %s%n", name, value));
        return Failure.OK;
    }

    private static Map<String, Object> fields(Report report) {
        Map<String, Object> out = new LinkedHashMap<>();
        out.put("scenario", report.scenario());
        out.put("nodes", report.nodes());
        out.put("seed", report.seed());
        out.put("lookups", report.lookups());
        out.put("traceHash", report.traceHash());
        out.put("successPermille", report.successPermille());
        if (report.requestsMean() > 0) {
            out.put("requestsMean", BigDecimal.valueOf(report.requestsMean(), 3));
            out.put("requestsP99", report.requestsP99());
        }
        out.put("delivered", report.delivered());
        out.put("virtualMs", report.virtualMs());
        out.put("wallMs", report.wallMs());
        return out;
    }

    private Options options(Options usual) {
        Faults faults = usual.faults();
        return new Options(
                fidelity(usual),
                or(lossPpm, usual.lossPpm()),
                minLatency == null ? usual.minLatencyMs() : (int) Cli.ms("--latency-min", minLatency),
                maxLatency == null ? usual.maxLatencyMs() : (int) Cli.ms("--latency-max", maxLatency),
                or(churnMedianMin, usual.churnMedianMin()),
                or(stallPpm, usual.stallPpm()),
                new Faults(
                        or(liars, faults.liarsPermille()),
                        or(oneWay, faults.oneWayPermille()),
                        or(staleAddress, faults.staleAddressPermille()),
                        or(deadBootstraps, faults.deadBootstrapsPermille()),
                        or(cutOff, faults.cutOffPermille())),
                usual.bucketLimit());
    }

    private Options.Fidelity fidelity(Options usual) {
        if (fidelity == null) return usual.fidelity();
        for (Options.Fidelity each : Options.Fidelity.values()) {
            if (each.name().toLowerCase(Locale.ROOT).equals(fidelity)) return each;
        }
        throw Failure.usage("there is no fidelity '" + fidelity + "'", "one of: messages, packets");
    }

    private static int or(@Nullable Integer given, int usual) {
        return given == null ? usual : given;
    }
}
