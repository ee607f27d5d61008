/**
 * Carriers for hosts that can send no UDP: when a node opens a connection of TCP to a relay, and when it closes it again.
 *
 * <p>May use {@code core} and {@code wire}. What goes through a carrier is a matter of {@code link}, where a carrier stands in
 * the place of an address; the connections themselves are the host's.
 *
 * <p>Read in this order: {@link mcc.carrier.Gate} (where a relay takes connections, as operators write it),
 * {@link mcc.carrier.Carriers} (the core), {@link mcc.carrier.CarrierReport} (what an operator reads).
 *
 * <p>Invariants: while UDP works, no connection is kept, unless the node is told to use nothing else; what a gate is says
 * nothing of who is behind it, which the handshake inside proves; attempts are made less and less often, and at no two nodes at
 * the same time for long.
 *
 * <p>Sources: RFC 6455 (WebSocket); RFC 8305 (racing connections); {@code docs/protocol.md}, carriers.
 */
@NullMarked
package mcc.carrier;

import org.jspecify.annotations.NullMarked;
