/**
 * Every byte that crosses the network, and its limits.
 *
 * <p>The schema is in {@code src/main/protobuf}; {@code mcc.wire.pb} is generated from it and serves the messages that are
 * rare. What is written or read once per packet has a codec by hand, without allocation; a test proves for each of them
 * that the generated code parses what it writes, and that it parses what the generated code writes, to equal values.
 *
 * <p>May use {@code mcc.core} only.
 *
 * <p>Read {@link mcc.wire.Frames} (the field numbers), {@link mcc.wire.FramesWriter} and {@link mcc.wire.FramesReader}.
 *
 * <p>Invariants: a reader never throws, whatever the bytes, and never looks outside the range it was given; a writer never
 * writes beyond the room it was given.
 *
 * <p>Sources: protobuf.dev/programming-guides/encoding; the frames follow RFC 9000 section 19.
 */
@NullMarked
package mcc.wire;

import org.jspecify.annotations.NullMarked;
