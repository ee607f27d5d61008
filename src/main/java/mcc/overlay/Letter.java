package mcc.overlay;

import mcc.dht.Dht;
import mcc.link.LinkInput;
import mcc.link.LinkOutput;
import mcc.nat.Nat;
import mcc.registry.Registry;

/** One message from a core to a desk; its content has the type that this desk takes. */
public sealed interface Letter {
    /** Where it goes. */
    default Desk to() {
        return switch (this) {
            case ToLinks _ -> Desk.LINKS;
            case ToDht _ -> Desk.DHT;
            case ToDhtHost _ -> Desk.DHT_HOST;
            case ToRegistry _ -> Desk.REGISTRY;
            case ToNat _ -> Desk.NAT;
            case ToAll _ -> Desk.ALL;
            case ToHost _ -> Desk.HOST;
        };
    }

    /** The input for the core, or the output for the host. */
    Object content();

    /** To {@code link.Links}. */
    record ToLinks(LinkInput content) implements Letter {}

    /** To {@code dht.Dht}. */
    record ToDht(Dht.Input content) implements Letter {}

    /** To the host of {@code dht.Dht}: what became of a dial. */
    record ToDhtHost(LinkOutput content) implements Letter {}

    /** To {@code registry.Registry}. */
    record ToRegistry(Registry.Input content) implements Letter {}

    /** To {@code nat.Nat}. */
    record ToNat(Nat.Input content) implements Letter {}

    /** To everybody. */
    record ToAll(Started content) implements Letter {}

    /** To the host of the core that sends it. */
    record ToHost(Object content) implements Letter {}
}
