package mcc.sim;

/**
 * How a run went. All but {@code wallMs} follow from scenario, nodes, seed and options.
 *
 * @param lookups how many lookups or resolutions were judged
 * @param traceHash over every input of every core, as 16 hexadecimal digits
 * @param successPermille how many of 1,000 of them were right
 * @param requestsMean mean requests per lookup, in thousandths; 0 where not counted
 * @param requestsP99 99th percentile of the requests per lookup
 * @param delivered messages or datagrams that arrived
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
