package mcc.stream;

/**
 * The sending direction of one stream: what was written and is not yet acknowledged.
 *
 * <p>Open: finish -> Open with an end; end and all bytes acknowledged -> Done; abandon -> Abandoned. Abandoned: reset
 * acknowledged -> Done. Lost bytes are kept as ranges of the stream, so that they can be cut anew for any packet.
 */
final class SendHalf {
    private final ByteWindow bytes;
    private final Ranges acked = new Ranges();
    private final Ranges lost = new Ranges();
    /** What was sent more than once and is not yet acknowledged. */
    private final Ranges resent = new Ranges();
    /** What was lost again: it is sent twice, so that it does not hold up all behind it for yet another round. */
    private final Ranges lostAgain = new Ranges();

    /** All below is acknowledged. */
    private long base;
    /** All from here on was never sent. */
    private long sent;
    /** All from here on was never written. */
    private long written;
    /** The peer takes bytes below this. */
    private long creditBytes;

    private boolean ending;
    private boolean finSent;
    private boolean finLost;
    private boolean finAcked;
    private boolean abandoned;
    private boolean done;

    SendHalf(ByteWindow.Pool pool, long creditBytes) {
        bytes = new ByteWindow(pool);
        this.creditBytes = creditBytes;
    }

    boolean isOpen() {
        return !ending && !abandoned;
    }

    boolean isAbandoned() {
        return abandoned;
    }

    boolean isDone() {
        return done;
    }

    long heldBytes() {
        return written - base;
    }

    long sentBytes() {
        return sent;
    }

    void write(byte[] src, int off, int length) {
        bytes.write(written, src, off, length);
        written += length;
    }

    void finish() {
        ending = true;
    }

    /** Forgets all bytes: a reset is sent instead. */
    void abandon() {
        if (done) return;
        abandoned = true;
        written = base;
        bytes.release(0, true);
        acked.clear();
        lost.clear();
        resent.clear();
        lostAgain.clear();
    }

    /** Sets the peer's credit for a new stream, known only now; nothing was sent yet. */
    void firstCredit(long bytes) {
        creditBytes = bytes;
    }

    void onCredit(long maximum) {
        creditBytes = Math.max(creditBytes, maximum);
    }

    boolean hasLost() {
        return !abandoned && (finLost || !lost.isEmpty());
    }

    /** Returns whether bytes, or the end, can be sent for the first time as far as this stream's own credit goes. */
    boolean hasNew() {
        return !abandoned && (sent < written ? sent < creditBytes : ending && !finSent);
    }

    /** Where the next frame starts. */
    long nextOffset() {
        if (!lost.isEmpty()) return lost.start(0);
        return sent;
    }

    /** How long the next frame may be; {@code connectionBytes} is the connection's credit left for new bytes. */
    int nextLength(long connectionBytes) {
        if (!lost.isEmpty()) return (int) Math.min(Integer.MAX_VALUE, lost.end(0) - lost.start(0));
        long limit = Math.min(Math.min(written, creditBytes), sent + connectionBytes);
        return (int) Math.min(Integer.MAX_VALUE, Math.max(0, limit - sent));
    }

    boolean endsAt(long offset) {
        return ending && offset == written;
    }

    /** Copies the bytes of a frame that is being sent; returns how many of them are sent for the first time. */
    int send(long offset, int length, boolean fin, byte[] dst, int off) {
        if (length > 0) bytes.read(offset, dst, off, length);
        lost.remove(offset, offset + length);
        if (fin) {
            finSent = true;
            finLost = false;
        }
        if (offset != sent) {
            resent.add(offset, offset + length);
            int i = lostAgain.firstEndingAfter(offset);
            if (i < lostAgain.count() && lostAgain.start(i) < offset + length) {
                lost.add(Math.max(offset, lostAgain.start(i)), Math.min(offset + length, lostAgain.end(i)));
                lostAgain.remove(offset, offset + length);
            }
            return 0;
        }
        sent += length;
        return length;
    }

    void onAcked(long offset, int length, boolean fin) {
        if (fin) {
            finAcked = true;
            finLost = false;
        }
        if (!abandoned && length > 0) {
            lost.remove(offset, offset + length);
            resent.remove(offset, offset + length);
            lostAgain.remove(offset, offset + length);
            if (offset > base) {
                acked.add(offset, offset + length);
            } else if (offset + length > base) {
                base = offset + length;
                while (!acked.isEmpty() && acked.start(0) <= base) {
                    base = Math.max(base, acked.end(0));
                    acked.removeFirst();
                }
                bytes.release(base, base == written);
            }
        }
        if (!abandoned && finAcked && base == written) done = true;
    }

    void onLost(long offset, int length, boolean fin) {
        if (abandoned) return;
        if (fin && !finAcked) finLost = true;
        long start = Math.max(offset, base);
        long end = offset + length;
        if (start >= end) return;
        lost.add(start, end);
        int again = resent.firstEndingAfter(start);
        if (again < resent.count() && resent.start(again) < end) lostAgain.add(start, end);
        for (int i = acked.firstEndingAfter(start); i < acked.count() && acked.start(i) < end; i++) {
            lost.remove(acked.start(i), acked.end(i));
            lostAgain.remove(acked.start(i), acked.end(i));
        }
    }

    void onResetAcked() {
        if (abandoned) done = true;
    }
}
