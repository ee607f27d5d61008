package mcc.wire;

/**
 * What each end of a link allows the other from the start: part of the handshake since version 2, fixed before (RFC 9000
 * section 7.4).
 *
 * @param streams that the other end may open, 1 to {@link #STREAMS_MAX}
 * @param streamWindowBytes credit for each new stream
 * @param windowBytes credit for all streams together
 */
public record TransportParameters(int streams, long streamWindowBytes, long windowBytes) {
    public static final int STREAMS_MAX = 65_536;
    private static final long WINDOW_MAX = 1L << 40;

    /** What nodes of version 1 assume. */
    public static final TransportParameters V1 = new TransportParameters(10_000, 262_144, 1_048_576);

    /** Limits the values to a valid range, so that nothing a peer says here can break a link. */
    public TransportParameters {
        streams = Math.clamp(streams, 1, STREAMS_MAX);
        streamWindowBytes = Math.clamp(streamWindowBytes, 0, WINDOW_MAX);
        windowBytes = Math.clamp(windowBytes, 0, WINDOW_MAX);
    }

    /** Reads a payload; {@link #V1} if the peer has version 1. */
    public static TransportParameters of(int version, mcc.wire.pb.TransportParameters told) {
        if (version == 0 || version == 1) return V1;
        return new TransportParameters(
                (int) Math.min(Integer.toUnsignedLong(told.getStreams()), STREAMS_MAX),
                told.getStreamWindowBytes() < 0 ? WINDOW_MAX : told.getStreamWindowBytes(),
                told.getWindowBytes() < 0 ? WINDOW_MAX : told.getWindowBytes());
    }

    /** Writes a payload. */
    public mcc.wire.pb.TransportParameters payload() {
        return mcc.wire.pb.TransportParameters.newBuilder()
                .setStreams(streams)
                .setStreamWindowBytes(streamWindowBytes)
                .setWindowBytes(windowBytes)
                .build();
    }
}
