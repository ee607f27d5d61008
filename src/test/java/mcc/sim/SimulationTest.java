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
        Report report = run("lookups", 1_000, 11);
        assertThat(report.successPermille()).isGreaterThanOrEqualTo(990);
        assertThat(report.requestsMean()).isLessThan(15_000);
        assertThat(report.requestsP99()).isLessThanOrEqualTo(30);
    }

    @Test
    @Tag("sim")
    void tenThousandNodesFindTheNearestFrugally() {
        Report report = run("lookups", 10_000, 1);
        assertThat(report.successPermille()).isGreaterThanOrEqualTo(990);
        assertThat(report.requestsP99()).isLessThanOrEqualTo(30);
    }

    @Test
    void aProviderIsFoundWhileItStandsAndNeverPastItsLease() {
        assertThat(run("registry", 120, 5).successPermille()).isGreaterThanOrEqualTo(990);
    }

    @ParameterizedTest
    @ValueSource(strings = {"lookups", "registry", "faults", "restarts", "packets", "nats"})
    void theSeedBookHolds(String scenario) throws IOException {
        int runs = 0;
        try (var in = SimulationTest.class.getResourceAsStream("/seeds/" + scenario + ".txt")) {
            assertThat(in).isNotNull();
            for (String line : new String(in.readAllBytes(), StandardCharsets.UTF_8).split("\n")) {
                if (line.startsWith("#")) continue;
                String[] parts = line.split(" ");
                run(scenario, Integer.parseInt(parts[0]), Long.parseLong(parts[1]));
                runs++;
            }
        }
        assertThat(runs).isPositive();
    }

    @Test
    void realKeysAndStreamsCarryEveryByteBetweenThirtyNodes() {
        Report report = run("packets", 30, 6);
        assertThat(report.delivered()).isGreaterThan(1_000);
        assertThat(run("packets", 30, 6).traceHash()).isEqualTo(report.traceHash());
    }

    @Test
    @Tag("sim")
    void realKeysAndStreamsCarryEveryByteBetweenTwoHundredNodes() {
        assertThat(run("packets", 200, 1).successPermille()).isGreaterThanOrEqualTo(950);
    }

    /** What others had told a core that was restarted, its NAT detection's word included, is told again. */
    @Test
    void coresThatAreRestartedAreToldAgainAtBothFidelities() {
        Options usual = Scenarios.defaults("restarts");
        for (Options.Fidelity fidelity : Options.Fidelity.values()) {
            assertThat(Simulation.run("restarts", 12, 1, usual.with(fidelity)).successPermille())
                    .isGreaterThanOrEqualTo(980);
        }
    }

    @Test
    void theSimulatorCanSee() {
        assertThatThrownBy(() -> run("canary", 60, 3))
                .isInstanceOf(Failure.class)
                .hasMessageStartingWith("./mcc sim canary --nodes 60 --seed 3  # ")
                .hasMessageNotContaining("\n");
    }

    @Test
    void theSimulatorSeesWhatDoesNotHeal() {
        assertThatThrownBy(() -> run("canary-faults", 60, 3))
                .isInstanceOf(Failure.class)
                .hasMessageStartingWith("./mcc sim canary-faults --nodes 60 --seed 3  # once healed, ");
    }

    /** A replay without the options of the run would be another run. */
    @Test
    void theLineThatReplaysARunNamesWhatWasNotTheDefault() {
        Options other = new Options(
                Options.Fidelity.MESSAGES, 0, 50, 100, 30, 1_000, new Faults(0, 10, 20, 200, 10), Options.K);
        assertThatThrownBy(() -> Simulation.run("canary", 60, 3, other))
                .isInstanceOf(Failure.class)
                .hasMessageStartingWith("./mcc sim canary --nodes 60 --seed 3"
                        + " --loss-ppm 0 --latency-max 100ms --churn-median-min 30 --liars-permille 0  # ");
        Options usual = Options.defaults();
        assertThat(usual.with(Options.Fidelity.PACKETS).arguments(usual)).isEqualTo(" --fidelity packets");
        assertThat(usual.arguments(usual)).isEmpty();
        assertThat(Scenarios.defaults("faults").arguments(Scenarios.defaults("faults")))
                .isEmpty();
    }

    @Test
    void bothFidelitiesFindTheNearest() {
        Options packets = Scenarios.defaults("lookups").with(Options.Fidelity.PACKETS);
        assertThat(Simulation.run("lookups", 12, 1, packets).successPermille()).isGreaterThanOrEqualTo(990);
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
        world.nodes.getFirst().up = true;
        String before = world.traceHash();
        world.input(world.nodes.getFirst(), new Registry.Input.Heartbeat(1, "nobody")); // none of the DHT's affair
        world.runUntil(1);
        assertThat(world.traceHash()).isNotEqualTo(before);
    }

    @Test
    void anotherSeedIsAnotherRun() {
        assertThat(run("lookups", 20, 1).traceHash())
                .isNotEqualTo(run("lookups", 20, 2).traceHash());
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
        String here = run("lookups", 300, 8).traceHash();
        String there = new String(other.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(there.strip()).isEqualTo(here);
    }

    private static Report run(String scenario, int nodes, long seed) {
        return Simulation.run(scenario, nodes, seed, Scenarios.defaults(scenario));
    }

    /** The same run as a program. */
    static final class OtherJvm {
        public static void main(String[] args) {
            System.out.println(run("lookups", 300, 8).traceHash());
        }
    }
}
