package mcc.node;

import java.util.List;
import mcc.core.Counters;
import mcc.overlay.Delivery;

/** Sends messages between cores over the bus: what {@link mcc.overlay.Wiring} routes, in a running node. */
final class Deliveries {
    private Deliveries() {}

    /** Sends every message to its core; those for the sender's own host are left to the caller. */
    static void post(Bus bus, List<Delivery> deliveries) {
        for (Delivery delivery : deliveries) {
            switch (delivery) {
                case Delivery.ToLinks to -> bus.send(Bus.LINKS, to.content());
                case Delivery.ToDht to -> bus.send(Bus.DHT_CORE, to.content());
                case Delivery.ToDhtHost to -> bus.send(Bus.DHT_HOST, to.content());
                case Delivery.ToRegistry to -> bus.send(Bus.REGISTRY_CORE, to.content());
                case Delivery.ToNat to -> bus.send(Bus.NAT_CORE, to.content());
                case Delivery.ToRelay to -> bus.send(Bus.RELAY_CORE, to.content());
                case Delivery.ToPunch to -> bus.send(Bus.PUNCH_CORE, to.content());
                case Delivery.ToPortMap to -> bus.send(Bus.PORTMAP_CORE, to.content());
                case Delivery.ToCarriers to -> bus.send(Bus.CARRIERS_CORE, to.content());
                case Delivery.ToAll to -> bus.publish(Bus.STARTED, to.content());
                case Delivery.ToHost _ -> {}
            }
        }
    }

    /** The same for messages caused by peers: those for a mailbox without credit are dropped and counted. */
    static void offer(Bus bus, List<Delivery> deliveries, Counters counters) {
        for (Delivery delivery : deliveries) {
            boolean taken = switch (delivery) {
                case Delivery.ToLinks to -> bus.offer(Bus.LINKS, to.content());
                case Delivery.ToDht to -> bus.offer(Bus.DHT_CORE, to.content());
                case Delivery.ToDhtHost to -> bus.offer(Bus.DHT_HOST, to.content());
                case Delivery.ToRegistry to -> bus.offer(Bus.REGISTRY_CORE, to.content());
                case Delivery.ToNat to -> bus.offer(Bus.NAT_CORE, to.content());
                case Delivery.ToRelay to -> bus.offer(Bus.RELAY_CORE, to.content());
                case Delivery.ToPunch to -> bus.offer(Bus.PUNCH_CORE, to.content());
                case Delivery.ToPortMap to -> bus.offer(Bus.PORTMAP_CORE, to.content());
                case Delivery.ToCarriers to -> bus.offer(Bus.CARRIERS_CORE, to.content());
                case Delivery.ToAll _, Delivery.ToHost _ -> true;
            };
            if (!taken) counters.add("bus.refused");
        }
    }

    /** Returns whether one of the messages is for the host. */
    static boolean hasHost(List<Delivery> deliveries) {
        for (Delivery delivery : deliveries) if (delivery instanceof Delivery.ToHost) return true;
        return false;
    }
}
