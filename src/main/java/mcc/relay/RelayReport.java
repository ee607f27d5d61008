package mcc.relay;

import java.util.List;
import mcc.core.Id;

/**
 * What is known of relays now.
 *
 * @param relaying whether this node relays for others
 * @param places who keeps a place here
 * @param circuits how many circuits go through this node
 * @param kept where this node keeps places, best first
 */
public record RelayReport(boolean relaying, List<Id> places, int circuits, List<Kept> kept) {
    /**
     * A place at a relay.
     *
     * @param rttNs of the last request to it
     * @param load how much of what it can carry was taken then, in thousandths
     * @param leaseMs how long the place is kept from now on, unless it is renewed
     */
    public record Kept(Id relay, long rttNs, int load, long leaseMs) {}
}
