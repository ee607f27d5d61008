package mcc.link;

import mcc.wire.TransportParameters;
import mcc.wire.pb.InitiatorPayload;
import mcc.wire.pb.ResponderPayload;

/**
 * What a peer told of its end in a handshake, sealed and authentic: nobody between the two can make it say less.
 *
 * @param instance names the peer's state of this link
 * @param version the highest version of the protocol that it speaks
 * @param limits what this end may use at first
 */
record Hello(long instance, int version, TransportParameters limits) {
    /** The highest version that this node speaks. */
    static final int VERSION = 2;

    static Hello of(InitiatorPayload p) {
        return new Hello(p.getInstance(), p.getVersion(), TransportParameters.of(p.getVersion(), p.getLimits()));
    }

    static Hello of(ResponderPayload p) {
        return new Hello(p.getInstance(), p.getVersion(), TransportParameters.of(p.getVersion(), p.getLimits()));
    }

    /** Whether both ends speak version 2: versions are numbers without a sign, and absent in the first. */
    boolean speaksTwo() {
        return Integer.compareUnsigned(version, 2) >= 0;
    }
}
