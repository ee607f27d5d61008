package mcc.registry;

/** Numbers what the registry asks of the DHT. */
final class Tickets {
    private long next;

    long next() {
        return next++;
    }
}
