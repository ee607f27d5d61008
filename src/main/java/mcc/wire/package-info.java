/**
 * Every byte that crosses the network, and its limits.
 *
 * <p>May use {@code core} and protobuf; {@code mcc.wire.pb} is generated from {@code src/main/protobuf}. Turns bytes into
 * values that are valid by construction and back; what cannot be parsed is null and counted, never an exception.
 *
 * <p>Read in this order: {@link mcc.wire.Transport} (the header of sealed datagrams, by hand because it is hot),
 * {@link mcc.wire.Handshakes} (every other datagram), {@link mcc.wire.Limits} (sizes of what is inside),
 * {@link mcc.wire.Contact} (a node and its addresses), {@link mcc.wire.Record} (the signed envelope of stored things),
 * {@link mcc.wire.Message} (what nodes ask and answer), {@link mcc.wire.Rpc} (how that travels).
 *
 * <p>Invariants: what is written parses to an equal value, and the hand-written codecs agree with the generated ones byte
 * for byte where they overlap; every repeated or sized field has a limit, checked before anything is allocated for it;
 * every encoded Rpc fits {@link mcc.wire.Limits#RPC_BYTES}; a record's signature is made and checked over the bytes that
 * travelled, never over a re-encoding.
 *
 * <p>Sources: Protocol Buffers encoding; the schema's comments are the specification, {@code docs/protocol.md} the text
 * around it. The requests are Kademlia's (Maymounkov and Mazières 2002); one-datagram values as in BEP 44.
 */
@NullMarked
package mcc.wire;

import org.jspecify.annotations.NullMarked;
