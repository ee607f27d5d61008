package mcc.sim;

import java.util.List;
import mcc.sim.FaultsScenario.Trouble;

/** The scenarios by name. */
public final class Scenarios {
    static final String LOOKUPS = "lookups";
    static final String REGISTRY = "registry";
    /** Much goes wrong, then it heals, and all must be well again. */
    static final String FAULTS = "faults";
    /** Every core of every node is restarted, and all must be well again. */
    static final String RESTARTS = "restarts";
    /** Packet fidelity: streams and packets of the virtual interface beside the cores' messages. */
    static final String PACKETS = "packets";
    /** The same with NATs before half of the nodes. */
    static final String NATS = "nats";
    /** Must fail: its checker allows a bucket one contact less than k. */
    static final String CANARY = "canary";
    /** Must fail: the faults do not heal. */
    static final String CANARY_FAULTS = "canary-faults";

    private Scenarios() {}

    /** Returns all names, in the order in which they are listed. */
    public static List<String> names() {
        return List.of(LOOKUPS, REGISTRY, FAULTS, RESTARTS, PACKETS, NATS, CANARY, CANARY_FAULTS);
    }

    /** Whether nodes die and come back in a scenario, as {@link Options#churnMedianMin} says. */
    public static boolean hasChurn(String name) {
        return name.equals(LOOKUPS) || name.equals(CANARY);
    }

    /** Returns a scenario's default options. */
    public static Options defaults(String name) {
        Options usual = Options.defaults();
        return switch (name) {
            case FAULTS, CANARY_FAULTS -> usual.withoutChurn().with(Faults.many());
            case NATS -> usual.withoutChurn().with(Faults.none()).with(Options.Fidelity.PACKETS);
            case PACKETS -> usual.withoutChurn().with(Options.Fidelity.PACKETS);
            case REGISTRY, RESTARTS -> usual.withoutChurn();
            default -> usual;
        };
    }

    static Scenario of(String name, int nodes, long seed, Options options) {
        return switch (name) {
            case LOOKUPS -> new LookupsScenario(nodes, seed, options);
            case REGISTRY -> new RegistryScenario(nodes, seed, options);
            case FAULTS -> new FaultsScenario(nodes, seed, options, Trouble.CUT_OFF);
            case RESTARTS -> new FaultsScenario(nodes, seed, options, Trouble.RESTARTS);
            case PACKETS -> new PacketsScenario(nodes, seed, options);
            case NATS -> new NatsScenario(nodes, seed, options);
            case CANARY -> new LookupsScenario(nodes, seed, options.withBucketLimit(Options.K - 1));
            case CANARY_FAULTS -> new FaultsScenario(nodes, seed, options, Trouble.CUT_OFF_FOR_GOOD);
            default -> throw new IllegalArgumentException("no scenario " + name + "; there are " + names());
        };
    }
}
