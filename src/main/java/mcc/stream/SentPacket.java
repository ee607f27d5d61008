package mcc.stream;

import java.util.Arrays;
import mcc.congestion.SendState;
import org.jspecify.annotations.Nullable;

/** A packet that asks for an acknowledgement, kept until it is acknowledged, or lost for so long that it will not be. */
final class SentPacket {
    private static final int STRIDE = 4;

    final SendState state = new SendState();
    long number;
    /** Its place among the packets of its path. */
    long ordinal;
    /** The largest packet number of the acknowledgement in it; 0 without one. */
    long ackLargest;
    /** The episode of loss in which it was declared lost. */
    int episode;

    @Nullable
    SentPacket previous;

    @Nullable
    SentPacket next;

    /** Kind, stream, offset or limit, and length times two plus FIN, of each frame in turn. */
    private long[] frames = new long[2 * STRIDE];

    private int count;

    void begin() {
        count = 0;
        ackLargest = 0;
    }

    int frames() {
        return count;
    }

    void add(int kind, long stream, long offset, int length, boolean fin) {
        int at = count * STRIDE;
        if (at == frames.length) frames = Arrays.copyOf(frames, 2 * at);
        frames[at] = kind;
        frames[at + 1] = stream;
        frames[at + 2] = offset;
        frames[at + 3] = 2L * length + (fin ? 1 : 0);
        count++;
    }

    int kind(int i) {
        return (int) frames[i * STRIDE];
    }

    long stream(int i) {
        return frames[i * STRIDE + 1];
    }

    long offset(int i) {
        return frames[i * STRIDE + 2];
    }

    int length(int i) {
        return (int) (frames[i * STRIDE + 3] >>> 1);
    }

    boolean fin(int i) {
        return (frames[i * STRIDE + 3] & 1) != 0;
    }
}
