package mcc.carrier;

import java.util.List;
import mcc.core.Address;
import mcc.core.Id;
import org.jspecify.annotations.Nullable;

/**
 * What is known of carriers now.
 *
 * @param needed whether connections are wanted: nothing is heard by UDP, or the node is told to use nothing else
 * @param alone whether no peer is reached by UDP, not even a neighbour
 * @param gates where relays take connections, in the order in which they are tried
 */
public record CarrierReport(boolean needed, boolean alone, List<View> gates) {
    /** How far a connection is. */
    public enum State {
        /** None is wanted. */
        IDLE,
        /** It is being made. */
        OPENING,
        /** It stands; the relay has not answered yet. */
        OPEN,
        /** The relay has answered through it. */
        LINKED,
        /** An attempt failed; another one follows. */
        RESTING
    }

    /**
     * One of them.
     *
     * @param relay who answers there; null if that is not known
     * @param carrier what stands for it in paths; null without a connection
     * @param trouble what went wrong last; empty if nothing did since it last stood
     */
    public record View(
            String url,
            State state,
            @Nullable Id relay,
            @Nullable Address carrier,
            String trouble) {}

    /** Copies the list. */
    public CarrierReport {
        gates = List.copyOf(gates);
    }

    /** The connection by which a relay answers now; null without one. */
    public @Nullable View linked() {
        for (View each : gates) if (each.state() == State.LINKED) return each;
        return null;
    }

    /** What stands for a carrier, for people; null if it is none of these. */
    public @Nullable String url(Address carrier) {
        for (View each : gates) if (carrier.equals(each.carrier())) return each.url();
        return null;
    }
}
