package mcc.registry;

import mcc.core.Rng;

/** Numbers what the registry asks of the DHT, from anywhere: an answer to an earlier registry is none to this one. */
final class Tickets {
    private long next;

    Tickets(Rng rng) {
        next = rng.nextLong() >>> 2;
    }

    long next() {
        return next++;
    }
}
