package mcc.sim;

import java.util.List;

/** The scenarios by name. */
public final class Scenarios {
    static final String LOOKUPS = "lookups";
    static final String REGISTRY = "registry";
    /** Packet fidelity: real handshakes, keys and streams over a network of datagrams. */
    static final String PACKETS = "packets";
    /** Must fail: its checker allows a bucket one contact less than k. */
    static final String CANARY = "canary";

    private static final int K = 16;

    private Scenarios() {}

    /** Returns all names, in the order in which they are listed. */
    public static List<String> names() {
        return List.of(LOOKUPS, REGISTRY, PACKETS, CANARY);
    }

    /** Whether nodes die and come back in a scenario, as {@link Options#churnMedianMin} has it. */
    public static boolean hasChurn(String name) {
        return name.equals(LOOKUPS) || name.equals(CANARY);
    }

    static Scenario of(String name, int nodes, long seed, Options options) {
        return switch (name) {
            case LOOKUPS -> new LookupsScenario(nodes, seed, options);
            case REGISTRY -> new RegistryScenario(nodes, seed, options);
            case PACKETS -> new PacketsScenario(nodes, seed, options);
            case CANARY -> new LookupsScenario(nodes, seed, options.withBucketLimit(K - 1));
            default -> throw new IllegalArgumentException("no scenario " + name + "; there are " + names());
        };
    }
}
