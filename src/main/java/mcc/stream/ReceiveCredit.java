package mcc.stream;

import java.util.function.LongSupplier;
import mcc.core.Core;
import mcc.wire.Frames;
import mcc.wire.FramesWriter;

/**
 * What the peer may send on all streams together, and the memory that takes: the first window is every connection's own,
 * all beyond it is charged to the node's budget.
 */
final class ReceiveCredit {
    /** How soon to ask the budget again for what holds up a connection. */
    private static final long AGAIN_NS = 1_000_000_000;

    private final Config config;
    private final LongSupplier smoothedRttNs;
    private final Budget budget;
    private final WindowTuner tuner = new WindowTuner();
    /** Of what came and is not read yet. */
    final ByteWindow.Pool pool;

    private long windowBytes;
    private long creditBytes;
    private long receivedBytes;
    private long readBytes;
    private boolean due;
    /** What the peer gave back of its credit. */
    private long unusedBytes;
    /** Of the node's budget, for credit beyond the first window. */
    private long chargedBytes;
    /** What it knows to be held that was not charged. */
    private long talliedBytes;
    /** When to ask it again. */
    private long againNs = Core.NEVER;

    ReceiveCredit(Config config, LongSupplier smoothedRttNs, Budget budget) {
        this.config = config;
        this.smoothedRttNs = smoothedRttNs;
        this.budget = budget;
        pool = new ByteWindow.Pool(budget.spare);
        windowBytes = config.windowBytes();
        creditBytes = config.windowBytes();
    }

    /** Whether all that this connection may hold is held, or more. */
    boolean isFull() {
        long used = pool.usedBytes();
        boolean spent = used >= config.windowBytes() + chargedBytes && budget.freeBytes() == 0;
        return spent || used >= 2 * config.maxWindowBytes();
    }

    /** Whether it would be held in the first window, and the first windows of all are too full. */
    boolean isCrowdedOut() {
        return budget.isFilled() && pool.usedBytes() >= chargedBytes;
    }

    /** Counts bytes that the peer sent beyond what it had; false where they go beyond its credit. */
    boolean take(long bytes) {
        if (receivedBytes + bytes > creditBytes) return false;
        receivedBytes += bytes;
        return true;
    }

    /** The peer will not send so much of what it may, in all so far; false where it may not send as much. */
    boolean unused(long bytes) {
        long more = Math.max(0, bytes - unusedBytes);
        if (more > creditBytes - receivedBytes) return false;
        unusedBytes += more;
        receivedBytes += more;
        readBytes += more;
        settle();
        return true;
    }

    /** How wide the window of one stream may be, if it can be as wide as it wants. */
    long share(long wanted) {
        widen(wanted + wanted / 2);
        // A third is left to the others, should this one be read no more.
        return Math.min(wanted, windowBytes - windowBytes / 3);
    }

    /** Bytes were read, or will never be. */
    void onRead(long nowNs, long bytes) {
        readBytes += bytes;
        if (bytes == 0) return;
        widen(tuner.next(nowNs, smoothedRttNs.getAsLong(), readBytes - unusedBytes, windowBytes));
        if (readBytes + windowBytes - creditBytes >= windowBytes / WindowTuner.STEPS) {
            creditBytes = readBytes + windowBytes;
            due = true;
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

    /** Gives back what of the budget is no longer promised. */
    void settle() {
        charge(Math.max(windowBytes, creditBytes - readBytes));
    }

    /** The last stream is over: the window is the first again. */
    void restart() {
        windowBytes = config.windowBytes();
        settle();
    }

    /** Charges what is held beyond what was promised: chunks in part full, and ranges. */
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

    /** Tells the budget what is held in the first window. */
    private void tally() {
        long uncharged = Math.max(0, pool.usedBytes() - chargedBytes);
        budget.hold(uncharged - talliedBytes);
        talliedBytes = uncharged;
    }

    /** Gives all of the budget back. */
    void discard() {
        budget.give(chargedBytes);
        budget.hold(-talliedBytes);
        talliedBytes = 0;
        chargedBytes = 0;
    }

    /** When to {@link #extend} again. */
    long deadlineNs() {
        return againNs;
    }

    /** Nothing may come any more that would ask the budget: to be asked again in a while. */
    void askAgain(long nowNs) {
        if (againNs == Core.NEVER) againNs = nowNs + AGAIN_NS;
    }

    /** Asks the budget again, when it is time to; false when it is not. */
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

    /** A packet that told the peer of credit was lost. */
    void onLost(long bytes) {
        due |= bytes == creditBytes;
    }
}
