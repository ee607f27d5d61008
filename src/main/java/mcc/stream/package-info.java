/**
 * Reliable ordered bytes over lossy packets, and datagrams and small messages that may be lost: one peer's transport.
 *
 * <p>May use {@code mcc.core}, {@code mcc.wire} and {@code mcc.congestion}. Knows no addresses, keys or sockets:
 * {@code mcc.link} seals the packets and hands in the opened ones.
 *
 * <p>Read in this order: {@link mcc.stream.Connection} (all that others see, with {@link StreamConfig} and
 * {@link mcc.stream.Event}), {@link mcc.stream.Recovery} (sent packets: acknowledged, lost, probed),
 * {@link mcc.stream.Whole} and {@link mcc.stream.Acks} (received packets), {@link mcc.stream.Streams} (all streams), with
 * {@link mcc.stream.Places} (how many each end may open), {@link mcc.stream.Turns} (which one sends next) and
 * {@link mcc.stream.ReceiveCredit} (how much the peer may send), {@link mcc.stream.Budget} (the memory that all connections
 * of a node share), {@link mcc.stream.SendHalf} and {@link mcc.stream.ReceiveHalf} (the two directions of one stream),
 * {@link mcc.stream.WindowTuner} (how large a window), {@link mcc.stream.ByteWindow} and {@link mcc.stream.Ranges} (their
 * storage), {@link mcc.stream.Messages} and {@link mcc.stream.Datagrams} (what is never sent again).
 *
 * <p>Invariants: what a reader gets is a prefix of what the writer wrote; the peer never sends beyond the credit it was
 * given; what a node holds for its peers is bounded by the first window of each, the budget, and a chunk or two of each
 * stream; bytes in flight stay within the congestion window, except for probes; a packet number is used once; an idle
 * connection has no timer, and one whose readers stopped while the budget is spent has one of a second.
 *
 * <p>Limits: streams that the peer opened, bytes of a stream and of all streams in each direction ({@code StreamConfig}); runs
 * behind gaps 8,192 a stream; bytes and ranges behind gaps 48 MiB a connection; remembered gaps between packets 1,024;
 * messages waiting 256 out and 1,024 in; datagrams waiting 256 KiB a flow and 100 ms in addition to a round trip, 4 MiB a
 * connection out and 1,024 in.
 *
 * <p>Sources: RFC 9000 (streams, credit, acknowledgements), RFC 9002 (loss recovery), RFC 8985 (adaptive reordering, tail
 * probes), RFC 9221 (datagrams).
 */
@NullMarked
package mcc.stream;

import org.jspecify.annotations.NullMarked;
