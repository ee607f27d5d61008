package mcc.stream;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.function.LongSupplier;
import mcc.core.Bytes;
import mcc.core.Counters;
import mcc.wire.Frames;
import mcc.wire.FramesReader;
import mcc.wire.FramesWriter;
import mcc.wire.TransportParameters;
import org.jspecify.annotations.Nullable;

/**
 * All streams of one connection: what the application asks of them, and what the peer's frames do to them. How many streams
 * each end may open is decided by {@link Places}, which one sends next by {@link Turns}, how much the peer may send by
 * {@link ReceiveCredit}.
 *
 * <p>Limits: the credit that was given. What of it exceeds the first window is charged to the node's budget, and so is memory
 * that bytes take beyond the credit. With the budget spent, no new gap is accepted. When the first windows of all connections
 * together hold as much as the budget, none of them takes bytes behind a gap.
 */
final class Streams {
    /** How much a writer may hand over even if no memory is free: usually, and if its peer has many streams. */
    private static final long SMALL_BYTES = 16_384;

    private static final long LEAST_BYTES = ByteWindow.CHUNK_BYTES;
    /** What all streams of a connection together get in that way, beyond the least of each. */
    private static final long SMALL_ALL_BYTES = 4L << 20;

    private final StreamConfig config;
    private final LongSupplier smoothedRttNs;
    private final Budget budget;
    private final ByteWindow.Pool outgoing;
    /** The datagrams of the flows that streams opened. */
    final Datagrams datagrams;

    private final Counters.Counter datagramAstray;
    private final HashMap<Long, Stream> all = new HashMap<>();
    private final Places places;
    final Turns turns;
    private final ReceiveCredit credit;
    private final ArrayDeque<Event> events;
    private @Nullable Stream recent;
    /** How many of {@link #all} nobody at this end uses any more. */
    private int givenUp;
    /** The credit that the peer gives each new stream. */
    private long sendWindowBytes;
    /** Bytes that were written and are not acknowledged. */
    private long heldBytes;

    private long sendTargetBytes;
    private boolean over;
    /** Run whenever a user of a stream may have given the connection something to send. */
    private Runnable used = () -> {};

    Streams(
            StreamConfig config,
            boolean lower,
            LongSupplier smoothedRttNs,
            ArrayDeque<Event> events,
            Budget budget,
            Counters counters) {
        this.config = config;
        this.budget = budget;
        this.smoothedRttNs = smoothedRttNs;
        this.events = events;
        datagrams = new Datagrams(smoothedRttNs, counters);
        datagramAstray = counters.of("stream.datagram.astray");
        outgoing = new ByteWindow.Pool(budget.spare);
        places = new Places(config, lower, budget, counters);
        turns = new Turns(all, places, config, lower, counters);
        credit = new ReceiveCredit(config, smoothedRttNs, budget);
        sendWindowBytes = config.streamWindowBytes();
        sendTargetBytes = config.sendBufferBytes();
    }

    void onUse(Runnable used) {
        this.used = used;
    }

    // What the application asks.

    /** Sets the limits that the two ends told each other in the handshake, before anything is sent. */
    void agreed(TransportParameters own, TransportParameters peer) {
        places.agreed(own, peer);
        sendWindowBytes = peer.streamWindowBytes();
        for (Stream s : all.values()) s.send.firstCredit(sendWindowBytes);
        turns.agreed(peer.windowBytes());
    }

    @Nullable
    Stream open() {
        long id = places.open();
        if (id < 0) return null;
        Stream s = add(id, true);
        turns.opened(s);
        return s;
    }

    int write(Stream s, byte[] src, int off, int length) {
        int n = (int) Math.min(length, room(s));
        if (n < length) s.wantsWritable = true;
        if (n == 0) return 0;
        s.send.write(src, off, n);
        heldBytes += n;
        budget.use(n);
        turns.enqueue(s);
        used.run();
        return n;
    }

    void finish(Stream s) {
        s.send.finish();
        s.wantsWritable = false;
        turns.enqueue(s);
        used.run();
    }

    int read(long nowNs, Stream s, byte[] dst, int off, int length) {
        int n = s.receive.read(dst, off, length);
        if (n == 0) {
            if (!s.receive.isAtEnd()) return 0;
            s.receive.onEndRead();
            forgetIfDone(s);
            used.run();
            return -1;
        }
        grant(nowNs, s);
        credit.onRead(nowNs, n);
        used.run(); // credit may be due
        return n;
    }

    void reset(long nowNs, Stream s, int code) {
        datagrams.end(s);
        abandonSending(s, code);
        if (!s.receive.isDone()) {
            s.stopDue = true;
            s.stopCode = code;
            credit.onRead(nowNs, s.receive.stop());
            turns.enqueueControl(s);
        }
        s.resetTold = true;
        giveUp(s);
        forgetIfDone(s);
        used.run();
    }

    boolean sendDatagram(long nowNs, Stream s, Bytes data) {
        if (!s.isLive()) {
            datagramAstray.add();
            return false;
        }
        datagrams.add(nowNs, s, data);
        used.run();
        return true;
    }

    /** The stream of a datagram that came; null, and counted, before it began and after it ended. */
    @Nullable
    Stream ofDatagram(long id) {
        Stream s = find(id);
        if (s != null && s.isLive()) return s;
        datagramAstray.add();
        return null;
    }

    boolean isOver() {
        return over;
    }

    int openStreams() {
        return all.size();
    }

    int wantedStreams() {
        return all.size() - givenUp;
    }

    long bufferedBytes() {
        return outgoing.usedBytes() + credit.pool.usedBytes() + datagrams.bufferedBytes();
    }

    long deadlineNs() {
        return credit.deadlineNs();
    }

    void tick(long nowNs) {
        if (!credit.tick(nowNs)) return;
        places.extend();
        askAgain(nowNs);
    }

    /** Sets what a stream takes from its writer: two windows of congestion control, within the limits. */
    void sendTarget(long bytes) {
        sendTargetBytes = Math.clamp(bytes, config.sendBufferBytes(), config.maxSendBufferBytes());
    }

    // What the peer sends.

    /**
     * Returns whether a frame would be kept behind a gap for which there is no memory; then its packet must count as lost. Bytes
     * that can be read at once are always taken, so that the reader goes on. Unless first windows fill the node's memory, so are
     * bytes next to those already held: they take no more than was promised, except for a chunk of each stream.
     */
    boolean lacksRoom(FramesReader frame) {
        Stream s = find(frame.value());
        if (s == null) {
            if (!places.isNew(frame.value())) return false;
            return places.isCrowded() || frame.offset() > 0 && (credit.isFull() || credit.isCrowdedOut());
        }
        if (credit.isCrowdedOut() && s.receive.isAhead(frame.offset(), frame.dataLength())) return true;
        return s.receive.opensGap(frame.offset(), frame.dataLength()) && (s.receive.isFullOfGaps() || credit.isFull());
    }

    /** Like {@link #lacksRoom}, for a frame without data: whether there is no place for the stream that it would open. */
    boolean lacksPlace(long id) {
        return places.isNew(id) && places.isCrowded();
    }

    /** Takes a frame of one stream; returns the rule that it breaks, or null. */
    Event.@Nullable Reason onFrame(long nowNs, FramesReader frame, byte[] buf) {
        Event.Reason refusal = admit(nowNs, frame.value());
        Stream s = refusal == null ? find(frame.value()) : null;
        if (s == null) return refusal;
        switch (frame.kind()) {
            case Frames.STREAM -> refusal = onData(nowNs, s, frame, buf);
            case Frames.RESET -> refusal = onReset(nowNs, s, frame);
            case Frames.STOP -> {
                credit.onRead(nowNs, s.receive.stop());
                onEnded(s, frame.code());
            }
            default -> {
                s.send.onCredit(frame.offset());
                turns.enqueue(s);
            }
        }
        return refusal;
    }

    private Event.@Nullable Reason onData(long nowNs, Stream s, FramesReader frame, byte[] buf) {
        long offset = frame.offset();
        int length = frame.dataLength();
        Event.Reason refusal = s.receive.refusal(offset, length, frame.fin());
        if (refusal != null) return refusal;
        if (!credit.take(Math.max(0, offset + length - s.receive.highestBytes()))) return Event.Reason.FLOW_CONTROL;
        credit.extend(nowNs);
        if (s.receive.onData(offset, length, frame.fin(), buf, frame.dataAt())) tellReadable(s);
        credit.chargeHeld();
        if (s.receive.isGone()) {
            credit.onRead(nowNs, s.receive.drop());
            forgetIfDone(s);
        }
        return null;
    }

    private Event.@Nullable Reason onReset(long nowNs, Stream s, FramesReader frame) {
        long size = frame.finalSize();
        long growth = size - s.receive.highestBytes();
        if (growth < 0) return Event.Reason.FINAL_SIZE;
        Event.Reason refusal = s.receive.refusal(size, 0, true);
        if (refusal != null) return refusal;
        if (!credit.take(growth)) return Event.Reason.FLOW_CONTROL;
        if (!s.receive.isDone()) credit.onRead(nowNs, s.receive.onReset(size));
        onEnded(s, frame.code());
        return null;
    }

    /** The peer gave up both directions. */
    private void onEnded(Stream s, int code) {
        abandonSending(s, code);
        tellReset(s, code);
        forgetIfDone(s);
    }

    /** Takes a frame about all streams; returns the rule that it breaks, or null. */
    Event.@Nullable Reason onLimit(FramesReader frame) {
        switch (frame.kind()) {
            case Frames.MAX_DATA -> turns.onMaxData(frame.value());
            case Frames.MAX_STREAMS -> turns.onMaxStreams(frame.value());
            default -> {
                if (!credit.unused(frame.value())) return Event.Reason.FLOW_CONTROL;
            }
        }
        return null;
    }

    // What goes out, and what became of it.

    boolean hasControl() {
        return credit.isDue() || turns.hasControl();
    }

    boolean hasData() {
        return turns.hasData();
    }

    void writeControl(FramesWriter out, SentPacket packet) {
        credit.write(out, packet);
        turns.writeControl(out, packet);
    }

    void writeData(FramesWriter out, byte[] buf, SentPacket packet) {
        turns.writeData(out, buf, packet);
    }

    void onAcked(SentPacket packet) {
        for (int i = 0; i < packet.frames(); i++) {
            int kind = packet.kind(i);
            if (kind != Frames.STREAM && kind != Frames.RESET) continue;
            Stream s = find(packet.stream(i));
            if (s == null) continue;
            if (kind == Frames.RESET) {
                s.send.onResetAcked();
            } else {
                long before = s.send.heldBytes();
                s.send.onAcked(packet.offset(i), packet.length(i), packet.fin(i));
                letGo(before - s.send.heldBytes());
                tellWritable(s);
            }
            forgetIfDone(s);
        }
    }

    void onLost(SentPacket packet) {
        for (int i = 0; i < packet.frames(); i++) {
            switch (packet.kind(i)) {
                case Frames.MAX_DATA -> credit.onLost(packet.offset(i));
                case Frames.UNUSED_DATA -> turns.onReturnLost(packet.offset(i));
                case Frames.DATAGRAM -> {} // never sent again
                case Frames.MAX_STREAMS -> places.limitLost(packet.offset(i));
                default -> {
                    Stream s = find(packet.stream(i));
                    if (s != null) turns.onLost(s, packet, i);
                }
            }
        }
    }

    @Nullable
    Stream find(long id) {
        Stream last = recent;
        if (last != null && last.id == id) return last;
        Stream s = all.get(id);
        if (s != null) recent = s;
        return s;
    }

    private Stream add(long id, boolean local) {
        SendHalf send = new SendHalf(outgoing, sendWindowBytes);
        Stream s = new Stream(this, id, local, send, new ReceiveHalf(credit.pool, config.streamWindowBytes()));
        all.put(id, s);
        return s;
    }

    /** Makes a stream of the peer when its first frame comes; returns the rule that the frame breaks, or null. */
    private Event.@Nullable Reason admit(long nowNs, long id) {
        Event.Reason refusal = places.refusal(id);
        if (refusal != null || !places.isNew(id)) return refusal;
        places.begin(id);
        Stream s = add(id, false);
        events.addLast(new Event.Opened(s));
        askAgain(nowNs);
        return null;
    }

    /** Plans to ask the budget again if the peer is held up, because then it may be unable to send anything that would. */
    private void askAgain(long nowNs) {
        if (places.isHeldUp()) credit.askAgain(nowNs);
    }

    private void abandonSending(Stream s, int code) {
        if (s.send.isDone() || s.send.isAbandoned()) return;
        letGo(s.send.heldBytes());
        s.send.abandon();
        s.wantsWritable = false;
        s.resetDue = true;
        s.resetCode = code;
        turns.enqueueControl(s);
    }

    private void forgetIfDone(Stream s) {
        if (s.forgotten || !s.isDone()) return;
        s.forgotten = true;
        all.remove(s.id);
        datagrams.end(s);
        if (recent == s) recent = null;
        if (s.givenUp) givenUp--;
        turns.remove(s);
        events.addLast(new Event.Finished(s));
        if (all.isEmpty()) credit.restart();
        else credit.settle();
        turns.returnCredit();
        places.end(s.local);
    }

    private void grant(long nowNs, Stream s) {
        long wanted = Math.min(s.receive.wantedBytes(nowNs, smoothedRttNs.getAsLong()), config.maxStreamWindowBytes());
        if (!s.receive.grant(credit.share(wanted))) return;
        s.creditDue = true;
        turns.enqueueControl(s);
    }

    private void letGo(long bytes) {
        heldBytes -= bytes;
        budget.give(bytes);
    }

    /** Gives everything back to the budget: the connection ended. */
    void discard() {
        over = true;
        places.discard();
        credit.discard();
        budget.give(heldBytes);
        heldBytes = 0;
    }

    /** How much a stream takes from its writer even if no memory is free, so that the writer goes on. */
    private long small() {
        if (budget.isOverdrawn()) return LEAST_BYTES;
        return Math.clamp(SMALL_ALL_BYTES / Math.max(1, all.size()), LEAST_BYTES, SMALL_BYTES);
    }

    /** The bytes that a stream takes from its writer now. */
    long room(Stream s) {
        long shared = Math.max(small(), Math.min(config.maxBufferedBytes() - heldBytes, budget.freeBytes()));
        return Math.max(0, Math.min(sendTargetBytes, shared) - s.send.heldBytes());
    }

    private void tellReadable(Stream s) {
        if (s.readableQueued) return;
        s.readableQueued = true;
        events.addLast(new Event.Readable(s));
    }

    private void tellWritable(Stream s) {
        if (!s.wantsWritable || room(s) < Math.min(sendTargetBytes / 4, small())) return;
        s.wantsWritable = false;
        events.addLast(new Event.Writable(s));
    }

    private void giveUp(Stream s) {
        if (s.givenUp) return;
        s.givenUp = true;
        givenUp++;
    }

    private void tellReset(Stream s, int code) {
        giveUp(s);
        if (s.resetTold) return;
        s.resetTold = true;
        events.addLast(new Event.Reset(s, code));
    }
}
