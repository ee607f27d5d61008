/**
 * Which addresses reach this node, as its peers see it.
 *
 * <p>May use {@code core} and {@code wire}. Opens no sockets and reads no interfaces: it gets their addresses as inputs.
 *
 * <p>Read in this order: {@link mcc.nat.Nat} (votes in, verdict and addresses out), {@link mcc.nat.NatReport} (what an
 * operator reads).
 *
 * <p>Invariants: no single peer decides anything: an address that only one peer claims to see is never announced, and a
 * mapping is {@code unknown} below two peers; a vote counts for seventy minutes; one observer has one vote, and the observers
 * in one network have one voice; at most two observed addresses are announced, and the host's own keep their places.
 *
 * <p>Sources: RFC 4787 sections 4 and 5 for the words; RFC 5780 section 4 for the method, with peers in the servers' place;
 * {@code docs/protocol.md}, network address translation.
 */
@NullMarked
package mcc.nat;

import org.jspecify.annotations.NullMarked;
