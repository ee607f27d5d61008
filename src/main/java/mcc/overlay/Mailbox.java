package mcc.overlay;

/** The mailboxes to which messages go: one for each core, and one for its host. */
public enum Mailbox {
    /** {@code link.Links}. */
    LINKS,
    /** {@code dht.Dht}. */
    DHT,
    /** The verticle that hosts {@code dht.Dht}, for what is not meant for the core: what became of first contacts. */
    DHT_HOST,
    /** {@code registry.Registry}. */
    REGISTRY,
    /** {@code nat.Nat}. */
    NAT,
    /** {@code relay.Relay}. */
    RELAY,
    /** {@code punch.Punch}. */
    PUNCH,
    /** {@code portmap.PortMap}. */
    PORTMAP,
    /** {@code carrier.Carriers}. */
    CARRIERS,
    /** Every verticle that told something to a core, which tells it again when that core was started again. */
    ALL,
    /** The verticle that hosts the sender: replies to tickets, things to persist, events. */
    HOST
}
