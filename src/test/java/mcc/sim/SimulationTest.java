package mcc.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import mcc.registry.Registry;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SimulationTest {
    @Test
    void aThousandNodesFindTheNearestFrugally() {
        Report report = Simulation.run("lookups", 1_000, 11, Options.defaults());
        assertThat(report.successPermille()).isGreaterThanOrEqualTo(990);
        assertThat(report.requestsMean()).isLessThan(15_000);
        assertThat(report.requestsP99()).isLessThanOrEqualTo(30);
    }

    @Test
    @Tag("sim")
    void tenThousandNodesFindTheNearestFrugally() {
        Report report = Simulation.run("lookups", 10_000, 1, Options.defaults());
        assertThat(report.successPermille()).isGreaterThanOrEqualTo(990);
        assertThat(report.requestsP99()).isLessThanOrEqualTo(30);
    }

    @Test
    void aProviderIsFoundWhileItStandsAndNeverPastItsLease() {
        assertThat(Simulation.run("registry", 120, 5, Options.defaults()).successPermille())
                .isGreaterThanOrEqualTo(990);
    }

    @ParameterizedTest
    @ValueSource(strings = {"lookups", "registry", "packets"})
    void theSeedBookHolds(String scenario) throws IOException {
        int runs = 0;
        try (var in = SimulationTest.class.getResourceAsStream("/seeds/" + scenario + ".txt")) {
            assertThat(in).isNotNull();
            for (String line : new String(in.readAllBytes(), StandardCharsets.UTF_8).split("\n")) {
                if (line.startsWith("#")) continue;
                String[] parts = line.split(" ");
                Simulation.run(scenario, Integer.parseInt(parts[0]), Long.parseLong(parts[1]), Options.defaults());
                runs++;
            }
        }
        assertThat(runs).isPositive();
    }

    @Test
    void realKeysAndStreamsCarryEveryByteBetweenThirtyNodes() {
        Report report = Simulation.run("packets", 30, 6, Options.defaults());
        assertThat(report.delivered()).isGreaterThan(1_000);
        assertThat(Simulation.run("packets", 30, 6, Options.defaults()).traceHash())
                .isEqualTo(report.traceHash());
    }

    @Test
    @Tag("sim")
    void realKeysAndStreamsCarryEveryByteBetweenTwoHundredNodes() {
        assertThat(Simulation.run("packets", 200, 1, Options.defaults()).successPermille())
                .isGreaterThanOrEqualTo(950);
    }

    @Test
    void theSimulatorCanSee() {
        assertThatThrownBy(() -> Simulation.run("canary", 60, 3, Options.defaults()))
                .isInstanceOf(Failure.class)
                .hasMessageStartingWith("./mcc sim canary --nodes 60 --seed 3  # ")
                .hasMessageNotContaining("\n");
    }

    /** A replay without the options of the run would be another run. */
    @Test
    void theLineThatReplaysARunNamesWhatWasNotTheDefault() {
        Options usual = Options.defaults();
        assertThatThrownBy(() -> Simulation.run(
                        "canary", 60, 3, new Options(0, usual.minLatencyMs(), 100, 30, usual.bucketLimit())))
                .isInstanceOf(Failure.class)
                .hasMessageStartingWith("./mcc sim canary --nodes 60 --seed 3"
                        + " --loss-ppm 0 --latency-max 100ms --churn-median-min 30  # ");
        assertThat(new Options(10_000, 10, 200, 60, 16).arguments()).isEqualTo(" --latency-min 10ms");
        assertThat(usual.arguments()).isEmpty();
    }

    @Test
    void whatTheRegistryHearsIsInTheTrace() {
        long hash = Hash.START;
        var web = new mcc.registry.ServiceName("open", "web");
        var db = new mcc.registry.ServiceName("open", "db");
        assertThat(Hash.mix(hash, new Registry.Input.Resolve(1, web)))
                .isEqualTo(Hash.mix(hash, new Registry.Input.Resolve(1, web)))
                .isNotEqualTo(Hash.mix(hash, new Registry.Input.Resolve(1, db)))
                .isNotEqualTo(hash);
        World world = new World(2, 1, Options.defaults(), (_, _) -> {});
        String before = world.traceHash();
        world.input(world.nodes.getFirst(), new Registry.Input.Heartbeat(1, "nobody")); // none of the DHT's affair
        assertThat(world.traceHash()).isNotEqualTo(before);
    }

    @Test
    void anotherSeedIsAnotherRun() {
        assertThat(run(20, 1).traceHash()).isNotEqualTo(run(20, 2).traceHash());
    }

    /** Hash codes and the iteration order of immutable sets change from JVM to JVM; nothing here may depend on them. */
    @Test
    void equalSeedsGiveEqualTracesInTwoJvms() throws IOException {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        Process other = new ProcessBuilder(List.of(
                        java,
                        "-XX:+UseSerialGC",
                        "-cp",
                        System.getProperty("java.class.path"),
                        OtherJvm.class.getName()))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String here = run(300, 8).traceHash();
        String there = new String(other.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(there.strip()).isEqualTo(here);
    }

    private static Report run(int nodes, long seed) {
        return Simulation.run("lookups", nodes, seed, Options.defaults());
    }

    /** The same run as a program. */
    static final class OtherJvm {
        public static void main(String[] args) {
            System.out.println(run(300, 8).traceHash());
        }
    }
}
