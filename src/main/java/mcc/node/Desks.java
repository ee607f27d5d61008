package mcc.node;

import java.util.List;
import mcc.core.Counters;
import mcc.overlay.Letter;

/** Delivers letters between cores over the bus: the production side of {@link mcc.overlay.Wiring}. */
final class Desks {
    private Desks() {}

    /** Sends every letter to its core; those for the host are the caller's and returned to no one here. */
    static void post(Bus bus, List<Letter> letters) {
        for (Letter letter : letters) {
            switch (letter) {
                case Letter.ToLinks to -> bus.send(Bus.LINKS, to.content());
                case Letter.ToDht to -> bus.send(Bus.DHT_CORE, to.content());
                case Letter.ToDhtHost to -> bus.send(Bus.DHT_HOST, to.content());
                case Letter.ToRegistry to -> bus.send(Bus.REGISTRY_CORE, to.content());
                case Letter.ToNat to -> bus.send(Bus.NAT_CORE, to.content());
                case Letter.ToAll to -> bus.publish(Bus.STARTED, to.content());
                case Letter.ToHost _ -> {}
            }
        }
    }

    /** The same for what peers caused: a desk with no credit left gets no more, which is counted. */
    static void offer(Bus bus, List<Letter> letters, Counters counters) {
        for (Letter letter : letters) {
            boolean taken = switch (letter) {
                case Letter.ToLinks to -> bus.offer(Bus.LINKS, to.content());
                case Letter.ToDht to -> bus.offer(Bus.DHT_CORE, to.content());
                case Letter.ToDhtHost to -> bus.offer(Bus.DHT_HOST, to.content());
                case Letter.ToRegistry to -> bus.offer(Bus.REGISTRY_CORE, to.content());
                case Letter.ToNat to -> bus.offer(Bus.NAT_CORE, to.content());
                case Letter.ToAll _, Letter.ToHost _ -> true;
            };
            if (!taken) counters.add("bus.refused");
        }
    }

    /** Returns whether one of the letters is for the host. */
    static boolean hasHost(List<Letter> letters) {
        for (Letter letter : letters) if (letter instanceof Letter.ToHost) return true;
        return false;
    }
}
