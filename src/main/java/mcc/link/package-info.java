/**
 * One remote peer, end to end: its paths, its keys, its streams. The only place that builds and opens packets.
 *
 * <p>May use {@code session}, {@code stream}, {@code nat} and what they may use. Knows no sockets: it is
 * lent datagrams and lends them back through a {@link mcc.link.PacketSink}.
 *
 * <p>Read in this order: {@link mcc.link.Links} (all that others see), {@code Inbound} (from bytes to a peer: the tour of the
 * data path), {@code Outbound} (and back), {@code Requests} (calls and answers), {@code Timers} (who is due),
 * {@link mcc.link.Table} (all peers, and who gives way),
 * {@link mcc.link.Link} (one peer's state), {@link mcc.link.Path} and {@link mcc.link.Paths} (the ways to it),
 * {@link mcc.link.Access} (who may have one), {@link mcc.link.Initiator} (handshakes that this node begins),
 * {@link mcc.link.AddressBudget} (how many, to whom),
 * {@link mcc.link.Responder} (handshakes that others begin, under load too), {@link mcc.link.Dial} (a first contact whose
 * key is unknown), {@link mcc.link.LinkInput} and {@link mcc.link.LinkOutput} (what other rooms see of it).
 *
 * <p>Invariants: no byte of a user's goes to, and nothing is taken from, whom the policy does not admit; nothing but a packet
 * that proved authentic changes a link; no session replaces another before its first authentic transport packet; an address that
 * has not proved itself gets at most three times the bytes it sent; a peer that lost its state (another instance) loses its
 * streams, and only then.
 *
 * <p>Sources: RFC 9000 sections 8 and 9 (address validation, migration); WireGuard (NDSS 2017) section 6 for timers;
 * {@code docs/protocol.md} for every parameter.
 */
@NullMarked
package mcc.link;

import org.jspecify.annotations.NullMarked;
