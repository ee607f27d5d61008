package mcc.stream;

import java.util.function.LongSupplier;
import mcc.core.Core;
import mcc.wire.Frames;
import mcc.wire.FramesWriter;

/**
 * How much the peer may send on all streams together, and the memory for it: each connection has its first window, and all
 * beyond that is charged to the node's budget.
 */
final class ReceiveCredit {
    /** How long until the budget is asked again, if it refused what a connection waits for. */
    private static final long AGAIN_NS = 1_000_000_000;

    private final StreamConfig config;
    private final LongSupplier smoothedRttNs;
    private final Budget budget;
    private final WindowTuner tuner = new WindowTuner();
    /** The memory of bytes that came and were not read yet. */
    final ByteWindow.Pool pool;

    private long windowBytes;
    private long creditBytes;
    private long receivedBytes;
    private long readBytes;
    private boolean due;
    /** Credit that the peer gave back, in all. */
    private long unusedBytes;
    /** Taken from the node's budget, for credit beyond the first window. */
    private long chargedBytes;
    /** Bytes held in the first window, as the budget was told last. */
    private long talliedBytes;
    /** When to ask the budget again. */
    private long againNs = Core.NEVER;

    ReceiveCredit(StreamConfig config, LongSupplier smoothedRttNs, Budget budget) {
        this.config = config;
        this.smoothedRttNs = smoothedRttNs;
        this.budget = budget;
        pool = new ByteWindow.Pool(budget.spare);
        windowBytes = config.windowBytes();
        creditBytes = config.windowBytes();
    }

    /** Whether this connection holds all that it may, or more. */
    boolean isFull() {
        long used = pool.usedBytes();
        boolean spent = used >= config.windowBytes() + chargedBytes && budget.freeBytes() == 0;
        return spent || used >= 2 * config.maxWindowBytes();
    }

    /**
     * Whether this connection would hold more in its first window although the first windows of all connections together are
     * full.
     */
    boolean isCrowdedOut() {
        return budget.isFilled() && pool.usedBytes() >= chargedBytes;
    }

    /** Counts new bytes of the peer; false when they exceed its credit. */
    boolean take(long bytes) {
        if (receivedBytes + bytes > creditBytes) return false;
        receivedBytes += bytes;
        return true;
    }

    /** The peer gives back credit, {@code bytes} in all so far; false when it does not have that much. */
    boolean unused(long bytes) {
        long more = Math.max(0, bytes - unusedBytes);
        if (more > creditBytes - receivedBytes) return false;
        unusedBytes += more;
        receivedBytes += more;
        readBytes += more;
        settle();
        return true;
    }

    /** Returns how large the window of a stream may be whose reader could use {@code wanted} bytes. */
    long share(long wanted) {
        widen(wanted + wanted / 2);
        // A third is left to the other streams, in case this one's reader stops.
        return Math.min(wanted, windowBytes - windowBytes / 3);
    }

    /** Bytes were read, or never will be. */
    void onRead(long nowNs, long bytes) {
        readBytes += bytes;
        if (bytes == 0) return;
        widen(tuner.next(nowNs, smoothedRttNs.getAsLong(), readBytes - unusedBytes, windowBytes));
        if (readBytes + windowBytes - creditBytes >= windowBytes / WindowTuner.STEPS) {
            creditBytes = readBytes + windowBytes;
            due = true;
        } else extend(nowNs); // the budget may have refused it before
        settle();
    }

    /** Lets the window grow, as far as the node's budget allows. */
    private void widen(long wanted) {
        long wider = Math.min(wanted, config.maxWindowBytes());
        if (wider > windowBytes && charge(Math.max(wider, creditBytes - readBytes))) windowBytes = wider;
    }

    /**
     * Gives more credit when streams whose readers stopped, or gaps, hold most of the window: otherwise they would hold up all
     * other streams of this peer. If the budget is spent, a timer tries this again, because the peer may be unable to send
     * anything that would.
     */
    void extend(long nowNs) {
        boolean held = receivedBytes - readBytes > windowBytes / 2;
        if (!held || creditBytes - receivedBytes > windowBytes / 3) return;
        long more = creditBytes + windowBytes / 2;
        if (more - readBytes > 2 * config.maxWindowBytes()) return;
        if (!charge(more - readBytes)) {
            askAgain(nowNs);
            return;
        }
        creditBytes = more;
        due = true;
    }

    /** Gives back to the budget what is no longer promised. */
    void settle() {
        charge(Math.max(windowBytes, creditBytes - readBytes));
    }

    /** The last stream ended: goes back to the first window. */
    void restart() {
        windowBytes = config.windowBytes();
        settle();
    }

    /** Charges what is held beyond what was promised: partly filled chunks, and ranges. */
    void chargeHeld() {
        long more = Math.max(0, pool.usedBytes() - config.windowBytes() - chargedBytes);
        budget.use(more);
        chargedBytes += more;
        tally();
    }

    private boolean charge(long promisedBytes) {
        long atLeast = Math.max(promisedBytes, pool.usedBytes()) - config.windowBytes();
        long more = Math.max(0, atLeast) - chargedBytes;
        boolean given = more <= 0 || budget.take(more);
        if (more < 0) budget.give(-more);
        if (given) chargedBytes += more;
        tally();
        return given;
    }

    /** Tells the budget how much is held in the first window. */
    private void tally() {
        long uncharged = Math.max(0, pool.usedBytes() - chargedBytes);
        budget.hold(uncharged - talliedBytes);
        talliedBytes = uncharged;
    }

    /** Gives everything back to the budget. */
    void discard() {
        budget.give(chargedBytes);
        budget.hold(-talliedBytes);
        talliedBytes = 0;
        chargedBytes = 0;
    }

    /** When {@link #tick} is due. */
    long deadlineNs() {
        return againNs;
    }

    /** Plans to ask the budget again: the peer may be unable to send anything that would cause it. */
    void askAgain(long nowNs) {
        if (againNs == Core.NEVER) againNs = nowNs + AGAIN_NS;
    }

    /** Asks the budget again when that is due; false when it is not. */
    boolean tick(long nowNs) {
        if (nowNs < againNs) return false;
        againNs = Core.NEVER;
        extend(nowNs);
        return true;
    }

    boolean isDue() {
        return due;
    }

    void write(FramesWriter out, SentPacket packet) {
        if (!due || !out.maxData(creditBytes)) return;
        due = false;
        packet.add(Frames.MAX_DATA, 0, creditBytes, 0, false);
    }

    /** A packet with credit was lost: the credit is sent again if it is still the newest. */
    void onLost(long bytes) {
        due |= bytes == creditBytes;
    }
}
