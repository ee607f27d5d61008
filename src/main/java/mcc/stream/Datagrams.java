package mcc.stream;

import java.util.ArrayDeque;
import java.util.function.LongSupplier;
import mcc.core.Bytes;
import mcc.core.Counters;
import mcc.wire.Frames;
import mcc.wire.FramesWriter;
import mcc.wire.Handshakes;
import mcc.wire.Transport;
import org.jspecify.annotations.Nullable;

/**
 * The datagrams that wait to be sent, in a queue per flow. Flows take turns, a packet each. A datagram that waited too long is
 * dropped at the front of its queue, because programs that send datagrams prefer a new one to an old one (RFC 8289 says the same
 * of queues).
 *
 * <p>Limits: {@link #FLOW_BYTES} a flow, whose oldest datagram gives way; {@link #ALL_BYTES} in all flows together, of which
 * the longest queue gives way (RFC 8290 section 4.1.3).
 */
final class Datagrams {
    static final long FLOW_BYTES = 256 * 1_024;
    static final long ALL_BYTES = 4 * 1_024 * 1_024;
    /**
     * How long a datagram may wait, besides a round trip in which a full window ahead of it drains: short enough for speech.
     */
    static final long MAX_WAIT_NS = 100_000_000;
    /** What a waiting datagram costs besides its bytes. */
    private static final int ENTRY_BYTES = 64;

    private record Waiting(Bytes data, long sinceNs) {
        int bytes() {
            return data.size() + ENTRY_BYTES;
        }
    }

    static final class Flow {
        private final Stream stream;
        private final ArrayDeque<Waiting> queue = new ArrayDeque<>();
        private long bytes;

        private Flow(Stream stream) {
            this.stream = stream;
        }
    }

    /** The flows in the order of their turns; none is empty. */
    private final ArrayDeque<Flow> turns = new ArrayDeque<>();

    private final LongSupplier smoothedRttNs;
    private final Counters.Counter sent;
    private final Counters.Counter late;
    private final Counters.Counter overflowed;
    private final Counters.Counter tooLong;
    private long bytes;
    /** What a packet of the path has room for. */
    int roomBytes = Handshakes.DATAGRAM_BYTES - Transport.OVERHEAD_BYTES;

    Datagrams(LongSupplier smoothedRttNs, Counters counters) {
        this.smoothedRttNs = smoothedRttNs;
        sent = counters.of("stream.datagram.sent");
        late = counters.of("stream.datagram.late");
        overflowed = counters.of("stream.datagram.overflow");
        tooLong = counters.of("stream.datagram.too-long");
    }

    void add(long nowNs, Stream stream, Bytes data) {
        Flow flow = stream.flow;
        if (flow == null) {
            flow = new Flow(stream);
            stream.flow = flow;
            turns.addLast(flow);
        }
        Waiting waiting = new Waiting(data, nowNs);
        flow.queue.addLast(waiting);
        flow.bytes += waiting.bytes();
        bytes += waiting.bytes();
        while (flow.bytes > FLOW_BYTES) dropFirst(flow, overflowed);
        while (bytes > ALL_BYTES) dropFirst(longest(), overflowed);
    }

    /** Drops the datagrams of a flow that is over. */
    void end(Stream stream) {
        Flow flow = stream.flow;
        if (flow == null) return;
        stream.flow = null;
        turns.remove(flow);
        bytes -= flow.bytes;
    }

    /** Returns whether a datagram waits that is not too old. */
    boolean hasAny(long nowNs) {
        return next(nowNs) != null;
    }

    /**
     * Writes the datagrams that fit, flow by flow, and ends the turn of the last flow that wrote one.
     *
     * @param alone whether the packet is still empty: a datagram that does not fit then never will
     */
    void write(long nowNs, FramesWriter out, SentPacket packet, boolean alone) {
        Flow wrote = null;
        for (Flow flow = next(nowNs); flow != null; flow = next(nowNs)) {
            Waiting first = flow.queue.getFirst();
            if (out.datagram(flow.stream.id, first.data)) {
                packet.add(Frames.DATAGRAM, flow.stream.id, 0, first.data.size(), false);
                dropFirst(flow, sent);
                wrote = flow;
            } else if (alone && packet.frames() == 0) {
                dropFirst(flow, tooLong);
            } else {
                if (flow.equals(wrote)) turns.addLast(turns.removeFirst());
                return;
            }
        }
    }

    /** The longest that a packet carries. */
    int maxBytes() {
        return roomBytes - Frames.DATAGRAM_OVERHEAD_BYTES;
    }

    long bufferedBytes() {
        return bytes;
    }

    /** The flow whose turn it is, after dropping what is too old; null when nothing waits. */
    private @Nullable Flow next(long nowNs) {
        for (Flow flow = turns.peekFirst(); flow != null; flow = turns.peekFirst()) {
            if (nowNs - flow.queue.getFirst().sinceNs <= MAX_WAIT_NS + smoothedRttNs.getAsLong()) return flow;
            dropFirst(flow, late);
        }
        return null;
    }

    private Flow longest() {
        Flow longest = turns.getFirst();
        for (Flow flow : turns) if (flow.bytes > longest.bytes) longest = flow;
        return longest;
    }

    private void dropFirst(Flow flow, Counters.Counter why) {
        int n = flow.queue.removeFirst().bytes();
        flow.bytes -= n;
        bytes -= n;
        why.add();
        if (!flow.queue.isEmpty()) return;
        flow.stream.flow = null;
        turns.remove(flow);
    }
}
