package mcc.dht;

import mcc.core.Bytes;

/**
 * The parameters of the DHT; the specification's constants first.
 *
 * @param network the network's name, at most 255 bytes of UTF-8; bound by every signature
 * @param k contacts per bucket, and holders per record
 * @param alpha requests of one lookup in flight
 * @param alphaMax the most requests of one lookup in flight while it makes no progress
 * @param nearest how many of the nearest must have answered before a lookup ends
 * @param renewedHolders how many holders, nearest first, get the heartbeats of a live record
 * @param maxRequests most requests of one lookup
 * @param minTimeoutNs the shortest time-out of a request; {@code maxTimeoutNs} is the longest
 * @param storeLeaseMs how long holders keep a live record
 * @param staleNs a contact not heard from for this long is pinged
 * @param refreshNs a bucket in which nothing was looked up for this long is refreshed
 * @param maintainNs time between two checks of the table
 * @param limits what may be kept
 */
public record DhtConfig(
        Bytes network,
        int k,
        int alpha,
        int alphaMax,
        int nearest,
        int renewedHolders,
        int maxRequests,
        long minTimeoutNs,
        long maxTimeoutNs,
        long storeLeaseMs,
        long staleNs,
        long refreshNs,
        long maintainNs,
        Limits limits) {
    static final long MS = 1_000_000;
    static final long SECOND = 1_000 * MS;
    static final long MINUTE = 60 * SECOND;

    /**
     * What may be kept at most.
     *
     * @param recordsPerKey records of others under one key
     * @param records records of others
     * @param recordBytes the memory that they take, by {@link Item#bytes}
     * @param tombstones remembered versions of records that are gone
     * @param lookups lookups at a time
     * @param calls requests in flight
     * @param publications records of our own
     */
    public record Limits(
            int recordsPerKey,
            int records,
            long recordBytes,
            int tombstones,
            int lookups,
            int calls,
            int publications) {
        /** The limits of an ordinary node. */
        public static Limits defaults() {
            return new Limits(1_000, 65_536, 32L << 20, 65_536, 256, 2_048, 4_096);
        }
    }

    /** The recommended parameters. */
    public static DhtConfig of(Bytes network) {
        return new DhtConfig(
                network,
                16,
                4,
                8,
                4,
                4,
                128,
                200 * MS,
                1_500 * MS,
                600_000,
                10 * MINUTE,
                60 * MINUTE,
                30 * SECOND,
                Limits.defaults());
    }
}
