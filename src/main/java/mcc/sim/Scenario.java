package mcc.sim;

/** A scripted course of events in a simulated network; made for one run. */
sealed interface Scenario permits LookupsScenario, RegistryScenario, FaultsScenario, PacketsScenario, NatsScenario {
    /** Runs it to its end; throws {@link mcc.core.Invariant.Broken} if something is wrong. */
    Outcome run();

    /** The results; {@link Report} adds to them what was run. */
    record Outcome(
            int lookups,
            int successPermille,
            int requestsMean,
            int requestsP99,
            String traceHash,
            long delivered,
            long virtualMs) {}
}
