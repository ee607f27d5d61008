package mcc.cli;

import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import mcc.sim.Options;
import mcc.sim.Report;
import mcc.sim.Scenarios;
import mcc.sim.Simulation;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code mcc sim}: a whole network in this process and in virtual time; equal seeds give equal runs. */
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

    @Option(
            names = "--seed",
            paramLabel = "S",
            defaultValue = "1",
            description = "what all chance is drawn from; default 1")
    long seed = 1;

    @Option(names = "--loss-ppm", paramLabel = "N", description = "messages lost, of a million; default 10000")
    int lossPpm = Options.defaults().lossPpm();

    @Option(
            names = "--latency-min",
            paramLabel = "TIME",
            description = "least latency of a link, one way; default 50ms")
    String minLatency = Options.defaults().minLatencyMs() + "ms";

    @Option(names = "--latency-max", paramLabel = "TIME", description = "greatest latency of a link; default 200ms")
    String maxLatency = Options.defaults().maxLatencyMs() + "ms";

    @Option(
            names = "--churn-median-min",
            paramLabel = "N",
            description = "median life of a node, minutes; 0 none; default 60; for lookups and canary only")
    @Nullable
    Integer churnMedianMin;

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
            throw Failure.usage("no node dies by chance in '" + scenario + "'", "leave --churn-median-min out");
        }
        Report report;
        try {
            report = Simulation.run(scenario, nodes, seed, options());
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

    private Options options() {
        Options base = Options.defaults();
        return new Options(
                lossPpm,
                (int) Cli.ms("--latency-min", minLatency),
                (int) Cli.ms("--latency-max", maxLatency),
                churnMedianMin == null ? base.churnMedianMin() : churnMedianMin,
                base.bucketLimit());
    }
}
