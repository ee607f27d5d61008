/**
 * One remote peer, end to end: its paths, its keys, its streams. The only place that builds and opens packets.
 *
 * <p>May use {@code session}, {@code stream}, {@code consortium} and what they may use. Knows no sockets: it is
 * lent datagrams and lends them back through a {@link mcc.link.PacketSink}.
 *
 * <p>Read in this order: {@link mcc.link.Links} (all that other rooms call), {@code Inbound} (from a datagram to a peer's
 * frames), {@code Slots} (what a receiver index stands for), {@code Outbound} and {@code Outbox} (what goes out),
 * {@code Requests} (calls and answers), {@code Timers} and {@code Deadlines} (which link is due, and what is done then),
 * {@link mcc.link.Table} (all links, and which one gives way), {@link mcc.link.Link} (one peer's state),
 * {@link mcc.link.Path}, {@link mcc.link.Paths} and {@code PathMtu} (the ways to it), {@code Liveness} (whether the one in use
 * carries), {@code Circuits} (ways through a relay) and {@code Forwards} (what this node relays for others), {@code PathLog}
 * (what became of the paths), {@code Ledger} (what the datagrams are for) and {@link mcc.link.UpkeepCost} (what that costs in a
 * month),
 * {@link mcc.link.Packets} and {@code Parts} (packets of the virtual interface),
 * {@link mcc.link.Access} (who may have a link),
 * {@link mcc.link.Initiator} and {@link mcc.link.AddressBudget} (handshakes that this node begins, and how many),
 * {@link mcc.link.Responder} (handshakes that others begin, under load too), {@code Hello} (what each end tells the other in
 * them), {@code Dialer} and {@link mcc.link.Dial} (first contact with an address whose key is unknown),
 * {@link mcc.link.LinkInput} and {@link mcc.link.LinkOutput} (what other cores see of it).
 *
 * <p>Invariants: no user's byte goes to a peer that the policy does not admit, and nothing is taken from one; only an
 * authentic packet changes a link; no session replaces another before its first authentic transport packet; an address that
 * has not been validated gets at most three times the bytes it sent; a peer loses its streams when it lost its state (it shows
 * another instance), and only then.
 *
 * <p>Sources: RFC 9000 sections 8 and 9 (address validation, migration); WireGuard (NDSS 2017) section 6 for timers;
 * {@code docs/protocol.md} for every parameter.
 */
@NullMarked
package mcc.link;

import org.jspecify.annotations.NullMarked;
