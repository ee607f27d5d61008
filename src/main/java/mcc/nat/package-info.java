/**
 * Which addresses reach this node, as its peers see it, and what NAT or firewall is before it.
 *
 * <p>May use {@code core} and {@code wire}. Opens no sockets and reads no interfaces: it gets their addresses as inputs, and asks
 * its host for ephemeral ends.
 *
 * <p>Read in this order: {@link mcc.nat.Nat} (what it is told and tells), {@code Votes} (what peers say they see),
 * {@code Mappings} (what follows for the mapping), {@code Filter} (what is let in, found out by dial-backs), {@code Dialler}
 * (dial-backs for others), {@code PortCheck} (whether a port that the router mapped leads here), {@link mcc.nat.NatReport} (what
 * an operator reads), {@link mcc.nat.Reachability} (the verdict).
 *
 * <p>Invariants: no single peer decides anything: an address that only one peer claims to see is never announced, and a
 * mapping is {@code unknown} below two networks; a vote counts for seventy minutes; one observer has one vote, and the observers
 * in one network have one voice; at most two observed addresses are announced, and the host's own keep their places; a node is
 * open only after a datagram arrived from an IP address to which the socket never sent; nothing is sent for an asker but one
 * small datagram to its own address.
 *
 * <p>Sources: RFC 4787 sections 4 and 5 for the words; RFC 5780 section 4 for the method, with peers in the servers' place;
 * the libp2p AutoNAT v2 specification for dial-back; {@code docs/protocol.md}, own addresses and network address translation.
 */
@NullMarked
package mcc.nat;

import org.jspecify.annotations.NullMarked;
