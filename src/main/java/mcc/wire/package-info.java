/**
 * Every byte that crosses the network, and its limits.
 *
 * <p>May use core and the classes generated from {@code src/main/protobuf} (package {@code mcc.wire.pb}), which nothing
 * outside this package touches for RPCs and records: others see only the immutable values here.
 *
 * <p>Read in this order: {@link mcc.wire.Limits} (all sizes), {@link mcc.wire.Contact} (a node and its addresses),
 * {@link mcc.wire.Record} (the signed envelope of stored things), {@link mcc.wire.Message} (what nodes ask and answer),
 * {@link mcc.wire.Rpc} (how it travels).
 *
 * <p>Invariants: a value of these types is well-formed, so nothing is validated twice; decoding never throws, it returns
 * null and counts; every encoded Rpc fits {@link mcc.wire.Limits#RPC_BYTES}, hence one datagram of 1,200 bytes with its
 * seal; a record's signature is made and checked over the bytes that travelled, never over a re-encoding.
 *
 * <p>Sources: Protocol Buffers, language guide proto3 and encoding; the four requests of Kademlia (Maymounkov and
 * Mazières 2002); one-datagram values as in BEP 44.
 */
@NullMarked
package mcc.wire;

import org.jspecify.annotations.NullMarked;
