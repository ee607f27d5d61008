package mcc.sim;

/** One story that a simulated network goes through; made for one run. */
sealed interface Scenario permits LookupsScenario, RegistryScenario, FaultsScenario, PacketsScenario {
    /** Runs it to its end; throws {@link mcc.core.Invariant.Broken} where something is wrong. */
    Outcome run();

    /** What {@link Report} says beyond the question. */
    record Outcome(
            int lookups,
            int successPermille,
            int requestsMean,
            int requestsP99,
            String traceHash,
            long delivered,
            long virtualMs) {}
}
