package mcc.link;

import mcc.wire.Capabilities;
import mcc.wire.TransportParameters;
import mcc.wire.pb.InitiatorPayload;
import mcc.wire.pb.ResponderPayload;

/**
 * What a peer said about its end in a handshake. It is sealed and authentic, so nobody in between can force a lower version.
 *
 * @param instance names the peer's state of this link
 * @param version the highest version of the protocol that the peer speaks
 * @param limits what this end may use at first
 * @param capabilities what the peer does ({@link Capabilities})
 */
record Hello(long instance, int version, TransportParameters limits, long capabilities) {
    /** The highest version that this node speaks. */
    static final int VERSION = 2;

    static Hello of(InitiatorPayload p) {
        TransportParameters limits = TransportParameters.of(p.getVersion(), p.getLimits());
        return new Hello(p.getInstance(), p.getVersion(), limits, p.getCapabilities());
    }

    static Hello of(ResponderPayload p) {
        TransportParameters limits = TransportParameters.of(p.getVersion(), p.getLimits());
        return new Hello(p.getInstance(), p.getVersion(), limits, p.getCapabilities());
    }

    /** Whether both ends speak version 2. Versions are unsigned numbers; a peer of version 1 sends none. */
    boolean speaksTwo() {
        return Integer.compareUnsigned(version, 2) >= 0;
    }
}
