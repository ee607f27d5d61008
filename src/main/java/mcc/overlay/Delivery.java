package mcc.overlay;

import mcc.carrier.Carriers;
import mcc.dht.Dht;
import mcc.link.LinkInput;
import mcc.link.LinkOutput;
import mcc.nat.Nat;
import mcc.portmap.PortMap;
import mcc.punch.Punch;
import mcc.registry.Registry;
import mcc.relay.Relay;

/** One message from a core to a mailbox; its content has the type that this mailbox takes. */
public sealed interface Delivery {
    /** Where it goes. */
    default Mailbox to() {
        return switch (this) {
            case ToLinks _ -> Mailbox.LINKS;
            case ToDht _ -> Mailbox.DHT;
            case ToDhtHost _ -> Mailbox.DHT_HOST;
            case ToRegistry _ -> Mailbox.REGISTRY;
            case ToNat _ -> Mailbox.NAT;
            case ToRelay _ -> Mailbox.RELAY;
            case ToPunch _ -> Mailbox.PUNCH;
            case ToPortMap _ -> Mailbox.PORTMAP;
            case ToCarriers _ -> Mailbox.CARRIERS;
            case ToAll _ -> Mailbox.ALL;
            case ToHost _ -> Mailbox.HOST;
        };
    }

    /** The input for the core, or the output for the host. */
    Object content();

    /** To {@code link.Links}. */
    record ToLinks(LinkInput content) implements Delivery {}

    /** To {@code dht.Dht}. */
    record ToDht(Dht.Input content) implements Delivery {}

    /** To the host of {@code dht.Dht}: what became of a dial. */
    record ToDhtHost(LinkOutput content) implements Delivery {}

    /** To {@code registry.Registry}. */
    record ToRegistry(Registry.Input content) implements Delivery {}

    /** To {@code nat.Nat}. */
    record ToNat(Nat.Input content) implements Delivery {}

    /** To {@code relay.Relay}. */
    record ToRelay(Relay.Input content) implements Delivery {}

    /** To {@code punch.Punch}. */
    record ToPunch(Punch.Input content) implements Delivery {}

    /** To {@code portmap.PortMap}. */
    record ToPortMap(PortMap.Input content) implements Delivery {}

    /** To {@code carrier.Carriers}. */
    record ToCarriers(Carriers.Input content) implements Delivery {}

    /** To everybody. */
    record ToAll(Started content) implements Delivery {}

    /** To the host of the core that sends it. */
    record ToHost(Object content) implements Delivery {}
}
