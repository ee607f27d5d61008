package mcc.nat;

import java.util.List;
import mcc.core.Address;
import mcc.core.Id;
import org.jspecify.annotations.Nullable;

/**
 * What is known of the NAT in front of this node.
 *
 * @param udp whether UDP gets through at all
 * @param addresses those that are announced, best first
 * @param votes the last observation of each peer, oldest first
 */
public record NatReport(Udp udp, Side v4, Side v6, List<Address> addresses, List<Vote> votes) {
    /** Whether UDP gets through. */
    public enum Udp {
        /** Nobody was called yet, or not for long enough. */
        UNKNOWN,
        /** A peer answers. */
        OK,
        /** For half a minute nobody answered, though this node called. */
        BLOCKED
    }

    /** The mapping behaviour of RFC 4787 section 4.1, as far as it is known. */
    public enum Mapping {
        /** Too few peers have reported anything, or they contradict each other. */
        UNKNOWN,
        /** Peers see an address of this host itself. */
        NONE,
        /** Peers in different networks see the same address. */
        ENDPOINT_INDEPENDENT,
        /** Peers see different addresses; of what part of theirs that depends is not known. */
        ENDPOINT_DEPENDENT,
        /** Peers at different IP addresses see different addresses, those at one IP address the same. */
        ADDRESS_DEPENDENT,
        /** Peers at different ports of one IP address see different addresses too. */
        ADDRESS_AND_PORT_DEPENDENT
    }

    /** The filtering behaviour of RFC 4787 section 5, as far as it is known. */
    public enum Filtering {
        /** Not measured: too few peers at different IP addresses, or they did not help. */
        UNKNOWN,
        /** What comes from an IP address that the socket never sent to gets in. */
        ENDPOINT_INDEPENDENT,
        /** What comes from another port of an IP address that the socket sent to gets in, nothing else. */
        ADDRESS_DEPENDENT,
        /** Neither gets in. */
        ADDRESS_AND_PORT_DEPENDENT
    }

    /**
     * How the NAT chooses the ports of new mappings, where these depend on the destination.
     *
     * @param delta the commonest step, for {@link Kind#SEQUENTIAL}
     * @param min the lowest port seen, for {@link Kind#PORT_BLOCK}
     * @param max the highest
     */
    public record Ports(Kind kind, int delta, int min, int max) {
        static final Ports UNKNOWN = of(Kind.UNKNOWN);

        /** The manner. */
        public enum Kind {
            /** Too few samples. */
            UNKNOWN,
            /** One after the other. */
            SEQUENTIAL,
            /** Anywhere within a block. */
            PORT_BLOCK,
            /** The port of the host's socket, where it is free. */
            PRESERVING,
            /** Anywhere. */
            RANDOM
        }

        static Ports of(Kind kind) {
            return new Ports(kind, 0, 0, 0);
        }
    }

    /**
     * What is known for one family of addresses.
     *
     * @param address the one that most networks see; null if none does
     * @param voices how many networks say what they see
     * @param pool the IP addresses that several networks see: more than one where a carrier's NAT has several
     * @param checkedAgoMs how long ago {@code filtering} was measured; −1 for never
     * @param checking whether it is being measured now
     * @param helpers how many peers may help with that; two are needed
     */
    public record Side(
            Mapping mapping,
            Ports ports,
            @Nullable Address address,
            int voices,
            List<Address> pool,
            Filtering filtering,
            Reachability reachable,
            long checkedAgoMs,
            boolean checking,
            int helpers) {}

    /** Whether a check is under way. */
    public boolean checking() {
        return v4.checking || v6.checking;
    }

    /** The side that more is known of: IPv4, unless only IPv6 has a mapping. */
    public Side main() {
        return v4.mapping == Mapping.UNKNOWN && v6.mapping != Mapping.UNKNOWN ? v6 : v4;
    }

    /** The observation of one peer. */
    public record Vote(Id by, Address sees, long ageMs) {}
}
