package mcc.tunnel;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import mcc.core.Id;
import mcc.link.Peer;
import mcc.node.Bus;
import mcc.node.NodeEvent;
import mcc.node.Problem;
import mcc.node.SessionVerticle;
import mcc.node.StreamPort;
import mcc.wire.Contact;
import mcc.wire.pb.Measured;
import mcc.wire.pb.TunnelOpened;
import org.jspecify.annotations.Nullable;

/**
 * Measures how fast bytes get to another node, and at what cost: fills a stream for some seconds, with the shipped defaults.
 * What counts is what arrived: each second, by the far end's acknowledgements; at the end, by its own count.
 *
 * <p>Opening → filling (an event each second) → waiting for the far end's count → finished; or failed, from anywhere.
 */
final class Measurement {
    private static final byte[] BLOCK = new byte[65_536];
    private static final long STEP_MS = 1_000;
    private static final long LAST_WORD_MS = 15_000;

    private final Vertx vertx;
    private final Bus bus;
    private final String id;
    private final Id peer;
    private final int seconds;
    private final Runnable ended;
    private final Envelope answer = new Envelope();
    private final Envelope result = new Envelope();
    private final List<Double> loadedMs = new ArrayList<>();
    private final List<Long> lostPpm = new ArrayList<>();
    private boolean accepted;
    private boolean over;
    private boolean filling;
    private long bytes;
    private long arrivedBytes;
    private long arrivedNs;
    private long startCpuNs;
    private double idleMs;
    private int step;
    private long stepTimer = -1;
    private long lastTimer = -1;

    private Measurement(Vertx vertx, Bus bus, String id, Id peer, int seconds, Runnable ended) {
        this.vertx = vertx;
        this.bus = bus;
        this.id = id;
        this.peer = peer;
        this.seconds = seconds;
        this.ended = ended;
    }

    /** Begins; results are the events {@code bench.progress}, and {@code bench.finished} or {@code bench.failed}. */
    static void begin(Vertx vertx, Context context, Bus bus, String id, Contact to, int seconds, Runnable ended) {
        Measurement m = new Measurement(vertx, bus, id, to.node(), seconds, ended);
        m.peer()
                .compose(peer -> {
                    m.idleMs = peer == null ? 0 : peer.rttNs() / 1e6;
                    return bus.ask(Bus.SESSION, new SessionVerticle.Query.Open(to));
                })
                .onSuccess(port -> m.open(port, context))
                .onFailure(e -> m.fail(null, Problem.text(e)));
    }

    private Future<@Nullable Peer> peer() {
        return bus.ask(Bus.SESSION, new SessionVerticle.Query.Peers()).map(all -> {
            for (Peer each : all) if (each.id().equals(peer)) return each;
            return null;
        });
    }

    private void open(StreamPort port, Context context) {
        port.brokenHandler(_ -> fail(port, "the node cannot be reached, or broke the stream off"));
        port.endHandler(() -> finish(port));
        port.bytesHandler((bytes, length) -> onBytes(port, bytes, length));
        port.drainHandler(() -> fill(port));
        port.attach(context);
        port.write(Envelope.measure());
        lastTimer = vertx.setTimer(LAST_WORD_MS, _ -> fail(port, "the node did not answer"));
    }

    private void onBytes(StreamPort port, byte[] bytes, int length) {
        if (accepted) {
            onResult(port, bytes, length);
            return;
        }
        if (!answer.take(bytes, length)) {
            if (answer.isMalformed()) fail(port, "the node answered nonsense");
            return;
        }
        TunnelOpened said = answer.answer();
        if (said == null || said.getCode() != TunnelOpened.Code.OK) {
            fail(port, said == null ? "the node answered nonsense" : said.getDetail());
            return;
        }
        vertx.cancelTimer(lastTimer);
        accepted = true;
        filling = true;
        startCpuNs = Sink.cpuNs();
        arrivedNs = System.nanoTime();
        byte[] rest = answer.rest();
        onResult(port, rest, rest.length);
        if (over) return;
        stepTimer = vertx.setPeriodic(STEP_MS, _ -> step(port));
        fill(port);
    }

    /**
     * Takes the one message that the far end sends after its answer; fails at once if more comes, or what cannot become a
     * message.
     */
    private void onResult(StreamPort port, byte[] bytes, int length) {
        boolean nonsense = result.take(bytes, length) ? result.rest().length > 0 : result.isMalformed();
        if (nonsense) fail(port, "the node answered nonsense");
    }

    private void fill(StreamPort port) {
        while (filling && !port.isFull()) {
            if (!port.write(BLOCK)) return;
            bytes += BLOCK.length;
        }
    }

    private void step(StreamPort port) {
        long nowNs = System.nanoTime();
        long arrived = bytes - port.unacknowledgedBytes();
        long bitsPerSecond = (long) ((arrived - arrivedBytes) * 8e9 / (nowNs - arrivedNs));
        arrivedBytes = arrived;
        arrivedNs = nowNs;
        step++;
        boolean last = step == seconds;
        if (last) {
            vertx.cancelTimer(stepTimer);
            filling = false;
            port.end();
            lastTimer = vertx.setTimer(LAST_WORD_MS, _ -> fail(port, "the node did not say what it received"));
        }
        peer().onSuccess(now -> {
            if (over || now == null) return;
            loadedMs.add(now.rttNs() / 1e6);
            lostPpm.add(now.lossPpm());
            event(
                    "bench.progress",
                    new JsonObject()
                            .put("second", step)
                            .put("bitsPerSecond", bitsPerSecond)
                            .put("rttMs", now.rttNs() / 1e6)
                            .put("lossPpm", now.lossPpm()));
        });
    }

    private void finish(StreamPort port) {
        Measured far = result.take(new byte[0], 0) ? result.measured() : null;
        if (far == null || filling) {
            fail(port, "the node ended the stream before its time");
            return;
        }
        long hereNs = Sink.cpuNs() - startCpuNs;
        peer().onComplete(now -> {
            if (!end()) return;
            double gbit = far.getBytes() * 8 / 1e9;
            loadedMs.sort(null);
            lostPpm.sort(null);
            Peer peer = now.succeeded() ? now.result() : null;
            event(
                    "bench.finished",
                    new JsonObject()
                            .put("bytes", far.getBytes())
                            .put("tookMs", far.getTookNs() / 1_000_000)
                            .put("bitsPerSecond", far.getTookNs() <= 0 ? 0 : (long) (gbit * 1e18 / far.getTookNs()))
                            .put("rttIdleMs", idleMs)
                            .put("rttLoadedMs", loadedMs.isEmpty() ? null : loadedMs.get(loadedMs.size() / 2))
                            .put("lossPpm", lostPpm.isEmpty() ? null : lostPpm.get(lostPpm.size() / 2))
                            .put("path", peer == null ? "none" : peer.kind())
                            .put("cpuSecondsPerGbitHere", gbit == 0 ? null : hereNs / 1e9 / gbit)
                            .put("cpuSecondsPerGbitThere", gbit == 0 ? null : far.getCpuNs() / 1e9 / gbit));
        });
    }

    private void fail(@Nullable StreamPort port, String reason) {
        if (!end()) return;
        if (port != null) port.cancel();
        event("bench.failed", new JsonObject().put("reason", reason));
    }

    private boolean end() {
        if (over) return false;
        over = true;
        filling = false;
        vertx.cancelTimer(stepTimer);
        vertx.cancelTimer(lastTimer);
        ended.run();
        return true;
    }

    private void event(String type, JsonObject data) {
        bus.publish(Bus.EVENTS, new NodeEvent(type, data.put("id", id).put("peer", peer.toString())));
    }
}
