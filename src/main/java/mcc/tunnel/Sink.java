package mcc.tunnel;

import io.vertx.core.Vertx;
import java.time.Duration;
import mcc.node.StreamPort;
import mcc.wire.pb.TunnelOpened;

/** The far end of measurements: counts what comes, forgets it, and tells at its end. One at a time. */
final class Sink {
    private static final long TOO_LONG_MS = (TunnelVerticle.MEASURE_MAX + 30) * 1_000L;

    private final Vertx vertx;
    private boolean busy;

    Sink(Vertx vertx) {
        this.vertx = vertx;
    }

    boolean isBusy() {
        return busy;
    }

    /** Takes a stream whose opening asked for a measurement; {@code first} came behind it. */
    void take(StreamPort port, byte[] first) {
        busy = true;
        Count count = new Count(first.length);
        long timer = vertx.setTimer(TOO_LONG_MS, _ -> {
            port.cancel();
            busy = false;
        });
        port.brokenHandler(_ -> {
            if (vertx.cancelTimer(timer)) busy = false;
        });
        port.endHandler(() -> {
            if (vertx.cancelTimer(timer)) busy = false;
            port.write(Envelope.measured(count.bytes, count.lastNs - count.firstNs, cpuNs() - count.cpuNs));
            port.end();
        });
        port.write(Envelope.opened(TunnelOpened.Code.OK, ""));
        port.bytesHandler((_, length) -> count.add(length));
        port.resume();
    }

    /** What this process has used of the processors so far. */
    static long cpuNs() {
        return ProcessHandle.current()
                .info()
                .totalCpuDuration()
                .orElse(Duration.ZERO)
                .toNanos();
    }

    private static final class Count {
        final long cpuNs = cpuNs();
        final long firstNs = System.nanoTime();
        long lastNs = firstNs;
        long bytes;

        Count(long bytes) {
            this.bytes = bytes;
        }

        void add(int more) {
            bytes += more;
            lastNs = System.nanoTime();
        }
    }
}
