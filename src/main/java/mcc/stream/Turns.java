package mcc.stream;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import mcc.core.Counters;
import mcc.wire.Frames;
import mcc.wire.FramesWriter;

/**
 * What streams have to send: in which order, and how much the peer's credit for the connection allows.
 *
 * <p>Streams with bytes to send take turns, a packet each. A stream that is blocked by the connection's credit waits in a list
 * of its own until that grows; one that is blocked by its own credit is in no list. Streams of this end that the peer's limit
 * does not allow yet wait in the order in which they were opened.
 */
final class Turns {
    /** A frame with less than this is not begun at the end of a packet. */
    private static final int SCRAP_BYTES = 64;

    private final Map<Long, Stream> all;
    private final Places places;
    private final Counters.Counter resent;
    private final ArrayDeque<Stream> ready = new ArrayDeque<>();
    private final LinkedHashSet<Stream> held = new LinkedHashSet<>();
    private final ArrayDeque<Stream> control = new ArrayDeque<>();
    /** Streams of this end that the peer's limit does not allow yet, in the order in which they were opened. */
    private final ArrayDeque<Stream> early = new ArrayDeque<>();
    /** The first stream of this end that {@link #announce} has not shown to the peer. */
    private long announced;
    /** The credit for all streams together that the peer gave at first. */
    private long firstCreditBytes;

    private long creditBytes;
    private long sentBytes;
    /** Credit that was given back; it counts as sent. */
    private long returnedBytes;

    private boolean returnDue;

    /** @param all every stream of the connection, by its id */
    Turns(Map<Long, Stream> all, Places places, StreamConfig config, boolean lower, Counters counters) {
        this.all = all;
        this.places = places;
        announced = lower ? 2 : 1;
        firstCreditBytes = config.windowBytes();
        creditBytes = firstCreditBytes;
        resent = counters.of("stream.resent.bytes");
    }

    /** Sets the peer's first credit, before anything is sent. */
    void agreed(long windowBytes) {
        firstCreditBytes = windowBytes;
        creditBytes = windowBytes;
        holdBack();
        showEarly();
    }

    /** Makes streams wait that were opened before the peer told its limit, which is lower than was assumed. */
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

    /** A stream of this end was opened. */
    void opened(Stream s) {
        if (places.allows(s.id)) return;
        early.addLast(s);
        announce();
    }

    /**
     * While streams wait for a higher limit, shows the peer the allowed ones that have sent nothing yet: it raises the limit
     * only for streams that it has seen.
     */
    private void announce() {
        for (; places.allows(announced); announced += 2) {
            Stream s = all.get(announced);
            if (s == null) continue;
            s.creditDue = true;
            enqueueControl(s);
        }
    }

    private void showEarly() {
        for (Stream s; (s = early.peekFirst()) != null && places.allows(s.id); ) {
            early.removeFirst();
            enqueue(s);
            if (s.resetDue || s.stopDue || s.creditDue) enqueueControl(s);
        }
        if (!early.isEmpty()) announce();
    }

    void onMaxStreams(long maximum) {
        if (places.raise(maximum)) showEarly();
    }

    void onMaxData(long maximum) {
        if (maximum <= creditBytes) return;
        creditBytes = maximum;
        for (Stream s : held) enqueue(s);
        held.clear();
        returnCredit();
    }

    /**
     * Gives back the credit beyond the first window once there is no stream: the peer cannot take credit back, so its budget
     * would pay for it as long as the link lasts.
     */
    void returnCredit() {
        long more = creditBytes - sentBytes - firstCreditBytes;
        if (!all.isEmpty() || more <= 0) return;
        sentBytes += more;
        returnedBytes += more;
        returnDue = true;
    }

    int held() {
        return held.size();
    }

    /** A stream ended. */
    void remove(Stream s) {
        held.remove(s);
    }

    boolean hasControl() {
        return returnDue || places.isLimitDue() || !control.isEmpty();
    }

    boolean hasData() {
        while (true) {
            Stream s = ready.peekFirst();
            if (s == null) return false;
            if (s.send.hasLost()) return true;
            if (s.send.hasNew()) {
                if (sentBytes < creditBytes || s.send.nextLength(1) == 0) return true;
                hold(ready.removeFirst());
            } else {
                ready.removeFirst().queued = false;
            }
        }
    }

    void writeControl(FramesWriter out, SentPacket packet) {
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

    void writeData(FramesWriter out, byte[] buf, SentPacket packet) {
        int before = packet.frames();
        while (hasData()) {
            Stream s = ready.getFirst();
            long offset = s.send.nextOffset();
            int want = s.send.nextLength(creditBytes - sentBytes);
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

    /** A frame of a stream was lost. */
    void onLost(Stream s, SentPacket packet, int i) {
        switch (packet.kind(i)) {
            case Frames.STREAM -> {
                s.send.onLost(packet.offset(i), packet.length(i), packet.fin(i));
                enqueue(s);
                return;
            }
            case Frames.MAX_STREAM_DATA -> s.creditDue |= packet.offset(i) == s.receive.creditBytes();
            case Frames.RESET -> s.resetDue = !s.send.isDone();
            default -> s.stopDue = !s.receive.isDone();
        }
        enqueueControl(s);
    }

    /** A packet that gave credit back was lost. */
    void onReturnLost(long bytes) {
        returnDue |= bytes == returnedBytes;
    }

    /** Puts a stream that has only new bytes to send aside until the connection has credit again, or a loss brings it back. */
    private void hold(Stream s) {
        s.queued = false;
        held.add(s);
    }

    void enqueue(Stream s) {
        if (s.queued || !places.allowsFrames(s) || !(s.send.hasLost() || s.send.hasNew())) return;
        s.queued = true;
        ready.addLast(s);
    }

    void enqueueControl(Stream s) {
        if (s.controlQueued || !places.allowsFrames(s)) return;
        s.controlQueued = true;
        control.addLast(s);
    }
}
