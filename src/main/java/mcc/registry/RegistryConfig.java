package mcc.registry;

import mcc.core.Bytes;

/**
 * The parameters of the registry.
 *
 * @param network the network's name, at most 255 bytes
 * @param cacheNs how long what was found is used again
 * @param watchNs time between two looks at a watched service
 * @param findNs how long a lookup may take; after that only this node's own offers are returned
 * @param drainNs how long withdrawing everything may take
 * @param registrations most registrations
 * @param services most services cached, and most looked up at a time
 * @param waiting most questions that wait for one lookup
 * @param watches most watches
 * @param nodes most nodes whose round-trip time is remembered
 */
public record RegistryConfig(
        Bytes network,
        long cacheNs,
        long watchNs,
        long findNs,
        long drainNs,
        int registrations,
        int services,
        int waiting,
        int watches,
        int nodes) {
    static final long MS = 1_000_000;
    static final long SECOND = 1_000 * MS;

    /** Most providers read of one service. */
    static final int PROVIDERS = 256;

    /** The recommended parameters. */
    public static RegistryConfig of(Bytes network) {
        return new RegistryConfig(network, 500 * MS, SECOND, 10 * SECOND, 3 * SECOND, 1_024, 256, 1_024, 256, 4_096);
    }
}
