package mcc.registry;

import mcc.core.Rng;

/** Numbers the registry's requests to the DHT, from a random start, so that answers to an earlier registry match none. */
final class Tickets {
    private long next;

    Tickets(Rng rng) {
        next = rng.nextLong() >>> 2;
    }

    long next() {
        return next++;
    }
}
