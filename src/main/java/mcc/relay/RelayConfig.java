package mcc.relay;

/**
 * What a node does for others, and how far.
 *
 * @param relays when it relays
 * @param placesMax most nodes that keep a place here
 * @param circuitsMax most circuits through this node
 * @param bytesPerSecond through each circuit, both directions together; 0 for no limit
 * @param carrierPort where it takes carriers, to be told to others; 0 for none
 */
public record RelayConfig(When relays, int placesMax, int circuitsMax, long bytesPerSecond, int carrierPort) {
    /** One that takes no carriers. */
    public RelayConfig(When relays, int placesMax, int circuitsMax, long bytesPerSecond) {
        this(relays, placesMax, circuitsMax, bytesPerSecond, 0);
    }

    /** When a node relays for others. */
    public enum When {
        /** Whenever it is known that every node reaches it. */
        AUTO,
        /** Always. */
        ALWAYS,
        /** Never. */
        NEVER
    }

    /** What nodes do unless they are told otherwise. */
    public static final RelayConfig DEFAULT = new RelayConfig(When.AUTO, 512, 1_024, 0);

    /** Refuses limits that allow nothing. */
    public RelayConfig {
        if (placesMax < 1 || circuitsMax < 1 || bytesPerSecond < 0)
            throw new IllegalArgumentException("no such limits");
    }
}
