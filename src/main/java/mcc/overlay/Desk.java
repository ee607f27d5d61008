package mcc.overlay;

/** Where a letter goes: one per core, and the outside. */
public enum Desk {
    /** {@code link.Links}. */
    LINKS,
    /** {@code dht.Dht}. */
    DHT,
    /** The verticle that hosts {@code dht.Dht}, for what the core itself does not want to know: first contacts. */
    DHT_HOST,
    /** {@code registry.Registry}. */
    REGISTRY,
    /** {@code nat.Nat}. */
    NAT,
    /** Every verticle that wants to know: what was told to a core that begins anew is told again. */
    ALL,
    /** The verticle that hosts the sender: replies to tickets, things to persist, events. */
    HOST
}
