package mcc.tunnel;

import io.vertx.core.Vertx;

/** Ends a connection through which nothing passed for as long as its forward or its service allows. */
final class IdleMeter implements Splice.Meter {
    private final Vertx vertx;
    private final long idleNs;
    private final Runnable cut;
    private final Splice.Meter counted;
    private long usedNs = System.nanoTime();
    private long timer;

    private IdleMeter(Vertx vertx, long idleMs, Runnable cut, Splice.Meter counted) {
        this.vertx = vertx;
        idleNs = idleMs * 1_000_000;
        this.cut = cut;
        this.counted = counted;
        timer = vertx.setTimer(idleMs, _ -> look());
    }

    /** Wraps a meter; returns it unchanged if there is no limit. */
    static Splice.Meter around(Vertx vertx, long idleMs, Runnable cut, Splice.Meter counted) {
        return idleMs == 0 ? counted : new IdleMeter(vertx, idleMs, cut, counted);
    }

    private void look() {
        long leftNs = usedNs + idleNs - System.nanoTime();
        if (leftNs <= 0) cut.run();
        else timer = vertx.setTimer(Math.max(1, leftNs / 1_000_000), _ -> look());
    }

    @Override
    public void sent(int bytes) {
        usedNs = System.nanoTime();
        counted.sent(bytes);
    }

    @Override
    public void received(int bytes) {
        usedNs = System.nanoTime();
        counted.received(bytes);
    }

    @Override
    public void done(boolean broken) {
        vertx.cancelTimer(timer);
        counted.done(broken);
    }
}
