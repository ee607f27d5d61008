package mcc.stream;

import mcc.core.Bytes;

/** What a connection tells its host. */
public sealed interface Event {
    /** The peer sent a message. */
    record Message(Bytes bytes) implements Event {}

    /** The peer sent a datagram of the flow that a stream opened. */
    record Datagram(Stream stream, Bytes data) implements Event {}

    /** The peer opened a stream. */
    record Opened(Stream stream) implements Event {}

    /** Bytes or the end of a stream arrived since the last such event of the stream was polled. */
    // Always written Event.Readable: no reader takes it for java.lang.Readable.
    @SuppressWarnings("AvoidCommonTypeNames")
    record Readable(Stream stream) implements Event {}

    /** A stream takes bytes again, after a write of which it did not take all. */
    record Writable(Stream stream) implements Event {}

    /** The peer abandoned a stream in both directions. */
    record Reset(Stream stream, int code) implements Event {}

    /** Both directions of a stream are done and acknowledged; its id is forgotten. */
    record Finished(Stream stream) implements Event {}

    /** The peer broke the protocol: the link is to be closed. Nothing more is sent or received. */
    record Broken(Reason reason) implements Event {}

    /** How a peer can break the protocol. */
    enum Reason {
        /** More bytes than the credit allows. */
        FLOW_CONTROL,
        /** Bytes beyond the end of a stream, or two ends. */
        FINAL_SIZE,
        /** More streams than the limit allows. */
        STREAM_LIMIT,
        /** A frame for a stream of this end that was never opened. */
        STREAM_STATE,
        /** An acknowledgement of a packet that was never sent. */
        ACK_UNSENT
    }
}
