package mcc.wire;

/**
 * What one end of a link lets the other use before anything is raised: told in the handshake since version 2, fixed before it
 * (RFC 9000 section 7.4).
 *
 * @param streams that the other may open, 1 to {@link #STREAMS_MAX}
 * @param streamWindowBytes of credit for each new stream
 * @param windowBytes of credit for all streams together
 */
public record TransportParameters(int streams, long streamWindowBytes, long windowBytes) {
    public static final int STREAMS_MAX = 65_536;
    private static final long WINDOW_MAX = 1L << 40;

    /** What every node of version 1 assumes. */
    public static final TransportParameters V1 = new TransportParameters(10_000, 262_144, 1_048_576);

    /** Holds what was told within what makes sense: nothing a peer says here can break a link. */
    public TransportParameters {
        streams = Math.clamp(streams, 1, STREAMS_MAX);
        streamWindowBytes = Math.clamp(streamWindowBytes, 0, WINDOW_MAX);
        windowBytes = Math.clamp(windowBytes, 0, WINDOW_MAX);
    }

    /** What a payload tells; {@link #V1} where it tells nothing. */
    public static TransportParameters of(int version, mcc.wire.pb.TransportParameters told) {
        if (version == 0 || version == 1) return V1;
        return new TransportParameters(
                (int) Math.min(Integer.toUnsignedLong(told.getStreams()), STREAMS_MAX),
                told.getStreamWindowBytes() < 0 ? WINDOW_MAX : told.getStreamWindowBytes(),
                told.getWindowBytes() < 0 ? WINDOW_MAX : told.getWindowBytes());
    }

    /** The same, as a payload tells it. */
    public mcc.wire.pb.TransportParameters payload() {
        return mcc.wire.pb.TransportParameters.newBuilder()
                .setStreams(streams)
                .setStreamWindowBytes(streamWindowBytes)
                .setWindowBytes(windowBytes)
                .build();
    }
}
