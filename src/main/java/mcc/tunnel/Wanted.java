package mcc.tunnel;

import java.util.List;
import mcc.node.Problem;
import mcc.registry.Offer;
import mcc.wire.Ports;

/**
 * The port of a service that a user wants.
 *
 * @param number 0 for the first of the protocol
 * @param orFirst whether the first is taken instead if a provider does not have the port
 */
record Wanted(int number, boolean orFirst) {
    /** The first of the protocol. */
    static final Wanted FIRST = new Wanted(0, true);

    /** This one alone; 0 for the first of the protocol. */
    static Wanted exactly(int number) {
        return new Wanted(number, false);
    }

    /** Whether a provider has the port, as far as is known. */
    boolean isAt(Offer offer, boolean udp) {
        return offer.provider().has(udp, of(offer, udp));
    }

    /** The port that a provider is asked for; 0 for its first. */
    int of(Offer offer, boolean udp) {
        return of(offer.provider().ports(), udp);
    }

    /** The port that a registration of this node is asked for. */
    int of(Ports ports, boolean udp) {
        return orFirst && !ports.has(udp, number) ? 0 : number;
    }

    /** Whether UDP is the default for this provider: the protocol of its first such port. */
    boolean isUdp(Offer offer) {
        Ports ports = offer.provider().ports();
        if (number == 0 || !ports.isKnown()) return offer.isUdp();
        for (Ports.Range range : ports.ranges()) {
            if (range.first() <= number && number <= range.last()) return range.isUdp();
        }
        return offer.isUdp();
    }

    /** The problem when there are providers and none has the port. */
    Problem notAt(Target.Service target, boolean udp, List<Offer> offers) {
        String protocol = udp ? "UDP" : "TCP";
        String ports = offers.getFirst().provider().ports().toString();
        return new Problem(
                Opening.REFUSED,
                target + " has no port " + (number == 0 ? "of " + protocol : number + " of " + protocol)
                        + (ports.isEmpty() ? "" : "; it has " + ports),
                "see its ports: mcc discover " + target.name());
    }
}
