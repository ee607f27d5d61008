package mcc.sim;

/**
 * How a run went. All but {@code wallMs} follow from scenario, nodes, seed and options.
 *
 * @param lookups how many lookups or resolutions were judged
 * @param traceHash over every input of every core or, of packets, every datagram that arrived, as 16 hexadecimal digits
 * @param successPermille of the lookups that were right
 * @param requestsMean requests per lookup, in thousandths; 0 where not counted
 * @param requestsP99 requests of the 99th percentile
 * @param delivered messages that arrived
 */
public record Report(
        String scenario,
        int nodes,
        long seed,
        int lookups,
        String traceHash,
        int successPermille,
        int requestsMean,
        int requestsP99,
        long delivered,
        long virtualMs,
        long wallMs) {}
