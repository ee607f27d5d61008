package mcc.nat;

import java.util.List;
import mcc.core.Address;
import mcc.core.Id;

/**
 * What is known of the NAT in front of this node.
 *
 * @param mapping how different peers see this node's address
 * @param addresses those that are announced, best first
 * @param votes the last observation of each peer, oldest first
 */
public record NatReport(Mapping mapping, List<Address> addresses, List<Vote> votes) {
    /** The mapping behaviour of RFC 4787 section 4.1, as far as it is known. */
    public enum Mapping {
        /** Fewer than two peers have reported anything. */
        UNKNOWN,
        /** All peers see addresses of this host itself. */
        NONE,
        /** All other peers see the same address. */
        ENDPOINT_INDEPENDENT,
        /** Different peers see different addresses that are not this host's own. */
        ENDPOINT_DEPENDENT
    }

    /** The observation of one peer. */
    public record Vote(Id by, Address sees, long ageMs) {}
}
