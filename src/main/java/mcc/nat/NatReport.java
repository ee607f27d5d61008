package mcc.nat;

import java.util.List;
import mcc.core.Address;
import mcc.core.Id;

/**
 * What this node knows of the NAT it is behind.
 *
 * @param mapping how its address looks to several peers
 * @param addresses those told to others, best first
 * @param votes what each peer said last, oldest first
 */
public record NatReport(Mapping mapping, List<Address> addresses, List<Vote> votes) {
    /** The mapping behaviour of RFC 4787 section 4.1, as far as it is known. */
    public enum Mapping {
        /** Fewer than two peers have said anything. */
        UNKNOWN,
        /** All peers see addresses that this host has itself. */
        NONE,
        /** All others see one address. */
        ENDPOINT_INDEPENDENT,
        /** Different peers see different addresses, beside the host's own. */
        ENDPOINT_DEPENDENT
    }

    /** One peer's word. */
    public record Vote(Id by, Address sees, long ageMs) {}
}
