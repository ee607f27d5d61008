package mcc.stream;

import mcc.wire.Frames;
import mcc.wire.FramesReader;

/** A first look at a received packet, which is read to its end before any of its frames is acted on. */
final class Whole {
    long number;
    /** Whether it asks for an acknowledgement. */
    boolean asks;
    /** Whether the acknowledgement should not wait: a stream ends in it. */
    boolean urgent;
    /** Whether there is no memory for something in it; then it counts as lost. */
    boolean crowded;

    /** Reads a packet; false when it is malformed. */
    boolean scan(FramesReader in, byte[] buf, int off, int len, Streams streams) {
        number = 0;
        asks = false;
        urgent = false;
        crowded = false;
        int acknowledgements = 0;
        in.begin(buf, off, len);
        while (in.next()) {
            int kind = in.kind();
            if (kind == Frames.PACKET_NUMBER) number = in.value();
            else if (kind == Frames.ACK) acknowledgements++;
            else if (kind != Frames.MESSAGE) asks = true;
            if (kind == Frames.STREAM) {
                urgent |= in.fin();
                crowded |= streams.lacksRoom(in);
            } else if (kind == Frames.RESET || kind == Frames.STOP || kind == Frames.MAX_STREAM_DATA) {
                crowded |= streams.lacksPlace(in.value());
            }
        }
        return !in.malformed() && number > 0 && acknowledgements <= 1;
    }
}
