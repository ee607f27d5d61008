package mcc.tunnel;

import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.function.Predicate;
import mcc.consortium.Subject;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.RateLimit;
import mcc.node.StreamPort;
import mcc.wire.pb.TunnelOpened;

/**
 * The far end of measurements: counts the bytes that come, drops them, and reports the count at the end.
 *
 * <p>Limits: {@link #ALL_MAX} at a time, {@link #PEER_MAX} of one peer, which may begin {@link #BURST} in a burst and then one
 * a second; each lasts {@link #LONGEST_MS} and takes {@link #BYTES_MAX} at most, and ends when nothing comes for
 * {@link #QUIET_MS}.
 */
final class Sink {
    static final int ALL_MAX = 16;
    static final int PEER_MAX = 2;
    private static final int BURST = 8;
    private static final int PEERS_KNOWN = 4_096;
    private static final long LONGEST_MS = (TunnelVerticle.MEASURE_MAX + 5) * 1_000L;
    private static final long QUIET_MS = 5_000;
    private static final long BYTES_MAX = 128L << 30;

    private final Vertx vertx;
    private final Counters counters;
    private final Shares<Id, Count> open = new Shares<>(ALL_MAX);
    private final RateLimit<Id> begun = new RateLimit<>(1, BURST, PEERS_KNOWN);

    Sink(Vertx vertx, Counters counters) {
        this.vertx = vertx;
        this.counters = counters;
    }

    /** Whether a peer may begin one more now; it counts as begun. */
    boolean admits(Id peer) {
        boolean room = open.of(peer) < PEER_MAX && open.hasRoom(peer) && begun.take(System.nanoTime(), peer);
        if (!room) counters.add("tunnel.measure.refused");
        return room;
    }

    /** Takes a stream whose opening asked for a measurement and that was admitted; {@code first} came behind it. */
    void take(StreamPort port, byte[] first) {
        Count count = new Count(port, first.length);
        Count other = open.add(port.peer(), count);
        if (other != null) other.cut("tunnel.measure.evicted");
        counters.add("tunnel.measure.served");
        count.begin();
    }

    /** There is a new policy: ends the measurements that it does not allow; returns how many. */
    int judgeAgain(Predicate<Subject> may) {
        int ended = 0;
        for (Count count : open.all()) {
            if (may.test(count.port.opener())) continue;
            count.cut("tunnel.measure.cut");
            ended++;
        }
        return ended;
    }

    /** What this process has used of the processors so far. */
    static long cpuNs() {
        return ProcessHandle.current()
                .info()
                .totalCpuDuration()
                .orElse(Duration.ZERO)
                .toNanos();
    }

    private final class Count {
        private final StreamPort port;
        private final long cpuNs = cpuNs();
        private final long firstNs = System.nanoTime();
        private long lastNs = firstNs;
        private long bytes;
        private long longest;
        private long quiet;

        Count(StreamPort port, long bytes) {
            this.port = port;
            this.bytes = bytes;
        }

        void begin() {
            longest = vertx.setTimer(LONGEST_MS, _ -> cut("tunnel.measure.cut"));
            quiet = vertx.setTimer(QUIET_MS, _ -> quiet());
            port.brokenHandler(_ -> leave());
            port.endHandler(() -> {
                if (!leave()) return;
                port.write(Envelope.measured(bytes, lastNs - firstNs, cpuNs() - cpuNs));
                port.end();
            });
            port.write(Envelope.opened(TunnelOpened.Code.OK, ""));
            port.bytesHandler((_, length) -> add(length));
            port.resume();
        }

        private void add(int more) {
            bytes += more;
            lastNs = System.nanoTime();
            if (bytes > BYTES_MAX) cut("tunnel.measure.cut");
        }

        private void quiet() {
            long leftMs = QUIET_MS - (System.nanoTime() - lastNs) / 1_000_000;
            if (leftMs <= 0) cut("tunnel.measure.cut");
            else quiet = vertx.setTimer(leftMs, _ -> quiet());
        }

        /** Gives its place back; false if it had none any more. */
        private boolean leave() {
            vertx.cancelTimer(longest);
            vertx.cancelTimer(quiet);
            return open.remove(this);
        }

        void cut(String counter) {
            leave();
            counters.add(counter);
            port.cancel();
        }
    }
}
