/**
 * Who relays for whom: places that this node keeps for others, places that others keep for it, and the circuits between.
 *
 * <p>May use {@code core}, {@code wire}, {@code consortium} and the verdict of {@code nat}. The datagrams themselves go
 * through {@code link}, which is told by outputs which circuits there are.
 *
 * <p>Read in this order: {@link mcc.relay.Relay} (all that other rooms tell it and hear of it), {@code Places} (this node as a
 * relay), {@code Shelter} (this node behind a NAT: at which relays it keeps places), {@code Ways} (circuits to others),
 * {@link mcc.relay.RelayConfig} (the limits), {@link mcc.relay.RelayReport} (what an operator reads).
 *
 * <p>Invariants: a node relays only where the policy grants it, and only between two peers whose links have proved their
 * addresses; it never learns a key, nor what it carries; no way has more than three relays, none of them twice; what anybody may
 * hold of it is limited and counted; a place ends with its lease or with the link.
 *
 * <p>Sources: RFC 8656 (allocations, permissions and lifetimes of TURN) and libp2p's circuit relay 2 for places and limits;
 * {@code docs/protocol.md}, relays.
 */
@NullMarked
package mcc.relay;

import org.jspecify.annotations.NullMarked;
