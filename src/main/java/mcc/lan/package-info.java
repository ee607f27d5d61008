/**
 * Nodes of one network that are on one link find each other, though none is told of another.
 *
 * <p>May use {@code core} and {@code crypto}. Opens no sockets and reads no interfaces or clocks: its host does.
 *
 * <p>Read in this order: {@link mcc.lan.Lan} (when something is said, and whom it makes this node dial), {@code Hello} (what is
 * said, and who can tell which network it is about).
 *
 * <p>Invariants: what is said has neither a node's ID nor a network's name in clear; nothing is ever said to one host, so
 * nobody can be made to answer; only addresses in the networks of this host's own interfaces are dialled, five a second at most;
 * a full table refuses newcomers and forgets nobody for their sake; no input throws.
 *
 * <p>Sources: RFC 2365 section 6.1 (the multicast group), RFC 2104 (HMAC); {@code docs/protocol.md}, discovery on the local
 * link.
 */
@NullMarked
package mcc.lan;

import org.jspecify.annotations.NullMarked;
