package mcc.tunnel;

import io.vertx.core.Context;
import io.vertx.core.Future;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import mcc.core.Counters;
import org.jspecify.annotations.Nullable;

/**
 * A local UDP port that leads somewhere: each client's address is a flow with a far end of its own.
 *
 * <p>A flow: opening (its datagrams wait) → open → over, when its far end is or when it was not used for long; or failed, and
 * opened again by a datagram that comes {@link #AGAIN_NS} later. Limits: {@link #FLOWS_MAX} flows, {@link #WAITING_MAX}
 * datagrams that wait in one, {@link #WAITING_BYTES_MAX} in all; a node has a limit of its own ({@link Owner#mayOpen}).
 */
final class UdpForward {
    /** Whose forward it is. */
    interface Owner {
        /** Whether the node has room for one more flow. */
        boolean mayOpen();

        /** Opens the far end of a new flow. */
        Future<? extends FlowEnd> open();

        /** A flow begins; {@link #over} is told of each. */
        void opened();

        void sent(int bytes);

        void received(int bytes);

        /**
         * A flow is over.
         *
         * @param end its far end; null when there never was one
         * @param broken whether it failed
         */
        void over(@Nullable FlowEnd end, boolean broken);
    }

    /** Flows of one forward. */
    static final int FLOWS_MAX = 4_096;

    static final int WAITING_MAX = 16;
    static final int WAITING_BYTES_MAX = 4 << 20;
    static final long AGAIN_NS = 1_000_000_000L;

    private final Owner owner;
    private final Counters counters;
    private final Flows<InetSocketAddress, Flow> flows;
    private UdpSocket.@Nullable Listener listener;
    private int waitingBytes;

    private UdpForward(Owner owner, long idleNs, Counters counters) {
        this.owner = owner;
        this.counters = counters;
        flows = new Flows<>(FLOWS_MAX, idleNs);
    }

    /** Listens on the context's event loop. */
    static Future<UdpForward> listen(
            Context context, InetSocketAddress at, long idleNs, Owner owner, Counters counters) {
        UdpForward forward = new UdpForward(owner, idleNs, counters);
        return UdpSocket.listen(context, at, counters, forward::onDatagram).map(listener -> {
            forward.listener = listener;
            return forward;
        });
    }

    InetSocketAddress address() {
        if (listener == null) throw new IllegalStateException("not listening");
        return listener.address();
    }

    /** Ends the flows that were not used for long; to be called once a second. */
    void expire(long nowNs) {
        flows.expire(nowNs, flow -> {
            if (flow.opening) { // its far end may take longer to answer than a short idle time
                flows.add(nowNs, flow.client, flow);
                return;
            }
            counters.add("tunnel.flow.idle");
            flow.end();
        });
    }

    void close() {
        if (listener != null) listener.close();
        for (Flow flow : flows.all()) {
            flows.remove(flow.client, flow);
            flow.end();
        }
    }

    private void onDatagram(InetSocketAddress client, byte[] bytes) {
        long nowNs = System.nanoTime();
        Flow flow = flows.use(nowNs, client);
        if (flow == null) {
            if (!owner.mayOpen() && !evict(flows.removeEldest())) {
                counters.add("tunnel.flow.refused");
                return;
            }
            flow = new Flow(client);
            evict(flows.add(nowNs, client, flow));
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

    private final class Flow implements FlowEnd.Handler {
        private final InetSocketAddress client;
        private final ArrayDeque<byte[]> waiting = new ArrayDeque<>();
        private @Nullable FlowEnd end;
        private boolean opening;
        private boolean over;
        private long failedNs;

        Flow(InetSocketAddress client) {
            this.client = client;
        }

        void open() {
            opening = true;
            counters.add("tunnel.flow.opened");
            owner.open().onComplete(done -> {
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
            flows.use(System.nanoTime(), client);
            made.start(this);
            for (byte[] bytes; !over && (bytes = waiting.poll()) != null; ) {
                waitingBytes -= bytes.length;
                pass(made, bytes);
            }
        }

        private void forget() {
            for (byte[] bytes : waiting) waitingBytes -= bytes.length;
            waiting.clear();
        }

        void send(long nowNs, byte[] bytes) {
            FlowEnd known = end;
            if (known != null) {
                pass(known, bytes);
                return;
            }
            if (!opening && nowNs - failedNs >= AGAIN_NS) open();
            boolean room = waiting.size() < WAITING_MAX && waitingBytes + bytes.length <= WAITING_BYTES_MAX;
            if (opening && room) {
                waiting.add(bytes);
                waitingBytes += bytes.length;
            } else counters.add("tunnel.flow.dropped");
        }

        private void pass(FlowEnd to, byte[] bytes) {
            owner.sent(bytes.length);
            to.send(bytes);
        }

        /** Nobody wants it any more. */
        void end() {
            if (over) return;
            over = true;
            forget();
            if (end != null) end.close(false);
            owner.over(end, false);
        }

        @Override
        public void onDatagram(byte[] datagram) {
            if (over || listener == null) return;
            flows.use(System.nanoTime(), client);
            owner.received(datagram.length);
            listener.send(client, datagram);
        }

        @Override
        public void onOver(boolean broken) {
            if (over) return;
            over = true;
            forget();
            flows.remove(client, this);
            owner.over(end, broken);
        }
    }
}
