/**
 * Every byte that crosses the network, and its limits.
 *
 * <p>May use {@code core} and protobuf; {@code mcc.wire.pb} is generated from {@code src/main/protobuf} and serves the
 * messages that are rare. What is written or read once per packet has a hand-written codec without allocation. Bytes become
 * values that are valid by construction; what cannot be parsed is null and counted, never an exception.
 *
 * <p>Read in this order: {@link mcc.wire.Transport} (the header of sealed datagrams), {@link mcc.wire.Handshakes} (every
 * other datagram), {@link mcc.wire.Frames}, {@link mcc.wire.FramesWriter} and {@link mcc.wire.FramesReader} (what is inside
 * a sealed datagram), {@link mcc.wire.Rpc} and {@link mcc.wire.Message} (what nodes ask each other),
 * {@link mcc.wire.Record} (what they keep for each other), {@link mcc.wire.Provider} and {@link mcc.wire.Ports} (what a node
 * offers, and at which ports), {@link mcc.wire.Contact}, {@link mcc.wire.TransportParameters} and {@link mcc.wire.Limits}.
 *
 * <p>Invariants: what is written parses to an equal value, and hand-written codecs agree with the generated ones; a reader
 * never looks outside the range it was given, a writer never writes beyond its room; every repeated or sized field has a
 * limit, checked before anything is allocated for it.
 *
 * <p>Sources: protobuf.dev/programming-guides/encoding; the frames follow RFC 9000 section 19; the schema's comments are
 * the specification, {@code docs/protocol.md} the text around it.
 */
@NullMarked
package mcc.wire;

import org.jspecify.annotations.NullMarked;
