package mcc.stream;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import mcc.core.Bytes;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Rng;
import mcc.wire.Frames;
import mcc.wire.FramesReader;
import mcc.wire.FramesWriter;
import mcc.wire.TransportParameters;
import org.jspecify.annotations.Nullable;

/**
 * One peer's transport: messages, streams and datagrams in, packets out, and back. A core on the packet path: after each
 * call that hands something in, the host calls {@link #transmit} until it returns 0, drains {@link #poll}, and arms one
 * timer from {@link #deadlineNs}.
 *
 * <p>A packet's bytes here are one {@code Frames} message, sealed and addressed by the host. Packets that hold only
 * messages and acknowledgements are neither acknowledged nor subject to the congestion window.
 */
public final class Connection {
    /** What the host's datagram adds to each packet, for congestion control: header and tag. */
    private static final int OVERHEAD_BYTES = 29;

    private static final int MAX_DATAGRAMS_IN = 1_024;

    private final ArrayDeque<Event> events = new ArrayDeque<>();
    private final Messages messages;
    private final FramesReader in = new FramesReader();
    private final Whole whole = new Whole();
    private final FramesWriter out = new FramesWriter();
    private final Acks acks = new Acks();
    final Streams streams;
    private final Datagrams datagrams;
    private final StreamConfig config;
    private final Rng rng;
    private final Counters counters;
    /** The recovery of the path in use. */
    private Recovery recovery;
    /** The recoveries of the other paths. */
    private final List<Recovery> others = new ArrayList<>();
    /** CE marks that the peer has reported. */
    private long ceSeen;

    private final Counters.Counter malformed;
    private final Counters.Counter duplicate;
    private final Counters.Counter crowded;
    private final Counters.Counter broken;
    private final Counters.Counter datagramDropped;

    private long nextNumber = 1;
    private int datagramsIn;
    /** Whether datagrams come before stream data in the next packet: because the last one had none. */
    private boolean datagramsFirst = true;

    private boolean closed;
    private long paceReleaseNs = Core.NEVER;

    /**
     * Makes the transport of a link that has just come up.
     *
     * @param lower whether this is the side with the lower node ID: it opens the even streams
     * @param budget shared with all connections of the node; {@link #discard} gives back what this one holds
     */
    public Connection(StreamConfig config, boolean lower, Rng rng, Budget budget, Counters counters) {
        this.config = config;
        this.rng = rng;
        this.counters = counters;
        streams = new Streams(config, lower, this::smoothedRttNs, events, budget, counters);
        messages = new Messages(counters);
        datagrams = streams.datagrams;
        recovery = new Recovery(config, streams, acks, rng, counters);
        malformed = counters.of("stream.malformed");
        duplicate = counters.of("stream.duplicate");
        crowded = counters.of("stream.crowded");
        broken = counters.of("stream.broken");
        datagramDropped = counters.of("stream.datagram.dropped");
    }

    /** Sets the limits that the two ends told each other in the handshake: once, before anything is sent or taken. */
    public void agreed(TransportParameters own, TransportParameters peer) {
        streams.agreed(own, peer);
    }

    /** Sets what is run whenever the user of a stream may have given this connection something to send. */
    public void onUse(Runnable used) {
        streams.onUse(used);
    }

    /** Ends this connection: nothing more is sent or taken, and what it held goes back to the budget. */
    public void discard() {
        closed = true;
        streams.discard();
    }

    /**
     * Takes one packet that was opened; the bytes are lent until return.
     *
     * @param ce whether it arrived with the mark Congestion Experienced
     * @return false when it is malformed and was ignored as a whole, or broke the protocol
     */
    public boolean receive(long nowNs, byte[] buf, int off, int len, boolean ce) {
        if (closed) return false;
        paceReleaseNs = Core.NEVER;
        if (!whole.scan(in, buf, off, len, streams)) {
            malformed.add();
            return false;
        }
        if (!acks.isNew(whole.number)) {
            duplicate.add();
            return true;
        }
        if (whole.crowded) {
            crowded.add();
            return true;
        }
        acks.onPacket(nowNs, whole.number, whole.asks, ce, whole.urgent, smoothedRttNs());
        in.begin(buf, off, len);
        while (in.next()) {
            Event.Reason reason = onFrame(nowNs, buf);
            if (reason != null) {
                onBroken(reason);
                return false;
            }
        }
        return true;
    }

    /**
     * Writes the frames of one packet.
     *
     * @param max room in {@code buf}: at least 100
     * @return its length; 0 when nothing is to be sent now
     */
    public int transmit(long nowNs, byte[] buf, int off, int max) {
        if (closed) return 0;
        datagrams.roomBytes = max;
        boolean probe = recovery.isProbeDue();
        boolean asks = probe || mayAsk(nowNs, max);
        if (!asks && messages.isEmpty() && !acks.isDue(nowNs)) return 0;
        out.begin(buf, off, max);
        if (!out.packetNumber(nextNumber)) return 0;
        int empty = out.length();
        long ackLargest = acks.isDue(nowNs) || acks.isUseful(nowNs) ? acks.write(nowNs, out) : 0;
        messages.write(out, empty);
        if (asks) writeAsking(nowNs, buf, ackLargest, probe, out.length() == empty);
        int length = out.length();
        if (length == empty) return 0;
        nextNumber++;
        return length;
    }

    /** Returns when {@link #tick} is due: loss, probe, acknowledgement, pace or credit; {@link Core#NEVER} when nothing waits. */
    public long deadlineNs() {
        if (closed) return Core.NEVER;
        long next = Math.min(recovery.deadlineNs(), acks.deadlineNs());
        for (Recovery other : others) next = Math.min(next, other.unusedDeadlineNs());
        return Math.min(Math.min(next, streams.deadlineNs()), paceReleaseNs);
    }

    /** Lets time pass; the host calls {@link #transmit} after it. */
    public void tick(long nowNs) {
        if (closed) return;
        if (nowNs >= paceReleaseNs) paceReleaseNs = Core.NEVER;
        acks.tick(nowNs);
        streams.tick(nowNs);
        recovery.tick(nowNs);
        for (Recovery other : others) other.tickUnused(nowNs);
    }

    /** Queues a message of at most 1,120 bytes; false, and counted, when it is longer or 256 wait already. */
    public boolean send(Bytes message) {
        return messages.add(message);
    }

    /**
     * Opens a stream; the peer learns of it by the first bytes. Returns null when this end has too many. Where the peer allows
     * no more streams yet, what is written waits.
     */
    public @Nullable Stream open() {
        return streams.open();
    }

    /** Returns the next event, or null. */
    public @Nullable Event poll() {
        Event event = events.pollFirst();
        if (event instanceof Event.Readable r) r.stream().readableQueued = false;
        if (event instanceof Event.Message) messages.polled();
        if (event instanceof Event.Datagram) datagramsIn--;
        return event;
    }

    /** The recovery of the path in use: of the first path, until {@link #use} names another. */
    public Recovery inUse() {
        return recovery;
    }

    /** Makes the recovery of another path; {@link #drop} forgets it. The host keeps their number small. */
    public Recovery another() {
        Recovery other = new Recovery(config, streams, acks, rng.split(), counters);
        others.add(other);
        return other;
    }

    /**
     * Sends by this path from now on; the recovery of the one before is kept. Acknowledgements that went by that one may be lost,
     * and are repeated at once.
     */
    public void use(Recovery other) {
        if (other == recovery || !others.remove(other)) return;
        others.add(recovery);
        recovery = other;
        recovery.resume();
        acks.repeat();
        paceReleaseNs = Core.NEVER;
        streams.sendTarget(recovery.sendTargetBytes());
    }

    /** Forgets a path that is not in use: what is in flight on it is sent again by the one in use. */
    public void drop(Recovery other) {
        if (others.remove(other)) other.giveUp();
    }

    /** Returns the smoothed round-trip time; 333 ms before the first sample. */
    public long smoothedRttNs() {
        return recovery.rtt().smoothedNs();
    }

    /** Returns the least round-trip time of the path; 0 before the first sample. */
    public long minRttNs() {
        return recovery.rtt().minNs();
    }

    /** Returns the share of recent packets that were lost, in millionths. */
    public long lossPpm() {
        return recovery.lossPpm();
    }

    /** Returns whether nothing was acknowledged for a probe time-out or longer. */
    public boolean isProbing() {
        return recovery.isProbing();
    }

    /** Returns the memory that streams in both directions and waiting datagrams hold. */
    public long bufferedBytes() {
        return streams.bufferedBytes();
    }

    /** Returns the number of streams that are not finished. */
    public int openStreams() {
        return streams.openStreams();
    }

    /**
     * Returns the number of open streams that this end still uses; the others are open only until the peer has heard of their
     * end.
     */
    public int wantedStreams() {
        return streams.wantedStreams();
    }

    /** Returns when the oldest packet was sent that is still to be acknowledged; {@link Core#NEVER} when there is none. */
    public long unackedSinceNs() {
        long since = recovery.oldestSentNs();
        for (Recovery other : others) since = Math.min(since, other.oldestSentNs());
        return since;
    }

    private Event.@Nullable Reason onFrame(long nowNs, byte[] buf) {
        return switch (in.kind()) {
            case Frames.ACK -> onAck(nowNs);
            case Frames.MESSAGE -> {
                if (messages.takesOne()) events.addLast(new Event.Message(in.message()));
                yield null;
            }
            case Frames.DATAGRAM -> onDatagram();
            case Frames.STREAM, Frames.MAX_STREAM_DATA, Frames.RESET, Frames.STOP -> streams.onFrame(nowNs, in, buf);
            case Frames.MAX_DATA, Frames.UNUSED_DATA, Frames.MAX_STREAMS -> streams.onLimit(in);
            default -> null;
        };
    }

    private Event.@Nullable Reason onAck(long nowNs) {
        if (in.value() >= nextNumber) return Event.Reason.ACK_UNSENT;
        boolean ce = in.ce() > ceSeen;
        ceSeen = Math.max(ceSeen, in.ce());
        recovery.onAck(nowNs, in, ce);
        for (Recovery other : others) {
            other.onAck(nowNs, in, false);
            other.tickUnused(nowNs); // with a new round trip what is left may be overdue
        }
        streams.sendTarget(recovery.sendTargetBytes());
        return null;
    }

    /** Takes a datagram; one that comes before its stream began, or after it ended, is dropped. */
    private Event.@Nullable Reason onDatagram() {
        Stream s = streams.ofDatagram(in.value());
        if (s == null) return null;
        if (datagramsIn >= MAX_DATAGRAMS_IN) {
            datagramDropped.add();
        } else {
            datagramsIn++;
            events.addLast(new Event.Datagram(s, in.message()));
        }
        return null;
    }

    private void onBroken(Event.Reason reason) {
        closed = true;
        broken.add();
        events.addLast(new Event.Broken(reason));
    }

    /** Returns whether there is something to send that asks for an acknowledgement, and window and pacer allow it. */
    private boolean mayAsk(long nowNs, int max) {
        boolean work = streams.hasControl() || streams.hasData() || datagrams.hasAny(nowNs);
        if (!recovery.windowAllows(max + OVERHEAD_BYTES)) return false;
        if (!work) {
            recovery.onAppLimited(nowNs);
            return false;
        }
        if (recovery.paceAllows(nowNs)) {
            paceReleaseNs = Core.NEVER;
            return true;
        }
        paceReleaseNs = recovery.paceReleaseNs(nowNs);
        return false;
    }

    private void writeAsking(long nowNs, byte[] buf, long ackLargest, boolean probe, boolean alone) {
        SentPacket packet = recovery.begin();
        packet.ackLargest = ackLargest;
        streams.writeControl(out, packet);
        boolean first = datagramsFirst;
        if (first) writeDatagrams(nowNs, packet, alone);
        streams.writeData(out, buf, packet);
        if (!first) {
            datagramsFirst = true;
            writeDatagrams(nowNs, packet, alone);
        }
        boolean pinged = packet.frames() == 0 && probe && out.ping();
        if (packet.frames() == 0 && !pinged) {
            recovery.recycle(packet);
            return;
        }
        recovery.onSent(nowNs, packet, nextNumber, out.length() + OVERHEAD_BYTES);
    }

    /**
     * Datagrams and streams take turns at the start of a packet, so that neither waits for more than one packet of the other.
     */
    private void writeDatagrams(long nowNs, SentPacket packet, boolean alone) {
        int before = packet.frames();
        datagrams.write(nowNs, out, packet, alone && before == 0);
        if (packet.frames() > before) datagramsFirst = false;
    }
}
