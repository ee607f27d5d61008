package mcc.stream;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.function.LongSupplier;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.wire.Frames;
import mcc.wire.FramesReader;
import mcc.wire.FramesWriter;
import mcc.wire.TransportParameters;
import org.jspecify.annotations.Nullable;

/**
 * All streams of one connection: who may open how many, who may send how much, and whose turn it is.
 *
 * <p>Streams that have bytes to send take turns, a packet each. One that is held by the credit of the connection waits
 * apart until that grows; one that is held by its own credit is in no list.
 *
 * <p>Limits: the credit that was given, of which all beyond the first window is charged to the node's budget, as is the
 * memory that bytes take beyond it; with the budget spent, nothing begins another run behind a gap. When first
 * windows hold as much as the budget together, none takes anything behind a gap.
 */
final class Streams {
    /** What a writer is given though there is no memory: as a rule, and least where the streams of its peer are many. */
    private static final long SMALL_BYTES = 16_384;

    private static final long LEAST_BYTES = ByteWindow.CHUNK_BYTES;
    /** What is given in that way to all streams of a connection, but for the least of each. */
    private static final long SMALL_ALL_BYTES = 4L << 20;
    /** A frame that carries less than this is not worth starting at the end of a packet. */
    private static final int SCRAP_BYTES = 64;
    /** How soon to ask the budget again for what holds up a connection. */
    private static final long AGAIN_NS = 1_000_000_000;

    private final Config config;
    private final LongSupplier smoothedRttNs;
    private final Budget budget;
    private final ByteWindow.Pool outgoing;
    private final ByteWindow.Pool incoming;
    private final WindowTuner tuner = new WindowTuner();
    private final HashMap<Long, Stream> all = new HashMap<>();
    private final ArrayDeque<Stream> ready = new ArrayDeque<>();
    private final LinkedHashSet<Stream> held = new LinkedHashSet<>();
    private final ArrayDeque<Stream> control = new ArrayDeque<>();
    private final ArrayDeque<Event> events;
    private final Counters.Counter resent;
    private @Nullable Stream recent;
    /** Of {@link #all}, those that nobody at this end uses any more. */
    private int givenUp;

    private final Places places;
    /** Streams of this end that the peer does not allow yet, in their order. */
    private final ArrayDeque<Stream> early = new ArrayDeque<>();
    /** The first stream of this end that the peer was not shown for their sake. */
    private long announced;
    /** Credit that the peer gives each new stream. */
    private long sendWindowBytes;
    /** Credit that the peer gave all streams at first. */
    private long firstCreditBytes;

    private long sendCreditBytes;
    private long sentBytes;
    /** What was given back of the credit; it counts as sent. */
    private long returnedBytes;

    private boolean returnDue;
    private long heldBytes;
    private long sendTargetBytes;

    private long windowBytes;
    private long creditBytes;
    private long receivedBytes;
    private long readBytes;
    private boolean creditDue;
    /** What the peer gave back of its credit. */
    private long unusedBytes;
    /** Of the node's budget, for credit beyond the first window. */
    private long chargedBytes;
    /** What it knows to be held that was not charged. */
    private long talliedBytes;
    /** When to ask it again. */
    private long againNs = Core.NEVER;

    Streams(
            Config config,
            boolean lower,
            LongSupplier smoothedRttNs,
            ArrayDeque<Event> events,
            Budget budget,
            Counters counters) {
        this.config = config;
        this.budget = budget;
        outgoing = new ByteWindow.Pool(budget.spare);
        incoming = new ByteWindow.Pool(budget.spare);
        this.smoothedRttNs = smoothedRttNs;
        this.events = events;
        places = new Places(config, lower, budget, counters);
        announced = lower ? 2 : 1;
        sendWindowBytes = config.streamWindowBytes();
        firstCreditBytes = config.windowBytes();
        sendCreditBytes = firstCreditBytes;
        windowBytes = config.windowBytes();
        creditBytes = config.windowBytes();
        sendTargetBytes = config.sendBufferBytes();
        resent = counters.of("stream.resent.bytes");
    }

    // What the application asks.

    /** What the two ends told each other in the handshake; before anything is sent. */
    void agreed(TransportParameters own, TransportParameters peer) {
        places.agreed(own, peer);
        firstCreditBytes = peer.windowBytes();
        sendCreditBytes = firstCreditBytes;
        sendWindowBytes = peer.streamWindowBytes();
        for (Stream s : all.values()) s.send.firstCredit(sendWindowBytes);
        holdBack();
        showEarly();
    }

    /** Streams opened before the peer told of its limit wait where it is lower than was thought. */
    private void holdBack() {
        ready.removeIf(s -> !places.allowsFrames(s));
        control.removeIf(s -> !places.allowsFrames(s));
        held.removeIf(s -> !places.allowsFrames(s));
        List<Stream> waiting = new ArrayList<>();
        for (Stream s : all.values()) if (!places.allowsFrames(s)) waiting.add(s);
        waiting.sort(Comparator.comparingLong(s -> s.id));
        early.clear();
        for (Stream s : waiting) {
            s.queued = false;
            s.controlQueued = false;
            early.addLast(s);
        }
    }

    long open() {
        long id = places.open();
        if (id < 0) return -1;
        Stream s = add(id, true);
        if (!places.allows(id)) {
            early.addLast(s);
            announce();
        }
        return id;
    }

    /** Streams wait for the peer to allow more: it is shown those that said nothing yet, as it counts what it has seen. */
    private void announce() {
        for (; places.allows(announced); announced += 2) {
            Stream s = all.get(announced);
            if (s == null) continue;
            s.creditDue = true;
            enqueueControl(s);
        }
    }

    int write(long id, byte[] src, int off, int length) {
        Stream s = find(id);
        if (s == null || !s.send.isOpen()) return -1;
        int n = (int) Math.min(length, room(s));
        if (n < length) s.wantsWritable = true;
        if (n == 0) return 0;
        s.send.write(src, off, n);
        heldBytes += n;
        budget.use(n);
        enqueue(s);
        return n;
    }

    void finish(long id) {
        Stream s = find(id);
        if (s == null || !s.send.isOpen()) return;
        s.send.finish();
        s.wantsWritable = false;
        enqueue(s);
    }

    int read(long nowNs, long id, byte[] dst, int off, int length) {
        Stream s = find(id);
        if (s == null || s.receive.isGone()) return -2;
        int n = s.receive.read(dst, off, length);
        if (n == 0) {
            if (!s.receive.isAtEnd()) return 0;
            s.receive.onEndRead();
            forgetIfDone(s);
            return -1;
        }
        grant(nowNs, s);
        onRead(nowNs, n);
        return n;
    }

    void reset(long nowNs, long id, int code) {
        Stream s = find(id);
        if (s == null) return;
        abandonSending(s, code);
        if (!s.receive.isDone()) {
            s.stopDue = true;
            s.stopCode = code;
            onRead(nowNs, s.receive.stop());
            enqueueControl(s);
        }
        s.resetTold = true;
        giveUp(s);
        forgetIfDone(s);
    }

    int readable(long id) {
        Stream s = find(id);
        return s == null ? 0 : (int) s.receive.readableBytes();
    }

    int writable(long id) {
        Stream s = find(id);
        return s == null || !s.send.isOpen() ? 0 : (int) room(s);
    }

    long receiveWindowBytes(long id) {
        Stream s = find(id);
        return s == null ? 0 : s.receive.windowBytes();
    }

    long unacknowledged(long id) {
        Stream s = find(id);
        return s == null ? 0 : s.send.heldBytes();
    }

    /** Whether datagrams of the flow that a stream opened may come and go. */
    boolean isLive(long id) {
        Stream s = find(id);
        return s != null && !s.receive.isGone();
    }

    void onReadablePolled(long id) {
        Stream s = find(id);
        if (s != null) s.readableQueued = false;
    }

    int openStreams() {
        return all.size();
    }

    int wantedStreams() {
        return all.size() - givenUp;
    }

    int heldStreams() {
        return held.size();
    }

    long bufferedBytes() {
        return outgoing.usedBytes() + incoming.usedBytes();
    }

    long deadlineNs() {
        return againNs;
    }

    void tick(long nowNs) {
        if (nowNs < againNs) return;
        againNs = Core.NEVER;
        extend(nowNs);
        places.extend();
        askAgain(nowNs);
    }

    /** Sets what a stream takes from its writer: two windows of congestion control, within the limits. */
    void sendTarget(long bytes) {
        sendTargetBytes = Math.clamp(bytes, config.sendBufferBytes(), config.maxSendBufferBytes());
    }

    // What the peer sends.

    /**
     * Returns whether a frame would be kept behind a gap, and there is no memory for that; then its packet must count as lost.
     * What can be read at once always has room, so the reader goes on; and unless first windows fill the node's memory, what
     * lies beside what is there, as it takes no more than was promised but for a chunk of each stream.
     */
    boolean lacksRoom(FramesReader frame) {
        Stream s = find(frame.value());
        if (s == null) {
            if (!places.isNew(frame.value())) return false;
            return places.isCrowded() || frame.offset() > 0 && (isFull() || isCrowdedOut());
        }
        if (isCrowdedOut() && s.receive.isAhead(frame.offset(), frame.dataLength())) return true;
        return s.receive.opensGap(frame.offset(), frame.dataLength()) && (s.receive.isFullOfGaps() || isFull());
    }

    /** Whether all that this connection may hold is held, or more. */
    private boolean isFull() {
        long used = incoming.usedBytes();
        boolean spent = used >= config.windowBytes() + chargedBytes && budget.freeBytes() == 0;
        return spent || used >= 2 * config.maxWindowBytes();
    }

    /** Whether it would be held in the first window, and the first windows of all are too full. */
    private boolean isCrowdedOut() {
        return budget.isFilled() && incoming.usedBytes() >= chargedBytes;
    }

    /** As {@link #lacksRoom}, of a frame about a stream that carries no bytes of it. */
    boolean lacksPlace(long id) {
        return places.isNew(id) && places.isCrowded();
    }

    Event.@Nullable Reason onStream(long nowNs, FramesReader frame, byte[] buf) {
        Event.Reason refusal = admit(nowNs, frame.value());
        Stream s = refusal == null ? find(frame.value()) : null;
        if (s == null) return refusal;
        long offset = frame.offset();
        int length = frame.dataLength();
        refusal = s.receive.refusal(offset, length, frame.fin());
        if (refusal != null) return refusal;
        long growth = Math.max(0, offset + length - s.receive.highestBytes());
        if (receivedBytes + growth > creditBytes) return Event.Reason.FLOW_CONTROL;
        receivedBytes += growth;
        extend(nowNs);
        if (s.receive.onData(offset, length, frame.fin(), buf, frame.dataAt())) tellReadable(s);
        chargeHeld();
        if (s.receive.isGone()) {
            onRead(nowNs, s.receive.drop());
            forgetIfDone(s);
        }
        return null;
    }

    Event.@Nullable Reason onReset(long nowNs, FramesReader frame) {
        Event.Reason refusal = admit(nowNs, frame.value());
        Stream s = refusal == null ? find(frame.value()) : null;
        if (s == null) return refusal;
        long size = frame.finalSize();
        long growth = size - s.receive.highestBytes();
        if (growth < 0) return Event.Reason.FINAL_SIZE;
        refusal = s.receive.refusal(size, 0, true);
        if (refusal != null) return refusal;
        if (receivedBytes + growth > creditBytes) return Event.Reason.FLOW_CONTROL;
        receivedBytes += growth;
        if (!s.receive.isDone()) onRead(nowNs, s.receive.onReset(size));
        abandonSending(s, frame.code());
        tellReset(s, frame.code());
        forgetIfDone(s);
        return null;
    }

    Event.@Nullable Reason onStop(long nowNs, FramesReader frame) {
        Event.Reason refusal = admit(nowNs, frame.value());
        Stream s = refusal == null ? find(frame.value()) : null;
        if (s == null) return refusal;
        abandonSending(s, frame.code());
        onRead(nowNs, s.receive.stop());
        tellReset(s, frame.code());
        forgetIfDone(s);
        return null;
    }

    Event.@Nullable Reason onMaxStreamData(long nowNs, FramesReader frame) {
        Event.Reason refusal = admit(nowNs, frame.value());
        Stream s = refusal == null ? find(frame.value()) : null;
        if (s == null) return refusal;
        s.send.onCredit(frame.offset());
        enqueue(s);
        return null;
    }

    void onMaxData(long maximum) {
        if (maximum <= sendCreditBytes) return;
        sendCreditBytes = maximum;
        for (Stream s : held) enqueue(s);
        held.clear();
        returnCredit();
    }

    /** The peer will not send so much of what it may, in all so far; returns what that would break, or null. */
    Event.@Nullable Reason onUnusedData(long bytes) {
        long more = Math.max(0, bytes - unusedBytes);
        if (more > creditBytes - receivedBytes) return Event.Reason.FLOW_CONTROL;
        unusedBytes += more;
        receivedBytes += more;
        readBytes += more;
        settle();
        return null;
    }

    void onMaxStreams(long maximum) {
        if (places.raise(maximum)) showEarly();
    }

    private void showEarly() {
        for (Stream s; (s = early.peekFirst()) != null && places.allows(s.id); ) {
            early.removeFirst();
            enqueue(s);
            if (s.resetDue || s.stopDue || s.creditDue) enqueueControl(s);
        }
        if (!early.isEmpty()) announce();
    }

    // What goes out, and what became of it.

    boolean hasControl() {
        return creditDue || returnDue || places.isLimitDue() || !control.isEmpty();
    }

    boolean hasData() {
        while (true) {
            Stream s = ready.peekFirst();
            if (s == null) return false;
            if (s.send.hasLost()) return true;
            if (s.send.hasNew()) {
                if (sentBytes < sendCreditBytes || s.send.nextLength(1) == 0) return true;
                hold(ready.removeFirst());
            } else {
                ready.removeFirst().queued = false;
            }
        }
    }

    void writeControl(FramesWriter out, SentPacket packet) {
        if (creditDue && out.maxData(creditBytes)) {
            creditDue = false;
            packet.add(Frames.MAX_DATA, 0, creditBytes, 0, false);
        }
        if (returnDue && out.unusedData(returnedBytes)) {
            returnDue = false;
            packet.add(Frames.UNUSED_DATA, 0, returnedBytes, 0, false);
        }
        if (places.isLimitDue() && out.maxStreams(places.limit())) {
            places.limitSent();
            packet.add(Frames.MAX_STREAMS, 0, places.limit(), 0, false);
        }
        for (Stream s = control.peekFirst(); s != null; s = control.peekFirst()) {
            if (!writeControl(s, out, packet)) return;
            control.removeFirst();
            s.controlQueued = false;
        }
    }

    void writeData(FramesWriter out, byte[] buf, SentPacket packet) {
        int before = packet.frames();
        while (hasData()) {
            Stream s = ready.getFirst();
            long offset = s.send.nextOffset();
            int want = s.send.nextLength(sendCreditBytes - sentBytes);
            int length = out.streamRoom(s.id, offset, want);
            boolean scrap = length < want && length < SCRAP_BYTES && out.length() > SCRAP_BYTES;
            if (length < 0 || scrap) break;
            boolean fin = s.send.endsAt(offset + length);
            int at = out.stream(s.id, offset, length, fin);
            int fresh = s.send.send(offset, length, fin, buf, at);
            sentBytes += fresh;
            if (fresh < length) resent.add(length);
            packet.add(Frames.STREAM, s.id, offset, length, fin);
        }
        if (packet.frames() > before && ready.size() > 1) ready.addLast(ready.removeFirst());
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
            Stream s = find(packet.stream(i));
            switch (packet.kind(i)) {
                case Frames.MAX_DATA -> creditDue |= packet.offset(i) == creditBytes;
                case Frames.UNUSED_DATA -> returnDue |= packet.offset(i) == returnedBytes;
                case Frames.DATAGRAM -> {} // whoever misses it asks again
                case Frames.MAX_STREAMS -> places.limitLost(packet.offset(i));
                case Frames.STREAM -> {
                    if (s == null) break;
                    s.send.onLost(packet.offset(i), packet.length(i), packet.fin(i));
                    enqueue(s);
                }
                case Frames.MAX_STREAM_DATA -> {
                    if (s == null) break;
                    s.creditDue |= packet.offset(i) == s.receive.creditBytes();
                    enqueueControl(s);
                }
                case Frames.RESET -> {
                    if (s == null) break;
                    s.resetDue = !s.send.isDone();
                    enqueueControl(s);
                }
                default -> {
                    if (s == null) break;
                    s.stopDue = !s.receive.isDone();
                    enqueueControl(s);
                }
            }
        }
    }

    private static boolean writeControl(Stream s, FramesWriter out, SentPacket packet) {
        if (s.resetDue) {
            long size = s.send.sentBytes();
            if (!out.reset(s.id, s.resetCode, size)) return false;
            s.resetDue = false;
            packet.add(Frames.RESET, s.id, size, 0, false);
        }
        if (s.stopDue) {
            if (!out.stop(s.id, s.stopCode)) return false;
            s.stopDue = false;
            packet.add(Frames.STOP, s.id, 0, 0, false);
        }
        if (s.creditDue && !s.receive.isDone()) {
            long maximum = s.receive.creditBytes();
            if (!out.maxStreamData(s.id, maximum)) return false;
            packet.add(Frames.MAX_STREAM_DATA, s.id, maximum, 0, false);
        }
        s.creditDue = false;
        return true;
    }

    private @Nullable Stream find(long id) {
        Stream last = recent;
        if (last != null && last.id == id) return last;
        Stream s = all.get(id);
        if (s != null) recent = s;
        return s;
    }

    private Stream add(long id, boolean local) {
        SendHalf send = new SendHalf(outgoing, sendWindowBytes);
        Stream s = new Stream(id, local, send, new ReceiveHalf(incoming, config.streamWindowBytes()));
        all.put(id, s);
        return s;
    }

    /** Makes the peer's stream with its first frame; returns what the frame would break, or null. */
    private Event.@Nullable Reason admit(long nowNs, long id) {
        Event.Reason refusal = places.refusal(id);
        if (refusal != null || !places.isNew(id)) return refusal;
        places.begin(id);
        add(id, false);
        events.addLast(new Event.Opened(id));
        askAgain(nowNs);
        return null;
    }

    /** Nothing may come any more that would ask the budget again. */
    private void askAgain(long nowNs) {
        if (againNs == Core.NEVER && places.isHeldUp()) againNs = nowNs + AGAIN_NS;
    }

    private void abandonSending(Stream s, int code) {
        if (s.send.isDone() || s.send.isAbandoned()) return;
        letGo(s.send.heldBytes());
        s.send.abandon();
        s.wantsWritable = false;
        s.resetDue = true;
        s.resetCode = code;
        enqueueControl(s);
    }

    private void forgetIfDone(Stream s) {
        if (!s.isDone() || all.remove(s.id) == null) return;
        if (recent == s) recent = null;
        if (s.givenUp) givenUp--;
        held.remove(s);
        events.addLast(new Event.Finished(s.id));
        if (all.isEmpty()) windowBytes = config.windowBytes();
        settle();
        returnCredit();
        places.end(s.local);
    }

    private void grant(long nowNs, Stream s) {
        long wanted = Math.min(s.receive.wantedBytes(nowNs, smoothedRttNs.getAsLong()), config.maxStreamWindowBytes());
        widen(wanted + wanted / 2);
        // A third is left to the others, should this one be read no more.
        if (!s.receive.grant(Math.min(wanted, windowBytes - windowBytes / 3))) return;
        s.creditDue = true;
        enqueueControl(s);
    }

    private void onRead(long nowNs, long bytes) {
        readBytes += bytes;
        if (bytes == 0) return;
        widen(tuner.next(nowNs, smoothedRttNs.getAsLong(), readBytes - unusedBytes, windowBytes));
        if (readBytes + windowBytes - creditBytes >= windowBytes / WindowTuner.STEPS) {
            creditBytes = readBytes + windowBytes;
            creditDue = true;
        } else extend(nowNs); // what was refused while others were behind as well
        settle();
    }

    /** Lets the window grow, as far as the node's budget goes. */
    private void widen(long wanted) {
        long wider = Math.min(wanted, config.maxWindowBytes());
        if (wider > windowBytes && charge(Math.max(wider, creditBytes - readBytes))) windowBytes = wider;
    }

    /**
     * Gives more credit when readers that stopped, or gaps, hold most of the window: else slow readers would hold up all
     * the others of this peer. Where the budget is spent it is tried again, as then nothing may come that would ask for it.
     */
    private void extend(long nowNs) {
        boolean held = receivedBytes - readBytes > windowBytes / 2;
        if (!held || creditBytes - receivedBytes > windowBytes / 3) return;
        long more = creditBytes + windowBytes / 2;
        if (more - readBytes > 2 * config.maxWindowBytes()) return;
        if (!charge(more - readBytes)) {
            if (againNs == Core.NEVER) againNs = nowNs + AGAIN_NS;
            return;
        }
        creditBytes = more;
        creditDue = true;
    }

    /** Gives back what of the budget is no longer promised. */
    private void settle() {
        charge(Math.max(windowBytes, creditBytes - readBytes));
    }

    /**
     * Gives back what this end may send beyond the first window, once it has no stream: credit cannot be taken away, so the
     * peer's budget would pay for it as long as the link lasts.
     */
    private void returnCredit() {
        long more = sendCreditBytes - sentBytes - firstCreditBytes;
        if (!all.isEmpty() || more <= 0) return;
        sentBytes += more;
        returnedBytes += more;
        returnDue = true;
    }

    /** Charges what is held beyond what was promised: chunks in part full, and ranges. */
    private void chargeHeld() {
        long more = Math.max(0, incoming.usedBytes() - config.windowBytes() - chargedBytes);
        budget.use(more);
        chargedBytes += more;
        tally();
    }

    private boolean charge(long promisedBytes) {
        long atLeast = Math.max(promisedBytes, incoming.usedBytes()) - config.windowBytes();
        long more = Math.max(0, atLeast) - chargedBytes;
        boolean given = more <= 0 || budget.take(more);
        if (more < 0) budget.give(-more);
        if (given) chargedBytes += more;
        tally();
        return given;
    }

    /** Tells the budget what is held in the first window. */
    private void tally() {
        long uncharged = Math.max(0, incoming.usedBytes() - chargedBytes);
        budget.hold(uncharged - talliedBytes);
        talliedBytes = uncharged;
    }

    private void letGo(long bytes) {
        heldBytes -= bytes;
        budget.give(bytes);
    }

    /** Gives all of the budget back: this connection is over. */
    void discard() {
        places.discard();
        budget.give(chargedBytes + heldBytes);
        budget.hold(-talliedBytes);
        talliedBytes = 0;
        chargedBytes = 0;
        heldBytes = 0;
    }

    /** What a writer is given though there is no memory for it, so that it goes on. */
    private long small() {
        if (budget.isOverdrawn()) return LEAST_BYTES;
        return Math.clamp(SMALL_ALL_BYTES / Math.max(1, all.size()), LEAST_BYTES, SMALL_BYTES);
    }

    private long room(Stream s) {
        long shared = Math.max(small(), Math.min(config.maxBufferedBytes() - heldBytes, budget.freeBytes()));
        return Math.max(0, Math.min(sendTargetBytes, shared) - s.send.heldBytes());
    }

    private void tellReadable(Stream s) {
        if (s.readableQueued) return;
        s.readableQueued = true;
        events.addLast(new Event.Readable(s.id));
    }

    private void tellWritable(Stream s) {
        if (!s.wantsWritable || room(s) < Math.min(sendTargetBytes / 4, small())) return;
        s.wantsWritable = false;
        events.addLast(new Event.Writable(s.id));
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
        events.addLast(new Event.Reset(s.id, code));
    }

    /** Sets apart a stream that has new bytes only, until the connection has credit; a loss brings it back. */
    private void hold(Stream s) {
        s.queued = false;
        held.add(s);
    }

    private void enqueue(Stream s) {
        if (s.queued || !places.allowsFrames(s) || !(s.send.hasLost() || s.send.hasNew())) return;
        s.queued = true;
        ready.addLast(s);
    }

    private void enqueueControl(Stream s) {
        if (s.controlQueued || !places.allowsFrames(s)) return;
        s.controlQueued = true;
        control.addLast(s);
    }
}
