package mcc.tunnel;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.util.ArrayDeque;
import java.util.function.BiConsumer;
import java.util.function.Function;
import mcc.core.Counters;
import org.jspecify.annotations.Nullable;

/**
 * Flows of datagrams, each with a far end of its own, by a key that names the client or the service.
 *
 * <p>A flow: opening (its datagrams wait) → draining (what waited leaves as the far end takes it) → open → over, when its far
 * end is or when it was unused for too long; or failed, and opened again by a datagram that comes {@link #AGAIN_NS} later. An
 * open flow whose far end has been silent for {@link #SILENT_NS} though an answer is due gets another far end as soon as one
 * is found.
 *
 * <p>Limits: {@link #FLOWS_MAX} flows; {@link #WAITING_BYTES_MAX} waiting in all of them, of which one flow has at most half of
 * what the others leave; the limits of the node ({@link Owner#mayOpen}).
 *
 * @param <K> tells flows apart
 */
final class UdpFlows<K> {
    /** The owner of the flows. */
    interface Owner<K> {
        /** Whether the node has room for one more flow. */
        boolean mayOpen();

        /** Opens the far end of a flow. */
        Future<? extends FlowEnd> open(K key);

        /** A flow begins; {@link #over} is called for each. */
        void opened();

        void sent(int bytes);

        void received(int bytes);

        /** A far end is silent: the next one to be opened should be another. */
        void silent(FlowEnd end);

        /**
         * A flow is over.
         *
         * @param end its far end; null when there never was one
         * @param broken whether it failed
         */
        void over(@Nullable FlowEnd end, boolean broken);
    }

    /** Flows of one owner. */
    static final int FLOWS_MAX = 4_096;

    static final int WAITING_BYTES_MAX = 4 << 20;
    static final long AGAIN_NS = 1_000_000_000L;
    /** How long a far end may be silent before another one is looked for. */
    static final long SILENT_NS = 1_500_000_000L;

    /** What a waiting datagram costs besides its bytes. */
    private static final int ENTRY_BYTES = 64;
    /** A far end gets more of what waited only while it has fewer bytes than this to send. */
    private static final int BACKLOG_BYTES = 16 * 1_024;

    private static final long DRAIN_MS = 2;
    /** What still waits this long after the far end was opened is sent at once: the path is slower than the sender. */
    private static final long DRAIN_MAX_NS = 1_000_000_000L;

    private final Vertx vertx;
    private final Owner<K> owner;
    private final BiConsumer<K, byte[]> answers;
    private final Counters counters;
    private final Flows<K, Flow> flows;
    private int waitingBytes;

    /**
     * @param idleNs a flow ends after this long without a datagram
     * @param client whose a flow is, by its key: where there are too many, whoever has most of them loses one
     * @param answers takes what far ends send, to hand it back
     */
    UdpFlows(
            Vertx vertx,
            int max,
            long idleNs,
            Function<K, Object> client,
            Owner<K> owner,
            BiConsumer<K, byte[]> answers,
            Counters counters) {
        this.vertx = vertx;
        this.owner = owner;
        this.answers = answers;
        this.counters = counters;
        flows = new Flows<>(max, idleNs, client);
    }

    /** The bytes that wait for far ends, with what each datagram costs besides. */
    int waitingBytes() {
        return waitingBytes;
    }

    /** Ends flows that were unused for too long; to be called once a second. */
    void expire(long nowNs) {
        flows.expire(nowNs, flow -> {
            if (flow.opening) { // its far end may take longer to answer than a short idle time
                flows.add(nowNs, flow.key, flow);
                return;
            }
            counters.add("tunnel.flow.idle");
            flow.end();
        });
    }

    /** Looks for silent far ends; to be called several times a second. */
    void watch(long nowNs) {
        for (Flow flow : flows.all()) flow.watch(nowNs);
    }

    void close() {
        for (Flow flow : flows.all()) {
            flows.remove(flow.key, flow);
            flow.end();
        }
    }

    int size() {
        return flows.size();
    }

    /** Ends the flow unused for longest, for one of another owner; false if there is none. */
    boolean giveWay() {
        return evict(flows.removeEldest());
    }

    /** Sends a datagram, which the caller must not touch again, on the flow of a key. */
    void send(K key, byte[] bytes) {
        long nowNs = System.nanoTime();
        Flow flow = flows.use(nowNs, key);
        if (flow == null) {
            if (!owner.mayOpen() && !evict(flows.giveWay(key))) {
                counters.add("tunnel.flow.refused");
                return;
            }
            flow = new Flow(key);
            evict(flows.add(nowNs, key, flow));
            owner.opened();
            flow.open();
        }
        flow.send(nowNs, bytes);
    }

    private boolean evict(@Nullable Flow flow) {
        if (flow == null) return false;
        counters.add("tunnel.flow.evicted");
        flow.end();
        return true;
    }

    private final class Flow {
        private final K key;
        private final ArrayDeque<byte[]> waiting = new ArrayDeque<>();
        private int ownBytes;
        private @Nullable FlowEnd end;
        private boolean opening;
        private boolean moving;
        private boolean draining;
        private boolean over;
        private long beganNs;
        private long failedNs;

        Flow(K key) {
            this.key = key;
        }

        void open() {
            opening = true;
            counters.add("tunnel.flow.opened");
            owner.open(key).onComplete(done -> {
                opening = false;
                if (done.failed()) {
                    failedNs = System.nanoTime();
                    counters.add("tunnel.flow.failed");
                    forget();
                } else if (over) {
                    done.result().close(false);
                } else {
                    begin(done.result());
                }
            });
        }

        private void begin(FlowEnd made) {
            end = made;
            beganNs = System.nanoTime();
            flows.use(beganNs, key);
            made.start(new Far(made));
            drain();
        }

        /** Hands over what waited, as fast as it leaves: the far end's own queue is short. */
        private void drain() {
            draining = false;
            FlowEnd to = end;
            if (over || to == null) return;
            boolean all = System.nanoTime() - beganNs >= DRAIN_MAX_NS;
            while (!over && !waiting.isEmpty() && (all || to.backlogBytes() < BACKLOG_BYTES)) pass(to, poll());
            if (over || waiting.isEmpty()) return;
            draining = true;
            vertx.setTimer(DRAIN_MS, _ -> drain());
        }

        private byte[] poll() {
            byte[] bytes = waiting.remove();
            ownBytes -= bytes.length + ENTRY_BYTES;
            waitingBytes -= bytes.length + ENTRY_BYTES;
            return bytes;
        }

        private void forget() {
            while (!waiting.isEmpty()) poll();
        }

        void send(long nowNs, byte[] bytes) {
            FlowEnd known = end;
            if (known != null && !draining) {
                pass(known, bytes);
                return;
            }
            if (known == null && !opening && nowNs - failedNs >= AGAIN_NS) open();
            int cost = bytes.length + ENTRY_BYTES;
            int free = WAITING_BYTES_MAX - waitingBytes;
            if ((opening || draining) && ownBytes + cost <= (free + ownBytes) / 2) {
                waiting.add(bytes);
                ownBytes += cost;
                waitingBytes += cost;
            } else counters.add("tunnel.flow.dropped");
        }

        private void pass(FlowEnd to, byte[] bytes) {
            owner.sent(bytes.length);
            to.send(bytes);
        }

        void watch(long nowNs) {
            FlowEnd silent = end;
            if (silent == null || moving || silent.silentNs(nowNs) < SILENT_NS) return;
            moving = true;
            owner.silent(silent);
            owner.open(key).onComplete(done -> {
                moving = false;
                if (done.failed()) return;
                FlowEnd other = done.result();
                boolean needed = !over && silent.equals(end) && silent.silentNs(System.nanoTime()) >= SILENT_NS;
                if (!needed) {
                    other.close(false);
                    return;
                }
                counters.add("tunnel.flow.moved");
                silent.close(true);
                begin(other);
            });
        }

        /** Nobody wants it any more. */
        void end() {
            if (over) return;
            over = true;
            forget();
            if (end != null) end.close(false);
            owner.over(end, false);
        }

        private final class Far implements FlowEnd.Handler {
            private final FlowEnd from;

            Far(FlowEnd from) {
                this.from = from;
            }

            @Override
            public void onDatagram(byte[] datagram) {
                if (over || !from.equals(end)) return;
                flows.use(System.nanoTime(), key);
                owner.received(datagram.length);
                answers.accept(key, datagram);
            }

            @Override
            public void onOver(boolean broken) {
                if (over || !from.equals(end)) return;
                over = true;
                forget();
                flows.remove(key, Flow.this);
                owner.over(end, broken);
            }
        }
    }
}
