package mcc.dht;

/**
 * Names a question, so that its answer finds its asker.
 *
 * @param by who asked, and gets the answer
 * @param number the asker's own number of the question
 */
public record Ticket(Asker by, long number) {
    /** Who may ask the DHT. */
    public enum Asker {
        /** The verticle around the DHT, for its users. */
        HOST,
        /** The registry of this node. */
        REGISTRY,
        /** The relays of this node, which look for others. */
        RELAY
    }

    /** A question of the host. */
    public static Ticket ofHost(long number) {
        return new Ticket(Asker.HOST, number);
    }

    /** A question of the relays, which have one at a time. */
    public static Ticket ofRelay() {
        return new Ticket(Asker.RELAY, 0);
    }

    /** A question of the registry. */
    public static Ticket ofRegistry(long number) {
        return new Ticket(Asker.REGISTRY, number);
    }
}
