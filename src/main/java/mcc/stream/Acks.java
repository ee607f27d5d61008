package mcc.stream;

import mcc.core.Core;
import mcc.wire.Frames;
import mcc.wire.FramesWriter;

/**
 * The packets that have arrived, and when to acknowledge them (RFC 9000 section 13.2, draft-ietf-quic-ack-frequency).
 *
 * <p>An acknowledgement is due at once after a FIN, and when 16 gaps were not reported yet: it holds 64 runs of packets, so
 * that each gap is reported at least three times. During the first 100 packets it is also due at once after a gap, a CE mark
 * or every second packet. After those, a gap, a CE mark or 10 packets make it due, but no sooner after the last one than a
 * quarter of the round-trip time, limited to 0.1 to 1 ms: otherwise a fast path would cost one for every 10 packets, and a
 * path that loses or reorders packets one for every gap. In any case it is due a quarter of the round-trip time after a
 * packet, limited to 1 to 25 ms. A packet that goes out anyway carries one if two packets were not acknowledged yet, or if one
 * was not and the last acknowledgement is a millisecond old: a peer that sends hardly anything but acknowledgements measures
 * its round trip by that one packet, if no other arrived since.
 */
final class Acks {
    static final long MAX_DELAY_NS = 25_000_000;
    private static final long MIN_DELAY_NS = 1_000_000;
    private static final int MAX_RANGES = 1_024;
    private static final int EARLY_PACKETS = 100;
    private static final int THRESHOLD = 10;
    private static final long MIN_INTERVAL_NS = 100_000;
    private static final long MAX_INTERVAL_NS = 1_000_000;
    private static final int MAX_GAPS = Frames.MAX_ACK_RANGES / 4;

    private final Ranges received = new Ranges();
    private final long[] runs = new long[2 * Frames.MAX_ACK_RANGES];
    private long largest;
    private long largestNs;
    private long ceCount;
    private long asking;
    private int pending;
    private int gaps;
    private long toldNs;
    private boolean immediate;
    private long dueNs = Core.NEVER;
    /** The peer received an acknowledgement with this largest number: what it said need not be reported again. */
    private long floor;
    /** Packets below this number are treated as duplicates. */
    private long forgotten = 1;

    /** Returns whether the packet is new. */
    boolean isNew(long number) {
        return number >= forgotten && (number > largest || !received.contains(number));
    }

    /**
     * Notes a new packet.
     *
     * @param asks whether it asks for an acknowledgement
     * @param urgent whether it asks for one at once
     */
    void onPacket(long nowNs, long number, boolean asks, boolean ce, boolean urgent, long rttNs) {
        boolean gap = number != largest + 1;
        received.add(number, number + 1);
        if (received.count() > MAX_RANGES) {
            forgotten = received.end(0);
            received.removeFirst();
        }
        if (number > largest) {
            largest = number;
            largestNs = nowNs;
        }
        if (ce) ceCount++;
        if (!asks) return;
        asking++;
        pending++;
        if (gap) gaps++;
        boolean early = asking <= EARLY_PACKETS;
        if (urgent || gaps >= MAX_GAPS || (early && (gap || ce || pending >= 2))) immediate = true;
        long latestNs = nowNs + Math.clamp(rttNs / 4, MIN_DELAY_NS, MAX_DELAY_NS);
        if (gap || ce || pending >= THRESHOLD) {
            long intervalNs = Math.clamp(rttNs / 4, MIN_INTERVAL_NS, MAX_INTERVAL_NS);
            latestNs = Math.min(latestNs, Math.max(nowNs, toldNs + intervalNs));
        }
        dueNs = Math.min(dueNs, latestNs);
    }

    /** The last acknowledgements may be lost: tells again at once. */
    void repeat() {
        if (largest > 0) immediate = true;
    }

    /** Lets time pass. */
    void tick(long nowNs) {
        if (nowNs >= dueNs) immediate = true;
    }

    /** Returns whether a packet must go out just to acknowledge. */
    boolean isDue(long nowNs) {
        return immediate || nowNs >= dueNs;
    }

    /** Returns whether a packet that goes out anyway should carry an acknowledgement. */
    boolean isUseful(long nowNs) {
        return pending >= 2 || immediate || pending == 1 && nowNs - toldNs >= MAX_INTERVAL_NS;
    }

    /** Returns when an acknowledgement is due; {@link Core#NEVER} when none waits for its time. */
    long deadlineNs() {
        return immediate ? Core.NEVER : dueNs;
    }

    /** Writes an acknowledgement; returns its largest packet number, 0 when it did not fit. */
    long write(long nowNs, FramesWriter out) {
        int count = 0;
        for (int i = received.count() - 1; i >= 0 && count < runs.length - 1; i--) {
            if (count > 0) {
                if (received.end(i) <= floor) break;
                runs[count++] = received.start(i + 1) - received.end(i);
            }
            runs[count++] = received.end(i) - received.start(i);
        }
        if (count == 0 || !out.ack(largest, (nowNs - largestNs) / 1_000, ceCount, runs, count)) return 0;
        pending = 0;
        gaps = 0;
        toldNs = nowNs;
        immediate = false;
        dueNs = Core.NEVER;
        return largest;
    }

    /** The peer has received an acknowledgement whose largest packet number this was. */
    void onAckReceived(long ackLargest) {
        floor = Math.max(floor, ackLargest);
    }
}
