package mcc.stream;

import java.util.function.Function;
import mcc.congestion.Bbr;
import mcc.congestion.CongestionControl;
import mcc.core.Rng;
import mcc.wire.TransportParameters;

/**
 * The limits of a connection. Each end tells the other its number of streams and its first windows in the handshake.
 *
 * @param congestion makes the congestion control of a path
 * @param streams streams that the peer may have open at first, at least 1
 * @param maxStreams how many that may become for a peer that uses them, and how many this end may open
 * @param streamWindowBytes credit of a new stream
 * @param maxStreamWindowBytes how large that may grow for a fast reader
 * @param windowBytes credit of a new connection, for all streams together
 * @param maxWindowBytes how large that may grow
 * @param sendBufferBytes unacknowledged bytes that a stream takes from its writer
 * @param maxSendBufferBytes how many that may become on a fast path
 * @param maxBufferedBytes unacknowledged bytes of all streams; beyond it each stream takes 16 KiB, or less if there are many
 */
public record StreamConfig(
        Function<Rng, CongestionControl> congestion,
        int streams,
        int maxStreams,
        long streamWindowBytes,
        long maxStreamWindowBytes,
        long windowBytes,
        long maxWindowBytes,
        long sendBufferBytes,
        long maxSendBufferBytes,
        long maxBufferedBytes) {
    /** What all connections of a node share, in bytes: a quarter of a node's heap. */
    public static final long BUDGET_BYTES = 64L << 20;

    private static final long KIB = 1_024;

    /** Refuses sizes that cannot work. */
    public StreamConfig {
        if (streams < 1
                || maxStreams < streams
                || streamWindowBytes < 1
                || maxStreamWindowBytes < streamWindowBytes
                || windowBytes < 1
                || maxWindowBytes < windowBytes
                || sendBufferBytes < 1
                || maxSendBufferBytes < sendBufferBytes
                || maxBufferedBytes < 0) {
            throw new IllegalArgumentException("a maximum below its start, or a size below 1");
        }
    }

    /** What the peer is told in the handshake. */
    public TransportParameters limits() {
        return new TransportParameters(streams, streamWindowBytes, windowBytes);
    }

    /** Returns the sizes that ship, with BBR. */
    public static StreamConfig defaults() {
        return new StreamConfig(
                Bbr::new,
                100,
                10_000,
                256 * KIB,
                16_384 * KIB,
                1_024 * KIB,
                24_576 * KIB,
                256 * KIB,
                16_384 * KIB,
                32_768 * KIB);
    }
}
