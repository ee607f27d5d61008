package mcc.sim;

import mcc.core.Invariant;

/** Runs one scenario, and tells how to replay it when it fails. */
public final class Simulation {
    private Simulation() {}

    /**
     * Runs a scenario of {@link Scenarios#names} to its end.
     *
     * @param nodes at least 2
     * @throws Failure if an invariant was broken; its message begins with the command that replays the run
     */
    public static Report run(String scenario, int nodes, long seed, Options options) {
        if (nodes < 2) throw new IllegalArgumentException("a network has at least 2 nodes");
        long startNs = System.nanoTime();
        Scenario.Outcome outcome;
        try {
            outcome = Scenarios.of(scenario, nodes, seed, options).run();
        } catch (Invariant.Broken broken) {
            throw new Failure(scenario, nodes, seed, options, String.valueOf(broken.getMessage()), broken);
        }
        return new Report(
                scenario,
                nodes,
                seed,
                outcome.lookups(),
                outcome.traceHash(),
                outcome.successPermille(),
                outcome.requestsMean(),
                outcome.requestsP99(),
                outcome.delivered(),
                outcome.virtualMs(),
                (System.nanoTime() - startNs) / World.MS);
    }
}
