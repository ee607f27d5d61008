package mcc.node;

import java.util.List;
import mcc.core.Counters;
import mcc.overlay.Desk;
import mcc.overlay.Letter;
import mcc.overlay.Started;

/** Delivers letters between cores over the bus: the production side of {@link mcc.overlay.Wiring}. */
final class Desks {
    private Desks() {}

    /** Sends every letter to its core; those for the host are the caller's and returned to no one here. */
    static void post(Bus bus, List<Letter> letters) {
        for (Letter letter : letters) {
            switch (letter.to()) {
                case LINKS -> bus.send(Bus.LINKS, letter.content());
                case DHT, DHT_HOST -> bus.send(Bus.DHT_CORE, letter.content());
                case REGISTRY -> bus.send(Bus.REGISTRY_CORE, letter.content());
                case NAT -> bus.send(Bus.NAT_CORE, letter.content());
                case ALL -> bus.publish(Bus.STARTED, (Started) letter.content());
                case HOST -> {}
            }
        }
    }

    /** The same for what peers caused: a desk with no credit left gets no more, which is counted. */
    static void offer(Bus bus, List<Letter> letters, Counters counters) {
        for (Letter letter : letters) {
            boolean taken = switch (letter.to()) {
                case LINKS -> bus.offer(Bus.LINKS, letter.content());
                case DHT, DHT_HOST -> bus.offer(Bus.DHT_CORE, letter.content());
                case REGISTRY -> bus.offer(Bus.REGISTRY_CORE, letter.content());
                case NAT -> bus.offer(Bus.NAT_CORE, letter.content());
                case ALL, HOST -> true;
            };
            if (!taken) counters.add("bus.refused");
        }
    }

    /** Returns whether one of the letters is for the host. */
    static boolean hasHost(List<Letter> letters) {
        for (Letter letter : letters) if (letter.to() == Desk.HOST) return true;
        return false;
    }
}
